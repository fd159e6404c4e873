/* The loops worth vectors, written once for vectors of WIDTH doubles.
 *
 * dispatch.h includes this file once for each instruction set, with WIDTH, SUFFIX and the few
 * operations that vector types lack defined. Sixteen lanes are worked in step whatever the width, so every instruction set gives the
 * same bits.
 */
#define REGISTERS (LANES / WIDTH)
#define VECTOR NAMED(vector)

typedef double VECTOR __attribute__((vector_size(8 * WIDTH)));
typedef double NAMED(unaligned) __attribute__((vector_size(8 * WIDTH), aligned(8), may_alias));
typedef long long NAMED(mask) __attribute__((vector_size(8 * WIDTH)));

#define LOAD(address) (*(const NAMED(unaligned) *)(address))
#define STORE(address, v) (*(NAMED(unaligned) *)(address) = (v))
#define ALL(value) ((value) - (VECTOR){0})

#ifndef VECTOR_MIN
static inline VECTOR NAMED(minimum)(VECTOR a, VECTOR b)
{
    NAMED(mask) less = a < b;
    return (VECTOR)(((NAMED(mask))a & less) | ((NAMED(mask))b & ~less));
}
static inline VECTOR NAMED(maximum)(VECTOR a, VECTOR b)
{
    NAMED(mask) more = a > b;
    return (VECTOR)(((NAMED(mask))a & more) | ((NAMED(mask))b & ~more));
}
static inline unsigned NAMED(beyond_either)(VECTOR a, VECTOR b, VECTOR low, VECTOR high)
{
    unsigned bits = 0;
    for (int l = 0; l < WIDTH; l++)
        bits |= (unsigned)((a[l] < low[l]) | (b[l] > high[l])) << l;
    return bits;
}
static inline unsigned NAMED(beyond)(VECTOR v, double limit)
{
    unsigned bits = 0;
    for (int l = 0; l < WIDTH; l++)
        bits |= (unsigned)!(fabs(v[l]) < limit) << l;
    return bits;
}
#define VECTOR_MIN NAMED(minimum)
#define VECTOR_MAX NAMED(maximum)
#define BEYOND_EITHER NAMED(beyond_either)
#define BEYOND NAMED(beyond)
#endif

#ifndef VECTOR_RINT
static inline VECTOR NAMED(nearest)(VECTOR v)
{
    for (int l = 0; l < WIDTH; l++)
        v[l] = rint(v[l]);
    return v;
}
#define VECTOR_RINT NAMED(nearest)
#endif

/* sum + v. 1 * v + sum has the same bits, and leaves the units that add to the comparisons. */
#ifdef VECTOR_FMA
#define ADDED(sum, v) VECTOR_FMA(ALL(1.0), v, sum)
/* Loaded once, though the compiler would fetch it for each use. */
#define KEEP(v) __asm__("" : "+v"(v))
#else
#define ADDED(sum, v) ((sum) + (v))
#define KEEP(v)
#endif

/* Lanes are combined in halves: 0 with 8, 1 with 9 ...; then 0 with 4 ...; the same at any width. */
#define DEFINE_REDUCTION(NAME, OF_VECTORS, OF_NUMBERS)                       \
    static inline double NAMED(NAME)(VECTOR * lanes)                         \
    {                                                                        \
        double last[WIDTH];                                                  \
        for (int half = REGISTERS / 2; half; half /= 2)                      \
            for (int r = 0; r < half; r++)                                   \
                lanes[r] = OF_VECTORS(lanes[r], lanes[r + half]);            \
        STORE(last, lanes[0]);                                               \
        for (int half = WIDTH / 2; half; half /= 2)                          \
            for (int l = 0; l < half; l++)                                   \
                last[l] = OF_NUMBERS(last[l], last[l + half]);               \
        return last[0];                                                      \
    }
DEFINE_REDUCTION(total_of, SUM, SUM)
DEFINE_REDUCTION(smallest_of, VECTOR_MIN, LESSER)
DEFINE_REDUCTION(largest_of, VECTOR_MAX, GREATER)

