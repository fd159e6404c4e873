# Twin: aetherops/core/_pure/accumulator.py. Same statements, same order: change both or neither.
"""One pass over a stream: its moments, its buckets, and what lies far from the mean.

Strips are read once while they lie in the first-level cache: moments first, then each bucketing.
"""

from cpython cimport array
from cpython.mem cimport PyMem_Free, PyMem_RawFree, PyMem_RawRealloc, PyMem_Realloc
from libc.math cimport INFINITY, NAN, fabs, isfinite, sqrt
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy

from array import array as make_array

from aetherops.core._native.anomalies cimport Judge, append_indices, judge_all, new_judge
from aetherops.core._native.buckets cimport Bucketing, Buckets, take_bucketed
from aetherops.core._native.floats cimport (
    RAISE, FloatReader, NanPolicy, count_until_nan, nan_refused, read_nan_policy,
)
from aetherops.core._native.kernels cimport ABREAST, selected
from aetherops.core._native.moments cimport (
    BlockMoments, MomentsState, Totals, take_values, totals_of,
)

from aetherops.core._native.anomalies import find_anomalies

from aetherops.errors import InvalidInputError

cdef extern from *:
    int trailing_zeros "__builtin_ctzll"(uint64_t word) noexcept nogil
    void prefetch "__builtin_prefetch"(const void *address) noexcept nogil

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


cdef struct Suspects:
    # A bit for each value that was not surely near the mean when it passed. The final cut-offs
    # decide about these alone.
    double threshold     # NaN where nothing is suspected
    uint64_t *words
    int64_t n            # values marked so far
    int64_t capacity     # words
    double low           # the widest limits that were used
    double high
    bint lost            # limits could not be told, or memory: every value must be read again


cdef void suspect(Suspects *suspects, const MomentsState *moments, const double *x, int64_t n,
                  int64_t base) noexcept nogil:
    """Mark which of at most STRIP values lie beyond nine tenths of the threshold so far."""
    cdef Totals so_far = moments.folded if moments.folded.count else totals_of(moments)
    cdef double reach = suspects.threshold * sqrt(so_far.m2 / <double>so_far.count) * 0.9
    cdef double low = so_far.mean - reach, high = so_far.mean + reach
    cdef int64_t first = base // 64, needed = (base + n + 63) // 64
    cdef uint64_t *wider
    if base % 64 or base != suspects.n or not isfinite(reach) or not isfinite(so_far.mean):
        suspects.lost = True
    if not suspects.lost and needed > suspects.capacity:
        suspects.capacity = needed + needed // 4
        wider = <uint64_t *>PyMem_RawRealloc(
            suspects.words, suspects.capacity * sizeof(uint64_t)
        )
        if wider == NULL:
            suspects.lost = True
        else:
            suspects.words = wider
    if suspects.lost:
        return
    suspects.low = min(suspects.low, low)
    suspects.high = max(suspects.high, high)
    selected().mark_outside(x, n, low, high, suspects.words + first)
    suspects.n = base + n


cdef bint covers(const Judge *judge, const Suspects *suspects) noexcept nogil:
    """Whether all that the cut-offs can convict was marked."""
    return judge.low <= suspects.low and suspects.high <= judge.high


cdef int confirm(const Suspects *suspects, const Judge *judge, object values,
                 array.array indices) except -1:
    """Append which suspects the final cut-offs convict."""
    cdef FloatReader reader = FloatReader(values)
    cdef int64_t[512] group
    cdef int64_t at, n_words = (suspects.n + 63) // 64
    cdef uint64_t word
    cdef int n = 0
    for at in range(n_words):
        word = suspects.words[at]
        while word:
            group[n] = at * 64 + trailing_zeros(word)
            if reader.is_direct:
                prefetch(reader.data + group[n])  # each lies in a cache line of its own
            n += 1
            word &= word - 1
        if n > 512 - 64 or at == n_words - 1:
            append_indices(indices, group, convict(judge, reader, group, n))
            n = 0
    return 0


