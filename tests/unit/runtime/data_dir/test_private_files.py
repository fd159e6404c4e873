import os
import stat
from pathlib import Path

import pytest

from aetherops.errors import InvalidInputError
from aetherops.runtime.data_dir.private_files import prepare_data_dir, write_private


def test_only_the_owner_may_read_what_is_written(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", "text")

    assert (tmp_path / "secret").read_text() == "text"
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_a_file_is_replaced_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", "a longer text")
    write_private(tmp_path / "secret", "short")

    assert (tmp_path / "secret").read_text() == "short"
    assert list(tmp_path.iterdir()) == [tmp_path / "secret"]


def test_a_failed_write_leaves_the_old_text_and_no_trace(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", "old")

    with pytest.raises(UnicodeEncodeError):
        write_private(tmp_path / "secret", "\udc80")

    assert (tmp_path / "secret").read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "secret"]


def test_a_missing_data_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    data_dir = prepare_data_dir(tmp_path / "new" / "data")

    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(InvalidInputError, match=r"^data_dir: .*Not a directory.*file/data"):
        prepare_data_dir(tmp_path / "file" / "data")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)

    with pytest.raises(InvalidInputError, match=r"^data_dir: .*closed"):
        prepare_data_dir(closed)
