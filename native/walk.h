/* walk.h - where the JSON writer stands: the stack of sets and series, and what it has to say of them. Inside the
 * core only.
 *
 *   json.c    a packet: the record's head, and the walk     set.c     local sets and series, by tag
 *   keys.c    universal sets and items on their own         note.c    the wording of remarks
 *   scalar.c  single values                                 pack.c    values without tags, in a fixed order
 *   array.c   ST 1303      sdcc.c  ST 1010      miis.c  ST 1204
 */
#ifndef WALK_H
#define WALK_H

#include "text.h"
#include "wire.h"

enum {
    SURVEYED = 192,             /* of a set that are kept account of by tag; no table has a higher one */
    KEY_MOST = 80,
    LATEST = 4096,          /* places of a table of the latest item of each tag, of which a quarter is used */
    LATEST_BITS = 12,
    PROBES = 32,            /* of them that are looked at for one tag, or tags chosen to collide would cost too much */
    /* What a packet of n bytes may ask for. Its text is at most 64 n + 4 KiB: of its values TEXT_FREE + TEXT_EACH n, 12 n
     * for brackets and hex, and the rest for the record's head and remarks. */
    TEXT_EACH = 48,
    TEXT_FREE = 800,
    REMARKS_FREE = 1000,    /* of each kind, and REMARKS_EACH n more, up to REMARKS_MOST */
    REMARKS_EACH = 2,
    REMARKS_MOST = 4000,
    REMARK_LAST = 64,       /* of the warnings, for the count of those left out */
    STEPS_FREE = 4096,      /* items looked at to name those that matrices are about, and STEPS_EACH n more */
    STEPS_EACH = 16
};

enum mode { M_SET, M_SERIES, M_REPEAT, M_KEYS };

struct frame {
    uint8_t mode;
    uint8_t comma;              /* something was written at this level */
    uint8_t old;                /* VMTI before version 4: older maps */
    uint8_t amend;              /* inside an amend, where length 0 deletes an item */
    uint8_t raw;                /* some items are to be listed under "unknown" */
    uint32_t high;              /* items with a tag of 192 or above */
    uint8_t whole;              /* M_KEYS: the packet itself is the one item */
    enum klv_status fault;      /* M_SET: of the item behind those that are well formed; KLV_OK = all are */
    uint8_t timed;              /* the set, or one around it, has a time: `time_us` */
    uint64_t time_us;
    const struct set *set;      /* M_SET: its table; M_SERIES, M_REPEAT: that of the elements, or NULL */
    const struct item *item;    /* M_SET: at work on; else whose elements these are */
    uint64_t tag;               /* of `item` */
    size_t begin, at, end;      /* offsets into the packet */
    size_t key;                 /* M_KEYS: where the key of `item` is */
    uint32_t index;             /* M_SERIES, M_REPEAT: of the element at work on */
    uint64_t seen[SURVEYED / 64], twice[SURVEYED / 64]; /* by tag below 192: in the set; more than once */
    uint64_t apart[SURVEYED / 64];          /* those that are not written as they come: repeated, or part of the record's head */
    uint64_t done[SURVEYED / 64], kept[SURVEYED / 64];  /* repeated ones that are written; kept raw */
    uint32_t last[SURVEYED];         /* where the last item of each of those tags begins that are there */
};

/* Remarks on the way; they go to the record's head, which is written before its items. */
struct notes {
    char buffer[REMARKS_MOST];
    struct text text;
    char *begun;                /* the last one */
    unsigned left_out;
};

/* Where the last item of each tag or key is: 1 + its offset, and whether there was one before it. */
struct latest {
    uint32_t places[LATEST], used;
    unsigned bits;              /* of a place's number */
};

static const uint32_t EARLIER = 0x80000000u;

struct walk {
    const uint8_t *in;
    struct text *out;
    char *begin;                /* of the items' text */
    size_t most;                /* room for it */
    size_t reached;             /* how much of the packet has been come to */
    size_t steps_left;
    unsigned items_left;        /* with 16-byte keys */
    uint64_t unknown;
    unsigned depth;
    struct frame stack[2 * KLV_DEPTH + 4]; /* a series or repeat between two sets */
    int record, entry;          /* of a pack's records and of an array in it, for the path of a remark; -1 = none */
    const struct item *inside;  /* the element of a pack that an array is */
    const char *reason;         /* why a value can't be read, where there is more to say than "malformed" */
    struct notes special, warnings;
    struct latest by_tag, by_key; /* of a set's raw items as it ends; of the universal set */
    uint64_t raw_keys[KLV_ITEMS / 64]; /* which of the universal set's items are kept raw, in their order */
};

static inline int has(const uint64_t *bits, uint64_t tag)
{
    return tag < SURVEYED && (bits[tag >> 6] >> (tag & 63) & 1);
}

static inline void mark(uint64_t *bits, uint64_t tag)
{
    if (tag < SURVEYED)
        bits[tag >> 6] |= (uint64_t)1 << (tag & 63);
}

static inline struct frame *top(struct walk *w)
{
    return &w->stack[w->depth - 1];
}

/* The packet is read up to in[upto). */
static inline void reach(struct walk *w, size_t upto)
{
    if (upto > w->reached)
        w->reached = upto;
}

