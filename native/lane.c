/* lane.c - the transport lane: MPEG-TS (ISO/IEC 13818-1) or bare KLV in any cut, whole KLV packets out.
 *
 *   bytes -> TS packets -> checks of all PIDs
 *                       -> PAT, PMT: which PIDs may carry KLV
 *                       -> PES -> (AU cells of ST 1402) -> hold of the PID -> klv_next -> packet
 */
#include "lane.h"

size_t klv_lane_size(void)
{
    return sizeof(struct klv_lane);
}

size_t klv_lane_memory(int ts, size_t limit)
{
    return (ts ? KLV_PIDS : 1) * (klv_hold_room(limit) + 1);
}

void klv_lane_init(struct klv_lane *lane, int ts, size_t limit, uint8_t *memory)
{
    memset(lane, 0, sizeof *lane);
    lane->ts = ts;
    lane->limit = limit;
    lane->hold_size = klv_hold_room(limit);
    lane->received_us = -1;
    ts_psi_init(lane);
    ts_check_init(lane);
    for (unsigned i = 0; i < (ts ? KLV_PIDS : 1); i++)
        lane->pids[i].hold = memory + i * (lane->hold_size + 1);
    if (!ts)
        klv_hold_open(&lane->pids[0], TS_NULL_PID);
}

void klv_lane_counts(const struct klv_lane *lane, struct klv_counts *counts)
{
    double jitter = 0;
    for (unsigned i = 0; i < CLOCKS; i++)
        if (lane->clocks[i].jitter > jitter)
            jitter = lane->clocks[i].jitter;
    *counts = lane->counts;
    counts->pcr_jitter_us = (uint64_t)(jitter + 0.5);
}

/* The counter did not go on by one: what is held is cut, and waits for the next beginning. */
static void skip_gap(struct klv_lane *lane, struct pid *s)
{
    klv_hold_cut(s);
    s->in_cell = 0;
    if (s->state == S_DATA)
        s->pes_left = s->cell_left = SIZE_MAX; /* how much is left of either is not known any more */
    else
        ts_pes_wait(lane, s);
}

/* 1 = go on with the payload; 0 = the same packet twice, or one of two with the same number. */
static int in_sequence(struct klv_lane *lane, struct pid *s, const uint8_t *p, size_t payload)
{
    uint8_t counter = p[3] & 15;
    if (s->counted && counter == s->counter && memcmp(p + payload, s->last + payload, TS_SIZE - payload) == 0)
        return 0;
    memcpy(s->last, p, TS_SIZE);
    int gap = s->counted && counter != ((s->counter + 1) & 15);
    s->gap |= gap != 0;
    /* One of two with the same number is out of place, and what follows goes on from the other. */
    int stray = gap && counter == s->counter && !is_announced(p);
    s->counter = counter;
    s->counted = 1;
    if (!gap)
        return 1;
    if (!is_announced(p))
        lane->counts.discontinuities++;
    ts_check_gap(lane, s);
    skip_gap(lane, s);
    if (!stray)
        return 1;
    ts_pes_wait(lane, s);
    return 0;
}

/* A packet without payload says nothing, unless that the counter goes on elsewhere. */
static void empty_packet(struct klv_lane *lane, struct pid *s, const uint8_t *p)
{
    if (!is_announced(p) || (p[3] & 15) == s->counter)
        return;
    s->counter = p[3] & 15;
    skip_gap(lane, s);
}

/* 1 = a byte of what came is not held yet. */
static size_t undecided(const struct pid *s)
{
    return s->state == S_DECIDE && s->have > 0;
}

/* Within a PES packet a pause as long as those between PES packets: others may have been lost there. Or it has come to
 * its end, by its length, and more comes. */
static void doubt_pause(const struct klv_lane *lane, struct pid *s, const uint8_t *p)
{
    int64_t pause_us = s->came_us < 0 || lane->received_us < 0 ? 0 : lane->received_us - s->came_us;
    int inside = !(p[1] & 0x40);
    s->came_us = lane->received_us;
    if (inside && s->state > S_WAIT && ts_usual_pause(&s->usual, pause_us / 100 * 9))
        klv_hold_doubt(s, s->turn, s->to + undecided(s));
    if (inside && s->state == S_WAIT && s->pes_left == 0)
        klv_hold_doubt(s, s->turn, s->to);
}

