/* pes.c - PES packets and the metadata AU cells in them (ISO/IEC 13818-1, MISB ST 1402). */
#include "lane.h"

static int64_t pts_of(const uint8_t *p)
{
    return ((int64_t)(p[0] & 0x0e) << 29) | ((int64_t)p[1] << 22) | ((int64_t)(p[2] & 0xfe) << 14) |
           ((int64_t)p[3] << 7) | (p[4] >> 1);
}

enum { PRIVATE_STREAM_2 = 0xbf };

static int is_pes(const uint8_t *h)
{
    return h[0] == 0 && h[1] == 0 && h[2] == 1;
}

/* private_stream_2 has neither flags nor times: its payload begins behind the length. Unless the sender did not know:
 * then there is a header with PTS, with DTS too or with none, and nothing else in it. */
static int is_flagless(const uint8_t *h)
{
    int common = (h[6] & 0xf0) == 0x80 && (h[7] & 0x3f) == 0 && h[8] == (h[7] >> 6 & 2u) / 2 * 5 + (h[7] >> 6 & 1u) * 5;
    return h[3] == PRIVATE_STREAM_2 && !common;
}

static int begins_key(const uint8_t *in, size_t n)
{
    return n >= 16 && (klv_set_of_key(in) || klv_is_designator(in) || klv_is_fill(in));
}

int ts_pes_begins_key(const uint8_t *in, size_t n)
{
    if (n < 9 || !is_pes(in) || (!is_flagless(in) && (in[6] & 0xc0) != 0x80))
        return 0;
    size_t at = is_flagless(in) ? 6 : 9u + in[8];
    return at < n && (begins_key(in + at, n - at) || (n - at > 5 && begins_key(in + at + 5, n - at - 5)));
}

/* Is this the header of a metadata AU cell? Keys and reserved bits tell, whatever the PMT said. */
static int looks_like_cell(const struct pid *s)
{
    const uint8_t *h = s->head;
    if (s->have >= 4 && memcmp(h, UL_PREFIX, sizeof UL_PREFIX) == 0)
        return 0;
    if (s->have < 5)
        return 0;
    size_t length = be16(h + 3);
    if (s->pes_left != SIZE_MAX && length > s->pes_left - 5)
        return 0;
    return (s->have >= 9 && memcmp(h + 5, UL_PREFIX, sizeof UL_PREFIX) == 0) || ((s->announced || s->in_cell) && (h[2] & 0x0f) == 0x0f);
}

static void begin_cell(struct pid *s)
{
    unsigned fragment = s->head[2] >> 6; /* 3 complete, 2 first, 1 last, 0 middle */
    uint8_t sequence = s->head[1];
    if (s->in_cell && (fragment >= 2 || sequence != (uint8_t)(s->cell_sequence + 1)))
        klv_hold_cut(s);
    s->in_cell = fragment == 2 || fragment == 0;
    s->cell_sequence = sequence;
    s->cell_left = be16(s->head + 3);
    s->state = s->cell_left ? S_DATA : S_CELL;
}

/* Collects up to s->need bytes of a header; 1 = it is whole, or the PES ends with less. */
static int collect(struct pid *s, const uint8_t **in, size_t *n)
{
    size_t take = s->need - s->have;
    if (take > *n)
        take = *n;
    if (s->state > S_HEAD && take > s->pes_left - s->have)
        take = s->pes_left - s->have;
    memcpy(s->head + s->have, *in, take);
    s->have += take;
    *in += take;
    *n -= take;
    return s->have == s->need || (s->state > S_HEAD && s->have == s->pes_left);
}

/* Until a PES packet begins; what was kept to decide on a payload is lost. */
void ts_pes_wait(struct klv_lane *lane, struct pid *s)
{
    if (s->state == S_DECIDE)
        lane->counts.passed_over += s->have;
    s->state = S_WAIT;
    s->have = 0;
}

void ts_pes_enter(struct pid *s, enum state state, size_t need)
{
    s->state = (uint8_t)state;
    s->have = 0;
    s->need = need;
}

