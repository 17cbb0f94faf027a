/* rtp.c - RTP in front of MPEG-TS or KLV: headers removed, order restored, gaps reported.
 *
 *   bit  0 1   2   3   4 .. 7   8   9 .. 15   16 .. 31               RFC 3550, 5.1
 *      +-----+---+---+--------+---+---------+----------------------+
 *      | V=2 | P | X | CC     | M | PT      | sequence number      |   bytes 0 .. 3
 *      +-----+---+---+--------+---+---------+----------------------+
 *      | timestamp                                                 |         4 .. 7
 *      +-----------------------------------------------------------+
 *      | SSRC                                                      |         8 .. 11
 *      +-----------------------------------------------------------+
 *      | contributing sources, CC x 4 bytes                        |
 *      +--------------------------------+--------------------------+
 *      | defined by the profile, 16     | length in words of 4     |   if X (5.3.1): then that many words
 *      +--------------------------------+--------------------------+
 *      | payload                                                   |
 *      +-----------------------------------------------------------+
 *      | padding, its last byte is how many bytes it has           |   if P
 *      +-----------------------------------------------------------+
 *
 *   PT         payload type: 33 MPEG-TS (RFC 3551), others as the session says; 72 to 76 are RTCP packets, whose second
 *              byte is 200 to 204
 *   timestamp  of MPEG-TS 90 kHz (RFC 2250, 2); of KLV as the session says
 *   M          of KLV: the last packet of a unit, all of which have the same timestamp (RFC 6597, 4.1)
 *   payload    of MPEG-TS whole TS packets (RFC 2250, 2); of KLV bytes of a unit, no header in front (RFC 6597)
 */
#include "rtp.h"
#include "primitives.h"

enum {
    HEAD = 12,          /* bytes up to the contributing sources */
    RTCP_FIRST = 72,    /* payload types */
    RTCP_LAST = 76,
    STEADY = 1024       /* a sender that is followed for so many packets does not alternate with another */
};

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
        if (in[n - 1] > end - HEAD) /* more padding than there are bytes */
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

/* ---- whose packets are read: the states are in rtp.h ---- */

void rtp_lock_init(struct rtp_lock *lock, unsigned least)
{
    memset(lock, 0, sizeof *lock);
    lock->least = lock->needed = least;
}

/* `ahead`: a sequence number less the one that is due, modulo 2^16. Is it further than RTP_NEAR, before or behind? */
static int is_restart(uint16_t ahead)
{
    return ahead > RTP_NEAR && ahead < 0x10000 - RTP_NEAR;
}

static int is_same(const struct rtp_identity *a, const struct rtp_identity *b)
{
    return a->ssrc == b->ssrc && a->kind == b->kind;
}

/* Follow the other sender from here on. If it was followed before, and the one in between for less than STEADY packets,
 * two senders alternate: the next change then needs twice as many packets in a row. */
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
    if (!lock->own.known && known) /* the first */
        lock->own = one;
    else if (!lock->own.known || far || !is_same(&one, &lock->own)) {
        /* Packets of the same other sender in a row: known, if one of them was. */
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

/* ---- order ----
 *
 *   held[0 .. count)   datagrams that wait, in the order of their arrival; the last one's payload may still be where
 *                      the caller has it (`fresh`), those of the others are in `memory`, in a row up to `fill`
 *   next               the sequence number that is due: the first that was neither delivered nor counted as lost
 */

/* How far a sequence number is from the one that is due: small = in the future, above 2^15 = in the past. */
static uint16_t ahead_of(const struct rtp_order *order, uint16_t sequence)
{
    return (uint16_t)(sequence - order->next);
}

static int was_given(const struct rtp_order *order, uint16_t sequence)
{
    return order->delivered[sequence % RTP_NEAR / 64] >> sequence % 64 & 1;
}

/* Advance to the next sequence number: the datagram of this one is delivered, or it is counted as lost. */
static void order_step(struct rtp_order *order, int delivered)
{
    uint64_t bit = (uint64_t)1 << order->next % 64, *bits = &order->delivered[order->next % RTP_NEAR / 64];
    *bits = delivered ? *bits | bit : *bits & ~bit;
    order->counts.lost += !delivered;
    order->next++;
}

static void add(struct rtp_order *order, const struct rtp_datagram *datagram)
{
    order->held[order->count++] = *datagram;
    order->fresh = 1;
}

/* The first datagram of a sender. */
static void begin(struct rtp_order *order, const struct rtp_datagram *datagram)
{
    order->ssrc = datagram->ssrc;
    order->next = datagram->sequence;
    memset(order->delivered, 0, sizeof order->delivered);
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
        /* Another sender: the held datagrams come first, without further waiting. */
        order->begun = *datagram;
        order->begins = order->releasing = 1;
        return;
    }
    if (ahead > RTP_NEAR) { /* in the past: delivered already, or too late, and counted as lost */
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

/* Delivers held[i]. */
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
        order->fill = 0; /* no held datagram is in `memory` */
    order_step(order, 1);
}

/* All that is missing before the nearest held datagram is lost. */
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

/* Moves the payloads in `memory` together, over those that were delivered. They are in the order of `held`, so
 * that none is overwritten before it has moved. */
static void close_gaps(struct rtp_order *order)
{
    order->fill = 0;
    for (unsigned i = 0; i + 1 < order->count; i++) {
        struct rtp_datagram *held = &order->held[i];
        held->payload = memmove(order->memory + order->fill, held->payload, held->size);
        order->fill += held->size;
    }
}

/* The datagram that was pushed last must wait: copy its payload to `memory`; 0 = it does not fit. */
static int keep(struct rtp_order *order)
{
    struct rtp_datagram *last = &order->held[order->count - 1];
    if (last->size > order->room - order->fill)
        close_gaps(order);
    if (last->size > order->room - order->fill)
        return 0;
    last->payload = memcpy(order->memory + order->fill, last->payload, last->size);
    order->fill += last->size;
    order->fresh = 0;
    return 1;
}

/* In this order: the datagram that is due; after a release, the nearest held one; then the first of another sender.
 * Held datagrams are released if there are too many, or no memory for one more. */
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