/* What two passes over a block find in each lane. */
struct NAMED(lanes) {
    VECTOR sum[REGISTERS], low[REGISTERS], high[REGISTERS]; /* the first: of the values */
    VECTOR rest[REGISTERS], squares[REGISTERS];             /* the second: of their distances */
};

static inline void NAMED(open_lanes)(struct NAMED(lanes) *lanes, double some_value)
{
    for (int r = 0; r < REGISTERS; r++) {
        lanes->sum[r] = lanes->rest[r] = lanes->squares[r] = ALL(0.0);
        lanes->low[r] = lanes->high[r] = ALL(some_value);
    }
}

static inline void NAMED(close_first)(
    const double *x, int64_t n, struct NAMED(lanes) *lanes, struct block *block)
{
    block->mean = block_centre(x, n, NAMED(total_of)(lanes->sum));
    block->min = NAMED(smallest_of)(lanes->low);
    block->max = NAMED(largest_of)(lanes->high);
}

static inline void NAMED(close_second)(
    const double *x, int64_t n, struct NAMED(lanes) *lanes, struct block *block)
{
    if (fabs(block->mean) < INFINITY)
        correct_block(n, NAMED(total_of)(lanes->rest), NAMED(total_of)(lanes->squares), block);
    else
        hard_block(x, n, block);
}

/* The first pass over a strip of 64 values, in two registers. Returns whether one of them lies below
 * lowest or above highest.
 */
static inline __attribute__((always_inline)) int NAMED(survey)(
    const double *x, int r, VECTOR lowest, VECTOR highest, struct NAMED(lanes) *lanes)
{
    VECTOR low[2], high[2];
    for (int row = 0; row < STRIP; row += LANES)
        for (int i = 0; i < 2; i++) {
            VECTOR v = LOAD(x + row + (r + i) * WIDTH);
            KEEP(v);
            lanes->sum[r + i] = ADDED(lanes->sum[r + i], v);
            if (row == 0) {
                low[i] = high[i] = v;
                continue;
            }
            low[i] = VECTOR_MIN(v, low[i]);
            high[i] = VECTOR_MAX(v, high[i]);
        }
    for (int i = 0; i < 2; i++) {
        lanes->low[r + i] = VECTOR_MIN(low[i], lanes->low[r + i]);
        lanes->high[r + i] = VECTOR_MAX(high[i], lanes->high[r + i]);
    }
    return BEYOND_EITHER(
               VECTOR_MIN(low[0], low[1]), VECTOR_MAX(high[0], high[1]), lowest, highest) != 0;
}

/* The second pass over a row of 16 values, in one register. */
static inline __attribute__((always_inline)) void NAMED(measure)(
    const double *x, int r, VECTOR centre, struct NAMED(lanes) *lanes)
{
    VECTOR d = LOAD(x + r * WIDTH) - centre;
    lanes->rest[r] = ADDED(lanes->rest[r], d);
    lanes->squares[r] += d * d;
}

/* The second pass over one whole block beside the first pass over the next: while one waits for
 * memory or for its sums, the other works. Either may be NULL. Registers are taken in pairs, or they
 * would run out.
 */
static inline __attribute__((always_inline)) void NAMED(finish_and_begin)(
    const double *x, struct block *block, const double *following, struct block *next, double low,
    double high, uint8_t *marks)
{
    const VECTOR lowest = ALL(low), highest = ALL(high), centre = ALL(x ? block->mean : 0.0);
    unsigned marked = 0;
    struct NAMED(lanes) lanes;
    NAMED(open_lanes)(&lanes, following ? following[0] : 0.0);
#pragma GCC unroll 8
    for (int r = 0; r < REGISTERS; r += 2)
        for (int i = 0; i < BLOCK; i += STRIP) {
            if (following)
                marked |= (unsigned)NAMED(survey)(following + i, r, lowest, highest, &lanes)
                          << i / STRIP;
            for (int row = i; x && row < i + STRIP; row += LANES) {
                NAMED(measure)(x + row, r, centre, &lanes);
                NAMED(measure)(x + row, r + 1, centre, &lanes);
            }
        }
    if (x)
        NAMED(close_second)(x, BLOCK, &lanes, block);
    if (following) {
        NAMED(close_first)(following, BLOCK, &lanes, next);
        *marks = (uint8_t)marked;
    }
}

