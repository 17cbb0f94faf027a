/* grid.c - positions on a grid, so that an output shows them no finer than it should.
 *
 *   latitude    rows of `grid` metres from the equator on
 *   longitude   columns from the meridian on, at least `grid` metres wide on the row's edge nearer to the pole: so a
 *               longitude without its latitude is left out
 *
 * Each position is the middle of its cell. Left out are the items that may hold a position in their parts
 * (PLACE_INSIDE), among them the offsets of corners (ST 0601, items 26 to 33): with the exact offset between two
 * points, both rounded, either is known better than the grid.
 */
#include "thin.h"

/* Metres of a degree, where it is shortest: a cell is nowhere smaller than it should be. */
static const double LATITUDE_METRES = 110574, LONGITUDE_METRES = 111319, RADIANS = 0.017453292519943295;

static int32_t position_code(const uint8_t *in)
{
    return (int32_t)sign_extend(be32(in), 4);
}

static double nearest_of(double value, double step, double most)
{
    const double rounded = floor(value / step + 0.5) * step;
    return rounded > most ? most : rounded < -most ? -most : rounded;
}

static double row_of(const struct item *latitude, int32_t code, double grid)
{
    return nearest_of((double)code * latitude->scale, grid / LATITUDE_METRES, 90);
}

static double column_of(const struct item *longitude, int32_t code, double row, double grid)
{
    const double edge = fabs(row) + grid / LATITUDE_METRES / 2;
    const double step = edge < 90 ? grid / (LONGITUDE_METRES * cos(edge * RADIANS)) : 360;
    return step < 360 ? nearest_of((double)code * longitude->scale, step, 180) : 0;
}

int klv_coarsen(const struct thin *t, const struct item *item, uint64_t tag, size_t at, uint8_t *to)
{
    const int32_t code = position_code(t->in + at);
    double value;
    if (code == INT32_MIN) { /* no position */
        memcpy(to, t->in + at, 4);
        return 1;
    }
    if (item->place == PLACE_LATITUDE) {
        value = row_of(item, code, t->want->grid);
    } else {
        const size_t latitude = t->latitudes[tag - 1];
        if (latitude == 0 || position_code(t->in + latitude) == INT32_MIN)
            return 0;
        const double row = row_of(item - 1, position_code(t->in + latitude), t->want->grid); /* rows of tags in a row */
        value = column_of(item, code, row, t->want->grid);
    }
    const uint64_t rounded = (uint64_t)llround(value / item->scale);
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(rounded >> (24 - 8 * i));
    return 1;
}
