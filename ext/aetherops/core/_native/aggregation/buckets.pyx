# Twin: aetherops/core/_pure/aggregation/buckets.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Runs of a fixed number of consecutive values, each reduced to one value a function.

The mean is the left-to-right sum divided by the count, the median the middle value or half the sum
of the middle two. Results are rounded as Python's ``round`` rounds. Whole buckets are reduced eight
abreast where they lie; only a bucket that a cut of the input has split is filled value by value.
"""

from cpython cimport array
from functools import lru_cache
from libc.math cimport NAN
from libc.stdint cimport int64_t
from libc.string cimport memcpy

from array import array as make_array

from aetherops.core._native.aggregation.floats cimport (
    OMIT, RAISE, FloatReader, count_until_nan, nan_policy_name, read_nan_policy, read_whole,
)
from aetherops.core._native.aggregation.kernels cimport (
    ABREAST, comparator, median_of, round_decimal, selected,
)

from aetherops.core.aggregation_input import (
    FUNCTIONS, checked_decimals, checked_functions, checked_state, nan_refused,
)
from aetherops.errors import InvalidInputError

cdef enum:
    RUN_VALUES = 2048      # worked at once: inside the first-level cache
    RUN_BUCKETS = 256
    NETWORK_LIMIT = 64     # larger medians are found by selection
    LONG_INPUT = 8192      # above it the interpreter lock is released while values are read


cdef array.array _FLOATS = make_array("d")
cdef dict _CODES = {name: code for code, name in enumerate(FUNCTIONS)}


cdef double[16] POWERS
POWERS[:] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]


cdef double decimal_scale(object decimals) except -1.0:
    """10**decimals, or 0.0 for no rounding."""
    if decimals is None:
        return 0.0
    if type(decimals) is int and 0 <= decimals <= 15:
        return POWERS[<int>decimals]
    return POWERS[<int>checked_decimals(decimals)]


cdef tuple read_functions(object functions):
    """The names as a tuple; what is not known, or stands twice, is refused as by both twins."""
    cdef int code, seen = 0
    names = (functions,) if type(functions) is str else functions
    if type(names) is not tuple or not names:
        return checked_functions(functions)
    for name in <tuple>names:
        code = _CODES.get(name, -1) if type(name) is str else -1
        if code < 0 or seen >> code & 1:
            return checked_functions(functions)
        seen |= 1 << code
    return names


cdef array.array new_floats(Py_ssize_t n):
    return array.clone(_FLOATS, n, zero=False)


cdef int widen(array.array floats, Py_ssize_t used, Py_ssize_t wanted) except -1:
    """Room for `wanted` values; the first request is met exactly, later ones with slack."""
    if wanted > len(floats):
        array.resize(floats, max(wanted, used + used // 2))
    return 0


@lru_cache(maxsize=64)
def median_network(int n):
    """Comparators that bring the middle of n rows into place, as packed pairs of int32.

    Batcher's merge exchange (Batcher 1968; Knuth, volume 3, algorithm 5.2.2M), pruned from the end
    to what the middle depends on.
    """
    needed = {n // 2, (n - 1) // 2}
    kept = []
    for low, high in reversed(_merge_exchange(n)):
        if low in needed or high in needed:
            needed.update((low, high))
            kept.append((low, high))
    return make_array("i", [row for pair in reversed(kept) for row in pair]).tobytes()


def _merge_exchange(int n):
    cdef int top = 1, p, q, r, d, i
    pairs = []
    while top < n:
        top *= 2
    p = top // 2
    while p > 0:
        q, r, d = top // 2, 0, p
        while True:
            for i in range(n - d):
                if i & p == r:
                    pairs.append((i, i + d))
            if q == p:
                break
            d, q, r = q - p, q // 2, p
        p //= 2
    return pairs


cdef void clear(Filling *filling) noexcept nogil:
    filling.n = filling.n_numbers = 0
    filling.sum = 0.0
    filling.min = filling.max = filling.last = NAN


cdef void absorb(Filling *filling, const double *x, int64_t n, bint omits_nan) noexcept nogil:
    cdef int64_t start = 0, numbers
    while start < n:
        numbers = 0
        while start + numbers < n and x[start + numbers] == x[start + numbers]:
            numbers += 1
        if numbers:
            absorb_numbers(filling, x + start, numbers)
            start += numbers
            continue
        filling.n += 1
        if not omits_nan:
            filling.last = x[start]
        start += 1


cdef void absorb_numbers(Filling *filling, const double *x, int64_t n) noexcept nogil:
    cdef double low, high
    cdef int64_t i
    for i in range(n):
        filling.sum += x[i]
    selected().extremes(x, n, &low, &high)
    if not low >= filling.min:
        filling.min = low + 0.0  # the sign of a zero would depend on the cut
    if not high <= filling.max:
        filling.max = high + 0.0
    filling.last = x[n - 1]
    filling.n += n
    filling.n_numbers += n


cdef double reduced(Bucketing *state, Function function, const Filling *filling,
                    const double *values) noexcept nogil:
    """One function of a bucket that may hold NaN."""
    cdef double value = NAN
    cdef int64_t i, n = 0
    cdef bint spoilt = filling.n_numbers < filling.n and not state.omits_nan
    if function == LAST:
        value = filling.last
    elif spoilt or not filling.n_numbers:
        return NAN
    elif function == MEAN:
        value = filling.sum / <double>filling.n_numbers
        if value != value:
            return NAN
    elif function == MIN:
        value = filling.min + 0.0
    elif function == MAX:
        value = filling.max + 0.0
    else:
        for i in range(filling.n):
            if values[i] == values[i]:
                state.scratch[n] = values[i]
                n += 1
        if n == 0:  # a restored bucket may say otherwise
            return NAN
        value = median_of(state.scratch, n)
    return round_decimal(value, state.scale) if state.scale else value


cdef void reduce_medians(Bucketing *state, const double *x, int64_t n_buckets,
                         double *out) noexcept nogil:
    cdef int64_t b = 0
    if state.network_size:
        while b + ABREAST <= n_buckets:
            selected().bucket_medians(x + b * state.factor, state.factor, state.network,
                                      state.network_size, state.scratch, out + b)
            b += ABREAST
    while b < n_buckets:
        memcpy(state.scratch, x + b * state.factor, state.factor * sizeof(double))
        out[b] = median_of(state.scratch, state.factor)
        b += 1


cdef void reduce_with_care(Bucketing *state, const double *x, int64_t n_buckets) noexcept nogil:
    """Reduce buckets again, among which some hold NaN, or infinities of both signs."""
    cdef int64_t b
    cdef int i
    cdef Filling bucket
    for b in range(n_buckets):
        clear(&bucket)
        absorb(&bucket, x + b * state.factor, state.factor, state.omits_nan)
        for i in range(state.n_functions):
            state.columns[i][state.n_complete + b] = reduced(
                state, state.codes[i], &bucket, x + b * state.factor
            )


cdef void reduce_run(Bucketing *state, const double *x, int64_t n_buckets) noexcept nogil:
    """Reduce at most RUN_BUCKETS whole buckets where they lie."""
    cdef double[RUN_BUCKETS] low
    cdef double[RUN_BUCKETS] high
    cdef double *out
    cdef int64_t b, n = n_buckets * state.factor
    cdef int i
    cdef bint hard
    hard = not state.with_mean and selected().has_nan(x, n)
    if state.with_extremes:
        selected().bucket_extremes(x, n_buckets, state.factor, low, high)
    for i in range(state.n_functions):
        out = state.columns[i] + state.n_complete
        if state.codes[i] == MEAN:
            hard = selected().bucket_means(x, n_buckets, state.factor, state.scale, out)
            continue
        if state.codes[i] == MEDIAN:
            reduce_medians(state, x, n_buckets, out)
        elif state.codes[i] == MIN:
            memcpy(out, low, n_buckets * sizeof(double))
        elif state.codes[i] == MAX:
            memcpy(out, high, n_buckets * sizeof(double))
        else:
            for b in range(n_buckets):
                out[b] = x[(b + 1) * state.factor - 1]
        selected().round_quotients(out, n_buckets, 1.0, state.scale)
    if hard:
        reduce_with_care(state, x, n_buckets)
    state.n_complete += n_buckets


cdef void complete(Bucketing *state) noexcept nogil:
    """Close the filling bucket, full or not."""
    cdef int i
    for i in range(state.n_functions):
        state.columns[i][state.n_complete] = reduced(
            state, state.codes[i], &state.filling, state.held
        )
    state.n_complete += 1
    clear(&state.filling)


cdef void fill(Bucketing *state, const double *x, int64_t n) noexcept nogil:
    """Take at most what the filling bucket lacks."""
    if state.with_median:
        memcpy(state.held + state.filling.n, x, n * sizeof(double))
    absorb(&state.filling, x, n, state.omits_nan)
    if state.filling.n == state.factor:
        complete(state)


cdef void take_bucketed(Bucketing *state, const double *x, int64_t n) noexcept nogil:
    cdef int64_t start = 0, n_buckets, run
    if state.filling.n and n:
        start = min(state.factor - state.filling.n, n)
        fill(state, x, start)
    run = max(<int64_t>ABREAST, min(<int64_t>RUN_BUCKETS, RUN_VALUES // state.factor))
    while n - start >= state.factor:
        n_buckets = min(run, (n - start) // state.factor)
        reduce_run(state, x + start, n_buckets)
        start += n_buckets * state.factor
    if n > start:
        fill(state, x + start, n - start)


cdef class Buckets:
    """Buckets(factor, functions=('mean',), *, decimals=None, nan_policy='propagate')\n--\n
    Completed buckets of a stream, and the one that is filling."""

    def __cinit__(self, factor, functions=("mean",), *, decimals=None, nan_policy="propagate"):
        self.running.factor = read_whole(factor, "factor", 1)
        self.policy = read_nan_policy(nan_policy)
        self.names = read_functions(functions)
        self.running.scale = decimal_scale(decimals)
        self.digits = decimals if type(decimals) is int else checked_decimals(decimals)
        self.running.omits_nan = self.policy == OMIT
        self.running.n_functions = len(self.names)
        for i in range(self.running.n_functions):
            self.running.codes[i] = <Function><int>_CODES[self.names[i]]
        self.running.with_median = "median" in self.names
        self.running.with_mean = "mean" in self.names
        self.running.with_extremes = "min" in self.names or "max" in self.names
        self.network = b""
        if self.running.with_median and 1 < self.running.factor <= NETWORK_LIMIT:
            self.network = median_network(self.running.factor)
        self.running.network_size = len(self.network) // <Py_ssize_t>sizeof(comparator)
        self.running.network = <const comparator *><const char *>self.network
        self.reset()

    def reset(self):
        """Forget every value."""
        self.check_free()
        clear(&self.running.filling)
        if self.running.with_median:
            self.held = new_floats(0)
            self.scratch = new_floats(0)
        self.columns = [new_floats(0) for _ in self.names]
        self.running.n_complete = 0

    def push_many(self, values):
        """Take values from an iterable or a buffer of float64."""
        cdef FloatReader reader = FloatReader(values)
        cdef double[RUN_VALUES] chunk
        cdef Py_ssize_t got, start = 0
        if reader.is_direct:
            self.feed(reader.data, reader.length, 0)
            return
        if reader.sequence is not None:
            self.reserve(len(reader.sequence))
        while True:
            got = reader.read(chunk, RUN_VALUES)
            if got == 0:
                return
            self.feed(chunk, got, start)
            start += got

    cdef int feed(self, const double *x, Py_ssize_t n, Py_ssize_t start) except -1:
        """Take values, the first of which is values[start] of the caller's."""
        cdef Py_ssize_t accepted = n if self.policy != RAISE else count_until_nan(x, n)
        self.reserve(accepted)
        if n < LONG_INPUT:
            take_bucketed(&self.running, x, accepted)
        else:
            self.in_use = True
            with nogil:
                take_bucketed(&self.running, x, accepted)
            self.in_use = False
        if accepted < n:
            raise nan_refused(f"values[{start + accepted}]")
        return 0

    cdef int check_free(self) except -1:
        if self.in_use:
            raise RuntimeError("another thread is pushing into these buckets")
        return 0

    cdef int reserve(self, Py_ssize_t n_values) except -1:
        """Room for what n_values more can complete."""
        cdef int64_t n_open = self.running.filling.n + n_values
        cdef int64_t wanted = self.running.n_complete + n_open // self.running.factor
        cdef int64_t longest = min(self.running.factor, n_open)
        cdef array.array column
        self.check_free()
        for i in range(self.running.n_functions):
            column = self.columns[i]
            widen(column, self.running.n_complete, wanted)
            self.running.columns[i] = column.data.as_doubles
        if self.running.with_median:
            column = self.held
            widen(column, self.running.filling.n, longest)
            self.running.held = column.data.as_doubles
            column = self.scratch
            widen(column, 0, self.running.factor * ABREAST if self.network else longest)
            self.running.scratch = column.data.as_doubles
        return 0

    @property
    def functions(self):
        """What each bucket is reduced to."""
        return self.names

    @property
    def decimals(self):
        """To how many decimals results are rounded; ``None`` leaves them alone."""
        return self.digits

    @property
    def nan_policy(self):
        """What a NaN does: ``propagate``, ``omit`` or ``raise``."""
        return nan_policy_name(self.policy)

    @property
    def factor(self):
        """Values a bucket."""
        return self.running.factor

    @property
    def n_filling(self):
        """How many values the filling bucket holds."""
        return self.running.filling.n

    def completed(self):
        """A column a function, of the completed buckets."""
        self.check_free()
        return tuple([column[:self.running.n_complete] for column in self.columns])

    def current(self):
        """The filling bucket, one number a function; NaN where it is empty."""
        cdef int i
        self.reserve(0)
        return tuple([
            reduced(&self.running, self.running.codes[i], &self.running.filling, self.running.held)
            for i in range(self.running.n_functions)
        ])

    def merge(self, other):
        """Take another's buckets, as if they had come after; the filling one is closed as it is."""
        if not isinstance(other, Buckets) or self.shape() != (<Buckets>other).shape():
            raise InvalidInputError("other", other, "buckets of the same factor and functions")
        filling, held, columns = other.state()
        self.reserve(self.running.factor)
        if self.running.filling.n:
            complete(&self.running)
        completed = self.drain()
        for column, more in zip(completed, columns):
            column.extend(more)
        self.restore((filling, held, completed))

    cdef tuple shape(self):
        return self.running.factor, self.names, self.digits, self.policy

    def drain(self):
        """The columns of the completed buckets, which are then forgotten."""
        cdef array.array column
        self.check_free()
        drained = tuple(self.columns)
        for column in drained:
            array.resize(column, self.running.n_complete)
        self.columns = [new_floats(0) for _ in self.names]
        self.running.n_complete = 0
        return drained

    def state(self):
        """The running numbers of the filling bucket, its values, the completed columns."""
        self.check_free()
        filling = self.running.filling
        return (
            (filling.n, filling.n_numbers, filling.sum, filling.min, filling.max, filling.last),
            self.held[:filling.n] if self.running.with_median else new_floats(0),
            self.completed(),
        )

    def restore(self, state):
        """Become what ``state`` told.

        Raises
        ------
        InvalidInputError
            The parts do not fit this factor and these functions, or each other.
        """
        cdef double total, low, high, last
        filling, values, completed = checked_state(state, 3)
        n, n_numbers, total, low, high, last = checked_state(filling, 6)
        cdef int64_t taken = read_whole(n, "filling", 0, self.running.factor - 1)
        cdef int64_t numbers = read_whole(n_numbers, "filling", 0, taken)
        held = make_array("d", values)
        if len(held) != (taken if self.running.with_median else 0):
            raise InvalidInputError("held", len(held), "the values of the filling bucket")
        columns = [make_array("d", column) for column in completed]
        if len(columns) != self.running.n_functions or len({len(one) for one in columns}) != 1:
            raise InvalidInputError("columns", len(columns), "a column a function, equally long")
        self.reset()
        self.columns = columns
        self.running.n_complete = len(columns[0])
        if self.running.with_median:
            self.held = held
        self.running.filling = Filling(taken, numbers, total, low, high, last)
