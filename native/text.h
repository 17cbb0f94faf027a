/* text.h - writing JSON text (RFC 8259) into the caller's memory; inside the core only.
 *
 * Each writer reserves the most that it may write. What does not fit is not written and sets `full`, which stays set: a
 * caller may check it once, at the end.
 */
#ifndef TEXT_H
#define TEXT_H

#include "meter.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 uint128;

struct text {
    char *p, *end;  /* where the next character goes; the end of the memory */
    int full;       /* something did not fit: the text is not to be used */
    int safe;       /* beyond 2^53 - 1 an integer is put in quotes, and a mapped value (klv_put_fixed) ends in ".0" */
};

/* 1 if n more characters fit; else sets `full`. */
static inline int klv_reserve(struct text *t, size_t n)
{
    METER(n / 8 + 1);
    if ((size_t)(t->end - t->p) >= n)
        return 1;
    t->full = 1;
    return 0;
}

static inline void klv_put_bytes(struct text *t, const char *s, size_t n)
{
    if (klv_reserve(t, n)) {
        memcpy(t->p, s, n);
        t->p += n;
    }
}

static inline void klv_put_char(struct text *t, char c)
{
    if (klv_reserve(t, 1))
        *t->p++ = c;
}

/* A string literal. */
static inline void klv_put(struct text *t, const char *s)
{
    klv_put_bytes(t, s, strlen(s));
}

/* Numbers. `decimals` <= 19: number of digits after the point, all of them written. */
void klv_put_number(struct text *t, uint64_t magnitude, int negative, unsigned decimals); /* magnitude / 10^decimals */
void klv_put_uint(struct text *t, uint64_t value);
void klv_put_int(struct text *t, int64_t value);
void klv_put_fixed(struct text *t, int64_t scaled, unsigned decimals);  /* scaled / 10^decimals */
/* magnitude / 2^shift, shift 1 .. 66; above 63 the magnitude is at most 3 x 2^62 */
void klv_put_binary(struct text *t, uint64_t magnitude, int negative, unsigned shift);
void klv_put_float(struct text *t, double value, int wide);             /* finite; wide: a double, else a float */

/* The double that is nearest to mantissa x 10^power, as a reader of that text has it; halves to even. */
double klv_decimal(uint128 mantissa, int power);

/* Bytes and strings, each in quotes except for klv_put_octets. */
void klv_put_octets(struct text *t, const uint8_t *in, size_t n);       /* hex */
void klv_put_hex(struct text *t, const uint8_t *in, size_t n);          /* hex */
void klv_put_uuid(struct text *t, const uint8_t *in);                   /* 16 bytes: "6d2a4f34-..." */
void klv_put_time(struct text *t, uint64_t time_us);                    /* "2012-06-29T13:45:12.123456Z", or null */
int klv_put_utf8(struct text *t, const uint8_t *in, size_t n);          /* 0 = invalid UTF-8 was replaced by U+FFFD */
int klv_put_utf16(struct text *t, const uint8_t *in, size_t n);         /* the same; big-endian, n is even */

static const char HEX[17] = "0123456789abcdef";

/* Powers of ten: as doubles, which hold these exactly, and as integers. */
static const double POWER_OF_TEN[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static const uint64_t TENS[] = {
    1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u, 10000000000u, 100000000000u,
    1000000000000u, 10000000000000u, 100000000000000u, 1000000000000000u, 10000000000000000u, 100000000000000000u,
    1000000000000000000u, 10000000000000000000u};

/* The fewest decimals that distinguish steps of 2^-shift, shift > 0: shift x log10(2), rounded up; 19 at most. */
static inline unsigned binary_decimals(int shift)
{
    return shift > 63 ? 19 : ((unsigned)shift * 30103u + 99999u) / 100000u;
}

#endif
