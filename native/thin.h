/* thin.h - the state of klv_thin for one packet; inside the core only.
 *
 *   thin.c  what is chosen of a packet, and the packet around it     base.c  what a subscriber has already
 *   grid.c  positions on a grid
 */
#ifndef THIN_H
#define THIN_H

#include "output.h"
#include "walk.h"

struct thin {
    const uint8_t *in;
    size_t value, end;              /* the well-formed items are in[value..end) */
    const struct set *set;
    const struct klv_thinning *want;
    const uint64_t *tags;           /* selected ones; NULL = all */
    uint8_t *out;                   /* the chosen items, the time first */
    size_t size;
    size_t time, time_size;         /* where the last time stamp is in `in`, as an item; 0 = there is none */
    int summed;                     /* 1 = the packet has a checksum, */
    int versioned;                  /* the version of its set, */
    int malformed;                  /* an end that can't be read, */
    int foreign;                    /* items with tags that a base has no place for, */
    int undivided;                  /* items because of which it is not to be sent in part; else 0 */
    int resized;                    /* the items of a changed tag have another size than the base's; else 0 */
    int dropped;                    /* 1 = an item was left out, or moved to the front; else 0 */
    unsigned chosen;                /* items other than time and version */
    uint64_t seen[KLV_TAGS / 64], twice[KLV_TAGS / 64], changed[KLV_TAGS / 64]; /* chosen; more than once; changed */
    uint32_t sizes[KLV_TAGS];       /* bytes in `out` of all items of a tag; not set where `seen` is not */
    uint32_t latitudes[KLV_TAGS];   /* on a grid: where the last value of a latitude begins in `in`; 0 = none */
};

/* Is an item one of those that a packet has in full and in part, or of which it is a part? */
static inline int is_of_head(const struct set *set, uint64_t tag)
{
    return tag != 0 && (tag == set->time_tag || tag == set->version_tag);
}

/* grid.c: a latitude or longitude of 4 bytes at in[at..), rounded to to[0..4): 0 = it is to be left out. */
int klv_coarsen(const struct thin *t, const struct item *item, uint64_t tag, size_t at, uint8_t *to);

/* base.c */
void klv_compare(struct thin *t, const struct klv_base *base);  /* sets t->changed */
void klv_note_removed(const struct thin *t, const struct klv_base *base, struct klv_thinned *thinned);
void klv_renew(struct thin *t, int full, struct klv_base *base);

#endif
