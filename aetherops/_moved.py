"""Modules that have moved: an import by the old path gives the module at the new one.

Programs go on as they are. Type checkers know the new paths alone.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType

__all__ = ["MOVED", "answer_old_paths"]

_MOVES: dict[tuple[str, str], tuple[str, ...]] = {
    ("telemetry", "aggregation"): (
        *("aggregator", "aggregator_state", "buckets", "columns", "correlation", "drift"),
        *("moments", "plotting", "series", "sliding", "window_summary"),
    ),
    ("telemetry", "archive"): (
        *("chunk", "codec", "csv", "csv.layout", "csv.samples", "intake"),
        *("jetstream", "memory", "merge", "placement", "postgres", "samples", "store", "stream"),
    ),
    ("resilience", "resilience.breakers"): (
        *("breaker", "circuit_breaker", "detectors", "diagram", "errors", "events"),
        *("guarded_block", "machine", "metrics", "policy", "registry", "snapshot", "states"),
    ),
    ("ratelimit", "ratelimit.local"): ("rate_limiter", "token_bucket", "waiting", "windows"),
    ("ratelimit", "ratelimit.shared"): ("failure", "leases"),
    ("ratelimit", "ratelimit.redis"): ("script",),
    ("ratelimit", "ratelimit.load"): ("adaptive",),
    ("runtime", "connections"): ("endpoints",),
    ("runtime", "runtime.data_dir"): ("instance",),
    ("services", "demo"): ("constellation", "earth"),
    ("services", "parts"): ("breaker_reports", "key_watch", "load_watch"),
}

#: The new path of each module that has moved, by its old one.
MOVED = {
    f"aetherops.{old}.{module}": f"aetherops.{new}.{module}"
    for (old, new), modules in _MOVES.items()
    for module in modules
} | {
    "aetherops.telemetry.csv.times": "aetherops.archive.csv.times.texts",
    "aetherops.telemetry.query": "aetherops.archive.reductions",
    "aetherops.ratelimit.load_simulation": "aetherops.ratelimit.load.simulation",
    "aetherops.services.demo": "aetherops.demo.feed",
}


class _OldPaths:
    """Finds and loads the old paths: finder and loader of the import system in one."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name in MOVED else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """As usual: an empty module, which `exec_module` then replaces."""

    def exec_module(self, module: ModuleType) -> None:
        # The import system hands out what stands here afterwards: one module, one class.
        sys.modules[module.__name__] = import_module(MOVED[module.__name__])

    def get_code(self, name: str) -> CodeType | None:
        """What ``python -m`` runs."""
        from importlib.util import find_spec  # not above: half of what importing the package costs

        found = find_spec(MOVED[name])
        code: CodeType | None = found.loader.get_code(found.name)  # type: ignore[union-attr]
        return code


def answer_old_paths() -> None:
    """Let the import system find the old paths, once in a process.

    Before it looks into the folders of packages, where a moved package's own modules would be
    found a second time.
    """
    if not any(type(finder).__name__ == _OldPaths.__name__ for finder in sys.meta_path):
        sys.meta_path.insert(0, _OldPaths())
