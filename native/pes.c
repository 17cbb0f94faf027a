/* pes.c - PES packets and the metadata AU cells in them: headers off, payload into the hold.
 *
 * A PES packet (ISO/IEC 13818-1, 2.4.3.6 and 2.4.3.7):
 *
 *   byte  0          3           4                   6                  7                  8             9
 *        +----------+-----------+-------------------+------------------+------------------+-------------+----------+
 *        | 00 00 01 | stream_id | PES_packet_length | 10 sc sc p a c o | PTS DTS E R T i  | header_data | optional |
 *        |          |           | (2)               |                  | C x              | _length     | fields.. |
 *        +----------+-----------+-------------------+------------------+------------------+-------------+----------+
 *
 *   PES_packet_length   bytes after it; 0 = unspecified: it ends where the next one begins
 *   10                  these two bits mark a header with flags; MPEG-1 and padding_stream have others
 *   sc p a c o          scrambling, priority, alignment, copyright, original: not read
 *   PTS DTS             0x80: a PTS is there; 0x40: a DTS after it; the other flags are fields after these
 *   header_data_length  bytes of the optional fields and stuffing: the payload begins after them
 *   stream_id           0xbf private_stream_2 has no flags: its payload begins at byte 6. All others are read as above,
 *                       whatever their value: KLV comes in 0xbd private_stream_1, 0xfc metadata_stream, and wrong ones
 *
 *   PTS   0010 aaa 1 | bbbbbbbb | bbbbbbb 1 | cccccccc | ccccccc 1      33 bits a b c, 90 kHz; 1 = marker bits;
 *                                                                       0011 in front where a DTS follows
 *
 * The payload is KLV as it is (MISB ST 1402, asynchronous), or in metadata AU cells (ISO/IEC 13818-1, 2.12.4; ST 1402,
 * synchronous), each with this header:
 *
 *   byte  0                     1                 2                  3                   5
 *        +---------------------+-----------------+------------------+-------------------+------
 *        | metadata_service_id | sequence_number | ff d r 1 1 1 1   | cell_data_length  | data
 *        |                     |                 |                  | (2)               |
 *        +---------------------+-----------------+------------------+-------------------+------
 *
 *   sequence_number   one more with each cell
 *   ff                cell_fragment_indication: the cell is 3 all of an access unit, 2 its first part, 1 its last, 0 a
 *                     part between
 *   d r               decoder_config_flag, random_access_indicator: not read; then 4 reserved bits, ones
 *
 * What reads a PID's bytes (enum pes_state), and what moves it on:
 *
 *   state      reads                   until                           then
 *   ---------------------------------------------------------------------------------------------------------------
 *   S_WAIT     nothing                 a TS packet begins a unit       S_HEAD
 *   S_HEAD     the PES header          it is whole                     S_DECIDE; not one, or no payload: S_WAIT
 *   S_DECIDE   9 bytes of payload      they are there, or the PES      with a cell header: as from S_CELL; else S_DATA.
 *                                      packet ends                     The rest of the 9 bytes is then read again
 *   S_CELL     an AU cell header       its 5 bytes are there           S_DATA; S_CELL if the cell is empty
 *                                      the PES packet ends             S_WAIT
 *   S_DATA     payload into the hold   the cell ends                   S_CELL
 *                                      the PES packet ends             S_WAIT
 *
 *   In any state (lane.c):
 *   a TS packet begins a unit          S_HEAD. In S_DATA with bytes of a known length missing: the PES packet is
 *                                      doubtful and the hold is cut. In S_DECIDE and S_CELL no cut: the bytes in
 *                                      `head` are discarded; a gap in an access unit shows in sequence_number
 *   the counter shows a gap            S_DATA stays, its lengths become unknown: all bytes up to the next unit go into
 *                                      the hold, where known keys are searched. Any other: S_WAIT
 *   error, scrambled, source breaks    S_WAIT
 *   sync lost, found again             the state stays, the hold is cut; a loss shows in the counter
 */
#include "lane.h"

enum {
    PRIVATE_STREAM_2 = 0xbf,
    START_SIZE = 6,         /* bytes of a PES header up to the length */
    FLAGS_SIZE = 9,         /* and up to the optional fields */
    CELL_HEAD = 5,
    DECIDE_SIZE = CELL_HEAD + sizeof UL_PREFIX
};

/* Bytes to be read: those of the TS packet, or some that are read again. */
struct span {
    const uint8_t *at;
    size_t left;
};

static int64_t pts_of(const uint8_t *p)
{
    return ((int64_t)(p[0] & 0x0e) << 29) | ((int64_t)p[1] << 22) | ((int64_t)(p[2] & 0xfe) << 14) |
           ((int64_t)p[3] << 7) | (p[4] >> 1);
}

