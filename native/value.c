/* value.c - raw codes to numbers: IMAPB (MISB ST 1201) and the linear maps of ST 0601. */
#include "wire.h"

#include <math.h>

const char *imapb_raw(const uint8_t *in, size_t n, uint64_t *raw)
{
    *raw = be_uint(in, n);
    if (in[0] < 0x80)
        return NULL;
    if (*raw == (uint64_t)1 << (8 * n - 1))
        return NULL; /* exactly 1000...0 is a number: the top of a range that is a power of two */
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

struct imapb imapb_map(double min, double max, int range_power, size_t n)
{
    struct imapb map = {(int)(8 * n) - 1 - range_power, min};
    if (min < 0 && max > 0)
        map.bias = ldexp(floor(ldexp(min, map.shift)), -map.shift);
    return map;
}

const char *klv_imapb(const uint8_t *in, size_t n, double min, double max, double *value)
{
    uint64_t raw;
    if (n < 1 || n > 8 || !(max > min))
        return "\"reserved\"";
    const char *special = imapb_raw(in, n, &raw);
    struct imapb map = imapb_map(min, max, (int)ceil(log2(max - min)), n);
    *value = special ? NAN : ldexp((double)raw, -map.shift) + map.bias;
    return special;
}

double item_number(const struct item *item, const uint8_t *in, size_t n)
{
    if (n == 0 || n > 8)
        return NAN;
    uint64_t raw = be_uint(in, n);
    int64_t code;
    switch (item->kind) {
    case K_UINT:
    case K_ENUM:
    case K_BITS: return (double)raw;
    case K_INT: return (double)sign_extend(raw, n);
    case K_LINEAR_UINT: return linear_code(item, in, n, &code) ? (double)code * item->scale + item->min : NAN;
    case K_LINEAR_INT:
        if (!linear_code(item, in, n, &code) || code == -((int64_t)1 << (8 * item->len_min - 1)))
            return NAN;
        return (double)code * item->scale;
    case K_IMAPB: {
        if (imapb_raw(in, n, &raw))
            return NAN;
        struct imapb map = imapb_map(item->min, item->max, item->range_power, n);
        return ldexp((double)raw, -map.shift) + map.bias;
    }
    default: return NAN;
    }
}
