import os
import stat
from pathlib import Path

import pytest

from aetherops.runtime.data_dir.instance import (
    Instance,
    NotRunningError,
    own_instance,
    read_instance,
    remove_instance,
    write_instance,
)
from aetherops.runtime.data_dir.locks import AlreadyRunningError

RUNNING = Instance("http://127.0.0.1:8080", "a-token", os.getpid())


def test_a_running_instance_is_found_by_its_data_directory(tmp_path: Path) -> None:
    with own_instance(tmp_path):
        write_instance(tmp_path, RUNNING)

        assert read_instance(tmp_path) == RUNNING


def test_only_the_owner_may_read_its_token_and_no_repr_shows_it(tmp_path: Path) -> None:
    write_instance(tmp_path, RUNNING)

    assert stat.S_IMODE((tmp_path / "instance.json").stat().st_mode) == 0o600
    assert "a-token" not in repr(RUNNING)


def test_what_a_killed_instance_left_is_not_a_running_one(tmp_path: Path) -> None:
    with own_instance(tmp_path):
        write_instance(tmp_path, RUNNING)

    with pytest.raises(NotRunningError, match="aetherops up"):
        read_instance(tmp_path)


@pytest.mark.parametrize("text", [None, "", "{}", "[]", '{"url": "x", "token": "y", "pid": "z"}'])
def test_no_or_a_damaged_file_means_that_nothing_runs(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "instance.json").write_text(text)

    with own_instance(tmp_path), pytest.raises(NotRunningError):
        read_instance(tmp_path)


def test_a_data_directory_that_is_missing_has_no_instance(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError):
        read_instance(tmp_path / "absent")


def test_a_removed_instance_is_gone_and_may_be_removed_again(tmp_path: Path) -> None:
    with own_instance(tmp_path):
        write_instance(tmp_path, RUNNING)
        remove_instance(tmp_path)
        remove_instance(tmp_path)

        with pytest.raises(NotRunningError):
            read_instance(tmp_path)


def test_two_instances_on_one_data_directory_are_refused(tmp_path: Path) -> None:
    with own_instance(tmp_path), pytest.raises(AlreadyRunningError), own_instance(tmp_path):
        pass


def test_looking_for_an_instance_does_not_keep_one_from_starting(tmp_path: Path) -> None:
    write_instance(tmp_path, RUNNING)
    (tmp_path / "instance.lock").touch()
    with pytest.raises(NotRunningError):
        read_instance(tmp_path)

    with own_instance(tmp_path):
        assert read_instance(tmp_path) == RUNNING
