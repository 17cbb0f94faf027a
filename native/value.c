/* value.c - raw codes to numbers: IMAPB (MISB ST 1201), the linear maps of ST 0601, IEEE 754, dates, time stamps. */
#include "primitives.h"

#include <math.h>

/* ---- IMAPB (ST 1201.5, 7): a value from min to max as an integer of n bytes ----
 *
 *   bit  8n-1   8n-2 .. 0
 *      +------+-----------------+
 *      | 0    | any             |   value = raw x 2^-shift + bias,  shift = 8n - 1 - ceil(log2(max - min))
 *      | 1    | 0 .. 0          |   the same: it is max where max - min is a power of two
 *      | 1    | any other       |   no number, the first byte says what:
 *      +------+-----------------+
 *
 *   first byte (7.2.3)  80 .. bf  reserved             e0  below min
 *                       c0 .. c7  user defined         e1  above max
 *                       c8 .. cf  plus infinity        e2 .. e7  reserved
 *                       d0 .. d7  quiet NaN            e8 .. ef  minus infinity
 *                       d8 .. df  signalling NaN       f0 .. f7  quiet NaN, negative
 *                                                      f8 .. ff  signalling NaN, negative
 *
 *   bias  min; but where min < 0 < max, min rounded down to a multiple of the step 2^-shift: one code is exactly 0 then
 *         (the standard's zero offset)
 */

const char *klv_imapb_raw(const uint8_t *in, size_t n, uint64_t *raw)
{
    *raw = be_uint(in, n);
    if (in[0] < 0x80)
        return NULL;
    if (*raw == (uint64_t)1 << (8 * n - 1))
        return NULL;
    switch (in[0] >> 3) {
    case 0xc8 >> 3: return "\"plus_infinity\"";
    case 0xe8 >> 3: return "\"minus_infinity\"";
    case 0xd0 >> 3:
    case 0xf0 >> 3: return "\"quiet_nan\"";
    case 0xd8 >> 3:
    case 0xf8 >> 3: return "\"signalling_nan\"";
    case 0xc0 >> 3: return "\"user\"";
    case 0xe0 >> 3: return in[0] == 0xe0 ? "\"below_min\"" : in[0] == 0xe1 ? "\"above_max\"" : "\"reserved\"";
    default: return "\"reserved\"";
    }
}

int klv_power_over(double range)
{
    int exponent;
    double fraction = frexp(range, &exponent); /* range = fraction x 2^exponent, 0.5 <= fraction < 1 */
    return exponent - (fraction == 0.5);       /* of a power of two it is that power itself */
}

struct imapb klv_imapb_map(double min, double max, int range_power, size_t n)
{
    struct imapb map = {(int)(8 * n) - 1 - range_power, min};
    if (min < 0 && max > 0)
        map.bias = times_power_of_two(floor(times_power_of_two(min, map.shift)), -map.shift);
    return map;
}

const char *klv_imapb(const uint8_t *in, size_t n, double min, double max, double *value)
{
    uint64_t raw;
    if (n < 1 || n > 8 || !(max > min))
        return "\"reserved\"";
    const char *special = klv_imapb_raw(in, n, &raw);
    struct imapb map = klv_imapb_map(min, max, klv_power_over(max - min), n);
    *value = special ? NAN : times_power_of_two((double)raw, -map.shift) + map.bias;
    return special;
}

