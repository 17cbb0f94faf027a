/* json.c - one packet to one JSON document, straight from its bytes: a walk over its sets with a stack of its
 * own, no recursion. Each set is surveyed once (structure, repeats), then written. */
#include "walk.h"

/* What an item may need before its value is known: comma, key, brackets. */
enum { SLACK = 80 };

static int is_root(const struct walk *w)
{
    return w->depth == 1;
}

/* Items that the record's head has: checksum, time, version. */
static int lifted(const struct walk *w, const struct frame *f, uint64_t tag)
{
    if (!is_root(w) || tag == 0)
        return 0;
    return (f->set->tags && f->set->sum != SUM_NONE && tag == f->set->sum_tag) || (f->set->lift_time && tag == 2) ||
           (f->set->lift_version && tag == 65);
}

static const struct item *known(const struct set *set, uint64_t tag)
{
    return tag < set->tags && set->items[tag].kind != K_NONE ? &set->items[tag] : NULL;
}

/* Is there another item of this tag from `at` on? If so *at is its value and *length its size. */
static int find_again(const struct walk *w, const struct frame *f, uint64_t wanted, size_t *at, size_t *length)
{
    uint64_t tag;
    while (*at < f->end && read_item(w->in, at, f->end, &tag, length) == KLV_OK) {
        if (tag == wanted)
            return 1;
        *at += *length;
    }
    return 0;
}

/* The end of what is well formed in a set, and which tags come twice. */
static void survey(struct walk *w, struct frame *f)
{
    uint64_t seen[3] = {0}, tag = 0;
    size_t at = f->begin, length;
    int versioned = f->set->items != NULL && f->set->lift_time && !f->set->lift_version;
    while (at < f->end) {
        size_t here = at;
        enum klv_status status = read_item(w->in, &at, f->end, &tag, &length);
        if (status != KLV_OK || w->items_left == 0) {
            if (status == KLV_OK)
                remark_packet(w, "too many items, the rest left out");
            else if (status == KLV_BAD_TAG)
                remark_packet(w, "a tag is malformed, the rest of its set left out");
            else
                remark_tag(w, tag, "length runs past the end, the rest of its set left out");
            f->end = here;
            return;
        }
        w->items_left--;
        if (has(seen, tag))
            mark(f->twice, tag);
        mark(seen, tag);
        if (versioned && tag == 4 && length > 0 && length <= 8) /* VMTI version */
            f->old = be_uint(w->in + at, length) < 4;
        at += length;
    }
}

static struct frame *push(struct walk *w, enum mode mode, const struct set *set, size_t begin, size_t end)
{
    uint8_t old = w->depth ? top(w)->old : 0, amend = w->depth ? top(w)->amend : 0;
    struct frame *f = &w->stack[w->depth++];
    memset(f, 0, sizeof *f);
    f->mode = (uint8_t)mode;
    f->old = old;
    f->amend = amend;
    f->set = set;
    f->begin = f->at = begin;
    f->end = end;
    return f;
}

static void open_set(struct walk *w, const struct set *set, size_t begin, size_t end)
{
    put_char(w->out, '{');
    survey(w, push(w, M_SET, set, begin, end));
}

static int too_deep(struct walk *w)
{
    unsigned sets = 0;
    for (unsigned i = 0; i < w->depth; i++)
        sets += w->stack[i].mode == M_SET;
    if (sets <= KLV_DEPTH)
        return 0;
    remark(w, "nested too deep");
    return 1;
}

static void open_series(struct walk *w, enum mode mode, const struct item *item, size_t begin, size_t end)
{
    uint64_t tag = top(w)->tag;
    struct frame *f = push(w, mode, item->set, begin, end);
    f->item = item;
    f->tag = tag;
    put_char(w->out, '[');
}

/* The value of an item at in[at..at+n): 0 = keep it raw. */
static int write_at(struct walk *w, const struct item *item, size_t at, size_t n)
{
    if (n == 0) {
        if (!(item->flags & F_ZERO) && !top(w)->amend) /* in an amend it deletes */
            remark(w, "length 0 is not legal here");
        write_null(w);
        return 1;
    }
    switch (item->kind) {
    case K_SET:
        if (too_deep(w))
            return 0;
        open_set(w, item->set, at, at + n);
        top(w)->amend |= (item->flags & F_AMEND) != 0;
        return 1;
    case K_SERIES:
    case K_TARGETS:
        if (too_deep(w))
            return 0;
        open_series(w, M_SERIES, item, at, at + n);
        return 1;
    default: return write_value(w, item, w->in + at, n, NULL);
    }
}

