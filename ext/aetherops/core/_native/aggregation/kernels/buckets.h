/* Runs of a fixed number of consecutive values, eight abreast, each reduced to one value. */

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
        medians[j] = (factor % 2 ? high[j] : halfway(low[j], high[j])) + 0.0;
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

/* Rounds as Python's round does; scale 0 leaves the number as it is. */
static inline double NAMED(rounded)(double x, double scale)
{
    return scale == 0.0 ? x : round_decimal(x, scale);
}

/* Rounds a vector into out. Returns whether one of its numbers is NaN.
 *
 * Ties, numbers too large to have decimals, infinities and NaN are left to the scalar function.
 */
static inline __attribute__((always_inline)) int NAMED(put_rounded)(
    VECTOR v, double scale, double *out)
{
    const VECTOR y = v * scale, nearest = VECTOR_RINT(y);
    int nan = 0;
    STORE(out, scale == 0.0 ? v : nearest / scale);
    if (__builtin_expect(BEYOND(y - nearest, 0.5) | BEYOND(y, 0x1p53), 0))
        for (int l = 0; l < WIDTH; l++) {
            out[l] = NAMED(rounded)(v[l], scale);
            nan |= out[l] != out[l];
        }
    return nan;
}

/* Means of consecutive buckets, each summed from left to right, then rounded. Returns whether one
 * of them is NaN.
 *
 * The quotients of eight buckets are divided and rounded while the next eight are summed.
 */
static int NAMED(bucket_means)(
    const double *x, int64_t n_buckets, int64_t factor, double scale, double *means)
{
    const double divisor = (double)factor;
    int nan = 0;
    int64_t b = 0;
    for (; b + ABREAST <= n_buckets; b += ABREAST) {
        VECTOR sums[ABREAST / WIDTH];
        NAMED(sums_abreast)(x + b * factor, factor, sums);
        for (int r = 0; r < ABREAST / WIDTH; r++)
            nan |= NAMED(put_rounded)(sums[r] / divisor, scale, means + b + r * WIDTH);
    }
    for (; b < n_buckets; b++) {
        double sum = 0.0;
        for (int64_t k = 0; k < factor; k++)
            sum += x[b * factor + k];
        means[b] = NAMED(rounded)(sum / divisor, scale);
        nan |= means[b] != means[b];
    }
    return nan;
}

/* Divide, then round each. */
static void NAMED(round_quotients)(double *x, int64_t n, double divisor, double scale)
{
    int64_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        VECTOR v = LOAD(x + i);
        if (divisor != 1.0)
            v /= divisor;
        NAMED(put_rounded)(v, scale, x + i);
    }
    for (; i < n; i++)
        x[i] = NAMED(rounded)(x[i] / divisor, scale);
}
