/* lane.c - the transport lane: MPEG-TS (ISO/IEC 13818-1) or bare KLV in any cut, whole KLV packets out.
 *
 *   bytes -> TS packets -> PAT, PMT: which PIDs may carry KLV
 *                       -> PES -> (AU cells of ST 1402) -> hold of the PID -> klv_next -> packet
 *
 * One hold a PID keeps what is not yet a whole packet. A gap in the continuity counter cuts what is held: it
 * comes out as damaged, and what follows counts again from the next known key. So no packet spans a loss.
 */
#include "wire.h"

enum {
    TS_SIZE = 188,
    ACQUIRE = 3 * 204 + 1,  /* bytes needed to be sure of the packet size */
    SECTION = 1024 + 3,
    PMTS = 8,
    NO_PID = 0x1fff
};

enum role { R_NONE, R_KLV = 1, R_PAT = R_KLV + KLV_PIDS, R_PMT }; /* R_PMT + n: the n-th program's map */

/* Where a PES is being read. */
enum state { S_WAIT, S_HEAD, S_DECIDE, S_CELL, S_DATA };

struct pid {
    uint16_t pid;
    uint8_t used, listed, counter, counted, state, cells, announced, in_step, damaged;
    uint8_t cell_sequence, in_cell;
    uint8_t head[264];
    size_t have, need;          /* of `head` */
    size_t pes_left, cell_left; /* SIZE_MAX = not said */
    int64_t pts, pts_held;      /* of the bytes from `turn` on, and of those before */
    size_t from, to, turn, cut; /* of the hold; cut = where bytes were lost, 0 = nowhere */
    uint8_t *hold;
    uint8_t last[TS_SIZE];      /* the TS packet before, to know it when it comes twice */
};

struct section {
    uint16_t pid;
    uint32_t crc;               /* of the section last taken: the same again is skipped */
    size_t have;
    uint8_t counter, open;
    uint8_t data[SECTION];
};

struct klv_lane {
    int ts;
    size_t limit, hold_size;
    unsigned draining;          /* index of the PID to look for packets in, + 1 */
    size_t stride;              /* from one sync byte to the next: 188, 192, 204; 0 = not in step */
    size_t skip;                /* bytes to come that lie between two packets */
    size_t have;                /* of `part` */
    uint8_t part[1024];
    struct pid *last;           /* whose packet came out last, for taking it back */
    size_t last_size, last_cut;
    uint8_t last_in_step;
    struct klv_counts counts;
    uint8_t role[8192];
    struct section pat, pmt[PMTS];
    struct pid pids[KLV_PIDS];
};

size_t klv_lane_size(void)
{
    return sizeof(struct klv_lane);
}

size_t klv_lane_memory(int ts, size_t limit)
{
    return (ts ? KLV_PIDS : 1) * (limit + KLV_SPARE);
}

static void open_pid(struct pid *s, uint16_t number)
{
    uint8_t *hold = s->hold;
    memset(s, 0, sizeof *s);
    s->hold = hold;
    s->pid = number;
    s->used = 1;
    s->pts = s->pts_held = -1;
    s->in_step = 1;
}

void klv_lane_init(struct klv_lane *lane, int ts, size_t limit, uint8_t *memory)
{
    memset(lane, 0, sizeof *lane);
    lane->ts = ts;
    lane->limit = limit;
    lane->hold_size = limit + KLV_SPARE;
    lane->role[0] = R_PAT;
    for (unsigned i = 0; i < (ts ? KLV_PIDS : 1); i++)
        lane->pids[i].hold = memory + i * lane->hold_size;
    if (!ts)
        open_pid(&lane->pids[0], NO_PID);
}

void klv_lane_counts(const struct klv_lane *lane, struct klv_counts *counts)
{
    *counts = lane->counts;
}

/* ---- the hold: bytes of one PID, whole packets out ---- */

/* Bytes were lost here. */
static void cut(struct pid *s)
{
    if (s->from < s->to)
        s->cut = s->to;
    s->in_step = 0;
}

