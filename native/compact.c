/* compact.c - a thinned packet as one record of a compact message: a CBOR map (RFC 8949) with small integers as keys.
 *
 *   message   an array of such maps: of records of one stream, in order
 *
 *   key
 *     0       seq; from the second record of a message on: the difference to the one before it
 *    -1       [boot, set, received_us, pts, pid, program], null where unknown: the record is full; else it is partial.
 *             set: its key, 16 bytes; null for ST 0601
 *    -2       [tags removed since the record before it]
 *    -3       bytes: the packet as it is, where a map would not restore it: then there are no tags
 *    -4       set, of a partial record of another set than ST 0601
 *    -5       of a partial record: the difference of its seq to that of the record that it continues, if that is not 1
 *   tag       bytes: the value of the item, as received; [bytes, ...] where it repeats
 *             of the time: bytes, or an unsigned number: microseconds after the record of this stream and set before it
 *
 * The checksum is left out: a reader that makes a packet again puts the time first and computes the checksum.
 */
#include "cbor.h"
#include "output.h"
#include "walk.h"

struct compact {
    const uint8_t *in;
    size_t value, end;
    const struct set *set;
    int readable;           /* 1 = the packet can be restored from a map */
    unsigned tags;          /* that the map has */
    uint64_t seen[KLV_TAGS / 64], twice[KLV_TAGS / 64];
};

static int is_sum(const struct set *set, uint64_t tag)
{
    return tag != 0 && tag == set->sum_tag;
}

/* Which tags there are, and whether a map holds all that they are. An SDCC-FLP refers to the items before it, whose
 * order a map does not keep. */
static int read_tags(struct compact *c)
{
    uint64_t tag;
    size_t length;
    for (size_t at = c->value; at < c->end; at += length) {
        if (read_item(c->in, &at, c->end, &tag, &length) != KLV_OK || tag == 0 || tag >= KLV_TAGS)
            return 0;
        if (is_sum(c->set, tag))
            continue;
        const struct item *item = klv_item_of(c->set, tag);
        if (item && item->kind == K_SDCC)
            return 0;
        if (has(c->seen, tag))
            mark(c->twice, tag);
        mark(c->seen, tag);
    }
    c->tags = count_marks(c->seen);
    return count_marks(c->twice) <= KLV_REPEATS;
}

/* The packet, as far as it can be read. A full one without a good checksum is kept as it is. */
static void open_packet(struct compact *c, const uint8_t *packet, size_t n, int full)
{
    uint64_t length;
    size_t used;
    memset(c, 0, sizeof *c);
    c->in = packet;
    c->set = klv_sets;
    if (n <= UL_SIZE || klv_ber_length(packet + UL_SIZE, n - UL_SIZE, &length, &used) != KLV_OK)
        return;
    c->set = &klv_sets[klv_set_of_key(packet)];
    c->value = UL_SIZE + used;
    c->end = n;
    if (length != n - c->value || c->set->universal != U_LOCAL || c->set->tags == 0)
        return;
    if (full && c->set->sum != SUM_NONE && klv_checksum(packet, n) != KLV_GOOD)
        return;
    c->readable = read_tags(c);
}

static void put_known(struct text *t, int64_t value)
{
    if (value < 0)
        klv_put_char(t, (char)(uint8_t)CBOR_NULL);
    else
        put_cbor_head(t, CBOR_UINT, (uint64_t)value);
}

static void put_set(struct text *t, const struct compact *c, size_t n)
{
    if (c->set == klv_st0601 || n < UL_SIZE)
        klv_put_char(t, (char)(uint8_t)CBOR_NULL);
    else
        put_cbor_bytes(t, CBOR_BYTES, c->in, UL_SIZE);
}

