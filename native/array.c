/* array.c - multi-dimensional arrays (ST 1303.2, 7.2): their elements one by one, row by row, as one flat list; run
 * lengths as sent, since a few bytes of them may represent very many elements.
 *
 *   +---------+---------+-- ... --+---------+---------+---------+------------+----------+
 *   | NDim    | Dim 1   |         | Dim n   | EBytes  | APA     | APAS       | elements |
 *   | BER-OID | BER-OID |         | BER-OID | BER-OID | BER-OID | parameters |          |
 *   +---------+---------+-- ... --+---------+---------+---------+------------+----------+
 *
 *   EBytes   bytes of an element
 *   APA      how the elements are coded, the "array processing algorithm" (Appendix D), and what its parameters are:
 *
 *            1 natural    none                    EBytes each: integer or float, as the item that holds the array says
 *            2 ST 1201    min, max: two floats    EBytes each: IMAPB from min to max
 *                         or two doubles
 *            3 boolean    none                    a bit each, the most significant of a byte first; zeros fill the last
 *            4 unsigned   bias: BER-OID           BER-OID each: the value less the bias
 *            5 runs       default: EBytes         patches, the later over the earlier, to the end:
 *                                                   value: EBytes | start, n x BER-OID | run length, n x BER-OID
 *
 * An array without elements (a dimension or EBytes 0) ends after the APA.
 */
#include "walk.h"

#include <math.h>

enum { DIMENSIONS = 8 }; /* at most */

enum algorithm { A_NATURAL = 1, A_IMAPB, A_BOOLEAN, A_UINT, A_RUNS };

struct array {
    const struct item *item;            /* whose value it is, or the element of a pack */
    uint64_t dimensions[DIMENSIONS];    /* of which `rank` are used */
    unsigned rank;
    uint64_t count;                     /* of elements; UINT32_MAX = that many or more: no packet holds them */
    uint64_t width;                     /* EBytes */
    uint64_t algorithm;                 /* enum algorithm */
    double min, max;                    /* A_IMAPB */
    uint64_t bias;                      /* A_UINT */
};

static const struct item VALUES = {.key = "\"values\":", .key_size = 9};
static const struct item DEFAULT = {.key = "\"default\":", .key_size = 10};
static const struct item RUNS = {.key = "\"runs\":", .key_size = 7};

/* The rows of ST 1601's arrays of deviations and correlations. A deviation is an IMAPB from 0 to this; a correlation,
 * CORRELATION, is one from -1 to 1. */
enum { CORRELATION = 0 };
static const double PIXEL_ROWS[6] = {100, 100, CORRELATION, 100, 100, CORRELATION};
static const double PLACE_ROWS[6] = {650, 650, CORRELATION, 1000, CORRELATION, CORRELATION};

/* An element of `width` bytes, as the item that holds the array has them; `row` is its index in dimension 1. */
static int write_cell(struct walk *w, const struct array *a, uint64_t row, const uint8_t *in, const struct item *part)
{
    size_t n = (size_t)a->width;
    double most;
    switch (a->item->cells) {
    case C_FLOAT: return klv_write_float(w, in, n, part);
    case C_UINT: klv_put_uint(w->out, be_uint(in, n)); return 1;
    case C_INT: klv_put_int(w->out, sign_extend(be_uint(in, n), n)); return 1;
    default:
        most = (a->item->cells == C_PIXEL_SDCC ? PIXEL_ROWS : PLACE_ROWS)[row];
        return most == CORRELATION ? klv_write_steps(w, -1, 1, 1, in, n, part)
                                   : klv_write_steps(w, 0, most, klv_power_over(most), in, n, part);
    }
}

/* Do width, and the number of rows where each row has a range, fit the elements that the item of the array declares? */
static int is_natural(const struct array *a)
{
    if (a->item->cells == C_FLOAT)
        return a->width == 2 || a->width == 4 || a->width == 8;
    if (a->item->cells == C_PIXEL_SDCC && a->dimensions[0] != 6)
        return 0;
    if (a->item->cells == C_PLACE_SDCC && a->dimensions[0] != 3 && a->dimensions[0] != 6)
        return 0;
    return a->width <= 8;
}

