/* scalar.c - the value of one item as JSON: numbers, labels, bits, texts. linear.c has the linear maps. */
#include "walk.h"

#include <math.h>

enum { MOST_BITS = 4096 }; /* of a list of bits: a longer one is kept raw, as its text would be too large */

void klv_write_null(struct walk *w)
{
    klv_put(w->out, "null");
}

void klv_write_special(struct walk *w, const struct item *element, const char *name)
{
    klv_note_special(w, element, name);
    klv_write_null(w);
}

static const char *label(const struct code *codes, unsigned count, uint64_t value)
{
    if (value < count && codes[value].code == (int32_t)value) /* most tables count up from 0 */
        return codes[value].label;
    for (unsigned i = 0; i < count; i++)
        if (codes[i].code >= 0 && (uint64_t)codes[i].code == value)
            return codes[i].label;
    return NULL;
}

/* A value that has no label is written as a number. */
static void write_code(struct walk *w, const struct code *codes, unsigned count, uint64_t value)
{
    const char *text = label(codes, count, value);
    if (text)
        klv_put(w->out, text);
    else
        klv_put_uint(w->out, value);
}

/* A bit field as an object: its booleans and small numbers. Bits that no field has are reserved. */
static void write_bits(struct walk *w, const struct item *item, uint64_t value)
{
    uint64_t reserved = value;
    for (unsigned i = 0; i < item->code_count; i++) {
        const struct bits *b = &item->bits[i];
        klv_put_char(w->out, i ? ',' : '{');
        klv_put(w->out, b->key);
        uint64_t mask = ((uint64_t)1 << b->width) - 1, part = value >> b->shift & mask;
        reserved &= ~(mask << b->shift);
        if (b->code_count || b->width > 1)
            write_code(w, b->codes, b->code_count, part);
        else
            klv_put(w->out, part ? "true" : "false");
    }
    klv_put_char(w->out, '}');
    if (reserved)
        klv_remark(w, "reserved bits are set");
}

/* The numbers of the bits that are set, of the last byte's first: bit 0 is the least significant of all. */
static int write_bit_list(struct walk *w, const uint8_t *in, size_t n)
{
    int comma = 0;
    if (n > MOST_BITS / 8)
        return 0;
    klv_put_char(w->out, '[');
    for (size_t octet = n; octet-- > 0;)
        for (unsigned bit = 0; bit < 8; bit++)
            if (in[octet] >> bit & 1) {
                if (comma++)
                    klv_put_char(w->out, ',');
                klv_put_uint(w->out, 8 * (n - 1 - octet) + bit);
            }
    klv_put_char(w->out, ']');
    return 1;
}

/* A value that goes by steps of `scale`, with as many decimals as distinguish one step from the next. */
static void write_scaled(struct walk *w, double value, double scale)
{
    unsigned decimals = 0;
    while (decimals < 15 && scale * POWER_OF_TEN[decimals] <= 1)
        decimals++;
    klv_put_fixed(w->out, (int64_t)llround(value * POWER_OF_TEN[decimals]), decimals);
}

/* The linear maps of VMTI before version 4, over the ranges that IMAPB has since: signed, of 3 bytes or fewer, with a
 * special value, or unsigned and as wide as the IMAPB. */
static int write_old(struct walk *w, const struct item *item, const uint8_t *in, size_t n, const struct item *element)
{
    struct item as = *item;
    int64_t code;
    as.kind = item->old == OLD_LINEAR_INT ? K_LINEAR_INT : K_LINEAR_UINT;
    as.len_min = item->old == OLD_LINEAR_INT ? 3 : item->len_min;
    if (!linear_code(&as, in, n, &code))
        return 0;
    if (item->old == OLD_LINEAR_INT && code == -8388608) {
        klv_write_special(w, element, "\"error\"");
        return 1;
    }
    double steps = item->old == OLD_LINEAR_INT ? 8388607 : ldexp(1, (int)(8 * as.len_min)) - 1;
    double scale = (item->old == OLD_LINEAR_INT ? item->max : item->max - item->min) / steps;
    write_scaled(w, (double)code * scale + (item->old == OLD_LINEAR_INT ? 0 : item->min), scale);
    return 1;
}

/* Is the bias of an IMAPB, in steps, a whole number that an integer holds? */
static int is_whole_step(double first)
{
    return fabs(first) < 0x1p63 && first <= 0x1p62 && first == floor(first);
}

/* (raw + first) x 2^-shift as a decimal that is exact except for its last digit. */
static void put_steps(struct text *t, uint64_t raw, double first, unsigned shift)
{
    const uint64_t away = (uint64_t)fabs(first);
    if (first >= 0)
        klv_put_binary(t, raw + away, 0, shift);
    else if (raw >= away)
        klv_put_binary(t, raw - away, 0, shift);
    else
        klv_put_binary(t, away - raw, 1, shift);
}

