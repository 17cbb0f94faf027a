/* hold.c - bytes of one PID in, whole KLV packets out.
 *
 * THE BUFFER. The payload of a PID's PES packets is appended at `to`; KLV packets come out at `from`. Drawn while one
 * waits, and two PES packets began after it:
 *
 *   0           from               wait_end             pes_begin            last_ts_packet        to   hold_size + 1
 *   +-----------+------------------+--------------------+--------------------+---------------------+-------------+
 *   | came out  | PES packet whose | the next one,      | the last PES packet; more of it may come | free        |
 *   |           | KLV waits        | complete           |                    : last TS packet      |             |
 *   +-----------+------------------+--------------------+--------------------+---------------------+-------------+
 *               :                  ^ next_pes           ^ next_end                                 :
 *               :<- waiting.pts -->:<- pts_before ----->:<- pts ---------------------------------->:
 *
 *   While nothing waits, pts_before is that of all bytes before pes_begin. If a PES packet has no length, what came
 *   of it waits: more may follow between wait_end and next_pes. In WAIT_PROOF more than one PES
 *   packet may be complete after what waits: pts_before is then that of the last of these.
 *
 *   cut                     a position after `from`: bytes were lost there. What is before it ends there; what is
 *                           after it begins there. One that is replaced before it is passed becomes doubtful
 *   doubt_from .. doubt_to  positions between bytes, anywhere: at any of them, both ends included, bytes may be missing
 *                           or out of order. Often both are the same position: where a TS packet may have been lost
 *
 *   offset             set when                              passed, or NOWHERE again, when
 *   -------------------------------------------------------------------------------------------------------------
 *   from               bytes come out or are passed over     -
 *   to                 bytes are appended                    -
 *   pes_begin          a PES packet, or a unit, begins       `from` comes to it
 *   last_ts_packet     a TS packet of the PID is read        `from` comes to it
 *   cut                bytes were lost: it is at `to`.       `from` comes to it: NOWHERE
 *                      Replaces one that is not passed
 *   doubt_from, _to    bytes may have been lost              `from` comes to doubt_to
 *   wait_end           KLV at `from` begins to wait          `from` comes to it, or the PID is given up: NOWHERE
 *   next_pes, _end     the PES packet after what waits is    `from` comes to next_end
 *                      complete: where it begins and ends
 *   all                                                      a PES packet begins and nothing is held: 0
 *
 * NOWHERE is 0. An offset that may be absent is set after `from`, so a present one is never 0. When the held bytes
 * are moved to the front of the buffer, `rebase` moves all offsets. One that was passed becomes 0; `from` becomes 1,
 * so that one which is equal to it does not.
 *
 * FRAMING. Where may the next KLV packet begin? (hold.aligned)
 *
 *   aligned = 1    at `from`, with any key: a packet ended there, or the PID begins there
 *   aligned = 0    bytes were lost or passed over: at the next key of a known set. Or at an unknown key that begins a
 *                  PES packet or unit and whose length ends with it (fills_unit): otherwise a stream in which all keys
 *                  are unknown would yield no packet after its first loss
 *
 *   event                        effect
 *   -------------------------------------------------------------------------------------------------------------
 *   bytes are appended           none, until the hold is drained
 *   PES packet or unit begins    if it begins with a known key, an unfinished KLV packet before it is damaged
 *   bytes were lost (cut)        aligned = 0 for the bytes after the cut: those before it keep theirs. The next drain
 *                                hands out the packets there, the last one as damaged if it is not whole and its key
 *                                is known
 *   source breaks (lane.c)       a cut; bare KLV of which nothing is held continues with a new packet: `aligned` stays
 *   bytes may be lost (doubt)    a packet that has bytes on both sides, and no checksum, comes out as damaged
 *   a unit ends (bare KLV)       aligned = 1 if an unknown key fills the unit
 *   drain: packet comes out      aligned = 1; 0 if it ended early, or a cut follows
 *   drain: other bytes           passed over; aligned = 0
 *   take-back                    the offsets and `aligned` as they were before the last packet came out
 *
 * WAITING. May a whole packet come out yet? wait.c.
 *
 * VERDICT. Is the packet damaged? That is decided once per packet, since usual.c learns from each packet that it
 * checks. A packet that the caller has no room for is taken back and comes out again, with the same verdict
 * (hold.taken_back).
 */
