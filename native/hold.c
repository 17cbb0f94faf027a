/* hold.c - one hold a PID keeps what is not yet a whole packet.
 *
 * A loss cuts what is held: it comes out as damaged, and what follows counts again from the next known key, or from a
 * key that begins a PES packet and whose length ends with it. So no packet spans a loss.
 *
 * A packet of several TS packets and without a checksum has nothing but the transport to speak for it, and a TS packet
 * that is out of place may bear the right number. So it waits for some more: they tell where the order was lost.
 */
#include "lane.h"

enum { PATIENCE = 4000 }; /* TS packets: a second of 6 Mbit/s */

void klv_hold_open(struct pid *s, uint16_t number)
{
    uint8_t *hold = s->hold;
    memset(s, 0, sizeof *s);
    s->hold = hold;
    s->pid = number;
    s->used = 1;
    s->pts = s->pts_held = s->came_us = -1;
    s->in_step = 1;
}

/* Bytes were lost here. */
void klv_hold_cut(struct pid *s)
{
    if (s->from < s->to)
        s->cut = s->to;
    s->in_step = 0;
}

void klv_hold_doubt(struct pid *s, size_t from, size_t to)
{
    if (s->from >= to)
        return;
    int more = s->from < s->doubt;
    s->doubt_from = more && s->doubt_from < from ? s->doubt_from : from;
    s->doubt = more && s->doubt > to ? s->doubt : to;
}

static const int64_t PTS_MASK = 0x1ffffffff;

static int is_before(int64_t pts, int64_t other)
{
    return pts >= 0 && other >= 0 && ((uint64_t)(pts - other) >> 32 & 1);
}

/* What comes from here on belongs to a PES packet (or mark) with this time. */
void klv_hold_turn(struct pid *s, int64_t pts)
{
    int before = is_before(pts, s->pts), timed = pts >= 0 && s->pts >= 0;
    int lost = s->gap || s->damaged || s->faults != s->seen_faults;
    s->seen_faults = s->faults;
    if (timed && ts_usual_back(&s->usual, before, lost) && s->waits)
        klv_hold_doubt(s, s->from, s->to);
    if (timed && !before && ts_usual_late(&s->usual, (pts - s->pts) & PTS_MASK, s->others, lost))
        klv_hold_doubt(s, s->turn, s->to); /* the PES packets between may have been lost, the first with its beginning */
    s->late = s->gap && before;
    s->gap = 0;
    s->turns++;
    if (s->from == s->to)
        s->from = s->to = s->turn = s->doubt = s->piece = s->next.at = 0;
    else if (s->from >= s->turn || s->waits)
        s->pts_held = s->pts;
    s->turn = s->to;
    s->pts = pts;
}

/* An eighth more, so that a packet that fills it is moved to the front once in as many bytes, not for each piece. */
size_t klv_hold_room(size_t limit)
{
    return limit + limit / 8 + KLV_SPARE;
}

/* Is it time to move what is held to the front? Early, so that no more memory is touched than there is need of. */
static int is_far(const struct pid *s)
{
    return s->from > 2 * KLV_SPARE && s->from / 4 > s->to - s->from;
}

static void move_to_front(struct pid *s)
{
    size_t *const offsets[] = {&s->turn, &s->cut, &s->doubt_from, &s->doubt, &s->piece, &s->next.at, &s->first.upto};
    const size_t base = s->from - (s->from > 0); /* one is left, so that what was before it stays before it */
    METER(s->to - s->from);
    memmove(s->hold + s->from - base, s->hold + s->from, s->to - s->from);
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
        *offsets[i] = *offsets[i] > base ? *offsets[i] - base : 0;
    s->from -= base;
    s->to -= base;
}

void klv_hold_append(struct klv_lane *lane, struct pid *s, const uint8_t *in, size_t n)
{
    if (n > lane->hold_size + 1 - s->to || is_far(s))
        move_to_front(s);
    if (n > lane->hold_size + 1 - s->to) { /* not reached while the limit is kept and the hold is drained */
        lane->counts.passed_over += n;
        klv_hold_cut(s);
        return;
    }
    memcpy(s->hold + s->to, in, n);
    s->to += n;
}