/* What comes from here on belongs to a PES packet (or mark) with this time. */
static void turn(struct pid *s, int64_t pts)
{
    if (s->from == s->to)
        s->from = s->to = s->turn = 0;
    else if (s->from >= s->turn)
        s->pts_held = s->pts;
    s->turn = s->to;
    s->pts = pts;
}

static void append(struct klv_lane *lane, struct pid *s, const uint8_t *in, size_t n)
{
    if (n > lane->hold_size - s->to) {
        size_t keep = s->to - s->from;
        memmove(s->hold, s->hold + s->from, keep);
        s->turn = s->turn > s->from ? s->turn - s->from : 0;
        s->cut = s->cut > s->from ? s->cut - s->from : 0;
        s->from = 0;
        s->to = keep;
    }
    if (n > lane->hold_size - s->to) { /* not reached while the limit is kept and the hold is drained */
        lane->counts.passed_over += n;
        cut(s);
        return;
    }
    memcpy(s->hold + s->to, in, n);
    s->to += n;
}

static void hand_out(struct klv_lane *lane, struct pid *s, const struct klv_view *view, struct klv_packet *packet)
{
    packet->data = s->hold + s->from;
    packet->size = view->size;
    packet->pts = s->from < s->turn ? s->pts_held : s->pts;
    packet->pid = s->pid == NO_PID ? -1 : s->pid;
    packet->set = view->set;
    packet->checksum = view->checksum;
    packet->damaged = view->cut || s->damaged;
    lane->last = s;
    lane->last_size = view->size;
    lane->last_cut = s->cut;
    lane->last_in_step = s->in_step;
    s->from += view->size;
    s->in_step = !view->cut;
    lane->counts.packets++;
    lane->counts.bad_checksum += view->checksum == KLV_BAD;
    lane->counts.damaged += packet->damaged != 0;
}

static void uncount(struct klv_lane *lane, const struct klv_packet *packet)
{
    lane->counts.packets--;
    lane->counts.bad_checksum -= packet->checksum == KLV_BAD;
    lane->counts.damaged -= packet->damaged != 0;
}

/* The packet just handed out did not fit at the caller's: the next call gives it again. */
static void take_back(struct klv_lane *lane, const struct klv_packet *packet)
{
    lane->last->from -= lane->last_size;
    lane->last->cut = lane->last_cut;
    lane->last->in_step = lane->last_in_step;
    lane->draining = (unsigned)(lane->last - lane->pids) + 1;
    uncount(lane, packet);
}

/* What is left before a cut: the beginning of a packet, or nothing. */
static int give_cut_packet(struct klv_lane *lane, struct pid *s, struct klv_packet *packet)
{
    size_t left = s->cut - s->from;
    struct klv_view view = {0};
    uint64_t length;
    size_t used;
    if (left > 17 && (view.set = set_of_key(s->hold + s->from)) != 0 &&
        klv_ber_length(s->hold + s->from + 16, left - 16, &length, &used) == KLV_OK) {
        view.size = left;
        view.cut = 1;
        view.checksum = klv_sets[view.set].sum == SUM_NONE ? KLV_ABSENT : KLV_BAD;
        hand_out(lane, s, &view, packet);
        s->cut = 0;
        return 1;
    }
    lane->counts.passed_over += left;
    s->from = s->cut;
    s->cut = 0;
    return 0;
}

static enum klv_status drain(struct klv_lane *lane, struct pid *s, struct klv_packet *packet)
{
    for (;;) {
        size_t end = s->cut ? s->cut : s->to;
        struct klv_view view = {0};
        enum klv_status status = klv_next(s->hold + s->from, end - s->from, lane->limit, s->in_step, &view);
        s->from += view.at;
        lane->counts.passed_over += view.at;
        s->in_step = s->in_step && view.at == 0;
        if (status == KLV_OK) {
            hand_out(lane, s, &view, packet);
            if (s->cut && s->from >= s->cut)
                s->cut = s->in_step = 0;
            return KLV_OK;
        }
        if (!s->cut)
            return KLV_MORE;
        if (give_cut_packet(lane, s, packet))
            return KLV_OK;
    }
}