static void keep_raw(struct walk *w, struct frame *f)
{
    mark(f->kept, f->tag);
    f->raw = 1;
    w->unknown++;
}

static void write_item(struct walk *w, const struct item *item, size_t at, size_t n)
{
    struct frame *f = top(w);
    char *before = w->out->p;
    if (!room(w->out, SLACK))
        return;
    if (f->comma)
        *w->out->p++ = ',';
    memcpy(w->out->p, item->key, 64);
    w->out->p += item->key_size;
    if (item->flags & F_REPEATS) {
        open_series(w, M_REPEAT, item, f->begin, f->end);
    } else if (!write_at(w, item, at, n)) {
        w->out->p = before;
        keep_raw(w, f);
        return;
    }
    f->comma = 1;
}

/* What an item of the head has to say for itself, once and of the last of its kind. */
static void remark_lifted(struct walk *w, struct frame *f, const struct item *item, size_t at, size_t n)
{
    if (has(f->twice, f->tag)) {
        size_t next = at + n, size;
        if (find_again(w, f, f->tag, &next, &size))
            return;
        remark(w, "repeated, last kept");
    }
    if (n == 0 && !(item->flags & F_ZERO))
        remark(w, "length 0 is not legal here");
    else if (n > 0 && (n < item->len_min || n > item->len_max))
        remark_length(w, item, n);
    if (n > 8)
        keep_raw(w, f);
}

static void step_set(struct walk *w, struct frame *f)
{
    uint64_t tag;
    size_t length, at = f->at;
    if (read_item(w->in, &at, f->end, &tag, &length) != KLV_OK) { /* the survey has cut off all such */
        f->at = f->end;
        return;
    }
    f->at = at + length;
    const struct item *item = known(f->set, tag);
    f->tag = tag;
    f->item = item;
    if (lifted(w, f, tag)) {
        remark_lifted(w, f, item, at, length);
        return;
    }
    if (item == NULL) {
        keep_raw(w, f);
        return;
    }
    if (has(f->twice, tag)) {
        size_t next = f->at, size;
        if (item->flags & F_REPEATS ? has(f->done, tag) : find_again(w, f, tag, &next, &size))
            return;
        if (!(item->flags & F_REPEATS))
            remark(w, "repeated, last kept");
        mark(f->done, tag);
    }
    write_item(w, item, at, length);
}

/* Items kept raw, by tag, as hex. */
static void write_unknown(struct walk *w, struct frame *f)
{
    uint64_t tag;
    size_t at = f->begin, length;
    int comma = 0;
    put(w->out, f->comma ? ",\"unknown\":{" : "\"unknown\":{");
    while (at < f->end && read_item(w->in, &at, f->end, &tag, &length) == KLV_OK) {
        size_t value = at, size = length;
        at += length;
        if (known(f->set, tag) && !has(f->kept, tag))
            continue;
        size_t next = at;
        if ((tag >= 192 || has(f->twice, tag)) && find_again(w, f, tag, &next, &length))
            continue;
        next = f->begin;
        if (!known(f->set, tag) && find_again(w, f, tag, &next, &length) && next != value)
            remark_tag(w, tag, "repeated, last kept");
        put(w->out, comma++ ? ",\"" : "\"");
        put_uint(w->out, tag);
        put(w->out, "\":");
        put_hex(w->out, w->in + value, size);
        if (w->out->full)
            return;
    }
    put_char(w->out, '}');
}

static void end_set(struct walk *w, struct frame *f)
{
    f->item = NULL;
    if (f->raw)
        write_unknown(w, f);
    put_char(w->out, '}');
    w->depth--;
}

/* The next element of a series: a local set behind a BER length, with its id first in a VTarget pack. */
static void step_series(struct walk *w, struct frame *f)
{
    uint64_t length, id;
    size_t used;
    f->index += f->comma;
    if (klv_ber_length(w->in + f->at, f->end - f->at, &length, &used) != KLV_OK || length > f->end - f->at - used) {
        remark(w, "series is malformed, the rest left out");
        f->at = f->end;
        return;
    }
    size_t begin = f->at + used, end = begin + (size_t)length;
    f->at = end;
    if (f->comma)
        put_char(w->out, ',');
    f->comma = 1;
    if (f->item->kind == K_SERIES) {
        open_set(w, f->set, begin, end);
        return;
    }
    if (klv_ber_oid(w->in + begin, end - begin, 9, &id, &used) != KLV_OK) {
        remark(w, "target without id");
        write_null(w);
        return;
    }
    put(w->out, "{\"target_id\":");
    put_uint(w->out, id);
    struct frame *target = push(w, M_SET, f->set, begin + used, end);
    target->comma = 1;
    survey(w, target);
}

