# Twin: aetherops/core/_pure/aggregation/accumulator.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""One pass over a stream: its moments, its buckets, and what lies far from the mean.

Chunks are read once while they lie in the first-level cache: moments first, then each bucketing.
"""

from cpython cimport array
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.math cimport fabs, isfinite, sqrt
from libc.stdint cimport int64_t
from libc.string cimport memcpy

from array import array as make_array

from aetherops.core._native.aggregation.anomalies cimport (
    Candidates, Criterion, candidates_suffice, confirm_candidates, find_all, new_criterion,
)
from aetherops.core._native.aggregation.buckets cimport Bucketing, Buckets, take_bucketed
from aetherops.core._native.aggregation.floats cimport (
    MAX_EXACT_COUNT, OMIT, RAISE, FloatReader, NanPolicy, count_until_nan, read_nan_policy,
    read_whole,
)
from aetherops.core._native.aggregation.kernels cimport ABREAST, BLOCK
from aetherops.core._native.aggregation.moments cimport (
    BlockMoments, MomentsState, take_values,
)

from aetherops.core._native.aggregation.anomalies import find_anomalies

from aetherops.core.aggregation_input import MIN_STD, checked_state, count_refused, nan_refused
from aetherops.errors import InvalidInputError

cdef enum:
    CHUNK = 2048           # values worked on while they lie in the cache
    SMALL = 512            # fewer are first gathered
    LONG_INPUT = 8192      # above it the interpreter lock is released while values are read
    MAX_BUCKETINGS = 16

cdef double _MIN_STD = MIN_STD


cdef struct Detector:
    # Of anomalies among values as they arrive, by the moments of those before.
    double threshold
    int64_t warmup
    int64_t n
    double mean
    double m2


cdef bint detect(Detector *detector, double x) noexcept nogil:
    """Whether x is anomalous beside the values before it; then Welford's step (1962) takes it in.

    Only numbers at a finite distance are learnt from.
    """
    cdef bint found = False
    cdef double std, d = x - detector.mean
    if detector.n >= detector.warmup:
        std = sqrt(detector.m2 / <double>(detector.n - 1))
        found = fabs(d) / (std if std != 0.0 else _MIN_STD) > detector.threshold
    if isfinite(d):
        detector.n += 1
        detector.mean += d / <double>detector.n
        detector.m2 += d * (x - detector.mean)
    return found


cdef int find_in_rest(const Criterion *criterion, FloatReader reader, Py_ssize_t start,
                      Py_ssize_t n, array.array indices) except -1:
    """Append the indices of the anomalous values among the last n, at most a block."""
    cdef int64_t[512] rest
    cdef double[512] values
    cdef Py_ssize_t i
    if reader.is_direct:
        return find_all(criterion, reader.data + start, n, start, indices)
    for i in range(n):
        rest[i] = start + i
    reader.read_some(rest, n, values)
    return find_all(criterion, values, n, start, indices)


cdef struct Reducers:
    # What a chunk of values passes through.
    MomentsState *moments
    Bucketing *bucketings[MAX_BUCKETINGS]
    int n_bucketings


cdef int64_t whole_rows(const Bucketing *bucketing, int64_t ready) noexcept nogil:
    """How many of the ready values end with eight whole buckets; the rest can wait for more."""
    cdef int64_t open_bucket = bucketing.factor - bucketing.filling.n if bucketing.filling.n else 0
    if ready < open_bucket:
        return ready
    return ready - (ready - open_bucket) % (bucketing.factor * ABREAST)


cdef void take_chunks(Reducers *reducers, const double *x, int64_t n,
                      double *copy) noexcept nogil:
    cdef int64_t start = 0, count, ready
    cdef int64_t[MAX_BUCKETINGS] bucketed
    cdef int i
    for i in range(reducers.n_bucketings):
        bucketed[i] = 0
    while start < n:
        count = min(<int64_t>CHUNK, n - start)
        if copy != NULL:
            memcpy(copy + start, x + start, count * sizeof(double))
        take_values(reducers.moments, x + start, count)
        for i in range(reducers.n_bucketings):
            ready = start + count - bucketed[i]
            if start + count < n:
                ready = whole_rows(reducers.bucketings[i], ready)
            take_bucketed(reducers.bucketings[i], x + bucketed[i], ready)
            bucketed[i] += ready
        start += count


cdef class Accumulator:
    """Accumulator(buckets, *, nan_policy, retains=False, candidate_threshold=None, \
threshold=None, warmup=2)\n--\n
    What ``StreamingAggregator`` does a value at a time."""

    cdef object __weakref__
    cdef BlockMoments moments
    cdef tuple buckets
    cdef Reducers reducers
    cdef NanPolicy policy
    cdef bint retains
    cdef bint is_online
    cdef Detector detector
    cdef array.array found        # indices of the values that the detector found
    cdef int64_t n_before         # values that are no longer in the buffer

    # Gathered values, of which n_taken have been through; all of the window where it is retained.
    cdef double *values
    cdef Py_ssize_t capacity
    cdef Py_ssize_t n_values
    cdef Py_ssize_t n_taken
    cdef bint in_use              # by a thread that has released the interpreter lock

    def __init__(self, buckets, *, nan_policy, bint retains=False, candidate_threshold=None,
                 threshold=None, warmup=2):
        cdef double threshold_or_0 = 0.0 if threshold is None else threshold
        cdef double candidates_from = -1.0 if candidate_threshold is None else candidate_threshold
        cdef tuple every = tuple(buckets)
        if self.in_use:
            self.check_free()
        if len(every) > MAX_BUCKETINGS:
            raise InvalidInputError("factors", len(every), f"at most {MAX_BUCKETINGS}")
        for one in every:
            if not isinstance(one, Buckets):
                raise TypeError(f"buckets: expected Buckets, got {type(one).__name__}")
        self.detector.warmup = max(2, read_whole(warmup, "warmup", 0))
        self.policy = read_nan_policy(nan_policy)
        self.moments = BlockMoments(nan_policy=nan_policy)
        self.buckets = every
        self.reducers.moments = &self.moments.running
        self.reducers.n_bucketings = len(every)
        for i in range(self.reducers.n_bucketings):
            self.reducers.bucketings[i] = &(<Buckets>every[i]).running
        if self.policy != OMIT:  # which moves the indices
            self.moments.running.candidates.threshold = candidates_from
        self.retains = retains
        self.is_online = threshold is not None
        self.detector.threshold = threshold_or_0
        self.forget()

    def __dealloc__(self):
        PyMem_Free(self.values)

    def reset(self):
        """Forget every value."""
        self.check_free()
        self.moments.reset()
        for buckets in self.buckets:
            buckets.reset()
        self.forget()

    cdef int forget(self) except -1:
        self.detector.n = 0
        self.detector.mean = self.detector.m2 = 0.0
        self.found = make_array("q")
        self.n_before = self.n_values = self.n_taken = 0
        return 0

    def push(self, double x):
        """Take one value; whether it is anomalous beside those before it (online mode)."""
        if self.in_use or self.n_values == self.capacity:
            self.make_room()
        if x != x and self.policy == RAISE:
            raise nan_refused("x")
        if self.n_before + self.n_values >= MAX_EXACT_COUNT:
            raise count_refused(MAX_EXACT_COUNT + 1)
        self.values[self.n_values] = x
        self.n_values += 1
        if self.is_online and detect(&self.detector, x):
            self.found.append(self.n_before + self.n_values - 1)
            return True
        return False

    def push_many(self, values):
        """Take values; how many are anomalous beside those before them (online mode).

        Values before one that is refused have been taken, as in a loop of ``push``.
        """
        cdef FloatReader reader = FloatReader(values)
        cdef double[CHUNK] chunk
        cdef Py_ssize_t got, index = 0, n_found
        self.check_free()
        n_found = len(self.found)
        if reader.is_direct:
            self.feed(reader.data, reader.length, 0)
            return len(self.found) - n_found
        if reader.sequence is not None:
            self.expect(len(reader.sequence))
        while True:
            got = reader.read(chunk, CHUNK)
            if got == 0:
                return len(self.found) - n_found
            self.feed(chunk, got, index)
            index += got

    @property
    def n_seen(self):
        """How many values were taken, NaN included."""
        return self.n_before + self.n_values

    cdef int check_free(self) except -1:
        if self.moments is None:
            raise RuntimeError("__init__ was not called")
        if self.in_use:
            raise RuntimeError("another thread is pushing into this aggregator")
        return 0

    cdef int make_room(self) except -1:
        self.check_free()
        if self.retains or self.capacity < SMALL:
            self.enlarge(max(64, self.capacity + self.capacity // 2))
        else:
            self.flush()
        return 0

    cdef int enlarge(self, Py_ssize_t capacity) except -1:
        cdef double *values = <double *>PyMem_Realloc(self.values, capacity * sizeof(double))
        if values == NULL:
            raise MemoryError
        self.values = values
        self.capacity = capacity
        return 0

    cdef int feed(self, const double *x, Py_ssize_t n, Py_ssize_t index) except -1:
        """Take values, the first of which is values[index] of the caller's."""
        cdef Py_ssize_t i, accepted = n if self.policy != RAISE else count_until_nan(x, n)
        self.check_free()
        cdef Py_ssize_t counted = min(
            <int64_t>accepted, MAX_EXACT_COUNT - self.n_before - self.n_values
        )
        if self.is_online:
            for i in range(counted):
                if detect(&self.detector, x[i]):
                    self.found.append(self.n_before + self.n_values + i)
        if counted:
            self.take_or_gather(x, counted)
        if counted < accepted:
            raise count_refused(MAX_EXACT_COUNT + 1)
        if accepted < n:
            raise nan_refused(f"values[{index + accepted}]")
        return 0

    cdef int take_or_gather(self, const double *x, Py_ssize_t n) except -1:
        if self.retains:
            if self.n_values + n > self.capacity:
                self.enlarge(max(self.n_values + n, self.capacity + self.capacity // 2))
            self.flush()
            self.take(x, n, self.values + self.n_values)
            self.n_values += n
            self.n_taken = self.n_values
        elif n <= self.capacity - self.n_values:
            memcpy(self.values + self.n_values, x, n * sizeof(double))
            self.n_values += n
        else:
            self.flush()
            self.take(x, n, NULL)
            self.n_before += n
        return 0

    cdef int flush(self) except -1:
        """Let what was gathered through."""
        if self.n_taken < self.n_values:
            self.take(self.values + self.n_taken, self.n_values - self.n_taken, NULL)
        self.n_taken = self.n_values
        if not self.retains:
            self.n_before += self.n_values
            self.n_values = self.n_taken = 0
        return 0

    cdef int expect(self, Py_ssize_t n) except -1:
        """Make room for the buckets that n more values can complete."""
        cdef Buckets buckets
        for buckets in self.buckets:
            buckets.reserve(n)
        return 0

    cdef int take(self, const double *x, Py_ssize_t n, double *copy) except -1:
        """Let values through all reducers."""
        self.moments.reserve()
        self.expect(n)
        if n < LONG_INPUT:
            take_chunks(&self.reducers, x, n, copy)
            return 0
        self.hold(True)
        with nogil:
            take_chunks(&self.reducers, x, n, copy)
        self.hold(False)
        return 0

    cdef int hold(self, bint in_use) except -1:
        """Keep other threads off this and its parts, or let them."""
        cdef Buckets buckets
        self.in_use = self.moments.in_use = in_use
        for buckets in self.buckets:
            buckets.in_use = in_use
        return 0

    cdef bint has_candidates(self) except -1:
        """Whether candidates were noted among all values, but for the last, unfinished block."""
        cdef Candidates *candidates = &self.moments.running.candidates
        if not candidates.threshold >= 0.0:
            return False
        self.flush()
        return 0 <= self.n_seen - candidates.n_passed < BLOCK

    cdef array.array retained(self):
        cdef array.array window = make_array("d")
        if self.retains and self.n_values:
            array.resize(window, self.n_values)
            memcpy(window.data.as_doubles, self.values, self.n_values * sizeof(double))
        return window


def parts_of(Accumulator accumulator not None):
    """The moments and the buckets of all values so far; not copies."""
    accumulator.check_free()
    accumulator.flush()
    return accumulator.moments, accumulator.buckets


def anomalies_of(Accumulator accumulator not None, double mean, double std, double threshold,
                 values=()):
    """Indices of the values with ``abs(x - mean) / std > threshold``.

    Where they are not retained, ``values`` are all that were pushed; they are read again where
    those that were noted as they passed (``candidate_threshold``) do not suffice.
    """
    cdef FloatReader reader
    cdef Candidates *candidates
    cdef Criterion criterion = new_criterion(mean, std, threshold, False)
    cdef array.array indices = make_array("q")
    accumulator.check_free()
    if accumulator.retains:
        find_all(&criterion, accumulator.values, accumulator.n_values, 0, indices)
        return indices
    candidates = &accumulator.moments.running.candidates
    if accumulator.has_candidates() and candidates_suffice(candidates, &criterion):
        reader = FloatReader(values)
        if reader.count() == accumulator.n_seen:
            confirm_candidates(candidates, &criterion, reader, indices)
            find_in_rest(
                &criterion, reader, candidates.n_passed,
                accumulator.n_seen - candidates.n_passed, indices,
            )
            return indices
    return find_anomalies(values, mean, std, threshold)


def take_anomalies(Accumulator accumulator not None):
    """Indices of the anomalous values found online, which are then forgotten."""
    accumulator.check_free()
    found, accumulator.found = accumulator.found, make_array("q")
    return found


def accumulator_state(Accumulator accumulator not None):
    """What is not in its parts: values seen, values retained, the detector, what it found.

    The detector is the count, the mean and the squares about it of what it has learnt from.
    """
    accumulator.check_free()
    accumulator.flush()
    detector = accumulator.detector.n, accumulator.detector.mean, accumulator.detector.m2
    return accumulator.n_seen, accumulator.retained(), detector, accumulator.found[:]


def restore_accumulator(Accumulator accumulator not None, state):
    """Make an accumulator what ``accumulator_state`` told; its parts are restored on their own.

    Raises
    ------
    InvalidInputError
        Fewer values were seen than are retained or counted, or a number is out of range.
    """
    cdef double mean, m2
    seen, retained, detector, indices = checked_state(state, 4)
    cdef array.array window = make_array("d", retained), found = make_array("q", indices)
    n, mean, m2 = checked_state(detector, 3)
    cdef Py_ssize_t n_retained = len(window) if accumulator.retains else 0
    accumulator.check_free()
    accumulator.flush()
    cdef int64_t n_taken = accumulator.moments.count_taken()
    cdef int64_t n_seen = read_whole(seen, "n_seen", max(<int64_t>n_retained, n_taken))
    cdef int64_t learnt = read_whole(n, "detector", 0)
    if m2 < 0.0:
        raise InvalidInputError("detector", m2, "squares of 0 or more")
    accumulator.n_values = accumulator.n_taken = 0
    if n_retained > accumulator.capacity:
        accumulator.enlarge(n_retained)
    if n_retained:
        memcpy(accumulator.values, window.data.as_doubles, n_retained * sizeof(double))
        accumulator.n_values = accumulator.n_taken = n_retained
    accumulator.n_before = n_seen - n_retained
    accumulator.detector.n, accumulator.detector.mean, accumulator.detector.m2 = learnt, mean, m2
    accumulator.found = found
    accumulator.moments.running.candidates.lost = True
