/* set.c - local sets, series of them, and items that repeat (MISB ST 0107, SMPTE ST 336).
 *
 *   packet    16 bytes        1 to 9 bytes       `length` bytes
 *            +---------------+------------------+----------------------------------------------------------+
 *            | universal key | length, BER      | the local set: items in any order, without separators    |
 *            +---------------+------------------+----------------------------------------------------------+
 *
 *   item      1 to 5 bytes    1 to 9 bytes       `length` bytes
 *            +---------------+------------------+--------------------------------------+
 *            | tag, BER-OID  | length, BER      | value: what the set's table says     |    next item ...
 *            +---------------+------------------+--------------------------------------+
 *
 *   BER-OID   7 bits a byte, the most significant first; bit 7 is set on all but the last: 05, 81 0F
 *   BER       00..7F: the length itself; 81..88: so many bytes of length follow: 26, 81 90, 82 01 27
 *
 * An item's value may be a local set again (48 in ST 0601: security), or a series of them.
 *
 * A set is read twice. The survey, before anything is written, finds where the set's well-formed part ends,
 * which tags repeat (of those the last one counts, at its own place), and the items that the record's head or the
 * reading of other items depends on: time, version. The second pass writes the items as they come. A third one only
 * follows where items are kept raw: "unknown" lists them after the others.
 */
#include "walk.h"

const struct item *klv_item_of(const struct set *set, uint64_t tag)
{
    return tag < set->tags && set->items[tag].kind != K_NONE ? &set->items[tag] : NULL;
}

int klv_find_again(const struct walk *w, const struct frame *f, uint64_t wanted, size_t *at, size_t *length)
{
    uint64_t tag;
    while (*at < f->end && read_item(w->in, at, f->end, &tag, length) == KLV_OK) {
        if (tag == wanted)
            return 1;
        *at += *length;
    }
    return 0;
}

/* Has one of a VMTI set's targets in[at..end) an offset that is shorter than the 3 bytes of its IMAPB? */
static int short_offsets(const struct walk *w, const struct item *series, size_t at, size_t end)
{
    uint64_t length, id, tag;
    size_t used, size;
    while (at < end && klv_ber_length(w->in + at, end - at, &length, &used) == KLV_OK && length <= end - at - used) {
        size_t inner = at + used;
        at = inner + (size_t)length;
        if (klv_ber_oid(w->in + inner, at - inner, 9, &id, &used) != KLV_OK)
            continue; /* no target id: klv_step_series remarks that */
        for (inner += used; inner < at && read_item(w->in, &inner, at, &tag, &size) == KLV_OK; inner += size) {
            const struct item *item = klv_item_of(series->set, tag);
            if (item && item->old == OLD_LINEAR_INT && size > 0 && size < item->len_min)
                return 1;
        }
    }
    return 0;
}

/* The maps of a VMTI set without item 4, its version: senders leave that out of most sets. Up to version 3 they wrote
 * offsets of targets in as few bytes as they needed, from version 4 on IMAPB fixes their width. */
static void infer_maps(struct walk *w, struct frame *f)
{
    uint64_t tag;
    size_t at = f->begin, length;
    while (at < f->end && read_item(w->in, &at, f->end, &tag, &length) == KLV_OK) {
        const struct item *item = klv_item_of(f->set, tag);
        if (item && item->kind == K_TARGETS && short_offsets(w, item, at, at + length)) {
            f->old = 1;
            klv_remark_packet(w, "VMTI version missing: short offsets indicate the mapping before version 4");
            return;
        }
        at += length;
    }
}

