/* copies.c - datagrams of MPEG-TS or bare KLV that the network delivered twice. */
#include "copies.h"
#include "klv.h"
#include "ts.h"
#include "ul.h"

#include <string.h>

enum {
    KLV_LOOKED = 16,        /* packets of a datagram that are searched for item 2 */
    LAG = 8,                /* a counter that is off by up to this is behind, else ahead: it has 16 values */
    ENOUGH = 4              /* copies in a row, at least, of a sender that repeats itself */
};

/* How old the first of two may be, in microseconds. */
static const int64_t TS_US = 2000000;       /* MPEG-TS */
static const int64_t KLV_US = 750000;       /* bare KLV */
static const int64_t UNSTAMPED_US = 10000;  /* bare KLV without a time */
static const int64_t SOON_US = 500000;      /* MPEG-TS where packets were lost; and see repeats_itself() */
static const int64_t STILL_US = 3000000;    /* bare KLV: later than that the same bytes count as new */

size_t klv_copies_size(void)
{
    return sizeof(struct copies);
}

void klv_copies_init(struct copies *copies)
{
    memset(copies, 0, sizeof *copies);
    copies->reach = COPIES_MOST;
}

/* One step of a digest: for the same word, different sums stay different, until another difference cancels that. */
static uint64_t mixed(uint64_t h, uint64_t word)
{
    h = (h ^ word) * 0xc6a4a7935bd1e995;
    return h ^ h >> 29;
}

/* Four sums side by side, since each step has to wait for the one before it. Among 64 datagrams, two of one size share
 * a digest with a probability of 2^-58. */
static uint64_t digest_of_datagram(const uint8_t *in, size_t n)
{
    uint64_t side[4] = {n, n + 1, n + 2, n + 3}, words[4] = {0};
    for (; n >= sizeof words; in += sizeof words, n -= sizeof words) {
        memcpy(words, in, sizeof words);
        for (unsigned i = 0; i < 4; i++)
            side[i] = mixed(side[i], words[i]);
    }
    memset(words, 0, sizeof words);
    memcpy(words, in, n);
    uint64_t h = 0;
    for (unsigned i = 0; i < 4; i++)
        h = mixed(h, mixed(side[i], words[i]));
    return mixed(h, 0);
}

/* ---- MPEG-TS ---- */

/* The TS packets of a datagram, one after the other. */
struct packets {
    const uint8_t *in;
    size_t at, n, stride;
};

/* The first sync byte may be anywhere in the first packet: a datagram may begin inside one. */
static struct packets packets_of(const uint8_t *in, size_t n)
{
    struct packets walk = {.in = in, .n = n, .stride = TS_SIZE};
    while (walk.at < TS_STRIDE_MOST && !ts_is_sync(in + walk.at, n - walk.at) && walk.at + TS_SIZE < n)
        walk.at++;
    for (size_t i = 3; i--;)
        if (walk.at + TS_STRIDES[i] < n && in[walk.at + TS_STRIDES[i]] == TS_SYNC)
            walk.stride = TS_STRIDES[i];
    return walk;
}

/* The next packet that is not a null packet, or NULL. */
static const uint8_t *next_of(struct packets *walk)
{
    while (walk->at + TS_SIZE <= walk->n && walk->in[walk->at] == TS_SYNC) {
        const uint8_t *p = walk->in + walk->at;
        walk->at += walk->stride;
        if (ts_pid(p) != TS_NULL_PID)
            return p;
    }
    return NULL;
}

/* Has the first KLV packet that begins in in[0..n) a time stamp? */
static int holds_time(const uint8_t *in, size_t n)
{
    uint64_t time_us;
    for (; n > UL_SIZE; in++, n--)
        if (memcmp(in, UL_PREFIX, sizeof UL_PREFIX) == 0)
            return klv_time(in, n, &time_us);
    return 0;
}

/* Is there a PCR, the PTS of a PES packet, or item 2 of its KLV in a TS packet (ts.h)? */
static int is_stamped(const uint8_t *p)
{
    size_t at = ts_payload_at(p);
    if (ts_has_field(p) && p[4] >= 7 && (p[5] & 0x10)) /* PCR_flag, and room for a PCR */
        return 1;
    if (!ts_begins_unit(p) || at + 9 > TS_SIZE || p[at] || p[at + 1] || p[at + 2] != 1) /* no PES packet: 00 00 01 */
        return 0;
    return (p[at + 6] >> 6 == 2 && (p[at + 7] & 0x80)) || /* '10' of its optional header, PTS_DTS_flags */
           holds_time(p + at, TS_SIZE - at);
}

/* May the sender have sent a datagram twice whose bytes came `age` microseconds before? */
static int is_repeated_ts(const struct copies *copies, const uint8_t *in, size_t n, int64_t age)
{
    uint8_t judged[TS_NULL_PID / 8 + 1] = {0};
    struct packets walk = packets_of(in, n);
    const uint8_t *p;
    int late = 0;
    while ((p = next_of(&walk))) {
        unsigned pid = ts_pid(p), due = copies->due[pid], lag = (due - ts_counter(p)) & 15;
        if (is_stamped(p))
            return 0;
        if (!ts_has_payload(p) || !due || (judged[pid / 8] >> pid % 8 & 1))
            continue;
        judged[pid / 8] |= (uint8_t)(1u << pid % 8); /* the others of the PID follow the first */
        if (lag && lag <= LAG)
            return 0;
        late |= lag != 0; /* packets were lost, or repeated long ago */
    }
    return !late || age > SOON_US;
}

