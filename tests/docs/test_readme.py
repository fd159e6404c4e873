"""The README tells the truth: its code runs, and its answers are the platform's."""

import json
import re
import time
from pathlib import Path

import httpx
import pytest

from aetherops.api.application import ApiServices, create_application
from aetherops.archive.memory import MemoryTelemetryStore
from aetherops.archive.store import AcceptedBatch
from aetherops.demo.constellation import Constellation
from aetherops.identity.keys import SigningKey
from aetherops.identity.operators import Operator
from aetherops.identity.tokens import TokenIssuer, TokenVerifier
from aetherops.instants import parse_us, to_iso
from aetherops.runtime.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"))
def test_a_library_example_prints_what_its_comments_say(code, capsys):
    exec(compile(code, "README.md", "exec"), {})

    assert capsys.readouterr().out.splitlines() == re.findall(r"^print.*  # (.*)$", code, re.M)


async def test_the_first_query_has_the_answer_that_is_shown():
    store = MemoryTelemetryStore()
    start_us, end_us = map(parse_us, ("2026-11-24T06:00:00Z", "2026-11-24T12:00:00Z"))
    for batch in Constellation.default().batches(start_us, end_us, 1_000_000):
        await store.write([AcceptedBatch(batch, 1)])

    (query,) = re.findall(r"query='(.*?)'", README, re.DOTALL)
    answer = await ask(store, query, {"range": {"start": to_iso(start_us), "end": to_iso(end_us)}})

    shown = flat(json.loads(blocks("json")[0]))
    numbers = {path: leaf for path, leaf in shown.items() if not isinstance(leaf, str)}
    given = flat(answer)
    assert {path: given[path] for path in numbers} == pytest.approx(numbers, rel=1e-9)
    assert {**given, **numbers} == shown


async def ask(store, query, variables):
    key = SigningKey.generate()
    services = ApiServices(store, None, TokenVerifier([key.verifying_key]), None, Settings())
    issuer = TokenIssuer(key)
    token = issuer.issue(Operator("reader", "a reader", frozenset({"viewer"})), 60, time.time())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_application(services)), base_url="http://test"
    ) as client:
        answer = await client.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {token}"},
        )
    return answer.json()


def flat(tree, path=""):
    """Leaves of a JSON tree by path."""
    if not isinstance(tree, dict | list):
        return {path: tree}
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return {k: v for name, inner in pairs for k, v in flat(inner, f"{path}/{name}").items()}


@pytest.mark.parametrize("path", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_every_page_that_the_readme_names_exists(path):
    assert (ROOT / path).exists()


def test_ci_runs_the_test_command_of_the_readme():
    commands = {line for block in blocks("sh") for line in block.splitlines()}
    (test_command,) = (line for line in commands if "tests/" in line)

    assert test_command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
