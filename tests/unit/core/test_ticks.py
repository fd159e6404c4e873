"""The limiters' clock stays near the system's, whatever the processor's counter does."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[3] / "ext/aetherops/core/_native"
HARNESS = r"""
#define AETHEROPS_MONOTONIC_H /* in place of monotonic.h: clocks that the test moves */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
static long long system_ns = 1000000000;
static uint64_t counter = 5000000000;
static long long monotonic_ns(void) { return system_ns; }
#define read_ticks() counter
#include "ticks.h"

static Calibration calibration;

static void pass(int readings, int ns, double ticks_per_ns) {
    for (int i = 0; i < readings; i++) {
        system_ns += ns;
        counter += (uint64_t)(ns * ticks_per_ns);
        long long ahead_us = monotonic_us(&calibration) - system_ns / 1000;
        if (ahead_us > 1000 || ahead_us < -3000) {
            printf("%lld us ahead at %lld ns\n", ahead_us, system_ns);
            exit(1);
        }
    }
}

int main(void) {
    int gaps[] = {100, 7000, 300000, 5000000};
    for (int g = 0; g < 4; g++) {
        pass(20000, gaps[g], 3.0);
        counter += 2500000;      /* another core, a little ahead */
        pass(20000, gaps[g], 3.0);
        counter += 1ull << 50;   /* a virtual machine that has moved */
        pass(20000, gaps[g], 3.0);
        counter -= 1ull << 49;
        pass(20000, gaps[g], 3.0);
        counter = 17;            /* suspended, and begun anew */
        pass(20000, gaps[g], 3.0);
        system_ns += 3600000000000ll; /* an hour without a reading */
        counter += 3 * 3600000000000ull;
        pass(20000, gaps[g], 1.5); /* another frequency than was measured */
        pass(20000, gaps[g], 6.0);
    }
    return 0;
}
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="wants a C compiler")
def test_no_reading_is_more_than_a_millisecond_ahead(tmp_path: Path) -> None:
    source, program = tmp_path / "harness.c", tmp_path / "harness"
    source.write_text(HARNESS)
    include = [f"-I{SOURCES}", f"-I{SOURCES / 'ratelimit'}"]
    subprocess.run(["cc", "-O2", *include, str(source), "-o", str(program)], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