static int is_pes(const uint8_t *h)
{
    return h[0] == 0 && h[1] == 0 && h[2] == 1;
}

static int has_flags(const uint8_t *h)
{
    return (h[6] & 0xc0) == 0x80;
}

/* Is it private_stream_2 as the standard has it, without flags? Some senders write flags there too. The bytes are read
 * as flags only if they announce nothing but PTS and DTS, one, both or none, and header_data_length agrees. */
static int is_flagless(const uint8_t *h)
{
    int pts = h[7] >> 7, dts = h[7] >> 6 & 1;
    int has_common_flags = (h[6] & 0xf0) == 0x80 && (h[7] & 0x3f) == 0 && h[8] == 5 * pts + 5 * dts;
    return h[3] == PRIVATE_STREAM_2 && !has_common_flags;
}

static int begins_key(const uint8_t *in, size_t n)
{
    return n >= UL_SIZE && (klv_set_of_key(in) || klv_is_designator(in) || klv_is_fill(in));
}

int ts_pes_begins_key(const uint8_t *in, size_t n)
{
    if (n < FLAGS_SIZE || !is_pes(in) || (!is_flagless(in) && !has_flags(in)))
        return 0;
    size_t at = is_flagless(in) ? START_SIZE : (size_t)FLAGS_SIZE + in[8], cell = at + CELL_HEAD;
    return at < n && (begins_key(in + at, n - at) || (cell < n && begins_key(in + cell, n - cell)));
}

void ts_pes_wait(struct klv_lane *lane, struct pid *s)
{
    if (s->pes.state == S_DECIDE) /* the bytes in `head` are payload that never comes into the hold */
        lane->counts.passed_over += s->pes.have;
    s->pes.state = S_WAIT;
    s->pes.have = 0;
}

/* Begins to collect `need` bytes in `head`. */
static void enter(struct pes *pes, enum pes_state state, size_t need)
{
    pes->state = (uint8_t)state;
    pes->have = 0;
    pes->need = need;
}

void ts_pes_begin(struct pes *pes)
{
    enter(pes, S_HEAD, START_SIZE);
}

int ts_pes_is_undecided(const struct pes *pes)
{
    return pes->state == S_DECIDE && pes->have > 0;
}

/* Collects up to pes->need bytes in `head`; 1 = they are there, or the PES packet ends with less. */
static int collect(struct pes *pes, struct span *in)
{
    int is_payload = pes->state > S_HEAD;
    size_t take = pes->need - pes->have;
    if (take > in->left)
        take = in->left;
    if (is_payload && take > pes->left - pes->have)
        take = pes->left - pes->have;
    memcpy(pes->head + pes->have, in->at, take);
    pes->have += take;
    in->at += take;
    in->left -= take;
    return pes->have == pes->need || (is_payload && pes->have == pes->left);
}

/* ---- S_HEAD ---- */

/* A header without flags: its payload begins after the length. */
static void begin_flagless(struct pid *s)
{
    size_t length = be16(s->pes.head + 4);
    s->pes.left = length == 0 ? LENGTH_UNKNOWN : length;
    klv_hold_begin_pes(s, -1);
    enter(&s->pes, S_DECIDE, DECIDE_SIZE);
}

/* A header with flags, whole. */
static void begin_flagged(struct pid *s)
{
    const uint8_t *h = s->pes.head;
    size_t length = be16(h + 4), header = (size_t)FLAGS_SIZE - START_SIZE + h[8];
    int has_pts = (h[7] & 0x80) && h[8] >= 5;
    s->pes.left = length == 0 ? LENGTH_UNKNOWN : length > header ? length - header : 0;
    klv_hold_begin_pes(s, has_pts ? pts_of(h + FLAGS_SIZE) : -1);
    enter(&s->pes, s->pes.left ? S_DECIDE : S_WAIT, DECIDE_SIZE);
}

/* The header is in `head` up to the length, then up to its own length, then all of it: three steps, since each shows
 * the length of the next. *again, in `room`: payload among its bytes, which is read again. */
static void read_head(struct pid *s, struct span *again, uint8_t *room)
{
    struct pes *pes = &s->pes;
    const uint8_t *h = pes->head;
    if (pes->need == START_SIZE) {
        size_t length = be16(h + 4);
        pes->need = FLAGS_SIZE;
        if (is_pes(h) && h[3] == PRIVATE_STREAM_2 && (length == 1 || length == 2)) /* it ends before the flags would */
            begin_flagless(s);
    } else if (pes->need == FLAGS_SIZE && is_pes(h) && is_flagless(h)) {
        memcpy(room, h + START_SIZE, FLAGS_SIZE - START_SIZE);
        *again = (struct span){room, FLAGS_SIZE - START_SIZE};
        begin_flagless(s);
    } else if (pes->need == FLAGS_SIZE && (!is_pes(h) || !has_flags(h))) {
        pes->state = S_WAIT;
    } else if (pes->need == FLAGS_SIZE && h[8] > 0) {
        pes->need = (size_t)FLAGS_SIZE + h[8];
    } else {
        begin_flagged(s);
    }
}