/* Both passes over a block that is cut short. Lanes that the last values do not fill take what
 * changes nothing.
 */
static void NAMED(part_of_block)(const double *x, int64_t n, struct block *block)
{
    struct NAMED(lanes) lanes;
    double tail[LANES];
    int64_t i, whole = n - n % LANES;
    NAMED(open_lanes)(&lanes, x[0]);
    for (i = 0; i < whole; i += LANES)
        for (int r = 0; r < REGISTERS; r++) {
            VECTOR v = LOAD(x + i + r * WIDTH);
            lanes.sum[r] += v;
            lanes.low[r] = VECTOR_MIN(v, lanes.low[r]);
            lanes.high[r] = VECTOR_MAX(v, lanes.high[r]);
        }
    fill_tail(tail, x + whole, n - whole, 0.0);
    for (int r = 0; whole < n && r < REGISTERS; r++)
        lanes.sum[r] += LOAD(tail + r * WIDTH);
    NAMED(close_first)(x, n, &lanes, block);
    for (i = whole; i < n; i++) {
        block->min = LESSER(x[i], block->min);
        block->max = GREATER(x[i], block->max);
    }
    for (i = 0; i < whole; i += LANES)
        for (int r = 0; r < REGISTERS; r++)
            NAMED(measure)(x + i, r, ALL(block->mean), &lanes);
    fill_tail(tail, x + whole, n - whole, block->mean);
    for (int r = 0; whole < n && r < REGISTERS; r++)
        NAMED(measure)(tail, r, ALL(block->mean), &lanes);
    NAMED(close_second)(x, n, &lanes, block);
}

/* Moments of blocks of 512 values, of which the last may be shorter, read twice while they lie in the
 * first-level cache. For each whole block, marks get a bit for each of its eight strips, set where a
 * value lies below low or above high.
 *
 * The corrected two-pass algorithm (Chan, Golub and LeVeque, 1983): the first pass finds the mean up
 * to its rounding, the second the squares about it and what is missing from it, which corrects both.
 * The mean is kept as an unevaluated sum of two doubles.
 */
static void NAMED(block_moments)(
    const double *x, int64_t n, double low, double high, struct block *block, uint8_t *marks)
{
    if (n >= BLOCK) {
        NAMED(finish_and_begin)(NULL, NULL, x, block, low, high, marks);
        for (; n >= 2 * BLOCK; n -= BLOCK, x += BLOCK, block++)
            NAMED(finish_and_begin)(x, block, x + BLOCK, block + 1, low, high, ++marks);
        NAMED(finish_and_begin)(x, block, NULL, NULL, low, high, NULL);
        n -= BLOCK, x += BLOCK, block++;
    }
    if (n)
        NAMED(part_of_block)(x, n, block);
}

#if WIDTH <= 4 /* wider, shuffles and stores take more than the arithmetic saves */

/* Rows: row k holds the k-th value of each of WIDTH neighbouring buckets, p being in the first. */
static inline VECTOR NAMED(row)(const double *p, int64_t factor)
{
#if WIDTH == 4
    return (VECTOR){p[0], p[factor], p[2 * factor], p[3 * factor]};
#else
    return (VECTOR){p[0], p[factor]};
#endif
}

static inline void NAMED(two_rows)(const double *p, int64_t factor, VECTOR *row, VECTOR *next)
{
#ifdef TWO_ROWS
    TWO_ROWS(p, factor, row, next);
#else
    *row = NAMED(row)(p, factor);
    *next = NAMED(row)(p + 1, factor);
#endif
}

#define ROW_VECTORS (ABREAST / WIDTH)

