"""Where the platform is wired, a file a capability: the only place that builds adapters in."""

from aetherops.bootstrap.identity import issue_token
from aetherops.bootstrap.platform import serve
from aetherops.bootstrap.schema import migrate_database
from aetherops.bootstrap.workflow import rebuild_read_models

__all__ = ["issue_token", "migrate_database", "rebuild_read_models", "serve"]
