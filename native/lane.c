/* lane.c - the transport lane: MPEG-TS (ISO/IEC 13818-1) or bare KLV in any cut, whole KLV packets out.
 *
 *   bytes -> TS packets -> checks of all PIDs
 *                       -> PAT, PMT: which PIDs may carry KLV
 *                       -> PES -> (AU cells of ST 1402) -> hold of the PID -> klv_next -> packet
 *
 * FINDING TS PACKETS. One step of klv_lane_next takes what its state needs:
 *
 *   state       known by            takes                            then
 *   -----------------------------------------------------------------------------------------------------------------
 *   acquiring   stride == 0         bytes into `part` until four     found: in pieces, with the first packet in `part`.
 *                                   sync bytes fit in it             Else bytes are passed over, except the last ones,
 *                                                                    which may begin a packet
 *   skipping    skip > 0            the bytes between two packets    in a run
 *   in pieces   stride and have     bytes into `part` until the      sync byte right: it is taken; skipping if bytes
 *               > 0                 packet is whole                  lie before the next one. Wrong, and the next one
 *                                                                    right: it is lost. Then in pieces while bytes are
 *                                                                    in `part`, else in a run. Both sync bytes wrong:
 *                                                                    all holds are cut; acquiring
 *   in a run    stride > 0,         packets where they are in the    one gave bytes to a hold or ended a wait: that is
 *               have == 0           input                            drained, then in a run. One is not whole, or its
 *                                                                    sync byte is wrong: in pieces
 *   ending      ending, set by      packets in `part`, though no     none is left: break_off, acquiring
 *               klv_lane_break      bytes follow them
 *
 * Bare KLV has no such states: all bytes go into the hold of pids[0]. klv_lane_mark says where a unit begins: the
 * payload of one PES packet that the caller demultiplexed.
 *
 * A TS PACKET, by the role of its PID (enum role):
 *
 *   R_NONE                 counted and checked, no more
 *   R_PAT, R_PMT + n       its section is read (psi.c)
 *   R_KLV + n              read by pids[n], as below
 *   R_PRIVATE              if a key is in it, the PID becomes R_KLV + n, if there is a place
 *   R_UNLISTED, R_OTHER    if a PES packet in it begins with a key, likewise
 *
 * A key on a PID that no table lists may be there by bit errors in the PID. Until a second one proves it (enum proof),
 * its KLV waits (wait.c), and what is not a whole packet is discarded:
 *
 *   state       set when                                  a PES packet begins          a PMT lists the PID as KLV
 *   -----------------------------------------------------------------------------------------------------------------
 *   FIRST_KEY   R_UNLISTED becomes R_KLV + n, by a key    ONE_KEY: it is that one      PROVEN
 *   ONE_KEY     that PES packet begins                    with a key: PROVEN           PROVEN
 *   PROVEN      as above; any other PID at once           -                            -
 *
 * A TS PACKET OF A PID THAT CARRIES KLV (klv_payload), the first line that fits:
 *
 *   no payload                             nothing; but if it announces another counter, the hold is cut, PES reader as
 *                                          in pes.c. The sender broke off there and nothing was lost on the way, so no
 *                                          discontinuity is counted
 *   same counter, same payload             it came twice, as it may (2.4.3.3): nothing
 *   counter not the next one: a gap        hold cut, PES reader as in pes.c; then as below
 *   .. the same counter, other payload     it is out of place: it is not read, nor what follows until a unit begins
 *   transport error, scrambled             hold cut, no more of this PES packet
 *   begins a unit                          the PES packet before has to be complete, else doubt and cut; a new one
 *                                          begins
 *   else                                   payload of the PES packet
 *
 * From "transport error" on, doubt_losses and doubt_pause look first for losses that the PID's counter does not show.
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
        lane->pids[i].hold.buffer = memory + i * (lane->hold_size + 1);
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

/* ---- TS packets of a PID that carries KLV ---- */

