/* thin.c - a packet to a smaller one: selected items, positions on a grid, and only what a subscriber does not have.
 *
 *   packet   key | length | 2 time | 13 .. | 14 .. | 48 .. | 65 .. | 1 checksum
 *                             |        \       |                       |
 *                             v         v      v                       v
 *   thinned  key | length | 2 time |         14 .. |             1 checksum again      13 has not changed
 *
 * The items are read three times: the survey finds where their well-formed part ends and the last time stamp; then
 * those wanted go to `out`; then they are compared with the base (base.c), and what has not changed leaves `out` again.
 *
 * An SDCC-FLP refers to the items right before it: it is left out where one of those is, and a packet that has one is
 * always full. So is a VMTI packet: its version decides how others of its items are read.
 */
#include "thin.h"

enum { HEADER_MOST = 32 }; /* bytes before the items in the caller's memory as long as their length is not known */

int klv_band(struct klv_thinning *thinning, const char *key, size_t n, double band)
{
    struct klv_selection found;
    memset(&found, 0, sizeof found);
    const int count = klv_select(&found, key, n);
    for (int set = 1; set < klv_set_count; set++)
        for (unsigned tag = 0; tag < KLV_TAGS; tag++)
            if (has(found.tags[set], tag))
                thinning->bands[set][tag] = (float)band;
    return count;
}

/* ---- survey ---- */

static void survey_packet(struct thin *t)
{
    uint64_t tag;
    size_t length;
    for (size_t at = t->value, here = at; at < t->end; here = at) {
        if (read_item(t->in, &at, t->end, &tag, &length) != KLV_OK) {
            t->end = here;
            t->malformed = 1;
            return;
        }
        at += length;
        if (tag == 0 || tag >= KLV_TAGS) {
            t->foreign = 1;
        } else if (tag == t->set->time_tag) {
            t->time = here;
            t->time_size = at - here;
        } else if (tag == t->set->sum_tag) {
            t->summed = 1;
        } else if (length == 4 && tag < t->set->tags && t->set->items[tag].place == PLACE_LATITUDE) {
            t->latitudes[tag] = (uint32_t)(at - length);
        }
    }
}

/* ---- choose ---- */

/* Is an item wanted? What decides how others are read always is. */
static int is_wanted(const struct thin *t, const struct item *item, uint64_t tag)
{
    if (is_of_head(t->set, tag) || (tag != 0 && tag == t->set->vmti_tag))
        return 1;
    if (item && item->kind == K_SDCC && t->dropped)
        return 0;
    if (item == NULL)
        return t->want->grid <= 0 && (t->tags == NULL || t->want->items.unknown);
    return (t->want->grid <= 0 || item->place != PLACE_INSIDE) && (t->tags == NULL || has(t->tags, tag));
}

/* An item to `out`; 0 = it is a position that can't be rounded. */
static int put_item(struct thin *t, const struct item *item, const struct piece *piece)
{
    uint8_t *to = t->out + t->size;
    const size_t head = piece->at - piece->here, n = piece->end - piece->at;
    const int rounded = t->want->grid > 0 && item && item->place != PLACE_NONE && n > 0;
    if (rounded && (n != 4 || !klv_coarsen(t, item, piece->tag, piece->at, to + head)))
        return 0;
    memcpy(to, t->in + piece->here, rounded ? head : head + n);
    t->size += head + n;
    return 1;
}

static void choose_item(struct thin *t, const struct piece *piece)
{
    const uint64_t tag = piece->tag;
    const struct item *item = klv_item_of(t->set, tag);
    if (!is_wanted(t, item, tag) || !put_item(t, item, piece)) {
        t->dropped = 1;
        return;
    }
    t->undivided |= (item && item->kind == K_SDCC) || (t->want->marked && piece->end == piece->at);
    t->chosen += !is_of_head(t->set, tag);
    if (tag < KLV_TAGS) {
        const int again = has(t->seen, tag);
        t->sizes[tag] = (uint32_t)(piece->end - piece->here) + (again ? t->sizes[tag] : 0);
        mark(again ? t->twice : t->seen, tag);
    }
}

static void choose_items(struct thin *t)
{
    if (t->time) {
        memcpy(t->out, t->in + t->time, t->time_size);
        t->size = t->time_size;
        t->dropped = t->time != t->value;
    }
    for (struct piece item = {.end = t->value}; next_piece(t->in, t->end, &item);) {
        if (item.tag != 0 && item.tag == t->set->sum_tag)
            t->dropped |= item.end < t->end;
        else if (item.tag == 0 || item.tag != t->set->time_tag)
            choose_item(t, &item);
    }
    t->versioned = t->set->version_tag && has(t->seen, t->set->version_tag);
}