/* How many packets of other PIDs came between two beginnings of PES packets. */
static void count_others(const struct klv_lane *lane, struct pid *s, const uint8_t *p)
{
    if (p[1] & 0x40) {
        s->others = (uint32_t)(lane->number - s->began) - s->own;
        s->began = lane->number;
        s->own = 0;
    }
    s->own++;
}

static void klv_payload(struct klv_lane *lane, struct pid *s, const uint8_t *p)
{
    size_t at = payload_at(p);
    if (at == TS_SIZE) {
        empty_packet(lane, s, p);
        return;
    }
    if (!in_sequence(lane, s, p, at))
        return;
    if (s->faults != lane->faults)
        klv_hold_doubt(s, s->waits && s->patience == 0 ? s->from : s->to, s->to + undecided(s));
    s->faults = lane->faults;
    doubt_pause(lane, s, p);
    count_others(lane, s, p);
    if ((p[1] & 0x80) || (p[3] & 0xc0)) { /* damaged on the way, or scrambled */
        klv_hold_cut(s);
        ts_pes_wait(lane, s);
        return;
    }
    if (p[1] & 0x40) {
        if (s->unproven == 1 && ts_pes_begins_key(p + at, TS_SIZE - at))
            klv_hold_proven(lane, s);
        s->unproven = s->unproven != 0;
        if (s->state == S_DATA && s->pes_left != SIZE_MAX) { /* the PES before never came to its end */
            klv_hold_doubt(s, s->turn, s->to);
            klv_hold_cut(s);
        }
        ts_pes_wait(lane, s);
        ts_pes_enter(s, S_HEAD, 6);
    }
    s->piece = s->to + undecided(s);
    ts_pes_bytes(lane, s, p + at, TS_SIZE - at);
    klv_hold_followed(lane, s);
}

static void ts_klv(struct klv_lane *lane, struct pid *s, const uint8_t *p)
{
    int error = (p[1] & 0x80) != 0;
    lane->counts.klv_packets++;
    lane->counts.klv_transport_errors += (unsigned)error;
    lane->counts.klv_scrambled += !error && (p[3] & 0xc0);
    lane->counts.unlisted_packets += s->unlisted;
    klv_payload(lane, s, p);
    lane->draining = (unsigned)(s - lane->pids) + 1;
}

/* Octets 5 to 8 of a key tell, where they are in this packet: four alone come by chance in an hour of other data. */
static int holds_key(const uint8_t *p)
{
    uint8_t key[8] = {0, 0, 0, 0, 1, 1};
    for (size_t at = payload_at(p); at + 4 <= TS_SIZE; at++) {
        if (p[at] != 0x06 || !klv_may_be_key(p + at, 4))
            continue;
        memcpy(key, p + at, TS_SIZE - at < 8 ? TS_SIZE - at : 8);
        if (klv_is_designator(key))
            return 1;
    }
    return 0;
}

static int is_readable(const uint8_t *p)
{
    return !(p[1] & 0x80) && !(p[3] & 0xc0);
}

static inline int seeks_beginning(int role)
{
    return role == R_UNLISTED || role == R_OTHER;
}

/* A packet of a PID that no table lists, or that is listed as something else. The first PES packet that begins with a key
 * gets a place. */
static void ts_seek(struct klv_lane *lane, const uint8_t *p)
{
    size_t at = payload_at(p);
    if (!(p[1] & 0x40) || !is_readable(p) || !ts_pes_begins_key(p + at, TS_SIZE - at))
        return;
    struct pid *s = ts_psi_claim(lane, be16(p + 1) & 0x1fff);
    if (s)
        ts_klv(lane, s, p);
}

/* Where a PES packet begins: with a key, as KLV does, or not. */
static void note_beginning(struct klv_lane *lane, const uint8_t *p)
{
    unsigned number = be16(p + 1) & 0x1fffu, bit = 1u << number % 8;
    if (holds_key(p))
        lane->barren[number / 8] &= (uint8_t)~bit;
    else
        lane->barren[number / 8] |= (uint8_t)bit;
}