/* Payload is missing before this packet: what is held is cut. */
static void skip_gap(struct klv_lane *lane, struct pid *s)
{
    klv_hold_cut(s);
    s->pes.in_cell = 0;
    if (s->pes.state == S_DATA) /* payload continues; how much of the rest was lost is unknown */
        s->pes.left = s->pes.cell_left = LENGTH_UNKNOWN;
    else /* a header is incomplete: what follows cannot be read */
        ts_pes_wait(lane, s);
}

static int is_repeated(const struct pid *s, const uint8_t *p, size_t payload)
{
    return s->counted && ts_counter(p) == s->counter && memcmp(p + payload, s->last + payload, TS_SIZE - payload) == 0;
}

/* Takes the counter of a packet with payload. 1 = read its payload; 0 = it came twice, or is out of place. */
static int take_counter(struct klv_lane *lane, struct pid *s, const uint8_t *p, size_t payload)
{
    uint8_t counter = ts_counter(p);
    if (is_repeated(s, p, payload))
        return 0;
    memcpy(s->last, p, TS_SIZE);
    int gap = s->counted && counter != ((s->counter + 1) & 15);
    /* Of two with the same counter one is out of place. Which one is not known: the PES packets of both are cut. */
    int is_stray = gap && counter == s->counter && !ts_has_discontinuity(p);
    s->losses.gap |= gap != 0;
    s->counter = counter;
    s->counted = 1;
    if (!gap)
        return 1;
    if (!ts_has_discontinuity(p))
        lane->counts.discontinuities++;
    ts_check_gap(lane, s);
    skip_gap(lane, s);
    if (is_stray)
        ts_pes_wait(lane, s);
    return !is_stray;
}

/* A packet without payload has the counter of the last one (2.4.3.3), unless it announces another. Then the sender
 * continues with other payload, which does not follow on what is held. */
static void take_empty(struct klv_lane *lane, struct pid *s, const uint8_t *p)
{
    if (!ts_has_discontinuity(p) || ts_counter(p) == s->counter)
        return;
    s->counter = ts_counter(p);
    skip_gap(lane, s);
}

/* The position in the hold after the bytes that came so far: `to`. But in S_DECIDE the PES reader keeps first bytes of
 * the payload, which are appended at `to` later. How many is not known yet, but the KLV packet that begins with them
 * spans the position after the first one. */
static size_t end_of_bytes(const struct pid *s)
{
    return s->hold.at.to + (size_t)ts_pes_is_undecided(&s->pes);
}

/* Did a loss show on any PID since the last packet of this one? Then packets of this one may be among those lost: a KLV
 * packet that spans this point is doubtful. So is all that waits, except in WAIT_PTS: CONFIRMATIONS TS packets
 * came after that before the loss (wait.c). */
static void doubt_losses(const struct klv_lane *lane, struct pid *s)
{
    int is_unsure = s->hold.wait == WAIT_PACKETS || s->hold.wait == WAIT_PROOF;
    if (s->losses.at_packet != lane->faults)
        klv_hold_doubt(s, is_unsure ? s->hold.at.from : s->hold.at.to, end_of_bytes(s));
    s->losses.at_packet = lane->faults;
}

/* No counter shows a loss of sixteen packets of the PID, or a multiple. Within a PES packet, the time or the length may
 * show it. */
static void doubt_pause(const struct klv_lane *lane, struct pid *s, const uint8_t *p)
{
    int64_t pause_us = s->pace.came_us < 0 || lane->received_us < 0 ? 0 : lane->received_us - s->pace.came_us;
    s->pace.came_us = lane->received_us;
    if (ts_begins_unit(p))
        return;
    if (s->pes.state > S_WAIT) {
        /* The pause within a PES packet is as long as between two: its end and the next ones may have been lost. */
        if (ts_usual_learn_pause(&s->usual, pause_us / 100 * 9)) /* in 90 kHz */
            klv_hold_doubt(s, s->hold.at.pes_begin, end_of_bytes(s));
    } else if (s->pes.left == 0) {
        /* It was complete by its length, yet payload follows: bytes were lost in it, and the same number of bytes of
         * another PES packet were taken for its end. */
        klv_hold_doubt(s, s->hold.at.pes_begin, s->hold.at.to);
    }
}

