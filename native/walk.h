/* walk.h - the state of the JSON writer during the walk through a packet: the stack of sets and series that it is in,
 * the text so far, and the remarks for the record's head. Inside the core only.
 *
 *   json.c    a packet: the record's head, and the walk     set.c     local sets and series, by tag
 *   keys.c    universal sets and items on their own         note.c    the wording of remarks
 *   scalar.c  single values      linear.c  linear maps      pack.c    values without tags, in a fixed order
 *   array.c   ST 1303            sdcc.c    ST 1010          miis.c    ST 1204
 *
 * The walk is a loop (json.c): step_frame takes the frame on top of the stack, writes its next part, or ends it where
 * nothing is left of it. A part that has parts itself pushes a frame, with which the loop continues.
 *
 *   mode       a frame of               pushed by                                   a step            at its end
 *   M_SET      a local set: items by    klv_push_set: by klv_json (the packet's),   klv_step_set      klv_end_set:
 *              tag                      klv_open_set (an item's, a series'),                          "unknown", }
 *                                       klv_step_series (a VTarget's)
 *   M_SERIES   a value: local sets in   open_series, by write_at                    klv_step_series   klv_end_series:
 *              a row                                                                                  ]
 *   M_REPEAT   a set's items of one     open_series, by write_item                  klv_step_repeat   klv_end_series:
 *              tag                                                                                    ]
 *   M_KEYS     items by 16-byte key     klv_open_keys, by write_items               klv_step_keys     klv_end_keys:
 *                                                                                                     "unknown", }
 */
#ifndef WALK_H
#define WALK_H

#include "text.h"
#include "primitives.h"

enum {
    KEY_MOST = 80,          /* characters that an item may need before its value: comma, key (64), brackets */
    LATEST = 4096,          /* places of a table of the latest item of each tag, of which a quarter is used */
    LATEST_BITS = 12,
    PROBES = 32,            /* places tried for one tag: tags chosen to collide would cost too much */
    /* What a packet of n bytes may use. Its text is at most 64 n + 4 KiB: of its values TEXT_FREE + TEXT_EACH n,
     * 12 n for brackets and hex, and the rest for the record's head and remarks. */
    TEXT_EACH = 48,
    TEXT_FREE = 800,
    REMARKS_FREE = 1000,    /* characters of each kind, and REMARKS_EACH n more, up to REMARKS_MOST */
    REMARKS_EACH = 2,
    REMARKS_MOST = 4000,
    REMARK_LAST = 64,       /* of the warnings, for the count of those left out */
    STEPS_FREE = 4096,      /* items read to name those that matrices refer to, and STEPS_EACH n more */
    STEPS_EACH = 16
};

enum mode { M_SET, M_SERIES, M_REPEAT, M_KEYS };

/* One level of the walk. Offsets are into the packet. Flags are 1 or 0. */
struct frame {
    uint8_t mode;               /* enum mode */
    uint8_t comma;              /* text was written at this level: what follows begins with a comma */
    uint8_t old;                /* in a VMTI set before version 4, whose numbers follow older maps */
    uint8_t amend;              /* in an amend (ST 1607), where length 0 deletes an item */
    uint8_t raw;                /* M_SET, M_KEYS: some items are to be listed under "unknown" */
    uint8_t whole;              /* M_KEYS: the packet itself is the one item */
    uint8_t timed;              /* the set, or one around it, has a time: `time_us` */
    enum klv_status fault;      /* M_SET: of the item that the survey stopped at; KLV_OK = all are well formed */
    uint32_t high;              /* M_SET: items with a tag that is not surveyed */
    uint32_t index;             /* M_SERIES, M_REPEAT: of the element being written, from 0; M_KEYS: of the next item */
    uint64_t time_us;           /* as sent: usually microseconds since 1970 */
    const struct set *set;      /* M_SET, M_KEYS: its table; else that of the elements, NULL where they are no sets */
    const struct item *item;    /* M_SET, M_KEYS: being written, NULL = in no table; else whose elements these are */
    uint64_t tag;               /* of `item` */
    size_t begin, at, end;      /* the frame's bytes, and the next of them; `end` is that of the well-formed part */
    size_t key;                 /* M_KEYS: where the key of `item` is */
    /* M_SET, by the tags below KLV_TAGS: */
    uint64_t seen[KLV_TAGS / 64], twice[KLV_TAGS / 64]; /* the survey found an item; found more than one */
    uint64_t apart[KLV_TAGS / 64];  /* not simply written in place: they repeat, may be the head's, or are
                                     * not selected */
    uint64_t done[KLV_TAGS / 64], kept[KLV_TAGS / 64];  /* of those that repeat: written; kept raw */
    uint32_t last[KLV_TAGS];    /* where the last item of a tag begins; not set where `seen` is not */
};

