"""Circuit breaker: guarded calls, refusals and failures, on both kernels."""

import asyncio
import os
import subprocess
import sys
import time

from aetherops.resilience import Breaker, BreakerOpenError, BreakerPolicy, CountWindow, TimeWindow

POLICIES = {
    "consecutive": BreakerPolicy(),
    "count window": BreakerPolicy(failure_rate=0.9, window=CountWindow(1_000)),
    "time window, slow calls": BreakerPolicy(
        failure_rate=0.9, slow_call_rate=0.9, slow_call_s=1.0, window=TimeWindow(60.0)
    ),
}
CALLS = range(1_000)


def answer(value):
    return value


async def answer_async(value):
    return value


class GuardedCalls:
    """A thousand calls that pass."""

    params = tuple(POLICIES)
    param_names = ("policy",)

    def setup(self, policy):
        self.breaker = Breaker("bench", POLICIES[policy])
        self.guarded = self.breaker(answer)
        self.guarded_async = self.breaker(answer_async)
        self.loop = asyncio.new_event_loop()

    def teardown(self, policy):
        self.loop.close()

    def time_function(self, policy):
        for value in CALLS:
            self.guarded(value)

    def time_call(self, policy):
        for value in CALLS:
            self.breaker.call(answer, value)

    def time_block(self, policy):
        for _ in CALLS:
            with self.breaker.guard():
                pass

    def time_coroutine_function(self, policy):
        async def run():
            for value in CALLS:
                await self.guarded_async(value)

        self.loop.run_until_complete(run())


class RefusedCalls:
    """A thousand calls that an open breaker refuses."""

    def setup(self):
        breaker = Breaker("bench")
        breaker.trip()
        self.guarded = breaker(answer)

    def time_function(self):
        for value in CALLS:
            try:
                self.guarded(value)
            except BreakerOpenError:
                continue


class Import:
    """Importing the package, in an interpreter of its own."""

    number = 1
    repeat = 5

    def time_import(self):
        subprocess.run([sys.executable, "-c", "import aetherops.resilience"], check=True)


class PureKernel:
    """The same calls without the compiled core, in an interpreter of its own."""

    number = 1
    repeat = 3

    SCRIPT = """
import time
from aetherops.resilience import Breaker, BreakerPolicy
guarded = Breaker("bench", BreakerPolicy(failure_rate=0.9))(lambda value: value)
start = time.perf_counter()
for value in range(20_000):
    guarded(value)
print((time.perf_counter() - start) / 20_000 * 1e9)
"""

    def track_guarded_call_ns(self):
        environment = {**os.environ, "AETHEROPS_KERNELS": "pure"}
        done = subprocess.run(
            [sys.executable, "-c", self.SCRIPT],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return float(done.stdout)

    track_guarded_call_ns.unit = "ns"


class Windows:
    """Memory and time of large windows."""

    params = (100, 10_000, 1_000_000)
    param_names = ("calls",)

    def setup(self, calls):
        self.policy = BreakerPolicy(failure_rate=0.9, window=CountWindow(calls))
        self.breaker = Breaker("bench", self.policy)

    def time_make(self, calls):
        Breaker("bench", self.policy)

    def time_record(self, calls):
        now_ns = time.monotonic_ns()
        for _ in CALLS:
            self.breaker.machine.record(0, now_ns, 0, now_ns)
