/* usual.c - what the sets of a PID usually have, and a packet that has it not.
 *
 * Each kind of oddity has a mark that rises by RISE when it occurs and falls by one when it might have and did not. An
 * oddity below COMMON is a fault of this packet; above, it is how the stream is: no fault any more.
 */
#include "lane.h"

enum { RISE = 8, COMMON = 24, FULL = 32, KEY = 16 };

static int is_rare(uint8_t *mark, int odd)
{
    int rare = odd && *mark < COMMON;
    if (odd)
        *mark = *mark + RISE > FULL ? FULL : (uint8_t)(*mark + RISE);
    else if (*mark > 0)
        --*mark;
    return rare;
}

/* A set that had a checksum lacks it: its item may have become another by a flipped bit. */
static int is_robbed(struct usual *u, const struct klv_view *view)
{
    uint32_t bit = (uint32_t)1 << view->set;
    if (view->checksum == KLV_GOOD)
        u->summed |= bit;
    return (u->summed & bit) && is_rare(&u->bare[view->set], view->checksum == KLV_ABSENT);
}

static int ends_in_sum(const struct set *set, const uint8_t *packet, size_t n)
{
    size_t size = set->sum == SUM_CRC32 ? 4 : 2;
    return n > KEY + 1 + size + 2 && packet[n - size - 2] == set->sum_tag && packet[n - size - 1] == size;
}

/* A few octets changed at most. */
static int is_like(const uint8_t *key, const uint8_t *other)
{
    unsigned differ = 0;
    for (size_t i = 0; i < KEY; i++)
        differ += i != 7 && key[i] != other[i];
    return differ <= 4;
}

/* Does the checksum agree once the packet has the key of that set? Its octet 8, the version, is as it came. */
static int agrees_with_key(const struct set *set, uint8_t *packet, size_t n)
{
    uint8_t key[KEY];
    if (!is_like(packet, set->key) || !ends_in_sum(set, packet, n))
        return 0;
    memcpy(key, packet, KEY);
    memcpy(packet, set->key, KEY);
    packet[7] = key[7];
    int agrees = klv_checksum(packet, n) == KLV_GOOD;
    memcpy(packet, key, KEY);
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

int usual_breach(struct usual *u, const struct klv_view *view, uint8_t *packet)
{
    if (view->cut || view->set >= SETS)
        return 0;
    return is_robbed(u, view) || is_renamed(u, view, packet);
}
