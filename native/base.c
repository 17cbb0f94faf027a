/* base.c - what a subscriber has of a stream and set, and how a packet differs from it.
 *
 *   begin[13]  begin[14]  begin[15] = begin[48]  begin[49]
 *      v          v          v                      v            items of tag t: data[begin[t]..begin[t + 1])
 *      | 13 ..    | 14 ..    | 48 ...               |
 *
 * All items of a tag are compared together. An item within its dead band has not changed. What is sent is its true
 * code, which the base has from then on: errors do not accumulate.
 *
 * Some values are not in their bytes alone. A control command (ST 0601, item 115) without a time has that of its set:
 * it always counts as changed. A VMTI set has its own time, which alone is no change.
 */
#include "thin.h"

/* ---- values ---- */

/* The next item of a VMTI set that is not its time or its checksum: 1, and where it begins. */
static int next_lasting(const struct set *set, const uint8_t *in, size_t *at, size_t end, size_t *from)
{
    uint64_t tag;
    size_t length;
    while (*at < end) {
        *from = *at;
        if (read_item(in, at, end, &tag, &length) != KLV_OK) {
            *at = end; /* what can't be read is compared as it is */
            return 1;
        }
        *at += length;
        if (tag == 0 || (tag != set->time_tag && tag != set->sum_tag))
            return 1;
    }
    return 0;
}

/* Are two VMTI sets the same but for their times? */
static int is_same_but_for_time(const struct set *set, const uint8_t *a, size_t n, const uint8_t *b, size_t m)
{
    size_t at = 0, other = 0, from = 0, begin = 0;
    for (;;) {
        const int more = next_lasting(set, a, &at, n, &from), again = next_lasting(set, b, &other, m, &begin);
        if (!more || !again)
            return more == again;
        if (at - from != other - begin || memcmp(a + from, b + begin, at - from) != 0)
            return 0;
    }
}

/* Does a value depend on the time of its set? Of a nested set: may one in it, whose bytes are searched for the tag. */
static int depends_on_time(const struct item *item, const uint8_t *in, size_t n)
{
    enum { CONTROL_COMMAND = 115 };
    if (item->kind == K_PACK)
        for (unsigned i = 0; i < item->pack->count; i++)
            if (item->pack->elements[i].omitted == O_TIME)
                return 1;
    return item->kind == K_SET && item->set->items == klv_st0601->items && memchr(in, CONTROL_COMMAND, n) != NULL;
}

static int is_within(const struct item *item, const uint8_t *a, size_t n, const uint8_t *b, size_t m, double band)
{
    return band > 0 && item->kind < K_TEXT && fabs(klv_item_number(item, a, n) - klv_item_number(item, b, m)) <= band;
}

/* Is the only item of a tag, `a`, what the base has of it, `b`? Both with tag and length. */
static int is_same_item(const struct thin *t, uint64_t tag, const uint8_t *a, size_t n, const uint8_t *b, size_t m)
{
    uint64_t found;
    size_t at = 0, from = 0, length, before;
    const struct item *item = klv_item_of(t->set, tag);
    const int same = n == m && memcmp(a, b, n) == 0;
    if (item == NULL || (same && item->kind < K_SET))
        return same;
    if (read_item(a, &at, n, &found, &length) != KLV_OK || depends_on_time(item, a + at, length))
        return 0;
    if (same || read_item(b, &from, m, &found, &before) != KLV_OK || from + before != m) /* it had none, or several */
        return same;
    if (length == 0 || before == 0)
        return 0;
    if (item->kind == K_SET && item->set->vmti_tag)
        return is_same_but_for_time(item->set, a + at, length, b + from, before);
    const double band = (double)t->want->bands[t->set - klv_sets][tag];
    return is_within(item, a + at, length, b + from, before, band);
}

/* ---- packets ---- */

/* Of a tag with several items each is compared with the next of the base's. */
static int is_same_part(const struct thin *t, uint64_t tag, const uint8_t *part, size_t n, const struct klv_base *base,
                        size_t at)
{
    const size_t end = base->begin[tag + 1], all = end - base->begin[tag];
    const struct item *item = klv_item_of(t->set, tag);
    if (t->sizes[tag] != all || n > end - at || memcmp(part, base->data + at, n) != 0)
        return 0;
    return item == NULL || !depends_on_time(item, part, n);
}

