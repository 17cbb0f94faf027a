/* wait.c - decides whether the whole KLV packet at the front of a hold may come out or must wait.
 *
 * A checksum proves a packet. A packet without one is only as reliable as the transport: a TS packet delivered out of
 * order may have the expected counter by chance, and be read as part of it. But then the counters of the TS packets
 * that follow show a gap, those of other PIDs included. So a packet without a checksum waits for two things in turn:
 *
 *   the end of its PES packet    awaits_pes_end: only its length shows that all of it came. No state: each drain checks
 *   TS packets that follow       the states below. Not if all its bytes came in one TS packet
 *
 * A packet of a PID that is not proven to carry KLV (enum proof) waits for the proof instead, with or without a
 * checksum. All packets of one PES packet, up to wait_end, wait together.
 *
 *   state          waits for                                          set by
 *   ------------------------------------------------------------------------------------------------------------------
 *   WAIT_NONE      nothing, yet                                       `from` comes to wait_end (clear)
 *   WAIT_PACKETS   CONFIRMATIONS TS packets of any PID                a drain finds a packet that needs_others
 *   WAIT_PTS       the PTS of the next PES packet: it shows whether   WAIT_PACKETS ends and needs_pts: the usual step
 *                  PES packets between were lost                      of the PTS is known, there are no arrival times,
 *                                                                     no PES packet began after what waits
 *   WAIT_PROOF     a second PES packet that begins with a key, or a   a drain finds a packet of an unproven PID
 *                  PMT that lists the PID
 *   WAIT_OVER      nothing more: all before wait_end comes out        release; lane->released causes a drain
 *
 *   event                        WAIT_PACKETS               WAIT_PTS                     WAIT_PROOF
 *   ------------------------------------------------------------------------------------------------------------------
 *   a TS packet of any PID,      packets_left - 1; at 0:    pts_packets + 1; OVER at     -
 *   not a null packet            PTS if needs_pts, or OVER  PTS_PACKETS, or without
 *                                                           needs_pts
 *   a TS packet of another PID,  all becomes doubtful;      -: what waits is before it   -
 *   a loss in or before it       OVER
 *   .. one of this PID           all becomes doubtful       -                            all becomes doubtful
 *   CONFIRM_US passed            OVER                       OVER                         -
 *   a PES packet of the PID      pes_begun + 1              pes_begun + 1: ends          pes_begun + 1
 *   begins                                                  needs_pts
 *   .. its PTS is before the     all becomes doubtful       all becomes doubtful         all becomes doubtful
 *      last, which is unusual
 *   .. its PTS is further on     in each state, the last PES packet becomes doubtful: bytes of it may be lost too
 *      than usual
 *   the second PES packet        OVER: the times of one     OVER                         -
 *   after it is complete         can be kept, not of two
 *   the PID is proven            -                          -                            OVER
 *   bytes were lost (cut)        in each state: the next drain hands out what it finds before the cut (hold.c)
 *   the hold is full             in each state: as a cut
 *   the PID is given up          in each state: NONE; what is held is discarded
 *
 * "Becomes doubtful": klv_hold_doubt. Losses and PTS steps are found in lane.c (doubt_losses) and hold.c (compare_pts).
 */
#include "lane.h"

enum { PTS_PACKETS = 4000 }; /* TS packets: a second of 6 Mbit/s */

/* ---- times ---- */

/* When the bytes at `from` came. */
static struct arrival front_arrival(const struct klv_lane *lane, const struct pid *s)
{
    const struct hold *h = &s->hold;
    struct arrival arrival = {.pts = h->pts_before};
    if (h->at.from >= h->at.pes_begin) {
        arrival.pts = h->pts;
        arrival.is_older = h->is_older;
    }
    /* In the PES packet that was complete while another one waited: its times were kept. */
    if (h->at.from >= h->at.next_pes && h->at.from < h->at.next_end) {
        arrival.received_us = h->next.received_us;
        arrival.pcr = h->next.pcr;
    } else {
        arrival.received_us = lane->received_us;
        arrival.pcr = ts_clock_pcr(lane, s);
    }
    return arrival;
}

struct arrival klv_wait_arrival(const struct klv_lane *lane, const struct pid *s)
{
    return s->hold.wait == WAIT_NONE ? front_arrival(lane, s) : s->hold.waiting;
}

/* Keeps the times of the PES packet after the one that waits, once it is complete: when it comes out, the lane already
 * has those of later TS packets. */
static void note_next(const struct klv_lane *lane, struct pid *s)
{
    struct hold *h = &s->hold;
    if (h->pes_begun != 1 || s->pes.left != 0)
        return;
    h->at.next_pes = h->at.pes_begin;
    h->at.next_end = h->at.to;
    h->next.received_us = lane->received_us;
    h->next.pcr = ts_clock_pcr(lane, s);
}

/* ---- a wait begins and ends ---- */

static void begin_wait(struct klv_lane *lane, struct pid *s)
{
    struct hold *h = &s->hold;
    h->waiting = front_arrival(lane, s);
    h->at.wait_end = front_end(h);
    h->packets_left = CONFIRMATIONS;
    h->pes_begun = h->at.from < h->at.pes_begin;
    note_next(lane, s);
    if (s->proof != PROVEN) {
        h->wait = WAIT_PROOF;
    } else {
        h->wait = WAIT_PACKETS;
        lane->counting |= bit_of(lane, s);
    }
}

/* What waits may come out. */
static void release(struct klv_lane *lane, struct pid *s)
{
    lane->counting &= ~bit_of(lane, s);
    lane->released |= bit_of(lane, s);
    s->hold.wait = WAIT_OVER;
}

