"""The frozen corpus: every form in which an event was ever written is read for ever.

`corpus/events.jsonl` holds a line a form: kind, schema version, the payload's bytes as text, and
what is read from them today. `corpus/schemas.json` holds the fields of every schema version. Lines
are added, and no payload is ever changed: where a test here fails because fields changed, the kind
needs a new schema version, an upcaster, and its own lines.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aetherops.workflow import KINDS, EventCodec, WorkflowCreated

from .events.samples import annotations_of, event_of

CORPUS = Path(__file__).parent / "corpus"
FORMS = [
    json.loads(line) for line in (CORPUS / "events.jsonl").read_text("utf-8").splitlines() if line
]
SCHEMAS = json.loads((CORPUS / "schemas.json").read_text("utf-8"))
CODEC = EventCodec()


def read(form: dict[str, Any]) -> Any:
    envelope = WorkflowCreated("burn-7").envelope
    data = form["payload"].encode()
    return CODEC.decode(form["kind"], form["schema_version"], data, envelope)


def said(event: Any) -> dict[str, Any]:
    """What an event says, as JSON."""
    return json.loads(CODEC.encode(event))


@pytest.mark.parametrize(
    "form", FORMS, ids=[f"{i}-{form['kind']}" for i, form in enumerate(FORMS, 1)]
)
def test_every_form_ever_written_is_read(form):
    event = read(form)
    assert event.kind == form["event"]["kind"]
    assert said(event) == form["event"]["payload"]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_today_stands_in_the_corpus_under_its_schema_version(kind):
    cls = KINDS[kind]
    there = [
        form
        for form in FORMS
        if (form["kind"], form["schema_version"]) == (kind, cls.schema_version)
    ]
    line = {
        "kind": kind,
        "schema_version": cls.schema_version,
        "payload": CODEC.encode(event_of(kind)).decode(),
        "event": {"kind": kind, "payload": said(event_of(kind))},
    }
    assert there, f"add to events.jsonl: {json.dumps(line, ensure_ascii=False)}"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_fields_do_not_change_without_a_new_schema_version(kind):
    cls = KINDS[kind]
    frozen = SCHEMAS.get(kind, {}).get(str(cls.schema_version))
    assert annotations_of(cls) == frozen, (
        f"{kind}, schema version {cls.schema_version}, has other fields than it was frozen with: "
        f"raise schema_version, add an upcaster, and freeze {json.dumps(annotations_of(cls))}"
    )


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_written_today_is_written_as_it_was_frozen(kind):
    """Names and order of the fields, and the form of their values."""
    cls = KINDS[kind]
    written = CODEC.encode(event_of(kind)).decode()
    assert written in [
        form["payload"]
        for form in FORMS
        if (form["kind"], form["schema_version"]) == (kind, cls.schema_version)
    ]


def test_every_schema_version_that_was_frozen_has_a_form():
    frozen = {(kind, int(version)) for kind, versions in SCHEMAS.items() for version in versions}
    assert frozen == {(form["kind"], form["schema_version"]) for form in FORMS}
