/* What every instruction set shares: the types, exact decimal rounding, anomaly cut-offs, medians.
 *
 * Compile with -ffp-contract=off and never with -ffast-math: the order of operations is a contract
 * (docs/numerics.md), and the pure twins repeat it bit for bit.
 */
#ifndef AETHEROPS_NUMBERS_H
#define AETHEROPS_NUMBERS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

enum {
    PARTIALS = 16, /* partial sums worked in step */
    BLOCK = 512,   /* values whose moments are taken together */
    GROUP = 4,     /* blocks whose passes overlap */
    ABREAST = 8,   /* buckets reduced in step */
    WORD = 64      /* values whose marks fill a word of bits */
};

struct block {
    double mean, mean_low, m2, min, max;
};

struct comparator {
    int32_t low, high;
};

struct kernels {
    void (*block_moments)(const double *, int64_t, double, double, struct block *, uint8_t *);
    int (*bucket_means)(const double *, int64_t, int64_t, double, double *);
    void (*bucket_extremes)(const double *, int64_t, int64_t, double *, double *);
    void (*bucket_medians)(
        const double *, int64_t, const struct comparator *, int64_t, double *, double *);
    void (*round_quotients)(double *, int64_t, double, double);
    int (*has_nan)(const double *, int64_t);
    uint64_t (*outside)(const double *, double, double);
    int64_t (*find_outside)(const double *, int64_t, double, double, int64_t, int64_t *);
    int64_t (*index_of)(const double *, int64_t, double);
    void (*extremes)(const double *, int64_t, double *, double *);
    void (*window_sums)(const double *, int64_t, int64_t, double *);
    void (*add_products)(const double *, const double *, int64_t, double *);
};

/* a + b as the rounded sum and what the rounding lost (Knuth). */
static inline void two_sum(double a, double b, double *sum, double *lost)
{
    double s = a + b, z = s - a;
    *lost = (a - (s - z)) + (b - z);
    *sum = s;
}

/* x as a sum of two doubles of half its digits (Dekker, 1971). */
static inline void halves(double x, double *high, double *low)
{
    double c = 134217729.0 * x; /* 2^27 + 1 */
    *high = c - (c - x);
    *low = x - *high;
}

/* x*y - p, where p is the rounded product (Dekker, 1971). */
static inline double product_residual(double x, double y, double p)
{
    double xh, xl, yh, yl;
    halves(x, &xh, &xl);
    halves(y, &yh, &yl);
    return xl * yl - (((p - xh * yh) - xl * yh) - xh * yl);
}

/* What (high + low) * n_b has more than step * n.
 *
 * Half the digits times a count below 2^27 is an exact product. From 1e290 on a distance would
 * overflow where it is halved: its step is left as it is.
 */
static inline double missing_of_step(double high, double low, double n_b, double n, double step)
{
    if (!(fabs(high) < 1e290))
        return 0.0;
    double dh, dl, sh, sl;
    halves(high, &dh, &dl);
    halves(step, &sh, &sl);
    return ((dh * n_b - sh * n) + (dl * n_b - sl * n)) + low * n_b;
}

/* round(x, decimals) of Python, for scale = 10**decimals with 0 <= decimals <= 15.
 *
 * The scaled value decides alone unless it lies exactly half way between two integers: only then
 * can the rounding of the product have hidden on which side the true value lies. From 2^53 on,
 * neighbouring doubles are further apart than neighbouring decimals, and x is its own answer.
 */
static inline double round_decimal(double x, double scale)
{
    double y = x * scale;
    if (!(fabs(y) < 9007199254740992.0))
        return x;
    double r = rint(y);
    if (fabs(y - r) == 0.5) {
        double residual = product_residual(x, scale, y);
        if (residual > 0.0)
            r = y + 0.5;
        else if (residual < 0.0)
            r = y - 0.5;
    }
    return copysign(r, x) / scale; /* -0.5 + 0.5 has lost the sign */
}

/* Doubles as integers of the same order, so that a search can step over ulps. */
static inline int64_t ordered_bits(double x)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits < 0 ? INT64_MIN - bits : bits;
}

static inline double from_ordered_bits(int64_t key)
{
    int64_t bits = key < 0 ? INT64_MIN - key : key;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline int is_anomalous(double x, double mean, double std, double threshold, int inclusive)
{
    double z = fabs(x - mean) / std;
    return inclusive ? z >= threshold : z > threshold;
}

/* The last double, going from the mean in the direction of sign, that is not anomalous.
 *
 * The z-score is monotone on each side of the mean, rounding included, so one cut-off a side replaces
 * a subtraction and a division a value. Two probes around the estimate usually leave 16 candidates;
 * where cancellation makes the estimate poor, bisection over all doubles needs 64 steps.
 */
static inline double anomaly_cutoff(double mean, double std, double threshold, int inclusive, int sign)
{
    double limit = sign > 0 ? INFINITY : -INFINITY;
    if (!is_anomalous(limit, mean, std, threshold, inclusive))
        return limit;
    /* Mirrored for sign < 0, so that inside < beyond on both sides. */
    int64_t inside = sign * ordered_bits(mean), beyond = sign * ordered_bits(limit);
    int64_t estimate = sign * ordered_bits(mean + sign * (threshold * std));
    for (int64_t probe = estimate - 8; probe <= estimate + 8; probe += 16) {
        if (probe <= inside || probe >= beyond)
            continue;
        if (is_anomalous(from_ordered_bits(sign * probe), mean, std, threshold, inclusive))
            beyond = probe;
        else
            inside = probe;
    }
    while ((uint64_t)beyond - (uint64_t)inside > 1) {
        int64_t middle = inside / 2 + beyond / 2 + (inside % 2 + beyond % 2) / 2;
        if (is_anomalous(from_ordered_bits(sign * middle), mean, std, threshold, inclusive))
            beyond = middle;
        else
            inside = middle;
    }
    return from_ordered_bits(sign * inside);
}

/* The k-th smallest of n values; the array is reordered (Hoare's quickselect).
 *
 * Pivots come from a fixed pseudo-random sequence: no shape of the input is slow, and no answer
 * depends on them.
 */
static inline double select_nth(double *a, int64_t n, int64_t k)
{
    int64_t left = 0, right = n - 1;
    uint64_t random = 0;
    while (left < right) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        double pivot = a[left + (int64_t)((random >> 33) % (uint64_t)(right - left + 1))];
        int64_t i = left, j = right;
        while (i <= j) {
            while (a[i] < pivot)
                i++;
            while (a[j] > pivot)
                j--;
            if (i <= j) {
                double swapped = a[i];
                a[i++] = a[j];
                a[j--] = swapped;
            }
        }
        if (k <= j)
            right = j;
        else if (k >= i)
            left = i;
        else
            break;
    }
    return a[k];
}

/* Half the sum of two values, rounded once; finite where both are. A sum that overflows has a large
 * value in it: halving either loses nothing that counts. */
static inline double halfway(double low, double high)
{
    double total = low + high;
    return isinf(total) ? low / 2.0 + high / 2.0 : total / 2.0;
}

/* Median of n >= 1 values without NaN; the array is reordered. */
static inline double median_of(double *a, int64_t n)
{
    double high = select_nth(a, n, n / 2);
    if (n % 2)
        return high + 0.0; /* +0.0: the sign of a zero would depend on the order of the search */
    double low = a[0];
    for (int64_t i = 1; i < n / 2; i++)
        low = a[i] > low ? a[i] : low;
    return halfway(low, high) + 0.0;
}

#endif
