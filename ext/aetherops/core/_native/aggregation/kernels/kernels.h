/* The loops worth vectors, written once for vectors of WIDTH doubles.
 *
 * dispatch.h includes this file once for each instruction set, with WIDTH, SUFFIX and the few
 * operations that vector types lack defined. Sixteen partial sums are worked in step whatever the width, so
 * every instruction set gives the same bits.
 */
#include "vectors.h"

#include "buckets.h"
#include "moments.h"
#include "scans.h"
#include "series.h"

static const struct kernels NAMED(kernels) = {
    NAMED(block_moments),
    NAMED(bucket_means),
    ROW_KERNEL(bucket_extremes),
    ROW_KERNEL(bucket_medians),
    NAMED(round_quotients),
    NAMED(has_nan),
    NAMED(outside),
    NAMED(find_outside),
    NAMED(index_of),
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
