/* pack.c - the value of one item as JSON: scalars, texts, and the packs whose elements follow no tags. */
#include "walk.h"

#include <math.h>

enum { MOST_BITS = 4096 }; /* of a list of bits: a longer one is kept as it is */

void write_null(struct walk *w)
{
    put(w->out, "null");
}

void write_special(struct walk *w, const struct item *element, const char *name)
{
    note_special(w, element, name);
    write_null(w);
}

static const char *label(const struct code *codes, unsigned count, uint64_t value)
{
    if (value < count && codes[value].code == (int32_t)value) /* most tables count up from 0 ... */
        return codes[value].label;
    for (unsigned i = 0; i < count; i++)
        if (codes[i].code >= 0 && (uint64_t)codes[i].code == value)
            return codes[i].label;
    return NULL;
}

static void write_code(struct walk *w, const struct code *codes, unsigned count, uint64_t value)
{
    const char *text = label(codes, count, value);
    if (text)
        put(w->out, text);
    else
        put_uint(w->out, value);
}

static void write_bits(struct walk *w, const struct item *item, uint64_t value)
{
    for (unsigned i = 0; i < item->code_count; i++) {
        const struct bits *b = &item->bits[i];
        put_char(w->out, i ? ',' : '{');
        put(w->out, b->key);
        uint64_t part = value >> b->shift & (((uint64_t)1 << b->width) - 1);
        if (b->code_count)
            write_code(w, b->codes, b->code_count, part);
        else
            put(w->out, part ? "true" : "false");
    }
    put_char(w->out, '}');
}

static int write_bit_list(struct walk *w, const uint8_t *in, size_t n)
{
    int comma = 0;
    if (n > MOST_BITS / 8)
        return 0;
    put_char(w->out, '[');
    for (size_t octet = n; octet-- > 0;)
        for (unsigned bit = 0; bit < 8; bit++)
            if (in[octet] >> bit & 1) {
                if (comma++)
                    put_char(w->out, ',');
                put_uint(w->out, 8 * (n - 1 - octet) + bit);
            }
    put_char(w->out, ']');
    return 1;
}

/* min + raw x scale with as many decimals as tell one step from the next. */
static void write_scaled(struct walk *w, double value, double scale)
{
    unsigned decimals = 0;
    while (decimals < 15 && scale * POWER_OF_TEN[decimals] <= 1)
        decimals++;
    put_fixed(w->out, (int64_t)llround(value * POWER_OF_TEN[decimals]), decimals);
}

/* The maps of VMTI before version 4, over the same ranges. */
static int write_old(struct walk *w, const struct item *item, const uint8_t *in, size_t n, const struct item *element)
{
    if (item->old == 1) {
        if (n > 3)
            return 0;
        int64_t raw = sign_extend(be_uint(in, n), n);
        double scale = item->max / 8388607;
        if (raw == -8388608)
            write_special(w, element, "\"error\"");
        else
            write_scaled(w, (double)raw * scale, scale);
        return 1;
    }
    if (n != item->len_min)
        return 0;
    double scale = (item->max - item->min) / (ldexp(1, (int)(8 * n)) - 1);
    write_scaled(w, (double)be_uint(in, n) * scale + item->min, scale);
    return 1;
}

static int write_imapb(struct walk *w, const struct item *item, const uint8_t *in, size_t n, const struct item *element)
{
    uint64_t raw;
    if (n > 8)
        return 0;
    if (item->old && top(w)->old)
        return write_old(w, item, in, n, element);
    const char *name = imapb_raw(in, n, &raw);
    if (name) {
        write_special(w, element, name);
        return 1;
    }
    struct imapb map = imapb_map(item->min, item->max, item->range_power, n);
    if (map.shift <= 0) {
        put_fixed(w->out, (int64_t)llround(ldexp((double)raw, -map.shift) + map.bias), 0);
        return 1;
    }
    /* Whole steps, so that no bit of a wide code is lost on the way to text. */
    int64_t bias = (int64_t)llround(ldexp(map.bias, map.shift));
    uint64_t away = bias < 0 ? ~(uint64_t)bias + 1 : (uint64_t)bias;
    if (bias >= 0)
        put_binary(w->out, raw + away, 0, (unsigned)map.shift);
    else if (raw >= away)
        put_binary(w->out, raw - away, 0, (unsigned)map.shift);
    else
        put_binary(w->out, away - raw, 1, (unsigned)map.shift);
    return 1;
}