/* One TS packet of a PID that matters; sets lane->draining when bytes came into a hold. */
static void ts_packet(struct klv_lane *lane, const uint8_t *p, int role)
{
    if (role != R_PAT && role < R_PMT && (p[1] & 0xc0) == 0x40 && !(p[3] & 0xc0))
        note_beginning(lane, p);
    if (role == R_PAT) {
        ts_psi_payload(lane, &lane->pat, role, p);
    } else if (role >= R_PMT) {
        ts_psi_payload(lane, &lane->pmt[role - R_PMT], role, p);
    } else if (role == R_PRIVATE) {
        struct pid *s = is_readable(p) && holds_key(p) ? ts_psi_claim(lane, be16(p + 1) & 0x1fff) : NULL;
        if (s)
            ts_klv(lane, s, p);
        else
            lane->counts.private_packets++;
    } else if (seeks_beginning(role)) {
        ts_seek(lane, p);
    } else {
        ts_klv(lane, &lane->pids[role - R_KLV], p);
    }
}

/* ---- finding TS packets in the bytes ---- */

/* The first offset in in[0..n) from where packets of 188, 192 or 204 bytes follow each other: at least `least` sync
 * bytes of four. `all`: there is no more to come, so less will do. */
static int find_beat(const uint8_t *in, size_t n, size_t least, int all, size_t *at, size_t *stride)
{
    METER(n);
    for (size_t i = 0; i < n; i++) {
        if (in[i] != TS_SYNC)
            continue;
        for (size_t k = 0; k < 3; k++) {
            size_t step = TS_STRIDES[k], looked = 0, good = 0;
            for (size_t j = i; j < n && looked < BEATS; j += step, looked++)
                good += in[j] == TS_SYNC;
            if (looked == BEATS ? good >= least : all && good == looked && n - i >= TS_SIZE) {
                *at = i;
                *stride = step;
                return 1;
            }
        }
    }
    return 0;
}

/* One sync byte of four may be wrong, but where all four are right is a better place: three of them come together by
 * chance in one search of some hundred. */
static int find_sync(const uint8_t *in, size_t n, int all, size_t *at, size_t *stride)
{
    return find_beat(in, n, BEATS, 0, at, stride) || find_beat(in, n, BEATS - 1, all, at, stride);
}

static void lose_sync(struct klv_lane *lane)
{
    lane->stride = lane->skip = 0;
    lane->counts.sync_losses++;
    for (unsigned i = 0; i < KLV_PIDS; i++)
        if (lane->pids[i].used)
            klv_hold_cut(&lane->pids[i]);
}

static void drop_part(struct klv_lane *lane, size_t n)
{
    lane->have -= n;
    METER(lane->have);
    memmove(lane->part, lane->part + n, lane->have);
}

/* Looks for the packets' beat in part[]; what comes before it is passed over. */
static void acquire(struct klv_lane *lane, int all)
{
    size_t at, stride, keep = ACQUIRE - 1;
    if (find_sync(lane->part, lane->have, all, &at, &stride)) {
        lane->stride = stride;
        ts_check_join(lane);
        keep = lane->have - at;
    } else if (keep > lane->have - TS_SIZE) {
        keep = lane->have - TS_SIZE;
    }
    lane->counts.passed_over += lane->have - keep;
    drop_part(lane, lane->have - keep);
}

/* How much of `part` it takes to go on: to find the beat, to read a packet, or to see whether only its sync byte is
 * wrong. */
static size_t wanted(const struct klv_lane *lane)
{
    if (lane->stride == 0)
        return ACQUIRE;
    return lane->have == 0 || lane->part[0] == TS_SYNC ? TS_SIZE : lane->stride + 1;
}

static inline void take_packet(struct klv_lane *lane, const uint8_t *p)
{
    uint32_t header = be32(p);
    size_t pid = header >> 8 & 0x1fff;
    int role = lane->role[pid];
    if ((header & TS_FIXED) == lane->next[pid])
        lane->next[pid] = due_after(header);
    else
        ts_check_odd(lane, p, pid);
    if (role)
        ts_packet(lane, p, role);
}

/* The same while something waits to see what follows it. */
static void take_witness(struct klv_lane *lane, const uint8_t *p)
{
    take_packet(lane, p);
    if (lane->waiting)
        klv_hold_witness(lane, (be16(p + 1) & 0x1fff) != TS_NULL_PID);
}

