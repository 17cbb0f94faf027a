/* hold.c - bytes of one PID in, whole KLV packets out.
 *
 * THE BUFFER. The payload of a PID's PES packets is appended at `to`; KLV packets come out at `from`:
 *
 *   0           from               wait_end             pes_begin            last_append           to   hold_size + 1
 *   +-----------+------------------+--------------------+--------------------+---------------------+-------------+
 *   | came out  | PES packet whose | the next one,      | the last PES packet; more of it may come | free        |
 *   |           | KLV waits        | complete           |                    : last TS packet      |             |
 *   +-----------+------------------+--------------------+--------------------+---------------------+-------------+
 *               :                  ^ next_pes           :                                          :
 *               :<--- PTS: waiting.pts and pts_before ->:<--- PTS: pts --------------------------->:
 *               :<--- cut: anywhere behind `from`. What is before it ends there; what is behind it begins there --->
 *               :<--- doubt_from .. doubt_to: a range anywhere; a loss may be at any byte of it ------------------->
 *
 *   offset             set when                              passed, or NOWHERE again, when
 *   -------------------------------------------------------------------------------------------------------------
 *   from               bytes come out or are passed over     -
 *   to                 bytes are appended                    -
 *   pes_begin          a PES packet, or a unit, begins       `from` comes to it
 *   last_append        a TS packet of the PID is read        `from` comes to it
 *   cut                bytes were lost: it is at `to`        `from` comes to it: NOWHERE
 *   doubt_from, _to    bytes may have been lost              `from` comes to doubt_to
 *   wait_end           KLV at `from` begins to wait          `from` comes to it, or the PID is given up: NOWHERE
 *   next_pes           the PES packet behind what waits is   `from` comes to it
 *                      complete: where that begins
 *
 * NOWHERE is 0. No offset that may be absent is ever 0 otherwise: each is set behind `from`. When bytes are moved to
 * the front, all offsets move (struct offsets, rebase), and one free byte stays before `from`, if there was any. So an
 * offset that was passed becomes 0, and is still before `from`.
 *
 * FRAMING. Where may the next KLV packet begin? (hold.aligned)
 *
 *   aligned = 1    at `from`, with any key: a packet ended there, or the PID begins there
 *   aligned = 0    bytes were lost or passed over: at the next key of a known set. Or at an unknown key that begins a
 *                  PES packet or unit and whose length ends with it (fills_unit): without that, one fault would end a
 *                  stream that has no known keys
 *
 *   event                        effect
 *   -------------------------------------------------------------------------------------------------------------
 *   bytes are appended           none, until the hold is drained
 *   PES packet or unit begins    if it begins with a known key, a KLV packet before it cannot go on: it is damaged
 *   bytes were lost (cut)        aligned = 0. All before the cut comes out at once; a packet not whole there is damaged
 *   bytes may be lost (doubt)    a packet that has bytes on both sides, and no checksum, comes out as damaged
 *   a unit ends (bare KLV)       aligned = 1 if an unknown key fills the unit
 *   drain: packet comes out      aligned = 1; 0 if it ended early, or a cut follows
 *   drain: other bytes           passed over; aligned = 0
 *   take-back                    from, cut and aligned as they were before the last packet came out
 *
 * WAITING. May the KLV packet at `from` come out? (enum wait)
 *
 * A checksum proves a packet. One without is only as sure as the transport: a TS packet that was delivered out of order
 * may have the very counter that is expected, and be read as part of it. But then the counters of the TS packets that
 * follow do not go on, those of other PIDs too. So a packet without a checksum that came in more than one TS packet
 * waits until CONFIRMATIONS others have followed. A packet of an unproven PID waits in any case, until that is proven.
 * All packets of one PES packet, up to wait_end, wait together.
 *
 *   event                        WAIT_PACKETS               WAIT_PTS                     WAIT_PROOF
 *   -------------------------------------------------------------------------------------------------------------
 *   a TS packet of any PID,      packets_left - 1; at 0:    pts_packets + 1; OVER at     -
 *   not a null packet            PTS if needs_pts, or OVER  PTS_PACKETS, or without
 *                                                           needs_pts
 *   a loss showed on any PID     doubt all of it, OVER      none: it is behind them      -
 *   50 ms passed                 OVER                       OVER                         -
 *   a PES packet of the PID      pes_begun + 1              pes_begun + 1: ends          pes_begun + 1
 *   begins                                                  needs_pts
 *   .. with a PTS before the     doubt all of it            doubt all of it              doubt all of it
 *      last, which is unusual
 *   the second PES packet that   OVER: there is no place    OVER                         -
 *   began is complete            for a third one's times
 *   the PID is proven            -                          -                            OVER
 *   bytes were lost (cut)        in any state, all before the cut comes out with the next drain
 *   the PID is given up          NONE, and what is held is passed over
 *
 *   WAIT_NONE   becomes WAIT_PACKETS or WAIT_PROOF when a drain finds a packet that has to wait (hold_back)
 *   WAIT_OVER   lets all packets before wait_end come out; when `from` has come there, it becomes WAIT_NONE
 *
 * Before all that, a packet without a checksum waits for the end of its PES packet (awaits_pes_end).
 */
