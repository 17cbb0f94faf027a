/* json.c - one packet to one JSON document, straight from its bytes: the record's head, then a walk over the packet's
 * sets with an explicit stack (walk.h), no recursion.
 *
 *   {"schema":..,"boot":..      the caller's, unchanged
 *    ,"seq":..,"received":..    of the envelope
 *    ,"time":..,"time_us":..    of the packet's set, which is surveyed before anything is written
 *    ,"pts":..,"pid":..,"program":..,"set":..,"version":..
 *    ,"quality":{"checksum":..,"transport":..
 *        ,"special":{..},"warnings":[..]       put in last: insert_remarks
 *    },"items":{..}}            the walk
 *
 * Without a head the document is the items object alone.
 */
#include "walk.h"

/* A packet that is one item and cut short: what there is of it. */
static void put_unread(struct walk *w, size_t value, size_t end)
{
    if (!is_key_selected(w, klv_keyed_of(w->in))) {
        klv_put(w->out, "{}");
        return;
    }
    klv_put(w->out, "{\"unknown\":{");
    klv_put_hex(w->out, w->in, 16);
    klv_put_char(w->out, ':');
    klv_put_hex(w->out, w->in + value, end - value);
    klv_put(w->out, "}}");
    w->unknown++;
}

static void step_frame(struct walk *w, struct frame *f)
{
    const int over = f->at >= f->end;
    switch (f->mode) {
    case M_SET: over ? klv_end_set(w, f) : klv_step_set(w, f); break;
    case M_SERIES: over ? klv_end_series(w) : klv_step_series(w, f); break;
    case M_REPEAT: over ? klv_end_series(w) : klv_step_repeat(w, f); break;
    default: over ? klv_end_keys(w, f) : klv_step_keys(w, f); break;
    }
}

/* The items of the value in[value..end). `root` is the frame of a local set; NULL: items go by key. A packet that is
 * one item is read from its own key on, with its length: where that is wrong (`cut`), the bytes stay hex. */
static void write_items(struct walk *w, const struct set *set, struct frame *root, size_t value, size_t end, int cut)
{
    if (root) {
        klv_put_char(w->out, '{');
        klv_begin_set(w, root);
    } else if (set->universal == U_SET) {
        klv_open_keys(w, set, value, end);
    } else if (cut) {
        put_unread(w, value, end);
    } else {
        klv_open_keys(w, set, 0, end);
    }
    while (w->depth > 0 && !w->out->full)
        step_frame(w, top(w));
}

static void put_or_null(struct text *t, const char *key, int present, uint64_t value)
{
    klv_put(t, key);
    if (present)
        klv_put_uint(t, value);
    else
        klv_put(t, "null");
}

static void put_time_or_null(struct text *t, const char *key, int present, uint64_t time_us)
{
    klv_put(t, key);
    if (present)
        klv_put_time(t, time_us);
    else
        klv_put(t, "null");
}

/* Time and version of a packet: of a local set the survey has found them. */
static struct head head_of(const struct walk *w, const struct set *set, const struct frame *root, size_t value,
                           size_t end)
{
    struct head head = {0};
    if (root == NULL)
        return klv_head_of(set, w->in, value, end);
    head.timed = root->timed;
    head.time_us = root->time_us;
    if (set->version_tag && has(root->seen, set->version_tag))
        head.versioned = klv_number_of(w, root, set->version_tag, &head.version);
    return head;
}

static void write_head(struct walk *w, const struct klv_envelope *e, const struct set *set, const struct head *head)
{
    struct text *t = w->out;
    klv_put_bytes(t, e->head, e->head_size);
    put_or_null(t, ",\"seq\":", 1, e->seq);
    put_time_or_null(t, ",\"received\":", e->received_us >= 0, (uint64_t)e->received_us);
    put_time_or_null(t, ",\"time\":", head->timed, klv_micros(head->time_us));
    put_or_null(t, ",\"time_us\":", head->timed, head->time_us);
    put_or_null(t, ",\"pts\":", e->pts >= 0, (uint64_t)e->pts);
    put_or_null(t, ",\"pid\":", e->pid >= 0, (uint64_t)e->pid);
    put_or_null(t, ",\"program\":", e->program >= 0, (uint64_t)e->program);
    klv_put(t, ",\"set\":\"");
    klv_put(t, set->name);
    put_or_null(t, "\",\"version\":", head->versioned, head->version);
    if (head->timed && klv_time_unit(head->time_us))
        klv_remark_unit(w, set->time_tag, klv_time_unit(head->time_us));
}

/* "quality" up to where the remarks go, and what follows them; the place of the remarks, an offset from `out`. */
static size_t write_quality(struct text *t, int checksum, int damaged, const char *out)
{
    static const char *const CHECKSUM[] = {"\"absent\"", "\"ok\"", "\"bad\"", "\"partial\""};
    klv_put(t, ",\"quality\":{\"checksum\":");
    klv_put(t, CHECKSUM[checksum & 3]);
    klv_put(t, damaged ? ",\"transport\":\"damaged\"" : ",\"transport\":\"ok\"");
    const size_t remarks = (size_t)(t->p - out);
    klv_put(t, "},\"items\":");
    return remarks;
}