/* The structure of a set: where its well-formed part ends, which tags it has, and where the last item of each is. */
static void survey_set(const struct walk *w, struct frame *f)
{
    const uint8_t *in = w->in;
    const size_t end = f->end;
    uint64_t tag = 0;
    size_t length;
    for (size_t at = f->begin, here = at; at < end; here = at) {
        enum klv_status status = read_item(in, &at, end, &tag, &length);
        if (status != KLV_OK) { /* the next item begins where one ends: all after it are lost */
            f->fault = status;
            f->tag = tag;
            f->end = here;
            return;
        }
        at += length;
        if (tag >= KLV_TAGS) { /* kept raw in any set; latest_of_tag finds repeats if there are any of these */
            f->high++;
            continue;
        }
        const uint64_t bit = (uint64_t)1 << (tag & 63), seen = f->seen[tag >> 6];
        f->seen[tag >> 6] = seen | bit;
        if (seen & bit)
            f->twice[tag >> 6] |= bit;
        f->last[tag] = (uint32_t)here;
    }
}

int klv_number_of(const struct walk *w, const struct frame *f, uint8_t tag, uint64_t *value)
{
    uint64_t found;
    size_t at = f->last[tag], length;
    *value = 0;
    if (read_item(w->in, &at, f->end, &found, &length) != KLV_OK || length == 0 || length > 8)
        return 0;
    *value = be_uint(w->in + at, length);
    return 1;
}

struct frame *klv_push(struct walk *w, enum mode mode, const struct set *set, size_t begin, size_t end)
{
    const struct frame *around = w->depth ? top(w) : NULL;
    struct frame *f = &w->stack[w->depth++];
    memset(f, 0, offsetof(struct frame, seen));
    /* One by one: for a larger block compilers use an instruction that takes long to start (rep stos). */
    memset(f->seen, 0, sizeof f->seen);
    memset(f->twice, 0, sizeof f->twice);
    memset(f->apart, 0, sizeof f->apart);
    memset(f->done, 0, sizeof f->done);
    memset(f->kept, 0, sizeof f->kept);
    f->mode = (uint8_t)mode;
    f->set = set;
    f->begin = f->at = begin;
    f->end = end;
    if (around) { /* a set's time and maps hold for the sets inside it, unless those have their own */
        f->old = around->old;
        f->timed = around->timed;
        f->time_us = around->time_us;
        f->amend = mode == M_SET ? 0 : around->amend; /* of a set its item decides: write_at */
    }
    return f;
}

struct frame *klv_push_set(struct walk *w, const struct set *set, size_t begin, size_t end)
{
    struct frame *f = klv_push(w, M_SET, set, begin, end);
    survey_set(w, f);
    if (set->time_tag && has(f->seen, set->time_tag))
        f->timed = (uint8_t)klv_number_of(w, f, set->time_tag, &f->time_us);
    memcpy(f->apart, f->twice, sizeof f->apart);
    if (w->depth == 1) { /* the packet's own set: these tags may be the head's, which goes_to_head decides */
        mark(f->apart, set->sum_tag);
        mark(f->apart, set->time_tag);
        mark(f->apart, set->version_tag);
        for (unsigned i = 0; w->tags && i < KLV_TAGS / 64; i++)
            f->apart[i] |= ~w->tags[i];
    }
    return f;
}

void klv_begin_set(struct walk *w, struct frame *f)
{
    uint64_t version;
    if (f->fault == KLV_BAD_TAG)
        klv_remark_packet(w, "a tag is malformed, the rest of its set left out");
    else if (f->fault != KLV_OK)
        klv_remark_tag(w, f->tag, "length runs past the end, the rest of its set left out");
    if (f->set->vmti_tag == 0)
        return;
    if (!has(f->seen, f->set->vmti_tag))
        infer_maps(w, f);
    else
        f->old = klv_number_of(w, f, f->set->vmti_tag, &version) && version < 4;
}

void klv_open_set(struct walk *w, const struct set *set, size_t begin, size_t end)
{
    klv_put_char(w->out, '{');
    klv_begin_set(w, klv_push_set(w, set, begin, end));
}

/* How many sets are open, each inside the one before. */
static unsigned sets_open(const struct walk *w)
{
    unsigned sets = 0;
    for (unsigned i = 0; i < w->depth; i++)
        sets += w->stack[i].mode == M_SET;
    return sets;
}