#include "lane.h"

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

void klv_hold_close(struct klv_lane *lane, struct pid *s)
{
    struct hold *h = &s->hold;
    lane->counts.passed_over += h->at.to - h->at.from;
    klv_wait_clear(lane, s);
    /* One TS packet may hold two PMTs: the first one lists the PID, which releases what waits, the second one does not
     * any more. */
    lane->released &= ~bit_of(lane, s);
    h->at = (struct offsets){0};
    h->ready = 0;
    s->used = 0;
}

/* The largest packet, and an eighth more: while such a packet arrives, its bytes are moved to the front once per
 * eighth of it, not per TS packet. */
size_t klv_hold_room(size_t limit)
{
    return limit + limit / 8 + KLV_SPARE;
}

/* Should the held bytes be moved to the front, though there is room after them? The stream then uses the same few
 * pages of the buffer again, which stay in the cache. Only once enough bytes came out that a move costs little. */
static int is_far(const struct offsets *at)
{
    return at->from > 2 * KLV_SPARE && at->from / 4 > at->to - at->from;
}

/* Subtracts `base` from each offset. One that is not above it was passed, or is NOWHERE: it becomes 0. */
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
    const size_t base = h->at.from - (h->at.from > 0); /* so that `from` becomes 1: see above */
    METER(h->at.to - h->at.from);
    memmove(h->buffer + h->at.from - base, h->buffer + h->at.from, h->at.to - h->at.from);
    rebase(&h->at, base);
}

void klv_hold_append(struct klv_lane *lane, struct pid *s, const uint8_t *in, size_t n)
{
    struct hold *h = &s->hold;
    if (n > lane->hold_size + 1 - h->at.to || is_far(&h->at))
        move_to_front(h);
    if (n > lane->hold_size + 1 - h->at.to) { /* possible in WAIT_PTS and WAIT_PROOF: the cut ends the wait */
        lane->counts.passed_over += n;
        klv_hold_cut(s);
        return;
    }
    memcpy(h->buffer + h->at.to, in, n);
    h->at.to += n;
}

void klv_hold_cut(struct pid *s)
{
    struct hold *h = &s->hold;
    if (h->at.from == h->at.to) {
        h->aligned = 0;
        return;
    }
    if (is_cut(h) && h->at.cut < h->at.to) /* only one is kept: a packet across the earlier one is damaged */
        klv_hold_doubt(s, h->at.cut, h->at.cut);
    h->at.cut = h->at.to;
}

/* One range is kept. If the last one is not passed yet, both and the bytes between them become one. */
void klv_hold_doubt(struct pid *s, size_t from, size_t to)
{
    struct offsets *at = &s->hold.at;
    if (at->from >= to)
        return;
    int joins = at->from < at->doubt_to;
    at->doubt_from = joins && at->doubt_from < from ? at->doubt_from : from;
    at->doubt_to = joins && at->doubt_to > to ? at->doubt_to : to;
}

static const int64_t PTS_MASK = 0x1ffffffff; /* 33 bits */

/* Is one PTS before another? They wrap at 33 bits: it is if the step back is the shorter one. */
static int is_before(int64_t pts, int64_t other)
{
    return pts >= 0 && other >= 0 && ((uint64_t)(pts - other) >> 32 & 1);
}

/* Does the step from the last PTS to this one show a loss, or TS packets out of order? `lost`: a loss in it is known
 * already, so usual.c does not learn from it. */