#include "lane.h"

enum { PTS_PACKETS = 4000 }; /* TS packets: a second of 6 Mbit/s */

/* ---- bytes in ---- */

void klv_hold_open(struct pid *s, uint16_t number)
{
    uint8_t *buffer = s->hold.buffer;
    memset(s, 0, sizeof *s);
    s->hold.buffer = buffer;
    s->pid = number;
    s->used = 1;
    s->hold.pts = s->hold.pts_before = s->pace.came_us = -1;
    s->hold.aligned = 1;
}

static void end_wait(struct klv_lane *lane, struct pid *s)
{
    lane->waiting &= ~bit_of(lane, s);
    s->hold.wait = WAIT_NONE;
    s->hold.at.wait_end = NOWHERE;
}

void klv_hold_close(struct klv_lane *lane, struct pid *s)
{
    struct hold *h = &s->hold;
    lane->counts.passed_over += h->at.to - h->at.from;
    end_wait(lane, s);
    lane->confirmed &= ~bit_of(lane, s); /* one TS packet may hold two PMTs, the first of which ended the wait */
    h->at = (struct offsets){0};
    h->ready = 0;
    s->used = 0;
}

/* The largest packet, and an eighth more: a packet as large as that is moved to the front once in so many bytes, not
 * for each TS packet. */
size_t klv_hold_room(size_t limit)
{
    return limit + limit / 8 + KLV_SPARE;
}

/* Is it time to move what is held to the front, though there is room behind it? Then less memory is used in turn, and
 * stays in the cache. Not before so many bytes came out that moving costs little beside them. */
static int is_far(const struct offsets *at)
{
    return at->from > 2 * KLV_SPARE && at->from / 4 > at->to - at->from;
}

/* Takes `base` off every offset. One that is not behind it is of bytes that came out, or absent: it becomes 0. */
static void rebase(struct offsets *at, size_t base)
{
    size_t each[sizeof *at / sizeof(size_t)];
    _Static_assert(sizeof each == sizeof *at, "struct offsets holds offsets, and nothing else");
    memcpy(each, at, sizeof each);
    for (size_t i = 0; i < sizeof each / sizeof *each; i++)
        each[i] = each[i] > base ? each[i] - base : 0;
    memcpy(at, each, sizeof each);
}

static void move_to_front(struct hold *h)
{
    const size_t base = h->at.from - (h->at.from > 0); /* one byte stays free: see above */
    METER(h->at.to - h->at.from);
    memmove(h->buffer + h->at.from - base, h->buffer + h->at.from, h->at.to - h->at.from);
    rebase(&h->at, base);
}

