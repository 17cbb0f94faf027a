/* rtp.h - RTP in front of MPEG-TS (RFC 3550, RFC 2250) or of KLV (RFC 6597): headers off, order restored, gaps told.
 *
 * Part of the pure core: the caller owns all memory. Next door: socket.c takes the datagrams from the kernel.
 */
#ifndef RTP_H
#define RTP_H

#include <stddef.h>
#include <stdint.h>

/* cffi: begin */
enum {
    RTP_MP2T = 33,      /* the payload type that RFC 3551 gives to MPEG-TS */
    RTP_HELD = 32,      /* datagrams that are held for one that is late */
    RTP_NEAR = 128      /* a sequence number further off than this is that of a sender that began anew */
};

struct rtp_datagram {
    const uint8_t *payload;
    size_t size;
    int64_t received_us;
    uint32_t timestamp, ssrc;
    uint16_t sequence;
    uint8_t kind, marker;   /* the payload type; the marker bit */
    uint8_t gap;            /* out of an order: something is missing right before it */
};

struct rtp_counts {
    uint64_t lost;          /* sequence numbers that never came, or too late */
    uint64_t reordered;     /* that came late, but in time */
    uint64_t duplicates;    /* that came again */
    uint64_t restarts;      /* senders that began anew: another SSRC, or a sequence number far off */
};

struct rtp_order;           /* size: rtp_order_size() */

/* The parts of a datagram: 1, or 0 where it is no RTP, is RTCP, or is empty. */
int rtp_parse(const uint8_t *in, size_t n, struct rtp_datagram *datagram);

/* Datagrams in the order they were sent in. Push one, then ask for what is due until there is nothing: a payload is
 * good until the next call, and those that are held are copied to `memory`. `release`: what is held is not waited for
 * any more. */
size_t rtp_order_size(void);
void rtp_order_init(struct rtp_order *order, uint8_t *memory, size_t size);
void rtp_order_push(struct rtp_order *order, const struct rtp_datagram *datagram);
int rtp_order_next(struct rtp_order *order, struct rtp_datagram *due);
void rtp_order_release(struct rtp_order *order);
int rtp_order_waiting(const struct rtp_order *order); /* for which sequence number; -1 = for none */
void rtp_order_counts(const struct rtp_order *order, struct rtp_counts *counts);
/* cffi: end */

/* Whose packets are read, where several senders or kinds of media come to one port. */
struct rtp_identity {
    uint32_t ssrc;
    uint8_t kind, known;        /* known: MPEG-TS or KLV was seen in one of its packets */
};

struct rtp_lock {
    struct rtp_identity own;    /* read now; nobody yet unless `known` */
    struct rtp_identity former; /* read before */
    struct rtp_identity other;  /* that came instead */
    uint16_t sequence;          /* of the other's last packet */
    unsigned others;            /* packets of the other in a row */
    uint64_t steady;            /* of the own, since it is read */
    unsigned least, needed;     /* after how many it is followed: at first, and now */
};

enum rtp_verdict { RTP_OWN, RTP_FOREIGN, RTP_FOLLOWED };

void rtp_lock_init(struct rtp_lock *lock, unsigned least);

/* One packet. `far`: its number is that of another sender (rtp_order_far); `known`: MPEG-TS or KLV is seen in it.
 *
 *   nobody is read yet, and `known`     RTP_OWN       this sender is read from here on
 *   SSRC, payload type, number fit      RTP_OWN
 *   the `needed`-th of another in a row RTP_FOLLOWED  that one is read from here on, if one of these was known
 *   else                                RTP_FOREIGN
 *
 * Where two senders take turns, `needed` doubles each time that the former one is followed again within 1,024 packets,
 * up to RTP_NEAR. */
enum rtp_verdict rtp_lock_take(struct rtp_lock *lock, const struct rtp_datagram *datagram, int far, int known);

/* Is a sequence number further off than RTP_NEAR from the one that is due next? */
int rtp_order_far(const struct rtp_order *order, uint16_t sequence);

struct rtp_order {
    uint8_t *memory;
    size_t room, fill;
    struct rtp_datagram held[RTP_HELD + 1]; /* as they came */
    struct rtp_datagram begun;              /* the first of a sender that began anew */
    unsigned count;                         /* of `held` */
    uint8_t fresh;                          /* the last of `held` is the one just pushed, its bytes still the caller's */
    uint8_t started, releasing, begins, gap;
    uint16_t next;
    uint32_t ssrc;
    uint64_t given[RTP_NEAR / 64];          /* a bit for each of the last sequence numbers before `next` */
    struct rtp_counts counts;
};

#endif