/* ---- PES ---- */

static int64_t pts_of(const uint8_t *p)
{
    return ((int64_t)(p[0] & 0x0e) << 29) | ((int64_t)p[1] << 22) | ((int64_t)(p[2] & 0xfe) << 14) |
           ((int64_t)p[3] << 7) | (p[4] >> 1);
}

/* Is this the header of a metadata AU cell? Keys and reserved bits tell, whatever the PMT said. */
static int looks_like_cell(const struct pid *s)
{
    static const uint8_t KEY[4] = {0x06, 0x0e, 0x2b, 0x34};
    const uint8_t *h = s->head;
    if (s->have >= 4 && memcmp(h, KEY, 4) == 0)
        return 0;
    if (s->have < 5)
        return 0;
    size_t length = be16(h + 3);
    if (s->pes_left != SIZE_MAX && length > s->pes_left - 5)
        return 0;
    return (s->have >= 9 && memcmp(h + 5, KEY, 4) == 0) || (s->announced && (h[2] & 0x0f) == 0x0f);
}

static void begin_cell(struct pid *s)
{
    unsigned fragment = s->head[2] >> 6; /* 3 complete, 2 first, 1 last, 0 middle */
    uint8_t sequence = s->head[1];
    if (s->in_cell && (fragment >= 2 || sequence != (uint8_t)(s->cell_sequence + 1)))
        cut(s);
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

static void enter(struct pid *s, enum state state, size_t need)
{
    s->state = (uint8_t)state;
    s->have = 0;
    s->need = need;
}

static void pes_header(struct pid *s)
{
    const uint8_t *h = s->head;
    if (s->need == 9) {
        if (h[0] != 0 || h[1] != 0 || h[2] != 1 || (h[6] & 0xc0) != 0x80) { /* no PES, or one without times */
            s->state = S_WAIT;
            return;
        }
        if (h[8] > 0) {
            s->need = 9u + h[8];
            return;
        }
    }
    size_t length = be16(h + 4), optional = 3u + h[8];
    s->pes_left = length == 0 ? SIZE_MAX : length > optional ? length - optional : 0;
    turn(s, (h[7] & 0x80) && h[8] >= 5 ? pts_of(h + 9) : -1);
    enter(s, s->pes_left ? S_DECIDE : S_WAIT, 9);
}

static void pes_data(struct klv_lane *lane, struct pid *s, const uint8_t *in, size_t n)
{
    if (n > s->pes_left)
        n = s->pes_left;
    append(lane, s, in, n);
    if (s->pes_left != SIZE_MAX)
        s->pes_left -= n;
    if (s->cells && s->cell_left != SIZE_MAX) {
        s->cell_left -= n;
        if (s->cell_left == 0)
            enter(s, S_CELL, 5);
    }
    if (s->pes_left == 0)
        s->state = S_WAIT;
}

/* The first bytes of a payload are in `head`: cells or not, and on with what was read. */
static void pes_decide(struct klv_lane *lane, struct pid *s)
{
    uint8_t first[9];
    size_t have = s->have, used = 0;
    memcpy(first, s->head, have);
    s->cells = (uint8_t)looks_like_cell(s);
    if (s->cells) {
        used = 5;
        if (s->pes_left != SIZE_MAX)
            s->pes_left -= 5;
        enter(s, S_CELL, 5);
        begin_cell(s);
        s->have = 0;
        if (s->state == S_CELL || s->cell_left < have - used) { /* a cell of less than 4 bytes: none of ours */
            s->state = S_WAIT;
            return;
        }
    } else {
        s->state = S_DATA;
        s->cell_left = SIZE_MAX;
    }
    pes_data(lane, s, first + used, have - used);
}

static void pes_bytes(struct klv_lane *lane, struct pid *s, const uint8_t *in, size_t n)
{
    while (n > 0 && s->state != S_WAIT) {
        if (s->state == S_DATA) {
            size_t take = n;
            if (s->cells && take > s->cell_left)
                take = s->cell_left;
            pes_data(lane, s, in, take);
            in += take;
            n -= take;
            continue;
        }
        if (!collect(s, &in, &n))
            return;
        if (s->state == S_HEAD) {
            pes_header(s);
        } else if (s->state == S_DECIDE) {
            pes_decide(lane, s);
        } else if (s->have < 5) {
            s->state = S_WAIT;
        } else {
            if (s->pes_left != SIZE_MAX)
                s->pes_left -= 5;
            begin_cell(s);
            s->have = 0;
            if (s->pes_left == 0)
                s->state = S_WAIT;
        }
    }
}

/* ---- TS packets ---- */

/* The payload of a TS packet: its offset, or TS_SIZE for none. */
static size_t payload_at(const uint8_t *p)
{
    if (!(p[3] & 0x10))
        return TS_SIZE;
    if (!(p[3] & 0x20))
        return 4;
    return p[4] < 183 ? 5u + p[4] : TS_SIZE;
}

/* 1 = go on with the payload; 0 = the same packet twice. A gap cuts what is held. */
static int in_sequence(struct klv_lane *lane, struct pid *s, const uint8_t *p, size_t payload)
{
    uint8_t counter = p[3] & 15;
    int announced = (p[3] & 0x20) && p[4] > 0 && (p[5] & 0x80);
    if (s->counted && counter == s->counter && memcmp(p + payload, s->last + payload, TS_SIZE - payload) == 0)
        return 0;
    memcpy(s->last, p, TS_SIZE);
    int gap = s->counted && counter != ((s->counter + 1) & 15);
    s->counter = counter;
    s->counted = 1;
    if (!gap)
        return 1;
    if (!announced)
        lane->counts.discontinuities++;
    cut(s);
    s->in_cell = 0;
    if (s->state == S_DATA)
        s->pes_left = s->cell_left = SIZE_MAX; /* how much is left of either is not known any more */
    else
        s->state = S_WAIT;
    return 1;
}

static void klv_payload(struct klv_lane *lane, struct pid *s, const uint8_t *p)
{
    size_t at = payload_at(p);
    if (at == TS_SIZE)
        return;
    if (!in_sequence(lane, s, p, at))
        return;
    if ((p[1] & 0x80) || (p[3] & 0xc0)) { /* damaged on the way, or scrambled */
        cut(s);
        s->state = S_WAIT;
        return;
    }
    if (p[1] & 0x40) {
        if (s->state == S_DATA && s->pes_left != SIZE_MAX)
            cut(s); /* the PES before never came to its end */
        enter(s, S_HEAD, 9);
    }
    pes_bytes(lane, s, p + at, TS_SIZE - at);
}

/* ---- PAT and PMT ---- */

static struct pid *claim(struct klv_lane *lane, uint16_t number)
{
    uint8_t role = lane->role[number];
    if (role >= R_KLV && role < R_KLV + KLV_PIDS)
        return &lane->pids[role - R_KLV];
    if (role != R_NONE)
        return NULL;
    for (unsigned i = 0; i < KLV_PIDS; i++)
        if (!lane->pids[i].used) {
            open_pid(&lane->pids[i], number);
            lane->role[number] = (uint8_t)(R_KLV + i);
            return &lane->pids[i];
        }
    return NULL;
}

/* The format identifier of a registration descriptor; 0 = none. */
static uint32_t format_of(const uint8_t *descriptors, size_t n)
{
    for (size_t at = 0; n - at >= 2 && descriptors[at + 1] <= n - at - 2; at += 2u + descriptors[at + 1])
        if (descriptors[at] == 0x05 && descriptors[at + 1] >= 4)
            return be32(descriptors + at + 2);
    return 0;
}

static void take_pmt(struct klv_lane *lane, const struct section *section, size_t size, unsigned index)
{
    const uint8_t *p = section->data + 12, *end = section->data + size - 4;
    size_t info = be16(section->data + 10) & 0x0fffu;
    if (info > (size_t)(end - p))
        return;
    p += info;
    for (unsigned i = 0; i < KLV_PIDS; i++)
        if (lane->pids[i].listed == index + 1)
            lane->pids[i].listed = 0;
    while (end - p >= 5) {
        uint8_t type = p[0];
        uint16_t number = be16(p + 1) & 0x1fff;
        size_t length = be16(p + 3) & 0x0fffu;
        if (length > (size_t)(end - p) - 5)
            return;
        uint32_t format = type == 0x06 ? format_of(p + 5, length) : 0;
        if (type == 0x15 || (type == 0x06 && (format == 0 || format == 0x4b4c5641))) { /* "KLVA", or not said */
            struct pid *s = claim(lane, number);
            if (s) {
                s->listed = (uint8_t)(index + 1);
                s->announced = type == 0x15;
            }
        }
        p += 5 + length;
    }
    for (unsigned i = 0; i < KLV_PIDS; i++)
        if (lane->pids[i].used && lane->pids[i].listed == 0) {
            lane->role[lane->pids[i].pid] = R_NONE;
            lane->counts.passed_over += lane->pids[i].to - lane->pids[i].from;
            lane->pids[i].used = 0;
            lane->pids[i].from = lane->pids[i].to = 0;
        }
}

static void take_pat(struct klv_lane *lane, const struct section *section, size_t size)
{
    unsigned count = 0;
    for (unsigned i = 0; i < PMTS; i++)
        if (lane->pmt[i].pid)
            lane->role[lane->pmt[i].pid] = R_NONE;
    for (size_t at = 8; at + 4 <= size - 4 && count < PMTS; at += 4) {
        uint16_t program = be16(section->data + at), number = be16(section->data + at + 2) & 0x1fff;
        if (program == 0 || number == 0 || lane->role[number] != R_NONE)
            continue;
        if (lane->pmt[count].pid != number) {
            memset(&lane->pmt[count], 0, sizeof lane->pmt[count]);
            lane->pmt[count].pid = number;
        }
        lane->role[number] = (uint8_t)(R_PMT + count++);
    }
}

static void take_section(struct klv_lane *lane, struct section *section, int role)
{
    size_t size = 3u + (be16(section->data + 1) & 0x0fffu);
    section->open = 0;
    uint32_t crc = be32(section->data + size - 4);
    if (crc == section->crc || !(section->data[5] & 1) || klv_crc32(section->data, size - 4) != crc)
        return;
    section->crc = crc;
    if (role == R_PAT && section->data[0] == 0x00)
        take_pat(lane, section, size);
    else if (role >= R_PMT && section->data[0] == 0x02 && size >= 16)
        take_pmt(lane, section, size, (unsigned)(role - R_PMT));
}

static void section_bytes(struct klv_lane *lane, struct section *section, int role, const uint8_t *in, size_t n)
{
    while (n > 0 && section->open) {
        size_t want = section->have < 3 ? 3 : 3u + (be16(section->data + 1) & 0x0fffu);
        if (want > SECTION || (section->have >= 3 && want < 12)) {
            section->open = 0;
            return;
        }
        size_t take = want - section->have < n ? want - section->have : n;
        memcpy(section->data + section->have, in, take);
        section->have += take;
        in += take;
        n -= take;
        if (section->have >= 12 && section->have == 3u + (be16(section->data + 1) & 0x0fffu))
            take_section(lane, section, role);
    }
}

static void psi_payload(struct klv_lane *lane, struct section *section, int role, const uint8_t *p)
{
    size_t at = payload_at(p);
    if (at == TS_SIZE || (p[1] & 0x80))
        return;
    uint8_t counter = p[3] & 15;
    if (section->open && counter != ((section->counter + 1) & 15))
        section->open = counter == section->counter ? section->open : 0;
    section->counter = counter;
    if (p[1] & 0x40) {
        size_t pointer = p[at++];
        if (pointer > (size_t)TS_SIZE - at)
            return;
        section_bytes(lane, section, role, p + at, pointer);
        at += pointer;
        section->open = at < TS_SIZE && p[at] != 0xff;
        section->have = 0;
    }
    section_bytes(lane, section, role, p + at, TS_SIZE - at);
}

/* One TS packet of a PID that matters; sets lane->draining when bytes came into a hold. */
static void ts_packet(struct klv_lane *lane, const uint8_t *p, int role)
{
    if (role == R_PAT) {
        psi_payload(lane, &lane->pat, role, p);
    } else if (role >= R_PMT) {
        psi_payload(lane, &lane->pmt[role - R_PMT], role, p);
    } else {
        klv_payload(lane, &lane->pids[role - R_KLV], p);
        lane->draining = (unsigned)(role - R_KLV) + 1;
    }
}

/* ---- finding TS packets in the bytes ---- */

void klv_lane_break(struct klv_lane *lane)
{
    for (unsigned i = 0; i < KLV_PIDS; i++) {
        struct pid *s = &lane->pids[i];
        if (!s->used)
            continue;
        cut(s);
        s->counted = 0;
        s->in_cell = 0;
        s->state = S_WAIT;
        if (s->cut)
            lane->draining = i + 1;
    }
    lane->counts.passed_over += lane->have;
    lane->have = lane->skip = 0;
    lane->stride = 0;
}

/* The first offset in in[0..n) from where packets of 188, 192 or 204 bytes follow each other. */
static int find_sync(const uint8_t *in, size_t n, size_t *at, size_t *stride)
{
    static const size_t STRIDES[] = {188, 192, 204};
    for (size_t i = 0; i < n; i++) {
        if (in[i] != 0x47)
            continue;
        for (size_t k = 0; k < 3; k++) {
            size_t step = STRIDES[k], seen = 1;
            while (i + seen * step < n && in[i + seen * step] == 0x47)
                seen++;
            if (i + seen * step >= n && seen > 1) {
                *at = i;
                *stride = step;
                return 1;
            }
        }
    }
    return 0;
}

static void lose_sync(struct klv_lane *lane)
{
    lane->stride = lane->skip = 0;
    lane->counts.sync_losses++;
    for (unsigned i = 0; i < KLV_PIDS; i++)
        if (lane->pids[i].used)
            cut(&lane->pids[i]);
}

static void drop_part(struct klv_lane *lane, size_t n)
{
    lane->have -= n;
    memmove(lane->part, lane->part + n, lane->have);
}

/* Looks for the packets' beat in part[]; what comes before it is passed over. */
static void acquire(struct klv_lane *lane)
{
    size_t at, stride;
    if (find_sync(lane->part, lane->have, &at, &stride)) {
        lane->stride = stride;
        lane->counts.passed_over += at;
        drop_part(lane, at);
    } else {
        size_t keep = lane->have < 204 ? lane->have : 204;
        lane->counts.passed_over += lane->have - keep;
        drop_part(lane, lane->have - keep);
    }
}

/* Takes bytes up to and with the next TS packet that matters. */
static void step_ts(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used)
{
    if (lane->skip) {
        size_t take = lane->skip < n - *used ? lane->skip : n - *used;
        lane->skip -= take;
        *used += take;
        return;
    }
    if (lane->stride == 0 || lane->have > 0) {
        size_t want = lane->stride ? TS_SIZE : ACQUIRE;
        if (lane->have < want) {
            size_t take = want - lane->have < n - *used ? want - lane->have : n - *used;
            memcpy(lane->part + lane->have, in + *used, take);
            lane->have += take;
            *used += take;
            if (lane->have < want)
                return;
        }
        if (lane->stride == 0) {
            acquire(lane);
            return;
        }
        if (lane->part[0] != 0x47) {
            lose_sync(lane);
            return;
        }
        int role = lane->role[be16(lane->part + 1) & 0x1fff];
        lane->counts.ts_packets++;
        if (role)
            ts_packet(lane, lane->part, role);
        lane->skip = lane->have < lane->stride ? lane->stride - lane->have : 0;
        drop_part(lane, lane->stride - lane->skip);
        return;
    }
    const uint8_t *p = in + *used, *end = in + n, *begin = p;
    size_t stride = lane->stride;
    while ((size_t)(end - p) >= stride && p[0] == 0x47) {
        int role = lane->role[(size_t)(p[1] & 0x1f) << 8 | p[2]];
        p += stride;
        if (role == R_NONE)
            continue;
        ts_packet(lane, p - stride, role);
        if (lane->draining)
            break;
    }
    lane->counts.ts_packets += (size_t)(p - begin) / stride;
    *used = (size_t)(p - in);
    if (lane->draining || p == end)
        return;
    if (p[0] != 0x47) {
        lose_sync(lane);
        return;
    }
    lane->have = (size_t)(end - p); /* less than a packet with what follows it */
    memcpy(lane->part, p, lane->have);
    *used = n;
}

void klv_lane_mark(struct klv_lane *lane, int64_t pts, int pid, int damaged)
{
    struct pid *s = &lane->pids[0];
    if (damaged || s->damaged)
        cut(s);
    s->damaged = damaged != 0;
    s->pid = pid < 0 ? NO_PID : (uint16_t)pid;
    turn(s, pts);
}

static void step_klv(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used)
{
    size_t take = n - *used < KLV_SPARE / 2 ? n - *used : KLV_SPARE / 2;
    append(lane, &lane->pids[0], in + *used, take);
    *used += take;
    lane->draining = 1;
}

enum klv_status klv_lane_next(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used,
                              struct klv_packet *packet)
{
    for (;;) {
        if (lane->draining) {
            if (drain(lane, &lane->pids[lane->draining - 1], packet) == KLV_OK)
                return KLV_OK;
            lane->draining = 0;
        }
        /* A break leaves cuts in several holds. */
        for (unsigned i = 0; i < KLV_PIDS; i++)
            if (lane->pids[i].cut)
                lane->draining = i + 1;
        if (lane->draining)
            continue;
        if (*used >= n && (lane->stride == 0 || lane->skip || lane->have < TS_SIZE))
            return KLV_MORE;
        if (lane->ts)
            step_ts(lane, in, n, used);
        else
            step_klv(lane, in, n, used);
    }
}

enum klv_status klv_lane_batch(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used, uint8_t *pool,
                               size_t room, struct klv_entry *entries, size_t most, size_t *count)
{
    struct klv_packet packet;
    size_t at = 0;
    *count = 0;
    while (klv_lane_next(lane, in, n, used, &packet) == KLV_OK) {
        if (*count == most || packet.size > room - at) {
            take_back(lane, &packet);
            return KLV_FULL;
        }
        memcpy(pool + at, packet.data, packet.size);
        entries[(*count)++] = (struct klv_entry){(uint32_t)at, (uint32_t)packet.size, packet.pts, packet.pid,
                                                 (uint8_t)packet.set, (uint8_t)packet.checksum,
                                                 (uint8_t)packet.damaged, 0};
        at += packet.size;
    }
    return KLV_MORE;
}

enum klv_status klv_lane_lines(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used,
                               struct klv_envelope *envelope, char *out, size_t room, size_t *written)
{
    struct klv_packet packet;
    *written = 0;
    while (klv_lane_next(lane, in, n, used, &packet) == KLV_OK) {
        size_t size = 0;
        envelope->pts = packet.pts;
        envelope->damaged = packet.damaged;
        if (klv_json(packet.data, packet.size, envelope, out + *written, room - *written, &size,
                     &lane->counts.unknown_items) != KLV_OK || size == room - *written) {
            take_back(lane, &packet);
            return KLV_FULL;
        }
        *written += size;
        out[(*written)++] = '\n';
        envelope->seq++;
    }
    return KLV_MORE;
}