/* The packet in `part`. */
static void take_part(struct klv_lane *lane)
{
    lane->number = ++lane->counts.ts_packets;
    take_witness(lane, lane->part);
    ts_check_keep(lane, lane->part + lane->stride, 1);
}

/* One packet of those that came in pieces. */
static void step_part(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used)
{
    size_t want = wanted(lane), take = want > lane->have ? want - lane->have : 0;
    if (take > n - *used)
        take = n - *used;
    memcpy(lane->part + lane->have, in + *used, take);
    lane->have += take;
    *used += take;
    if (lane->have < wanted(lane))
        return;
    if (lane->stride == 0) {
        acquire(lane, 0);
    } else if (lane->part[0] == TS_SYNC) {
        take_part(lane);
        lane->skip = lane->have < lane->stride ? lane->stride - lane->have : 0;
        drop_part(lane, lane->stride - lane->skip);
    } else if (lane->part[lane->stride] == TS_SYNC) { /* one bad sync byte: its packet is lost, no more */
        lane->counts.sync_losses++;
        lane->counts.sync_byte_errors++;
        lane->faults++;
        lane->counts.passed_over += lane->stride;
        drop_part(lane, lane->stride);
    } else {
        lose_sync(lane);
    }
}

/* The first of `count` packets that is to be looked at: of a PID that matters to us, or not all payload in sequence. */
static const uint8_t *pass_plain(struct klv_lane *lane, const uint8_t *p, size_t count)
{
    for (size_t stride = lane->stride; count > 0; count--, p += stride) {
        uint32_t header = be32(p);
        size_t pid = header >> 8 & 0x1fff;
        int role = lane->role[pid];
        if ((header & TS_FIXED) != lane->next[pid] || (role && !(seeks_beginning(role) && !(header & TS_START))))
            return p;
        lane->next[pid] = due_after(header);
    }
    return p;
}

/* Packets straight from the input, up to and with the next that matters. */
static void step_run(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used)
{
    const uint8_t *p = in + *used, *end = in + n, *begin = p;
    size_t stride = lane->stride;
    lane->run = begin;
    while (!(lane->draining | lane->due)) {
        if (!lane->waiting)
            p = pass_plain(lane, p, (size_t)(end - p) / stride);
        if ((size_t)(end - p) < stride || p[0] != TS_SYNC)
            break;
        lane->number = lane->counts.ts_packets + (size_t)(p - begin) / stride + 1;
        take_witness(lane, p);
        p += stride;
    }
    lane->run = NULL;
    lane->number = lane->counts.ts_packets += (size_t)(p - begin) / stride;
    ts_check_keep(lane, p, (size_t)(p - begin) / stride);
    *used = (size_t)(p - in);
    if (lane->draining || lane->due || p == end)
        return;
    lane->have = (size_t)(end - p) < stride + 1 ? (size_t)(end - p) : stride + 1;
    memcpy(lane->part, p, lane->have);
    *used += lane->have;
}

static void step_ts(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used)
{
    if (lane->skip) {
        size_t take = lane->skip < n - *used ? lane->skip : n - *used;
        lane->skip -= take;
        *used += take;
    } else if (lane->stride == 0 || lane->have > 0) {
        step_part(lane, in, n, used);
    } else {
        step_run(lane, in, n, used);
    }
}

/* One of the packets that nothing followed: a recording may be shorter than what it takes to be sure of its beat.
 * 0 = there is none. */
static int step_last(struct klv_lane *lane)
{
    if (lane->stride == 0 && lane->have >= TS_SIZE)
        acquire(lane, 1);
    if (!lane->stride || lane->have < TS_SIZE || lane->part[0] != TS_SYNC)
        return 0;
    size_t step = lane->stride < lane->have ? lane->stride : lane->have;
    take_part(lane);
    drop_part(lane, step);
    return 1;
}

static void break_off(struct klv_lane *lane)
{
    lane->ending = 0;
    for (unsigned i = 0; i < KLV_PIDS; i++) {
        struct pid *s = &lane->pids[i];
        if (!s->used)
            continue;
        klv_hold_end(lane, s);
        if (lane->ts && s->state > S_HEAD && s->pes_left != SIZE_MAX && s->pes_left > 0)
            klv_hold_doubt(s, s->turn, s->to);
        uint8_t in_step = s->in_step;
        klv_hold_cut(s);
        s->in_step = in_step && (!lane->ts || s->cut); /* what is held is in step, what follows in MPEG-TS is not */
        s->counted = 0;
        s->in_cell = 0;
        ts_pes_wait(lane, s);
        if (s->cut)
            lane->draining = i + 1;
    }
    lane->counts.passed_over += lane->have;
    lane->have = lane->skip = 0;
    lane->stride = 0;
    ts_clock_stop(lane);
}