static void compare_pts(struct pid *s, int64_t pts, int before, int lost)
{
    struct hold *h = &s->hold;
    if (pts < 0 || h->pts < 0)
        return;
    /* A PTS goes back where it usually does not: TS packets of both PES packets may be mixed in what waits. */
    if (ts_usual_learn_back(&s->usual, before, lost) && is_waiting(h))
        klv_hold_doubt(s, h->at.from, h->at.to);
    /* A long step: PES packets between were lost, and perhaps the end of the last one. */
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
    else if (h->at.from >= h->at.pes_begin || is_waiting(h)) /* what waits keeps its own PTS: `waiting` */
        h->pts_before = h->pts; /* else a KLV packet that began in an older PES packet continues: it keeps that PTS */
    h->at.pes_begin = h->at.to;
    h->pts = pts;
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

/* Do bytes follow the packet in its PES packet that begin no other packet, and are not padding of 00 or FF? */
static int has_rest(const struct hold *h, const struct klv_view *view)
{
    size_t at = h->at.from + view->size, end = front_end(h);
    return at < end && h->buffer[at] != 0 && h->buffer[at] != 0xff && !klv_may_be_key(h->buffer + at, end - at);
}

/* May bytes in the packet be missing or out of order? Not asked with a checksum, which shows whether they are. */
static int is_doubtful(const struct hold *h, const struct arrival *arrival, const struct klv_view *view)
{
    int across = h->at.from < h->at.doubt_to && h->at.from + view->size > h->at.doubt_from;
    return !is_covered(view) && (arrival->is_older || across);
}

/* Is the packet damaged? The counter does not show sixteen lost TS packets, so the packet is also compared with those
 * before (usual.c). A packet that is damaged anyway is not learnt from. */
static enum verdict judge_packet(struct pid *s, const struct arrival *arrival, const struct klv_view *view)
{
    struct hold *h = &s->hold;
    int in_damaged_unit = h->at.from < h->at.pes_begin ? s->losses.in_unit_before : s->losses.in_unit;
    if (view->cut || in_damaged_unit || is_doubtful(h, arrival, view))
        return DAMAGED;
    int has_waited = h->wait != WAIT_NONE; /* so it most likely came in several TS packets, and some may be missing */
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
    packet->listing = s->handed_out < LISTINGS ? ts_psi_listing(lane, s) : 0;
    packet->set = view->set;
    packet->checksum = view->checksum;
}

static void hand_out(struct klv_lane *lane, struct pid *s, const struct klv_view *view, struct klv_packet *packet)
{
    struct hold *h = &s->hold;
    const struct arrival arrival = klv_wait_arrival(lane, s);
    fill_packet(lane, s, &arrival, view, packet);
    if (h->taken_back == UNDECIDED)
        packet->damaged = judge_packet(s, &arrival, view) == DAMAGED;
    else /* usual.c learnt from it when it came out first */
        packet->damaged = h->taken_back == DAMAGED;
    h->taken_back = UNDECIDED;
    lane->undo = (struct undo){s, h->at, h->aligned};
    step_over(h, view->size, !view->cut);
    s->handed_out++;
    lane->counts.packets++;
    lane->counts.bad_checksum += view->checksum == KLV_BAD;
    lane->counts.damaged += packet->damaged != 0;
}

/* Undoes hand_out, except for what was learnt. */
void klv_hold_take_back(struct klv_lane *lane, const struct klv_packet *packet)
{
    struct pid *s = lane->undo.pid;
    s->hold.at = lane->undo.at;
    s->hold.aligned = lane->undo.aligned;
    s->hold.search = s->hold.before;
    s->hold.ready = 0;
    s->hold.taken_back = packet->damaged ? DAMAGED : SOUND;
    s->handed_out--;
    lane->draining = s;
    lane->counts.packets--;
    lane->counts.bad_checksum -= packet->checksum == KLV_BAD;
    lane->counts.damaged -= packet->damaged != 0;
}

/* Do the `left` bytes at `from` begin a packet of a known set, with key, length and at least one byte more? Then *view
 * is these bytes. */
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
    /* The search found no packet in these bytes: what it read becomes debt, which the bytes repay (klv.c). */
    klv_took(&h->search, h->search.walked + h->search.summed, left);
    if (s->proof == PROVEN && is_part(h, left, &view)) {
        hand_out(lane, s, &view, packet);
        return 1;
    }
    lane->counts.passed_over += left;
    step_over(h, left, 0);
    return 0;
}

/* By its length, does the packet at p end where its PES packet or unit ends? p[0..n) is all that has come of that.
 * Returns what fills_unit does. */
static enum klv_status fills_to_the_byte(const struct klv_lane *lane, const struct pid *s, const uint8_t *p, size_t n)
{
    uint64_t length;
    size_t used;
    enum klv_status status = klv_ber_length(p + UL_SIZE, n - UL_SIZE, &length, &used);
    /* Key and length are incomplete. Those of a unit may come later. Those of a PES packet usually come in its first
     * TS packet: if not, it is not followed. */
    if (status != KLV_OK)
        return lane->ts ? KLV_BAD_LENGTH : status;
    if (length > lane->limit || length > KLV_UNPROVEN) /* above that, a length is not enough: primitives.h */
        return KLV_BAD_LENGTH;
    uint64_t size = UL_SIZE + used + length;
    if (size < n || (lane->ts && size != n + s->pes.left)) /* the length of a unit is not known before its end */
        return KLV_BAD_LENGTH;
    return size == n ? KLV_OK : KLV_MORE;
}