void klv_compare(struct thin *t, const struct klv_base *base)
{
    uint16_t next[KLV_TAGS + 1];
    memcpy(next, base->begin, sizeof next);
    for (struct piece item = {.end = t->time_size}; next_piece(t->out, t->size, &item);) {
        const uint64_t tag = item.tag;
        if (tag >= KLV_TAGS)
            continue;
        const size_t here = item.here, n = item.end - here;
        const size_t begin = base->begin[tag], all = base->begin[tag + 1] - begin;
        const int same = t->sizes[tag] == n ? is_same_item(t, tag, t->out + here, n, base->data + begin, all)
                                            : is_same_part(t, tag, t->out + here, n, base, next[tag]);
        if (same) {
            next[tag] = (uint16_t)(next[tag] + n);
        } else {
            mark(t->changed, tag);
            t->resized |= t->sizes[tag] != all;
        }
    }
}

void klv_note_removed(const struct thin *t, const struct klv_base *base, struct klv_thinned *thinned)
{
    for (unsigned i = 0; i < KLV_TAGS / 64; i++)
        for (uint64_t gone = base->held[i] & ~t->seen[i]; gone; gone &= gone - 1) {
            const unsigned tag = 64 * i + (unsigned)__builtin_ctzll(gone);
            if (!is_of_head(t->set, tag))
                thinned->tags[thinned->removed++] = (uint8_t)tag;
        }
}

/* The items in `out` of the tags in `from`, each to its place in `data`. */
static void copy_items(const struct thin *t, const uint64_t *from, const uint16_t *begin, uint8_t *data)
{
    uint16_t next[KLV_TAGS + 1];
    memcpy(next, begin, sizeof next);
    for (struct piece item = {.end = t->time_size}; next_piece(t->out, t->size, &item);) {
        const size_t n = item.end - item.here;
        if (!has(from, item.tag))
            continue;
        memcpy(data + next[item.tag], t->out + item.here, n);
        next[item.tag] = (uint16_t)(next[item.tag] + n);
    }
}

/* Where the items of each tag in `seen` begin: those in `out` if `from` has the tag, else the base's. 0 = there is not
 * enough room. */
static int lay_out(const struct thin *t, const uint64_t *from, const struct klv_base *base, uint16_t *begin)
{
    size_t total = 0;
    for (unsigned tag = 0; tag < KLV_TAGS; tag++) {
        begin[tag] = (uint16_t)total;
        if (has(from, tag))
            total += t->sizes[tag];
        else if (has(t->seen, tag))
            total += (size_t)base->begin[tag + 1] - base->begin[tag];
        if (total > KLV_BASE_ROOM)
            return 0;
    }
    begin[KLV_TAGS] = (uint16_t)total;
    return 1;
}

/* The unchanged items of the base move to their new places, by way of a copy. */
static void move_items(const struct thin *t, const uint16_t *begin, struct klv_base *base)
{
    uint8_t before[KLV_BASE_ROOM];
    memcpy(before, base->data, base->begin[KLV_TAGS]);
    for (unsigned tag = 0; tag < KLV_TAGS; tag++)
        if (has(t->seen, tag) && !has(t->changed, tag))
            memcpy(base->data + begin[tag], before + base->begin[tag], (size_t)begin[tag + 1] - begin[tag]);
}

/* The base becomes what a subscriber has then: all of `out`, or what has changed of it and the rest as it was. A
 * version that is not sent in every packet stays. */
void klv_renew(struct thin *t, int full, struct klv_base *base)
{
    uint16_t begin[KLV_TAGS + 1];
    const uint64_t *from = full ? t->seen : t->changed;
    if (!full && t->set->version_tag && has(base->held, t->set->version_tag))
        mark(t->seen, t->set->version_tag);
    if (!full && !t->resized && memcmp(t->seen, base->held, sizeof t->seen) == 0) { /* each where it is */
        copy_items(t, from, base->begin, base->data);
        return;
    }
    if (t->foreign || !lay_out(t, from, base, begin)) {
        base->set = 0;
        return;
    }
    if (!full && memcmp(begin, base->begin, sizeof begin) != 0)
        move_items(t, begin, base);
    memcpy(base->begin, begin, sizeof begin);
    memcpy(base->held, t->seen, sizeof base->held);
    copy_items(t, from, begin, base->data);
    base->set = (int)(t->set - klv_sets);
    base->whole = 0;
}
