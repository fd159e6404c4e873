# Twin: aetherops/core/_pure/aggregation/accumulator.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""One pass over a stream: its moments, its buckets, and what lies far from the mean.

Strips are read once while they lie in the first-level cache: moments first, then each bucketing.
"""

from cpython cimport array
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.math cimport fabs, isfinite, sqrt
from libc.stdint cimport int64_t
from libc.string cimport memcpy

from array import array as make_array

from aetherops.core._native.aggregation.anomalies cimport (
    Judge, Suspects, convict, judge_all, new_judge, suffice,
)
from aetherops.core._native.aggregation.buckets cimport Bucketing, Buckets, take_bucketed
from aetherops.core._native.aggregation.floats cimport (
    OMIT, RAISE, FloatReader, NanPolicy, count_until_nan, nan_refused, read_nan_policy,
)
from aetherops.core._native.aggregation.kernels cimport ABREAST, BLOCK
from aetherops.core._native.aggregation.moments cimport (
    BlockMoments, MomentsState, take_values,
)

from aetherops.core._native.aggregation.anomalies import find_anomalies

from aetherops.errors import InvalidInputError

cdef enum:
    STRIP = 2048           # values worked on while they lie in the cache
    SMALL = 512            # fewer are first gathered
    LONG_INPUT = 8192      # above it the interpreter lock is released while values are read
    MAX_BUCKETINGS = 16

# Stands in for the deviation of values that are all the same.
cdef double LEAST_STD = 0.001


cdef struct Online:
    double threshold
    int64_t warmup
    int64_t n
    double mean
    double m2


cdef bint judge_next(Online *judge, double x) noexcept nogil:
    """Whether x lies far from the values before it; then Welford's step (1962) takes it in.

    Only numbers at a finite distance are learnt from.
    """
    cdef bint far = False
    cdef double std, d = x - judge.mean
    if judge.n >= judge.warmup:
        std = sqrt(judge.m2 / <double>(judge.n - 1))
        far = fabs(d) / (std if std != 0.0 else LEAST_STD) > judge.threshold
    if isfinite(d):
        judge.n += 1
        judge.mean += d / <double>judge.n
        judge.m2 += d * (x - judge.mean)
    return far


cdef Py_ssize_t length_of(object values) except -2:
    """Of a sequence; -1 of anything else."""
    return len(values) if hasattr(values, "__getitem__") else -1


cdef int judge_rest(const Judge *judge, FloatReader reader, Py_ssize_t start, Py_ssize_t n,
                    array.array indices) except -1:
    """Append the indices of the anomalous values among the last n, at most a block."""
    cdef int64_t[512] rest
    cdef double[512] values
    cdef Py_ssize_t i
    if reader.is_direct:
        return judge_all(judge, reader.data + start, n, start, indices)
    for i in range(n):
        rest[i] = start + i
    reader.read_some(rest, n, values)
    return judge_all(judge, values, n, start, indices)


cdef struct Stations:
    # What a strip passes through.
    MomentsState *moments
    Bucketing *bucketings[MAX_BUCKETINGS]
    int n_bucketings


cdef int64_t whole_rows(const Bucketing *bucketing, int64_t ready) noexcept nogil:
    """How many of the ready values end with eight whole buckets; the rest can wait for more."""
    cdef int64_t open_bucket = bucketing.factor - bucketing.filling.n if bucketing.filling.n else 0
    if ready < open_bucket:
        return ready
    return ready - (ready - open_bucket) % (bucketing.factor * ABREAST)


cdef void take_strips(Stations *stations, const double *x, int64_t n,
                      double *copy) noexcept nogil:
    cdef int64_t start = 0, count, ready
    cdef int64_t[MAX_BUCKETINGS] bucketed
    cdef int i
    for i in range(stations.n_bucketings):
        bucketed[i] = 0
    while start < n:
        count = min(<int64_t>STRIP, n - start)
        if copy != NULL:
            memcpy(copy + start, x + start, count * sizeof(double))
        take_values(stations.moments, x + start, count)
        for i in range(stations.n_bucketings):
            ready = start + count - bucketed[i]
            if start + count < n:
                ready = whole_rows(stations.bucketings[i], ready)
            take_bucketed(stations.bucketings[i], x + bucketed[i], ready)
            bucketed[i] += ready
        start += count


cdef class Accumulator:
    """What ``StreamingAggregator`` does a value at a time."""

    cdef BlockMoments moments
    cdef tuple buckets
    cdef Stations stations
    cdef NanPolicy policy
    cdef bint retains
    cdef bint is_online
    cdef Online judge
    cdef array.array found        # indices of what the judge found
    cdef int64_t n_before         # values that are no longer in the buffer

    # Gathered values, of which n_taken have been through; all of the window where it is retained.
    cdef double *values
    cdef Py_ssize_t capacity
    cdef Py_ssize_t n_values
    cdef Py_ssize_t n_taken
    cdef bint in_use              # by a thread that has released the interpreter lock

    def __init__(self, buckets, *, nan_policy, bint retains=False, suspect_beyond=None,
                 threshold=None, int64_t warmup=2):
        if len(buckets) > MAX_BUCKETINGS:
            raise InvalidInputError("factors", len(buckets), f"at most {MAX_BUCKETINGS}")
        self.policy = read_nan_policy(nan_policy)
        self.moments = BlockMoments(nan_policy=nan_policy)
        self.buckets = tuple(buckets)
        self.stations.moments = &self.moments.running
        self.stations.n_bucketings = len(self.buckets)
        for i in range(self.stations.n_bucketings):
            self.stations.bucketings[i] = &(<Buckets?>self.buckets[i]).running
        if suspect_beyond is not None and self.policy != OMIT:  # which moves the indices
            self.moments.running.suspects.threshold = suspect_beyond
        self.retains = retains
        self.is_online = threshold is not None
        if self.is_online:
            self.judge.threshold = threshold
            self.judge.warmup = max(2, warmup)
        self.forget()

    def __dealloc__(self):
        PyMem_Free(self.values)

    def reset(self):
        self.check_free()
        self.moments.reset()
        for buckets in self.buckets:
            buckets.reset()
        self.forget()

    cdef int forget(self) except -1:
        self.judge.n = 0
        self.judge.mean = self.judge.m2 = 0.0
        self.found = make_array("q")
        self.n_before = self.n_values = self.n_taken = 0
        return 0

    def push(self, double x):
        if self.in_use or self.n_values == self.capacity:
            self.make_room()
        if x != x and self.policy == RAISE:
            raise nan_refused("x")
        self.values[self.n_values] = x
        self.n_values += 1
        if self.is_online and judge_next(&self.judge, x):
            self.found.append(self.n_before + self.n_values - 1)
            return True
        return False

    def push_many(self, values):
        cdef FloatReader reader = FloatReader(values)
        cdef double[STRIP] strip
        cdef Py_ssize_t got, index = 0, n_found
        self.check_free()
        n_found = len(self.found)
        if reader.is_direct:
            self.feed(reader.data, reader.length, 0)
            return len(self.found) - n_found
        if reader.sequence is not None:
            self.expect(len(reader.sequence))
        while True:
            got = reader.read(strip, STRIP)
            if got == 0:
                return len(self.found) - n_found
            self.feed(strip, got, index)
            index += got

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
        if self.is_online:
            for i in range(accepted):
                if judge_next(&self.judge, x[i]):
                    self.found.append(self.n_before + self.n_values + i)
        if accepted:
            self.take_or_gather(x, accepted)
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
        """Send values through all stations."""
        self.moments.reserve()
        self.expect(n)
        if n < LONG_INPUT:
            take_strips(&self.stations, x, n, copy)
            return 0
        self.hold(True)
        with nogil:
            take_strips(&self.stations, x, n, copy)
        self.hold(False)
        return 0

    cdef int hold(self, bint in_use) except -1:
        """Keep other threads off this and its parts, or let them."""
        cdef Buckets buckets
        self.in_use = self.moments.in_use = in_use
        for buckets in self.buckets:
            buckets.in_use = in_use
        return 0

    def parts(self):
        self.check_free()
        self.flush()
        return self.moments, self.buckets

    @property
    def n_seen(self):
        return self.n_before + self.n_values

    def find_far(self, double mean, double std, double threshold, values=None):
        cdef FloatReader reader
        cdef Suspects *suspects = &self.moments.running.suspects
        cdef Judge judge = new_judge(mean, std, threshold, False)
        cdef array.array indices = make_array("q")
        self.check_free()
        if self.retains:
            judge_all(&judge, self.values, self.n_values, 0, indices)
        elif self.has_suspects(values) and suffice(suspects, &judge):
            reader = FloatReader(values)
            convict(suspects, &judge, reader, indices)
            judge_rest(
                &judge, reader, suspects.n_passed, self.n_seen - suspects.n_passed, indices
            )
        else:
            return find_anomalies(values, mean, std, threshold)
        return indices

    cdef bint has_suspects(self, object values) except -1:
        """Whether all values passed by where they could be suspected, but for the last block."""
        cdef Suspects *suspects = &self.moments.running.suspects
        if not suspects.threshold >= 0.0:
            return False
        self.flush()
        return (
            0 <= self.n_seen - suspects.n_passed < BLOCK and self.n_seen == length_of(values)
        )

    def take_found(self):
        self.check_free()
        found, self.found = self.found, make_array("q")
        return found

    def retained(self):
        cdef array.array window = make_array("d")
        self.check_free()
        if self.retains and self.n_values:
            array.resize(window, self.n_values)
            memcpy(window.data.as_doubles, self.values, self.n_values * sizeof(double))
        return window

    def state(self):
        self.check_free()
        self.flush()
        return (
            self.n_seen, self.retained(), (self.judge.n, self.judge.mean, self.judge.m2),
            self.found[:],
        )

    def restore(self, n_seen, retained, judge, found):
        cdef array.array window = make_array("d", retained)
        self.check_free()
        self.flush()
        self.n_values = self.n_taken = 0
        if self.retains and len(window):
            if len(window) > self.capacity:
                self.enlarge(len(window))
            memcpy(self.values, window.data.as_doubles, len(window) * sizeof(double))
            self.n_values = self.n_taken = len(window)
        self.n_before = n_seen - self.n_values
        self.judge.n, self.judge.mean, self.judge.m2 = judge
        self.found = make_array("q", found)