/* Behind a loss (aligned = 0): does a packet with an unknown key fill its PES packet, or its unit, exactly?
 *
 *   KLV_OK       PES packet: it does, and all of it is there. Unit: it does if the unit ends here, which is not known
 *                before the next one begins (klv_hold_end_unit)
 *   KLV_MORE     it does by its length, and is not all there; or too few bytes are there to decide
 *   KLV_BAD_..   it does not, or there is nothing to decide: aligned, a known key, an end without a length
 */
static enum klv_status fills_unit(const struct klv_lane *lane, const struct pid *s)
{
    const struct hold *h = &s->hold;
    const uint8_t *p = h->buffer + h->at.from;
    size_t n = h->at.to - h->at.from;
    /* Aligned, any key counts. In AU cells, or not at the beginning of a PES packet, its end cannot be compared. */
    if (h->aligned || s->pes.has_cells || h->at.from != h->at.pes_begin)
        return KLV_BAD_TAG;
    if (lane->ts ? s->pes.left == LENGTH_UNKNOWN : s->pid == TS_NULL_PID) /* nor here: units have a PID */
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
    if (!last && (h->ready || n < h->search.need)) /* it was found already, or needs more bytes than there are */
        return h->ready ? KLV_OK : KLV_MORE;
    h->before = h->search;
    enum klv_status status = klv_next(h->buffer + h->at.from, n, lane->limit,
                                      (h->aligned ? KLV_STEP : 0) | (last ? KLV_LAST : 0), &h->search, &h->view);
    lane->counts.too_large += h->search.too_large;
    h->search.too_large = 0;
    /* `before` is for a search from the old `from` on. The bytes passed over are not searched again: they repay
     * debt, and positions in them are cleared. */
    klv_took(&h->before, 0, h->view.at);
    h->at.from += h->view.at;
    lane->counts.passed_over += h->view.at;
    h->aligned = h->aligned && h->view.at == 0;
    h->ready = status == KLV_OK;
    return status;
}

/* Where does the packet at `from` have to end at the latest?
 *
 *   a cut                                              *end = cut, *last = 1: no more bytes come before it
 *   the last PES packet begins with a known key        *end = pes_begin, *last = 1
 *   else                                               *end = to, *last = 0
 *   the last PES packet may begin with a known key     KLV_MORE: too few bytes of it are there to decide
 */
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

/* Behind a loss, a packet with an unknown key that fills its PES packet counts: aligned = 1. KLV_MORE: that is
 * not known yet, so nothing is searched or passed over; else KLV_OK. */
static enum klv_status align_unknown_key(const struct klv_lane *lane, struct pid *s)
{
    if (is_cut(&s->hold)) /* bytes of the PES packet are missing: it fills nothing */
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
    lane->released &= ~bit_of(lane, s);
    while (find_end(h, &end, &last) == KLV_OK && align_unknown_key(lane, s) == KLV_OK) {
        enum klv_status status = find_packet(lane, h, end, last);
        if (h->at.from >= h->at.wait_end) /* all that waited came out; while nothing waits, wait_end is 0: no effect */
            klv_wait_clear(lane, s);
        if (status == KLV_OK && skip_fill(lane, h, &h->view))
            continue;
        if (status == KLV_OK) {
            if (klv_wait_hold_back(lane, s, last))
                return KLV_MORE;
            hand_out(lane, s, &h->view, packet);
            return KLV_OK;
        }
        if (!last)
            return KLV_MORE;
        /* No whole packet is before `end`: the bytes up to the next known key are part of a packet, or no KLV. That key
         * is searched for after the one at `from` and its first octet of length. */
        size_t next = h->at.from + UL_SIZE + 1;
        if (give_part(lane, s, next < end ? klv_find_known_key(h->buffer, next, end) : end, packet))
            return KLV_OK;
    }
    return KLV_MORE;
}
