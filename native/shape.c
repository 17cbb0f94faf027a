/* shape.c - a record as an output publishes it, in one call: its packet is thinned, and written in a format.
 *
 *   packet --> klv_thin --> klv_json --> ,"full":..} --> klv_document --> out
 *                  |\---------------> klv_compact ----------------------^
 *                   \--------------------------------------------------/
 *
 * Records of an output on change continue each other. A document says so at its end: "full", of a partial one also
 * "after", the number of the record that it continues, and "removed", the keys that this one has not. A record is full
 * after an interval, in a new run, and where it comes again or in another order: the broker may still have its message
 * and drop an equal one.
 */
#include "output.h"
#include "walk.h"

static int must_be_full(const struct klv_shape *s, int64_t seq, int64_t at)
{
    return !s->begun || seq <= s->highest || at < s->full_at || at - s->full_at >= s->snapshot;
}

/* Thin to memory->packet: 0 = nothing is to be published. A bad packet is published as it is, or not at all. */
static int thin_record(struct klv_shape *s, struct klv_shape_memory *m, const uint8_t *packet, size_t n, int full,
                       int bad)
{
    const struct klv_thinning *want = s->thinning;
    if (want && !bad)
        return klv_thin(packet, n, want, s->base, full, m->packet, &m->as);
    m->as.size = n;
    m->as.full = 1;
    m->as.removed = 0;
    if (want && s->base)
        s->base->set = 0;
    if (want && (want->selected || want->grid > 0))
        return 0;
    memcpy(m->packet, packet, n);
    return 1;
}

/* "key" of an item, or "unknown.150" where it has no definition. */
static void put_key(struct text *t, const struct set *set, unsigned tag)
{
    const struct item *item = klv_item_of(set, tag);
    if (item) {
        klv_put_bytes(t, item->key, item->key_size - 1u);
        return;
    }
    klv_put(t, "\"unknown.");
    klv_put_number(t, tag, 0, 0);
    klv_put_char(t, '"');
}

/* What readers need to continue the record before it, in place of the last bracket of a document. */
static void put_link(struct text *t, const struct klv_shape *s, const struct klv_shape_memory *m)
{
    const struct klv_thinned *as = &m->as;
    t->p--;
    klv_put(t, as->full ? ",\"full\":true" : ",\"full\":false,\"after\":");
    if (!as->full)
        klv_put_number(t, (uint64_t)s->seq, 0, 0);
    for (unsigned i = 0; !as->full && i < as->removed; i++) {
        klv_put(t, i ? "," : ",\"removed\":[");
        put_key(t, &klv_sets[klv_set_of_key(m->packet)], as->tags[i]);
    }
    klv_put(t, !as->full && as->removed ? "]}" : "}");
}

/* The JSON document: 0 = it does not fit, negative = the packet can't be read. */
static long write_json(const struct klv_shape *s, const struct klv_shape_memory *m, const struct klv_envelope *envelope,
                       char *json, size_t room)
{
    size_t written;
    uint64_t unknown = 0;
    const enum klv_status status = klv_json(m->packet, m->as.size, envelope, json, room, &written, &unknown);
    if (status != KLV_OK)
        return status == KLV_FULL ? 0 : (long)status;
    struct text t = {json + written, json + room, 0, 0};
    if (s->base)
        put_link(&t, s, m);
    return t.full ? 0 : (long)(t.p - json);
}

static long write_klv(const struct klv_shape_memory *m)
{
    if (m->as.size > m->out_room)
        return 0;
    memcpy(m->out, m->packet, m->as.size);
    return (long)m->as.size;
}

/* The record in its format: 0 = it does not fit, negative = the packet can't be read. */
static long write_record(const struct klv_shape *s, const struct klv_shape_memory *m,
                         const struct klv_envelope *envelope)
{
    const struct klv_thinned *as = &m->as;
    switch (s->format) {
    case KLV_KLV: return write_klv(m);
    case KLV_JSON: return write_json(s, m, envelope, (char *)m->out, m->out_room);
    case KLV_COMPACT:
        return klv_compact(m->packet, as->size, as->full, as->tags, as->full ? 0 : as->removed, envelope, s->before_us,
                           envelope->seq - (uint64_t)s->seq, m->out, m->out_room);
    default: {
        const long size = write_json(s, m, envelope, m->json, m->json_room);
        return size > 0 ? klv_document(m->json, (size_t)size, s->format, m->out, m->out_room) : size;
    }
    }
}

/* The record is published: the next one continues it. */
static void note_record(struct klv_shape *s, const struct klv_shape_memory *m, int64_t seq, int64_t at)
{
    uint64_t time_us;
    if (m->as.full) {
        s->begun = 1;
        s->full_at = at;
    }
    s->seq = seq;
    if (seq > s->highest)
        s->highest = seq;
    if (s->format == KLV_COMPACT)
        s->before_us = klv_time(m->packet, m->as.size, &time_us) && time_us <= INT64_MAX ? (int64_t)time_us : -1;
}

long klv_shape_record(struct klv_shape *s, struct klv_shape_memory *m, const uint8_t *packet, size_t n, int64_t seq,
                      int64_t received_us, int64_t pts, int pid, int program, int damaged, int checksum, int64_t at,
                      int again)
{
    const struct klv_envelope envelope = {.head = s->head,
                                          .head_size = s->head_size,
                                          .seq = (uint64_t)seq,
                                          .received_us = received_us,
                                          .pts = pts,
                                          .damaged = damaged,
                                          .checksum = checksum,
                                          .pid = pid,
                                          .program = program,
                                          .pcr = -1,
                                          .safe = s->safe};
    if (m->packet_room < n + KLV_THIN_MORE)
        return KLV_ROOM_THIN;
    if (!again && !thin_record(s, m, packet, n, must_be_full(s, seq, at), damaged || checksum == KLV_BAD))
        return 0;
    const long written = write_record(s, m, &envelope);
    if (written > 0 && s->base)
        note_record(s, m, seq, at);
    return written == 0 ? KLV_ROOM_WRITE : written;
}