/* ---- S_DECIDE, S_CELL ---- */

/* Does the payload begin with an AU cell header? The bytes decide, since the stream type is often wrong: a key at
 * the beginning means no header, a key after five bytes means a header. A later part of an access unit has no key: then
 * it is a header if cells are announced or one was open, and its reserved bits are ones. */
static int looks_like_cell(const struct pid *s)
{
    const struct pes *pes = &s->pes;
    const uint8_t *h = pes->head;
    if (pes->have >= sizeof UL_PREFIX && memcmp(h, UL_PREFIX, sizeof UL_PREFIX) == 0)
        return 0;
    if (pes->have < CELL_HEAD)
        return 0;
    size_t length = be16(h + 3);
    if (pes->left != LENGTH_UNKNOWN && length > pes->left - CELL_HEAD)
        return 0;
    if (pes->have >= DECIDE_SIZE && memcmp(h + CELL_HEAD, UL_PREFIX, sizeof UL_PREFIX) == 0)
        return 1;
    return (s->cells_announced || pes->in_cell) && (h[2] & 0x0f) == 0x0f;
}

/* The header of a cell is in `head`. */
static void enter_cell(struct pid *s)
{
    struct pes *pes = &s->pes;
    unsigned fragment = pes->head[2] >> 6;
    int ends = fragment & 1, begins = fragment >= 2;
    uint8_t sequence = pes->head[1];
    if (pes->left != LENGTH_UNKNOWN)
        pes->left -= CELL_HEAD;
    /* Cells of the access unit are missing. */
    if (pes->in_cell && (begins || sequence != (uint8_t)(pes->cell_sequence + 1)))
        klv_hold_cut(s);
    pes->in_cell = !ends;
    pes->cell_sequence = sequence;
    pes->cell_left = be16(pes->head + 3);
    enter(pes, pes->cell_left ? S_DATA : S_CELL, CELL_HEAD);
    if (pes->left == 0)
        pes->state = S_WAIT;
}

/* The first bytes of the payload are in `head`. *again, in `room`: those that are no cell header. */
static void decide(struct pid *s, struct span *again, uint8_t *room)
{
    struct pes *pes = &s->pes;
    size_t have = pes->have, header = 0;
    memcpy(room, pes->head, have);
    pes->has_cells = (uint8_t)looks_like_cell(s);
    if (pes->has_cells) {
        enter_cell(s);
        header = CELL_HEAD;
    } else {
        pes->state = S_DATA;
        pes->cell_left = LENGTH_UNKNOWN;
    }
    *again = (struct span){room + header, have - header};
}

/* ---- S_DATA ---- */

/* Payload into the hold, up to the end of the cell or of the PES packet. */
static void take_data(struct klv_lane *lane, struct pid *s, struct span *in)
{
    struct pes *pes = &s->pes;
    size_t most = in->left;
    if (pes->has_cells && most > pes->cell_left)
        most = pes->cell_left;
    size_t n = most < pes->left ? most : pes->left; /* what is after the end of the PES packet is skipped */
    klv_hold_append(lane, s, in->at, n);
    in->at += most;
    in->left -= most;
    if (pes->left != LENGTH_UNKNOWN)
        pes->left -= n;
    if (pes->has_cells && pes->cell_left != LENGTH_UNKNOWN) {
        pes->cell_left -= n;
        if (pes->cell_left == 0)
            enter(pes, S_CELL, CELL_HEAD);
    }
    if (pes->left == 0)
        pes->state = S_WAIT;
}

void ts_pes_bytes(struct klv_lane *lane, struct pid *s, const uint8_t *in, size_t n)
{
    uint8_t room[DECIDE_SIZE];
    struct span input = {in, n}, again = {room, 0};
    struct pes *pes = &s->pes;
    while (input.left + again.left > 0 && pes->state != S_WAIT) {
        struct span *from = again.left ? &again : &input;
        if (pes->state == S_DATA)
            take_data(lane, s, from);
        else if (!collect(pes, from))
            continue; /* not all is there: take the rest from `input` if this was `again`, else return */
        else if (pes->state == S_HEAD)
            read_head(s, &again, room);
        else if (pes->state == S_DECIDE)
            decide(s, &again, room);
        else if (pes->have < CELL_HEAD) /* the PES packet ends within the header */
            pes->state = S_WAIT;
        else
            enter_cell(s);
    }
}
