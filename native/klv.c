/* klv.c - framing: keys, lengths, tags, checksums, and the search for packets (SMPTE ST 336, MISB ST 0107).
 *
 * Packet:
 *
 *   +------------------+-------------+-----------------------------+
 *   | key              | length      | value                       |
 *   | 16 bytes, ul.h   | BER         | `length` bytes              |
 *   +------------------+-------------+-----------------------------+
 *
 * The value of a local set (ST 0601 and most others), items one after the other to its end:
 *
 *   +-----------+--------+-------+-----------+--------+-------+-- ... --+-----+-----+-------------+
 *   | tag       | length | value | tag       | length | value |         | 1   | 2   | checksum    |
 *   | BER-OID   | BER    |       | BER-OID   | BER    |       |         |     |     | 16 bits     |
 *   +-----------+--------+-------+-----------+--------+-------+-- ... --+-----+-----+-------------+
 *
 * Of a universal set: the same with the item's 16-byte key in place of its tag.
 */
#include "primitives.h"

enum {
    CANDIDATES = 8, /* keys inside one packet whose checksum is tried */
    SEARCH_STEP = 256, /* bytes of a packet above 64 KiB that are looked through first; each step doubles that */
    REPAID = 8      /* bytes of debt that each byte repays (see "the search") */
};

const char *klv_set_name(int set)
{
    return set >= 0 && set < klv_set_count ? klv_sets[set].name : klv_sets[0].name;
}

int klv_may_be_key(const uint8_t *in, size_t n)
{
    return memcmp(in, UL_PREFIX, n < sizeof UL_PREFIX ? n : sizeof UL_PREFIX) == 0;
}

/* BER length (ST 336:2017, 5.3; ST 0107.5, 6.3.2):
 *
 *   bit  7   6..0
 *      +---+---------+
 *      | 0 | length  |                                    short form: 0 to 127
 *      +---+---------+
 *      +---+---------+----------+-- ... --+----------+
 *      | 1 | count   | most     |         | least    |    long form: `count` bytes that follow are the length;
 *      +---+---------+----------+-- ... --+----------+    zeros in front of it are taken
 *
 * A count of 0 (80, "indefinite") has no meaning in KLV; one above 8 is beyond any length that there can be. */
enum klv_status klv_ber_length(const uint8_t *in, size_t n, uint64_t *length, size_t *used)
{
    if (n == 0)
        return KLV_MORE;
    if (in[0] < 0x80) {
        *length = in[0];
        *used = 1;
        return KLV_OK;
    }
    size_t octets = in[0] & 0x7fu;
    if (octets == 0 || octets > 8)
        return KLV_BAD_LENGTH;
    if (octets > n - 1)
        return KLV_MORE;
    *length = be_uint(in + 1, octets);
    *used = 1 + octets;
    return KLV_OK;
}

/* BER-OID number (ST 0107.5, 6.3.1): 7 bits a byte, the most significant first; 128 = 81 00.
 *
 *   bit  7   6..0       7   6..0              7   6..0
 *      +---+---------+---+---------+-- ... --+---+---------+
 *      | 1 | most    | 1 |         |         | 0 | least   |
 *      +---+---------+---+---------+-- ... --+---+---------+
 */
enum klv_status klv_ber_oid(const uint8_t *in, size_t n, size_t octets, uint64_t *value, size_t *used)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < octets; i++) {
        if (i == n)
            return KLV_MORE;
        if (sum > UINT64_MAX >> 7) /* the next 7 bits would not fit */
            return KLV_BAD_TAG;
        sum = (sum << 7) | (in[i] & 0x7fu);
        if (in[i] < 0x80) {
            *value = sum;
            *used = i + 1;
            return KLV_OK;
        }
    }
    return KLV_BAD_TAG;
}

int klv_set_of_key(const uint8_t *key)
{
    if (memcmp(key, UL_PREFIX, sizeof UL_PREFIX) != 0)
        return 0;
    for (int i = 1; i < klv_set_count; i++)
        if (ul_is_same(key, klv_sets[i].key))
            return i;
    return 0;
}