/* Remarks of one kind. They are collected while the items are written, and put in before these at the end. */
struct notes {
    char buffer[REMARKS_MOST];
    struct text text;           /* into `buffer` */
    char *begun;                /* where the last remark begins, to take it back */
    unsigned left_out;          /* remarks that did not fit */
};

/* Where the last item of each tag or key is, as a hash table: 1 + its offset, and EARLIER where there was one before
 * it; 0 = a free place. */
struct latest {
    uint32_t places[LATEST], used;
    unsigned bits;              /* bits of a place's number: the part of the table in use */
};

static const uint32_t EARLIER = 0x80000000u;

struct walk {
    const uint8_t *in;          /* the packet */
    struct text *out;
    const struct klv_selection *selection; /* of the packet's own items; NULL = all */
    const uint64_t *tags;       /* of its set, where there is a selection and it is a local set; else NULL */
    char *begin;                /* where the items' text begins, in the caller's memory */
    size_t most;                /* characters that fit from there on */
    size_t reached;             /* bytes of the packet that values were read from so far: they bound the text */
    size_t steps_left;          /* of STEPS_FREE and STEPS_EACH */
    unsigned items_left;        /* items with 16-byte keys that may yet come */
    uint64_t unknown;           /* items kept raw */
    unsigned depth;             /* frames in `stack`; the last one is on top */
    struct frame stack[2 * KLV_DEPTH + 4]; /* a series or repeat between two sets */
    int record, entry;          /* where in a pack and in an array of it a remark is from, from 0; -1 = in none */
    const struct item *inside;  /* the element of a pack that an array is; NULL = none */
    const char *reason;         /* why a value can't be read: the remark if it is kept raw */
    struct notes special, warnings;
    struct latest by_tag, by_key; /* of the raw items of the set that ends; of the universal set */
    uint64_t raw_keys[KLV_ITEMS / 64]; /* the universal set's items that are kept raw, a bit each, in their order */
};

static inline int has(const uint64_t *bits, uint64_t tag)
{
    return tag < KLV_TAGS && (bits[tag >> 6] >> (tag & 63) & 1);
}

static inline void mark(uint64_t *bits, uint64_t tag)
{
    if (tag < KLV_TAGS)
        bits[tag >> 6] |= (uint64_t)1 << (tag & 63);
}

static inline unsigned count_marks(const uint64_t *bits)
{
    unsigned count = 0;
    for (unsigned i = 0; i < KLV_TAGS / 64; i++)
        for (uint64_t rest = bits[i]; rest; rest &= rest - 1)
            count++;
    return count;
}

static inline struct frame *top(struct walk *w)
{
    return &w->stack[w->depth - 1];
}

/* Is an item of the set on top to be written? A selection is of the items of the packet's own set. */
static inline int is_selected(const struct walk *w, uint64_t tag)
{
    return w->tags == NULL || w->depth > 1 || has(w->tags, tag);
}

/* The same of one that is in no table. */
static inline int is_unknown_selected(const struct walk *w)
{
    return w->selection == NULL || w->depth > 1 || w->selection->unknown;
}

/* The same of one with a 16-byte key; NULL: in no table. */
static inline int is_key_selected(const struct walk *w, const struct keyed *keyed)
{
    if (keyed == NULL || w->selection == NULL)
        return is_unknown_selected(w);
    const size_t row = (size_t)(keyed - klv_keyed);
    return (int)(w->selection->keyed[row >> 6] >> (row & 63) & 1);
}

/* Account for a value that ends at in[upto). Repeated items are read ahead of those between them. */
static inline void reach(struct walk *w, size_t upto)
{
    if (upto > w->reached)
        w->reached = upto;
}

/* How much text of items there may be for the bytes read so far. */
static inline size_t text_limit(const struct walk *w)
{
    return TEXT_FREE + TEXT_EACH * w->reached;
}

