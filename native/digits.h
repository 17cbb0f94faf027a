/* digits.h - decimal digits, two at a time; inside the core only. */
#ifndef DIGITS_H
#define DIGITS_H

#include "text.h"

enum { NUMBER_MOST = 48 }; /* characters that a number may take: a sign, 20 digits, a point, and some to spare */

static const char PAIRS[201] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                               "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                               "8081828384858687888990919293949596979899";

static inline char *pair_before(char *end, uint32_t pair)
{
    memcpy(end - 2, PAIRS + 2 * pair, 2);
    return end - 2;
}

/* Writes the digits of `value` so that they end at `end`, at least one; where they begin. What fits 32 bits is divided
 * in 32 bits, in half the instructions. */
static inline char *digits_before(char *end, uint64_t value)
{
    for (; value > UINT32_MAX; value /= 100)
        end = pair_before(end, (uint32_t)(value % 100));
    uint32_t rest = (uint32_t)value;
    for (; rest >= 100; rest /= 100)
        end = pair_before(end, rest % 100);
    if (rest >= 10)
        return pair_before(end, rest);
    *--end = (char)('0' + rest);
    return end;
}

/* The same with exactly `count` digits, which are taken off *value. */
static inline char *fixed_before(char *end, uint64_t *value, unsigned count)
{
    for (; count >= 2 && *value > UINT32_MAX; count -= 2, *value /= 100)
        end = pair_before(end, (uint32_t)(*value % 100));
    if (count >= 2) {
        uint32_t rest = (uint32_t)*value;
        for (; count >= 2; count -= 2, rest /= 100)
            end = pair_before(end, rest % 100);
        *value = rest;
    }
    if (count) {
        *--end = (char)('0' + *value % 10);
        *value /= 10;
    }
    return end;
}

static inline unsigned digits_of(uint64_t value)
{
    unsigned n = (unsigned)(64 - __builtin_clzll(value | 1)) * 1233 >> 12; /* its bits x log10(2): exact or 1 too few */
    return n + ((value | 1) >= TENS[n]);
}

/* magnitude / 10^decimals at p, where NUMBER_MOST characters fit; where it ends. `negative` is 1 or 0. */
static inline char *number_at(char *p, uint64_t magnitude, int negative, unsigned decimals)
{
    *p = '-'; /* overwritten where it is not negative */
    p += negative;
    unsigned n = digits_of(magnitude);
    if (decimals == 0) {
        digits_before(p + n, magnitude);
        return p + n;
    }
    char *end = p + (n > decimals ? n : decimals + 1) + 1; /* at least one digit before the point */
    p = fixed_before(end, &magnitude, decimals);
    *--p = '.';
    digits_before(p, magnitude);
    return end;
}

#endif