void klv_hold_append(struct klv_lane *lane, struct pid *s, const uint8_t *in, size_t n)
{
    struct hold *h = &s->hold;
    if (n > lane->hold_size + 1 - h->at.to || is_far(&h->at))
        move_to_front(h);
    if (n > lane->hold_size + 1 - h->at.to) { /* WAIT_PTS and WAIT_PROOF may last so long: the cut ends them */
        lane->counts.passed_over += n;
        klv_hold_cut(s);
        return;
    }
    memcpy(h->buffer + h->at.to, in, n);
    h->at.to += n;
}

void klv_hold_cut(struct pid *s)
{
    if (s->hold.at.from < s->hold.at.to)
        s->hold.at.cut = s->hold.at.to;
    s->hold.aligned = 0;
}

/* One range is kept. If the one before is not passed yet, it becomes one with this, and what is between them. */
void klv_hold_doubt(struct pid *s, size_t from, size_t to)
{
    struct offsets *at = &s->hold.at;
    if (at->from >= to)
        return;
    int joins = at->from < at->doubt_to;
    at->doubt_from = joins && at->doubt_from < from ? at->doubt_from : from;
    at->doubt_to = joins && at->doubt_to > to ? at->doubt_to : to;
}

static int is_waiting(const struct hold *h)
{
    return h->wait == WAIT_PACKETS || h->wait == WAIT_PTS || h->wait == WAIT_PROOF;
}

static const int64_t PTS_MASK = 0x1ffffffff; /* 33 bits */

/* Is one PTS before another? They wrap at 33 bits: it is if the step back is the shorter way. */
static int is_before(int64_t pts, int64_t other)
{
    return pts >= 0 && other >= 0 && ((uint64_t)(pts - other) >> 32 & 1);
}

/* Does the step from the last PTS to this one show a loss, or TS packets out of order? `lost`: one is known anyway. */
static void compare_pts(struct pid *s, int64_t pts, int before, int lost)
{
    struct hold *h = &s->hold;
    if (pts < 0 || h->pts < 0)
        return;
    /* Out of order: TS packets of both PES packets may be mixed in what waits. */
    if (ts_usual_learn_back(&s->usual, before, lost) && is_waiting(h))
        klv_hold_doubt(s, h->at.from, h->at.to);
    /* A long step: what was lost between may begin within the last PES packet. */
    if (!before && ts_usual_learn_step(&s->usual, (pts - h->pts) & PTS_MASK, s->pace.others, lost))
        klv_hold_doubt(s, h->at.pes_begin, h->at.to);
}

void klv_hold_begin_pes(struct pid *s, int64_t pts)
{
    struct hold *h = &s->hold;
    int before = is_before(pts, h->pts);
    compare_pts(s, pts, before, s->losses.gap || s->losses.in_unit || s->losses.at_packet != s->losses.at_pes);
    s->losses.at_pes = s->losses.at_packet;
    h->is_older = s->losses.gap && before;
    s->losses.gap = 0;
    if (h->pes_begun < 2)
        h->pes_begun++;
    if (h->at.from == h->at.to) /* nothing is held: the buffer begins at its front */
        h->at = (struct offsets){0};
    else if (h->at.from >= h->at.pes_begin || is_waiting(h)) /* else what is held begins in an older PES packet */
        h->pts_before = h->pts;
    h->at.pes_begin = h->at.to;
    h->pts = pts;
}

/* ---- waiting ---- */

/* Where the PES packet ends in which the byte at `from` came, as far as it has come. */
static size_t front_end(const struct hold *h)
{
    return h->at.from < h->at.pes_begin ? h->at.pes_begin : h->at.to;
}