static struct first first_of(const struct klv_lane *lane, const struct pid *s)
{
    int before = s->from < s->turn, next = s->next.at && s->from == s->next.at;
    return (struct first){before ? s->turn : s->to, !before && s->late, before ? s->pts_held : s->pts,
                          next ? s->next.received_us : lane->received_us, next ? s->next.pcr : ts_clock_pcr(lane, s)};
}

/* Are there bytes behind a packet that begin none, in the same PES packet? Padding may be. */
static int has_rest(const struct pid *s, const struct klv_view *view)
{
    size_t at = s->from + view->size, end = s->from < s->turn ? s->turn : s->to;
    return at < end && s->hold[at] != 0 && s->hold[at] != 0xff && !klv_may_be_key(s->hold + at, end - at);
}

/* Does a checksum speak for the whole packet, or against it? */
static int is_covered(const struct klv_view *view)
{
    return view->checksum == KLV_GOOD || view->checksum == KLV_BAD;
}

/* Sixteen lost packets don't show in their own counter: a checksum tells, or what else is known. */
static int is_damaged(struct pid *s, const struct first *first, const struct klv_view *view)
{
    int unproven = !is_covered(view);
    int doubtful = unproven &&
                   (first->late || (s->from < s->doubt && s->from + view->size > s->doubt_from));
    if (view->cut || s->damaged || doubtful)
        return 1;
    int rest = unproven && s->first.upto != 0 && ts_usual_rest(&s->usual, has_rest(s, view));
    int split = s->first.upto != 0 && view->size > TS_SIZE;
    return ts_usual_breach(&s->usual, view, s->hold + s->from, split) || rest;
}