/* An IMAPB code (ST 1201): value = raw x 2^-shift + bias. A double holds 53 bits of that, a code has up to 63: where
 * the bias is a whole number of steps, `first`, the value is raw + first steps, and no bit is lost in the text. */
int klv_write_steps(struct walk *w, double min, double max, int range_power, const uint8_t *in, size_t n,
                    const struct item *element)
{
    uint64_t raw;
    const char *name = klv_imapb_raw(in, n, &raw);
    if (name) {
        klv_write_special(w, element, name);
        return 1;
    }
    const struct imapb map = klv_imapb_map(min, max, range_power, n);
    const double first = times_power_of_two(map.bias, map.shift);
    const double value = times_power_of_two((double)raw, -map.shift) + map.bias;
    const int exact = is_whole_step(first);
    if (!isfinite(value)) /* an array or a matrix brings its own range, which may be any */
        klv_write_special(w, element, value < 0 ? "\"below_min\"" : "\"above_max\"");
    else if (map.shift <= 0 && fabs(value) < 0x1p62) /* steps of 1, 2, 4 ... */
        klv_put_fixed(w->out, (int64_t)llround(value), 0);
    else if (!exact && map.shift > 0 && map.shift < 50 && fabs(value) < 1) /* a fraction, of few bits */
        write_scaled(w, value, times_power_of_two(1, -map.shift));
    else if (!exact || map.shift <= 0 || map.shift > 66) /* beyond what klv_put_binary does: the nearest double */
        klv_put_float(w->out, value, 1);
    else
        put_steps(w->out, raw, first, (unsigned)map.shift);
    return 1;
}

static int write_imapb(struct walk *w, const struct item *item, const uint8_t *in, size_t n, const struct item *element)
{
    if (n > 8)
        return 0;
    if (item->old != OLD_NONE && top(w)->old)
        return write_old(w, item, in, n, element);
    return klv_write_steps(w, item->min, item->max, item->range_power, in, n, element);
}

void klv_write_integer(struct walk *w, const struct item *item, uint64_t raw, size_t n)
{
    switch (item->kind) {
    case K_INT: klv_put_int(w->out, sign_extend(raw, n)); break;
    case K_ENUM: write_code(w, item->codes, item->code_count, raw); break;
    case K_BITS: write_bits(w, item, raw); break;
    default: klv_put_uint(w->out, raw); break;
    }
}

int klv_write_float(struct walk *w, const uint8_t *in, size_t n, const struct item *element)
{
    if (n != 2 && n != 4 && n != 8)
        return 0;
    double value = klv_ieee(in, n);
    if (isnan(value))
        klv_write_special(w, element, "\"quiet_nan\"");
    else if (isinf(value))
        klv_write_special(w, element, value < 0 ? "\"minus_infinity\"" : "\"plus_infinity\"");
    else
        klv_put_float(w->out, value, n == 8);
    return 1;
}

/* An integer. Some senders write a plain integer instead of BER-OID: what is no BER-OID is read as one. */
static int write_whole(struct walk *w, const struct item *item, const uint8_t *in, size_t n)
{
    struct cursor c = {in, in + n};
    uint64_t value;
    if (!(item->flags & F_OID)) {
        if (n <= 8)
            klv_write_integer(w, item, be_uint(in, n), n);
        return n <= 8;
    }
    if (take_oid(&c, &value) && c.at == c.end) { /* all of it */
        klv_write_integer(w, item, value, 8);
        return 1;
    }
    if (n > 8)
        return 0;
    klv_remark(w, "no BER-OID number, read as an integer");
    klv_write_integer(w, item, be_uint(in, n), n);
    return 1;
}

/* Is it ASCII as in lists of country codes, with zero bytes after it? */
static int is_padded_ascii(const uint8_t *in, size_t n)
{
    while (n > 0 && in[n - 1] == 0)
        n--;
    for (size_t i = 0; i < n; i++) {
        uint8_t letter = in[i] | 0x20;
        if ((letter < 'a' || letter > 'z') && (in[i] < '0' || in[i] > '9') && !memchr(" ,-./;_", in[i], 7))
            return 0;
    }
    return n > 1;
}

/* Some senders write ASCII instead of UTF-16: then no byte is zero, except padding. */
static int is_utf16(const uint8_t *in, size_t n)
{
    return n % 2 == 0 && memchr(in, 0, n) != NULL && !is_padded_ascii(in, n);
}

static void write_text(struct walk *w, const uint8_t *in, size_t n, int utf16)
{
    size_t size = n;
    while (size > 0 && in[size - 1] == 0 && (!utf16 || in[size - 2] == 0)) /* utf16: size is even */
        size -= utf16 ? 2 : 1;
    if (size < n && n > 1) /* a zero byte alone is the empty text */
        klv_remark(w, "NUL padding removed");
    if (!(utf16 ? klv_put_utf16 : klv_put_utf8)(w->out, in, size))
        klv_remark(w, "text is not valid, replaced in part");
}