/* Counts the packets of other PIDs between two beginnings of PES packets: usual.c compares them. */
static void count_others(const struct klv_lane *lane, struct pid *s, const uint8_t *p)
{
    struct pace *pace = &s->pace;
    if (ts_begins_unit(p)) {
        pace->others = (uint32_t)(lane->number - pace->pes_packet) - pace->own;
        pace->pes_packet = lane->number;
        pace->own = 0;
    }
    pace->own++;
}

/* A PES packet begins with this payload. */
static void begin_unit(struct klv_lane *lane, struct pid *s, const uint8_t *payload, size_t n)
{
    if (s->proof == ONE_KEY && ts_pes_begins_key(payload, n))
        klv_wait_proven(lane, s);
    else if (s->proof == FIRST_KEY)
        s->proof = ONE_KEY;
    if (s->pes.state == S_DATA && s->pes.left != LENGTH_UNKNOWN) { /* bytes of the last one are missing, in any place */
        klv_hold_doubt(s, s->hold.at.pes_begin, s->hold.at.to);
        klv_hold_cut(s);
    }
    ts_pes_wait(lane, s);
    ts_pes_begin(&s->pes);
}

static void klv_payload(struct klv_lane *lane, struct pid *s, const uint8_t *p)
{
    size_t at = ts_payload_at(p);
    if (at == TS_SIZE) {
        take_empty(lane, s, p);
        return;
    }
    if (!take_counter(lane, s, p, at))
        return;
    doubt_losses(lane, s);
    doubt_pause(lane, s, p);
    count_others(lane, s, p);
    if (!ts_is_readable(p)) {
        klv_hold_cut(s);
        ts_pes_wait(lane, s);
        return;
    }
    if (ts_begins_unit(p))
        begin_unit(lane, s, p + at, TS_SIZE - at);
    s->hold.at.last_ts_packet = end_of_bytes(s);
    ts_pes_bytes(lane, s, p + at, TS_SIZE - at);
    klv_wait_count_own(lane, s);
}

static void take_klv(struct klv_lane *lane, struct pid *s, const uint8_t *p)
{
    unsigned error = (unsigned)ts_has_error(p);
    lane->counts.klv_packets++;
    lane->counts.klv_transport_errors += error;
    lane->counts.klv_scrambled += !error && ts_is_scrambled(p);
    lane->counts.unlisted_packets += s->unlisted;
    klv_payload(lane, s, p);
    lane->draining = s;
}

/* ---- TS packets of other PIDs ---- */

/* Is a key in this packet, or the beginning of one at its end? Octets 5 to 8 are compared too: the first four alone
 * occur by chance about once an hour in other data. */
static int holds_key(const uint8_t *p)
{
    uint8_t key[8] = {0, 0, 0, 0, 1, 1};
    for (size_t at = ts_payload_at(p); at + sizeof UL_PREFIX <= TS_SIZE; at++) {
        if (p[at] != UL_PREFIX[0] || !klv_may_be_key(p + at, sizeof UL_PREFIX))
            continue;
        memcpy(key, p + at, TS_SIZE - at < sizeof key ? TS_SIZE - at : sizeof key);
        if (klv_is_designator(key))
            return 1;
    }
    return 0;
}

/* Is a PID of this role checked only where a unit begins? */
static inline int seeks_beginning(int role)
{
    return role == R_UNLISTED || role == R_OTHER;
}

/* A PID with this role is followed from its first packet on that shows KLV, if there is a place for it. */
static void seek_klv(struct klv_lane *lane, const uint8_t *p, int role)
{
    size_t at = ts_payload_at(p);
    int is_found = ts_is_readable(p);
    if (role == R_PRIVATE)
        is_found = is_found && holds_key(p);
    else
        is_found = is_found && ts_begins_unit(p) && ts_pes_begins_key(p + at, TS_SIZE - at);
    struct pid *s = is_found ? ts_psi_claim(lane, ts_pid(p)) : NULL;
    if (s)
        take_klv(lane, s, p);
    else
        lane->counts.private_packets += role == R_PRIVATE;
}

