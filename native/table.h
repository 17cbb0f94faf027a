/* table.h - the shape of the generated tables (tables.c); inside the core only. A row leaves out the members that are
 * 0: each comment says what 0 means where it is more than the number.
 */
#ifndef TABLE_H
#define TABLE_H

#include "klv.h"

/* How the value of an item is read and written. Up to K_USER_DATA it is one scalar (scalar.c), K_SET to K_TARGETS are
 * entered by the walk (set.c), from K_SERIES_UINT on it has parts without tags (pack.c, miis.c, sdcc.c, array.c). */
enum kind {
    K_NONE = 0,     /* the set has no item of this tag */
    K_UINT,         /* unsigned integer, not mapped */
    K_INT,          /* two's complement, not mapped */
    K_LINEAR_UINT,  /* value = min + raw x scale */
    K_LINEAR_INT,   /* value = raw x scale; the most negative raw is no number */
    K_IMAPB,        /* ST 1201, from min to max */
    K_TEXT,         /* UTF-8 */
    K_UTF16,        /* big-endian */
    K_ENUM,         /* unsigned integer; those in `codes` have labels */
    K_BITS,         /* bit field: an object, its fields in `bits` */
    K_BIT_LIST,     /* the numbers of the bits that are set */
    K_BYTES,        /* hex */
    K_UUID,         /* 16 bytes */
    K_FLOAT,        /* IEEE 754, 2, 4 or 8 bytes */
    K_DATE_TIME,    /* "20050331075051", as microseconds since 1970 */
    K_USER_DATA,    /* hex, and what the item before it says that it is (ST 0806) */
    K_SET,          /* a local set: `set` */
    K_SERIES,       /* local sets `set`, each with a BER length */
    K_TARGETS,      /* each with a BER length: a BER-OID id, then a local set `set` */
    K_SERIES_UINT,  /* unsigned integers, each with a BER length */
    K_SERIES_PACK,  /* packs `pack`, each with a BER length */
    K_PACK,         /* `pack` */
    K_PACK_LIST,    /* `pack`, whose one element repeats */
    K_MIIS,         /* ST 1204 core identifier */
    K_SDCC,         /* ST 1010 SDCC-FLP */
    K_ARRAY         /* ST 1303; what its elements are: `cells` */
};

enum flag {
    F_ZERO = 1,     /* length 0 is legal: the value is unknown */
    F_REPEATS = 2,  /* more than one of it in a set is legal */
    F_AMEND = 4,    /* in the set that it holds, length 0 deletes an item */
    F_OID = 8,      /* an integer coded as BER-OID */
    F_TIME = 16     /* of a universal set: the packet's time stamp, which goes to the record's head */
};

/* The map of an item of VMTI before version 4, over the same range; an IMAPB since. OLD_NONE: it has not changed. */
enum old_map { OLD_NONE = 0, OLD_LINEAR_INT, OLD_LINEAR_UINT };

/* What the elements of an array are where the array itself does not say (array algorithms 1 and 5). */
enum cells {
    C_INT = 0,
    C_UINT,
    C_FLOAT,
    C_PIXEL_SDCC,   /* IMAPB, a range for each row: ST 1601, item 9 */
    C_PLACE_SDCC    /* IMAPB, a range for each row: ST 1601, item 10 */
};

/* What an item says of where something is. */
enum place {
    PLACE_NONE = 0,
    PLACE_LATITUDE,     /* K_LINEAR_INT of 4 bytes; */
    PLACE_LONGITUDE,    /* so is this, whose tag follows that of its latitude */
    PLACE_INSIDE        /* a position in another form, or parts or bytes that may hold one */
};

enum { KEY_PADDED = 64 }; /* of `key` in a row: padded, so that a copy of fixed size takes it */

/* A value of an enumeration, and its label as a JSON string. */
struct code {
    int32_t code;
    const char *label;
};

/* A field of a bit field: (value >> shift) & (2^width - 1). */
struct bits {
    uint8_t shift, width;       /* a boolean where the width is 1 and there are no codes, else a number */
    const char *key;
    const struct code *codes;   /* NULL = the field has no labels */
    uint16_t code_count;
};