/* ---- what of it is sent ---- */

static int is_any(const uint64_t *bits)
{
    _Static_assert(KLV_TAGS / 64 == 3, "all of them");
    return (bits[0] | bits[1] | bits[2]) != 0;
}

/* May it be sent in part? Readers of KLV take an ST 0601 set without a version for one: a packet that has none is
 * sent as it is, and so is any of another set. */
static int is_divisible(const struct thin *t)
{
    const int renewed = t->versioned && has(t->changed, t->set->version_tag);
    return !t->foreign && !t->undivided && !t->malformed && !t->set->vmti_tag && !renewed &&
           count_marks(t->twice) <= KLV_REPEATS && (!t->want->marked || t->versioned);
}

/* How the chosen items are sent: 1, the base is what a subscriber has then; 0 = nothing is sent. */
static int settle(struct thin *t, struct klv_base *base, int full, struct klv_thinned *thinned)
{
    const int known = base && base->set == t->set - klv_sets && !base->whole;
    if (known)
        klv_note_removed(t, base, thinned);
    const int unsure = base && !known && t->want->on_change; /* a subscriber may have items from before */
    if (t->chosen == 0 && t->tags && thinned->removed == 0 && !unsure)
        return 0;
    thinned->full = 1;
    if (known && t->want->on_change && !full) {
        klv_compare(t, base);
        if (!t->foreign && !is_any(t->changed) && thinned->removed == 0)
            return 0;
        thinned->full = !is_divisible(t);
    }
    if (base)
        klv_renew(t, thinned->full, base);
    return 1;
}

/* Only the changed items stay in `out`. */
static void drop_unchanged(struct thin *t)
{
    size_t kept = t->time_size;
    for (struct piece item = {.end = kept}; next_piece(t->out, t->size, &item);) {
        if (!has(t->changed, item.tag))
            continue;
        memmove(t->out + kept, t->out + item.here, item.end - item.here);
        kept += item.end - item.here;
    }
    t->size = kept;
}

static void mark_removed(struct thin *t, const struct klv_thinned *thinned)
{
    for (unsigned i = 0; i < thinned->removed; i++) {
        if (thinned->tags[i] >= 0x80)
            t->out[t->size++] = 0x81;
        t->out[t->size++] = thinned->tags[i] & 0x7f;
        t->out[t->size++] = 0;
    }
}

/* ---- the packet around it ---- */

static size_t put_big_endian(uint8_t *to, uint64_t value, size_t octets)
{
    for (size_t i = 0; i < octets; i++)
        to[i] = (uint8_t)(value >> (8 * (octets - 1 - i)));
    return octets;
}

static size_t put_ber_length(uint8_t *to, size_t length)
{
    size_t octets = 0;
    if (length < 0x80)
        return put_big_endian(to, length, 1);
    for (size_t rest = length; rest > 0; rest >>= 8)
        octets++;
    to[0] = (uint8_t)(0x80 | octets);
    return 1 + put_big_endian(to + 1, length, octets);
}

static uint32_t sum_of(const struct set *set, const uint8_t *packet, size_t n)
{
    switch (set->sum) {
    case SUM_16: return klv_sum16(packet, n);
    case SUM_CRC16: return klv_crc16(packet, n);
    default: return klv_crc32(packet, n);
    }
}

/* Key, length and checksum around `size` bytes at `items`, which may overlap: the bytes of the packet. */
static size_t close_packet(const struct set *set, const uint8_t *key, const uint8_t *items, size_t size, int summed,
                           uint8_t *packet)
{
    const size_t octets = set->sum == SUM_CRC32 ? 4 : 2;
    memcpy(packet, key, UL_SIZE);
    size_t at = UL_SIZE + put_ber_length(packet + UL_SIZE, size + (summed ? 2 + octets : 0));
    memmove(packet + at, items, size);
    at += size;
    if (!summed)
        return at;
    packet[at++] = set->sum_tag;
    packet[at++] = (uint8_t)octets;
    return at + put_big_endian(packet + at, sum_of(set, packet, at), octets);
}

static int thin_local(struct thin *t, struct klv_base *base, int full, uint8_t *out, struct klv_thinned *thinned)
{
    t->out = out + HEADER_MOST;
    choose_items(t);
    if (!settle(t, base, full, thinned))
        return 0;
    if (!thinned->full)
        drop_unchanged(t);
    if (t->want->marked && (!thinned->full || (t->set->version_tag && !t->versioned)))
        mark_removed(t, thinned);
    thinned->size = close_packet(t->set, t->in, t->out, t->size, t->summed, out);
    return 1;
}