static void note_counters(struct copies *copies, const uint8_t *in, size_t n)
{
    struct packets walk = packets_of(in, n);
    const uint8_t *p;
    while ((p = next_of(&walk)))
        if (ts_has_payload(p))
            copies->due[ts_pid(p)] = (uint8_t)(16 | ((ts_counter(p) + 1) & 15));
}

/* ---- bare KLV ---- */

/* Has one of the first packets of a datagram a time stamp? */
static int is_timed(const uint8_t *in, size_t n)
{
    uint64_t time_us, length;
    size_t used;
    for (unsigned i = 0; i < KLV_LOOKED && n > UL_SIZE; i++) {
        if (klv_time(in, n, &time_us))
            return 1;
        if (klv_ber_length(in + UL_SIZE, n - UL_SIZE, &length, &used) != KLV_OK || length > n - UL_SIZE - used)
            return 0;
        in += UL_SIZE + used + (size_t)length;
        n -= UL_SIZE + used + (size_t)length;
    }
    return 0;
}

/* The same of bare KLV. */
static int is_repeated_klv(const uint8_t *in, size_t n, int64_t age)
{
    if (n < sizeof UL_PREFIX || memcmp(in, UL_PREFIX, sizeof UL_PREFIX) != 0) /* a part of a packet */
        return n < 2 || memcmp(in, in + 1, n - 1) == 0;                       /* all bytes equal: padding */
    return age > UNSTAMPED_US && !is_timed(in, n);
}

/* ---- both ---- */

/* The last with the same bytes, or NULL. */
static struct datagram_seen *same_as(struct copies *copies, const struct datagram_seen *one)
{
    uint32_t tag = (uint32_t)one->digest, alike = 0;
    for (unsigned i = 0; i < COPIES_MOST; i++) /* all of them, so that several are compared at once */
        alike |= copies->tags[i] == tag;
    if (!alike)
        return NULL;
    for (unsigned back = 1; back <= copies->count; back++) {
        struct datagram_seen *seen = &copies->seen[(copies->at - back) % COPIES_MOST];
        if (seen->digest == one->digest && seen->size == one->size)
            return seen;
    }
    return NULL;
}

static void remember(struct copies *copies, int ts, const uint8_t *in, size_t n, const struct datagram_seen *one)
{
    copies->tags[copies->at % COPIES_MOST] = (uint32_t)one->digest;
    copies->seen[copies->at++ % COPIES_MOST] = *one;
    copies->count += copies->count < COPIES_MOST;
    if (ts)
        note_counters(copies, in, n);
}

/* Does the sender itself repeat its data? Then nothing new has come for a while. */
static int repeats_itself(const struct copies *copies, int64_t received_us)
{
    return copies->run >= COPIES_MOST || (copies->run >= ENOUGH && received_us - copies->fresh_us >= SOON_US);
}

static void note_new(struct copies *copies, int64_t received_us)
{
    copies->run = 0;
    copies->fresh_us = received_us;
    if (++copies->fresh >= COPIES_MOST)
        copies->reach = COPIES_MOST;
}

/* The verdict on a datagram, 1 = a copy, which the counts of new ones and of copies take in. */
static int judge_datagram(struct copies *copies, int ts, const uint8_t *in, size_t n, const struct datagram_seen *one)
{
    struct datagram_seen *first = same_as(copies, one);
    int64_t age = first ? one->received_us - first->received_us : 0;
    if (!first || age > (ts ? TS_US : KLV_US)) {
        /* A set that does not change, its time included, does not become new each time that KLV_US have passed. */
        if (!first || ts || age > STILL_US)
            note_new(copies, one->received_us);
        return 0;
    }
    uint64_t back = one->number - first->number;
    copies->fresh = 0;
    first->number = one->number;
    if (back > copies->reach || (ts ? is_repeated_ts(copies, in, n, age) : is_repeated_klv(in, n, age)))
        return 0;
    if (repeats_itself(copies, one->received_us)) {
        copies->reach = back - 1; /* from now on only what comes sooner than this repetition is a copy */
        copies->run = 0;
        return 0;
    }
    copies->run++;
    return 1;
}

int klv_copies_take(struct copies *copies, int ts, const uint8_t *in, size_t n, int64_t received_us)
{
    struct packets walk = packets_of(in, n);
    if (ts && !next_of(&walk))
        return 0;
    struct datagram_seen one = {.digest = digest_of_datagram(in, n), .number = ++copies->number, .size = n,
                                .received_us = received_us};
    if (judge_datagram(copies, ts, in, n, &one))
        return 1;
    remember(copies, ts, in, n, &one);
    return 0;
}