void klv_lane_break(struct klv_lane *lane)
{
    if (lane->ts)
        lane->ending = 1; /* the next call goes on with it, packet by packet */
    else
        break_off(lane);
}

void klv_lane_at(struct klv_lane *lane, int64_t received_us)
{
    ts_check_arrival(lane, received_us);
}

void klv_lane_absent(struct klv_lane *lane, int64_t us)
{
    ts_check_absent(lane, us);
}

void klv_lane_mark(struct klv_lane *lane, int64_t pts, int pid, int program, int listing, int damaged)
{
    struct pid *s = &lane->pids[0];
    klv_hold_end(lane, s);
    lane->draining = s->from < s->to;
    if (damaged || s->damaged)
        klv_hold_cut(s);
    s->damaged = damaged != 0;
    s->pid = pid < 0 ? TS_NULL_PID : (uint16_t)pid;
    s->listed = program < 0 ? 0 : 1 + (uint32_t)program;
    s->listing = (uint8_t)listing;
    klv_hold_turn(s, pts);
}

static void step_klv(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used)
{
    size_t take = n - *used < KLV_SPARE / 2 ? n - *used : KLV_SPARE / 2;
    klv_hold_append(lane, &lane->pids[0], in + *used, take);
    *used += take;
    lane->draining = 1;
}

enum klv_status klv_lane_next(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used,
                              struct klv_packet *packet)
{
    for (;;) {
        if (lane->draining) {
            if (klv_hold_drain(lane, &lane->pids[lane->draining - 1], packet) == KLV_OK)
                return KLV_OK;
            lane->draining = 0;
        }
        /* A break leaves cuts in several holds, and one packet may end several waits. */
        for (unsigned i = 0; i < KLV_PIDS; i++)
            if (lane->pids[i].cut || (lane->due >> i & 1))
                lane->draining = i + 1;
        if (lane->draining)
            continue;
        if (lane->ending) {
            if (!step_last(lane))
                break_off(lane);
            continue;
        }
        if (*used >= n && (lane->skip || lane->have < wanted(lane)))
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
            klv_hold_take_back(lane, &packet);
            return KLV_FULL;
        }
        memcpy(pool + at, packet.data, packet.size);
        entries[(*count)++] = (struct klv_entry){(uint32_t)at, (uint32_t)packet.size, packet.pts, packet.received_us,
                                                 packet.pcr, packet.pid, packet.program, (uint8_t)packet.set,
                                                 (uint8_t)packet.checksum, (uint8_t)packet.damaged,
                                                 (uint8_t)packet.listing, 0};
        at += packet.size;
    }
    return KLV_MORE;
}

enum klv_status klv_lane_lines(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used,
                               struct klv_envelope *envelope, struct klv_packet *other, char *out, size_t room,
                               size_t *written)
{
    struct klv_packet packet;
    *written = 0;
    while (klv_lane_next(lane, in, n, used, &packet) == KLV_OK) {
        size_t size = 0, left = room - *written;
        enum klv_status status = KLV_FULL;
        if (other && packet.pid != other->pid) {
            klv_hold_take_back(lane, &packet);
            *other = packet;
            return KLV_OTHER;
        }
        envelope->pts = packet.pts;
        envelope->damaged = packet.damaged;
        envelope->checksum = packet.checksum;
        envelope->pid = packet.pid;
        envelope->program = packet.program;
        envelope->pcr = packet.pcr;
        envelope->sets |= UINT64_C(1) << (packet.set < 64 ? packet.set : 0);
        if (left > 0) /* 1 for the newline */
            status = klv_json(packet.data, packet.size, envelope, out + *written, left - 1, &size,
                              &lane->counts.unknown_items);
        if (status == KLV_FULL)
            klv_hold_take_back(lane, &packet);
        if (status != KLV_OK)
            return status;
        *written += size;
        out[(*written)++] = '\n';
        envelope->seq++;
    }
    return KLV_MORE;
}
