/* keys.c - items by 16-byte key: universal sets (ST 336; EG 0104, ST 0102), and packets that are a single item.
 *
 *   +----------+--------+-------+----------+--------+-------+-- ...
 *   | key      | length | value | key      | length | value |          the value of a universal set; a packet that is
 *   | 16 bytes | BER    |       | 16 bytes | BER    |       |          one item is the same with one of them
 *   +----------+--------+-------+----------+--------+-------+-- ...
 *
 * The set is read three times: survey_keys() finds the end of its well-formed part and the last item of each key,
 * klv_step_keys() writes the items that have a table, klv_end_keys() the others, as hex.
 */
#include "walk.h"

/* The place of a key in the table of latest items (open addressing, hashed by its item designator); NULL: the places
 * that it may have are taken by other keys. The table is never more than a quarter full: it has at most KLV_ITEMS. */
static uint32_t *latest_of_key(struct walk *w, const uint8_t *key)
{
    uint64_t half;
    memcpy(&half, key + 8, sizeof half);
    uint32_t i = (uint32_t)(half * 0x9e3779b97f4a7c15u >> (64 - LATEST_BITS));
    for (unsigned probe = 0; probe < PROBES; probe++, i = (i + 1) % LATEST) {
        uint32_t *place = &w->by_key.places[i];
        METER(1);
        if (*place == 0 || ul_is_same(w->in + (*place & ~EARLIER) - 1, key))
            return place;
    }
    return NULL;
}

/* Cuts the set where it is not well formed, or has too many items, and notes where the last item of each key is. */
static void survey_keys(struct walk *w, struct frame *f)
{
    size_t at = f->begin, key, length;
    memset(&w->by_key, 0, sizeof w->by_key);
    memset(w->raw_keys, 0, sizeof w->raw_keys);
    while (at < f->end) {
        size_t here = at;
        int whole = read_key(w->in, &at, f->end, &key, &length);
        uint32_t *place = whole && w->items_left > 0 ? latest_of_key(w, w->in + key) : NULL;
        if (place == NULL) {
            klv_remark_packet(w, whole ? "too many items, the rest left out"
                                       : "an item is malformed, the rest left out");
            f->end = here;
            return;
        }
        w->items_left--;
        *place = (uint32_t)(key + 1) | (*place ? EARLIER : 0);
        at += length;
    }
}

void klv_open_keys(struct walk *w, const struct set *set, size_t begin, size_t end)
{
    klv_put_char(w->out, '{');
    struct frame *f = klv_push(w, M_KEYS, set, begin, end);
    f->whole = set->universal == U_WHOLE;
    survey_keys(w, f);
}

static void keep_raw_key(struct walk *w, struct frame *f, uint32_t index)
{
    w->raw_keys[index / 64] |= (uint64_t)1 << (index % 64);
    f->raw = 1;
    w->unknown++;
}

void klv_step_keys(struct walk *w, struct frame *f)
{
    size_t at = f->at, length;
    uint32_t index = f->index++;
    if (!read_key(w->in, &at, f->end, &f->key, &length)) { /* never: the survey has cut the set before it */
        f->at = f->end;
        return;
    }
    f->at = at + length;
    if (klv_is_fill(w->in + f->key) && !f->whole) /* padding; where it is the packet itself it is shown */
        return;
    const uint32_t latest = *latest_of_key(w, w->in + f->key); /* survey_keys() made its entry */
    if ((latest & ~EARLIER) != f->key + 1)                     /* of a key that repeats, the last counts */
        return;
    const struct keyed *keyed = klv_keyed_of(w->in + f->key);
    const int selected = is_key_selected(w, keyed);
    f->item = keyed ? &keyed->item : NULL;
    const int timed = f->item && f->item->flags & F_TIME && f->set->time_tag;
    if (latest & EARLIER && (selected || timed))
        klv_remark(w, "repeated, last kept");
    if (timed && length <= 8) {
        if (length > 0 && length < 8)
            klv_remark_length(w, f->item, length);
        return; /* the record's head has it; a longer one is no number, and is kept below */
    }
    if (!selected) {
        if (timed)
            klv_remark_length(w, f->item, length);
        return;
    }
    if (f->item == NULL) {
        if (f->whole)
            klv_remark_key(w, w->in + f->key, length);
        keep_raw_key(w, f, index);
        return;
    }
    char *before = w->out->p;
    if (f->comma)
        klv_put_char(w->out, ',');
    klv_put_bytes(w->out, f->item->key, f->item->key_size);
    if (klv_write_bounded(w, f->item, at, length)) {
        f->comma = 1;
        return;
    }
    w->out->p = before;
    keep_raw_key(w, f, index);
}

void klv_end_keys(struct walk *w, struct frame *f)
{
    size_t at = f->begin, key, length;
    int comma = 0;
    f->item = NULL;
    if (f->raw)
        klv_put(w->out, f->comma ? ",\"unknown\":{" : "\"unknown\":{");
    for (uint32_t i = 0; f->raw && at < f->end && read_key(w->in, &at, f->end, &key, &length); i++, at += length) {
        if (!(w->raw_keys[i / 64] >> (i % 64) & 1))
            continue;
        if (comma++)
            klv_put_char(w->out, ',');
        klv_put_hex(w->out, w->in + key, 16);
        klv_put_char(w->out, ':');
        klv_put_hex(w->out, w->in + at, length);
    }
    klv_put(w->out, f->raw ? "}}" : "}");
    w->depth--;
}
