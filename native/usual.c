/* usual.c - what the sets of a PID usually have, and a packet that has it not.
 *
 * Each kind of oddity has a mark that rises by RISE when it occurs and falls by one when it might have and did not. An
 * oddity below COMMON is a fault of this packet; above, it is how the stream is: no fault any more. So a stream that has
 * one in less than RISE packets loses four to it, and no more. Where a loss is known, none of this is learnt.
 */
#include "lane.h"

enum { RISE = 256, COMMON = 3 * RISE, FULL = 4 * RISE, FORGET = RISE / 8, STEPS_KNOWN = 4, OTHERS = 4, SETS_KNOWN = 16, INSIDE = 100, FADE = 256, TAGS_SEEN = 192 };

static int is_rare_now(uint16_t *mark, int odd, uint16_t fall)
{
    int rare = odd && *mark < COMMON;
    if (odd)
        *mark = *mark + RISE > FULL ? FULL : (uint16_t)(*mark + RISE);
    else
        *mark = *mark > fall ? (uint16_t)(*mark - fall) : 0;
    return rare;
}

static int is_rare(uint16_t *mark, int odd)
{
    return is_rare_now(mark, odd, 1);
}

/* A set that had a checksum lacks it: its item may have become another by a flipped bit. A stretch without is soon
 * forgotten. */
static int is_robbed(struct usual *u, const struct klv_view *view)
{
    uint32_t bit = (uint32_t)1 << view->set;
    if (view->checksum == KLV_GOOD)
        u->summed |= bit;
    return (u->summed & bit) && is_rare_now(&u->bare[view->set], view->checksum == KLV_ABSENT, FORGET);
}

static int ends_in_sum(const struct set *set, const uint8_t *packet, size_t n)
{
    size_t size = set->sum == SUM_CRC32 ? 4 : 2;
    return n > UL_SIZE + 1 + size + 2 && packet[n - size - 2] == set->sum_tag && packet[n - size - 1] == size;
}

/* A few octets changed at most. */
static int is_like(const uint8_t *key, const uint8_t *other)
{
    unsigned differ = 0;
    for (size_t i = 0; i < UL_SIZE; i++)
        differ += i != 7 && key[i] != other[i];
    return differ <= 4;
}

/* Does the checksum agree once the packet has the key of that set? Its octet 8, the version, is as it came. */
static int agrees_with_key(const struct set *set, uint8_t *packet, size_t n)
{
    uint8_t key[UL_SIZE];
    if (!is_like(packet, set->key) || !ends_in_sum(set, packet, n))
        return 0;
    memcpy(key, packet, UL_SIZE);
    memcpy(packet, set->key, UL_SIZE);
    packet[7] = key[7];
    int agrees = klv_checksum(packet, n) == KLV_GOOD;
    memcpy(packet, key, UL_SIZE);
    return agrees;
}

/* A spoilt key makes a packet that of a set that has no checksum; its own is still there, and right with the right key. A
 * private set beside others may end in bytes that look like a checksum: with their key they are none. */
static int is_renamed(const struct usual *u, const struct klv_view *view, uint8_t *packet)
{
    if (view->checksum != KLV_ABSENT)
        return 0;
    for (int set = 1; set < SETS; set++)
        if ((u->summed >> set & 1) && set != view->set && agrees_with_key(&klv_sets[set], packet, view->size))
            return 1;
    return 0;
}

/* ---- what speaks for a packet without a checksum ---- */

/* Does a tag come where it came before, against the one before it? `*place` goes on. */
static int is_in_order(const uint8_t *order, uint64_t tag, size_t *place)
{
    for (size_t i = 0; i < ORDER && order[i]; i++) {
        if (order[i] != tag)
            continue;
        int after = i >= *place;
        *place = i;
        return after;
    }
    return 1;
}