static int write_linear(struct walk *w, const struct item *item, const uint8_t *in, size_t n, const struct item *element)
{
    if (n != item->len_min)
        return 0;
    uint64_t raw = be_uint(in, n);
    double scaled;
    if (item->kind == K_LINEAR_UINT) {
        scaled = (double)raw * item->print + item->min * POWER_OF_TEN[item->decimals];
    } else {
        if (raw == (uint64_t)1 << (8 * n - 1)) {
            write_special(w, element, item->special ? item->special : "\"reserved\"");
            return 1;
        }
        scaled = (double)sign_extend(raw, n) * item->print;
    }
    put_fixed(w->out, (int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5), item->decimals);
    return 1;
}

static void write_integer(struct walk *w, const struct item *item, uint64_t raw, size_t n)
{
    switch (item->kind) {
    case K_INT: put_int(w->out, sign_extend(raw, n)); break;
    case K_ENUM: write_code(w, item->codes, item->code_count, raw); break;
    case K_BITS: write_bits(w, item, raw); break;
    default: put_uint(w->out, raw); break;
    }
}

static int write_scalar(struct walk *w, const struct item *item, const uint8_t *in, size_t n, const struct item *element)
{
    int valid = 1;
    switch (item->kind) {
    case K_LINEAR_UINT:
    case K_LINEAR_INT: return write_linear(w, item, in, n, element);
    case K_IMAPB: return write_imapb(w, item, in, n, element);
    case K_UINT:
    case K_INT:
    case K_ENUM:
    case K_BITS:
        if (n > 8)
            return 0;
        write_integer(w, item, be_uint(in, n), n);
        return 1;
    case K_TEXT: valid = put_utf8(w->out, in, n); break;
    case K_UTF16: valid = put_utf16(w->out, in, n); break;
    case K_UUID:
        if (n != 16)
            return 0;
        put_uuid(w->out, in);
        return 1;
    default: put_hex(w->out, in, n); return 1;
    }
    if (!valid)
        remark(w, "text is not valid, replaced in part");
    return 1;
}

/* ---- packs: elements in a fixed order, without tags ---- */

/* A BER length, and that many bytes. */
static int take_length(struct cursor *c, struct cursor *inner)
{
    uint64_t length;
    size_t used;
    if (klv_ber_length(c->at, (size_t)(c->end - c->at), &length, &used) != KLV_OK ||
        length > (uint64_t)(c->end - c->at) - used)
        return 0;
    inner->at = c->at + used;
    inner->end = inner->at + length;
    c->at = inner->end;
    return 1;
}

int take_oid(struct cursor *c, uint64_t *value)
{
    size_t used;
    if (klv_ber_oid(c->at, (size_t)(c->end - c->at), 9, value, &used) != KLV_OK)
        return 0;
    c->at += used;
    return 1;
}

static int write_piece(struct walk *w, const struct item *item, struct cursor *c, size_t n)
{
    if (n == 0) {
        write_null(w);
        return 1;
    }
    if (n > (size_t)(c->end - c->at))
        return 0;
    c->at += n;
    return write_scalar(w, item, c->at - n, n, item);
}

static int write_element(struct walk *w, const struct element *e, struct cursor *c, size_t half)
{
    uint64_t value;
    size_t used;
    struct cursor inner;
    switch (e->op) {
    case P_FIX: return write_piece(w, &e->item, c, e->item.len_min);
    case P_HALF: return write_piece(w, &e->item, c, half);
    case P_REST: return write_scalar(w, &e->item, c->at, (size_t)(c->end - c->at), &e->item) && (c->at = c->end);
    case P_LENGTH:
        return take_length(c, &inner) && write_piece(w, &e->item, &inner, (size_t)(inner.end - inner.at));
    case P_BER:
        if (klv_ber_length(c->at, (size_t)(c->end - c->at), &value, &used) != KLV_OK)
            return 0;
        c->at += used;
        put_uint(w->out, value);
        return 1;
    default:
        if (!take_oid(c, &value))
            return 0;
        write_integer(w, &e->item, value, 8);
        return 1;
    }
}

static void write_key(struct walk *w, const struct item *item, int comma)
{
    if (comma)
        put_char(w->out, ',');
    put_bytes(w->out, item->key, item->key_size);
}