/* ST 0806's user data in hex, and as the text (0), signed (1) or unsigned integer (2) that item 1 of its set says. */
static void write_user_data(struct walk *w, const uint8_t *in, size_t n)
{
    const struct frame *f = top(w);
    size_t at = f->begin, length, id = 0;
    klv_put_hex(w->out, in, n);
    while (f->mode == M_SET && klv_find_again(w, f, 1, &at, &length)) {
        id = length == 1 ? at : 0;
        at += length;
    }
    unsigned type = id ? w->in[id] >> 6 : 3; /* its two most significant bits; 3 = not defined */
    if (type == 3 || (type > 0 && n > 8))    /* an integer of more than 8 bytes is shown as hex alone */
        return;
    klv_put(w->out, ",\"user_value\":");
    if (type == 0)
        write_text(w, in, n, 0);
    else if (type == 1)
        klv_put_int(w->out, sign_extend(be_uint(in, n), n));
    else
        klv_put_uint(w->out, be_uint(in, n));
}

int klv_write_scalar(struct walk *w, const struct item *item, const uint8_t *in, size_t n, const struct item *element)
{
    uint64_t time_us;
    switch (item->kind) {
    case K_LINEAR_UINT:
    case K_LINEAR_INT: return klv_write_linear(w, item, in, n, element);
    case K_IMAPB: return write_imapb(w, item, in, n, element);
    case K_UINT:
    case K_INT:
    case K_ENUM:
    case K_BITS: return write_whole(w, item, in, n);
    case K_FLOAT: return klv_write_float(w, in, n, element);
    case K_TEXT: write_text(w, in, n, 0); return 1;
    case K_UTF16: write_text(w, in, n, is_utf16(in, n)); return 1;
    case K_BIT_LIST: return write_bit_list(w, in, n);
    case K_DATE_TIME:
        if (!klv_date_time(in, n, &time_us))
            return 0;
        klv_put_uint(w->out, time_us);
        return 1;
    case K_USER_DATA: write_user_data(w, in, n); return 1;
    case K_UUID:
        if (n != 16)
            return 0;
        klv_put_uuid(w->out, in);
        return 1;
    default: klv_put_hex(w->out, in, n); return 1;
    }
}

static int write_structure(struct walk *w, const struct item *item, const uint8_t *in, size_t n)
{
    switch (item->kind) {
    case K_PACK: return klv_write_pack(w, item->pack, in, n);
    case K_PACK_LIST: return klv_write_pack_list(w, item->pack, in, n);
    case K_MIIS: return klv_write_miis(w, in, n);
    case K_SDCC: return klv_write_sdcc(w, in, n);
    case K_ARRAY: return klv_write_array(w, item, in, n);
    default: return klv_write_series(w, item, in, n);
    }
}

/* A structure, within the text that its bytes allow: `out` ends there meanwhile. If it can't be read, its text and
 * the remarks about its parts are removed. */
static int write_or_take_back(struct walk *w, const struct item *item, const uint8_t *in, size_t n)
{
    const struct text special = w->special.text, warnings = w->warnings.text;
    const unsigned left_out[2] = {w->special.left_out, w->warnings.left_out};
    char *end = w->out->end;
    const size_t limit = text_limit(w);
    if (limit < w->most)
        w->out->end = w->begin + limit;
    int written = w->out->p <= w->out->end && write_structure(w, item, in, n);
    if (is_bounded(w) && (w->out->full || w->out->p > w->out->end)) { /* not for the caller's memory */
        w->out->full = written = 0;
        w->reason = "too large as text, kept raw";
    }
    w->out->end = end;
    if (written)
        return 1;
    w->record = w->entry = -1;
    w->inside = NULL;
    w->special.text = special;
    w->warnings.text = warnings;
    w->special.left_out = left_out[0];
    w->warnings.left_out = left_out[1];
    return 0;
}

int klv_write_value(struct walk *w, const struct item *item, const uint8_t *in, size_t n)
{
    /* A value of another length than its standard has is remarked, and read if it can be. */
    int odd = n < item->len_min || (item->len_max && n > item->len_max);
    /* Before version 4 of VMTI shorter offsets were the rule. */
    if (odd && !(item->old == OLD_LINEAR_INT && top(w)->old && n < item->len_min))
        klv_remark_length(w, item, n);
    w->reason = "malformed";
    if (item->kind < K_SERIES_UINT ? klv_write_scalar(w, item, in, n, NULL) : write_or_take_back(w, item, in, n))
        return 1;
    if (!odd)
        klv_remark(w, w->reason);
    return 0;
}
