/* pack.c - values whose parts have no tags: packs with their elements in a fixed order, lists and series.
 *
 * The layout of each pack is a row of operations in tables.c (enum op), from packs.csv. Those that there are:
 *
 *   fixed lengths       ST 0601, 81: start x 1 | start y 1 | end x 1 | end y 1 | start latitude 4 | ... 4 | 4 | 4
 *                       ST 0903 Location: latitude 4 | longitude 4 | hae 2 | 3 x sigma 2 | 3 x rho 2
 *                       ST 0903 Velocity, Acceleration: 3 x 2 | 3 x sigma 2 | 3 x rho 2
 *                       The last elements may be left out (ST 0601, 81: 4 of them; ST 0903: 3 or 6).
 *
 *   each its length     ST 0601, 122:  BER | coding method | BER | country | BER | country | ...
 *   (P_LENGTH)                         length 0 = the element is unknown
 *
 *   groups (P_GROUP)    ST 0601, 130:  BER | latitude 4 | longitude 4 | hae 3 |   BER | latitude 4 | ...
 *                                      take-off, 8 or 11 bytes                   recovery; left out = the same place
 *                       ST 0601, 142:  BER | start | range |   BER | start | range |  ...    each half of its group
 *                                      length 0 = all elements of the group are unknown
 *
 *   records (P_RECORDS) ST 0601, 128, 138, 140, 141:   BER | element | element |   BER | element | ...
 *                                                      one record                 the next, to the end of the value
 *                                                      (138: a count in front of the first)
 *
 *   a list              ST 0601, 116, 121:  BER-OID | BER-OID | ...
 *   a series            ST 0903:  BER | location |   BER | location | ...
 *                                 of local sets (set.c):  BER | items |   BER | items | ...
 *                                 of VTarget packs (set.c):  BER | target id, BER-OID | items |   BER | ...
 */
#include "walk.h"

/* A BER length, and that many bytes. */
static int take_length(struct cursor *c, struct cursor *inner)
{
    uint64_t length;
    size_t used;
    if (klv_ber_length(c->at, left(c), &length, &used) != KLV_OK || length > left(c) - used)
        return 0;
    inner->at = c->at + used;
    inner->end = inner->at + length;
    c->at = inner->end;
    return 1;
}

/* A scalar of n bytes; 0 bytes = unknown. */
static int write_piece(struct walk *w, const struct item *item, struct cursor *c, size_t n)
{
    if (n == 0) {
        klv_write_null(w);
        return 1;
    }
    if (n > left(c))
        return 0;
    c->at += n;
    return klv_write_scalar(w, item, c->at - n, n, item);
}

static int write_rest(struct walk *w, const struct item *item, struct cursor *c)
{
    const uint8_t *at = c->at;
    size_t n = left(c);
    c->at = c->end;
    if (item->kind != K_ARRAY)
        return klv_write_scalar(w, item, at, n, item);
    w->inside = item; /* names it in the path of remarks about the array */
    int written = klv_write_array(w, item, at, n);
    w->inside = NULL;
    return written;
}

/* One element that is there; `half` is half the length of its group. */
static int write_element(struct walk *w, const struct element *e, struct cursor *c, size_t half)
{
    uint64_t value;
    size_t used;
    struct cursor inner;
    switch (e->op) {
    case P_FIX: return write_piece(w, &e->item, c, e->item.len_min);
    case P_HALF: return write_piece(w, &e->item, c, half);
    case P_REST: return write_rest(w, &e->item, c);
    case P_LENGTH:
        return take_length(c, &inner) && write_piece(w, &e->item, &inner, left(&inner));
    case P_BER:
        if (klv_ber_length(c->at, left(c), &value, &used) != KLV_OK)
            return 0;
        c->at += used;
        klv_put_uint(w->out, value);
        return 1;
    default: /* P_OID */
        if (!take_oid(c, &value))
            return 0;
        klv_write_integer(w, &e->item, value, 8);
        return 1;
    }
}

static void write_key(struct walk *w, const struct item *item, int comma)
{
    if (comma)
        klv_put_char(w->out, ',');
    klv_put_bytes(w->out, item->key, item->key_size);
}

/* An optional element whose bytes are left out: its value, where the standard defines one. */
static void write_omitted(struct walk *w, const struct element *e, int *comma)
{
    const struct frame *f = top(w);
    if (e->omitted == O_NONE || (e->omitted == O_TIME && !f->timed))
        return;
    write_key(w, &e->item, (*comma)++);
    if (e->omitted == O_TIME)
        klv_put_uint(w->out, klv_micros(f->time_us));
    else
        klv_put_uint(w->out, e->value);
}

/* Where the elements of a pack are read from: the pack itself, or the current group. */
struct source {
    struct cursor *pack, *from;     /* `from` is the pack, or `group` */
    struct cursor group, before;    /* `before`: the group as it began */
    size_t half;                    /* half the length of the group */
    int unknown;                    /* the group has length 0 */
};

