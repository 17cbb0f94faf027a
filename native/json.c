/* json.c - one packet to one JSON document, straight from its bytes: a walk over its sets with a stack of its
 * own, no recursion. */
#include "walk.h"

static void put_unread(struct walk *w, size_t value, size_t end)
{
    klv_put(w->out, "{\"unknown\":{");
    klv_put_hex(w->out, w->in, 16);
    klv_put_char(w->out, ':');
    klv_put_hex(w->out, w->in + value, end - value);
    klv_put(w->out, "}}");
    w->unknown++;
}

static void step_frame(struct walk *w, struct frame *f)
{
    int over = f->at >= f->end;
    switch (f->mode) {
    case M_SET: over ? klv_end_set(w, f) : klv_step_set(w, f); break;
    case M_KEYS: over ? klv_end_keys(w, f) : klv_step_keys(w, f); break;
    default:
        if (over) {
            klv_put_char(w->out, ']');
            w->depth--;
        } else if (f->mode == M_SERIES) {
            klv_step_series(w, f);
        } else {
            klv_step_repeat(w, f);
        }
    }
}

/* The root is a set that is surveyed already, or NULL: items by key. */
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

static struct head head_of(const struct walk *w, const struct frame *root, const struct set *set, size_t value, size_t end)
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

static void write_head(struct walk *w, const struct klv_envelope *e, const struct set *set, const struct head head)
{
    struct text *t = w->out;
    klv_put_bytes(t, e->head, e->head_size);
    put_or_null(t, ",\"seq\":", 1, e->seq);
    klv_put(t, ",\"received\":");
    if (e->received_us < 0)
        klv_put(t, "null");
    else
        klv_put_time(t, (uint64_t)e->received_us);
    klv_put(t, ",\"time\":");
    if (head.timed)
        klv_put_time(t, klv_micros(head.time_us));
    else
        klv_put(t, "null");
    put_or_null(t, ",\"time_us\":", head.timed, head.time_us);
    put_or_null(t, ",\"pts\":", e->pts >= 0, (uint64_t)e->pts);
    put_or_null(t, ",\"pid\":", e->pid >= 0, (uint64_t)e->pid);
    put_or_null(t, ",\"program\":", e->program >= 0, (uint64_t)e->program);
    klv_put(t, ",\"set\":\"");
    klv_put(t, set->name);
    put_or_null(t, "\",\"version\":", head.versioned, head.version);
    if (head.timed && klv_time_unit(head.time_us))
        klv_remark_unit(w, set->time_tag, klv_time_unit(head.time_us));
}

/* The remarks were found while the items were written: they go in before them. */
static void insert_remarks(struct walk *w, size_t at_offset, char *out)
{
    struct text *t = w->out, *special = &w->special.text, *warnings = &w->warnings.text;
    if (w->special.left_out + w->warnings.left_out) {
        struct text *last = warnings;
        last->end += REMARK_LAST;
        if (last->p != w->warnings.buffer)
            klv_put_char(last, ',');
        klv_put_char(last, '"');
        klv_put_uint(last, w->special.left_out + w->warnings.left_out);
        klv_put(last, " more remarks left out\"");
    }
    size_t of_special = (size_t)(special->p - w->special.buffer), of_warnings = (size_t)(warnings->p - w->warnings.buffer);
    size_t size = (of_special ? of_special + 13 : 0) + (of_warnings ? of_warnings + 14 : 0);
    if (size == 0 || !klv_reserve(t, size))
        return;
    char *at = out + at_offset;
    memmove(at + size, at, (size_t)(t->p - at));
    t->p += size;
    struct text gap = {at, at + size, 0, 0};
    if (of_special) {
        klv_put(&gap, ",\"special\":{");
        klv_put_bytes(&gap, w->special.buffer, of_special);
        klv_put_char(&gap, '}');
    }
    if (of_warnings) {
        klv_put(&gap, ",\"warnings\":[");
        klv_put_bytes(&gap, w->warnings.buffer, of_warnings);
        klv_put_char(&gap, ']');
    }
}

static const char *checksum_text(int checksum)
{
    static const char *const TEXT[] = {"\"absent\"", "\"ok\"", "\"bad\"", "\"partial\""};
    return TEXT[checksum & 3];
}

size_t klv_json_room(size_t n, size_t head_size)
{
    return 64 * n + 4096 + head_size;
}

enum klv_status klv_json(const uint8_t *packet, size_t n, const struct klv_envelope *envelope,
                         char *out, size_t room, size_t *written, uint64_t *unknown)
{
    uint64_t length;
    size_t used;
    if (n < 17 || klv_ber_length(packet + 16, n - 16, &length, &used) != KLV_OK)
        return KLV_BAD_LENGTH;
    struct text text = {out, out + room, 0, envelope->safe};
    struct walk w;
    w.in = packet;
    w.out = &text;
    w.reached = 0;
    w.steps_left = STEPS_FREE + STEPS_EACH * n;
    w.items_left = KLV_ITEMS;
    w.unknown = 0;
    w.depth = 0;
    w.record = w.entry = -1;
    w.inside = NULL;
    klv_notes_begin(&w.special, n);
    klv_notes_begin(&w.warnings, n);
    const struct set *set = &klv_sets[klv_set_of_key(packet)];
    size_t value = 16 + used, end = length < n - value ? value + (size_t)length : n, remarks = 0;
    struct frame *root = set->universal == U_LOCAL ? klv_push_set(&w, set, value, end) : NULL;
    if (envelope->head) {
        write_head(&w, envelope, set, head_of(&w, root, set, value, end));
        klv_put(&text, ",\"quality\":{\"checksum\":");
        klv_put(&text, checksum_text(envelope->checksum < 0 ? klv_checksum(packet, end) : envelope->checksum));
        klv_put(&text, envelope->damaged ? ",\"transport\":\"damaged\"" : ",\"transport\":\"ok\"");
        remarks = (size_t)(text.p - out);
        klv_put(&text, "},\"items\":");
    }
    if (length > n - value)
        klv_remark_packet(&w, "packet is cut short");
    w.begin = text.p;
    w.most = (size_t)(text.end - text.p);
    write_items(&w, set, root, value, end, length > n - value);
    if (envelope->head) {
        klv_put_char(&text, '}');
        insert_remarks(&w, remarks, out);
    }
    if (text.full)
        return KLV_FULL;
    *written = (size_t)(text.p - out);
    *unknown += w.unknown;
    return KLV_OK;
}

long klv_record(const uint8_t *packet, size_t n, const char *head, size_t head_size, uint64_t seq,
                int64_t received_us, int64_t pts, int pid, int program, int damaged, int sum, int safe, char *out,
                size_t room, uint64_t *unknown)
{
    struct klv_envelope envelope = {head_size ? head : NULL, head_size, seq, received_us, pts, damaged, sum, pid,
                                    program, -1, 0, safe};
    size_t written;
    enum klv_status status = klv_json(packet, n, &envelope, out, room, &written, unknown);
    return status == KLV_OK ? (long)written : status == KLV_FULL ? 0 : (long)status;
}
