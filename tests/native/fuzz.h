/* fuzz.h - shared by the fuzz targets: checks that abort where they fail, and the meter of the core. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(rule) ((rule) ? (void)0 : (fprintf(stderr, "%d: broken: %s\n", __LINE__, #rule), abort()))

enum { BOUNDS = 3, NEARER = 64 };
uint64_t klv_meter;

/* libFuzzer keeps an input that sets a new one of these: it is nearer to a bound. */
__attribute__((section("__libfuzzer_extra_counters"), used)) static uint8_t nearer[BOUNDS][NEARER];

static inline void check_bound(unsigned bound, uint64_t taken, uint64_t most)
{
    CHECK(taken <= most);
    nearer[bound][taken * (NEARER - 1) / most] = 1;
}

#endif