static void flagless_header(struct pid *s)
{
    size_t length = be16(s->head + 4);
    s->pes_left = length == 0 ? SIZE_MAX : length;
    klv_hold_turn(s, -1);
    ts_pes_enter(s, S_DECIDE, 9);
}

/* How many bytes of `head` are payload, and copied to `payload`. */
static size_t pes_header(struct pid *s, uint8_t *payload)
{
    const uint8_t *h = s->head;
    if (s->need == 6) { /* there may be no more */
        s->need = 9;
        if (is_pes(h) && h[3] == PRIVATE_STREAM_2 && h[4] == 0 && (h[5] == 1 || h[5] == 2))
            flagless_header(s);
        return 0;
    }
    if (s->need == 9) {
        if (is_pes(h) && is_flagless(h)) {
            memcpy(payload, h + 6, 3);
            flagless_header(s);
            return 3;
        }
        if (!is_pes(h) || (h[6] & 0xc0) != 0x80) { /* no PES, or one without times */
            s->state = S_WAIT;
            return 0;
        }
        if (h[8] > 0) {
            s->need = 9u + h[8];
            return 0;
        }
    }
    size_t length = be16(h + 4), optional = 3u + h[8];
    s->pes_left = length == 0 ? SIZE_MAX : length > optional ? length - optional : 0;
    klv_hold_turn(s, (h[7] & 0x80) && h[8] >= 5 ? pts_of(h + 9) : -1);
    ts_pes_enter(s, s->pes_left ? S_DECIDE : S_WAIT, 9);
    return 0;
}

static void pes_data(struct klv_lane *lane, struct pid *s, const uint8_t *in, size_t n)
{
    if (n > s->pes_left)
        n = s->pes_left;
    klv_hold_append(lane, s, in, n);
    if (s->pes_left != SIZE_MAX)
        s->pes_left -= n;
    if (s->cells && s->cell_left != SIZE_MAX) {
        s->cell_left -= n;
        if (s->cell_left == 0)
            ts_pes_enter(s, S_CELL, 5);
    }
    if (s->pes_left == 0)
        s->state = S_WAIT;
}

/* The header of a cell is in `head`. */
static void enter_cell(struct pid *s)
{
    if (s->pes_left != SIZE_MAX)
        s->pes_left -= 5;
    ts_pes_enter(s, S_CELL, 5);
    begin_cell(s);
    if (s->pes_left == 0)
        s->state = S_WAIT;
}

/* The first bytes of a payload are in `head`: cells or not. How many of them are a header. */
static size_t pes_decide(struct pid *s)
{
    s->cells = (uint8_t)looks_like_cell(s);
    if (s->cells) {
        enter_cell(s);
        return 5;
    }
    s->state = S_DATA;
    s->cell_left = SIZE_MAX;
    return 0;
}

static size_t take_data(struct klv_lane *lane, struct pid *s, const uint8_t *in, size_t n)
{
    if (s->cells && n > s->cell_left)
        n = s->cell_left;
    pes_data(lane, s, in, n);
    return n;
}

void ts_pes_bytes(struct klv_lane *lane, struct pid *s, const uint8_t *in, size_t n)
{
    uint8_t first[9]; /* what was read to decide is read again */
    const uint8_t *again = first;
    size_t left = 0;
    while (n + left > 0 && s->state != S_WAIT) {
        const uint8_t **from = left ? &again : &in;
        size_t *much = left ? &left : &n;
        if (s->state == S_DATA) {
            size_t taken = take_data(lane, s, *from, *much);
            *from += taken;
            *much -= taken;
            continue;
        }
        if (!collect(s, from, much)) {
            if (*much == 0 && n + left > 0)
                continue;
            return;
        }
        if (s->state == S_HEAD) {
            left = pes_header(s, first);
            again = first;
        } else if (s->state == S_DECIDE) {
            size_t have = s->have, used;
            memcpy(first, s->head, have);
            used = pes_decide(s);
            again = first + used;
            left = have - used;
        } else if (s->have < 5) {
            s->state = S_WAIT;
        } else {
            enter_cell(s);
        }
    }
}
