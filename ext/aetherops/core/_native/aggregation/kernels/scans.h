/* Questions to every value: NaN, outliers, extremes. */

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
    for (int j = 0; j < WORD; j += WIDTH) {
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
    for (; i + WORD <= n; i += WORD)
        for (uint64_t word = NAMED(outside)(x + i, low, high); word; word &= word - 1)
            indices[found++] = base + i + __builtin_ctzll(word);
    for (; i < n; i++) {
        indices[found] = base + i;
        found += (x[i] < low) | (x[i] > high);
    }
    return found;
}

/* The first index of a value that is there; the last where somebody has changed it since. */
static int64_t NAMED(index_of)(const double *x, int64_t n, double wanted)
{
    const VECTOR sought = ALL(wanted);
    int64_t i = 0;
    for (; i + PARTIALS <= n; i += PARTIALS) {
        NAMED(mask) equal = {0};
        long long found = 0;
        for (int r = 0; r < REGISTERS; r++)
            equal |= LOAD(x + i + r * WIDTH) == sought;
        for (int l = 0; l < WIDTH; l++)
            found |= equal[l];
        if (found)
            break;
    }
    while (i < n - 1 && x[i] != wanted)
        i++;
    return i;
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
    for (; i + PARTIALS <= n; i += PARTIALS)
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