/* A PES packet begins. Does it hold a key, as KLV does? psi.c needs it to say which listed streams may carry KLV. */
static void note_beginning(struct klv_lane *lane, const uint8_t *p)
{
    unsigned pid = ts_pid(p), bit = 1u << pid % 8;
    if (holds_key(p))
        lane->barren[pid / 8] &= (uint8_t)~bit;
    else
        lane->barren[pid / 8] |= (uint8_t)bit;
}

/* One TS packet of a PID that has a role. If the PID carries KLV, sets lane->draining: bytes may have come into its
 * hold. */
static void take_role(struct klv_lane *lane, const uint8_t *p, int role)
{
    int is_table = role == R_PAT || role >= R_PMT;
    if (!is_table && ts_begins_unit(p) && ts_is_readable(p))
        note_beginning(lane, p);
    if (role == R_PAT)
        ts_psi_payload(lane, &lane->pat, role, p);
    else if (is_table)
        ts_psi_payload(lane, &lane->pmt[role - R_PMT], role, p);
    else if (role == R_PRIVATE || seeks_beginning(role))
        seek_klv(lane, p, role);
    else
        take_klv(lane, &lane->pids[role - R_KLV], p);
}

static inline void take_checked(struct klv_lane *lane, const uint8_t *p)
{
    uint32_t header = be32(p);
    size_t pid = header >> 8 & 0x1fff;
    int role = lane->role[pid];
    if ((header & TS_FIXED) == lane->expected[pid])
        lane->expected[pid] = expected_after(header);
    else
        ts_check_packet(lane, p, pid);
    if (role)
        take_role(lane, p, role);
}

/* One TS packet of any PID. It is checked before waiting packets count it, so that a loss that it shows is known by
 * then. */
static void take_packet(struct klv_lane *lane, const uint8_t *p)
{
    take_checked(lane, p);
    if (lane->counting)
        klv_wait_count_packet(lane, ts_pid(p) == TS_NULL_PID);
}

/* ---- acquiring: finding the stride ---- */

/* The first offset in in[0..n) from where packets of 188, 192 or 204 bytes follow each other: at least `least` sync
 * bytes of four. `all`: no more will come, so the packets that are there are enough. */
static int find_stride(const uint8_t *in, size_t n, size_t least, int all, size_t *at, size_t *stride)
{
    METER(n);
    for (size_t i = 0; i < n; i++) {
        if (in[i] != TS_SYNC)
            continue;
        for (size_t k = 0; k < sizeof TS_STRIDES / sizeof *TS_STRIDES; k++) {
            size_t step = TS_STRIDES[k], looked = 0, good = 0;
            for (size_t j = i; j < n && looked < SYNC_BYTES; j += step, looked++)
                good += in[j] == TS_SYNC;
            if (looked == SYNC_BYTES ? good >= least : all && good == looked && n - i >= TS_SIZE) {
                *at = i;
                *stride = step;
                return 1;
            }
        }
    }
    return 0;
}

/* First a place with four right sync bytes is sought; if there is none, one of four may be wrong. Not in one pass: in
 * about one of a hundred searches, three are right by chance before the packets begin. */
static int find_sync(const uint8_t *in, size_t n, int all, size_t *at, size_t *stride)
{
    return find_stride(in, n, SYNC_BYTES, 0, at, stride) || find_stride(in, n, SYNC_BYTES - 1, all, at, stride);
}

static void drop_part(struct klv_lane *lane, size_t n)
{
    lane->have -= n;
    METER(lane->have);
    memmove(lane->part, lane->part + n, lane->have);
}

/* Looks for the stride in `part`; the bytes before the first packet are passed over. `all`: no more come. */
static void acquire(struct klv_lane *lane, int all)
{
    size_t at, stride, keep = ACQUIRE - 1;
    if (find_sync(lane->part, lane->have, all, &at, &stride)) {
        lane->stride = stride;
        ts_check_join(lane);
        keep = lane->have - at;
    } else if (keep > lane->have - TS_SIZE) { /* each search passes over at least 188 bytes: so there are few */
        keep = lane->have - TS_SIZE;
    }
    lane->counts.passed_over += lane->have - keep;
    drop_part(lane, lane->have - keep);
}

