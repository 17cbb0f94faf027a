/* digits.h - decimal digits, two at a time; inside the core only. */
#ifndef DIGITS_H
#define DIGITS_H

#include <stdint.h>
#include <string.h>

#include "text.h"

enum { NUMBER_MOST = 48 };

static const char PAIRS[201] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                               "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                               "8081828384858687888990919293949596979899";

/* Writes the digits of `value` so that they end at `end`; at least one. */
static inline char *digits_before(char *end, uint64_t value)
{
    while (value >= 100) {
        end -= 2;
        memcpy(end, PAIRS + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, PAIRS + 2 * value, 2);
    } else {
        *--end = (char)('0' + value);
    }
    return end;
}

/* The same with exactly `count` digits; gives back what is left of the value. */
static inline char *fixed_before(char *end, uint64_t *value, unsigned count)
{
    for (; count >= 2; count -= 2) {
        end -= 2;
        memcpy(end, PAIRS + 2 * (*value % 100), 2);
        *value /= 100;
    }
    if (count) {
        *--end = (char)('0' + *value % 10);
        *value /= 10;
    }
    return end;
}

static inline unsigned digits_of(uint64_t value)
{
    unsigned n = (unsigned)(64 - __builtin_clzll(value | 1)) * 1233 >> 12;
    return n + ((value | 1) >= TENS[n]);
}

/* The same of fewer bits, which costs less. */
static inline char *short_before(char *end, uint32_t value)
{
    for (; value >= 100; value /= 100) {
        end -= 2;
        memcpy(end, PAIRS + 2 * (value % 100), 2);
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, PAIRS + 2 * value, 2);
    } else {
        *--end = (char)('0' + value);
    }
    return end;
}

static inline char *few_before(char *end, uint32_t *value, unsigned count)
{
    for (; count >= 2; count -= 2) {
        end -= 2;
        memcpy(end, PAIRS + 2 * (*value % 100), 2);
        *value /= 100;
    }
    if (count) {
        *--end = (char)('0' + *value % 10);
        *value /= 10;
    }
    return end;
}

/* magnitude / 10^decimals at p, where room for NUMBER_MOST is; where it ends. */
static inline char *put_decimal_at(char *p, uint64_t magnitude, int negative, unsigned decimals)
{
    *p = '-';
    p += negative;
    unsigned n = digits_of(magnitude);
    if (decimals == 0) {
        digits_before(p + n, magnitude);
        return p + n;
    }
    char *last = p + (n > decimals ? n : decimals + 1) + 1, *end = last;
    if (magnitude <= UINT32_MAX) {
        uint32_t value = (uint32_t)magnitude;
        end = few_before(end, &value, decimals);
        *--end = '.';
        short_before(end, value);
    } else {
        end = fixed_before(end, &magnitude, decimals);
        *--end = '.';
        digits_before(end, magnitude);
    }
    return last;
}

#endif
