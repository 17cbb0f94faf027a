/* usual.c - learns what the PES packets and sets of a PID usually look like, and finds those that differ.
 *
 * The continuity counter does not show a loss of sixteen TS packets, or a multiple. In KLV without a checksum, such a
 * loss shows only by something unusual. But each of these oddities is normal in some stream. So each has a mark
 * (0 .. MOST) that learns how common it is:
 *
 *   it occurs              mark + RISE
 *   it might, and did not  mark - 1
 *   mark < COMMON          it is rare: where it occurs, the packet is damaged
 *   mark >= COMMON         it is normal for this stream: no fault
 *
 * So a stream that has an oddity in more than one of RISE packets loses a few packets to it, and no more. Nothing is
 * learnt from a step in which a loss is known.
 *
 *   mark        oddity                                                   seen in
 *   ---------------------------------------------------------------------------------------------------------------
 *   bare        a set that had a checksum comes without                  each packet, a set each
 *   disordered  items not whole, twice, or in another order              packets of several TS packets, a set each
 *   rest        bytes after a packet that begin no other                 packets that waited (wait.c)
 *   late        a step of the PTS longer by half than the last ones      PES packets
 *   back        a PTS before the last one                                PES packets
 *   -           a key of another set, whose checksum is right with it    each packet: try_keys
 *   pause       a long pause within a PES packet                         TS packets: ts_usual_learn_pause
 */
#include "lane.h"

enum {
    RISE = 256,
    COMMON = 3 * RISE,
    MOST = 4 * RISE,
    BARE_FALL = RISE / 8,       /* of the mark `bare`: a sender that had no checksum for a while is soon forgotten */
    STEPS_KNOWN = 4,            /* number of steps of the PTS before any is compared */
    OTHERS = 4,                 /* TS packets of other PIDs in a step, below which they may be only tables */
    ORDERED_KNOWN = 16,         /* packets in order before any is compared */
    INSIDE = 100,               /* TS packets within PES packets before any pause is compared */
    FADE = 256,                 /* the longest pause loses a 256th of itself with each */
    TAGS_SEEN = 192             /* tags below it are checked */
};

/* What occurred, or might have, is learnt. 1 = it is rare. */
static int learn_falling(uint16_t *mark, int occurs, uint16_t fall)
{
    int rare = occurs && *mark < COMMON;
    if (occurs)
        *mark = *mark + RISE > MOST ? MOST : (uint16_t)(*mark + RISE);
    else
        *mark = *mark > fall ? (uint16_t)(*mark - fall) : 0;
    return rare;
}

static int learn(uint16_t *mark, int occurs)
{
    return learn_falling(mark, occurs, 1);
}

/* ---- checksums ---- */

/* Does a set lack the checksum that it had? A flipped bit may have made another item of it. */
static int learn_bare(struct usual *u, const struct klv_view *view)
{
    uint32_t bit = (uint32_t)1 << view->set;
    if (view->checksum == KLV_GOOD)
        u->summed |= bit;
    return (u->summed & bit) && learn_falling(&u->bare[view->set], view->checksum == KLV_ABSENT, BARE_FALL);
}

/* Is the last item the checksum of that set, by its tag and length? */
static int ends_in_sum(const struct set *set, const uint8_t *packet, size_t n)
{
    size_t size = set->sum == SUM_CRC32 ? 4 : 2;
    return n > UL_SIZE + 1 + size + 2 && packet[n - size - 2] == set->sum_tag && packet[n - size - 1] == size;
}

/* Do two keys differ in no more than four octets, the version of the registry aside? So many a burst of errors changes;
 * the keys of two sets often differ in more. */
static int is_like(const uint8_t *key, const uint8_t *other)
{
    unsigned differ = 0;
    for (size_t i = 0; i < UL_SIZE; i++)
        differ += i != 7 && key[i] != other[i];
    return differ <= 4;
}

/* Tries the key of that set: 1 = with it, the packet's checksum is right. Octet 8, the version, is as it came. The
 * packet is written to, and restored, because the checksum includes the key. */
static int try_key(const struct set *set, uint8_t *packet, size_t n)
{
    uint8_t key[UL_SIZE];
    if (!is_like(packet, set->key) || !ends_in_sum(set, packet, n))
        return 0;
    memcpy(key, packet, UL_SIZE);
    memcpy(packet, set->key, UL_SIZE);
    packet[7] = key[7];
    int right = klv_checksum(packet, n) == KLV_GOOD;
    memcpy(packet, key, UL_SIZE);
    return right;
}

/* Tries the keys of other sets: 1 = the packet is of one of them, its key is spoilt. A spoilt key may be one without
 * a checksum; the packet's own is still there, and right with the right key. Only sets that came with a checksum are
 * tried: a private set may end in bytes that look like one. */
static int try_keys(const struct usual *u, const struct klv_view *view, uint8_t *packet)
{
    if (view->checksum != KLV_ABSENT)
        return 0;
    for (int set = 1; set < SETS; set++)
        if ((u->summed >> set & 1) && set != view->set && try_key(&klv_sets[set], packet, view->size))
            return 1;
    return 0;
}

