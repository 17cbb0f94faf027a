/* rtp.c - RTP in front of MPEG-TS or KLV: headers off, order restored, gaps told.
 *
 * | V=2 |P|X|  CC   |M|    PT     |        sequence number        |   RFC 3550, 5.1
 * |                           timestamp                           |
 * |           synchronization source (SSRC) identifier            |
 * |       contributing sources, CC of them; extension if X        |
 * |       payload; padding if P, its last octet says how much     |
 */
#include "rtp.h"
#include "wire.h"

enum { HEAD = 12, RTCP_FIRST = 72, RTCP_LAST = 76, STEADY = 1024 };

int rtp_parse(const uint8_t *in, size_t n, struct rtp_datagram *datagram)
{
    if (n < HEAD || in[0] >> 6 != 2)
        return 0;
    uint8_t kind = in[1] & 0x7f;
    size_t at = HEAD + 4u * (in[0] & 15), end = n;
    if (kind >= RTCP_FIRST && kind <= RTCP_LAST)
        return 0;
    if (in[0] & 0x10) {
        if (at + 4 > n)
            return 0;
        at += 4 + 4u * be16(in + at + 2);
    }
    if (in[0] & 0x20) {
        if (in[n - 1] > end - HEAD)
            return 0;
        end -= in[n - 1];
    }
    if (at >= end)
        return 0;
    *datagram = (struct rtp_datagram){.payload = in + at, .size = end - at, .received_us = -1,
                                      .timestamp = be32(in + 4), .ssrc = be32(in + 8), .sequence = be16(in + 2),
                                      .kind = kind, .marker = in[1] >> 7};
    return 1;
}

/* ---- whose packets are read ---- */

void rtp_lock_init(struct rtp_lock *lock, unsigned least)
{
    memset(lock, 0, sizeof *lock);
    lock->least = lock->needed = least;
}

static int is_restart(uint16_t ahead)
{
    return ahead > RTP_NEAR && ahead < 0x10000 - RTP_NEAR;
}

static int is_same(const struct rtp_identity *a, const struct rtp_identity *b)
{
    return a->ssrc == b->ssrc && a->kind == b->kind;
}

/* The other is read from here on. */
static void lock_follow(struct rtp_lock *lock)
{
    int again = lock->former.known && lock->steady < STEADY && is_same(&lock->other, &lock->former);
    if (!again)
        lock->needed = lock->least;
    else
        lock->needed = 2 * lock->needed < RTP_NEAR ? 2 * lock->needed : RTP_NEAR;
    lock->steady = 0;
    lock->former = lock->own;
    lock->own = lock->other;
    lock->others = 0;
}

enum rtp_verdict rtp_lock_take(struct rtp_lock *lock, const struct rtp_datagram *datagram, int far, int known)
{
    struct rtp_identity one = {.ssrc = datagram->ssrc, .kind = datagram->kind, .known = known != 0};
    if (!lock->own.known && known)
        lock->own = one;
    else if (!lock->own.known || far || !is_same(&one, &lock->own)) {
        int same = is_same(&one, &lock->other) && !is_restart((uint16_t)(datagram->sequence - lock->sequence));
        one.known |= (uint8_t)(same && lock->others && lock->other.known);
        lock->others = same && lock->others ? lock->others + 1 : 1;
        lock->other = one;
        lock->sequence = datagram->sequence;
        if (lock->others < lock->needed || !one.known)
            return RTP_FOREIGN;
        lock_follow(lock);
        return RTP_FOLLOWED;
    }
    lock->others = 0;
    lock->steady++;
    return RTP_OWN;
}

size_t rtp_order_size(void)
{
    return sizeof(struct rtp_order);
}

void rtp_order_init(struct rtp_order *order, uint8_t *memory, size_t size)
{
    memset(order, 0, sizeof *order);
    order->memory = memory;
    order->room = size;
}

void rtp_order_release(struct rtp_order *order)
{
    order->releasing = 1;
}

int rtp_order_waiting(const struct rtp_order *order)
{
    return order->count ? order->next : -1;
}

int rtp_order_far(const struct rtp_order *order, uint16_t sequence)
{
    return order->started && is_restart((uint16_t)(sequence - order->next));
}

void rtp_order_counts(const struct rtp_order *order, struct rtp_counts *counts)
{
    *counts = order->counts;
}