/* An item, or an element of a pack. */
struct item {
    const char *key;            /* "key": with its quotes and colon, padded to KEY_PADDED; NULL = no such item */
    uint8_t key_size;           /* bytes, with the quotes and the colon */
    uint8_t kind;               /* enum kind */
    uint8_t flags;              /* enum flag */
    uint8_t decimals;           /* linear maps: as many as distinguish one step from the next */
    uint8_t old;                /* enum old_map */
    int8_t range_power;         /* IMAPB: ceil(log2(max - min)) */
    uint8_t cells;              /* arrays: enum cells */
    uint8_t place;              /* enum place */
    uint16_t len_min, len_max;  /* bytes; len_max 0 = no maximum */
    uint16_t code_count;        /* of `codes`, or of `bits` */
    double min, max;            /* the range of the value */
    double scale;               /* linear maps: the value of one step */
    double print;               /* linear maps: scale x 10^decimals */
    const char *special;        /* K_LINEAR_INT: what the most negative raw means; NULL = reserved */
    const struct code *codes;   /* NULL = no labels */
    const struct bits *bits;
    const struct set *set;
    const struct pack *pack;
};

/* How an element of a pack is read (pack.c). */
enum op {
    P_FIX = 1,      /* a scalar of len_min bytes */
    P_OID,          /* BER-OID */
    P_BER,          /* a number coded as a BER length */
    P_LENGTH,       /* a BER length, then the scalar */
    P_REST,         /* the scalar is all that is left */
    P_HALF,         /* half of the group */
    P_GROUP,        /* the BER length of the elements up to the next group */
    P_RECORDS       /* the BER length of a record of the elements that follow; repeats to the end of the value */
};

/* What an element is whose bytes are left out. */
enum omitted {
    O_NONE = 0,     /* undefined: it is left out of the record too */
    O_VALUE,        /* `value` */
    O_TIME,         /* the time of the set around the pack */
    O_GROUP         /* a P_GROUP: what the group before it is */
};

struct element {
    uint8_t op;                 /* enum op */
    uint8_t optional;           /* its bytes may be left out, with those of all after it */
    uint8_t omitted;            /* enum omitted */
    uint32_t value;             /* O_VALUE */
    struct item item;
};

struct pack {
    const struct element *elements;
    uint16_t count;
};

/* What is in a packet. */
enum universal {
    U_LOCAL = 0,    /* a local set: items by tag */
    U_SET,          /* a universal set: items by 16-byte key */
    U_WHOLE         /* no set: one value, identified by the packet's key */
};

/* The checksum of a packet (sum.c). */
enum sum { SUM_NONE = 0, SUM_16, SUM_CRC16, SUM_CRC32 };

struct set {
    const char *name;
    uint8_t key[16];            /* all 0 = never a packet, only in another set */
    uint8_t universal;          /* enum universal */
    uint8_t sum;                /* enum sum */
    uint8_t sum_tag;            /* the item that holds the checksum; 0 = none */
    uint8_t time_tag;           /* the item that holds the time stamp; 0 = none */
    uint8_t version_tag;        /* the item that holds the version of the standard; 0 = none */
    uint8_t vmti_tag;           /* the item whose version says which maps the numbers follow (enum old_map); 0 = none */
    uint16_t tags;              /* items[0..tags) by tag; 0 = there is no table: all items stay raw */
    const struct item *items;   /* NULL where `tags` is 0 */
};

/* An item by its universal key; the table is sorted by it. */
struct keyed {
    uint8_t key[15];            /* without octet 8, the version of the registry */
    uint8_t tag;                /* the corresponding item of ST 0601; 0 = none */
    struct item item;
};

extern const struct set klv_sets[];     /* [0]: every key that no table has */
extern const int klv_set_count;
extern const struct set *const klv_st0601;
extern const struct keyed klv_keyed[];
extern const int klv_keyed_count;

#endif
