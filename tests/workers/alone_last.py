"""How tests are shared among worker processes: whole files, and last, alone, those that measure.

``tests/conftest.py`` takes its hooks and its fixture from here.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ALONE = "alone"
_NAMED_SO = re.compile(rf"[\[-]{ALONE}[\]-]")


@pytest.fixture
def named_alone() -> None:
    """What each test that is marked ``alone`` gets, so that its name tells it."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let the names of tests marked ``alone`` say so: a scheduler gets no more than names."""
    if metafunc.definition.get_closest_marker(ALONE):
        metafunc.fixturenames.append("named_alone")
        metafunc.parametrize("named_alone", [None], ids=[ALONE], indirect=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> AloneLast:
    """With several workers (``-n 2``), nothing runs beside a test that is marked ``alone``."""
    config.option.loadscopereorder = False  # or files of many tests came first
    return AloneLast(config, log)


class AloneLast(LoadScopeScheduling):
    """Give each worker the next file; tests marked ``alone`` go to one when all else is done.

    The first worker begins at the front, where tests wait for servers that are killed, the others
    at the end, where tests compute: so one has the processor while another waits.
    A worker holds its last test back until it is told what follows, so the one that will run the
    tests marked ``alone`` begins with at most one other test, after every other worker has ended.
    """

    def _split_scope(self, nodeid: str) -> str:
        """What goes to a worker as a whole: the file, so that its fixtures are made once."""
        return ALONE if _NAMED_SO.search(nodeid) else nodeid.partition("::")[0]

    def _assign_work_unit(self, node: Any) -> None:
        if ALONE in self.workqueue:  # a worker that has crashed gives its files back
            self.workqueue.move_to_end(ALONE)
        if node is not self.nodes[0]:
            files = (name for name in reversed(self.workqueue) if name != ALONE)
            self.workqueue.move_to_end(next(files, ALONE), last=False)
        if not (self._only_alone_is_left() and self._others_are_busy(node)):
            super()._assign_work_unit(node)

    def _reschedule(self, node: Any) -> None:
        if not self._only_alone_is_left():
            super()._reschedule(node)
            return
        last, *others = self.nodes
        for other in others:
            if not other.shutting_down:
                other.shutdown()  # after what it has
        if not self._others_are_busy(last):
            self._assign_work_unit(last)
            last.shutdown()

    def _only_alone_is_left(self) -> bool:
        return list(self.workqueue) == [ALONE]

    def _others_are_busy(self, node: Any) -> bool:
        others = (work for other, work in self.assigned_work.items() if other is not node)
        return any(self._pending_of(work) for work in others)