static uint16_t ahead_of(const struct rtp_order *order, uint16_t sequence)
{
    return (uint16_t)(sequence - order->next);
}

static int was_given(const struct rtp_order *order, uint16_t sequence)
{
    return order->given[sequence % RTP_NEAR / 64] >> sequence % 64 & 1;
}

/* The next sequence number is done with: its datagram is given out, or lost. */
static void order_step(struct rtp_order *order, int given)
{
    uint64_t bit = (uint64_t)1 << order->next % 64, *bits = &order->given[order->next % RTP_NEAR / 64];
    *bits = given ? *bits | bit : *bits & ~bit;
    order->counts.lost += !given;
    order->next++;
}

static void add(struct rtp_order *order, const struct rtp_datagram *datagram)
{
    order->held[order->count++] = *datagram;
    order->fresh = 1;
}

static void begin(struct rtp_order *order, const struct rtp_datagram *datagram)
{
    order->ssrc = datagram->ssrc;
    order->next = datagram->sequence;
    memset(order->given, 0, sizeof order->given);
    add(order, datagram);
}

void rtp_order_push(struct rtp_order *order, const struct rtp_datagram *datagram)
{
    uint16_t ahead = ahead_of(order, datagram->sequence);
    int later = 0;
    if (!order->started) {
        order->started = 1;
        begin(order, datagram);
        return;
    }
    if (datagram->ssrc != order->ssrc || is_restart(ahead)) {
        order->begun = *datagram;
        order->begins = order->releasing = 1;
        return;
    }
    if (ahead > RTP_NEAR) { /* behind; one that is counted as lost already stays so */
        order->counts.duplicates += (unsigned)was_given(order, datagram->sequence);
        return;
    }
    for (unsigned i = 0; i < order->count; i++) {
        if (order->held[i].sequence == datagram->sequence) {
            order->counts.duplicates++;
            return;
        }
        later |= ahead_of(order, order->held[i].sequence) > ahead;
    }
    order->counts.reordered += (unsigned)later;
    add(order, datagram);
}

static void order_take(struct rtp_order *order, unsigned i, struct rtp_datagram *due)
{
    *due = order->held[i];
    due->gap = order->gap;
    order->gap = 0;
    order->count--;
    memmove(order->held + i, order->held + i + 1, (order->count - i) * sizeof *order->held);
    if (i == order->count)
        order->fresh = 0;
    if (order->count == order->fresh)
        order->fill = 0; /* nothing that is held lies in `memory` */
    order_step(order, 1);
}

/* Skip what is missing before the nearest that is held. */
static void skip(struct rtp_order *order)
{
    uint16_t nearest = 0xffff;
    for (unsigned i = 0; i < order->count; i++) {
        uint16_t ahead = ahead_of(order, order->held[i].sequence);
        nearest = ahead < nearest ? ahead : nearest;
    }
    while (nearest--)
        order_step(order, 0);
    order->gap = 1;
}

/* Those that were held behind what has been given out move up: their order in `held` is that of their bytes. */
static void close_ranks(struct rtp_order *order)
{
    order->fill = 0;
    for (unsigned i = 0; i + 1 < order->count; i++) {
        struct rtp_datagram *held = &order->held[i];
        held->payload = memmove(order->memory + order->fill, held->payload, held->size);
        order->fill += held->size;
    }
}

/* The one that was pushed last has to wait: it gets a place of its own, if there is room. */
static int keep(struct rtp_order *order)
{
    struct rtp_datagram *last = &order->held[order->count - 1];
    if (last->size > order->room - order->fill)
        close_ranks(order);
    if (last->size > order->room - order->fill)
        return 0;
    last->payload = memcpy(order->memory + order->fill, last->payload, last->size);
    order->fill += last->size;
    order->fresh = 0;
    return 1;
}

int rtp_order_next(struct rtp_order *order, struct rtp_datagram *due)
{
    for (;;) {
        for (unsigned i = 0; i < order->count; i++)
            if (order->held[i].sequence == order->next) {
                order_take(order, i, due);
                return 1;
            }
        if (order->releasing && order->count) {
            skip(order);
            continue;
        }
        order->releasing = 0;
        if (order->begins) {
            order->begins = 0;
            order->gap = 1;
            order->counts.restarts++;
            begin(order, &order->begun);
        } else if (order->count > RTP_HELD || (order->fresh && !keep(order))) {
            order->releasing = 1;
        } else {
            return 0;
        }
    }
}