/* The elements of a series in[begin..end), or the items of f->tag in the set in[begin..end) around it. */
static void open_series(struct walk *w, enum mode mode, const struct item *item, size_t begin, size_t end)
{
    uint64_t tag = top(w)->tag;
    struct frame *f = klv_push(w, mode, item->set, begin, end);
    f->item = item;
    f->tag = tag;
    klv_put_char(w->out, '[');
}

/* Is a value written through a frame? Its text then comes later, and each part of it has its own limit. */
static int opens(const struct item *item)
{
    return item->kind == K_SET || item->kind == K_SERIES || item->kind == K_TARGETS;
}

/* The value of an item at in[at..at+n); 0 = keep it raw. */
static int write_at(struct walk *w, const struct item *item, size_t at, size_t n)
{
    if (n == 0) {
        /* Legal where the table says so (the value is unknown), in an amend (it deletes an item: ST 1607), by key. */
        if (!(item->flags & F_ZERO) && !top(w)->amend && top(w)->mode != M_KEYS)
            klv_remark(w, "length 0 is not legal here");
        klv_write_null(w);
        return 1;
    }
    if (opens(item) && sets_open(w) > KLV_DEPTH) {
        klv_remark(w, "nested too deep");
        return 0;
    }
    switch (item->kind) {
    case K_SET:
        klv_open_set(w, item->set, at, at + n);
        top(w)->amend |= (item->flags & F_AMEND) != 0;
        return 1;
    case K_SERIES:
    case K_TARGETS: open_series(w, M_SERIES, item, at, at + n); return 1;
    default: return klv_write_value(w, item, w->in + at, n);
    }
}

static void keep_raw_item(struct walk *w, struct frame *f)
{
    mark(f->kept, f->tag);
    f->raw = 1;
    w->unknown++;
}

/* The limit is on all text so far, not on one value: a later item may use what earlier ones left unused. */
int klv_write_bounded(struct walk *w, const struct item *item, size_t at, size_t n)
{
    reach(w, at + n);
    /* A set or series is not begun if not even its key would fit; a scalar is written, then checked. */
    if (!opens(item) || n == 0 || text_size(w) + KEY_MOST <= text_limit(w)) {
        if (!write_at(w, item, at, n))
            return 0;
        if (text_size(w) <= text_limit(w) || opens(item))
            return 1;
    }
    klv_remark(w, "too large as text, kept raw");
    return 0;
}

/* An item with its comma and key; taken back where its value can't be read, and listed as raw. */
static inline void write_item(struct walk *w, struct frame *f, const struct item *item, size_t at, size_t n)
{
    char *before = w->out->p;
    if (!klv_reserve(w->out, KEY_MOST))
        return;
    w->out->p = key_at(w->out->p, item, f->comma);
    if (item->flags & F_REPEATS) {
        open_series(w, M_REPEAT, item, f->begin, f->end);
    } else if (!klv_write_bounded(w, item, at, n)) {
        w->out->p = before;
        keep_raw_item(w, f);
        return;
    }
    f->comma = 1;
}

/* Of a packet's own items the checksum, the time and the version go to the record's head. */
static int goes_to_head(const struct walk *w, const struct frame *f)
{
    const struct set *set = f->set;
    return w->depth == 1 && set->tags && f->tag != 0 &&
           (f->tag == set->sum_tag || f->tag == set->time_tag || f->tag == set->version_tag);
}

/* Such an item is not written among the items, but remarks on the last of its tag are, which is the one in the head.
 * More than 8 bytes are no number: the head has null, and the bytes are kept. */
static void remark_head(struct walk *w, struct frame *f, const struct item *item, size_t here, size_t n)
{
    if (has(f->twice, f->tag)) {
        if (f->last[f->tag] != here)
            return;
        klv_remark(w, "repeated, last kept");
    }
    if (n == 0 && !(item->flags & F_ZERO))
        klv_remark(w, "length 0 is not legal here");
    else if (n > 0 && (n < item->len_min || n > item->len_max))
        klv_remark_length(w, item, n);
    if (n > 8 && is_selected(w, f->tag))
        keep_raw_item(w, f);
}