/* When the bytes at `from` came. */
static struct arrival front_arrival(const struct klv_lane *lane, const struct pid *s)
{
    const struct hold *h = &s->hold;
    struct arrival arrival = {.pts = h->pts_before};
    if (h->at.from >= h->at.pes_begin) {
        arrival.pts = h->pts;
        arrival.is_older = h->is_older;
    }
    if (h->at.next_pes != NOWHERE && h->at.from == h->at.next_pes) { /* it was complete before these bytes arrived */
        arrival.received_us = h->next.received_us;
        arrival.pcr = h->next.pcr;
    } else {
        arrival.received_us = lane->received_us;
        arrival.pcr = ts_clock_pcr(lane, s);
    }
    return arrival;
}

/* Is the PES packet behind the one that waits complete now? Then it arrived now, whenever it comes out. */
static void note_next(const struct klv_lane *lane, struct pid *s)
{
    struct hold *h = &s->hold;
    if (h->pes_begun != 1 || s->pes.left != 0)
        return;
    h->at.next_pes = h->at.pes_begin;
    h->next.received_us = lane->received_us;
    h->next.pcr = ts_clock_pcr(lane, s);
}

static void begin_wait(struct klv_lane *lane, struct pid *s)
{
    struct hold *h = &s->hold;
    h->waiting = front_arrival(lane, s);
    h->at.wait_end = front_end(h);
    h->wait = s->unproven ? WAIT_PROOF : WAIT_PACKETS;
    h->packets_left = CONFIRMATIONS;
    h->pes_begun = h->at.from < h->at.pes_begin;
    note_next(lane, s);
    lane->waiting |= bit_of(lane, s);
}

static void confirm(struct klv_lane *lane, struct pid *s)
{
    lane->waiting &= ~bit_of(lane, s);
    lane->confirmed |= bit_of(lane, s);
    s->hold.wait = WAIT_OVER;
}

void klv_hold_proven(struct klv_lane *lane, struct pid *s)
{
    s->unproven = PROVEN;
    if (s->hold.wait == WAIT_PROOF)
        confirm(lane, s);
}

/* Has what waits done so for longer than a network delivers out of order? Without arrival times, no. */
static int is_late_enough(const struct klv_lane *lane, const struct hold *h)
{
    return lane->received_us >= 0 && h->waiting.received_us >= 0 &&
           lane->received_us - h->waiting.received_us > CONFIRM_US;
}

/* Is the next PTS to be awaited? It shows whether PES packets were lost, if the stream has a usual step. But with
 * arrival times a pause shows that too (doubt_pause in lane.c), and what comes live should not be delayed. */
static int needs_pts(const struct klv_lane *lane, const struct pid *s)
{
    return lane->received_us < 0 && s->hold.pes_begun == 0 && ts_usual_step(&s->usual) > 0;
}

/* WAIT_PACKETS: one more followed. */
static void count_packet(struct klv_lane *lane, struct pid *s, int is_null)
{
    struct hold *h = &s->hold;
    if (s->losses.at_packet != lane->faults) { /* any byte that waits may be out of place: to wait on is of no use */
        klv_hold_doubt(s, h->at.from, h->at.to);
        confirm(lane, s);
        return;
    }
    if (!is_null) /* a null packet's counter is undefined: it would show nothing */
        h->packets_left--;
    if (h->packets_left > 0 && !is_late_enough(lane, h))
        return;
    if (needs_pts(lane, s)) {
        h->wait = WAIT_PTS;
        h->pts_packets = 1;
    } else {
        confirm(lane, s);
    }
}

/* WAIT_PTS: one more followed. */
static void count_for_pts(struct klv_lane *lane, struct pid *s, int is_null)
{
    struct hold *h = &s->hold;
    s->losses.at_packet = lane->faults; /* enough have followed: a loss now is behind what waits */
    if (is_null && !is_late_enough(lane, h))
        return;
    if (needs_pts(lane, s) && h->pts_packets < PTS_PACKETS)
        h->pts_packets++;
    else
        confirm(lane, s);
}

