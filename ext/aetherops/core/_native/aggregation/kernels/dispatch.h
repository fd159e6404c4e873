/* One table of kernels for each instruction set; the widest that the processor has is chosen at run
 * time, so a plain wheel runs everywhere. Function pointers, because target_clones needs ifunc, which
 * musl, macOS and Windows lack.
 */
#ifndef AETHEROPS_DISPATCH_H
#define AETHEROPS_DISPATCH_H

#ifndef __GNUC__
#error "the compiled core is written with the vector extensions of GCC and Clang"
#endif

#include "numbers.h"

#define SUM(a, b) ((a) + (b))
#define LESSER(a, b) ((a) < (b) ? (a) : (b))
#define GREATER(a, b) ((a) > (b) ? (a) : (b))

static inline void fill_tail(double *tail, const double *x, int64_t n, double filler)
{
    for (int64_t i = 0; i < PARTIALS; i++)
        tail[i] = i < n ? x[i] : filler;
}

/* The mean of a block up to rounding; not finite where the block holds NaN or an infinity. */
static double block_centre(const double *x, int64_t n, double sum)
{
    if (fabs(sum) < INFINITY)
        return sum / (double)n;
    double scaled = 0.0;
    for (int64_t i = 0; i < n; i++)
        scaled += x[i] * 0x1p-12; /* 512 values at most: finite ones cannot overflow any more */
    return scaled / (double)n * 0x1p12;
}

/* A block with NaN or infinities. */
static void hard_block(const double *x, int64_t n, struct block *block)
{
    int nan = 0;
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        nan |= x[i] != x[i];
        low = LESSER(x[i], low);
        high = GREATER(x[i], high);
    }
    block->mean = nan || (low == -INFINITY && high == INFINITY) ? NAN : low == -INFINITY ? low : high;
    block->mean_low = 0.0;
    block->m2 = NAN;
    block->min = nan ? NAN : low + 0.0;
    block->max = nan ? NAN : high + 0.0;
}

/* From the centre, the sums of the distances from it and of their squares to the moments. */
static void correct_block(int64_t n, double rest, double squares, struct block *block)
{
    const double centre = block->mean;
    block->min += 0.0; /* a zero has lost its sign to the order of the partial sums */
    block->max += 0.0;
    if (!(squares < INFINITY)) {
        block->mean_low = 0.0;
        block->m2 = INFINITY;
        return;
    }
    double missing = rest / (double)n;
    if (fabs(missing) <= 0x1p-52 * (block->max - block->min))
        missing = 0.0; /* the distances were themselves rounded: so little is noise */
    double m2 = squares - (double)n * (missing * missing);
    two_sum(centre, missing, &block->mean, &block->mean_low);
    block->m2 = m2 > 0.0 ? m2 : 0.0;
}

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define NAMED(name) JOIN(name, SUFFIX)

#if defined(__x86_64__)
#include <immintrin.h>

#define SUFFIX _baseline
#define WIDTH 2
#define VECTOR_MIN _mm_min_pd
#define VECTOR_MAX _mm_max_pd
#define BEYOND_EITHER(a, b, low, high) \
    (unsigned)_mm_movemask_pd(_mm_or_pd(_mm_cmplt_pd(a, low), _mm_cmpgt_pd(b, high)))
#define BEYOND(v, limit) \
    (unsigned)_mm_movemask_pd(_mm_cmpnlt_pd(_mm_andnot_pd(_mm_set1_pd(-0.0), v), _mm_set1_pd(limit)))
#include "kernels.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#define SUFFIX _avx2
#define WIDTH 4
#define VECTOR_MIN _mm256_min_pd
#define VECTOR_MAX _mm256_max_pd
#define VECTOR_FMA _mm256_fmadd_pd
#define VECTOR_RINT(v) _mm256_round_pd(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define BEYOND(v, limit)                                                   \
    (unsigned)_mm256_movemask_pd(_mm256_cmp_pd(                            \
        _mm256_andnot_pd(_mm256_set1_pd(-0.0), v), _mm256_set1_pd(limit), _CMP_NLT_UQ))
#define TWO_ROWS(p, factor, row, next)                                     \
    do {                                                                   \
        __m128d a = _mm_loadu_pd(p), b = _mm_loadu_pd(p + factor);         \
        __m128d c = _mm_loadu_pd(p + 2 * factor), d = _mm_loadu_pd(p + 3 * factor); \
        __m256d ac = _mm256_insertf128_pd(_mm256_castpd128_pd256(a), c, 1); \
        __m256d bd = _mm256_insertf128_pd(_mm256_castpd128_pd256(b), d, 1); \
        *row = _mm256_unpacklo_pd(ac, bd);                                 \
        *next = _mm256_unpackhi_pd(ac, bd);                                \
    } while (0)
#define BEYOND_EITHER(a, b, low, high)                                     \
    (unsigned)_mm256_movemask_pd(_mm256_or_pd(                             \
        _mm256_cmp_pd(a, low, _CMP_LT_OQ), _mm256_cmp_pd(b, high, _CMP_GT_OQ)))
#include "kernels.h"
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push( \
    __attribute__((target("avx2,fma,avx512f,avx512dq,avx512vl,prefer-vector-width=512"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512dq,avx512vl,prefer-vector-width=512")
#endif
#define SUFFIX _avx512
#define WIDTH 8
#define VECTOR_MIN _mm512_min_pd
#define VECTOR_MAX _mm512_max_pd
#define VECTOR_FMA _mm512_fmadd_pd
#define VECTOR_RINT(v) _mm512_roundscale_pd(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define BEYOND(v, limit) \
    (unsigned)_mm512_cmp_pd_mask(_mm512_abs_pd(v), _mm512_set1_pd(limit), _CMP_NLT_UQ)
#define BEYOND_EITHER(a, b, low, high) \
    (unsigned)(_mm512_cmp_pd_mask(a, low, _CMP_LT_OQ) | _mm512_cmp_pd_mask(b, high, _CMP_GT_OQ))
#include "kernels.h"
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#else
#define SUFFIX _baseline
#define WIDTH 2
#include "kernels.h"
#endif

struct named_kernels {
    const char *name;
    const struct kernels *table;
};

/* From the widest to the narrowest; ends with the one that always runs. Returns how many there are. */
static int runnable_instruction_sets(struct named_kernels *sets)
{
    int n = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        sets[n++] = (struct named_kernels){"avx512", &kernels_avx512};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        sets[n++] = (struct named_kernels){"avx2", &kernels_avx2};
#endif
    sets[n++] = (struct named_kernels){"baseline", &kernels_baseline};
    return n;
}

#endif
