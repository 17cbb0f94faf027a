/* cbor.h - writing CBOR (RFC 8949); inside the core only.
 *
 *   bit  7..5    4..0
 *      +-------+-------+
 *      | major | info  |    info  0..23 the value itself; 24, 25, 26, 27: in the 1, 2, 4, 8 bytes that follow;
 *      +-------+-------+          31 of an array or a map: its elements follow up to a byte ff
 */
#ifndef CBOR_H
#define CBOR_H

#include "text.h"

enum cbor_major { CBOR_UINT = 0, CBOR_NEGATIVE, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP, CBOR_TAG, CBOR_OTHER };
enum { CBOR_NULL = 0xf6 };

/* `octets` bytes of a number, the most significant first. */
static inline void put_octets_of(struct text *t, uint64_t value, unsigned octets)
{
    if (!klv_reserve(t, octets))
        return;
    for (unsigned i = 0; i < octets; i++)
        *t->p++ = (char)(uint8_t)(value >> (8 * (octets - 1 - i)));
}

static inline void put_cbor_head(struct text *t, enum cbor_major major, uint64_t value)
{
    const unsigned wide = value <= UINT32_MAX ? 3 : 4, power = value < 24           ? 0
                                                               : value <= UINT8_MAX  ? 1
                                                               : value <= UINT16_MAX ? 2
                                                                                     : wide;
    const unsigned info = power ? 23 + power : (unsigned)value;
    klv_put_char(t, (char)(uint8_t)(major << 5 | info));
    if (power)
        put_octets_of(t, value, 1u << (power - 1));
}

static inline void put_cbor_bytes(struct text *t, enum cbor_major major, const void *in, size_t n)
{
    put_cbor_head(t, major, n);
    klv_put_bytes(t, in, n);
}

static inline void put_cbor_int(struct text *t, int64_t value)
{
    if (value < 0)
        put_cbor_head(t, CBOR_NEGATIVE, (uint64_t)(-1 - value));
    else
        put_cbor_head(t, CBOR_UINT, (uint64_t)value);
}

#endif