/* Are the items of a local set whole, none twice, and in the order of the packet before? The tags go to `tags`. */
static int is_sound(const uint8_t *order, const uint8_t *packet, const struct klv_view *view, uint8_t *tags)
{
    uint64_t tag, seen[TAGS_SEEN / 64] = {0};
    size_t length, place = 0, count = 0;
    int sound = 1;
    for (size_t at = view->value; at < view->size; at += length) {
        if (read_item(packet, &at, view->size, &tag, &length) != KLV_OK)
            return 0;
        if (tag >= TAGS_SEEN)
            continue;
        sound &= !(seen[tag / 64] >> tag % 64 & 1) && is_in_order(order, tag, &place);
        seen[tag / 64] |= (uint64_t)1 << tag % 64;
        if (count < ORDER)
            tags[count++] = (uint8_t)tag;
    }
    return sound;
}

/* The head of one packet and the end of another, of the same lengths: their items may not fit together. */
static int is_mixed(struct usual *u, const struct klv_view *view, const uint8_t *packet)
{
    uint8_t tags[ORDER] = {0};
    if (view->checksum != KLV_ABSENT || klv_sets[view->set].universal != U_LOCAL)
        return 0;
    int sound = is_sound(u->order[view->set], packet, view, tags), known = u->sound[view->set] >= SETS_KNOWN;
    int rare = is_rare(&u->odd[view->set], !sound);
    if (sound || !rare)
        memcpy(u->order[view->set], tags, ORDER);
    if (sound && !known)
        u->sound[view->set]++;
    return known && rare;
}

int ts_usual_breach(struct usual *u, const struct klv_view *view, uint8_t *packet, int split)
{
    if (view->cut || view->set >= SETS)
        return 0;
    int breach = is_robbed(u, view) || is_renamed(u, view, packet);
    return (split && is_mixed(u, view, packet)) || breach;
}

/* A PTS before the last: of video frames in the order in which they are decoded they all come so. */
int ts_usual_back(struct usual *u, int back, int lost)
{
    return lost ? back && u->back < COMMON : is_rare(&u->back, back);
}

int ts_usual_rest(struct usual *u, int rest)
{
    return is_rare(&u->rest, rest);
}

/* A sender that fills its datagrams first pauses within PES packets by habit; of another, whose PES packets come in one
 * go, a pause as long as a whole step is a sign that others were lost in it. */
int ts_usual_pause(struct usual *u, int64_t pause)
{
    int64_t most = ts_usual_step(u);
    int rare = most > 0 && u->inside == INSIDE && pause >= most && u->pause < most / 4;
    u->pause -= u->pause / FADE;
    u->pause = pause > u->pause ? pause : u->pause;
    u->inside = u->inside < INSIDE ? (uint8_t)(u->inside + 1) : INSIDE;
    return rare;
}

int64_t ts_usual_step(const struct usual *u)
{
    uint32_t most = 0;
    for (unsigned i = 0; i < STEPS; i++)
        if (u->step[i] > most)
            most = u->step[i];
    return u->steps < STEPS_KNOWN ? 0 : most;
}

/* Did as many packets of other PIDs come in this step as in others of its length, or nearly? Then the sender had no KLV:
 * what is lost in one piece takes those with it. A few, of tables, are too few to say so. */
static int went_on(const struct usual *u, int64_t step, uint32_t others)
{
    double steps = 0, usual = 0;
    for (unsigned i = 0; i < STEPS; i++) {
        steps += u->step[i];
        usual += u->others[i];
    }
    return usual >= OTHERS * STEPS && 4 * others * steps >= 3 * usual * (double)step;
}

/* KLV need not come evenly: longer by half than the longest of the last steps is late. One that is late is no measure
 * for those to come, unless that is how they are now. */
int ts_usual_late(struct usual *u, int64_t step, uint32_t others, int lost)
{
    int64_t most = ts_usual_step(u);
    int late = most > 0 && step > most + most / 2 && !went_on(u, step, others);
    if (lost)
        return late && u->late < COMMON;
    int rare = is_rare(&u->late, late);
    if (rare)
        return 1;
    u->others[u->steps % STEPS] = others;
    u->step[u->steps % STEPS] = step > UINT32_MAX ? UINT32_MAX : (uint32_t)step;
    u->steps = u->steps + 1 < 2 * STEPS ? (uint8_t)(u->steps + 1) : STEPS;
    return 0;
}
