/* Vectors of WIDTH doubles, and what can be done with all of their elements. */
#define REGISTERS (PARTIALS / WIDTH) /* that hold the sixteen partial sums */
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

/* Partial results are combined in halves: 0 with 8, 1 with 9 ...; then 0 with 4 ...; at any width. */
#define DEFINE_REDUCTION(NAME, OF_VECTORS, OF_NUMBERS)                       \
    static inline double NAMED(NAME)(VECTOR * partials)                      \
    {                                                                        \
        double last[WIDTH];                                                  \
        for (int half = REGISTERS / 2; half; half /= 2)                      \
            for (int r = 0; r < half; r++)                                   \
                partials[r] = OF_VECTORS(partials[r], partials[r + half]);       \
        STORE(last, partials[0]);                                            \
        for (int half = WIDTH / 2; half; half /= 2)                          \
            for (int l = 0; l < half; l++)                                   \
                last[l] = OF_NUMBERS(last[l], last[l + half]);               \
        return last[0];                                                      \
    }
DEFINE_REDUCTION(total_of, SUM, SUM)
DEFINE_REDUCTION(smallest_of, VECTOR_MIN, LESSER)
DEFINE_REDUCTION(largest_of, VECTOR_MAX, GREATER)