/* Sums of eight neighbouring buckets, each from left to right. Eight hide the latency. */
static inline __attribute__((always_inline)) void NAMED(sums_abreast)(
    const double *x, int64_t factor, VECTOR *sum)
{
    VECTOR row, next;
    int64_t k = 0;
    for (int r = 0; r < ROW_VECTORS; r++)
        sum[r] = ALL(0.0);
    for (; k + 2 <= factor; k += 2)
        for (int r = 0; r < ROW_VECTORS; r++) {
            NAMED(two_rows)(x + r * WIDTH * factor + k, factor, &row, &next);
            sum[r] += row;
            sum[r] += next;
        }
    for (int r = 0; k < factor && r < ROW_VECTORS; r++)
        sum[r] += NAMED(row)(x + r * WIDTH * factor + k, factor);
}

/* Extremes of consecutive buckets without NaN. */
static void NAMED(bucket_extremes)(
    const double *x, int64_t n_buckets, int64_t factor, double *lowest, double *highest)
{
    int64_t b = 0;
    for (; b + ABREAST <= n_buckets; b += ABREAST) {
        VECTOR low[ROW_VECTORS], high[ROW_VECTORS], row, next;
        int64_t k = 0;
        for (int r = 0; r < ROW_VECTORS; r++) {
            low[r] = ALL(INFINITY);
            high[r] = ALL(-INFINITY);
        }
        for (; k + 2 <= factor; k += 2)
            for (int r = 0; r < ROW_VECTORS; r++) {
                NAMED(two_rows)(x + (b + r * WIDTH) * factor + k, factor, &row, &next);
                low[r] = VECTOR_MIN(next, VECTOR_MIN(row, low[r]));
                high[r] = VECTOR_MAX(next, VECTOR_MAX(row, high[r]));
            }
        for (int r = 0; r < ROW_VECTORS; r++) {
            if (k < factor) {
                row = NAMED(row)(x + (b + r * WIDTH) * factor + k, factor);
                low[r] = VECTOR_MIN(row, low[r]);
                high[r] = VECTOR_MAX(row, high[r]);
            }
            STORE(lowest + b + r * WIDTH, low[r] + 0.0);
            STORE(highest + b + r * WIDTH, high[r] + 0.0);
        }
    }
    for (; b < n_buckets; b++) {
        double low = INFINITY, high = -INFINITY;
        for (int64_t k = 0; k < factor; k++) {
            double v = x[b * factor + k];
            low = LESSER(v, low);
            high = GREATER(v, high);
        }
        lowest[b] = low + 0.0;
        highest[b] = high + 0.0;
    }
}

/* Medians of eight consecutive buckets at once, without NaN, by a sorting network (Batcher, 1968).
 *
 * Each comparator orders two rows. The network was pruned to the comparators that the middle rows
 * depend on. rows has room for factor * ABREAST doubles.
 */
static void NAMED(bucket_medians)(const double *x, int64_t factor, const struct comparator *network,
                                  int64_t n_comparators, double *rows, double *medians)
{
    for (int r = 0; r < ABREAST; r += WIDTH) {
        int64_t k = 0;
        for (; k + 2 <= factor; k += 2) {
            VECTOR row, next;
            NAMED(two_rows)(x + r * factor + k, factor, &row, &next);
            STORE(rows + k * ABREAST + r, row);
            STORE(rows + (k + 1) * ABREAST + r, next);
        }
        if (k < factor)
            STORE(rows + k * ABREAST + r, NAMED(row)(x + r * factor + k, factor));
    }
    for (int64_t c = 0; c < n_comparators; c++) {
        double *low = rows + network[c].low * ABREAST, *high = rows + network[c].high * ABREAST;
        for (int r = 0; r < ABREAST; r += WIDTH) {
            VECTOR a = LOAD(low + r), b = LOAD(high + r);
            STORE(low + r, VECTOR_MIN(a, b));
            STORE(high + r, VECTOR_MAX(a, b));
        }
    }
    const double *high = rows + factor / 2 * ABREAST;
    const double *low = factor % 2 ? high : high - ABREAST;
    for (int j = 0; j < ABREAST; j++)
        medians[j] = (factor % 2 ? high[j] : (low[j] + high[j]) / 2.0) + 0.0;
}

