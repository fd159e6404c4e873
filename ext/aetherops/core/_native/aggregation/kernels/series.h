/* From series to series. */

/* Sums of the n windows that begin at x, x + 1 ..., each from left to right. */
static void NAMED(window_sums)(const double *x, int64_t n, int64_t window, double *sums)
{
    int64_t i = 0;
    for (; i + PARTIALS <= n; i += PARTIALS) {
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
