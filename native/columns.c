/* columns.c - many packets to columns of numbers, without text or objects in between.
 *
 *   out[c * stride + row]     stride >= rows
 *
 *                row 0   row 1   ...
 *   column 0     item tags[0] of packet 0, of packet 1, ...; NaN where a packet has no such item
 *   column 1     item tags[1]
 */
#include "primitives.h"

#include <math.h>

enum { TAGS = 144, COLUMNS = 255 }; /* tags of ST 0601 that may be requested, from 0; maximum number of columns */

int klv_numeric(unsigned tag)
{
    if (tag >= klv_st0601->tags)
        return 0;
    switch (klv_st0601->items[tag].kind) {
    case K_UINT:
    case K_INT:
    case K_LINEAR_UINT:
    case K_LINEAR_INT:
    case K_IMAPB:
    case K_ENUM:
    case K_BITS: return 1;
    default: return 0;
    }
}

/* How a requested item is read: nearly all are integers of 1, 2 or 4 bytes times a scale plus an offset. */
enum way {
    W_SKIP = 0,     /* not requested */
    W_ANY,          /* by klv_item_number() */
    W_U1, W_U2, W_U4,
    W_S2, W_S4      /* the most negative is no number */
};

struct plan {
    double scale, offset;
    uint8_t way;            /* enum way */
    uint8_t length;         /* for which `way` holds: any other is read as W_ANY */
    uint8_t column;
};

static struct plan plan_for(const struct item *item, size_t column)
{
    static const uint8_t UNSIGNED[5] = {W_ANY, W_U1, W_U2, W_ANY, W_U4}, SIGNED[5] = {W_ANY, W_ANY, W_S2, W_ANY, W_S4};
    struct plan plan = {1, 0, W_ANY, (uint8_t)item->len_min, (uint8_t)column};
    size_t length = item->len_min <= 4 ? item->len_min : 0; /* 0 is W_ANY */
    if (item->kind == K_LINEAR_INT) {
        plan.scale = item->scale;
        plan.way = SIGNED[length];
    } else if (item->kind == K_LINEAR_UINT) {
        plan.scale = item->scale;
        plan.offset = item->min;
        plan.way = UNSIGNED[length];
    } else if (item->kind == K_UINT || item->kind == K_ENUM || item->kind == K_BITS) {
        plan.way = UNSIGNED[length];
    }
    return plan;
}

static inline double number(const struct plan *plan, uint64_t tag, const uint8_t *in, size_t n)
{
    switch (n == plan->length ? plan->way : W_ANY) {
    case W_U1: return in[0] * plan->scale + plan->offset;
    case W_U2: return be16(in) * plan->scale + plan->offset;
    case W_U4: return be32(in) * plan->scale + plan->offset;
    case W_S2: return be16(in) == 0x8000 ? NAN : (int16_t)be16(in) * plan->scale;
    case W_S4: return be32(in) == 0x80000000 ? NAN : (int32_t)be32(in) * plan->scale;
    default: return klv_item_number(&klv_st0601->items[tag], in, n);
    }
}

/* The items of a local set, of which each repeated one overwrites the one before. */
static void fill_row(const uint8_t *value, size_t n, const struct plan *plans, double *out, size_t stride)
{
    size_t at = 0, length;
    uint64_t tag;
    while (at < n && read_item(value, &at, n, &tag, &length) == KLV_OK) {
        if (tag < TAGS && plans[tag].way != W_SKIP)
            out[plans[tag].column * stride] = number(&plans[tag], tag, value + at, length);
        at += length;
    }
}

/* The same of a universal set (ST 0104): its items correspond to those of ST 0601. */
static void fill_row_by_key(const uint8_t *value, size_t n, const struct plan *plans, double *out, size_t stride)
{
    size_t at = 0, key, length;
    while (at < n && read_key(value, &at, n, &key, &length)) {
        const struct keyed *keyed = klv_keyed_of(value + key);
        if (keyed && keyed->tag && keyed->tag < TAGS && plans[keyed->tag].way != W_SKIP)
            out[plans[keyed->tag].column * stride] = klv_item_number(&keyed->item, value + at, length);
        at += length;
    }
}

static void fill(const struct set *set, const uint8_t *value, size_t n, const struct plan *plans, double *out,
                 size_t stride)
{
    if (set->universal == U_SET)
        fill_row_by_key(value, n, plans, out, stride);
    else
        fill_row(value, n, plans, out, stride);
}

static int has_columns(const struct set *set)
{
    return set == klv_st0601 || (set->universal == U_SET && set->time_tag);
}

enum klv_status klv_columns(const uint8_t *in, size_t n, size_t limit, int all, const uint16_t *tags, size_t columns,
                            double *out, size_t stride, size_t rows, size_t *row, struct klv_search *search,
                            size_t *used)
{
    struct plan plans[TAGS];
    memset(plans, 0, sizeof plans);
    for (size_t c = 0; c < columns && c < COLUMNS; c++)
        if (tags[c] < TAGS)
            plans[tags[c]] = plan_for(&klv_st0601->items[tags[c]], c);
    struct klv_view view;
    for (;;) {
        const struct klv_search before = *search;
        /* Behind a packet that was cut comes a known key, so that KLV_STEP makes no difference there. */
        if (klv_next(in + *used, n - *used, limit, KLV_STEP | KLV_LAST, search, &view) != KLV_OK) {
            *used += view.at;
            return KLV_MORE;
        }
        if (has_columns(&klv_sets[view.set]) && (all || (view.checksum != KLV_BAD && !view.cut))) {
            if (*row == rows) {
                *search = before; /* the next call finds this packet again */
                klv_took(search, 0, view.at);
                *used += view.at;
                return KLV_FULL;
            }
            for (size_t c = 0; c < columns; c++)
                out[c * stride + *row] = NAN;
            const uint8_t *value = in + *used + view.at + view.value;
            fill(&klv_sets[view.set], value, view.size - view.value, plans, out + *row, stride);
            ++*row;
        }
        *used += view.at + view.size;
    }
}