/* One patch of a run-length array; 0 = malformed, or it goes beyond the array. */
static int take_patch(const struct array *a, struct cursor *c, const uint8_t **value, uint64_t *start, uint64_t *run)
{
    if (left(c) < a->width)
        return 0;
    *value = c->at;
    c->at += a->width;
    for (unsigned d = 0; d < a->rank; d++)
        if (!take_oid(c, &start[d]) || start[d] > a->dimensions[d])
            return 0;
    for (unsigned d = 0; d < a->rank; d++)
        if (!take_oid(c, &run[d]) || run[d] > a->dimensions[d] - start[d])
            return 0;
    return 1;
}

static int has_rows(const struct array *a)
{
    return a->item->cells == C_PIXEL_SDCC || a->item->cells == C_PLACE_SDCC;
}

/* The code that a patch, or the default, has for all its elements. Where each row has its own range that is one
 * value a row: a list of them for the `rows` rows from `row` on. */
static int write_shared(struct walk *w, const struct array *a, uint64_t row, uint64_t rows, const uint8_t *in,
                        const struct item *part)
{
    if (!has_rows(a))
        return write_cell(w, a, 0, in, part);
    uint64_t raw;
    const char *special = klv_imapb_raw(in, (size_t)a->width, &raw);
    if (special && rows) /* once, not for each row */
        klv_note_special(w, part, special);
    klv_put_char(w->out, '[');
    for (uint64_t i = 0; i < rows; i++) {
        if (i)
            klv_put_char(w->out, ',');
        if (special)
            klv_write_null(w);
        else if (!write_cell(w, a, row + i, in, part))
            return 0;
    }
    klv_put_char(w->out, ']');
    return 1;
}

static void write_numbers(struct walk *w, const char *key, const uint64_t *numbers, unsigned count)
{
    klv_put(w->out, key);
    for (unsigned d = 0; d < count; d++) {
        if (d)
            klv_put_char(w->out, ',');
        klv_put_uint(w->out, numbers[d]);
    }
    klv_put_char(w->out, ']');
}

static int write_runs(struct walk *w, const struct array *a, struct cursor *c)
{
    uint64_t start[DIMENSIONS], size[DIMENSIONS];
    const uint8_t *value = c->at;
    klv_put(w->out, ",\"default\":");
    c->at += a->width;
    if (!write_shared(w, a, 0, a->dimensions[0], value, &DEFAULT))
        return 0;
    klv_put(w->out, ",\"runs\":[");
    for (w->entry = 0; c->at < c->end && !w->out->full; w->entry++) {
        if (!take_patch(a, c, &value, start, size))
            return 0;
        klv_put(w->out, w->entry ? ",{\"value\":" : "{\"value\":");
        if (!write_shared(w, a, start[0], size[0], value, &RUNS))
            return 0;
        write_numbers(w, ",\"start\":[", start, a->rank);
        write_numbers(w, ",\"size\":[", size, a->rank);
        klv_put_char(w->out, '}');
    }
    w->entry = -1;
    return 1;
}

static int write_values(struct walk *w, const struct array *a, struct cursor *c)
{
    const struct cursor data = *c;
    const uint64_t row = a->count / a->dimensions[0]; /* elements of one */
    for (uint64_t i = 0; i < a->count; i++) {
        uint64_t value;
        const uint8_t *at;
        int written = 1;
        if (i)
            klv_put_char(w->out, ',');
        w->entry = (int)i;
        switch (a->algorithm) {
        case A_NATURAL: written = write_cell(w, a, i / row, data.at + i * a->width, &VALUES); break;
        case A_IMAPB:
            at = data.at + i * a->width;
            klv_write_steps(w, a->min, a->max, klv_power_over(a->max - a->min), at, (size_t)a->width, &VALUES);
            break;
        case A_BOOLEAN: klv_put(w->out, data.at[i / 8] >> (7 - i % 8) & 1 ? "true" : "false"); break;
        default:
            written = take_oid(c, &value);
            if (written) /* both have 63 bits at most, as nine octets of BER-OID hold */
                klv_put_uint(w->out, value + a->bias);
        }
        if (!written || w->out->full)
            return written;
    }
    w->entry = -1;
    return a->algorithm != A_UINT || c->at == c->end; /* the others were measured by write_parameters */
}