static void put_envelope(struct text *t, const struct compact *c, size_t n, const struct klv_envelope *e)
{
    put_cbor_int(t, -1);
    put_cbor_head(t, CBOR_ARRAY, 6);
    if (e->head)
        put_cbor_bytes(t, CBOR_TEXT, e->head, e->head_size);
    else
        klv_put_char(t, (char)(uint8_t)CBOR_NULL);
    put_set(t, c, n);
    put_known(t, e->received_us);
    put_known(t, e->pts);
    put_known(t, e->pid);
    put_known(t, e->program);
}

/* The value at in[at..at+n) of a tag. Of a time: as the difference to the one before, if that is known and earlier. */
static void put_value(struct text *t, const struct compact *c, uint64_t tag, size_t at, size_t n, int64_t before_us)
{
    const uint64_t before = (uint64_t)before_us;
    if (tag == c->set->time_tag && before_us >= 0 && n == 8 && be_uint(c->in + at, 8) >= before)
        put_cbor_head(t, CBOR_UINT, be_uint(c->in + at, 8) - before);
    else
        put_cbor_bytes(t, CBOR_BYTES, c->in + at, n);
}

/* All values of a tag from in[from] on, as an array. */
static void put_values(struct text *t, const struct compact *c, uint64_t wanted, size_t from)
{
    size_t count = 0;
    for (struct piece item = {.end = from}; next_piece(c->in, c->end, &item);)
        count += item.tag == wanted;
    put_cbor_head(t, CBOR_ARRAY, count);
    for (struct piece item = {.end = from}; next_piece(c->in, c->end, &item);)
        if (item.tag == wanted)
            put_cbor_bytes(t, CBOR_BYTES, c->in + item.at, item.end - item.at);
}

static void put_tags(struct text *t, const struct compact *c, int64_t before_us)
{
    uint64_t done[KLV_TAGS / 64] = {0};
    for (struct piece item = {.end = c->value}; next_piece(c->in, c->end, &item);) {
        if (is_sum(c->set, item.tag) || has(done, item.tag))
            continue;
        put_cbor_head(t, CBOR_UINT, item.tag);
        if (has(c->twice, item.tag)) {
            put_values(t, c, item.tag, item.here);
            mark(done, item.tag);
        } else {
            put_value(t, c, item.tag, item.at, item.end - item.at, before_us);
        }
    }
}

long klv_compact(const uint8_t *packet, size_t n, int full, const uint8_t *removed, size_t removed_count,
                 const struct klv_envelope *envelope, int64_t before_us, uint64_t distance, uint8_t *out, size_t room)
{
    struct compact c;
    struct text t = {(char *)out, (char *)out + room, 0, 0};
    open_packet(&c, packet, n, full);
    full |= !c.readable;
    const int alien = !full && c.set != klv_st0601, apart = !full && distance != 1;
    put_cbor_head(&t, CBOR_MAP, 1u + (full != 0) + (removed_count > 0) + (alien != 0) + (apart != 0) +
                                    (c.readable ? c.tags : 1u));
    put_cbor_head(&t, CBOR_UINT, 0);
    put_cbor_head(&t, CBOR_UINT, envelope->seq);
    if (full)
        put_envelope(&t, &c, n, envelope);
    if (removed_count > 0) {
        put_cbor_int(&t, -2);
        put_cbor_head(&t, CBOR_ARRAY, removed_count);
        for (size_t i = 0; i < removed_count; i++)
            put_cbor_head(&t, CBOR_UINT, removed[i]);
    }
    if (alien) {
        put_cbor_int(&t, -4);
        put_set(&t, &c, n);
    }
    if (c.readable) {
        put_tags(&t, &c, full ? -1 : before_us);
    } else {
        put_cbor_int(&t, -3);
        put_cbor_bytes(&t, CBOR_BYTES, packet, n);
    }
    if (apart) {
        put_cbor_int(&t, -5);
        put_cbor_head(&t, CBOR_UINT, distance);
    }
    return t.full ? 0 : (long)(t.p - (char *)out);
}