/* The categories and the kinds of group are those of ul.h. Each of the four octets is a sub-identifier of one byte:
 * its bit 7 is 0. */
int klv_is_designator(const uint8_t *key)
{
    enum { DICTIONARY = 1, GROUPS, WRAPPERS, LABELS };
    enum { UNIVERSAL_SET = 1, GLOBAL_SET, LOCAL_SET, VARIABLE_PACK, DEFINED_PACK };
    if (memcmp(key, UL_PREFIX, sizeof UL_PREFIX) != 0 || ((key[4] | key[5] | key[6] | key[7]) & 0x80))
        return 0;
    if (key[4] == GROUPS)
        return (key[5] & 7) >= UNIVERSAL_SET && (key[5] & 7) <= DEFINED_PACK;
    return key[4] >= DICTIONARY && key[4] <= LABELS && key[5] != 0;
}

int klv_is_fill(const uint8_t *key)
{
    static const uint8_t FILL[UL_SIZE] = {0x06, 0x0e, 0x2b, 0x34, 1, 1, 1, 2, 3, 1, 2, 0x10, 1}; /* version 1 or 2 */
    return ul_is_same(key, FILL);
}

const struct keyed *klv_keyed_of(const uint8_t *key)
{
    int low = 0, high = klv_keyed_count;
    while (low < high) {
        int middle = (low + high) / 2, order = memcmp(key, klv_keyed[middle].key, UL_VERSION);
        if (order == 0) /* the table's keys have no version */
            order = memcmp(key + UL_VERSION + 1, klv_keyed[middle].key + UL_VERSION, UL_SIZE - UL_VERSION - 1);
        if (order == 0)
            return &klv_keyed[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* The next occurrence of the bytes that begin every key, or NULL. */
static const uint8_t *find_prefix(const uint8_t *p, const uint8_t *end)
{
    while (end - p >= 4) {
        const uint8_t *from = p;
        p = memchr(p, UL_PREFIX[0], (size_t)(end - p) - 3);
        METER((size_t)((p ? p : end) - from) + 1);
        if (p == NULL)
            return NULL;
        if (memcmp(p, UL_PREFIX, sizeof UL_PREFIX) == 0)
            return p;
        p++;
    }
    return NULL;
}

size_t klv_find_known_key(const uint8_t *in, size_t from, size_t n)
{
    while (from < n) {
        const uint8_t *p = find_prefix(in + from, in + n);
        if (p == NULL || (size_t)(in + n - p) < UL_SIZE)
            return n;
        from = (size_t)(p - in);
        if (klv_set_of_key(p))
            return from;
        from++;
    }
    return n;
}

/* The checksum covers the packet from its key up to itself: packet[0..covered), its own tag and length included. */
static int sum_agrees(const struct set *set, const uint8_t *packet, size_t covered, size_t length)
{
    const uint8_t *stored = packet + covered;
    switch (set->sum) {
    case SUM_16: return length == 2 && klv_sum16(packet, covered) == be16(stored);
    case SUM_CRC16: return length == 2 && klv_crc16(packet, covered) == be16(stored);
    default: return length == 4 && klv_crc32(packet, covered) == be32(stored);
    }
}

/* enum klv_checksum of a packet whose value begins at packet[value]. */
static int checksum(const struct set *set, const uint8_t *packet, size_t value, size_t n)
{
    if (set->sum == SUM_NONE)
        return KLV_ABSENT;
    /* Nearly every packet ends in its checksum: tag, length 2, sum. If it agrees, no item has to be read. */
    if (set->sum == SUM_16 && n - value >= 4 && packet[n - 4] == set->sum_tag && packet[n - 3] == 2 &&
        sum_agrees(set, packet, n - 2, 2))
        return KLV_GOOD;
    size_t at = value, length, stored = 0, size = 0;
    uint64_t tag;
    while (at < n) {
        if (read_item(packet, &at, n, &tag, &length) != KLV_OK)
            return KLV_BAD; /* where its items can't be read, none of them can be found to be the checksum */
        if (tag == set->sum_tag) { /* of several, the last */
            stored = at;
            size = length;
        }
        at += length;
    }
    if (stored == 0)
        return KLV_ABSENT;
    if (!sum_agrees(set, packet, stored, size))
        return KLV_BAD;
    return stored + size < n ? KLV_PARTIAL : KLV_GOOD;
}

/* ---- the search ----
 *
 * What follows a key may not match its length: the length is damaged, or the end of the packet was lost, and
 * then the next packets lie inside it. Bytes of a value may also look like a key. So, for each key:
 *
 *   whole()      length of at most 64 KiB     a packet, once all its bytes are there
 *                longer                       only until its items, or a checksum inside it, show that it ends before
 *                                             (true_end); else a damaged length would hold all that follows
 *   judge()      checksum right               a packet
 *                wrong, or none               cut where the next packet begins inside it, if one does (give_back)
 *
 * The work must be linear in the bytes, whatever they are; but each of n keys in n bytes may claim all that follow, and
 * a sum for each of them is n^2. So the search keeps a debt: the bytes that it summed or looked through. Each byte that
 * leaves the search, in a packet or before one, repays REPAID of them: a stream of sound packets is never in debt.
 * Above KLV_DEBT no packet is summed in which another key begins, and none above 64 KiB is taken.
 */

static int in_debt(const struct klv_search *search)
{
    return search->debt > KLV_DEBT;
}

void klv_took(struct klv_search *search, size_t cost, size_t size)
{
    uint64_t debt = search->debt + cost, paid = (uint64_t)REPAID * size;
    search->debt = debt > paid ? debt - paid : 0; /* nothing is saved up */
    search->walked = search->need = search->sought = search->summed = 0;
    search->tried = 0;
}

/* Is at in[0..n) a packet whose last item is a checksum that agrees? KLV_MORE: all of it is not there yet; with *need
 * bytes it is (0 = its length is not there either). It must end within `most` bytes. */
static enum klv_status prove(const uint8_t *in, size_t n, size_t most, size_t *need)
{
    uint64_t length;
    size_t used;
    const struct set *set = &klv_sets[klv_set_of_key(in)];
    if (set->sum != SUM_16)
        return KLV_BAD_TAG;
    enum klv_status status = klv_ber_length(in + UL_SIZE, n - UL_SIZE, &length, &used);
    *need = 0;
    if (status != KLV_OK)
        return status;
    size_t value = UL_SIZE + used;
    if (length > KLV_UNPROVEN || length < 4 || value + length > most) /* 4: tag, length, sum */
        return KLV_BAD_LENGTH;
    *need = value + (size_t)length;
    if (*need > n)
        return KLV_MORE;
    const uint8_t *sum = in + *need - 4;
    return sum[0] == set->sum_tag && sum[1] == 2 && sum_agrees(set, in, *need - 2, 2) ? KLV_OK : KLV_BAD_TAG;
}

/* Where the key of a set is found in place of an item of packet[0..end): there the next packet begins (as an
 * item it would be tag 6 with 14 bytes that begin with 2b 34). 0 = not in the bytes so far; with *need bytes
 * more can be checked. */
static size_t follow_items(const uint8_t *packet, size_t n, size_t end, struct klv_search *search, size_t *need)
{
    size_t at = search->walked, length;
    uint64_t tag;
    while (at < end) {
        size_t next = end - at < UL_SIZE ? end : at + UL_SIZE;
        if (n < next) {
            *need = next;
            break;
        }
        if (next == at + UL_SIZE && klv_set_of_key(packet + at)) {
            search->walked = at;
            return at;
        }
        if (read_item(packet, &at, end, &tag, &length) != KLV_OK)
            at = end; /* there are no more items to follow */
        else
            at += length;
    }
    search->walked = at;
    return 0;
}

/* Where in packet[0..end) another packet begins that its checksum proves, or 0. If one is not complete yet, the search
 * waits: which packet is found must not depend on how the bytes arrive. */
static size_t seek_proven(const uint8_t *packet, size_t n, size_t end, struct klv_search *search, size_t *need)
{
    while (search->tried < CANDIDATES) {
        size_t key = klv_find_known_key(packet, search->sought, n), size = 0;
        if (key == n || key >= end) {
            /* A key may begin in the last bytes. */
            search->sought = n - search->sought < UL_SIZE ? search->sought : n - (UL_SIZE - 1);
            *need = 0;
            return 0;
        }
        search->sought = key;
        enum klv_status status = prove(packet + key, n - key, SIZE_MAX, &size);
        if (status == KLV_OK)
            return key;
        if (status == KLV_MORE) {
            if (key + size < *need)
                *need = size ? key + size : 0;
            return 0;
        }
        search->summed += size;
        search->tried++;
        search->sought++;
    }
    return 0;
}

/* Where a packet with a length above KLV_UNPROVEN really ends, because the next one begins there; 0 = not known
 * so far. If both are found, a packet with a right checksum decides, not a key among the items. search->need: with
 * fewer bytes there is nothing new. Both searches advance by the same steps, so that neither reads much more
 * than the other one needs to find the end. */
static size_t true_end(const uint8_t *packet, size_t n, const struct klv_view *view, struct klv_search *search)
{
    const size_t most = n < view->size ? n : view->size;
    if (search->walked == 0)
        search->walked = search->sought = view->value;
    for (size_t step = SEARCH_STEP;; step *= 2) {
        size_t need = view->size, seen = most - search->sought > step ? search->sought + step : most;
        size_t key = follow_items(packet, seen, view->size, search, &need);
        size_t proof = seek_proven(packet, key ? key + UL_SIZE : seen, view->size, search, &need);
        search->need = need;
        if (proof || key || seen == most)
            return proof ? proof : key;
    }
}

/* Is all of a packet at in[0..n)? KLV_BAD_*: there is none, look further on. KLV_MORE: search->need bytes are needed,
 * 0 = any more. A key that no table has counts only directly after a packet: anywhere else random bytes would make
 * packets. */
static enum klv_status whole(const uint8_t *in, size_t n, size_t limit, int in_step, struct klv_search *search,
                             struct klv_view *view)
{
    view->cut = 0;
    search->need = 0;
    if (n < UL_SIZE)
        return klv_may_be_key(in, n) ? KLV_MORE : KLV_BAD_TAG;
    view->set = klv_set_of_key(in);
    if (view->set == 0 && !(in_step && klv_is_designator(in)) && !klv_is_fill(in))
        return KLV_BAD_TAG;
    uint64_t length;
    size_t used, unproven = limit < KLV_UNPROVEN ? limit : KLV_UNPROVEN;
    enum klv_status status = klv_ber_length(in + UL_SIZE, n - UL_SIZE, &length, &used);
    if (status != KLV_OK)
        return status;
    view->value = UL_SIZE + used;
    if (length > unproven) {
        /* Only items by tag can be followed to see where the packet really ends. */
        if (length > limit || view->set == 0 || klv_sets[view->set].universal != U_LOCAL || in_debt(search)) {
            search->too_large++;
            return KLV_BAD_LENGTH;
        }
        view->size = view->value + (size_t)length;
        size_t end = true_end(in, n, view, search);
        if (end) {
            view->size = end;
            view->cut = 1;
            return KLV_OK;
        }
    }
    view->size = view->value + (size_t)length;
    if (view->size > n) {
        if (length <= unproven)
            search->need = view->size;
        return KLV_MORE;
    }
    return KLV_OK;
}

/* Where in in[from..upto), the value of a packet without a checksum, another packet begins that its checksum proves;
 * else `upto`. *open: one is not complete yet; with search->need bytes it is. At most CANDIDATES are tried, and the
 * bytes that were summed for them are added to *cost. */
static size_t find_proven(const uint8_t *in, size_t from, size_t upto, size_t n, size_t limit,
                          struct klv_search *search, int *open, size_t *cost)
{
    size_t reach = n < upto + UL_SIZE - 1 ? n : upto + UL_SIZE - 1; /* keys that begin before `upto` */
    for (unsigned tried = 0; tried < CANDIDATES; tried++, from++) {
        from = klv_find_known_key(in, from, reach);
        if (from >= upto)
            break;
        size_t size = 0;
        enum klv_status status = prove(in + from, n - from, limit > from ? limit - from : 0, &size);
        *open = status == KLV_MORE;
        search->need = *open && size ? from + size : 0;
        if (status == KLV_OK || *open)
            return status == KLV_OK ? from : upto;
        *cost += size;
    }
    return upto;
}

/* Do the last bytes of in[0..n) begin a key that ends beyond them? */
static int ends_in_key(const uint8_t *in, size_t n)
{
    for (size_t tail = 1; tail < UL_SIZE && tail < n; tail++)
        if (klv_may_be_key(in + n - tail, tail))
            return 1;
    return 0;
}

/* A packet that lost its end reaches into the next one: cut it where that begins. KLV_MORE: the bytes that follow will
 * show whether one does. A set without a checksum may hold keys in its values: there only a packet with a right
 * checksum counts as the next one. */
static enum klv_status give_back(const uint8_t *packet, size_t n, size_t limit, int flags, struct klv_search *search,
                                 struct klv_view *view, size_t *cost)
{
    size_t most = view->size + UL_SIZE - 1, reach = n < most ? n : most, next; /* keys that begin inside it */
    int open = 0;
    search->need = 0;
    if (klv_sets[view->set].sum == SUM_NONE && !in_debt(search))
        next = find_proven(packet, view->value, view->size, n, limit, search, &open, cost);
    else
        next = klv_find_known_key(packet, view->value, reach);
    if (next >= view->size && !(flags & KLV_LAST) && (open || (reach < most && ends_in_key(packet, view->size))))
        return KLV_MORE;
    view->cut = next < view->size;
    if (view->cut)
        view->size = next;
    return KLV_OK;
}

/* The checksum of a packet whose bytes are all there, and where it is cut. The checksum comes first, except in debt:
 * where it is right there is nothing to search for inside. */
static enum klv_status judge(const uint8_t *packet, size_t n, size_t limit, int flags, struct klv_search *search,
                             struct klv_view *view)
{
    const struct set *set = &klv_sets[view->set];
    /* Not what was followed beyond a cut: how much that is depends on how many bytes had come. */
    size_t followed = search->walked < view->size ? search->walked : view->size;
    size_t cost = followed + search->summed, size = view->size;
    int summed = set->sum == SUM_16 && !view->cut && !in_debt(search);
    view->checksum = KLV_ABSENT;
    if (summed) {
        cost += size;
        view->checksum = checksum(set, packet, view->value, size);
    }
    if (view->checksum != KLV_GOOD && !view->cut) {
        if (give_back(packet, n, limit, flags, search, view, &cost) != KLV_OK)
            return KLV_MORE;
        if (!summed && !view->cut)
            view->checksum = checksum(set, packet, view->value, size);
    }
    if (view->cut)
        view->checksum = set->sum == SUM_NONE ? KLV_ABSENT : KLV_BAD;
    klv_took(search, cost, view->size);
    return KLV_OK;
}

enum klv_status klv_next(const uint8_t *in, size_t n, size_t limit, int flags, struct klv_search *search,
                         struct klv_view *view)
{
    size_t at = 0, passed = 0; /* in[0..passed) has repaid debt: each byte once, in whatever pieces the bytes come */
    for (;; at++) {
        const uint8_t *p = find_prefix(in + at, in + n);
        if (p == NULL) { /* a key may begin in the last bytes */
            size_t tail = n - at < 3 ? n - at : 3;
            while (tail > 0 && memcmp(in + n - tail, UL_PREFIX, tail) != 0)
                tail--;
            view->at = n - tail;
            klv_took(search, 0, view->at - passed);
            return KLV_MORE;
        }
        at = (size_t)(p - in);
        if (at > passed) {
            klv_took(search, 0, at - passed);
            passed = at;
        }
        enum klv_status status = whole(p, n - at, limit, (flags & KLV_STEP) && at == 0, search, view);
        view->at = at;
        if (status == KLV_OK)
            return judge(p, n - at, limit, flags, search, view);
        if (status == KLV_MORE)
            return KLV_MORE;
    }
}

int klv_whole(const uint8_t *in, size_t n, size_t limit)
{
    struct klv_search search = {0};
    struct klv_view view;
    if (klv_next(in, n, limit, KLV_STEP | KLV_LAST, &search, &view) != KLV_OK)
        return -1;
    if (view.at || view.size != n || view.cut || klv_is_fill(in))
        return -1;
    if (klv_sets[view.set].sum != SUM_NONE && view.checksum != KLV_GOOD)
        return -1;
    return 4 * view.set + view.checksum;
}

/* Where the value of a packet begins; 0 = its length can't be read. */
static size_t value_of(const uint8_t *packet, size_t n)
{
    uint64_t length;
    size_t used;
    if (n <= UL_SIZE || klv_ber_length(packet + UL_SIZE, n - UL_SIZE, &length, &used) != KLV_OK)
        return 0;
    return UL_SIZE + used;
}

int klv_checksum(const uint8_t *packet, size_t n)
{
    size_t value = value_of(packet, n);
    return value ? checksum(&klv_sets[klv_set_of_key(packet)], packet, value, n) : KLV_BAD;
}

int klv_tags(const uint8_t *packet, size_t n, uint64_t bits[3])
{
    uint64_t tag;
    size_t size, value = value_of(packet, n);
    memset(bits, 0, 3 * sizeof *bits);
    if (value == 0 || klv_sets[klv_set_of_key(packet)].tags == 0)
        return 0;
    for (size_t at = value; at < n; at += size) {
        if (read_item(packet, &at, n, &tag, &size) != KLV_OK || tag >= KLV_TAGS)
            return 0;
        bits[tag >> 6] |= (uint64_t)1 << (tag & 63);
    }
    return 1;
}

/* The time stamp of a universal set, the last of them; one above 8 bytes is no number. */
static int keyed_time(const uint8_t *packet, size_t value, size_t n, uint64_t *time_us)
{
    size_t key, length;
    int found = 0;
    for (size_t at = value; at < n && read_key(packet, &at, n, &key, &length); at += length) {
        const struct keyed *keyed = klv_keyed_of(packet + key);
        if (keyed == NULL || !(keyed->item.flags & F_TIME))
            continue;
        found = length > 0 && length <= 8;
        *time_us = found ? be_uint(packet + at, length) : 0;
    }
    return found;
}

struct head klv_head_of(const struct set *set, const uint8_t *packet, size_t at, size_t end)
{
    struct head head = {0};
    uint64_t tag;
    size_t length;
    if (set->universal == U_SET) {
        head.timed = set->time_tag && keyed_time(packet, at, end, &head.time_us);
        return head;
    }
    while (set->time_tag && at < end && read_item(packet, &at, end, &tag, &length) == KLV_OK) {
        if (tag == set->time_tag) {
            head.timed = length > 0 && length <= 8;
            head.time_us = head.timed ? be_uint(packet + at, length) : 0;
        }
        at += length;
    }
    return head;
}

int klv_time(const uint8_t *packet, size_t n, uint64_t *time_us)
{
    size_t value = value_of(packet, n);
    if (value == 0)
        return 0;
    const struct head head = klv_head_of(&klv_sets[klv_set_of_key(packet)], packet, value, n);
    *time_us = head.time_us;
    return head.timed;
}
