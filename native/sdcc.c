/* sdcc.c - SDCC-FLP (ST 1010): standard deviations and correlations of the items before it. */
#include "walk.h"

#include <math.h>

static const struct item SIGMA = {.key = "\"sigma\":", .key_size = 8}, RHO = {.key = "\"rho\":", .key_size = 6};

/* A coefficient of n octets: IEEE 754, or IMAPB; in hex where its range is not known. */
static void write_coefficient(struct walk *w, const uint8_t *in, size_t n, int imapb, const struct item *element)
{
    int written = imapb ? element == &RHO && n <= 8 && klv_write_steps(w, -1, 1, 1, in, n, element)
                        : klv_write_float(w, in, n, element);
    if (!written)
        klv_put_hex(w->out, in, n);
}

static void put_tag(struct text *t, uint64_t tag)
{
    klv_put_char(t, '"');
    klv_put_uint(t, tag);
    klv_put_char(t, '"');
}

/* The keys of the `count` items right before the one whose value is at `here`, in order. */
static void write_item_keys(struct walk *w, uint64_t count, size_t here)
{
    const struct frame *f = top(w)->mode == M_REPEAT ? top(w) - 1 : top(w);
    uint64_t tag, before = 0;
    char *begin = w->out->p;
    if (f->mode != M_SET) /* items by key stand in no order */
        return;
    for (int pass = 0; pass < 2; pass++) {
        size_t at = f->begin, length;
        uint64_t seen = 0;
        while (at < f->end && read_item(w->in, &at, f->end, &tag, &length) == KLV_OK && at < here) {
            if (pass == 1 && seen + count >= before) {
                if (seen + count > before)
                    klv_put_char(w->out, ',');
                if (tag < f->set->tags && f->set->items[tag].kind)
                    klv_put_bytes(w->out, f->set->items[tag].key, f->set->items[tag].key_size - 1u);
                else
                    put_tag(w->out, tag);
            }
            seen++;
            at += length;
            if (pass == 1)
                continue;
            if (w->steps_left < 2) { /* for both passes, or a sender could have the same items read without end */
                klv_remark(w, "too many matrices, the items of this one are not named");
                return;
            }
            w->steps_left -= 2;
        }
        before = seen;
        if (before < count)
            return;
    }
    if (is_bounded(w) && w->out->full) { /* a matrix of no numbers may name many */
        w->out->p = begin;
        w->out->full = 0;
        klv_remark(w, "too many names, the items of this matrix are not named");
    }
}

int klv_write_sdcc(struct walk *w, const uint8_t *in, size_t n)
{
    struct cursor c = {in, in + n};
    uint64_t size;
    if (!take_oid(&c, &size) || size < 1 || size > 143 || c.at == c.end)
        return 0;
    int two = *c.at >> 7, sparse, rho_imapb = 1, sigma_imapb = 0;
    size_t rho_size, sigma_size;
    if (!two) {
        sigma_size = *c.at >> 4 & 7;
        sparse = *c.at >> 3 & 1;
        rho_size = *c.at & 7;
        c.at++;
    } else {
        if (c.end - c.at < 2)
            return 0;
        sparse = c.at[0] >> 5 & 1;
        rho_imapb = c.at[0] >> 4 & 1;
        rho_size = c.at[0] & 15;
        sigma_imapb = c.at[1] >> 4 & 1;
        sigma_size = c.at[1] & 15;
        c.at += 2;
    }
    size_t pairs = (size_t)(size * (size - 1) / 2), vector = sparse ? (pairs + 7) / 8 : 0, present = 0;
    if (vector > (size_t)(c.end - c.at))
        return 0;
    const uint8_t *bits = c.at;
    c.at += vector;
    if (rho_size && !sparse)
        present = pairs;
    for (size_t i = 0; rho_size && sparse && i < pairs; i++)
        present += bits[i / 8] >> (7 - i % 8) & 1;
    if (size * sigma_size + present * rho_size != (uint64_t)(c.end - c.at))
        return 0;
    klv_put(w->out, "{\"matrix_size\":");
    klv_put_uint(w->out, size);
    klv_put(w->out, two ? ",\"mode\":2,\"sparse\":" : ",\"mode\":1,\"sparse\":");
    klv_put(w->out, sparse ? "true,\"sigma\":[" : "false,\"sigma\":[");
    for (uint64_t i = 0; sigma_size && i < size; i++, c.at += sigma_size) {
        if (i)
            klv_put_char(w->out, ',');
        w->entry = (int)i;
        write_coefficient(w, c.at, sigma_size, sigma_imapb, &SIGMA);
    }
    klv_put(w->out, "],\"rho\":[");
    for (size_t i = 0; rho_size && i < pairs; i++) {
        if (i)
            klv_put_char(w->out, ',');
        if (sparse && !(bits[i / 8] >> (7 - i % 8) & 1)) {
            klv_put(w->out, "0.0");
            continue;
        }
        w->entry = (int)i;
        write_coefficient(w, c.at, rho_size, rho_imapb, &RHO);
        c.at += rho_size;
    }
    w->entry = -1;
    klv_put(w->out, "],\"items\":[");
    write_item_keys(w, size, (size_t)(in - w->in));
    klv_put(w->out, "]}");
    return 1;
}
