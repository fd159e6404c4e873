"""Where the platform is wired, a file a capability: the only place that builds adapters in."""

from aetherops.bootstrap.identity import issue_token
from aetherops.bootstrap.platform import serve

__all__ = ["issue_token", "serve"]
