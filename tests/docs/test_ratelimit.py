"""The code in docs/ratelimit.md runs."""

import asyncio
import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ratelimit.md"


async def test_every_block_runs_after_those_before_it(redis, capsys):
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(code, PAGE.name, "exec"), names)
    assert names["passed"] == b"\1\1\1"
    assert capsys.readouterr().out == "500 overload\n"
    assert await names["upload"](names["TokenBucket"](20, 1))
    async with asyncio.timeout(30):
        assert await names["decide"](redis)
