"""The safeguards that `tests/mutations.py` takes away are where it looks for them."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = runpy.run_path(str(ROOT / "tests" / "mutations.py"))


@pytest.mark.parametrize("mutation", COMMAND["MUTATIONS"], ids=lambda mutation: mutation.name)
def test_a_safeguard_stands_once_where_it_is_looked_for(mutation) -> None:
    source = (ROOT / mutation.path).read_text(encoding="utf-8")
    assert COMMAND["mutated"](mutation, source) != source
    assert (ROOT / mutation.tests).exists()


def test_a_safeguard_that_moved_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"holds .* 0 times"):
        COMMAND["mutated"](COMMAND["MUTATIONS"][0], "nothing of the kind")