void klv_hold_count_packet(struct klv_lane *lane, int is_null)
{
    struct pid *s = lane->pids;
    for (unsigned waiting = lane->waiting; waiting; waiting >>= 1, s++) {
        if (!(waiting & 1))
            continue;
        if (s->hold.wait == WAIT_PACKETS)
            count_packet(lane, s, is_null);
        else if (s->hold.wait == WAIT_PTS)
            count_for_pts(lane, s, is_null);
    }
}

/* The times of two PES packets behind the one that waits cannot be kept: when the second is complete, or may have been,
 * the first has to come out. */
void klv_hold_count_own(struct klv_lane *lane, struct pid *s)
{
    const struct hold *h = &s->hold;
    if (!is_waiting(h))
        return;
    note_next(lane, s);
    if (h->wait != WAIT_PROOF && h->pes_begun >= 2 && (s->pes.left == 0 || s->pes.left == LENGTH_UNKNOWN))
        confirm(lane, s);
}

/* Is the whole packet under a checksum, right or wrong? KLV_PARTIAL is not. */
static int is_covered(const struct klv_view *view)
{
    return view->checksum == KLV_GOOD || view->checksum == KLV_BAD;
}

/* Bytes that can be appended before something has to come out. */
static size_t room_left(const struct klv_lane *lane, const struct hold *h)
{
    size_t held = h->at.to - h->at.from;
    return held < lane->hold_size ? lane->hold_size - held : 0;
}

/* Has the PES packet to come to its end first? Without a checksum, only its length shows that nothing is missing. If
 * the hold has no room for the rest, it cannot be awaited. */
static int awaits_pes_end(const struct klv_lane *lane, const struct pid *s, const struct klv_view *view)
{
    return !is_covered(view) && s->pes.state > S_HEAD && s->pes.left != LENGTH_UNKNOWN &&
           s->pes.left <= room_left(lane, &s->hold);
}

/* Are TS packets behind it needed? Not with a checksum; nor in one TS packet, since none out of order can be part of
 * it. An unproven PID has to be proven in any case. Without room for what comes meanwhile, nothing waits. */
static int needs_others(const struct klv_lane *lane, const struct pid *s, const struct klv_view *view)
{
    const struct hold *h = &s->hold;
    int is_sure = is_covered(view) || h->at.from >= h->at.last_append;
    return lane->ts && (!is_sure || s->unproven) && room_left(lane, h) >= 2 * CONFIRMATIONS * TS_SIZE;
}

/* 1 = the packet that was found at `from` stays in the hold so far. If it has to wait for others, that begins here.
 * `last`: no more bytes come to what is before its end. */
static int hold_back(struct klv_lane *lane, struct pid *s, int last)
{
    struct hold *h = &s->hold;
    if (!last && awaits_pes_end(lane, s, &h->view))
        return 1;
    if (is_cut(h)) /* nothing that follows belongs to it */
        return 0;
    if (h->wait == WAIT_NONE && needs_others(lane, s, &h->view))
        begin_wait(lane, s);
    return is_waiting(h);
}

/* ---- packets out ---- */

/* `n` bytes came out or were passed over; `whole`: as a packet that ended where it should. */
static void step_over(struct hold *h, size_t n, int whole)
{
    h->at.from += n;
    h->ready = 0;
    h->aligned = whole != 0;
    if (is_cut(h) && h->at.from >= h->at.cut) {
        h->at.cut = NOWHERE;
        h->aligned = 0;
    }
}

/* Are there bytes behind a packet, in its PES packet, that begin none and are not padding of 00 or FF? */
static int has_rest(const struct hold *h, const struct klv_view *view)
{
    size_t at = h->at.from + view->size, end = front_end(h);
    return at < end && h->buffer[at] != 0 && h->buffer[at] != 0xff && !klv_may_be_key(h->buffer + at, end - at);
}

