/* Microseconds of the monotonic clock, for a reader that asks millions of times a second.

   clock_gettime takes 23 ns, half of a whole decision of a limiter; the processor's constant-rate
   counter takes 10. So the system's clock is read once a millisecond, and time in between is
   counted by the processor, at the rate that was measured over the last second or so. Whatever
   happens to the counter (another core, a virtual machine that moves, suspend), a reading is at
   most that millisecond ahead: docs/decisions/0005-counted-ticks.md. There is one calibration,
   which every table points to; it is used under the interpreter lock only. */
#ifndef AETHEROPS_TICKS_H
#define AETHEROPS_TICKS_H

#include <stdint.h>
#include "monotonic.h"

typedef struct {
    uint64_t ticks;         /* of the last reading of the system's clock */
    int64_t ns;
    uint64_t trusted_ticks; /* of a millisecond; 0 until the rate is known */
    uint64_t ns_per_tick;   /* times 2^32 */
    uint64_t first_ticks;   /* where the measurement of the rate began */
    int64_t first_ns;
} Calibration;

#if defined(__linux__) && defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

#include <cpuid.h>
#include <x86intrin.h>

#ifndef read_ticks /* a test has a counter of its own */
#define read_ticks() __rdtsc()
#endif

enum { RATE_AFTER_NS = 20000000, MEASURED_NS = 1000000000, LONGEST_READ_TICKS = 4000 };

static inline int has_constant_rate(void) {
    static int known = -1;
    unsigned a, b, c, d;
    if (known < 0)
        known = __get_cpuid(0x80000007, &a, &b, &c, &d) && (d >> 8 & 1);
    return known;
}

/* Whether the counter went on as before since the last reading: a 64th off, or 20 us, is not. */
static int went_on(const Calibration *at, uint64_t ticks, int64_t ns) {
    double passed_ns = (double)(ns - at->ns);
    double counted_ns = (double)(ticks - at->ticks) * (double)at->ns_per_tick / 4294967296.0;
    double off_ns = counted_ns > passed_ns ? counted_ns - passed_ns : passed_ns - counted_ns;
    return off_ns <= passed_ns / 64 + 20000;
}

static void measure_rate(Calibration *at, uint64_t ticks, int64_t ns) {
    int64_t elapsed_ns = ns - at->first_ns;
    double rate = (double)elapsed_ns / (double)(ticks - at->first_ticks);
    if (at->first_ns == 0 || (at->trusted_ticks && !went_on(at, ticks, ns)) ||
        (elapsed_ns >= RATE_AFTER_NS && !(rate > 0.1 && rate < 10))) {
        at->first_ticks = ticks; /* begin anew; the system's clock counts until it is done */
        at->first_ns = ns;
        at->trusted_ticks = 0;
    } else if (elapsed_ns >= RATE_AFTER_NS) {
        at->ns_per_tick = (uint64_t)(rate * 4294967296.0);
        at->trusted_ticks = (uint64_t)(1e6 / rate);
        if (elapsed_ns >= MEASURED_NS) {
            at->first_ticks = ticks;
            at->first_ns = ns;
        }
    }
}

static __attribute__((noinline)) int64_t read_system_clock(Calibration *at) {
    uint64_t before = read_ticks();
    int64_t ns = monotonic_ns();
    /* A thread that lost the processor in between has no pair of readings. */
    if (has_constant_rate() && read_ticks() - before < LONGEST_READ_TICKS) {
        measure_rate(at, before, ns);
        at->ticks = before;
        at->ns = ns;
    }
    return ns / 1000;
}

static inline int64_t monotonic_us(Calibration *at) {
    uint64_t since = read_ticks() - at->ticks;
    if (since < at->trusted_ticks)
        return (at->ns + (int64_t)(since * at->ns_per_tick >> 32)) / 1000;
    return read_system_clock(at);
}

#else

static inline int64_t monotonic_us(Calibration *at) {
    (void)at;
    return monotonic_ns() / 1000;
}

#endif
#endif