/* Is this the place to write an item whose tag repeats? Items that may repeat become one array, where the first of them
 * is; of others the last counts. */
static int is_chosen(const struct frame *f, const struct item *item, size_t here)
{
    return item->flags & F_REPEATS ? !has(f->done, f->tag) : f->last[f->tag] == here;
}

/* The next item of a set, or a run of numbers. */
static inline void step_item(struct walk *w, struct frame *f)
{
    uint64_t tag;
    size_t length, here = f->at, at = here;
    if (read_item(w->in, &at, f->end, &tag, &length) != KLV_OK) { /* not reached: the survey has cut off all such */
        f->at = f->end;
        return;
    }
    const struct item *item = klv_item_of(f->set, tag);
    if (item && is_linear(item) && klv_write_linear_run(w, f))
        return;
    f->at = at + length;
    f->tag = tag;
    f->item = item;
    if (has(f->apart, tag) && goes_to_head(w, f)) {
        remark_head(w, f, item, here, length);
        return;
    }
    if (item == NULL) { /* in no table; write_unknown keeps the last of its tag */
        if (is_unknown_selected(w))
            keep_raw_item(w, f);
        return;
    }
    if (has(f->apart, tag) && !is_selected(w, tag))
        return;
    if (has(f->twice, tag)) {
        if (!is_chosen(f, item, here))
            return;
        if (!(item->flags & F_REPEATS))
            klv_remark(w, "repeated, last kept");
        mark(f->done, tag);
    }
    write_item(w, f, item, at, length);
}

/* Many items a step, until one opens a frame, since to find the frame again costs as much as a short item. */
void klv_step_set(struct walk *w, struct frame *f)
{
    do
        step_item(w, f);
    while (f->at < f->end && top(w) == f && !w->out->full);
}

/* ---- items kept raw ---- */

/* Where the last item of a tag above 191 is noted; NULL: there is no place for it. A hash table with open addressing; a
 * place has 1 + the offset of the item, so that 0 is free. */
static uint32_t *latest_of_tag(struct walk *w, uint64_t tag)
{
    struct latest *latest = &w->by_tag;
    uint32_t i = (uint32_t)(tag * 0x9e3779b97f4a7c15u >> (64 - latest->bits));
    for (unsigned probe = 0; probe < PROBES; probe++, i = (i + 1) & ((1u << latest->bits) - 1)) {
        uint64_t other = 0;
        size_t at = (latest->places[i] & ~EARLIER) - 1u, length;
        if (latest->places[i] == 0)
            return latest->used < KLV_ITEMS ? &latest->places[i] : NULL;
        read_item(w->in, &at, SIZE_MAX, &other, &length);
        if (other == tag)
            return &latest->places[i];
    }
    return NULL;
}

/* Is an item of this tag listed as raw: it is in no table, or its value could not be read? */
static int kept_raw(const struct walk *w, const struct frame *f, uint64_t tag)
{
    return klv_item_of(f->set, tag) ? has(f->kept, tag) : is_unknown_selected(w);
}

/* Notes which of the items with a tag above 191 is the last of its tag. The table is as large as there are such items,
 * times four, so that a small set need not clear all of it. */
static void note_latest(struct walk *w, const struct frame *f)
{
    uint64_t tag;
    size_t at = f->begin, length;
    struct latest *latest = &w->by_tag;
    latest->used = 0;
    for (latest->bits = 4; latest->bits < LATEST_BITS && (1u << latest->bits) / 4 < f->high;)
        latest->bits++;
    memset(latest->places, 0, sizeof *latest->places << latest->bits);
    for (size_t here = at; at < f->end && read_item(w->in, &at, f->end, &tag, &length) == KLV_OK; here = at) {
        uint32_t *place = tag < KLV_TAGS ? NULL : latest_of_tag(w, tag);
        if (place) {
            latest->used += *place == 0;
            *place = (uint32_t)(here + 1) | (*place ? EARLIER : 0);
        }
        at += length;
    }
}

/* Is the raw item at `here` the last of its tag? *repeated: there is another. *lost: there was no place to note it, and
 * the answer is no. */