/* The bounds of IMAPB elements: two floats or two doubles. No field says which: the number of bytes that are not
 * elements shows it. */
static int take_bounds(struct array *a, struct cursor *c)
{
    if (a->width > 8 || left(c) < a->count * a->width)
        return 0;
    size_t both = left(c) - (size_t)(a->count * a->width), one = both / 2;
    if (both != 8 && both != 16)
        return 0;
    a->min = klv_ieee(c->at, one);
    a->max = klv_ieee(c->at + one, one);
    c->at += both;
    return isfinite(a->min) && isfinite(a->max) && a->max > a->min && isfinite(a->max - a->min);
}

static void write_bounds(struct walk *w, const struct array *a, int wide)
{
    klv_put(w->out, ",\"imapb_bounds\":[");
    klv_put_float(w->out, a->min, wide);
    klv_put_char(w->out, ',');
    klv_put_float(w->out, a->max, wide);
    klv_put_char(w->out, ']');
}

/* The parameters; 0 = they, or the bytes of the elements, are not what the head of the array says. */
static int write_parameters(struct walk *w, struct array *a, struct cursor *c)
{
    const size_t before = left(c);
    switch (a->algorithm) {
    case A_NATURAL: return is_natural(a) && before == a->count * a->width;
    case A_IMAPB:
        if (!take_bounds(a, c))
            return 0;
        write_bounds(w, a, before - left(c) == 2 * sizeof(double));
        return 1;
    case A_BOOLEAN: return before == (a->count + 7) / 8;
    case A_UINT:
        if (!take_oid(c, &a->bias))
            return 0;
        klv_put(w->out, ",\"bias\":");
        klv_put_uint(w->out, a->bias);
        return 1;
    default: return is_natural(a) && before >= a->width;
    }
}

static int take_head(struct array *a, struct cursor *c)
{
    uint64_t rank;
    int empty = 0;
    if (!take_oid(c, &rank) || rank < 1 || rank > DIMENSIONS)
        return 0;
    a->rank = (unsigned)rank;
    a->count = 1;
    for (unsigned d = 0; d < a->rank; d++) {
        if (!take_oid(c, &a->dimensions[d]))
            return 0;
        empty |= a->dimensions[d] == 0;
        /* Neither factor is above UINT32_MAX, so the product fits 64 bits. */
        a->count = a->dimensions[d] > UINT32_MAX ? UINT32_MAX : a->count * a->dimensions[d];
        if (a->count > UINT32_MAX)
            a->count = UINT32_MAX;
    }
    if (empty) /* even where a product before the 0 was cut to UINT32_MAX */
        a->count = 0;
    return take_oid(c, &a->width) && take_oid(c, &a->algorithm) && a->width <= UINT16_MAX &&
           a->algorithm >= A_NATURAL && a->algorithm <= A_RUNS;
}

int klv_write_array(struct walk *w, const struct item *item, const uint8_t *in, size_t n)
{
    struct cursor c = {in, in + n};
    struct array a = {.item = item};
    if (!take_head(&a, &c))
        return 0;
    write_numbers(w, "{\"dims\":[", a.dimensions, a.rank);
    klv_put(w->out, ",\"ebytes\":");
    klv_put_uint(w->out, a.width);
    klv_put(w->out, ",\"apa\":");
    klv_put_uint(w->out, a.algorithm);
    int empty = a.count == 0 || a.width == 0;
    if (empty ? c.at != c.end : !write_parameters(w, &a, &c))
        return 0;
    if (!empty && a.algorithm == A_RUNS) {
        if (!write_runs(w, &a, &c))
            return 0;
    } else {
        klv_put(w->out, ",\"values\":[");
        if (!empty && !write_values(w, &a, &c))
            return 0;
    }
    klv_put(w->out, "]}");
    w->entry = -1;
    return 1;
}
