"""The tables of C kernels, one an instruction set, and the one in use."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t


cdef extern from "kernels/numbers.h" nogil:
    const int PARTIALS
    const int BLOCK
    const int GROUP
    const int ABREAST
    const int WORD

    struct block:
        double mean, mean_low, m2, min, max

    struct comparator:
        int32_t low, high

    void two_sum(double, double, double *, double *) noexcept nogil
    double missing_of_step(double, double, double, double, double) noexcept nogil
    double round_decimal(double, double) noexcept nogil
    double anomaly_cutoff(double, double, double, int, int) noexcept nogil
    bint is_anomalous(double, double, double, double, int) noexcept nogil
    double median_of(double *, int64_t) noexcept nogil

    struct kernels:
        void (*block_moments)(const double *, int64_t, double, double, block *,
                              uint8_t *) noexcept nogil
        int (*bucket_means)(const double *, int64_t, int64_t, double, double *) noexcept nogil
        void (*bucket_extremes)(const double *, int64_t, int64_t, double *, double *) noexcept nogil
        void (*bucket_medians)(const double *, int64_t, const comparator *, int64_t, double *,
                               double *) noexcept nogil
        void (*round_quotients)(double *, int64_t, double, double) noexcept nogil
        int (*has_nan)(const double *, int64_t) noexcept nogil
        uint64_t (*outside)(const double *, double, double) noexcept nogil
        int64_t (*find_outside)(const double *, int64_t, double, double, int64_t,
                                int64_t *) noexcept nogil
        int64_t (*index_of)(const double *, int64_t, double) noexcept nogil
        void (*extremes)(const double *, int64_t, double *, double *) noexcept nogil
        void (*window_sums)(const double *, int64_t, int64_t, double *) noexcept nogil
        void (*add_products)(const double *, const double *, int64_t, double *) noexcept nogil


cdef const kernels *selected() noexcept nogil
