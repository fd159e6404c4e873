"""Where the platform is wired: the only place that builds adapters into services."""

from aetherops.bootstrap.platform import issue_token, serve

__all__ = ["issue_token", "serve"]
