/* columns.c - many packets to columns of numbers, without text or objects between. */
#include "wire.h"

#include <math.h>

enum { TAGS = 144, NO_COLUMN = 0xff };

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

static void fill_row(const uint8_t *value, size_t n, const uint8_t *column_of, double *out, size_t stride)
{
    size_t at = 0, length;
    uint64_t tag;
    while (at < n && read_item(value, &at, n, &tag, &length) == KLV_OK) {
        if (tag < TAGS && column_of[tag] != NO_COLUMN)
            out[column_of[tag] * stride] = item_number(&klv_st0601->items[tag], value + at, length);
        at += length;
    }
}

enum klv_status klv_columns(const uint8_t *in, size_t n, size_t limit, int all, const uint16_t *tags,
                            size_t columns, double *out, size_t stride, size_t rows, size_t *row, size_t *used)
{
    uint8_t column_of[TAGS];
    memset(column_of, NO_COLUMN, sizeof column_of);
    for (size_t c = 0; c < columns && c < NO_COLUMN; c++)
        if (tags[c] < TAGS)
            column_of[tags[c]] = (uint8_t)c;
    struct klv_view view;
    int in_step = 1;
    for (;;) {
        if (klv_next(in + *used, n - *used, limit, in_step, &view) != KLV_OK) {
            *used += view.at;
            return KLV_MORE;
        }
        in_step = !view.cut;
        if (&klv_sets[view.set] == klv_st0601 && (all || (view.checksum != KLV_BAD && !view.cut))) {
            if (*row == rows)
                return KLV_FULL;
            for (size_t c = 0; c < columns; c++)
                out[c * stride + *row] = NAN;
            fill_row(in + *used + view.at + view.value, view.size - view.value, column_of, out + *row, stride);
            ++*row;
        }
        *used += view.at + view.size;
    }
}