/* How much text of items there may be so far. */
static inline size_t text_limit(const struct walk *w)
{
    return TEXT_FREE + TEXT_EACH * w->reached;
}

static inline size_t text_size(const struct walk *w)
{
    return (size_t)(w->out->p - w->begin);
}

/* Is it the value that has to fit, not the caller's room that is used up? */
static inline int is_bounded(const struct walk *w)
{
    return w->out->end < w->begin + w->most;
}

static inline int is_linear(const struct item *item)
{
    return item->kind == K_LINEAR_UINT || item->kind == K_LINEAR_INT;
}

/* A comma, or none, and an item's key at p, where KEY_MOST characters fit; where it ends. */
static inline char *key_at(char *p, const struct item *item, unsigned comma)
{
    *p = ','; /* overwritten where there is to be none */
    p += comma;
    memcpy(p, item->key, 32); /* blocks of one size cost less than what is exact */
    if (item->key_size > 32)
        memcpy(p + 32, item->key + 32, 32);
    return p + item->key_size;
}

struct cursor {
    const uint8_t *at, *end;
};

static inline size_t left(const struct cursor *c)
{
    return (size_t)(c->end - c->at);
}

/* A BER-OID number of at most 64 bits. */
static inline int take_oid(struct cursor *c, uint64_t *value)
{
    size_t used;
    if (klv_ber_oid(c->at, left(c), 9, value, &used) != KLV_OK)
        return 0;
    c->at += used;
    return 1;
}

/* note.c */
void klv_notes_begin(struct notes *notes, size_t n); /* of a packet of n bytes */
void klv_note_special(struct walk *w, const struct item *element, const char *name);
void klv_remark(struct walk *w, const char *text);                            /* of the item at work on */
void klv_remark_tag(struct walk *w, uint64_t tag, const char *text);          /* of an item the frame knows by tag */
void klv_remark_length(struct walk *w, const struct item *item, size_t n);    /* "4 bytes, expected 2" */
void klv_remark_packet(struct walk *w, const char *text);
void klv_remark_unit(struct walk *w, uint64_t tag, const char *unit);         /* of the packet's time stamp */
void klv_remark_key(struct walk *w, const uint8_t *key, size_t n);            /* of a packet in no table */

/* set.c */
const struct item *klv_item_of(const struct set *set, uint64_t tag);
struct frame *klv_push(struct walk *w, enum mode mode, const struct set *set, size_t begin, size_t end);
struct frame *klv_push_set(struct walk *w, const struct set *set, size_t begin, size_t end); /* and survey it */
void klv_begin_set(struct walk *w, struct frame *f); /* say what the survey found */
/* The last item of a tag that is there: 1 and its number, or 0 where it is none of 1 to 8 bytes. */
int klv_number_of(const struct walk *w, const struct frame *f, uint8_t tag, uint64_t *value);
void klv_open_set(struct walk *w, const struct set *set, size_t begin, size_t end);
int klv_find_again(const struct walk *w, const struct frame *f, uint64_t wanted, size_t *at, size_t *length);
void klv_step_set(struct walk *w, struct frame *f);
void klv_end_set(struct walk *w, struct frame *f);
void klv_step_series(struct walk *w, struct frame *f);
void klv_step_repeat(struct walk *w, struct frame *f);
int klv_write_bounded(struct walk *w, const struct item *item, size_t at, size_t n);

/* linear.c */
int klv_write_linear_run(struct walk *w, struct frame *f); /* the numbers of linear maps from f->at on; 0 = none */

/* keys.c */
void klv_open_keys(struct walk *w, const struct set *set, size_t begin, size_t end);
void klv_step_keys(struct walk *w, struct frame *f);
void klv_end_keys(struct walk *w, struct frame *f);

/* Values. 1 = written; 0 = can't be read: the caller takes back what was written and keeps the item raw. `element`
 * is for the path of what is said of a value inside a pack, or NULL. */
int klv_write_value(struct walk *w, const struct item *item, const uint8_t *in, size_t n);
int klv_write_scalar(struct walk *w, const struct item *item, const uint8_t *in, size_t n, const struct item *element);
int klv_write_linear(struct walk *w, const struct item *item, const uint8_t *in, size_t n, const struct item *element);
int klv_write_pack(struct walk *w, const struct pack *pack, const uint8_t *in, size_t n);
int klv_write_pack_list(struct walk *w, const struct pack *pack, const uint8_t *in, size_t n);
int klv_write_series(struct walk *w, const struct item *item, const uint8_t *in, size_t n);
int klv_write_array(struct walk *w, const struct item *item, const uint8_t *in, size_t n);
int klv_write_miis(struct walk *w, const uint8_t *in, size_t n);
int klv_write_sdcc(struct walk *w, const uint8_t *in, size_t n);

/* Parts of values. */
void klv_write_null(struct walk *w);
void klv_write_special(struct walk *w, const struct item *element, const char *name);
void klv_write_integer(struct walk *w, const struct item *item, uint64_t raw, size_t n);
int klv_write_float(struct walk *w, const uint8_t *in, size_t n, const struct item *element);
int klv_write_steps(struct walk *w, double min, double max, int range_power, const uint8_t *in, size_t n,
                const struct item *element);

#endif