#define ROW_KERNEL(name) NAMED(name)
#undef ROW_VECTORS
#else
#define ROW_KERNEL(name) name##_avx2

static inline __attribute__((always_inline)) void NAMED(sums_abreast)(
    const double *x, int64_t factor, VECTOR *sum)
{
    vector_avx2 halves[2];
    sums_abreast_avx2(x, factor, halves);
    *sum = _mm512_insertf64x4(_mm512_castpd256_pd512(halves[0]), halves[1], 1);
}
#endif

static inline double NAMED(rounded)(double x, double scale)
{
    return scale == 0.0 ? x : round_decimal(x, scale);
}

/* Means of consecutive buckets, each summed from left to right, then rounded as Python's round does;
 * scale 0 leaves them as they are. Returns whether one of them is NaN.
 *
 * The quotients of eight buckets are divided and rounded while the next eight are summed.
 */
static int NAMED(bucket_means)(
    const double *x, int64_t n_buckets, int64_t factor, double scale, double *means)
{
    int nan = 0;
    int64_t b = 0;
    for (; b + ABREAST <= n_buckets; b += ABREAST) {
        VECTOR sums[ABREAST / WIDTH];
        NAMED(sums_abreast)(x + b * factor, factor, sums);
        for (int r = 0; r < ABREAST / WIDTH; r++) {
            double *out = means + b + r * WIDTH;
            const VECTOR mean = sums[r] / (double)factor, y = mean * scale, nearest = VECTOR_RINT(y);
            STORE(out, scale == 0.0 ? mean : nearest / scale);
            if (__builtin_expect(BEYOND(y - nearest, 0.5) | BEYOND(y, 0x1p53), 0))
                for (int l = 0; l < WIDTH; l++) {
                    out[l] = NAMED(rounded)(mean[l], scale);
                    nan |= out[l] != out[l];
                }
        }
    }
    for (; b < n_buckets; b++) {
        double sum = 0.0;
        for (int64_t k = 0; k < factor; k++)
            sum += x[b * factor + k];
        means[b] = NAMED(rounded)(sum / (double)factor, scale);
        nan |= means[b] != means[b];
    }
    return nan;
}

/* Divide, then round each as Python's round does; scale 0 leaves the quotients as they are. */
static void NAMED(round_quotients)(double *x, int64_t n, double divisor, double scale)
{
    if (divisor != 1.0)
        for (int64_t i = 0; i < n; i++)
            x[i] /= divisor;
    if (scale == 0.0)
        return;
    for (int64_t start = 0; start < n; start += STRIP) {
        const int64_t count = n - start < STRIP ? n - start : STRIP;
        double *part = x + start, rounded[STRIP];
        int64_t ties = 0;
        for (int64_t i = 0; i < count; i++) {
            double y = part[i] * scale, r = rint(y);
            ties += fabs(y - r) == 0.5;
            rounded[i] = fabs(y) < 9007199254740992.0 ? r / scale : part[i];
        }
        if (ties)
            for (int64_t i = 0; i < count; i++)
                rounded[i] = round_decimal(part[i], scale);
        memcpy(part, rounded, (size_t)count * sizeof *part);
    }
}

static int NAMED(has_nan)(const double *x, int64_t n)
{
    int64_t found = 0;
    for (int64_t i = 0; i < n; i++)
        found |= x[i] != x[i];
    return found != 0;
}

/* A bit for each of 64 values, set where it lies below low or above high; NaN is neither. */
static uint64_t NAMED(outside)(const double *x, double low, double high)
{
    const VECTOR lowest = ALL(low), highest = ALL(high);
    uint64_t word = 0;
    for (int j = 0; j < STRIP; j += WIDTH) {
        const VECTOR v = LOAD(x + j);
        word |= (uint64_t)BEYOND_EITHER(v, v, lowest, highest) << j;
    }
    return word;
}