/* May bytes be lost within it, or be out of order? A checksum shows it with certainty, so then this does not count. */
static int is_doubtful(const struct hold *h, const struct arrival *arrival, const struct klv_view *view)
{
    int across = h->at.from < h->at.doubt_to && h->at.from + view->size > h->at.doubt_from;
    return !is_covered(view) && (arrival->is_older || across);
}

/* Is the packet damaged? Sixteen lost TS packets do not show in the counter, so it is also compared with the packets
 * before (usual.c); what is damaged anyway is not learnt from. */
static enum verdict judge_packet(struct pid *s, const struct arrival *arrival, const struct klv_view *view)
{
    struct hold *h = &s->hold;
    if (view->cut || s->losses.in_unit || is_doubtful(h, arrival, view))
        return DAMAGED;
    int has_waited = h->wait != WAIT_NONE; /* so most likely it came in several TS packets: some may be missing */
    int rest = has_waited && !is_covered(view) && ts_usual_learn_rest(&s->usual, has_rest(h, view));
    int split = has_waited && view->size > TS_SIZE;
    int unlike = ts_usual_learn_packet(&s->usual, view, h->buffer + h->at.from, split);
    return unlike || rest ? DAMAGED : SOUND;
}

static void fill_packet(const struct klv_lane *lane, const struct pid *s, const struct arrival *arrival,
                        const struct klv_view *view, struct klv_packet *packet)
{
    packet->data = s->hold.buffer + s->hold.at.from;
    packet->size = view->size;
    packet->pts = arrival->pts;
    packet->received_us = arrival->received_us;
    packet->pcr = arrival->pcr;
    packet->pid = s->pid == TS_NULL_PID ? -1 : s->pid;
    packet->program = ts_psi_program(s);
    packet->listing = s->given < LISTINGS ? ts_psi_listing(lane, s) : 0;
    packet->set = view->set;
    packet->checksum = view->checksum;
}

static void hand_out(struct klv_lane *lane, struct pid *s, const struct klv_view *view, struct klv_packet *packet)
{
    struct hold *h = &s->hold;
    const struct arrival arrival = h->wait == WAIT_NONE ? front_arrival(lane, s) : h->waiting;
    fill_packet(lane, s, &arrival, view, packet);
    if (h->taken_back == UNDECIDED)
        packet->damaged = judge_packet(s, &arrival, view) == DAMAGED;
    else /* it was learnt from when it came out first */
        packet->damaged = h->taken_back == DAMAGED;
    h->taken_back = UNDECIDED;
    lane->undo = (struct undo){s, h->at, h->aligned};
    step_over(h, view->size, !view->cut);
    s->given++;
    lane->counts.packets++;
    lane->counts.bad_checksum += view->checksum == KLV_BAD;
    lane->counts.damaged += packet->damaged != 0;
}

/* Undoes hand_out, but for what was learnt. */
void klv_hold_take_back(struct klv_lane *lane, const struct klv_packet *packet)
{
    struct pid *s = lane->undo.pid;
    s->hold.at = lane->undo.at;
    s->hold.aligned = lane->undo.aligned;
    s->hold.search = s->hold.before;
    s->hold.ready = 0;
    s->hold.taken_back = packet->damaged ? DAMAGED : SOUND;
    s->given--;
    lane->draining = s;
    lane->counts.packets--;
    lane->counts.bad_checksum -= packet->checksum == KLV_BAD;
    lane->counts.damaged -= packet->damaged != 0;
}

/* Is the beginning of a packet of a known set at `from`, with its length? Then *view is the `left` bytes of it. */
static int is_part(const struct hold *h, size_t left, struct klv_view *view)
{
    const uint8_t *p = h->buffer + h->at.from;
    uint64_t length;
    size_t used;
    *view = (struct klv_view){0};
    if (left <= UL_SIZE + 1 || (view->set = klv_set_of_key(p)) == 0 ||
        klv_ber_length(p + UL_SIZE, left - UL_SIZE, &length, &used) != KLV_OK)
        return 0;
    view->size = left;
    view->cut = 1;
    view->checksum = klv_sets[view->set].sum == SUM_NONE ? KLV_ABSENT : KLV_BAD;
    return 1;
}