/* ---- the items of a packet without a checksum ---- */

/* Does a tag follow the one before, as in the last packet? *place is the place of that one in `order`, and becomes this
 * one's. A tag that is not in `order` may be anywhere. */
static int take_tag(const uint8_t *order, uint64_t tag, size_t *place)
{
    for (size_t i = 0; i < ORDER && order[i]; i++) {
        if (order[i] != tag)
            continue;
        int follows = i >= *place;
        *place = i;
        return follows;
    }
    return 1;
}

/* Are the items of a local set whole, none twice, and in the order of the packet before? Their tags go to `tags`. */
static int read_order(const uint8_t *order, const uint8_t *packet, const struct klv_view *view, uint8_t *tags)
{
    uint64_t tag, seen[TAGS_SEEN / 64] = {0};
    size_t length, place = 0, count = 0;
    int ordered = 1;
    for (size_t at = view->value; at < view->size; at += length) {
        if (read_item(packet, &at, view->size, &tag, &length) != KLV_OK)
            return 0;
        if (tag >= TAGS_SEEN)
            continue;
        ordered &= !(seen[tag / 64] >> tag % 64 & 1) && take_tag(order, tag, &place);
        seen[tag / 64] |= (uint64_t)1 << tag % 64;
        if (count < ORDER)
            tags[count++] = (uint8_t)tag;
    }
    return ordered;
}

/* Is it the head of one packet and the end of another? If both have the same length, only the items show it: they do
 * not fit together where the packets meet. */
static int learn_items(struct usual *u, const struct klv_view *view, const uint8_t *packet)
{
    uint8_t tags[ORDER] = {0};
    if (view->checksum != KLV_ABSENT || klv_sets[view->set].universal != U_LOCAL)
        return 0;
    int ordered = read_order(u->order[view->set], packet, view, tags);
    int known = u->ordered[view->set] >= ORDERED_KNOWN;
    int rare = learn(&u->disordered[view->set], !ordered);
    if (ordered || !rare) /* do not compare the next packet with one that is probably mixed */
        memcpy(u->order[view->set], tags, ORDER);
    if (ordered && !known)
        u->ordered[view->set]++;
    return known && rare;
}

int ts_usual_learn_packet(struct usual *u, const struct klv_view *view, uint8_t *packet, int split)
{
    int is_spoilt = learn_bare(u, view) || try_keys(u, view, packet);
    return (split && learn_items(u, view, packet)) || is_spoilt; /* a packet in one TS packet cannot be mixed */
}

int ts_usual_learn_rest(struct usual *u, int rest)
{
    return learn(&u->rest, rest);
}

/* ---- times ---- */

/* Of video in the order of decoding each second PTS is before the last one, and so it is in some streams of KLV. */
int ts_usual_learn_back(struct usual *u, int back, int lost)
{
    return lost ? back && u->back < COMMON : learn(&u->back, back);
}

/* A sender that fills its datagrams first usually pauses within PES packets. If PES packets come without a pause, a
 * pause as long as a whole step of the PTS shows that others were lost in it. */
int ts_usual_learn_pause(struct usual *u, int64_t pause)
{
    int64_t step = ts_usual_step(u);
    int rare = step > 0 && u->inside == INSIDE && pause >= step && u->pause < step / 4;
    u->pause -= u->pause / FADE;
    u->pause = pause > u->pause ? pause : u->pause;
    u->inside = u->inside < INSIDE ? (uint8_t)(u->inside + 1) : INSIDE;
    return rare;
}

int64_t ts_usual_step(const struct usual *u)
{
    uint32_t longest = 0;
    for (unsigned i = 0; i < STEPS; i++)
        if (u->step[i] > longest)
            longest = u->step[i];
    return u->steps < STEPS_KNOWN ? 0 : longest;
}

/* Did other PIDs continue in this step, as in others of its length? A loss of a whole stretch affects theirs too; so
 * then the sender had no KLV. Three quarters are enough: senders are uneven. */
static int others_went_on(const struct usual *u, int64_t step, uint32_t others)
{
    double all_steps = 0, all_others = 0;
    for (unsigned i = 0; i < STEPS; i++) {
        all_steps += u->step[i];
        all_others += u->others[i];
    }
    return all_others >= OTHERS * STEPS && 4 * others * all_steps >= 3 * all_others * (double)step;
}

/* KLV may be uneven: a step is late if it is half as long again as the longest of the last steps. */
int ts_usual_learn_step(struct usual *u, int64_t step, uint32_t others, int lost)
{
    int64_t longest = ts_usual_step(u);
    int late = longest > 0 && step > longest + longest / 2 && !others_went_on(u, step, others);
    if (lost)
        return late && u->late < COMMON;
    if (learn(&u->late, late)) /* do not learn from a rare one */
        return 1;
    u->others[u->steps % STEPS] = others;
    u->step[u->steps % STEPS] = (uint32_t)step; /* a step of 2^32 or more is one back: klv_hold_begin_pes */
    u->steps = u->steps + 1 < 2 * STEPS ? (uint8_t)(u->steps + 1) : STEPS;
    return 0;
}