/* Has the group been read to its end? The pack itself has no end before that of the value. */
static int is_read(const struct source *s)
{
    return s->from == s->pack || s->from->at == s->from->end;
}

enum entry { E_MALFORMED, E_LEFT_OUT, E_ENTERED };

/* The next group. Where it is left out, so is all after it. */
static enum entry enter_group(struct source *s, const struct element *e)
{
    if (!is_read(s))
        return E_MALFORMED;
    if (!e->optional || s->pack->at < s->pack->end) {
        if (!take_length(s->pack, &s->group))
            return E_MALFORMED;
    } else if (e->omitted == O_GROUP) {
        s->group = s->before; /* the same bytes once more */
    } else {
        return E_LEFT_OUT;
    }
    s->before = s->group;
    s->from = &s->group;
    s->unknown = s->group.at == s->group.end;
    s->half = left(&s->group) / 2;
    return E_ENTERED;
}

/* An element with its own length comes after the group, not in it. */
static int leave_group(struct source *s)
{
    if (!is_read(s))
        return 0;
    s->from = s->pack;
    s->unknown = 0;
    return 1;
}

/* Elements e..end of one record or pack. */
static int write_elements(struct walk *w, const struct element *e, const struct element *end, struct cursor *c)
{
    struct source s = {.pack = c, .from = c};
    int comma = 0;
    for (; e < end; e++) {
        if (e->op == P_GROUP) {
            enum entry entry = enter_group(&s, e);
            if (entry != E_ENTERED)
                return entry == E_LEFT_OUT;
            continue;
        }
        if (e->op == P_LENGTH && !leave_group(&s))
            return 0;
        if (s.unknown) {
            write_key(w, &e->item, comma++);
            klv_write_null(w);
            continue;
        }
        if (e->optional && s.from->at == s.from->end) {
            write_omitted(w, e, &comma);
            continue;
        }
        write_key(w, &e->item, comma++);
        if (!write_element(w, e, s.from, s.half))
            return 0;
    }
    return is_read(&s);
}

/* Records of the elements from `first` on, to the end of the value. */
static int write_records(struct walk *w, const struct pack *pack, unsigned first, struct cursor *c)
{
    struct cursor record;
    int comma = 0;
    klv_put_char(w->out, '[');
    while (c->at < c->end) {
        if (!take_length(c, &record))
            return 0;
        w->record++;
        klv_put(w->out, comma++ ? ",{" : "{");
        if (!write_elements(w, pack->elements + first, pack->elements + pack->count, &record))
            return 0;
        if (record.at != record.end)
            return 0;
        klv_put_char(w->out, '}');
    }
    w->record = -1;
    klv_put_char(w->out, ']');
    return 1;
}

/* Elements, then records: an object, with `records` in it; records alone: a list. */
int klv_write_pack(struct walk *w, const struct pack *pack, const uint8_t *in, size_t n)
{
    struct cursor c = {in, in + n};
    unsigned records = 0; /* where they begin; pack->count = there are none */
    while (records < pack->count && pack->elements[records].op != P_RECORDS)
        records++;
    if (records == 0)
        return write_records(w, pack, 1, &c);
    klv_put_char(w->out, '{');
    if (!write_elements(w, pack->elements, pack->elements + records, &c))
        return 0;
    if (records < pack->count) {
        klv_put(w->out, ",\"records\":");
        if (!write_records(w, pack, records + 1, &c))
            return 0;
    }
    klv_put_char(w->out, '}');
    return c.at == c.end;
}

int klv_write_pack_list(struct walk *w, const struct pack *pack, const uint8_t *in, size_t n)
{
    struct cursor c = {in, in + n};
    klv_put_char(w->out, '[');
    for (int comma = 0; c.at < c.end; comma = 1) {
        if (comma)
            klv_put_char(w->out, ',');
        if (!write_element(w, pack->elements, &c, 0))
            return 0;
    }
    klv_put_char(w->out, ']');
    return 1;
}

static int write_member(struct walk *w, const struct item *item, const uint8_t *in, size_t n)
{
    if (item->kind == K_SERIES_PACK)
        return klv_write_pack(w, item->pack, in, n);
    if (n > 8)
        return 0;
    klv_put_uint(w->out, be_uint(in, n));
    return 1;
}

/* A series of small values, each after its own BER length: pixel numbers, locations, pixel runs. */
int klv_write_series(struct walk *w, const struct item *item, const uint8_t *in, size_t n)
{
    struct cursor c = {in, in + n}, piece;
    klv_put_char(w->out, '[');
    for (w->record = 0; c.at < c.end; w->record++) {
        if (!take_length(&c, &piece))
            return 0;
        if (w->record)
            klv_put_char(w->out, ',');
        size_t size = left(&piece);
        if (size == 0)
            klv_write_null(w);
        else if (!write_member(w, item, piece.at, size))
            return 0;
    }
    w->record = -1;
    klv_put_char(w->out, ']');
    return 1;
}