/* Indices (plus base) of the values below low or above high. At most n are written. */
static int64_t NAMED(find_outside)(
    const double *x, int64_t n, double low, double high, int64_t base, int64_t *indices)
{
    int64_t i = 0, found = 0;
    for (; i + STRIP <= n; i += STRIP)
        for (uint64_t word = NAMED(outside)(x + i, low, high); word; word &= word - 1)
            indices[found++] = base + i + __builtin_ctzll(word);
    for (; i < n; i++) {
        indices[found] = base + i;
        found += (x[i] < low) | (x[i] > high);
    }
    return found;
}

/* Smallest and largest of n values, NaN passed over; infinities of the wrong sign where there is none. */
static void NAMED(extremes)(const double *x, int64_t n, double *lowest, double *highest)
{
    VECTOR low[REGISTERS], high[REGISTERS];
    int64_t i = 0;
    for (int r = 0; r < REGISTERS; r++) {
        low[r] = ALL(INFINITY);
        high[r] = ALL(-INFINITY);
    }
    for (; i + LANES <= n; i += LANES)
        for (int r = 0; r < REGISTERS; r++) {
            VECTOR v = LOAD(x + i + r * WIDTH);
            low[r] = VECTOR_MIN(v, low[r]);
            high[r] = VECTOR_MAX(v, high[r]);
        }
    *lowest = NAMED(smallest_of)(low);
    *highest = NAMED(largest_of)(high);
    for (; i < n; i++) {
        *lowest = LESSER(x[i], *lowest);
        *highest = GREATER(x[i], *highest);
    }
}

/* Sums of the n windows that begin at x, x + 1 ..., each from left to right. */
static void NAMED(window_sums)(const double *x, int64_t n, int64_t window, double *sums)
{
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        VECTOR sum[REGISTERS];
        for (int r = 0; r < REGISTERS; r++)
            sum[r] = ALL(0.0);
        for (int64_t k = 0; k < window; k++)
            for (int r = 0; r < REGISTERS; r++)
                sum[r] += LOAD(x + i + k + r * WIDTH);
        for (int r = 0; r < REGISTERS; r++)
            STORE(sums + i + r * WIDTH, sum[r]);
    }
    for (; i < n; i++) {
        double sum = 0.0;
        for (int64_t k = 0; k < window; k++)
            sum += x[i + k];
        sums[i] = sum;
    }
}

/* Adds a[i] * b[i + l] to sums[l] for i from 0 to n and the sixteen lags l from 0, i by i. */
static void NAMED(add_products)(const double *a, const double *b, int64_t n, double *sums)
{
    VECTOR sum[REGISTERS];
    for (int r = 0; r < REGISTERS; r++)
        sum[r] = LOAD(sums + r * WIDTH);
    for (int64_t i = 0; i < n; i++) {
        const VECTOR factor = ALL(a[i]);
        for (int r = 0; r < REGISTERS; r++)
            sum[r] += factor * LOAD(b + i + r * WIDTH);
    }
    for (int r = 0; r < REGISTERS; r++)
        STORE(sums + r * WIDTH, sum[r]);
}

static const struct kernels NAMED(kernels) = {
    NAMED(block_moments),
    NAMED(bucket_means),
    ROW_KERNEL(bucket_extremes),
    ROW_KERNEL(bucket_medians),
    NAMED(round_quotients),
    NAMED(has_nan),
    NAMED(outside),
    NAMED(find_outside),
    NAMED(extremes),
    NAMED(window_sums),
    NAMED(add_products),
};

#undef REGISTERS
#undef VECTOR
#undef LOAD
#undef STORE
#undef ALL
#undef DEFINE_REDUCTION
#undef VECTOR_MIN
#undef VECTOR_MAX
#undef BEYOND_EITHER
#undef BEYOND
#undef VECTOR_RINT
#undef VECTOR_FMA
#undef ADDED
#undef KEEP
#undef TWO_ROWS
#undef ROW_KERNEL
#undef WIDTH
#undef SUFFIX
