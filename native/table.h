/* table.h - the shape of the generated tables (tables.c); inside the core only. */
#ifndef TABLE_H
#define TABLE_H

#include "klv.h"

enum kind {
    K_NONE = 0,     /* no such item */
    K_UINT,         /* unsigned integer, as it stands */
    K_INT,
    K_LINEAR_UINT,  /* min + raw x scale */
    K_LINEAR_INT,   /* raw x scale; the most negative raw is no number */
    K_IMAPB,        /* ST 1201 */
    K_TEXT,
    K_UTF16,
    K_ENUM,
    K_BITS,         /* bit field: an object of booleans */
    K_BIT_LIST,     /* numbers of the bits that are set */
    K_BYTES,
    K_UUID,
    K_FLOAT,        /* IEEE 754 */
    K_DATE_TIME,    /* "20050331075051", as microseconds since 1970 */
    K_USER_DATA,    /* hex, and what the item before it says that it is (ST 0806) */
    K_SET,          /* local set: `set` */
    K_SERIES,       /* of local sets, each behind a BER length */
    K_TARGETS,      /* of packs: BER-OID id, then a local set */
    K_SERIES_UINT,
    K_SERIES_PACK,
    K_PACK,
    K_PACK_LIST,    /* a pack whose one element repeats */
    K_MIIS,         /* ST 1204 core identifier */
    K_SDCC,         /* ST 1010 */
    K_ARRAY         /* ST 1303: its elements are `cells` */
};

/* Length 0 is legal; comes more than once; deletes; an integer coded as BER-OID; goes to the record's head. */
enum flag { F_ZERO = 1, F_REPEATS = 2, F_AMEND = 4, F_OID = 8, F_TIME = 16 };

/* What the elements of an array are where the array itself does not say. */
enum cells { C_INT, C_UINT, C_FLOAT, C_PIXEL_SDCC, C_PLACE_SDCC };

/* The map of an item of VMTI before version 4, over the same range; an IMAPB since. OLD_NONE: there was no other. */
enum old_map { OLD_NONE, OLD_LINEAR_INT, OLD_LINEAR_UINT };

/* A value of an enumeration: its label, quoted and escaped. */
struct code {
    int32_t code;
    const char *label;
};

/* Bits of a bit field: a boolean, or a value, which may have labels. */
struct bits {
    uint8_t shift, width;
    const char *key;
    const struct code *codes;
    uint16_t code_count;
};

/* An item, or an element of a pack. */
struct item {
    const char *key;            /* "key": with quotes and colon, padded to 64 bytes */
    uint8_t key_size, kind, flags, decimals;
    uint8_t old;                /* before VMTI version 4: 1 linear_int, 2 linear_uint */
    int8_t range_power;         /* IMAPB: ceil(log2(max - min)) */
    uint8_t cells;              /* arrays: enum cells */
    uint16_t len_min, len_max;  /* len_max 0 = none */
    uint16_t code_count;
    double min, max;
    double scale;               /* linear maps: value of one step */
    double print;               /* scale x 10^decimals */
    const char *special;        /* linear_int: what the most negative raw means */
    const struct code *codes;
    const struct bits *bits;    /* code_count of them */
    const struct set *set;
    const struct pack *pack;
};

enum op {
    P_FIX = 1,      /* a scalar of len_min bytes */
    P_OID,          /* BER-OID */
    P_BER,          /* a number coded as a BER length */
    P_LENGTH,       /* BER length, then the scalar */
    P_REST,         /* the scalar is all that is left */
    P_HALF,         /* half of the group */
    P_GROUP,        /* BER length of the elements up to the next group */
    P_RECORDS       /* BER length of a record of the elements that follow, again and again */
};

/* What an element is whose bytes are left out: not defined, `value`, the time of the set around the pack, what the group
 * before is (of a P_GROUP). */
enum omitted { O_NONE, O_VALUE, O_TIME, O_GROUP };

struct element {
    uint8_t op, optional, omitted;
    uint32_t value;
    struct item item;
};

struct pack {
    const struct element *elements;
    uint16_t count;
};

/* What is in a packet that is no local set: items with 16-byte keys, or a value as a whole. */
enum universal { U_LOCAL, U_SET, U_WHOLE };

enum sum { SUM_NONE, SUM_16, SUM_CRC16, SUM_CRC32 };

struct set {
    const char *name;
    uint8_t key[16];
    uint8_t universal;          /* enum universal */
    uint8_t sum, sum_tag;       /* which checksum, in which item */
    uint8_t time_tag;           /* of a packet's own items these go to the record's head; 0 = none */
    uint8_t version_tag;
    uint8_t vmti_tag;           /* the item that tells which maps its numbers follow */
    uint16_t tags;              /* items[0..tags) by tag; 0 = its items stay raw */
    const struct item *items;
};

/* An item by its universal key, without octet 8; the table is sorted by it. */
struct keyed {
    uint8_t key[15];
    uint8_t tag;                /* the item of ST 0601 that it stands for; 0 = none */
    struct item item;
};

extern const struct set klv_sets[];     /* [0] is the set of unknown keys */
extern const int klv_set_count;
extern const struct set *const klv_st0601;
extern const struct keyed klv_keyed[];
extern const int klv_keyed_count;

#endif
