"""How the allocator gives memory back that nobody needs any more."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

__all__ = ["collect_later", "return_freed_memory", "spare_what_stays", "trim_heaps"]

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
# A column of half a million samples. Smaller ones, of which there are many a second, are cheaper
# in a heap, whose free top may stay as large as this.
_OWN_PAGES_BYTES = 4 * 2**20
_KEPT_BYTES = 16 * 2**20
_HEAPS = 2


def return_freed_memory() -> bool:
    """Have freed arrays go back to the system at once; says whether the allocator can be told.

    Arrays from some size on have pages of their own, which go with them. glibc raises that size,
    up to 32 MiB, to that of the largest array that was freed: from then on arrays lie in heaps,
    one a thread, of which only the top is ever given back. Here the sizes are fixed, and threads
    share two heaps.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library
        return False
    options = {
        _M_TRIM_THRESHOLD: _KEPT_BYTES,
        _M_MMAP_THRESHOLD: _OWN_PAGES_BYTES,
        _M_ARENA_MAX: _HEAPS,
    }
    refused = [option for option, value in options.items() if mallopt(option, value) != 1]
    return not refused


def trim_heaps() -> None:
    """Give back the free pages within the heaps, which small arrays between others leave behind.

    After 15 million samples were ingested and asked about, 110 of 217 MB.
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def collect_later() -> None:
    """Put collections off until the start is over: see `spare_what_stays`.

    Nearly all that a start makes stays. Looking for what does not took a sixth of it.
    """
    gc.disable()


def spare_what_stays() -> None:
    """Look through what the start has made once more, and never again.

    Modules, schema and connections are some hundred thousand objects that last as long as the
    process: each full collection would stand still for as long as it takes to visit them.
    """
    gc.collect()
    gc.freeze()
    gc.enable()
