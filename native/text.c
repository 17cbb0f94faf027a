/* text.c - integers, decimals, times and hex as JSON text (RFC 8259), without locale and without the C library's
 * formatting, which is five times slower; float.c has the floats, string.c the strings. */
#include "digits.h"
#include "text.h"

#include <math.h>

void klv_put_number(struct text *t, uint64_t magnitude, int negative, unsigned decimals)
{
    if (klv_reserve(t, NUMBER_MOST))
        t->p = number_at(t->p, magnitude, negative, decimals);
}

static const uint64_t MOST_EXACT = ((uint64_t)1 << 53) - 1; /* what a reader with doubles alone keeps */

static void put_integer(struct text *t, uint64_t magnitude, int negative)
{
    int quoted = t->safe && magnitude > MOST_EXACT;
    if (quoted)
        klv_put_char(t, '"');
    klv_put_number(t, magnitude, negative, 0);
    if (quoted)
        klv_put_char(t, '"');
}

void klv_put_uint(struct text *t, uint64_t value)
{
    put_integer(t, value, 0);
}

static uint64_t magnitude_of(int64_t value)
{
    return value < 0 ? ~(uint64_t)value + 1 : (uint64_t)value;
}

void klv_put_int(struct text *t, int64_t value)
{
    put_integer(t, magnitude_of(value), value < 0);
}

void klv_put_fixed(struct text *t, int64_t scaled, unsigned decimals)
{
    klv_put_number(t, magnitude_of(scaled), scaled < 0, decimals);
    if (t->safe && decimals == 0 && magnitude_of(scaled) > MOST_EXACT)
        klv_put(t, ".0");
}

void klv_put_binary(struct text *t, uint64_t magnitude, int negative, unsigned shift)
{
    /* whole + part x 2^-shift; the part is scaled to decimals and rounded. That never carries into the whole: either
     * 10^decimals is no less than 2^shift, or the magnitude is at most three quarters of 2^shift. */
    unsigned decimals = binary_decimals((int)shift);
    uint64_t whole = shift < 64 ? magnitude >> shift : 0, part = magnitude - (shift < 64 ? whole << shift : 0);
    uint64_t fraction = (uint64_t)(((uint128)part * TENS[decimals] + ((uint128)1 << shift >> 1)) >> shift);
    char buffer[64], *end = buffer + sizeof buffer;
    int zero = whole == 0 && fraction == 0;
    char *p = end;
    p = fixed_before(p, &fraction, decimals);
    *--p = '.';
    p = digits_before(p, whole);
    if (negative && !zero)
        *--p = '-';
    klv_put_bytes(t, p, (size_t)(end - p));
}

static char *octets_at(char *p, const uint8_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *p++ = HEX[in[i] >> 4];
        *p++ = HEX[in[i] & 15];
    }
    return p;
}

void klv_put_octets(struct text *t, const uint8_t *in, size_t n)
{
    if (klv_reserve(t, 2 * n))
        t->p = octets_at(t->p, in, n);
}

void klv_put_hex(struct text *t, const uint8_t *in, size_t n)
{
    klv_put_char(t, '"');
    klv_put_octets(t, in, n);
    klv_put_char(t, '"');
}

void klv_put_uuid(struct text *t, const uint8_t *in)
{
    static const uint8_t PART[5] = {4, 2, 2, 2, 6};
    if (!klv_reserve(t, 38))
        return;
    char *p = t->p;
    for (size_t i = 0; i < sizeof PART; in += PART[i++]) {
        *p++ = i ? '-' : '"';
        p = octets_at(p, in, PART[i]);
    }
    *p++ = '"';
    t->p = p;
}

void klv_put_time(struct text *t, uint64_t time_us)
{
    uint64_t seconds = time_us / 1000000, micros = time_us % 1000000, days = seconds / 86400, rest = seconds % 86400;
    if (days > 2932896) { /* past the year 9999 */
        klv_put(t, "null");
        return;
    }
    /* Days since 1970 to a date of the Gregorian calendar, the reverse of value.c. Years begin in March, so that the
     * day that is added in leap years is their last one; 400 of them, an era, have 146,097 days. Five months from March
     * or August on have 153 days. */
    uint64_t since_0 = days + 719468, era = since_0 / 146097, of_era = since_0 % 146097;
    uint64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t from_march = (5 * of_year + 2) / 153, day = of_year - (153 * from_march + 2) / 5 + 1;
    uint64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
    uint64_t year = year_of_era + era * 400 + (month <= 2);
    uint64_t hour = rest / 3600, minute = rest / 60 % 60, second = rest % 60;
    char text[] = "\"0000-00-00T00:00:00.000000Z\"";
    fixed_before(text + 5, &year, 4);
    fixed_before(text + 8, &month, 2);
    fixed_before(text + 11, &day, 2);
    fixed_before(text + 14, &hour, 2);
    fixed_before(text + 17, &minute, 2);
    fixed_before(text + 20, &second, 2);
    fixed_before(text + 27, &micros, 6);
    klv_put_bytes(t, text, sizeof text - 1);
}
