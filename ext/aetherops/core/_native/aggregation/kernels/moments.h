/* The moments of blocks. */

/* What two passes over a block find, in partial sums and extremes. */
struct NAMED(partials) {
    VECTOR sum[REGISTERS], low[REGISTERS], high[REGISTERS]; /* the first: of the values */
    VECTOR rest[REGISTERS], squares[REGISTERS];             /* the second: of their distances */
};

static inline void NAMED(clear_partials)(struct NAMED(partials) *partials, double some_value)
{
    for (int r = 0; r < REGISTERS; r++) {
        partials->sum[r] = partials->rest[r] = partials->squares[r] = ALL(0.0);
        partials->low[r] = partials->high[r] = ALL(some_value);
    }
}

/* From the partials of the first pass to the centre of the second, and the extremes. */
static inline void NAMED(close_first)(
    const double *x, int64_t n, struct NAMED(partials) *partials, struct block *block)
{
    block->mean = block_centre(x, n, NAMED(total_of)(partials->sum));
    block->min = NAMED(smallest_of)(partials->low);
    block->max = NAMED(largest_of)(partials->high);
}

/* From the partials of the second pass to the moments. */
static inline void NAMED(close_second)(
    const double *x, int64_t n, struct NAMED(partials) *partials, struct block *block)
{
    if (fabs(block->mean) < INFINITY)
        correct_block(n, NAMED(total_of)(partials->rest), NAMED(total_of)(partials->squares), block);
    else
        hard_block(x, n, block);
}

/* The first pass over 64 values, in two registers. Returns whether one of them lies below
 * lowest or above highest.
 */
static inline __attribute__((always_inline)) int NAMED(survey)(
    const double *x, int r, VECTOR lowest, VECTOR highest, struct NAMED(partials) *partials)
{
    VECTOR low[2], high[2];
    for (int row = 0; row < WORD; row += PARTIALS)
        for (int i = 0; i < 2; i++) {
            VECTOR v = LOAD(x + row + (r + i) * WIDTH);
            KEEP(v);
            partials->sum[r + i] = ADDED(partials->sum[r + i], v);
            if (row == 0) {
                low[i] = high[i] = v;
                continue;
            }
            low[i] = VECTOR_MIN(v, low[i]);
            high[i] = VECTOR_MAX(v, high[i]);
        }
    for (int i = 0; i < 2; i++) {
        partials->low[r + i] = VECTOR_MIN(low[i], partials->low[r + i]);
        partials->high[r + i] = VECTOR_MAX(high[i], partials->high[r + i]);
    }
    return BEYOND_EITHER(
               VECTOR_MIN(low[0], low[1]), VECTOR_MAX(high[0], high[1]), lowest, highest) != 0;
}

/* The second pass over a row of 16 values, in one register. */
static inline __attribute__((always_inline)) void NAMED(measure)(
    const double *x, int r, VECTOR centre, struct NAMED(partials) *partials)
{
    VECTOR d = LOAD(x + r * WIDTH) - centre;
    partials->rest[r] = ADDED(partials->rest[r], d);
    partials->squares[r] += d * d;
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
    struct NAMED(partials) partials;
    NAMED(clear_partials)(&partials, following ? following[0] : 0.0);
#pragma GCC unroll 8
    for (int r = 0; r < REGISTERS; r += 2)
        for (int i = 0; i < BLOCK; i += WORD) {
            if (following)
                marked |= (unsigned)NAMED(survey)(following + i, r, lowest, highest, &partials)
                          << i / WORD;
            for (int row = i; x && row < i + WORD; row += PARTIALS) {
                NAMED(measure)(x + row, r, centre, &partials);
                NAMED(measure)(x + row, r + 1, centre, &partials);
            }
        }
    if (x)
        NAMED(close_second)(x, BLOCK, &partials, block);
    if (following) {
        NAMED(close_first)(following, BLOCK, &partials, next);
        *marks = (uint8_t)marked;
    }
}

/* Both passes over a block that is cut short. Partial sums that the last values do not reach take what
 * changes nothing.
 */
static void NAMED(part_of_block)(const double *x, int64_t n, struct block *block)
{
    struct NAMED(partials) partials;
    double tail[PARTIALS];
    int64_t i, whole = n - n % PARTIALS;
    NAMED(clear_partials)(&partials, x[0]);
    for (i = 0; i < whole; i += PARTIALS)
        for (int r = 0; r < REGISTERS; r++) {
            VECTOR v = LOAD(x + i + r * WIDTH);
            partials.sum[r] += v;
            partials.low[r] = VECTOR_MIN(v, partials.low[r]);
            partials.high[r] = VECTOR_MAX(v, partials.high[r]);
        }
    fill_tail(tail, x + whole, n - whole, 0.0);
    for (int r = 0; whole < n && r < REGISTERS; r++)
        partials.sum[r] += LOAD(tail + r * WIDTH);
    NAMED(close_first)(x, n, &partials, block);
    for (i = whole; i < n; i++) {
        block->min = LESSER(x[i], block->min);
        block->max = GREATER(x[i], block->max);
    }
    for (i = 0; i < whole; i += PARTIALS)
        for (int r = 0; r < REGISTERS; r++)
            NAMED(measure)(x + i, r, ALL(block->mean), &partials);
    fill_tail(tail, x + whole, n - whole, block->mean);
    for (int r = 0; whole < n && r < REGISTERS; r++)
        NAMED(measure)(tail, r, ALL(block->mean), &partials);
    NAMED(close_second)(x, n, &partials, block);
}

/* Moments of blocks of 512 values, of which the last may be shorter, read twice while they lie in the
 * first-level cache. For each whole block, marks get a bit for each of its eight runs of 64, set where a
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
