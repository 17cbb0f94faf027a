/* klv.c - framing: keys, lengths, tags and checksums (SMPTE ST 336, MISB ST 0107). */
#include "wire.h"

enum { PROOFS = 8, KLV_CREDIT = 8 };

const char *klv_set_name(int set)
{
    return set >= 0 && set < klv_set_count ? klv_sets[set].name : klv_sets[0].name;
}

int klv_may_be_key(const uint8_t *in, size_t n)
{
    return memcmp(in, UL_PREFIX, n < sizeof UL_PREFIX ? n : sizeof UL_PREFIX) == 0;
}

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

enum klv_status klv_ber_oid(const uint8_t *in, size_t n, size_t octets, uint64_t *value, size_t *used)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < octets; i++) {
        if (i == n)
            return KLV_MORE;
        if (sum > UINT64_MAX >> 7)
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
    for (int i = 1; i < klv_set_count; i++) {
        const uint8_t *known = klv_sets[i].key;
        /* Octet 8 is the registry version: any will do. */
        if (memcmp(key + 4, known + 4, 3) == 0 && memcmp(key + 8, known + 8, 8) == 0)
            return i;
    }
    return 0;
}

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
    static const uint8_t KIND[3] = {1, 1, 1}, ITEM[8] = {3, 1, 2, 0x10, 1}; /* octet 8: 1 in old writers, 2 since */
    return memcmp(key, UL_PREFIX, sizeof UL_PREFIX) == 0 && memcmp(key + 4, KIND, sizeof KIND) == 0 &&
           memcmp(key + 8, ITEM, sizeof ITEM) == 0;
}

