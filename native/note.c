/* note.c - the wording of quality.special and quality.warnings of a record.
 *
 * Both are lists whose text is kept in a buffer of fixed size until the head of the record is written. A remark that
 * does not fit, and all after it, are left out and counted: the last warning is their number (json.c).
 */
#include "walk.h"

void klv_notes_begin(struct notes *notes, size_t n)
{
    size_t size = REMARKS_FREE + REMARKS_EACH * n;
    if (size > REMARKS_MOST)
        size = REMARKS_MOST;
    notes->text = (struct text){notes->buffer, notes->buffer + size - REMARK_LAST, 0, 0};
    notes->left_out = 0;
}

static int open_remark(struct notes *notes)
{
    if (notes->left_out) {
        notes->left_out++;
        return 0;
    }
    notes->begun = notes->text.p;
    if (notes->text.p != notes->buffer)
        klv_put_char(&notes->text, ',');
    klv_put_char(&notes->text, '"');
    return 1;
}

/* Removes it if it did not fit. */
static void close_remark(struct notes *notes)
{
    if (!notes->text.full)
        return;
    notes->text.p = notes->begun;
    notes->text.full = 0;
    notes->left_out++;
}

/* A key without its quotes and colon. */
static void put_bare_key(struct text *t, const struct item *item)
{
    klv_put_bytes(t, item->key + 1, item->key_size - 3u);
}

/* Of a series, a repeated item, the record of a pack; -1 = of none. */
static void put_index(struct text *t, int index)
{
    if (index < 0)
        return;
    klv_put_char(t, '[');
    klv_put_uint(t, (uint64_t)index);
    klv_put_char(t, ']');
}

/* The item that is being written, by keys: vmti_local_set.vtarget_series[2].target_hae */
static void put_key_path(struct walk *w, struct text *t)
{
    for (unsigned i = 0; i < w->depth; i++) {
        const struct frame *f = &w->stack[i];
        if (f->mode == M_SERIES || f->mode == M_REPEAT) {
            put_index(t, (int)f->index);
        } else if (f->item) {
            if (i > 0)
                klv_put_char(t, '.');
            put_bare_key(t, f->item);
        }
    }
}

/* The same by tags, ending in `last` (item 74.101[2].12); of an item of a universal set, its 16-byte key. */
static void put_tag_path(struct walk *w, struct text *t, uint64_t last)
{
    klv_put(t, "item ");
    for (unsigned i = 0; i < w->depth; i++) {
        const struct frame *f = &w->stack[i];
        if (f->mode == M_SERIES || f->mode == M_REPEAT) {
            put_index(t, (int)f->index);
        } else {
            if (i > 0)
                klv_put_char(t, '.');
            if (f->mode == M_KEYS)
                klv_put_octets(t, w->in + f->key, UL_SIZE);
            else
                klv_put_uint(t, i + 1 == w->depth ? last : f->tag);
        }
    }
    put_index(t, w->record);
}

static void put_part(struct text *t, const struct item *element)
{
    if (element == NULL)
        return;
    klv_put_char(t, '.');
    put_bare_key(t, element);
}

void klv_note_special(struct walk *w, const struct item *element, const char *name)
{
    struct text *t = &w->special.text;
    if (!open_remark(&w->special))
        return;
    put_key_path(w, t);
    put_index(t, w->record);
    put_part(t, w->inside);
    put_part(t, element);
    if (element)
        put_index(t, w->entry);
    klv_put(t, "\":");
    klv_put(t, name);
    close_remark(&w->special);
}

static void end_warning(struct walk *w)
{
    klv_put_char(&w->warnings.text, '"');
    close_remark(&w->warnings);
}

void klv_remark_tag(struct walk *w, uint64_t tag, const char *text)
{
    struct text *t = &w->warnings.text;
    if (!open_remark(&w->warnings))
        return;
    put_tag_path(w, t, tag);
    klv_put(t, ": ");
    klv_put(t, text);
    end_warning(w);
}

void klv_remark(struct walk *w, const char *text)
{
    klv_remark_tag(w, top(w)->tag, text);
}

void klv_remark_length(struct walk *w, const struct item *item, size_t n)
{
    struct text *t = &w->warnings.text;
    if (!open_remark(&w->warnings))
        return;
    put_tag_path(w, t, top(w)->tag);
    klv_put(t, ": ");
    klv_put_uint(t, n);
    klv_put(t, n == 1 ? " byte, expected " : " bytes, expected ");
    klv_put_uint(t, item->len_min);
    if (item->len_max != item->len_min) {
        klv_put(t, item->len_max ? "-" : " or more"); /* 0 = no maximum */
        if (item->len_max)
            klv_put_uint(t, item->len_max);
    }
    end_warning(w);
}

void klv_remark_packet(struct walk *w, const char *text)
{
    struct text *t = &w->warnings.text;
    if (!open_remark(&w->warnings))
        return;
    klv_put(t, text);
    end_warning(w);
}

void klv_remark_unit(struct walk *w, uint64_t tag, const char *unit)
{
    struct text *t = &w->warnings.text;
    if (!open_remark(&w->warnings))
        return;
    klv_put(t, "item ");
    klv_put_uint(t, tag);
    klv_put(t, ": in ");
    klv_put(t, unit);
    klv_put(t, ", not microseconds; time is converted, time_us is as sent");
    end_warning(w);
}

void klv_remark_key(struct walk *w, const uint8_t *key, size_t n)
{
    struct text *t = &w->warnings.text;
    if (!open_remark(&w->warnings))
        return;
    klv_put(t, "key ");
    klv_put_octets(t, key, UL_SIZE);
    klv_put(t, " is in no table, ");
    klv_put_uint(t, n);
    klv_put(t, " bytes kept");
    end_warning(w);
}