/* The next of the items that may come more than once. */
static void step_repeat(struct walk *w, struct frame *f)
{
    size_t at = f->at, length;
    if (!find_again(w, f, f->tag, &at, &length)) {
        f->at = f->end;
        return;
    }
    f->at = at + length;
    if (f->comma)
        put_char(w->out, ',');
    f->index += f->comma;
    f->comma = 1;
    char *before = w->out->p;
    if (!write_at(w, f->item, at, length)) {
        w->out->p = before;
        write_null(w);
    }
}

static int key_again(const struct walk *w, const uint8_t *key, size_t at, size_t end)
{
    uint64_t length;
    size_t used;
    while (end - at > 16) {
        if (memcmp(w->in + at, key, 16) == 0)
            return 1;
        if (klv_ber_length(w->in + at + 16, end - at - 16, &length, &used) != KLV_OK || length > end - at - 16 - used)
            break;
        at += 16 + used + (size_t)length;
    }
    return 0;
}

/* Sets of 16-byte keys, and packets whose key no table has: all is kept raw, by key. */
static void write_by_key(struct walk *w, size_t at, size_t end, int universal)
{
    uint64_t length;
    size_t used;
    size_t begin = at;
    int comma = 0;
    if (universal && end - at <= 16) {
        put(w->out, "{}");
        if (at < end)
            remark_packet(w, "an item is malformed, the rest left out");
        return;
    }
    put(w->out, "{\"unknown\":{");
    while (universal && end - at > 16 && w->items_left > 0 && !w->out->full) {
        if (klv_ber_length(w->in + at + 16, end - at - 16, &length, &used) != KLV_OK || length > end - at - 16 - used)
            break;
        size_t key = at;
        at += 16 + used + (size_t)length;
        w->items_left--;
        if (key_again(w, w->in + key, at, end))
            continue;
        if (key_again(w, w->in + key, begin, key))
            remark_key(w, w->in + key, "repeated, last kept");
        if (comma++)
            put_char(w->out, ',');
        put_hex(w->out, w->in + key, 16);
        put_char(w->out, ':');
        put_hex(w->out, w->in + key + 16 + used, (size_t)length);
        w->unknown++;
    }
    if (universal && at < end)
        remark_packet(w, "an item is malformed, the rest left out");
    if (!universal) {
        put_hex(w->out, w->in, 16);
        put_char(w->out, ':');
        put_hex(w->out, w->in + at, end - at);
        w->unknown++;
    }
    put(w->out, "}}");
}

static void write_items(struct walk *w, const struct set *set, size_t value, size_t end)
{
    if (set->universal) {
        write_by_key(w, value, end, set->universal == U_SET);
        return;
    }
    open_set(w, set, value, end);
    while (w->depth > 0 && !w->out->full) {
        struct frame *f = top(w);
        int over = f->at >= f->end;
        if (f->mode == M_SET) {
            if (over)
                end_set(w, f);
            else
                step_set(w, f);
        } else if (over) {
            put_char(w->out, ']');
            w->depth--;
        } else if (f->mode == M_SERIES) {
            step_series(w, f);
        } else {
            step_repeat(w, f);
        }
    }
}

static void put_or_null(struct text *t, const char *key, int present, uint64_t value)
{
    put(t, key);
    if (present)
        put_uint(t, value);
    else
        put(t, "null");
}

static void write_head(struct text *t, const struct klv_envelope *e, const uint8_t *packet, size_t n, size_t value,
                       const struct set *set)
{
    uint64_t time_us = 0, version = 0, tag;
    int timed = 0, versioned = 0;
    size_t at = value, length;
    while (set->lift_time && at < n && read_item(packet, &at, n, &tag, &length) == KLV_OK) {
        if (tag == 2) {
            timed = length > 0 && length <= 8;
            time_us = timed ? be_uint(packet + at, length) : 0;
        } else if (tag == 65 && set->lift_version) {
            versioned = length > 0 && length <= 8;
            version = versioned ? be_uint(packet + at, length) : 0;
        }
        at += length;
    }
    put_bytes(t, e->head, e->head_size);
    put_or_null(t, ",\"seq\":", 1, e->seq);
    put(t, ",\"received\":");
    if (e->received_us < 0)
        put(t, "null");
    else
        put_time(t, (uint64_t)e->received_us);
    put(t, ",\"time\":");
    if (timed)
        put_time(t, time_us);
    else
        put(t, "null");
    put_or_null(t, ",\"time_us\":", timed, time_us);
    put_or_null(t, ",\"pts\":", e->pts >= 0, (uint64_t)e->pts);
    put(t, ",\"set\":\"");
    put(t, set->name);
    put_or_null(t, "\",\"version\":", versioned, version);
}