const struct keyed *klv_keyed_of(const uint8_t *key)
{
    int low = 0, high = klv_keyed_count;
    while (low < high) {
        int middle = (low + high) / 2, order = memcmp(key, klv_keyed[middle].key, 7);
        if (order == 0) /* octet 8 is the registry version: any will do */
            order = memcmp(key + 8, klv_keyed[middle].key + 7, 8);
        if (order == 0)
            return &klv_keyed[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

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

/* Where a known set's key begins in in[from..n), or n. */
size_t klv_find_known_key(const uint8_t *in, size_t from, size_t n)
{
    while (from < n) {
        const uint8_t *p = find_prefix(in + from, in + n);
        if (p == NULL || (size_t)(in + n - p) < 16)
            return n;
        from = (size_t)(p - in);
        if (klv_set_of_key(p))
            return from;
        from++;
    }
    return n;
}

static int sum_agrees(const struct set *set, const uint8_t *packet, size_t covered, size_t length)
{
    const uint8_t *stored = packet + covered;
    switch (set->sum) {
    case SUM_16: return length == 2 && klv_sum16(packet, covered) == be16(stored);
    case SUM_CRC16: return length == 2 && klv_crc16(packet, covered) == be16(stored);
    default: return length == 4 && klv_crc32(packet, covered) == be32(stored);
    }
}

static int checksum(const struct set *set, const uint8_t *packet, size_t value, size_t n)
{
    if (set->sum == SUM_NONE)
        return KLV_ABSENT;
    if (set->sum == SUM_16 && n - value >= 4 && packet[n - 4] == set->sum_tag && packet[n - 3] == 2 &&
        sum_agrees(set, packet, n - 2, 2))
        return KLV_GOOD;
    size_t at = value, length, stored = 0, size = 0;
    uint64_t tag;
    while (at < n) {
        if (read_item(packet, &at, n, &tag, &length) != KLV_OK)
            return KLV_BAD; /* what can't be walked can't be vouched for */
        if (tag == set->sum_tag) {
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
 * A key and a length are a promise, and a sender may promise the same bytes again and again: each key inside a packet
 * may begin one that reaches to its end. So the search keeps an account. What it looked at and did not take is a debt;
 * what it takes repays it. In debt it sums nothing that another key inside makes doubtful, and believes no long promise.
 */

static int in_debt(const struct klv_search *search)
{
    return search->debt > KLV_DEBT;
}

void klv_took(struct klv_search *search, size_t cost, size_t size)
{
    uint64_t debt = search->debt + cost, paid = (uint64_t)KLV_CREDIT * size;
    search->debt = debt > paid ? debt - paid : 0;
    search->walked = search->need = search->sought = search->summed = 0;
    search->asked = 0;
}

/* Is at in[0..n) a packet that its checksum, as its last item, proves to be one? KLV_MORE: it may yet be, *need bytes
 * tell. It must end within `room`. */
static enum klv_status proven(const uint8_t *in, size_t n, size_t room, size_t *need)
{
    uint64_t length;
    size_t used;
    const struct set *set = &klv_sets[klv_set_of_key(in)];
    if (set->sum != SUM_16)
        return KLV_BAD_TAG;
    enum klv_status status = klv_ber_length(in + 16, n - 16, &length, &used);
    *need = 0;
    if (status != KLV_OK)
        return status;
    size_t value = 16 + used;
    if (length > KLV_UNPROVEN || length < 4 || value + length > room)
        return KLV_BAD_LENGTH;
    *need = value + (size_t)length;
    if (*need > n)
        return KLV_MORE;
    const uint8_t *sum = in + *need - 4;
    return sum[0] == set->sum_tag && sum[1] == 2 && sum_agrees(set, in, *need - 2, 2) ? KLV_OK : KLV_BAD_TAG;
}

/* Where the items of a packet come to the key of a set, or 0: an item has no such tag. *need bytes tell more. */
static size_t follow_items(const uint8_t *packet, size_t n, size_t end, struct klv_search *search, size_t *need)
{
    size_t at = search->walked, length;
    uint64_t tag;
    while (at < end) {
        size_t next = end - at < 16 ? end : at + 16;
        if (n < next) {
            *need = next;
            break;
        }
        if (next == at + 16 && klv_set_of_key(packet + at)) {
            search->walked = at;
            return at;
        }
        if (read_item(packet, &at, end, &tag, &length) != KLV_OK)
            at = end; /* only its checksum can prove it then */
        else
            at += length;
    }
    search->walked = at;
    return 0;
}

/* Where a packet inside begins that its own sum proves, or 0. The first key that may yet be one is waited for. */
static size_t seek_proven(const uint8_t *packet, size_t n, size_t end, struct klv_search *search, size_t *need)
{
    while (search->asked < PROOFS) {
        size_t key = klv_find_known_key(packet, search->sought, n), size = 0;
        if (key == n || key >= end) {
            search->sought = n - search->sought < 16 ? search->sought : n - 15;
            *need = 0;
            return 0;
        }
        search->sought = key;
        enum klv_status status = proven(packet + key, n - key, SIZE_MAX, &size);
        if (status == KLV_OK)
            return key;
        if (status == KLV_MORE) {
            if (key + size < *need)
                *need = size ? key + size : 0;
            return 0;
        }
        search->summed += size;
        search->asked++;
        search->sought++;
    }
    return 0;
}

/* A length above KLV_UNPROVEN is believed while nothing shows that the packet ends before: where that is, 0 = not seen
 * yet. What shows first counts, so that it makes no difference how the bytes come. search->need = until when not to ask
 * again. */
static size_t true_end(const uint8_t *packet, size_t n, const struct klv_view *view, struct klv_search *search)
{
    size_t need = view->size, key, proof;
    if (search->walked == 0)
        search->walked = search->sought = view->value;
    key = follow_items(packet, n < view->size ? n : view->size, view->size, search, &need);
    proof = seek_proven(packet, key ? key + 16 : n < view->size ? n : view->size, view->size, search, &need);
    search->need = need;
    return proof ? proof : key;
}

/* Is a packet at in[0..n)? KLV_BAD_*: no, look further on. KLV_MORE: search->need bytes are wanted, 0 = any. */
static enum klv_status whole(const uint8_t *in, size_t n, size_t limit, int in_step, struct klv_search *search,
                             struct klv_view *view)
{
    view->cut = 0;
    search->need = 0;
    if (n < 16)
        return klv_may_be_key(in, n) ? KLV_MORE : KLV_BAD_TAG;
    view->set = klv_set_of_key(in);
    if (view->set == 0 && !(in_step && klv_is_designator(in)) && !klv_is_fill(in))
        return KLV_BAD_TAG;
    uint64_t length;
    size_t used, unproven = limit < KLV_UNPROVEN ? limit : KLV_UNPROVEN;
    enum klv_status status = klv_ber_length(in + 16, n - 16, &length, &used);
    if (status != KLV_OK)
        return status;
    view->value = 16 + used;
    if (length > unproven) {
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

/* Where a packet inside one without a sum begins that its own sum proves, or `upto`. *open: one that may yet be,
 * search->need bytes tell. A few are asked; their bytes go to *cost. */
static size_t find_proven(const uint8_t *in, size_t from, size_t upto, size_t n, size_t limit,
                          struct klv_search *search, int *open, size_t *cost)
{
    size_t reach = n < upto + 15 ? n : upto + 15; /* no key further on is asked for */
    for (unsigned asked = 0; asked < PROOFS && (from = klv_find_known_key(in, from, reach)) < upto; from++, asked++) {
        size_t size = 0;
        enum klv_status status = proven(in + from, n - from, limit > from ? limit - from : 0, &size);
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
    for (size_t tail = 1; tail < 16 && tail < n; tail++)
        if (klv_may_be_key(in + n - tail, tail))
            return 1;
    return 0;
}

/* A packet that lost its end has swallowed the beginning of the next one: give that back. KLV_MORE: the next bytes will
 * tell. A set without a sum may hold other keys by right: there a checksum has to prove that the inner packet is one. */
static enum klv_status give_back(const uint8_t *packet, size_t n, size_t limit, int flags, struct klv_search *search,
                                 struct klv_view *view, size_t *cost)
{
    size_t reach = n < view->size + 15 ? n : view->size + 15, next;
    int open = 0;
    search->need = 0;
    if (klv_sets[view->set].sum == SUM_NONE && !in_debt(search))
        next = find_proven(packet, view->value, view->size, n, limit, search, &open, cost);
    else
        next = klv_find_known_key(packet, view->value, reach);
    if (next >= view->size && !(flags & KLV_LAST) && (open || (reach < view->size + 15 && ends_in_key(packet, view->size))))
        return KLV_MORE;
    view->cut = next < view->size;
    if (view->cut)
        view->size = next;
    return KLV_OK;
}

/* What a whole packet is worth. The sum goes first where it can be afforded: an honest packet needs nothing else. */
static enum klv_status judge(const uint8_t *packet, size_t n, size_t limit, int flags, struct klv_search *search,
                             struct klv_view *view)
{
    const struct set *set = &klv_sets[view->set];
    size_t cost = search->walked + search->summed, size = view->size;
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
    size_t at = 0;
    for (;; at++) {
        const uint8_t *p = find_prefix(in + at, in + n);
        if (p == NULL) {
            /* A key may have begun in the last octets. */
            size_t tail = n - at < 3 ? n - at : 3;
            while (tail > 0 && memcmp(in + n - tail, UL_PREFIX, tail) != 0)
                tail--;
            view->at = n - tail;
            klv_took(search, 0, view->at);
            return KLV_MORE;
        }
        if (p > in) {
            klv_took(search, 0, (size_t)(p - in) - at);
            at = (size_t)(p - in);
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
    if (klv_next(in, n, limit, KLV_STEP | KLV_LAST, &search, &view) != KLV_OK || view.at || view.size != n || view.cut ||
        klv_is_fill(in) ||
        (klv_sets[view.set].sum && view.checksum != KLV_GOOD))
        return -1;
    return 4 * view.set + view.checksum;
}

int klv_checksum(const uint8_t *packet, size_t n)
{
    uint64_t length;
    size_t used;
    if (n < 17 || klv_ber_length(packet + 16, n - 16, &length, &used) != KLV_OK)
        return KLV_BAD;
    return checksum(&klv_sets[klv_set_of_key(packet)], packet, 16 + used, n);
}

int klv_tags(const uint8_t *packet, size_t n, uint64_t bits[3])
{
    uint64_t length, tag;
    size_t used, size;
    memset(bits, 0, 3 * sizeof *bits);
    if (n < 17 || klv_sets[klv_set_of_key(packet)].tags == 0 || klv_ber_length(packet + 16, n - 16, &length, &used) != KLV_OK)
        return 0;
    for (size_t at = 16 + used; at < n; at += size) {
        if (read_item(packet, &at, n, &tag, &size) != KLV_OK || tag >= 192)
            return 0;
        bits[tag >> 6] |= (uint64_t)1 << (tag & 63);
    }
    return 1;
}

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
        } else if (tag == set->version_tag && tag) {
            head.versioned = length > 0 && length <= 8;
            head.version = head.versioned ? be_uint(packet + at, length) : 0;
        }
        at += length;
    }
    return head;
}

int klv_time(const uint8_t *packet, size_t n, uint64_t *time_us)
{
    uint64_t length;
    size_t used;
    if (n < 17 || klv_ber_length(packet + 16, n - 16, &length, &used) != KLV_OK)
        return 0;
    const struct head head = klv_head_of(&klv_sets[klv_set_of_key(packet)], packet, 16 + used, n);
    *time_us = head.time_us;
    return head.timed;
}