static void hand_out(struct klv_lane *lane, struct pid *s, const struct klv_view *view, struct klv_packet *packet)
{
    const struct first first = s->first.upto ? s->first : first_of(lane, s);
    packet->data = s->hold + s->from;
    packet->size = view->size;
    packet->pts = first.pts;
    packet->received_us = first.received_us;
    packet->pcr = first.pcr;
    packet->pid = s->pid == TS_NULL_PID ? -1 : s->pid;
    packet->program = ts_psi_program(s);
    packet->listing = s->given++ < LISTINGS ? ts_psi_listing(lane, s) : 0;
    packet->set = view->set;
    packet->checksum = view->checksum;
    packet->damaged = s->again ? s->judged : is_damaged(s, &first, view);
    s->judged = packet->damaged != 0;
    s->again = 0;
    lane->last = s;
    lane->last_size = view->size;
    lane->last_cut = s->cut;
    lane->last_in_step = s->in_step;
    s->from += view->size;
    s->ready = 0;
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
void klv_hold_take_back(struct klv_lane *lane, const struct klv_packet *packet)
{
    lane->last->from -= lane->last_size;
    lane->last->cut = lane->last_cut;
    lane->last->in_step = lane->last_in_step;
    lane->last->search = lane->last->before;
    lane->last->ready = 0;
    lane->last->given--;
    lane->last->again = 1;
    lane->draining = (unsigned)(lane->last - lane->pids) + 1;
    uncount(lane, packet);
}

/* What is left before `to`: the beginning of a packet, given as damaged, or nothing. */
static int give_part(struct klv_lane *lane, struct pid *s, size_t to, struct klv_packet *packet)
{
    size_t left = to - s->from;
    struct klv_view view = {0};
    uint64_t length;
    size_t used;
    int part = !s->unproven && left > 17 && (view.set = klv_set_of_key(s->hold + s->from)) != 0 &&
               klv_ber_length(s->hold + s->from + 16, left - 16, &length, &used) == KLV_OK;
    klv_took(&s->search, s->search.walked + s->search.summed, left);
    if (part) {
        view.size = left;
        view.cut = 1;
        view.checksum = klv_sets[view.set].sum == SUM_NONE ? KLV_ABSENT : KLV_BAD;
        hand_out(lane, s, &view, packet);
    } else {
        lane->counts.passed_over += left;
        s->from = to;
    }
    if (s->cut && s->from >= s->cut)
        s->cut = 0;
    return part;
}

/* Without a checksum the length of its PES packet is what says that nothing is missing: so that comes to its end first. */
static int awaits_end(const struct klv_lane *lane, const struct pid *s, const struct klv_view *view)
{
    return !is_covered(view) && s->state > S_HEAD && s->pes_left != SIZE_MAX &&
           s->pes_left <= lane->hold_size - (s->to - s->from);
}

void klv_hold_forget(struct klv_lane *lane, struct pid *s)
{
    lane->waiting &= ~bit_of(lane, s);
    s->waits = 0;
    s->first.upto = 0;
}

static void confirm(struct klv_lane *lane, struct pid *s)
{
    lane->waiting &= ~bit_of(lane, s);
    lane->due |= bit_of(lane, s);
    s->waits = 0;
}

void klv_hold_proven(struct klv_lane *lane, struct pid *s)
{
    int waited = s->unproven && s->waits > 0;
    s->unproven = 0;
    if (waited)
        confirm(lane, s);
}

static int is_over(const struct klv_lane *lane, const struct pid *s)
{
    return lane->received_us >= 0 && s->first.received_us >= 0 && lane->received_us - s->first.received_us > WITNESS_US;
}

/* The next PTS shows whether PES packets were lost. A file has no arrival times to show it, so its set waits for that PTS. */
static int awaits_turn(const struct klv_lane *lane, struct pid *s)
{
    return lane->received_us < 0 && s->turns == 0 && ts_usual_step(&s->usual) > 0 && s->patience++ < PATIENCE;
}

void klv_hold_witness(struct klv_lane *lane, int counts)
{
    for (unsigned i = 0; i < KLV_PIDS; i++) {
        struct pid *s = &lane->pids[i];
        if (!s->waits || s->unproven)
            continue;
        if (s->patience > 0) /* the eight have spoken: what is lost now is no part of it */
            s->faults = lane->faults;
        if (s->faults != lane->faults)
            klv_hold_doubt(s, s->from, s->to);
        if (s->faults != lane->faults || (counts && --s->waits == 0) || is_over(lane, s)) {
            if (s->faults == lane->faults && awaits_turn(lane, s))
                s->waits = 1;
            else
                confirm(lane, s);
        }
    }
}

static void note_next(const struct klv_lane *lane, struct pid *s)
{
    if (s->turns == 1 && s->pes_left == 0)
        s->next = (struct next){s->turn, lane->received_us, ts_clock_pcr(lane, s)};
}

/* The times of two PES packets are kept, not of three. */
void klv_hold_followed(struct klv_lane *lane, struct pid *s)
{
    if (s->waits)
        note_next(lane, s);
    if (s->waits && !s->unproven && s->turns >= 2 && (s->pes_left == 0 || s->pes_left == SIZE_MAX))
        confirm(lane, s);
}

/* Are there more TS packets to come before it is believed? */
static int awaits_others(struct klv_lane *lane, struct pid *s, const struct klv_view *view)
{
    if (s->first.upto)
        return s->waits > 0;
    int alone = is_covered(view) || s->from >= s->piece; /* or is in one of them alone */
    if (!lane->ts || (alone && !s->unproven) || lane->hold_size - (s->to - s->from) < 2 * WITNESSES * TS_SIZE)
        return 0;
    s->first = first_of(lane, s);
    s->turns = s->from < s->turn;
    note_next(lane, s);
    s->waits = WITNESSES;
    s->patience = 0;
    lane->waiting |= bit_of(lane, s);
    return 1;
}

/* What follows a loss with a key that no table knows is believed where it fills its PES packet, or its unit, to the
 * byte. KLV_OK: it does; KLV_MORE: it may yet; else there is no such packet. The end of a unit is where the next one
 * begins: KLV_OK then means that it ends here if the unit does. */
static enum klv_status fills_unit(const struct klv_lane *lane, const struct pid *s)
{
    uint64_t length;
    size_t used, n = s->to - s->from;
    const uint8_t *p = s->hold + s->from;
    if (s->in_step || s->cells || s->from != s->turn || (lane->ts ? s->pes_left == SIZE_MAX : s->pid == TS_NULL_PID))
        return KLV_BAD_TAG;
    if (n < 16)
        return !lane->ts && klv_may_be_key(p, n) ? KLV_MORE : KLV_BAD_TAG;
    if (!klv_is_designator(p) || klv_set_of_key(p))
        return KLV_BAD_TAG;
    enum klv_status status = klv_ber_length(p + 16, n - 16, &length, &used);
    if (status != KLV_OK)
        return lane->ts ? KLV_BAD_LENGTH : status;
    if (length > lane->limit || length > KLV_UNPROVEN || 16 + used + length < n || (lane->ts && 16 + used + length != n + s->pes_left))
        return KLV_BAD_LENGTH;
    return 16 + used + length == n ? KLV_OK : KLV_MORE;
}

/* A Fill item is not for anyone: 1 = it is one, and skipped. */
static int skip_fill(struct klv_lane *lane, struct pid *s, const struct klv_view *view)
{
    if (view->set || !klv_is_fill(s->hold + s->from))
        return 0;
    if (view->cut) {
        lane->counts.passed_over += view->size;
    } else {
        lane->counts.fill++;
        lane->counts.fill_bytes += view->size;
    }
    s->from += view->size;
    s->ready = 0;
    s->in_step = !view->cut;
    if (s->cut && s->from >= s->cut)
        s->cut = s->in_step = 0;
    return 1;
}

void klv_hold_end(const struct klv_lane *lane, struct pid *s)
{
    s->in_step |= !lane->ts && fills_unit(lane, s) == KLV_OK;
}

/* The packet that comes first in what is held, up to `end`; what is none before it is passed over. */
static enum klv_status look(struct klv_lane *lane, struct pid *s, size_t end, int last)
{
    size_t n = end - s->from;
    if (!last && (s->ready || n < s->search.need)) /* more bytes change nothing */
        return s->ready ? KLV_OK : KLV_MORE;
    s->before = s->search;
    enum klv_status status = klv_next(s->hold + s->from, n, lane->limit,
                                      (s->in_step ? KLV_STEP : 0) | (last ? KLV_LAST : 0), &s->search, &s->view);
    lane->counts.too_large += s->search.too_large;
    s->search.too_large = 0;
    klv_took(&s->before, 0, s->view.at);
    s->from += s->view.at;
    lane->counts.passed_over += s->view.at;
    s->in_step = s->in_step && s->view.at == 0;
    s->ready = status == KLV_OK;
    return status;
}

enum klv_status klv_hold_drain(struct klv_lane *lane, struct pid *s, struct klv_packet *packet)
{
    lane->due &= ~bit_of(lane, s);
    for (;;) {
        size_t end = s->cut ? s->cut : s->to;
        int last = s->cut != 0;
        if (s->from < s->turn && s->turn < end) {
            /* A PES packet that begins with a key goes on with nothing from before. */
            size_t seen = end - s->turn;
            if (seen < 16 && !s->cut && klv_may_be_key(s->hold + s->turn, seen))
                return KLV_MORE;
            if (seen >= 16 && klv_set_of_key(s->hold + s->turn)) {
                end = s->turn;
                last = 1;
            }
        }
        enum klv_status fills = s->cut ? KLV_BAD_TAG : fills_unit(lane, s);
        if (fills == KLV_MORE || (fills == KLV_OK && !lane->ts))
            return KLV_MORE;
        s->in_step |= fills == KLV_OK;
        enum klv_status status = look(lane, s, end, last);
        if (s->from >= s->first.upto)
            klv_hold_forget(lane, s);
        if (status == KLV_OK && skip_fill(lane, s, &s->view))
            continue;
        if (status == KLV_OK && ((!last && awaits_end(lane, s, &s->view)) || (!s->cut && awaits_others(lane, s, &s->view))))
            return KLV_MORE;
        if (status == KLV_OK) {
            hand_out(lane, s, &s->view, packet);
            if (s->cut && s->from >= s->cut)
                s->cut = s->in_step = 0;
            return KLV_OK;
        }
        if (!last)
            return KLV_MORE;
        /* Nothing will make it whole any more: the next key ends it. */
        s->in_step = 0;
        if (give_part(lane, s, s->from + 17 < end ? klv_find_known_key(s->hold, s->from + 17, end) : end, packet))
            return KLV_OK;
    }
}