/* The PES readers keep their state: once in sync again, the counters show whether packets of theirs were lost. */
static void lose_sync(struct klv_lane *lane)
{
    lane->stride = lane->skip = 0;
    lane->counts.sync_losses++;
    for (unsigned i = 0; i < KLV_PIDS; i++)
        if (lane->pids[i].used)
            klv_hold_cut(&lane->pids[i]);
}

/* ---- in sync ---- */

/* How many bytes `part` needs for the next step: to find the stride, to read a packet, or, if its sync byte is wrong,
 * to see whether the next one is right. */
static size_t wanted(const struct klv_lane *lane)
{
    if (!is_in_sync(lane))
        return ACQUIRE;
    return lane->have == 0 || lane->part[0] == TS_SYNC ? TS_SIZE : lane->stride + 1;
}

/* The packet in `part`. */
static void take_part(struct klv_lane *lane)
{
    lane->number = ++lane->counts.ts_packets;
    take_packet(lane, lane->part);
    ts_check_keep(lane, lane->part + lane->stride, 1);
}

/* Bytes into `part`; once they are enough: acquiring, or one packet (the states "acquiring" and "in pieces"). */
static void step_part(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used)
{
    size_t want = wanted(lane), take = want > lane->have ? want - lane->have : 0;
    if (take > n - *used)
        take = n - *used;
    memcpy(lane->part + lane->have, in + *used, take);
    lane->have += take;
    *used += take;
    if (lane->have < wanted(lane)) /* that may be more than before: now the first byte is known */
        return;
    if (!is_in_sync(lane)) {
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

enum { AHEAD = 8 }; /* packets: the header so far ahead is fetched, since nothing else of most packets is read */

/* The first of `count` packets to check: of a PID that has a role, or not all payload in sequence. */
static const uint8_t *pass_plain(struct klv_lane *lane, const uint8_t *p, size_t count)
{
    for (size_t stride = lane->stride; count > 0; count--, p += stride) {
        if (count > AHEAD)
            __builtin_prefetch(p + AHEAD * stride);
        uint32_t header = be32(p);
        size_t pid = header >> 8 & 0x1fff;
        int role = lane->role[pid];
        if ((header & TS_FIXED) != lane->expected[pid] || (role && !(seeks_beginning(role) && !(header & TS_START))))
            return p;
        lane->expected[pid] = expected_after(header);
    }
    return p;
}

/* Reads packets directly in the input, until one adds bytes to a hold or ends a wait: then that is drained
 * first, so that packets come out in order and a hold never fills up. A packet that is not whole, or has no sync byte,
 * goes into `part`. */
static void step_run(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used)
{
    const uint8_t *p = in + *used, *end = in + n, *begin = p;
    size_t stride = lane->stride;
    lane->run = begin;
    while (!lane->draining && !lane->released) {
        if (!lane->counting) /* each TS packet counts: wait.c */
            p = pass_plain(lane, p, (size_t)(end - p) / stride);
        if ((size_t)(end - p) < stride || p[0] != TS_SYNC)
            break;
        lane->number = lane->counts.ts_packets + (size_t)(p - begin) / stride + 1;
        take_packet(lane, p);
        p += stride;
    }
    lane->run = NULL;
    lane->number = lane->counts.ts_packets += (size_t)(p - begin) / stride;
    ts_check_keep(lane, p, (size_t)(p - begin) / stride);
    *used = (size_t)(p - in);
    if (lane->draining || lane->released || p == end)
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
    } else if (!is_in_sync(lane) || lane->have > 0) {
        step_part(lane, in, n, used);
    } else {
        step_run(lane, in, n, used);
    }
}

/* ---- ending ---- */

/* "ending": takes one of the packets in `part`, though no bytes follow it. A recording may be shorter than ACQUIRE, so
 * the stride may have to be found in what there is. 0 = no packet is left. */
static int step_last(struct klv_lane *lane)
{
    if (!is_in_sync(lane) && lane->have >= TS_SIZE)
        acquire(lane, 1);
    if (!is_in_sync(lane) || lane->have < TS_SIZE || lane->part[0] != TS_SYNC)
        return 0;
    size_t step = lane->stride < lane->have ? lane->stride : lane->have;
    take_part(lane);
    drop_part(lane, step);
    return 1;
}

/* Cuts the hold of a PID where its bytes break off, so that what is in it comes out. */
static void break_off_pid(struct klv_lane *lane, struct pid *s)
{
    klv_hold_end_unit(lane, s);
    /* The end of the PES packet did not come: bytes may be missing in any place of it. */
    int is_incomplete = s->pes.state > S_HEAD && s->pes.left != LENGTH_UNKNOWN && s->pes.left > 0;
    if (lane->ts && is_incomplete)
        klv_hold_doubt(s, s->hold.at.pes_begin, s->hold.at.to);
    uint8_t aligned = s->hold.aligned;
    klv_hold_cut(s);
    if (!lane->ts) /* MPEG-TS may continue within a packet, bare KLV continues with a new one */
        s->hold.aligned = aligned;
    s->counted = 0;
    s->pes.in_cell = 0;
    ts_pes_wait(lane, s);
    if (is_cut(&s->hold))
        lane->draining = s;
}

static void break_off(struct klv_lane *lane)
{
    lane->ending = 0;
    for (unsigned i = 0; i < KLV_PIDS; i++)
        if (lane->pids[i].used)
            break_off_pid(lane, &lane->pids[i]);
    lane->counts.passed_over += lane->have;
    lane->have = lane->skip = 0;
    lane->stride = 0;
    ts_clock_stop(lane);
}

void klv_lane_break(struct klv_lane *lane)
{
    if (lane->ts)
        lane->ending = 1; /* packets are still in `part`: klv_lane_next takes them first, one by one */
    else
        break_off(lane);
}

/* ---- bytes in, packets out ---- */

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
    klv_hold_end_unit(lane, s);
    /* What is held may come out now that its unit has ended: search it before taking more bytes. */
    lane->draining = s->hold.at.from < s->hold.at.to ? s : NULL;
    if (damaged || s->losses.in_unit) /* no packet spans the end of a damaged unit, or its beginning */
        klv_hold_cut(s);
    if (s->hold.at.from >= s->hold.at.pes_begin) /* else what is held is of an older unit, and keeps its mark */
        s->losses.in_unit_before = s->losses.in_unit;
    s->losses.in_unit = damaged != 0;
    s->pid = pid < 0 ? TS_NULL_PID : (uint16_t)pid;
    s->listed = program < 0 ? 0 : 1 + (uint32_t)program;
    s->listing = (uint8_t)listing;
    klv_hold_begin_pes(s, pts);
}

