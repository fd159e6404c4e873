"""The whole platform is killed while it takes telemetry in: what it accepted is there again."""

import os
import signal
import socket
from pathlib import Path

import pytest

from aetherops.runtime.data_dir.instance import NotRunningError, read_instance

pytestmark = [pytest.mark.chaos, pytest.mark.integration]

SAMPLES = 500


async def test_every_acknowledged_batch_survives_kill_9_of_everything(start_platform, senders):
    for _ in range(2):
        async with start_platform() as platform, senders.sending(platform.client):
            await senders.wait_for_accepted(40)
            os.kill(platform.process.pid, signal.SIGKILL)
            await platform.process.wait()

    async with start_platform() as platform:
        await platform.wait_until_stored(senders.accepted)
        count = await platform.stored_samples()

    # At least the acknowledged ones, each once; one a sender may have been kept unacknowledged.
    assert count >= SAMPLES * len(senders.accepted)
    assert count <= SAMPLES * (len(senders.accepted) + 8)


async def test_a_terminated_platform_ends_its_servers_and_frees_its_port(start_platform, tmp_path):
    async with start_platform() as platform:
        port = int(platform.instance.url.rsplit(":", 1)[1])
        platform.process.send_signal(signal.SIGTERM)
        assert await platform.process.wait() == 0

    with pytest.raises(NotRunningError):
        read_instance(tmp_path)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
    assert not processes_in(tmp_path)


def processes_in(directory):
    """Command lines of processes that name the directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it has ended meanwhile
            continue
        if str(directory) in command and process.name != str(os.getpid()):
            found.append(command)
    return found
