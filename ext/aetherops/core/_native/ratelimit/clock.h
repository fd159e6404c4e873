/* Microseconds of the monotonic clock, for a reader that asks millions of times a second.

   clock_gettime takes 23 ns, half of a whole decision of a limiter; the processor's constant-rate
   counter takes 10. So the system's clock is read once a millisecond, and time in between is
   counted by the processor, at the rate that was measured over the last second or so. Whatever
   happens to the counter (another core, a virtual machine that moves), a reading is at most that
   millisecond ahead. Called under the interpreter lock only. */
#ifndef AETHEROPS_CLOCK_H
#define AETHEROPS_CLOCK_H

#include <stdint.h>

#if defined(__linux__)

#include <time.h>
#define MONOTONIC_IN_C 1

static inline int64_t system_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

#include <cpuid.h>
#include <x86intrin.h>

enum { RATE_AFTER_NS = 20000000, MEASURED_NS = 1000000000, LONGEST_READ_TICKS = 4000 };

static struct {
    uint64_t ticks;         /* of the last reading of the system's clock */
    int64_t ns;
    uint64_t trusted_ticks; /* of a millisecond; 0 until the rate is known */
    uint64_t ns_per_tick;   /* times 2^32 */
    uint64_t first_ticks;   /* where the measurement of the rate began */
    int64_t first_ns;
} aetherops_clock;

static inline int has_constant_rate(void) {
    static int known = -1;
    unsigned a, b, c, d;
    if (known < 0)
        known = __get_cpuid(0x80000007, &a, &b, &c, &d) && (d >> 8 & 1);
    return known;
}

static void measure_rate(uint64_t ticks, int64_t ns) {
    int64_t elapsed_ns = ns - aetherops_clock.first_ns;
    uint64_t elapsed_ticks = ticks - aetherops_clock.first_ticks;
    if (aetherops_clock.first_ns == 0) {
        aetherops_clock.first_ticks = ticks;
        aetherops_clock.first_ns = ns;
    } else if (elapsed_ns >= RATE_AFTER_NS && elapsed_ticks >= 1000000) {
        double rate = (double)elapsed_ns / (double)elapsed_ticks;
        aetherops_clock.ns_per_tick = (uint64_t)(rate * 4294967296.0);
        aetherops_clock.trusted_ticks = (uint64_t)(1e6 / rate);
        if (elapsed_ns >= MEASURED_NS) {
            aetherops_clock.first_ticks = ticks;
            aetherops_clock.first_ns = ns;
        }
    }
}

static __attribute__((noinline)) int64_t read_system_clock(void) {
    uint64_t before = __rdtsc();
    int64_t ns = system_ns();
    /* A thread that lost the processor in between has no pair of readings. */
    if (has_constant_rate() && __rdtsc() - before < LONGEST_READ_TICKS) {
        measure_rate(before, ns);
        aetherops_clock.ticks = before;
        aetherops_clock.ns = ns;
    }
    return ns / 1000;
}

static inline int64_t monotonic_us(void) {
    uint64_t since = __rdtsc() - aetherops_clock.ticks;
    if (since < aetherops_clock.trusted_ticks)
        return (aetherops_clock.ns + (int64_t)(since * aetherops_clock.ns_per_tick >> 32)) / 1000;
    return read_system_clock();
}

#else

static inline int64_t monotonic_us(void) { return system_ns() / 1000; }

#endif
#else

#define MONOTONIC_IN_C 0
static inline int64_t monotonic_us(void) { return 0; }

#endif
#endif