static inline size_t text_size(const struct walk *w)
{
    return (size_t)(w->out->p - w->begin);
}

/* Does the text end before the caller's memory does: at the limit of a value? */
static inline int is_bounded(const struct walk *w)
{
    return w->out->end < w->begin + w->most;
}

static inline int is_linear(const struct item *item)
{
    return item->kind == K_LINEAR_UINT || item->kind == K_LINEAR_INT;
}

/* A comma, if one is wanted, and an item's key at p, where KEY_MOST characters fit; where they end. */
static inline char *key_at(char *p, const struct item *item, unsigned comma)
{
    *p = ','; /* overwritten where none is wanted */
    p += comma;
    memcpy(p, item->key, 32); /* blocks of one size, which cost less than the exact one: keys are padded */
    if (item->key_size > 32)
        memcpy(p + 32, item->key + 32, 32);
    return p + item->key_size;
}

/* An item of a local set: in[here..end), its value from `at` on. */
struct piece {
    uint64_t tag;
    size_t here, at, end;
};

/* The item that begins at in[piece->end..end); 0 = there is none. */
static inline int next_piece(const uint8_t *in, size_t end, struct piece *piece)
{
    size_t length;
    piece->here = piece->at = piece->end;
    if (piece->at >= end || read_item(in, &piece->at, end, &piece->tag, &length) != KLV_OK)
        return 0;
    piece->end = piece->at + length;
    return 1;
}

/* Bytes of a value that are yet to be read. */
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
void klv_remark(struct walk *w, const char *text);                            /* of the item being written */
void klv_remark_tag(struct walk *w, uint64_t tag, const char *text);          /* of an item of the set on top */
void klv_remark_length(struct walk *w, const struct item *item, size_t n);    /* "4 bytes, expected 2" */
void klv_remark_packet(struct walk *w, const char *text);
void klv_remark_unit(struct walk *w, uint64_t tag, const char *unit);         /* of the packet's time stamp */
void klv_remark_key(struct walk *w, const uint8_t *key, size_t n);            /* of a packet in no table */

/* set.c */
const struct item *klv_item_of(const struct set *set, uint64_t tag); /* NULL = in no table */
struct frame *klv_push(struct walk *w, enum mode mode, const struct set *set, size_t begin, size_t end);
/* A local set in three steps: a frame for it, and the survey; its opening bracket, by the caller; what the survey found
 * to remark. klv_open_set is all three. */
struct frame *klv_push_set(struct walk *w, const struct set *set, size_t begin, size_t end);
void klv_begin_set(struct walk *w, struct frame *f);
void klv_open_set(struct walk *w, const struct set *set, size_t begin, size_t end);
/* The value of the last item of a tag, which `seen` has: 1 and a number; 0 = it has not 1 to 8 bytes. */
int klv_number_of(const struct walk *w, const struct frame *f, uint8_t tag, uint64_t *value);
/* The next item of a tag in a set from *at on: 1, its value's offset in *at, and its length; 0 = there is none. */
int klv_find_again(const struct walk *w, const struct frame *f, uint64_t wanted, size_t *at, size_t *length);
void klv_step_set(struct walk *w, struct frame *f);
void klv_end_set(struct walk *w, struct frame *f);
void klv_step_series(struct walk *w, struct frame *f);
void klv_step_repeat(struct walk *w, struct frame *f);
void klv_end_series(struct walk *w);
/* The value of an item, as long as its text fits; 0 = keep it raw: the caller takes back what was written. */
int klv_write_bounded(struct walk *w, const struct item *item, size_t at, size_t n);

/* linear.c: the numbers of linear maps from f->at on, in a row; 0 = there is none that is as it should be. */
int klv_write_linear_run(struct walk *w, struct frame *f);

/* keys.c: in[begin..end) are the items of a universal set, or one packet whose key is an item's or in no table. */
void klv_open_keys(struct walk *w, const struct set *set, size_t begin, size_t end);
void klv_step_keys(struct walk *w, struct frame *f);
void klv_end_keys(struct walk *w, struct frame *f);

/* Values. 1 = written; 0 = can't be read: the caller takes back what was written and keeps the item raw. `element`
 * is for the path of what is remarked of a value inside a pack; NULL: the value is an item's own. */
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
