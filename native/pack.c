/* pack.c - values whose parts follow no tags: packs with their elements in a fixed order, lists and series. */
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
    w->inside = item;
    int written = klv_write_array(w, item, at, n);
    w->inside = NULL;
    return written;
}

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
    default:
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

/* An optional element whose bytes are left out: its value, where a standard defines one. */
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

/* Elements e..end of one record or object; a group is a stretch with a length of its own. */
static int write_elements(struct walk *w, const struct element *e, const struct element *end, struct cursor *c)
{
    struct cursor group = {0}, before = {0}, *from = c;
    int comma = 0, unknown = 0;
    size_t half = 0;
    for (; e < end; e++) {
        if (e->op == P_GROUP) {
            if (from->at != from->end && from != c)
                return 0;
            if (e->optional && c->at == c->end) {
                if (e->omitted != O_GROUP)
                    return 1;
                group = before;
            } else if (!take_length(c, &group)) {
                return 0;
            }
            before = group;
            from = &group;
            unknown = group.at == group.end;
            half = left(&group) / 2;
            continue;
        }
        if (e->op == P_LENGTH) { /* brings its own length, behind the group */
            if (from->at != from->end && from != c)
                return 0;
            from = c;
            unknown = 0;
        }
        if (unknown) {
            write_key(w, &e->item, comma++);
            klv_write_null(w);
            continue;
        }
        if (e->optional && from->at == from->end) {
            write_omitted(w, e, &comma);
            continue;
        }
        write_key(w, &e->item, comma++);
        if (!write_element(w, e, from, half))
            return 0;
    }
    return from == c || from->at == from->end;
}

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
        if (!write_elements(w, pack->elements + first, pack->elements + pack->count, &record) || record.at != record.end)
            return 0;
        klv_put_char(w->out, '}');
    }
    w->record = -1;
    klv_put_char(w->out, ']');
    return 1;
}

int klv_write_pack(struct walk *w, const struct pack *pack, const uint8_t *in, size_t n)
{
    struct cursor c = {in, in + n};
    unsigned records = 0;
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

/* A series of small values, each behind its own BER length: pixel numbers, locations, pixel runs. */
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
        else if (item->kind == K_SERIES_PACK ? !klv_write_pack(w, item->pack, piece.at, size) : size > 8)
            return 0;
        else if (item->kind == K_SERIES_UINT)
            klv_put_uint(w->out, be_uint(piece.at, size));
    }
    w->record = -1;
    klv_put_char(w->out, ']');
    return 1;
}