/* The bytes before `to` are no whole packet, and no more will come: they come out as a damaged packet, 1, or are passed
 * over. Those of an unproven PID are: most likely they are no KLV. */
static int give_part(struct klv_lane *lane, struct pid *s, size_t to, struct klv_packet *packet)
{
    struct hold *h = &s->hold;
    size_t left = to - h->at.from;
    struct klv_view view;
    klv_took(&h->search, h->search.walked + h->search.summed, left);
    if (!s->unproven && is_part(h, left, &view)) {
        hand_out(lane, s, &view, packet);
        return 1;
    }
    lane->counts.passed_over += left;
    step_over(h, left, 0);
    return 0;
}

/* Does the packet at p end where its PES packet or unit does? KLV_OK: it ends at p + n, where that does too, or may;
 * else as fills_unit. */
static enum klv_status fills_to_the_byte(const struct klv_lane *lane, const struct pid *s, const uint8_t *p, size_t n)
{
    uint64_t length;
    size_t used;
    enum klv_status status = klv_ber_length(p + UL_SIZE, n - UL_SIZE, &length, &used);
    if (status != KLV_OK) /* a unit comes in any cut; of a PES packet so few bytes are no KLV */
        return lane->ts ? KLV_BAD_LENGTH : status;
    if (length > lane->limit || length > KLV_UNPROVEN)
        return KLV_BAD_LENGTH;
    uint64_t size = UL_SIZE + used + length;
    if (size < n || (lane->ts && size != n + s->pes.left)) /* the length of a unit is not known before its end */
        return KLV_BAD_LENGTH;
    return size == n ? KLV_OK : KLV_MORE;
}

/* Behind a loss: does a packet with an unknown key fill its PES packet, or its unit, to the byte? KLV_OK: it does.
 * KLV_MORE: it does so far. Else: it does not, or this is not behind a loss. Where a unit ends is not known before the
 * next one begins (klv_hold_end_unit): so of bare KLV, KLV_OK means only that it does if the unit ends here. */
static enum klv_status fills_unit(const struct klv_lane *lane, const struct pid *s)
{
    const struct hold *h = &s->hold;
    const uint8_t *p = h->buffer + h->at.from;
    size_t n = h->at.to - h->at.from;
    /* Aligned, any key counts. In cells, or not at the beginning of a PES packet, no length says where it should
     * end. */
    if (h->aligned || s->pes.has_cells || h->at.from != h->at.pes_begin)
        return KLV_BAD_TAG;
    if (lane->ts ? s->pes.left == LENGTH_UNKNOWN : s->pid == TS_NULL_PID) /* nor here: units come with a PID */
        return KLV_BAD_TAG;
    if (n < UL_SIZE)
        return !lane->ts && klv_may_be_key(p, n) ? KLV_MORE : KLV_BAD_TAG;
    if (!klv_is_designator(p) || klv_set_of_key(p)) /* a known key counts, aligned or not */
        return KLV_BAD_TAG;
    return fills_to_the_byte(lane, s, p, n);
}

void klv_hold_end_unit(const struct klv_lane *lane, struct pid *s)
{
    s->hold.aligned |= !lane->ts && fills_unit(lane, s) == KLV_OK;
}

/* Skips the packet at `from` if it is a Fill item (SMPTE ST 336), which carries nothing. 1 = it was one. */
static int skip_fill(struct klv_lane *lane, struct hold *h, const struct klv_view *view)
{
    if (view->set || !klv_is_fill(h->buffer + h->at.from))
        return 0;
    if (view->cut) {
        lane->counts.passed_over += view->size;
    } else {
        lane->counts.fill++;
        lane->counts.fill_bytes += view->size;
    }
    step_over(h, view->size, !view->cut);
    return 1;
}