/* ---- other packets ---- */

static int is_key_wanted(const struct klv_thinning *want, const struct keyed *keyed)
{
    if (keyed == NULL)
        return want->grid <= 0 && (!want->selected || want->items.unknown);
    if (want->grid > 0 && keyed->item.place != PLACE_NONE)
        return 0;
    const size_t row = (size_t)(keyed - klv_keyed);
    return !want->selected || (keyed->item.flags & F_TIME) || (want->items.keyed[row >> 6] >> (row & 63) & 1);
}

/* A universal set: its wanted items. 0 = it has none but its time. */
static int thin_keys(const struct thin *t, uint8_t *out, struct klv_thinned *thinned)
{
    size_t at = t->value, key, length, size = 0;
    unsigned chosen = 0;
    while (at < t->end && read_key(t->in, &at, t->end, &key, &length)) {
        const struct keyed *keyed = klv_keyed_of(t->in + key);
        at += length;
        if (!is_key_wanted(t->want, keyed))
            continue;
        memcpy(out + HEADER_MOST + size, t->in + key, at - key);
        size += at - key;
        chosen += !(keyed && keyed->item.flags & F_TIME);
    }
    thinned->size = close_packet(t->set, t->in, out + HEADER_MOST, size, 0, out);
    return chosen > 0;
}

/* A packet that is not divided: 0 = it is what the base has already. */
static int keep_whole(const struct thin *t, size_t n, struct klv_base *base, int full, struct klv_thinned *thinned,
                      uint8_t *out)
{
    const int set = (int)(t->set - klv_sets);
    memcpy(out, t->in, n);
    thinned->size = n;
    if (base == NULL)
        return 1;
    if (t->want->on_change && !full && set && base->set == set && base->whole && base->begin[KLV_TAGS] == n &&
        memcmp(base->data, t->in, n) == 0)
        return 0;
    base->set = n <= KLV_BASE_ROOM ? set : 0;
    base->whole = 1;
    if (n <= KLV_BASE_ROOM) {
        memset(base->begin, 0, sizeof base->begin);
        base->begin[KLV_TAGS] = (uint16_t)n;
        memcpy(base->data, t->in, n);
    }
    return 1;
}

/* Only a part of it is wanted, and it is no local set that can be read: 0 = nothing is sent. */
static int thin_other(const struct thin *t, int sound, struct klv_base *base, uint8_t *out, struct klv_thinned *thinned)
{
    if (base)
        base->set = 0;
    if (!sound)
        return 0;
    if (t->set->universal == U_SET)
        return thin_keys(t, out, thinned);
    if (!is_key_wanted(t->want, t->set->universal == U_WHOLE ? klv_keyed_of(t->in) : NULL))
        return 0;
    thinned->size = t->end;
    memcpy(out, t->in, t->end);
    return 1;
}

int klv_thin(const uint8_t *packet, size_t n, const struct klv_thinning *thinning, struct klv_base *base, int full,
             uint8_t *out, struct klv_thinned *thinned)
{
    struct thin t = {.in = packet, .want = thinning, .set = klv_sets};
    uint64_t length = 0;
    size_t used;
    const int restricted = thinning->selected || thinning->grid > 0;
    int sound = n > UL_SIZE && klv_ber_length(packet + UL_SIZE, n - UL_SIZE, &length, &used) == KLV_OK &&
                length == n - UL_SIZE - used;
    thinned->full = 1;
    thinned->removed = 0;
    if (sound) {
        t.set = &klv_sets[klv_set_of_key(packet)];
        t.value = UL_SIZE + used;
        t.end = n;
        t.tags = thinning->selected ? thinning->items.tags[t.set - klv_sets] : NULL;
        sound = t.set->sum == SUM_NONE || klv_checksum(packet, n) != KLV_BAD;
    }
    if (sound && t.set->universal == U_LOCAL && t.set->tags) {
        survey_packet(&t);
        if (restricted || !t.malformed)
            return thin_local(&t, base, full, out, thinned);
    } else if (restricted) {
        return thin_other(&t, sound, base, out, thinned);
    }
    return keep_whole(&t, n, base, full, thinned, out);
}

int64_t klv_thin_packed(const uint8_t *packet, size_t n, const struct klv_thinning *thinning, struct klv_base *base,
                        int full, uint8_t *out, uint8_t *tags)
{
    struct klv_thinned thinned;
    if (!klv_thin(packet, n, thinning, base, full, out, &thinned))
        return 0;
    memcpy(tags, thinned.tags, thinned.removed);
    return (int64_t)thinned.size * 512 + 2 * (int64_t)thinned.removed + thinned.full;
}
