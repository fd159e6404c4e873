# Twin: aetherops/core/_pure/aggregation/kernels.py (which has nothing to choose from).
"""Chooses the instruction set once, at import."""

import os


cdef extern from "kernels/dispatch.h" nogil:
    struct named_kernels:
        const char *name
        const kernels *table

    int runnable_instruction_sets(named_kernels *sets)


cdef const kernels *_selected
cdef str _name


def instruction_set():
    """The instruction set in use: ``avx512``, ``avx2`` or ``baseline``."""
    return _name


cdef const kernels *selected() noexcept nogil:
    return _selected


def _select(str wanted):
    global _selected, _name
    cdef named_kernels[3] sets
    cdef int n = runnable_instruction_sets(sets)
    cdef list names = []
    for i in range(n):
        names.append((<bytes>sets[i].name).decode())
    _name = names[0] if wanted == "auto" else wanted
    if _name not in names:
        raise ImportError(
            f"AETHEROPS_SIMD={wanted}: expected auto or one of {', '.join(names)} on this processor"
        )
    _selected = sets[<int>names.index(_name)].table


_select(os.environ.get("AETHEROPS_SIMD", "auto"))