/* Finds the first packet before `end`: h->view; bytes before it are passed over. `last`: no more will come. */
static enum klv_status find_packet(struct klv_lane *lane, struct hold *h, size_t end, int last)
{
    size_t n = end - h->at.from;
    if (!last && (h->ready || n < h->search.need)) /* it was found, or the bytes that came since change nothing */
        return h->ready ? KLV_OK : KLV_MORE;
    h->before = h->search;
    enum klv_status status = klv_next(h->buffer + h->at.from, n, lane->limit,
                                      (h->aligned ? KLV_STEP : 0) | (last ? KLV_LAST : 0), &h->search, &h->view);
    lane->counts.too_large += h->search.too_large;
    h->search.too_large = 0;
    klv_took(&h->before, 0, h->view.at);
    h->at.from += h->view.at;
    lane->counts.passed_over += h->view.at;
    h->aligned = h->aligned && h->view.at == 0;
    h->ready = status == KLV_OK;
    return status;
}

/* Where the packet at `from` has to end at the latest: *end is a cut, or where the last PES packet begins if a known
 * key is there; then *last: no more bytes come before it. Else what is held is not all. KLV_MORE: that key is
 * incomplete. */
static enum klv_status find_end(const struct hold *h, size_t *end, int *last)
{
    *last = is_cut(h);
    *end = *last ? h->at.cut : h->at.to;
    if (h->at.from >= h->at.pes_begin || h->at.pes_begin >= *end)
        return KLV_OK;
    const uint8_t *key = h->buffer + h->at.pes_begin;
    size_t seen = *end - h->at.pes_begin;
    if (seen < UL_SIZE)
        return !*last && klv_may_be_key(key, seen) ? KLV_MORE : KLV_OK;
    if (klv_set_of_key(key)) {
        *end = h->at.pes_begin;
        *last = 1;
    }
    return KLV_OK;
}

/* Behind a loss, a packet with an unknown key that fills its PES packet counts. KLV_MORE: it has to be seen whether it
 * does. */
static enum klv_status align_unknown_key(const struct klv_lane *lane, struct pid *s)
{
    if (is_cut(&s->hold)) /* bytes of the PES packet are missing */
        return KLV_OK;
    enum klv_status status = fills_unit(lane, s);
    if (status == KLV_MORE || (status == KLV_OK && !lane->ts)) /* klv_hold_end_unit decides */
        return KLV_MORE;
    s->hold.aligned |= status == KLV_OK;
    return KLV_OK;
}

/* Hands out the first packet that may come out: KLV_OK; KLV_MORE: none may, so far. */
enum klv_status klv_hold_drain(struct klv_lane *lane, struct pid *s, struct klv_packet *packet)
{
    struct hold *h = &s->hold;
    size_t end;
    int last;
    lane->confirmed &= ~bit_of(lane, s);
    while (find_end(h, &end, &last) == KLV_OK && align_unknown_key(lane, s) == KLV_OK) {
        enum klv_status status = find_packet(lane, h, end, last);
        if (h->at.from >= h->at.wait_end)
            end_wait(lane, s);
        if (status == KLV_OK && skip_fill(lane, h, &h->view))
            continue;
        if (status == KLV_OK) {
            if (hold_back(lane, s, last))
                return KLV_MORE;
            hand_out(lane, s, &h->view, packet);
            return KLV_OK;
        }
        if (!last)
            return KLV_MORE;
        /* No whole packet is before `end`: the bytes up to the next known key are a part of one, or none. */
        h->aligned = 0;
        size_t next = h->at.from + UL_SIZE + 1;
        if (give_part(lane, s, next < end ? klv_find_known_key(h->buffer, next, end) : end, packet))
            return KLV_OK;
    }
    return KLV_MORE;
}
