/* hold.c - bytes of one PID in, whole KLV packets out.
 *
 * A PID's hold is a buffer. The payload of its PES packets is appended at `to`; packets come out at `from`. The offsets
 * (struct offsets) all move when what is held is moved to the front:
 *
 *   0           from            wait_end           pes_begin       last_append          to           hold_size + 1
 *   +-----------+-------------------+-------------------+-----------------+---------------+-----------------+
 *   | came out  | PES packet whose  | the next one,     | the last PES packet, of which   | free            |
 *   |           | KLV waits         | complete          | more may come   : last TS packet|                 |
 *   +-----------+-------------------+-------------------+-----------------+---------------+-----------------+
 *               :                   ^ next_pes          :                                 :
 *               : has `waiting`     : has `next`        :                                 :
 *               :<-- has pts_before while nothing waits :<--------------- has pts ------->:
 *               :                                                                         :
 *               :<-- doubt_from .. doubt_to: anywhere in it                               :
 *               :<-- cut: anywhere behind `from`. Before it nothing can be added any more, and what is behind it is no
 *                    part of what is before
 *
 * An offset that may be absent is NOWHERE, 0, then. 0 is none of them: each is set only behind `from`, and when bytes are
 * moved to the front, one byte stays free before them if `from` was not 0. That byte also keeps an offset before `from`
 * before it.
 *
 * FRAMING: where the next packet begins and ends
 *
 *   aligned = 1      a packet ended at `from`, or a unit begins there: a key that no table has counts too
 *   aligned = 0      bytes were lost or passed over: the next key of a known set counts. So does an unknown key that
 *                    begins a PES packet or unit and whose length ends with it (fills_unit); else a stream that has no
 *                    known keys would be lost after one fault.
 *
 *   event                      effect on the framing
 *   ---------------------------------------------------------------------------------------------------------------
 *   bytes appended             -
 *   PES packet or unit begins  pes_begin = to. If a known key stands there, what is before it ends there
 *   bytes lost                 cut = to, aligned = 0. The packet before the cut comes out at once as damaged
 *   a loss is possible         the doubt range grows: a packet across it without a checksum comes out as damaged
 *   unit ends (bare KLV)       aligned = 1 if an unknown key fills the unit
 *   drain: whole packet        from += its size, aligned = 1
 *   drain: no key              from += the bytes before one, aligned = 0
 *   drain: `from` meets cut    cut = NOWHERE, aligned = 0
 *   take-back                  from, cut and aligned as before the last hand-out
 *
 * WAITING: whether the packet at the front may come out
 *
 * A checksum proves a packet. One without is only as sure as the transport, and a TS packet that was delivered out of
 * order may bear the counter that is expected. Such a fault shows in the TS packets that follow, whatever their PID:
 * their counters do not go on. So KLV that has no checksum and came in more than one TS packet waits until a few
 * followed. It waits once a PES packet: all packets before wait_end wait together.
 *
 *   event                        WAIT_PACKETS             WAIT_PTS                 WAIT_PROOF
 *   ---------------------------------------------------------------------------------------------------------------
 *   TS packet of any PID         packets_left - 1;        pts_packets + 1; OVER    -
 *   (klv_hold_count_packet)      at 0: PTS if the next    when a PES packet has
 *                                PTS tells, else OVER     begun, or at PTS_PACKETS
 *   null packet                  -                        -                        -
 *   .. and a loss on any PID     doubt all, OVER          not theirs: ignored      -
 *   .. and 50 ms have passed     OVER                     OVER                     -
 *   PES packet begins            pes_begun + 1            pes_begun + 1            pes_begun + 1
 *   .. with a PTS before the     doubt all                doubt all                doubt all
 *      last, unlike usual
 *   the 2nd PES packet behind    OVER: the times of two   OVER                     -
 *   it ends, or has no length    are kept, not of three
 *   PMT lists the PID, or a      -                        -                        OVER
 *   PES packet proves it
 *   bytes lost (cut)             the next drain gives all before the cut at once
 *   the place is given up        NONE                     NONE                     NONE
 *
 *   WAIT_NONE becomes one of these when a drain finds a packet that has to wait (hold_back). WAIT_OVER becomes WAIT_NONE
 *   when a drain finds that `from` has come to wait_end.
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
    lane->confirmed &= ~bit_of(lane, s); /* its table may have ended the wait with the packet that closes it */
    h->at = (struct offsets){0};
    h->ready = 0;
    s->used = 0;
}