cdef int convict(const Judge *judge, FloatReader reader, int64_t *group, int n) except -1:
    """Keep those of a group that lie beyond the cut-offs, at its front; how many."""
    cdef int i, found = 0
    cdef double x
    for i in range(n):
        x = reader.value_at(group[i])
        group[found] = group[i]
        found += x < judge.low or x > judge.high
    return found


cdef Py_ssize_t length_of(object values) except -2:
    """Of a sequence; -1 of anything else."""
    return len(values) if hasattr(values, "__getitem__") else -1


cdef struct Stations:
    # What a strip passes through.
    MomentsState *moments
    Bucketing *bucketings[MAX_BUCKETINGS]
    int n_bucketings
    Suspects suspects


cdef int64_t whole_rows(const Bucketing *bucketing, int64_t ready) noexcept nogil:
    """How many of the ready values end with eight whole buckets; the rest can wait for more."""
    cdef int64_t open_bucket = bucketing.factor - bucketing.filling.n if bucketing.filling.n else 0
    if ready < open_bucket:
        return ready
    return ready - (ready - open_bucket) % (bucketing.factor * ABREAST)


cdef void take_strips(Stations *stations, const double *x, int64_t n, int64_t base,
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
        if stations.suspects.threshold >= 0.0:
            suspect(&stations.suspects, stations.moments, x + start, count, base + start)
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
        self.stations.suspects.threshold = NAN if suspect_beyond is None else suspect_beyond
        self.retains = retains
        self.is_online = threshold is not None
        if self.is_online:
            self.judge.threshold = threshold
            self.judge.warmup = max(2, warmup)
        self.forget()

    def __dealloc__(self):
        PyMem_Free(self.values)
        PyMem_RawFree(self.stations.suspects.words)

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
        self.forget_suspects()
        return 0

    cdef void forget_suspects(self) noexcept:
        cdef Suspects *suspects = &self.stations.suspects
        PyMem_RawFree(suspects.words)
        suspects.words = NULL
        suspects.n = suspects.capacity = 0
        suspects.low = INFINITY
        suspects.high = -INFINITY
        suspects.lost = False

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
            self.take(x, n, self.n_values, self.values + self.n_values)
            self.n_values += n
            self.n_taken = self.n_values
        elif n <= self.capacity - self.n_values:
            memcpy(self.values + self.n_values, x, n * sizeof(double))
            self.n_values += n
        else:
            self.flush()
            self.take(x, n, self.n_before, NULL)
            self.n_before += n
        return 0

    cdef int flush(self) except -1:
        """Let what was gathered through."""
        if self.n_taken < self.n_values:
            self.take(self.values + self.n_taken, self.n_values - self.n_taken,
                      self.n_before + self.n_taken, NULL)
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

    cdef int take(self, const double *x, Py_ssize_t n, int64_t base, double *copy) except -1:
        """Send values, the first of which has index base, through all stations."""
        self.moments.reserve()
        self.expect(n)
        if n < LONG_INPUT:
            take_strips(&self.stations, x, n, base, copy)
            return 0
        self.hold(True)
        with nogil:
            take_strips(&self.stations, x, n, base, copy)
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
        cdef Judge judge
        cdef array.array indices
        self.check_free()
        if not self.retains and not self.has_suspects(values):
            return find_anomalies(values, mean, std, threshold)
        judge = new_judge(mean, std, threshold, False)
        indices = make_array("q")
        if self.retains:
            judge_all(&judge, self.values, self.n_values, 0, indices)
        elif judge.by_cutoffs and covers(&judge, &self.stations.suspects):
            confirm(&self.stations.suspects, &judge, values, indices)
            self.forget_suspects()
        else:
            return find_anomalies(values, mean, std, threshold)
        return indices

    cdef bint has_suspects(self, object values) except -1:
        """Whether marks were kept of all values, and the values can be asked for one by one."""
        cdef Suspects *suspects = &self.stations.suspects
        if not suspects.threshold >= 0.0:
            return False
        self.flush()
        return not suspects.lost and suspects.n == self.n_seen == length_of(values)

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
