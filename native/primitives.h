/* primitives.h - reads BER lengths, tags, integers, keys and times; inside the core only. Numbers are big-endian, as
 * everywhere in MISB and MPEG. No function reads past `n` or `end`.
 */
#ifndef PRIMITIVES_H
#define PRIMITIVES_H

#include "meter.h"
#include "table.h"
#include "ul.h"

#include <math.h>
#include <string.h>

/* Limits of the search for packets (klv.c). The fuzz targets set lower ones, so that they reach what is beyond them. */
#ifndef KLV_UNPROVEN
enum {
    KLV_UNPROVEN = 65536,   /* bytes that a packet may have by its length alone; above that its items must confirm it */
    KLV_DEBT = 65536        /* bytes that a search may have read without result before it does less */
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

/* An integer of n <= 8 bytes; of none: 0. */
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

/* The two's complement number of an integer of n bytes, 1 to 8. */
static inline int64_t sign_extend(uint64_t raw, size_t n)
{
    unsigned shift = (unsigned)(64 - 8 * n);
    uint64_t high = raw << shift;
    int64_t value;
    memcpy(&value, &high, sizeof value);
    return value >> shift;
}

/* value x 2^power, as ldexp has it: a multiplication by a power of two, which is exact, takes a tenth of the time. */
static inline double times_power_of_two(double value, int power)
{
    if (power < -1022 || power > 1023) /* 2^power is no normal double */
        return ldexp(value, power);
    const uint64_t bits = (uint64_t)(power + 1023) << 52;
    double factor;
    memcpy(&factor, &bits, sizeof factor);
    return value * factor;
}

/* The local-set item at *at: its tag and length, *at moved to its value. set.c has the layout. KLV_BAD_TAG: no BER-OID
 * of at most 5 bytes; KLV_BAD_LENGTH: no BER length, or one past `end`; *tag is known then. */
static inline enum klv_status read_item(const uint8_t *in, size_t *at, size_t end, uint64_t *tag, size_t *length)
{
    size_t i = *at;
    METER(1);
    if (end - i >= 2 && in[i] < 0x80 && in[i + 1] < 0x80) { /* both in short form, as nearly all are */
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

/* The same of an item of a universal set, which has a key of 16 bytes for a tag: *key is its offset. 0 = malformed. */
static inline int read_key(const uint8_t *in, size_t *at, size_t end, size_t *key, size_t *length)
{
    uint64_t value;
    size_t used;
    METER(1);
    if (end - *at < 17 || klv_ber_length(in + *at + 16, end - *at - 16, &value, &used) != KLV_OK)
        return 0;
    if (value > end - *at - 16 - used)
        return 0;
    *key = *at;
    *at += 16 + used;
    *length = (size_t)value;
    return 1;
}

/* An IMAPB (ST 1201) of n bytes: its code, and the name of a special value in quotes; NULL = it is a number, which is
 * raw x 2^-shift + bias. */
const char *klv_imapb_raw(const uint8_t *in, size_t n, uint64_t *raw);

struct imapb {
    int shift;
    double bias;    /* added after scaling: min, or floor(min x 2^shift) x 2^-shift where the range spans 0 */
};

int klv_power_over(double range); /* the least power of two that is no less: ceil(log2(range)) */
struct imapb klv_imapb_map(double min, double max, int range_power, size_t n);

/* The code of a linear map. Some senders write it wider or narrower than they should: it is read as an integer of n
 * bytes. 0 = not a code of the map's width. */
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
    *code = sign_extend(raw, n); /* it fits where all bits from the sign on are alike */
    return *code >> (bits - 1) == 0 || *code >> (bits - 1) == -1;
}

double klv_ieee(const uint8_t *in, size_t n);   /* n: 2, 4 or 8 */

/* "20050331075051", with or without T, a fraction and Z, in microseconds since 1970; 0 = no such time. */
int klv_date_time(const uint8_t *in, size_t n, uint64_t *time_us);

/* The value of a scalar as a number; NaN where it is none. */
double klv_item_number(const struct item *item, const uint8_t *in, size_t n);

/* The set whose key of 16 bytes begins at `key`, by index into klv_sets; 0 = none. */
int klv_set_of_key(const uint8_t *key);

/* What of a packet's items goes to the record's head, of each the last: its time as sent, and the version of its set.
 * Each is 0 where its flag is. in[at..end) is the packet's value. */
struct head {
    uint64_t time_us, version;
    int timed, versioned;       /* 1 = there is one, of 1 to 8 bytes; else 0 */
};

/* The time alone: of a local set, or of a universal one. klv_json has the version from its own survey. */
struct head klv_head_of(const struct set *set, const uint8_t *packet, size_t at, size_t end);

/* The item of a 16-byte key; NULL = in no table. */
const struct keyed *klv_keyed_of(const uint8_t *key);

/* `size` bytes leave the search, which read `cost` bytes for them: `cost` adds to its debt, `size` repays it
 * (klv.c). */
void klv_took(struct klv_search *search, size_t cost, size_t size);

/* Do n bytes begin like every key, as far as they go? */
int klv_may_be_key(const uint8_t *in, size_t n);

/* Is it a key of 16 bytes as ST 336 has it, in a table or not, by its category and, of a group, how that is coded? */
int klv_is_designator(const uint8_t *key);

/* Is it the key of a KLV Fill item (SMPTE ST 336), whose value is padding? */
int klv_is_fill(const uint8_t *key);

/* Where a known set's key begins in in[from..n), or n. */
size_t klv_find_known_key(const uint8_t *in, size_t from, size_t n);

#endif