void klv_wait_clear(struct klv_lane *lane, struct pid *s)
{
    lane->counting &= ~bit_of(lane, s);
    s->hold.wait = WAIT_NONE;
    s->hold.at.wait_end = NOWHERE;
}

void klv_wait_proven(struct klv_lane *lane, struct pid *s)
{
    s->proof = PROVEN;
    if (s->hold.wait == WAIT_PROOF)
        release(lane, s);
}

/* ---- TS packets that follow ---- */

/* Has the KLV waited longer than networks deliver out of order (CONFIRM_US)? Without arrival times: no. */
static int is_late_enough(const struct klv_lane *lane, const struct hold *h)
{
    return lane->received_us >= 0 && h->waiting.received_us >= 0 &&
           lane->received_us - h->waiting.received_us > CONFIRM_US;
}

/* Must it wait for the next PTS? That shows whether PES packets were lost, if the stream has a usual step. But with
 * arrival times a pause shows that too (doubt_pause in lane.c), and live data should not be delayed. */
static int needs_pts(const struct klv_lane *lane, const struct pid *s)
{
    return lane->received_us < 0 && s->hold.pes_begun == 0 && ts_usual_step(&s->usual) > 0;
}

/* WAIT_PACKETS: a TS packet came. */
static void count_packet(struct klv_lane *lane, struct pid *s, int is_null)
{
    struct hold *h = &s->hold;
    /* A loss: any waiting byte may be out of place, and waiting longer would not show which. */
    if (s->losses.at_packet != lane->faults) {
        klv_hold_doubt(s, h->at.from, h->at.to);
        release(lane, s);
        return;
    }
    if (!is_null) /* a null packet's counter is undefined: it shows nothing */
        h->packets_left--;
    if (h->packets_left > 0 && !is_late_enough(lane, h))
        return;
    if (needs_pts(lane, s)) {
        h->wait = WAIT_PTS;
        h->pts_packets = 1;
    } else {
        release(lane, s);
    }
}

/* WAIT_PTS: a TS packet came. */
static void count_for_pts(struct klv_lane *lane, struct pid *s, int is_null)
{
    struct hold *h = &s->hold;
    s->losses.at_packet = lane->faults; /* CONFIRMATIONS came without a loss: a later loss is not in what waits */
    if (is_null && !is_late_enough(lane, h)) /* it is not counted, but it may end the wait by its time */
        return;
    if (needs_pts(lane, s) && h->pts_packets < PTS_PACKETS)
        h->pts_packets++;
    else
        release(lane, s);
}

void klv_wait_count_packet(struct klv_lane *lane, int is_null)
{
    struct pid *s = lane->pids;
    for (unsigned counting = lane->counting; counting; counting >>= 1, s++) {
        if (!(counting & 1))
            continue;
        if (s->hold.wait == WAIT_PACKETS)
            count_packet(lane, s, is_null);
        else
            count_for_pts(lane, s, is_null);
    }
}

/* The times of two PES packets after the one that waits cannot be kept: when the second is complete, or may be since
 * its length is unknown, the first has to come out. */
void klv_wait_count_own(struct klv_lane *lane, struct pid *s)
{
    const struct hold *h = &s->hold;
    if (!is_waiting(h))
        return;
    note_next(lane, s);
    if (h->wait != WAIT_PROOF && h->pes_begun >= 2 && (s->pes.left == 0 || s->pes.left == LENGTH_UNKNOWN))
        release(lane, s);
}

/* ---- does it have to wait? ---- */

/* Bytes that can be appended before something has to come out. */
static size_t room_left(const struct klv_lane *lane, const struct hold *h)
{
    size_t held = h->at.to - h->at.from;
    return held < lane->hold_size ? lane->hold_size - held : 0;
}

/* Does the packet wait until the PES packet that is being read is complete? Without a checksum, only the length of the
 * PES packet shows that nothing is missing. The wait needs room in the hold for the rest. If the packet began in an
 * earlier PES packet, its end may be in the one being read, so that one counts. If a known key begins that one, the
 * packet ends before it: then `last` is set, and this is not asked. */
static int awaits_pes_end(const struct klv_lane *lane, const struct pid *s, const struct klv_view *view)
{
    return !is_covered(view) && s->pes.state > S_HEAD && s->pes.left != LENGTH_UNKNOWN &&
           s->pes.left <= room_left(lane, &s->hold);
}

/* Does it need TS packets after it, or a proof of its PID? Not with a checksum; nor within one TS packet, since no
 * other can be part of it. An unproven PID needs the proof in both cases. Nothing waits without space for twice the TS
 * packets to follow: bytes that do not fit are lost. */
static int needs_others(const struct klv_lane *lane, const struct pid *s, const struct klv_view *view)
{
    const struct hold *h = &s->hold;
    int is_sure = is_covered(view) || h->at.from >= h->at.last_ts_packet;
    return lane->ts && (!is_sure || s->proof != PROVEN) && room_left(lane, h) >= 2 * CONFIRMATIONS * TS_SIZE;
}

int klv_wait_hold_back(struct klv_lane *lane, struct pid *s, int last)
{
    struct hold *h = &s->hold;
    if (!last && awaits_pes_end(lane, s, &h->view))
        return 1;
    if (is_cut(h)) /* what follows the cut shows nothing about what is before it */
        return 0;
    if (h->wait == WAIT_NONE && needs_others(lane, s, &h->view))
        begin_wait(lane, s);
    return is_waiting(h);
}
