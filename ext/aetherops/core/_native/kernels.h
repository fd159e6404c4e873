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
static inline unsigned NAMED(outside)(VECTOR v, VECTOR low, VECTOR high)
{
    unsigned bits = 0;
    for (int l = 0; l < WIDTH; l++)
        bits |= (unsigned)((v[l] < low[l]) | (v[l] > high[l])) << l;
    return bits;
}
#define VECTOR_MIN NAMED(minimum)
#define VECTOR_MAX NAMED(maximum)
#define OUTSIDE NAMED(outside)
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

/* The first pass over n values, a multiple of 16: their sum and their extremes, lane by lane. */
static inline __attribute__((always_inline)) void NAMED(survey)(
    const double *x, int64_t n, VECTOR *sum, VECTOR *low, VECTOR *high)
{
    for (int64_t i = 0; i < n; i += LANES)
        for (int r = 0; r < REGISTERS; r++) {
            VECTOR v = LOAD(x + i + r * WIDTH);
            sum[r] += v;
            low[r] = VECTOR_MIN(v, low[r]);
            high[r] = VECTOR_MAX(v, high[r]);
        }
}

/* The second pass: the distances from the centre and their squares, lane by lane. */
static inline __attribute__((always_inline)) void NAMED(measure)(
    const double *x, int64_t n, double centre, VECTOR *rest, VECTOR *squares)
{
    const VECTOR mean = ALL(centre);
    for (int64_t i = 0; i < n; i += LANES)
        for (int r = 0; r < REGISTERS; r++) {
            VECTOR d = LOAD(x + i + r * WIDTH) - mean;
            rest[r] += d;
            squares[r] += d * d;
        }
}

/* Where the second pass over a block has its centre, and the extremes.
 *
 * A tail of fewer than 16 values is filled up with values that change nothing.
 */
static void NAMED(begin_block)(const double *x, int64_t n, struct block *block)
{
    const int64_t n_tail = n % LANES, whole = n - n_tail;
    double tail[LANES];
    VECTOR sum[REGISTERS], low[REGISTERS], high[REGISTERS];
    for (int r = 0; r < REGISTERS; r++) {
        sum[r] = ALL(0.0);
        low[r] = high[r] = ALL(x[0]);
    }
    NAMED(survey)(x, whole, sum, low, high);
    if (n_tail) {
        fill_tail(tail, x + whole, n_tail, 0.0);
        for (int r = 0; r < REGISTERS; r++)
            sum[r] += LOAD(tail + r * WIDTH);
    }
    block->mean = block_centre(x, n, NAMED(total_of)(sum));
    block->min = NAMED(smallest_of)(low);
    block->max = NAMED(largest_of)(high);
    for (int64_t i = whole; i < n; i++) {
        block->min = LESSER(x[i], block->min);
        block->max = GREATER(x[i], block->max);
    }
}

static void NAMED(finish_block)(const double *x, int64_t n, struct block *block)
{
    const int64_t n_tail = n % LANES, whole = n - n_tail;
    const double centre = block->mean;
    double tail[LANES];
    VECTOR rest[REGISTERS], squares[REGISTERS];
    if (!(fabs(centre) < INFINITY)) {
        hard_block(x, n, block);
        return;
    }
    for (int r = 0; r < REGISTERS; r++)
        rest[r] = squares[r] = ALL(0.0);
    NAMED(measure)(x, whole, centre, rest, squares);
    if (n_tail) {
        fill_tail(tail, x + whole, n_tail, centre);
        NAMED(measure)(tail, LANES, centre, rest, squares);
    }
    correct_block(n, centre, NAMED(total_of)(rest), NAMED(total_of)(squares), block);
}

/* Moments of up to GROUP blocks of 512 values, of which the last may be shorter, read twice while
 * they lie in the first-level cache.
 *
 * The corrected two-pass algorithm (Chan, Golub and LeVeque, 1983): the first pass finds the mean up
 * to its rounding, the second the squares about it and what is missing from it, which corrects both.
 * The mean is kept as an unevaluated sum of two doubles. One block's lanes are combined while the
 * next one's values pass.
 */
static void NAMED(block_moments)(const double *x, int64_t n, struct block *blocks)
{
    for (int64_t start = 0; start < n; start += BLOCK)
        NAMED(begin_block)(x + start, LESSER(n - start, BLOCK), blocks + start / BLOCK);
    for (int64_t start = 0; start < n; start += BLOCK)
        NAMED(finish_block)(x + start, LESSER(n - start, BLOCK), blocks + start / BLOCK);
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

/* Sums of consecutive buckets, each from left to right. Eight abreast hide the latency. */
static void NAMED(bucket_sums)(const double *x, int64_t n_buckets, int64_t factor, double *sums)
{
    int64_t b = 0;
    for (; b + ABREAST <= n_buckets; b += ABREAST) {
        VECTOR sum[ROW_VECTORS], row, next;
        int64_t k = 0;
        for (int r = 0; r < ROW_VECTORS; r++)
            sum[r] = ALL(0.0);
        for (; k + 2 <= factor; k += 2)
            for (int r = 0; r < ROW_VECTORS; r++) {
                NAMED(two_rows)(x + (b + r * WIDTH) * factor + k, factor, &row, &next);
                sum[r] += row;
                sum[r] += next;
            }
        for (int r = 0; r < ROW_VECTORS; r++) {
            if (k < factor)
                sum[r] += NAMED(row)(x + (b + r * WIDTH) * factor + k, factor);
            STORE(sums + b + r * WIDTH, sum[r]);
        }
    }
    for (; b < n_buckets; b++) {
        double sum = 0.0;
        for (int64_t k = 0; k < factor; k++)
            sum += x[b * factor + k];
        sums[b] = sum;
    }
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
#endif

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

/* A bit for each of at most 64 values, set where it lies below low or above high; NaN is neither. */
static inline uint64_t NAMED(outside_word)(const double *x, int64_t n, double low, double high)
{
    const VECTOR lowest = ALL(low), highest = ALL(high);
    uint64_t word = 0;
    if (n >= STRIP) {
        for (int j = 0; j < STRIP; j += WIDTH)
            word |= (uint64_t)OUTSIDE(LOAD(x + j), lowest, highest) << j;
        return word;
    }
    for (int64_t i = 0; i < n; i++)
        word |= (uint64_t)((x[i] < low) | (x[i] > high)) << i;
    return word;
}

static void NAMED(mark_outside)(
    const double *x, int64_t n, double low, double high, uint64_t *words)
{
    for (int64_t i = 0; i < n; i += STRIP)
        words[i / STRIP] = NAMED(outside_word)(x + i, n - i, low, high);
}

/* Indices (plus base) of the values below low or above high. At most n are written. */
static int64_t NAMED(find_outside)(
    const double *x, int64_t n, double low, double high, int64_t base, int64_t *indices)
{
    int64_t found = 0;
    for (int64_t i = 0; i < n; i += STRIP)
        for (uint64_t word = NAMED(outside_word)(x + i, n - i, low, high); word; word &= word - 1)
            indices[found++] = base + i + __builtin_ctzll(word);
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
    ROW_KERNEL(bucket_sums),
    ROW_KERNEL(bucket_extremes),
    ROW_KERNEL(bucket_medians),
    NAMED(round_quotients),
    NAMED(has_nan),
    NAMED(mark_outside),
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
#undef OUTSIDE
#undef TWO_ROWS
#undef ROW_KERNEL
#undef WIDTH
#undef SUFFIX
