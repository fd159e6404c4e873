"""``aetherops up``: the whole platform in one process, and how to reach it."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from typing import TYPE_CHECKING

from aetherops.cli.options import settings_with
from aetherops.runtime.data_dir.instance import instance_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aetherops.runtime.data_dir.instance import Instance
    from aetherops.runtime.settings import Settings

__all__ = ["announcement", "run_platform"]

_DEMO_STREAM = "orbit/cbers-2/altitude_km"
_CATALOGUE = "{ streams { nodes { name unit count first last } } }"


def run_platform(data_dir: Path | None, host: str | None, port: int | None, *, demo: bool) -> None:
    """Run until SIGINT or SIGTERM; options go before the environment's settings."""
    from aetherops.runtime.memory import collect_later

    collect_later()
    from aetherops.bootstrap import serve
    from aetherops.runtime.logs import configure_logging

    settings = settings_with(data_dir, host, port)
    configure_logging(settings)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serve(settings, demo=demo, ready=partial(_announce, settings, demo)))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The loop of libuv, which spends a fifth less on a small request; there is none on Windows."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return None
    return uvloop.new_event_loop


def announcement(
    instance: Instance, data_dir: Path, *, demo: bool, show_token: bool = True
) -> list[tuple[str, str]]:
    """What to tell once the platform is ready: a title and a text each.

    Parameters
    ----------
    show_token : False where a log may keep what is told: the token then says where it is kept.
    """
    place = f" --data-dir {data_dir}" if data_dir != settings_with().data_dir else ""
    stream = _DEMO_STREAM if demo else "service/source/parameter"
    command = f"aetherops query {stream} --plot{place}"
    token = instance.token if show_token else f"kept in {instance_file(data_dir)}, for its owner"
    lines = [
        ("Explorer", f"{instance.url}/graphql" + f"#token={token}" * show_token),
        ("Token", token),
        ("GraphQL", _query_text(stream) if demo else _CATALOGUE),
        ("Data", str(data_dir)),
        ("Stop", "Ctrl-C"),
    ]
    ingest = f"aetherops ingest FILE.csv --stream {stream}{place}"
    lines[3:3] = [("Ask", command)] if demo else [("Ingest", ingest), ("Ask", command)]
    return lines


def _query_text(stream: str) -> str:
    """A query about the last hour of a stream that can be pasted as it is."""
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC).replace(second=0, microsecond=0, tzinfo=None)
    start, end = (f"{t.isoformat()}Z" for t in (now - timedelta(hours=1), now))
    return (
        f'{{ telemetry(stream: "{stream}", range: {{start: "{start}", end: "{end}"}}, '
        "downsample: {buckets: 12}) "
        "{ columns { times values } statistics { count mean min max } } }"
    )


def _announce(settings: Settings, demo: bool, instance: Instance) -> None:
    on_terminal = sys.stdout.isatty()
    lines = announcement(instance, settings.data_dir, demo=demo, show_token=on_terminal)
    if not on_terminal:
        for title, text in lines:
            print(f"{title:9} {text}", flush=True)  # noqa: T201
        return
    from rich.console import Console
    from rich.text import Text

    # Without a frame, and wrapped by the terminal alone: a long token is copied in one piece.
    console = Console(highlight=False)
    console.print(Text("AetherOps is up", style="bold green"))
    for title, text in lines:
        console.print(Text(f"  {title:9} ", style="cyan") + Text(text, style=""), soft_wrap=True)