/* Elements e..end of one record or object; a group is a stretch with a length of its own. */
static int write_elements(struct walk *w, const struct element *e, const struct element *end, struct cursor *c)
{
    struct cursor group = {0}, *from = c;
    int comma = 0, unknown = 0;
    size_t half = 0;
    for (; e < end; e++) {
        if (e->op == P_GROUP) {
            if (from->at != from->end && from != c)
                return 0;
            if (e->optional && c->at == c->end)
                return 1;
            if (!take_length(c, &group))
                return 0;
            from = &group;
            unknown = group.at == group.end;
            half = (size_t)(group.end - group.at) / 2;
            continue;
        }
        if (e->op == P_LENGTH) { /* brings its own length, behind the group */
            if (from->at != from->end && from != c)
                return 0;
            from = c;
            unknown = 0;
        }
        if (unknown) {
            write_key(w, &e->item, comma++);
            write_null(w);
            continue;
        }
        if (e->optional && from->at == from->end)
            continue;
        write_key(w, &e->item, comma++);
        if (!write_element(w, e, from, half))
            return 0;
    }
    return from == c || from->at == from->end;
}

static int write_records(struct walk *w, const struct pack *pack, unsigned first, struct cursor *c)
{
    struct cursor record;
    int comma = 0;
    put_char(w->out, '[');
    while (c->at < c->end) {
        if (!take_length(c, &record))
            return 0;
        w->record++;
        put(w->out, comma++ ? ",{" : "{");
        if (!write_elements(w, pack->elements + first, pack->elements + pack->count, &record) || record.at != record.end)
            return 0;
        put_char(w->out, '}');
    }
    w->record = -1;
    put_char(w->out, ']');
    return 1;
}

static int write_pack(struct walk *w, const struct pack *pack, const uint8_t *in, size_t n)
{
    struct cursor c = {in, in + n};
    unsigned records = 0;
    while (records < pack->count && pack->elements[records].op != P_RECORDS)
        records++;
    if (records == 0)
        return write_records(w, pack, 1, &c);
    put_char(w->out, '{');
    if (!write_elements(w, pack->elements, pack->elements + records, &c))
        return 0;
    if (records < pack->count) {
        put(w->out, ",\"records\":");
        if (!write_records(w, pack, records + 1, &c))
            return 0;
    }
    put_char(w->out, '}');
    return c.at == c.end;
}

static int write_pack_list(struct walk *w, const struct pack *pack, const uint8_t *in, size_t n)
{
    struct cursor c = {in, in + n};
    put_char(w->out, '[');
    for (int comma = 0; c.at < c.end; comma = 1) {
        if (comma)
            put_char(w->out, ',');
        if (!write_element(w, pack->elements, &c, 0))
            return 0;
    }
    put_char(w->out, ']');
    return 1;
}

/* A series of small values, each behind its own BER length: pixel numbers, locations, pixel runs. */
static int write_series(struct walk *w, const struct item *item, const uint8_t *in, size_t n)
{
    struct cursor c = {in, in + n}, piece;
    put_char(w->out, '[');
    for (int comma = 0; c.at < c.end; comma = 1) {
        if (!take_length(&c, &piece))
            return 0;
        if (comma)
            put_char(w->out, ',');
        size_t size = (size_t)(piece.end - piece.at);
        if (size == 0)
            write_null(w);
        else if (item->kind == K_SERIES_PACK ? !write_pack(w, item->pack, piece.at, size) : size > 8)
            return 0;
        else if (item->kind == K_SERIES_UINT)
            put_uint(w->out, be_uint(piece.at, size));
    }
    put_char(w->out, ']');
    return 1;
}

static int write_structure(struct walk *w, const struct item *item, const uint8_t *in, size_t n)
{
    switch (item->kind) {
    case K_PACK: return write_pack(w, item->pack, in, n);
    case K_PACK_LIST: return write_pack_list(w, item->pack, in, n);
    case K_MIIS: return write_miis(w, in, n);
    case K_SDCC: return write_sdcc(w, in, n);
    default: return write_series(w, item, in, n);
    }
}

int write_value(struct walk *w, const struct item *item, const uint8_t *in, size_t n, const struct item *element)
{
    int odd = n < item->len_min || (item->len_max && n > item->len_max);
    if (odd && !(item->old == 1 && top(w)->old && n < item->len_min)) /* short offsets were the rule then */
        remark_length(w, item, n);
    const struct text special = w->special.text, warnings = w->warnings.text;
    switch (item->kind) {
    case K_BIT_LIST: return write_bit_list(w, in, n);
    case K_PACK:
    case K_PACK_LIST:
    case K_MIIS:
    case K_SDCC:
    case K_SERIES_UINT:
    case K_SERIES_PACK:
        if (write_structure(w, item, in, n))
            return 1;
        w->record = w->entry = -1;
        w->special.text = special; /* what was said of its parts goes with them */
        w->warnings.text = warnings;
        if (!odd)
            remark(w, "malformed");
        return 0;
    default: return write_scalar(w, item, in, n, element);
    }
}