static int look_up_last(struct walk *w, const struct frame *f, uint64_t tag, size_t here, int *repeated, int *lost)
{
    if (tag < KLV_TAGS) {
        *repeated = has(f->twice, tag);
        return f->last[tag] == here;
    }
    const uint32_t *place = latest_of_tag(w, tag);
    *lost |= place == NULL;
    *repeated = place && *place & EARLIER;
    return place && (*place & ~EARLIER) == here + 1;
}

/* "unknown": the items kept raw, by tag, as hex; of a tag that repeats the last one. */
static void write_unknown(struct walk *w, struct frame *f)
{
    uint64_t tag;
    size_t at = f->begin, length;
    int comma = 0, repeated, lost = 0;
    if (f->high)
        note_latest(w, f);
    klv_put(w->out, f->comma ? ",\"unknown\":{" : "\"unknown\":{");
    for (size_t here = at; at < f->end && read_item(w->in, &at, f->end, &tag, &length) == KLV_OK; here = at) {
        const uint8_t *value = w->in + at;
        at += length;
        if (!kept_raw(w, f, tag) || !look_up_last(w, f, tag, here, &repeated, &lost))
            continue;
        if (!klv_item_of(f->set, tag) && repeated)
            klv_remark_tag(w, tag, "repeated, last kept");
        klv_put(w->out, comma++ ? ",\"" : "\"");
        klv_put_uint(w->out, tag);
        klv_put(w->out, "\":");
        klv_put_hex(w->out, value, length);
        if (w->out->full)
            return;
    }
    klv_put_char(w->out, '}');
    if (lost)
        klv_remark_packet(w, "too many items, the rest left out");
}

void klv_end_set(struct walk *w, struct frame *f)
{
    f->item = NULL;
    if (f->raw)
        write_unknown(w, f);
    klv_put_char(w->out, '}');
    w->depth--;
}

/* The next element of a series.
 *
 *   K_SERIES    | length, BER | local set of `length` bytes                    |   next element ...
 *   K_TARGETS   | length, BER | target id, BER-OID | items of a VTarget set    |   next element ...    (ST 0903)
 */
void klv_step_series(struct walk *w, struct frame *f)
{
    uint64_t length, id;
    size_t used;
    f->index += f->comma; /* 0 for the first */
    if (klv_ber_length(w->in + f->at, f->end - f->at, &length, &used) != KLV_OK || length > f->end - f->at - used) {
        klv_remark(w, "series is malformed, the rest left out");
        f->at = f->end;
        return;
    }
    size_t begin = f->at + used, end = begin + (size_t)length;
    f->at = end;
    if (f->comma)
        klv_put_char(w->out, ',');
    f->comma = 1;
    if (f->item->kind == K_SERIES) {
        klv_open_set(w, f->set, begin, end);
        return;
    }
    if (klv_ber_oid(w->in + begin, end - begin, 9, &id, &used) != KLV_OK) {
        klv_remark(w, "target without id");
        klv_write_null(w);
        return;
    }
    klv_put(w->out, "{\"target_id\":");
    klv_put_uint(w->out, id);
    struct frame *target = klv_push_set(w, f->set, begin + used, end);
    target->comma = 1; /* the id is written */
    klv_begin_set(w, target);
}

/* The next of the items that may repeat, wherever in their set it is. */
void klv_step_repeat(struct walk *w, struct frame *f)
{
    size_t at = f->at, length;
    if (!klv_find_again(w, f, f->tag, &at, &length)) {
        f->at = f->end;
        return;
    }
    f->at = at + length;
    if (f->comma)
        klv_put_char(w->out, ',');
    f->index += f->comma;
    f->comma = 1;
    char *before = w->out->p;
    if (!klv_write_bounded(w, f->item, at, length)) { /* an element that can't be read keeps its place */
        w->out->p = before;
        klv_write_null(w);
    }
}

void klv_end_series(struct walk *w)
{
    klv_put_char(w->out, ']');
    w->depth--;
}

