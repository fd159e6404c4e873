"""A signal handler may raise anywhere inside a kernel: the next call works, in any thread."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("interrupts.py")
KERNELS = [
    *("bucket", "buckets", "fixed", "interpolated", "strict"),
    *("kernel, calls", "kernel, seconds", "guards"),
]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("twin", ["native", "pure"])
def test_a_kernel_outlives_a_storm_of_raising_handlers(twin: str, kernel: str) -> None:
    if twin == "native":
        pytest.importorskip("aetherops.core._native.ratelimit.keyed_counters")
    done = subprocess.run(
        [sys.executable, SCRIPT, kernel],
        env={**os.environ, "AETHEROPS_KERNELS": twin},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