/* hold_size: the largest packet, and an eighth more, so that one that fills it is moved to the front once in as many
 * bytes, not for each TS packet. */
size_t klv_hold_room(size_t limit)
{
    return limit + limit / 8 + KLV_SPARE;
}

/* Is it time to move what is held to the front? Early, so that no more memory is touched than there is need of; and not
 * before so many bytes came out that moving costs little beside them. */
static int is_far(const struct offsets *at)
{
    return at->from > 2 * KLV_SPARE && at->from / 4 > at->to - at->from;
}

/* Takes `base` off every offset. Those before it were of bytes that came out: they become 0. */
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
    if (n > lane->hold_size + 1 - h->at.to) { /* WAIT_PTS and WAIT_PROOF may be that long: the cut ends them */
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

/* One range is kept: if an earlier one is still ahead of `from`, both become one with what is between. */
void klv_hold_doubt(struct pid *s, size_t from, size_t to)
{
    struct offsets *at = &s->hold.at;
    if (at->from >= to)
        return;
    int more = at->from < at->doubt_to;
    at->doubt_from = more && at->doubt_from < from ? at->doubt_from : from;
    at->doubt_to = more && at->doubt_to > to ? at->doubt_to : to;
}

static int is_waiting(const struct hold *h)
{
    return h->wait == WAIT_PACKETS || h->wait == WAIT_PTS || h->wait == WAIT_PROOF;
}

static const int64_t PTS_MASK = 0x1ffffffff; /* 33 bits */

/* Is one PTS before another? They wrap: the nearer way round counts. */
static int is_before(int64_t pts, int64_t other)
{
    return pts >= 0 && other >= 0 && ((uint64_t)(pts - other) >> 32 & 1);
}

/* What the step from the last PTS to this one says of the bytes that are held. */
static void compare_pts(struct pid *s, int64_t pts, int before, int lost)
{
    struct hold *h = &s->hold;
    if (pts < 0 || h->pts < 0)
        return;
    /* Out of order: either PES packet may be made of parts of several. What came out before cannot be called back. */
    if (ts_usual_learn_back(&s->usual, before, lost) && is_waiting(h))
        klv_hold_doubt(s, h->at.from, h->at.to);
    /* A long step: PES packets between may be lost, and with them the end of the last one and their own first bytes. */
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
    if (h->at.from == h->at.to) /* nothing is held: begin at the front, where memory is warm */
        h->at = (struct offsets){0};
    else if (h->at.from >= h->at.pes_begin || is_waiting(h)) /* of what waits, `waiting` has the time */
        h->pts_before = h->pts;
    h->at.pes_begin = h->at.to;
    h->pts = pts;
}

/* ---- waiting ---- */

/* Where the PES packet ends that the byte at `from` came in, as far as its bytes have come. */
static size_t front_end(const struct hold *h)
{
    return h->at.from < h->at.pes_begin ? h->at.pes_begin : h->at.to;
}

/* When the bytes at `from` came. */
static struct arrival front_arrival(const struct klv_lane *lane, const struct pid *s)
{
    const struct hold *h = &s->hold;
    int is_last_pes = h->at.from >= h->at.pes_begin;
    struct arrival arrival = {h->pts_before, lane->received_us, 0, 0};
    if (is_last_pes) {
        arrival.pts = h->pts;
        arrival.is_older = h->is_older;
    }
    /* It was complete before these bytes arrived, and waited behind another one. */
    if (h->at.next_pes != NOWHERE && h->at.from == h->at.next_pes) {
        arrival.received_us = h->next.received_us;
        arrival.pcr = h->next.pcr;
    } else {
        arrival.pcr = ts_clock_pcr(lane, s);
    }
    return arrival;
}

/* The PES packet behind the one that waits may be complete before that comes out: its time is now. */
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

/* Has it waited longer than a network delivers out of order? Of a file nobody says when its bytes arrived. */
static int is_late_enough(const struct klv_lane *lane, const struct hold *h)
{
    return lane->received_us >= 0 && h->waiting.received_us >= 0 &&
           lane->received_us - h->waiting.received_us > CONFIRM_US;
}

/* Would the next PTS show whether PES packets were lost? If the stream has a usual step. Live, the arrival times show it
 * (klv_payload in lane.c), and a wait would delay the packet; a file has none, and nothing is delayed. */
static int needs_pts(const struct klv_lane *lane, const struct pid *s)
{
    return lane->received_us < 0 && s->hold.pes_begun == 0 && ts_usual_step(&s->usual) > 0;
}

/* WAIT_PACKETS: one more followed. */
static void count_packet(struct klv_lane *lane, struct pid *s, int is_null)
{
    struct hold *h = &s->hold;
    if (s->losses.at_packet != lane->faults) { /* any byte that waits may be out of order: no more can be known */
        klv_hold_doubt(s, h->at.from, h->at.to);
        confirm(lane, s);
        return;
    }
    if (!is_null) /* null packets have no counter that would show a loss */
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
    s->losses.at_packet = lane->faults; /* enough have followed: a loss now is none of what waits */
    if (is_null && !is_late_enough(lane, h))
        return;
    if (needs_pts(lane, s) && h->pts_packets < PTS_PACKETS)
        h->pts_packets++;
    else
        confirm(lane, s);
}

void klv_hold_count_packet(struct klv_lane *lane, int is_null)
{
    for (unsigned i = 0; i < KLV_PIDS; i++) {
        struct pid *s = &lane->pids[i];
        if (s->hold.wait == WAIT_PACKETS)
            count_packet(lane, s, is_null);
        else if (s->hold.wait == WAIT_PTS)
            count_for_pts(lane, s, is_null);
    }
}

/* The times of two PES packets are kept: before a third one begins, the first has to come out. */
void klv_hold_count_own(struct klv_lane *lane, struct pid *s)
{
    const struct hold *h = &s->hold;
    if (!is_waiting(h))
        return;
    note_next(lane, s);
    if (h->wait != WAIT_PROOF && h->pes_begun >= 2 && (s->pes.left == 0 || s->pes.left == LENGTH_UNKNOWN))
        confirm(lane, s);
}

/* Does a checksum cover the whole packet, and so say whether it is right? A partial one does not. */
static int is_covered(const struct klv_view *view)
{
    return view->checksum == KLV_GOOD || view->checksum == KLV_BAD;
}

/* Without a checksum, only the length of its PES packet says that nothing is missing: so that has to come to its end
 * first; if there is room for it, else it would never come out. */
static int awaits_pes_end(const struct klv_lane *lane, const struct pid *s, const struct klv_view *view)
{
    return !is_covered(view) && s->pes.state > S_HEAD && s->pes.left != LENGTH_UNKNOWN &&
           s->pes.left <= lane->hold_size - (s->hold.at.to - s->hold.at.from);
}

/* Are TS packets behind it needed? Not for one with a checksum, nor in one TS packet: none out of order can be a part of
 * it. But an unproven PID proves nothing by either. */
static int needs_others(const struct klv_lane *lane, const struct pid *s, const struct klv_view *view)
{
    const struct hold *h = &s->hold;
    int is_sure = is_covered(view) || h->at.from >= h->at.last_append;
    size_t room = lane->hold_size - (h->at.to - h->at.from);
    return lane->ts && (!is_sure || s->unproven) && room >= 2 * CONFIRMATIONS * TS_SIZE;
}

/* 1 = the packet at `from` may not come out yet. If it has to wait, that begins here. */
static int hold_back(struct klv_lane *lane, struct pid *s, const struct klv_view *view)
{
    if (s->hold.wait == WAIT_NONE && needs_others(lane, s, view))
        begin_wait(lane, s);
    return is_waiting(&s->hold);
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

/* Are there bytes behind a packet that begin none, in the same PES packet? Padding of 00 or FF is none. */
static int has_rest(const struct hold *h, const struct klv_view *view)
{
    size_t at = h->at.from + view->size, end = front_end(h);
    return at < end && h->buffer[at] != 0 && h->buffer[at] != 0xff && !klv_may_be_key(h->buffer + at, end - at);
}

/* Is it to be doubted for what is known of losses? A checksum is worth more than that. */
static int is_doubtful(const struct hold *h, const struct arrival *arrival, const struct klv_view *view)
{
    int across = h->at.from < h->at.doubt_to && h->at.from + view->size > h->at.doubt_from;
    return !is_covered(view) && (arrival->is_older || across);
}

/* Is the packet damaged? Sixteen lost TS packets do not show in the counter, so it is also compared with those before.
 * What is known to be damaged is not learnt from. */
static enum verdict judge_packet(struct pid *s, const struct arrival *arrival, const struct klv_view *view)
{
    struct hold *h = &s->hold;
    if (view->cut || s->losses.in_unit || is_doubtful(h, arrival, view))
        return DAMAGED;
    int has_waited = h->wait != WAIT_NONE; /* so it came in several TS packets: one may be missing */
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
    else /* it was judged when it first came out, and learnt from */
        packet->damaged = h->taken_back == DAMAGED;
    h->taken_back = UNDECIDED;
    lane->undo = (struct undo){s, h->at, h->aligned};
    step_over(h, view->size, !view->cut);
    s->given++;
    lane->counts.packets++;
    lane->counts.bad_checksum += view->checksum == KLV_BAD;
    lane->counts.damaged += packet->damaged != 0;
}

/* What hand_out did is undone, but for what was learnt. */
void klv_hold_take_back(struct klv_lane *lane, const struct klv_packet *packet)
{
    struct pid *s = lane->undo.pid;
    s->hold.at = lane->undo.at;
    s->hold.aligned = lane->undo.aligned;
    s->hold.search = s->hold.before;
    s->hold.ready = 0;
    s->hold.taken_back = packet->damaged ? DAMAGED : SOUND;
    s->given--;
    lane->draining = (unsigned)(s - lane->pids) + 1;
    lane->counts.packets--;
    lane->counts.bad_checksum -= packet->checksum == KLV_BAD;
    lane->counts.damaged -= packet->damaged != 0;
}

/* Is there the beginning of a packet of a known set at `from`, with its length? Then `view` is all that is left of it. */
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

/* No byte will come to what is before `to`: it comes out as a damaged packet, or is passed over. 1 = *packet is it. An
 * unproven PID gives none: most likely its bytes are no KLV. */
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

/* A key that no table has is at `from`: does its packet fill the PES packet or unit to the byte? KLV_MORE: it may, once
 * all bytes are there. */
static enum klv_status fills_to_the_byte(const struct klv_lane *lane, const struct pid *s, const uint8_t *p, size_t n)
{
    uint64_t length;
    size_t used;
    enum klv_status status = klv_ber_length(p + UL_SIZE, n - UL_SIZE, &length, &used);
    if (status != KLV_OK) /* a PES packet has its first bytes in one TS packet; a unit may come in any cut */
        return lane->ts ? KLV_BAD_LENGTH : status;
    if (length > lane->limit || length > KLV_UNPROVEN)
        return KLV_BAD_LENGTH;
    uint64_t size = UL_SIZE + used + length;
    if (size < n || (lane->ts && size != n + s->pes.left)) /* the length of a unit is not known before its end */
        return KLV_BAD_LENGTH;
    return size == n ? KLV_OK : KLV_MORE;
}

/* Behind a loss, is a packet with an unknown key at `from` to be believed? Where it fills its PES packet, or its unit, to
 * the byte. KLV_OK: it does; KLV_MORE: it may yet; else there is no such packet. The end of a unit is where the next one
 * begins: KLV_OK then means that it ends here if the unit does. */
static enum klv_status fills_unit(const struct klv_lane *lane, const struct pid *s)
{
    const struct hold *h = &s->hold;
    const uint8_t *p = h->buffer + h->at.from;
    size_t n = h->at.to - h->at.from;
    /* Aligned: it counts anyway. With cells, or not at the beginning: no length says where it should end. */
    if (h->aligned || s->pes.has_cells || h->at.from != h->at.pes_begin)
        return KLV_BAD_TAG;
    if (lane->ts ? s->pes.left == LENGTH_UNKNOWN : s->pid == TS_NULL_PID) /* nor here: bare KLV has units if it has PIDs */
        return KLV_BAD_TAG;
    if (n < UL_SIZE)
        return !lane->ts && klv_may_be_key(p, n) ? KLV_MORE : KLV_BAD_TAG;
    if (!klv_is_designator(p) || klv_set_of_key(p)) /* a known key counts anyway */
        return KLV_BAD_TAG;
    return fills_to_the_byte(lane, s, p, n);
}

void klv_hold_end_unit(const struct klv_lane *lane, struct pid *s)
{
    s->hold.aligned |= !lane->ts && fills_unit(lane, s) == KLV_OK;
}

/* 1 = the packet at `from` is a Fill item (SMPTE ST 336), which carries nothing: it is skipped. */
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

/* Finds the first packet before `end`, into h->view; bytes before it are passed over. `last`: no more will come. */
static enum klv_status find_packet(struct klv_lane *lane, struct hold *h, size_t end, int last)
{
    size_t n = end - h->at.from;
    if (!last && (h->ready || n < h->search.need)) /* more bytes change nothing */
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

/* Where the packet at `from` has to end at the latest, *end: at a cut, or where the last PES packet begins if a known key
 * stands there. *last: no more bytes will come before that. KLV_MORE: that key is not complete. */
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

/* Behind a loss an unknown key may be aligned all the same. KLV_MORE: more bytes, or the end of the unit, tell. */
static enum klv_status align_unknown_key(const struct klv_lane *lane, struct pid *s)
{
    if (is_cut(&s->hold)) /* bytes of it are missing */
        return KLV_OK;
    enum klv_status status = fills_unit(lane, s);
    if (status == KLV_MORE || (status == KLV_OK && !lane->ts)) /* klv_hold_end_unit decides */
        return KLV_MORE;
    s->hold.aligned |= status == KLV_OK;
    return KLV_OK;
}

/* May the packet that was found come out? A cut ends all waits: nothing that follows belongs to what is before it. */
static int is_to_wait(struct klv_lane *lane, struct pid *s, int last)
{
    struct hold *h = &s->hold;
    return (!last && awaits_pes_end(lane, s, &h->view)) || (!is_cut(h) && hold_back(lane, s, &h->view));
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
            if (is_to_wait(lane, s, last))
                return KLV_MORE;
            hand_out(lane, s, &h->view, packet);
            return KLV_OK;
        }
        if (!last)
            return KLV_MORE;
        /* No packet, and no more bytes to come: what is left ends at the next known key. */
        h->aligned = 0;
        size_t next = h->at.from + UL_SIZE + 1;
        if (give_part(lane, s, next < end ? klv_find_known_key(h->buffer, next, end) : end, packet))
            return KLV_OK;
    }
    return KLV_MORE;
}