/* The remarks were found while the items were written: they go in before them. */
static void insert_remarks(struct walk *w, size_t at_offset, char *out)
{
    struct text *t = w->out, *special = &w->special.text, *warnings = &w->warnings.text;
    if (w->special.left_out + w->warnings.left_out) {
        struct text *last = warnings;
        last->end = w->warnings.buffer + sizeof w->warnings.buffer; /* room kept for this one */
        if (last->p != w->warnings.buffer)
            put_char(last, ',');
        put_char(last, '"');
        put_uint(last, w->special.left_out + w->warnings.left_out);
        put(last, " more remarks left out\"");
    }
    size_t of_special = (size_t)(special->p - w->special.buffer), of_warnings = (size_t)(warnings->p - w->warnings.buffer);
    size_t size = (of_special ? of_special + 13 : 0) + (of_warnings ? of_warnings + 14 : 0);
    if (size == 0 || !room(t, size))
        return;
    char *at = out + at_offset;
    memmove(at + size, at, (size_t)(t->p - at));
    t->p += size;
    struct text gap = {at, at + size, 0};
    if (of_special) {
        put(&gap, ",\"special\":{");
        put_bytes(&gap, w->special.buffer, of_special);
        put_char(&gap, '}');
    }
    if (of_warnings) {
        put(&gap, ",\"warnings\":[");
        put_bytes(&gap, w->warnings.buffer, of_warnings);
        put_char(&gap, ']');
    }
}

static const char *checksum_text(int checksum)
{
    return checksum == KLV_GOOD ? "\"ok\"" : checksum == KLV_BAD ? "\"bad\"" : "\"absent\"";
}

enum klv_status klv_json(const uint8_t *packet, size_t n, const struct klv_envelope *envelope,
                         char *out, size_t room_, size_t *written, uint64_t *unknown)
{
    uint64_t length;
    size_t used;
    if (n < 17 || klv_ber_length(packet + 16, n - 16, &length, &used) != KLV_OK)
        return KLV_BAD_LENGTH;
    struct text text = {out, out + room_, 0};
    struct walk w;
    w.in = packet;
    w.out = &text;
    w.items_left = KLV_ITEMS;
    w.unknown = 0;
    w.depth = 0;
    w.record = w.entry = -1;
    notes_begin(&w.special);
    notes_begin(&w.warnings);
    const struct set *set = &klv_sets[set_of_key(packet)];
    size_t value = 16 + used, end = length < n - value ? value + (size_t)length : n, remarks = 0;
    if (envelope->head) {
        write_head(&text, envelope, packet, end, value, set);
        put(&text, ",\"quality\":{\"checksum\":");
        put(&text, checksum_text(klv_checksum(packet, end)));
        put(&text, envelope->damaged ? ",\"transport\":\"damaged\"" : ",\"transport\":\"ok\"");
        remarks = (size_t)(text.p - out);
        put(&text, "},\"items\":");
    }
    if (length > n - value)
        remark_packet(&w, "packet is cut short");
    write_items(&w, set, value, end);
    if (envelope->head) {
        put_char(&text, '}');
        insert_remarks(&w, remarks, out);
    }
    if (text.full)
        return KLV_FULL;
    *written = (size_t)(text.p - out);
    *unknown += w.unknown;
    return KLV_OK;
}

long klv_record(const uint8_t *packet, size_t n, const char *head, size_t head_size, uint64_t seq,
                int64_t received_us, int64_t pts, int damaged, char *out, size_t room_)
{
    struct klv_envelope envelope = {head_size ? head : NULL, head_size, seq, received_us, pts, damaged};
    size_t written;
    uint64_t unknown = 0;
    enum klv_status status = klv_json(packet, n, &envelope, out, room_, &written, &unknown);
    return status == KLV_OK ? (long)written : status == KLV_FULL ? 0 : (long)status;
}