/* IEEE 754, big-endian: sign 1 | exponent 5, 8 or 11 | mantissa 10, 23 or 52. C has no type for the shortest. */
double klv_ieee(const uint8_t *in, size_t n)
{
    if (n == 8) {
        uint64_t bits = be_uint(in, 8);
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    if (n == 4) {
        uint32_t bits = be32(in);
        float value;
        memcpy(&value, &bits, sizeof value);
        return (double)value;
    }
    uint16_t half = be16(in);
    int exponent = half >> 10 & 31;
    double mantissa = half & 1023;
    double value = exponent == 0    ? ldexp(mantissa, -24)
                   : exponent == 31 ? (mantissa == 0 ? INFINITY : NAN)
                                    : ldexp(mantissa + 1024, exponent - 25);
    return half & 0x8000 ? -value : value;
}

/* A number of exactly `count` decimal digits at *p, which then points after it; 0 = there are fewer. */
static int digits(const uint8_t **p, const uint8_t *end, unsigned count, uint64_t *value)
{
    *value = 0;
    for (; count > 0 && *p < end && **p >= '0' && **p <= '9'; ++*p, count--)
        *value = 10 * *value + (uint64_t)(**p - '0');
    return count == 0;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. Years begin in March, so that the day that is added in leap
 * years is their last one; 400 of them have 146,097 days, and day 0 is 719,468 days after 1 March of the year 0. */
static uint64_t days_before(uint64_t year, uint64_t month, uint64_t day)
{
    year -= month <= 2;
    uint64_t of_era = year % 400, of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return year / 400 * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int klv_date_time(const uint8_t *in, size_t n, uint64_t *time_us)
{
    static const uint8_t DAYS[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const uint8_t *p = in, *end = in + n;
    uint64_t year, month, day, hour, minute, second, micros = 0, unit = 100000;
    if (!digits(&p, end, 4, &year) || !digits(&p, end, 2, &month) || !digits(&p, end, 2, &day))
        return 0;
    p += p < end && *p == 'T';
    if (!digits(&p, end, 2, &hour) || !digits(&p, end, 2, &minute) || !digits(&p, end, 2, &second))
        return 0;
    if (end - p >= 2 && *p == '.' && p[1] >= '0' && p[1] <= '9') /* digits beyond the microsecond are dropped */
        for (p++; p < end && *p >= '0' && *p <= '9' && unit; p++, unit /= 10)
            micros += unit * (uint64_t)(*p - '0');
    p += p < end && *p == 'Z';
    if (p != end || year < 1970 || /* no time before it can be written */
        month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59)
        return 0;
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day < 1 || day > DAYS[month - 1] + (unsigned)(leap && month == 2))
        return 0;
    uint64_t seconds = ((days_before(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    *time_us = seconds * 1000000 + micros;
    return 1;
}

/* Units that senders use for microseconds by mistake: how many of each make a second, and the seconds since 1970 (from
 * `first` to before `end`) that a count in this unit may represent. Read as microseconds, such counts are past the year
 * 21000, or within two months of 1970. But a clock that counts microseconds since power-up passes through the latter:
 * in its 17th to 36th minute through those of "seconds", of which therefore fewer years are taken. */
static const struct {
    const char *name;
    uint64_t rate, first, end;
} UNITS[] = {
    {"nanoseconds", 1000000000, 631152000, 4102444800}, /* 1990 to 2099 */
    {"milliseconds", 1000, 631152000, 4102444800},
    {"seconds", 1, 978307200, 2208988800},              /* 2001 to 2039 */
};

/* How many of the unit of a time stamp make a second; *name is NULL where that is the microsecond. The ranges of two
 * units do not overlap. */
static uint64_t time_unit_of(uint64_t sent, const char **name)
{
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++)
        if (sent >= UNITS[i].first * UNITS[i].rate && sent < UNITS[i].end * UNITS[i].rate) {
            *name = UNITS[i].name;
            return UNITS[i].rate;
        }
    *name = NULL;
    return 1000000;
}

uint64_t klv_micros(uint64_t sent)
{
    const char *name;
    uint64_t rate = time_unit_of(sent, &name);
    if (name == NULL)
        return sent;
    return rate > 1000000 ? sent / (rate / 1000000) : sent * (1000000 / rate); /* finer, or coarser */
}

const char *klv_time_unit(uint64_t sent)
{
    const char *name;
    time_unit_of(sent, &name);
    return name;
}

double klv_item_number(const struct item *item, const uint8_t *in, size_t n)
{
    uint64_t raw;
    int64_t code;
    if (item->kind == K_DATE_TIME)
        return klv_date_time(in, n, &raw) ? (double)raw : NAN;
    if (n == 0 || n > 8)
        return NAN;
    raw = be_uint(in, n);
    switch (item->kind) {
    case K_UINT:
    case K_ENUM:
    case K_BITS: return (double)raw;
    case K_INT: return (double)sign_extend(raw, n);
    case K_LINEAR_UINT: return linear_code(item, in, n, &code) ? (double)code * item->scale + item->min : NAN;
    case K_LINEAR_INT:
        if (!linear_code(item, in, n, &code) || code == -((int64_t)1 << (8 * item->len_min - 1)))
            return NAN; /* the most negative code is no number */
        return (double)code * item->scale;
    case K_IMAPB: {
        if (klv_imapb_raw(in, n, &raw))
            return NAN;
        struct imapb map = klv_imapb_map(item->min, item->max, item->range_power, n);
        return times_power_of_two((double)raw, -map.shift) + map.bias;
    }
    case K_FLOAT: {
        double value = n == 2 || n == 4 || n == 8 ? klv_ieee(in, n) : NAN;
        return isfinite(value) ? value : NAN;
    }
    default: return NAN;
    }
}
