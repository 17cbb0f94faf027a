/* walk.h - where the JSON writer stands: the stack of sets and series, and what it has to say of them.
 * Inside the core only; json.c walks, pack.c writes values, note.c words the remarks. */
#ifndef WALK_H
#define WALK_H

#include "text.h"
#include "wire.h"

enum mode { M_SET, M_SERIES, M_REPEAT };

struct frame {
    uint8_t mode;
    uint8_t comma;              /* something was written at this level */
    uint8_t old;                /* VMTI before version 4: older maps */
    uint8_t amend;              /* inside an amend, where length 0 deletes an item */
    uint8_t raw;                /* some items are to be listed under "unknown" */
    const struct set *set;      /* M_SET: its table; M_SERIES, M_REPEAT: that of the elements, or NULL */
    const struct item *item;    /* M_SET: at work on; else whose elements these are */
    uint64_t tag;               /* of `item` */
    size_t begin, at, end;      /* offsets into the packet */
    uint32_t index;             /* M_SERIES, M_REPEAT: of the element at work on */
    uint64_t twice[3], done[3], kept[3]; /* by tag below 192: seen twice, written, kept raw */
};

/* Remarks on the way; they go to the record's head, which is written before its items. */
struct notes {
    char buffer[4000];
    struct text text;
    unsigned left_out;
};

struct walk {
    const uint8_t *in;
    struct text *out;
    unsigned items_left;
    uint64_t unknown;
    unsigned depth;
    struct frame stack[2 * KLV_DEPTH + 4]; /* a series or repeat between two sets */
    int record, entry;          /* of a pack's records and of an array in it, for the path of a remark; -1 = none */
    struct notes special, warnings;
};

static inline int has(const uint64_t *bits, uint64_t tag)
{
    return tag < 192 && (bits[tag >> 6] >> (tag & 63) & 1);
}

static inline void mark(uint64_t *bits, uint64_t tag)
{
    if (tag < 192)
        bits[tag >> 6] |= (uint64_t)1 << (tag & 63);
}

static inline struct frame *top(struct walk *w)
{
    return &w->stack[w->depth - 1];
}

/* note.c */
void notes_begin(struct notes *notes);
void note_special(struct walk *w, const struct item *element, const char *name);
void remark(struct walk *w, const char *text);                            /* of the item at work on */
void remark_tag(struct walk *w, uint64_t tag, const char *text);          /* of an item the frame knows by tag */
void remark_length(struct walk *w, const struct item *item, size_t n);    /* "4 bytes, expected 2" */
void remark_key(struct walk *w, const uint8_t *key, const char *text);  /* of an item with a 16-byte key */
void remark_packet(struct walk *w, const char *text);

/* pack.c: 1 = written; 0 = can't be read: the caller takes back what was written and keeps the item raw. */
int write_value(struct walk *w, const struct item *item, const uint8_t *in, size_t n, const struct item *element);
void write_null(struct walk *w);
void write_special(struct walk *w, const struct item *element, const char *name);
int write_miis(struct walk *w, const uint8_t *in, size_t n);    /* miis.c */
int write_sdcc(struct walk *w, const uint8_t *in, size_t n);    /* sdcc.c */

struct cursor {
    const uint8_t *at, *end;
};

int take_oid(struct cursor *c, uint64_t *value);

#endif