/* Bare KLV: the next bytes into the hold. No more than fit after the beginning of the largest packet. */
static void step_klv(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used)
{
    size_t take = n - *used < KLV_SPARE / 2 ? n - *used : KLV_SPARE / 2;
    klv_hold_append(lane, &lane->pids[0], in + *used, take);
    *used += take;
    lane->draining = &lane->pids[0];
}

/* A PID whose hold may yield a packet though no bytes came into it: a break cuts several holds, and one TS packet may
 * end several waits. Of several the last one; packets of one PID stay in order. */
static void choose_hold(struct klv_lane *lane)
{
    for (unsigned i = 0; i < KLV_PIDS; i++)
        if (is_cut(&lane->pids[i].hold) || (lane->released >> i & 1))
            lane->draining = &lane->pids[i];
}

enum klv_status klv_lane_next(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used,
                              struct klv_packet *packet)
{
    for (;;) {
        if (lane->draining) {
            if (klv_hold_drain(lane, lane->draining, packet) == KLV_OK)
                return KLV_OK;
            lane->draining = NULL;
        }
        choose_hold(lane);
        if (lane->draining)
            continue;
        if (lane->ending) {
            if (!step_last(lane))
                break_off(lane);
            continue;
        }
        if (*used >= n && (lane->skip || lane->have < wanted(lane))) /* of bare KLV, have stays 0 */
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
