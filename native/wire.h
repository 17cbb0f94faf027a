/* wire.h - reading of bytes that several files of the core share; inside the core only. */
#ifndef WIRE_H
#define WIRE_H

#include "meter.h"
#include "table.h"
#include "ul.h"

#include <string.h>

#ifndef KLV_UNPROVEN /* the fuzz targets have less, so that they reach what is beyond */
enum {
    KLV_UNPROVEN = 65536,   /* bytes that a packet may have before anything but its length speaks for it */
    KLV_DEBT = 65536        /* bytes that a search may have looked at in vain */
};
#endif

static inline uint16_t be16(const uint8_t *p)
{
    return (uint16_t)((p[0] << 8) | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap32(value) : value;
}

/* n <= 8 octets, right-aligned. */
static inline uint64_t be_uint(const uint8_t *p, size_t n)
{
    switch (n) {
    case 1: return p[0];
    case 2: return be16(p);
    case 4: return be32(p);
    case 8: return ((uint64_t)be32(p) << 32) | be32(p + 4);
    default: {
        uint64_t value = 0;
        for (size_t i = 0; i < n; i++)
            value = (value << 8) | p[i];
        return value;
    }
    }
}

static inline int64_t sign_extend(uint64_t raw, size_t n)
{
    unsigned shift = (unsigned)(64 - 8 * n);
    uint64_t high = raw << shift;
    int64_t value;
    memcpy(&value, &high, sizeof value);
    return value >> shift;
}

/* The local-set item at *at: its tag and length, *at moved to its value. Never past `end`. */
static inline enum klv_status read_item(const uint8_t *in, size_t *at, size_t end, uint64_t *tag, size_t *length)
{
    size_t i = *at;
    METER(1);
    if (end - i >= 2 && in[i] < 0x80 && in[i + 1] < 0x80) {
        *tag = in[i];
        *length = in[i + 1];
        i += 2;
    } else {
        size_t used;
        uint64_t value;
        if (klv_ber_oid(in + i, end - i, 5, tag, &used) != KLV_OK)
            return KLV_BAD_TAG;
        i += used;
        if (klv_ber_length(in + i, end - i, &value, &used) != KLV_OK)
            return KLV_BAD_LENGTH;
        i += used;
        if (value > end - i)
            return KLV_BAD_LENGTH;
        *length = (size_t)value;
    }
    if (*length > end - i)
        return KLV_BAD_LENGTH;
    *at = i;
    return KLV_OK;
}

/* The item at *at: its key, length, and *at moved to its value; 0 = malformed. Never past `end`. */
static inline int read_key(const uint8_t *in, size_t *at, size_t end, size_t *key, size_t *length)
{
    uint64_t said;
    size_t used;
    METER(1);
    if (end - *at < 17 || klv_ber_length(in + *at + 16, end - *at - 16, &said, &used) != KLV_OK)
        return 0;
    if (said > end - *at - 16 - used)
        return 0;
    *key = *at;
    *at += 16 + used;
    *length = (size_t)said;
    return 1;
}

/* How an IMAPB of `n` octets is laid out: value = raw x 2^-shift + bias; the name of a special, or NULL. */
const char *klv_imapb_raw(const uint8_t *in, size_t n, uint64_t *raw);

struct imapb {
    int shift;
    double bias;    /* added after scaling: min, or floor(min x 2^shift) x 2^-shift where the range spans 0 */
};

int klv_power_over(double range); /* the least power of two that is no less: ceil(log2(range)) */
struct imapb klv_imapb_map(double min, double max, int range_power, size_t n);

/* The code of a linear map, right-aligned where it is not as wide as it should be; 0 = then it does not fit. */
static inline int linear_code(const struct item *item, const uint8_t *in, size_t n, int64_t *code)
{
    if (n < 1 || n > 8)
        return 0;
    uint64_t raw = be_uint(in, n);
    unsigned bits = 8u * item->len_min;
    if (item->kind == K_LINEAR_UINT) {
        *code = (int64_t)raw;
        return raw >> bits == 0;
    }
    *code = sign_extend(raw, n);
    return *code >> (bits - 1) == 0 || *code >> (bits - 1) == -1;
}

double klv_ieee(const uint8_t *in, size_t n);   /* n: 2, 4 or 8 */

/* "20050331075051", with or without T, a fraction and Z, in microseconds since 1970; 0 = no such time. */
int klv_date_time(const uint8_t *in, size_t n, uint64_t *time_us);

/* The value of a scalar as a number; NaN where it is none. */
double klv_item_number(const struct item *item, const uint8_t *in, size_t n);

/* The set whose key begins at `key`, by index into klv_sets; 0 = none. `n` >= 16. */
int klv_set_of_key(const uint8_t *key);

/* What of a packet's items goes to the record's head: the last of each kind. in[at..end) is its value. */
struct head {
    uint64_t time_us, version;
    int timed, versioned;
};

struct head klv_head_of(const struct set *set, const uint8_t *packet, size_t at, size_t end);

/* What the 16-byte key of an item stands for, or NULL. */
const struct keyed *klv_keyed_of(const uint8_t *key);

/* What a search looked at, `cost`, and took, `size`: its account. The next packet is another. */
void klv_took(struct klv_search *search, size_t cost, size_t size);

/* Do these bytes begin as every key does? */
int klv_may_be_key(const uint8_t *in, size_t n);

/* A key of 16 bytes as ST 336 has it, in a table or not: its category, and of a group how it is coded. */
int klv_is_designator(const uint8_t *key);

/* The key of a KLV Fill item (SMPTE ST 336), which stands for nothing. `n` >= 16. */
int klv_is_fill(const uint8_t *key);

/* Where a known set's key begins in in[from..n), or n. */
size_t klv_find_known_key(const uint8_t *in, size_t from, size_t n);

#endif