/* The last warning: how many remarks of either kind were left out. Space for it was reserved. */
static void count_left_out(struct walk *w)
{
    struct text *t = &w->warnings.text;
    const unsigned left_out = w->special.left_out + w->warnings.left_out;
    if (left_out == 0)
        return;
    t->end += REMARK_LAST;
    if (t->p != w->warnings.buffer)
        klv_put_char(t, ',');
    klv_put_char(t, '"');
    klv_put_uint(t, left_out);
    klv_put(t, " more remarks left out\"");
}

static void put_remarks(struct text *t, const char *before, const struct notes *notes, size_t size, char after)
{
    if (size == 0)
        return;
    klv_put(t, before);
    klv_put_bytes(t, notes->buffer, size);
    klv_put_char(t, after);
}

/* The remarks are known once the items are written, but belong before these: they move up. Nearly all packets have
 * none. */
static void insert_remarks(struct walk *w, char *at)
{
    static const char SPECIAL[] = ",\"special\":{", WARNINGS[] = ",\"warnings\":[";
    struct text *t = w->out;
    count_left_out(w);
    const size_t special = (size_t)(w->special.text.p - w->special.buffer);
    const size_t warnings = (size_t)(w->warnings.text.p - w->warnings.buffer);
    const size_t size = (special ? sizeof SPECIAL + special : 0) + (warnings ? sizeof WARNINGS + warnings : 0);
    if (size == 0 || !klv_reserve(t, size))
        return;
    memmove(at + size, at, (size_t)(t->p - at));
    t->p += size;
    struct text gap = {at, at + size, 0, 0};
    put_remarks(&gap, SPECIAL, &w->special, special, '}');
    put_remarks(&gap, WARNINGS, &w->warnings, warnings, ']');
}

size_t klv_json_room(size_t n, size_t head_size)
{
    return 64 * n + 4096 + head_size;
}

/* Not the whole of `w` is cleared: its tables are large, and few packets use them. */
static void begin_walk(struct walk *w, const uint8_t *packet, size_t n, const struct klv_selection *items,
                       struct text *out)
{
    w->in = packet;
    w->out = out;
    w->selection = items;
    w->tags = NULL;
    w->reached = 0;
    w->steps_left = STEPS_FREE + STEPS_EACH * n;
    w->items_left = KLV_ITEMS;
    w->unknown = 0;
    w->depth = 0;
    w->record = w->entry = -1;
    w->inside = NULL;
    klv_notes_begin(&w->special, n);
    klv_notes_begin(&w->warnings, n);
}

enum klv_status klv_json(const uint8_t *packet, size_t n, const struct klv_envelope *envelope,
                         char *out, size_t room, size_t *written, uint64_t *unknown)
{
    uint64_t length;
    size_t used, remarks = 0;
    if (n < 17 || klv_ber_length(packet + 16, n - 16, &length, &used) != KLV_OK)
        return KLV_BAD_LENGTH;
    const struct set *set = &klv_sets[klv_set_of_key(packet)];
    const size_t value = 16 + used;
    const int cut = length > n - value;
    const size_t end = cut ? n : value + (size_t)length;
    struct text text = {out, out + room, 0, envelope->safe};
    struct walk w;
    begin_walk(&w, packet, n, envelope->items, &text);
    if (envelope->items && set->universal == U_LOCAL)
        w.tags = envelope->items->tags[set - klv_sets];
    struct frame *root = set->universal == U_LOCAL ? klv_push_set(&w, set, value, end) : NULL;
    if (envelope->head) {
        const struct head head = head_of(&w, set, root, value, end);
        const int checksum = envelope->checksum < 0 ? klv_checksum(packet, end) : envelope->checksum;
        write_head(&w, envelope, set, &head);
        remarks = write_quality(&text, checksum, envelope->damaged, out);
    }
    if (cut)
        klv_remark_packet(&w, "packet is cut short");
    w.begin = text.p;
    w.most = (size_t)(text.end - text.p);
    write_items(&w, set, root, value, end, cut);
    if (envelope->head) {
        klv_put_char(&text, '}');
        insert_remarks(&w, out + remarks);
    }
    if (text.full)
        return KLV_FULL;
    *written = (size_t)(text.p - out);
    *unknown += w.unknown;
    return KLV_OK;
}

long klv_record(const uint8_t *packet, size_t n, const char *head, size_t head_size, uint64_t seq,
                int64_t received_us, int64_t pts, int pid, int program, int damaged, int checksum, int safe,
                const struct klv_selection *items, char *out, size_t room, uint64_t *unknown)
{
    const struct klv_envelope envelope = {.head = head_size ? head : NULL,
                                          .head_size = head_size,
                                          .seq = seq,
                                          .received_us = received_us,
                                          .pts = pts,
                                          .damaged = damaged,
                                          .checksum = checksum,
                                          .pid = pid,
                                          .program = program,
                                          .pcr = -1,
                                          .safe = safe,
                                          .items = items};
    size_t written;
    const enum klv_status status = klv_json(packet, n, &envelope, out, room, &written, unknown);
    return status == KLV_OK ? (long)written : status == KLV_FULL ? 0 : (long)status;
}
