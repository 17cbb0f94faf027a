/* rtp.h - RTP in front of MPEG-TS (RFC 3550, RFC 2250) or of KLV (RFC 6597): headers removed, order restored, gaps
 * reported.
 *
 * Part of the pure core: the caller owns all memory. receiver.c receives the datagrams.
 */
#ifndef RTP_H
#define RTP_H

#include <stddef.h>
#include <stdint.h>

/* cffi: begin */
enum {
    RTP_MP2T = 33,      /* the payload type of MPEG-TS (RFC 3551) */
    RTP_HELD = 32,      /* maximum datagrams held while one is late */
    RTP_NEAR = 128      /* a sequence number further from the one that is due means that the sender restarted */
};

struct rtp_datagram {
    const uint8_t *payload;
    size_t size;
    int64_t received_us;    /* when it arrived, since 1970; set by the caller, -1 = not known */
    uint32_t timestamp, ssrc;
    uint16_t sequence;
    uint8_t kind;           /* the payload type */
    uint8_t marker;         /* 0 or 1 */
    uint8_t gap;            /* set by rtp_order_next: 1 = the packet sent before it is missing, else 0 */
};

struct rtp_counts {
    uint64_t lost;          /* sequence numbers that did not come, or came too late */
    uint64_t reordered;     /* datagrams that came late, but in time */
    uint64_t duplicates;    /* that came again */
    uint64_t restarts;      /* senders that restarted: another SSRC, or a sequence number far off */
};

struct rtp_order;           /* size: rtp_order_size() */

/* The parts of a datagram: 1, or 0 where it is not RTP, is RTCP, or is empty. */
int rtp_parse(const uint8_t *in, size_t n, struct rtp_datagram *datagram);

/* Datagrams in the order in which they were sent. Push one, then call rtp_order_next until it is 0: a payload is valid
 * until the next call, and held ones are copied to `memory`, of `size` bytes. rtp_order_release: deliver what is held
 * without waiting for what is missing. */
size_t rtp_order_size(void);
void rtp_order_init(struct rtp_order *order, uint8_t *memory, size_t size);
void rtp_order_push(struct rtp_order *order, const struct rtp_datagram *datagram);
int rtp_order_next(struct rtp_order *order, struct rtp_datagram *due);
void rtp_order_release(struct rtp_order *order);
int rtp_order_waiting(const struct rtp_order *order); /* the sequence number that is waited for; -1 = none */
void rtp_order_counts(const struct rtp_order *order, struct rtp_counts *counts);
/* cffi: end */

/* The sender whose packets are read, if several senders or media types share a port. */
struct rtp_identity {
    uint32_t ssrc;
    uint8_t kind;               /* payload type */
    uint8_t known;              /* MPEG-TS or KLV was seen in one of its packets */
};

struct rtp_lock {
    struct rtp_identity own;    /* the sender that is followed; none yet where it is not `known` */
    struct rtp_identity former; /* the one before it; none where it is not `known` */
    struct rtp_identity other;  /* the sender of the last packets that are not its own, where `others` is not 0 */
    uint16_t sequence;          /* of the last packet of `other` */
    unsigned others;            /* packets of `other` in a row */
    uint64_t steady;            /* packets of `own` since it is followed */
    unsigned least, needed;     /* packets in a row after which the other is followed: at first, and now */
};

enum rtp_verdict { RTP_OWN, RTP_FOREIGN, RTP_FOLLOWED };

void rtp_lock_init(struct rtp_lock *lock, unsigned least);

/* One packet. `far`: its number is that of another sender (rtp_order_far); `known`: MPEG-TS or KLV is seen in it.
 *
 *   no sender is followed yet, and `known`      RTP_OWN       this one is followed from here on
 *   SSRC, payload type, number of that sender   RTP_OWN
 *   the `needed`-th of another in a row         RTP_FOLLOWED  that one is followed, if one of these was known
 *   else                                        RTP_FOREIGN
 *
 * Where two senders alternate, `needed` doubles each time that the former one is followed again within 1,024 packets,
 * up to RTP_NEAR. */
enum rtp_verdict rtp_lock_take(struct rtp_lock *lock, const struct rtp_datagram *datagram, int far, int known);

/* Is a sequence number further off than RTP_NEAR from the one that is due next? */
int rtp_order_far(const struct rtp_order *order, uint16_t sequence);

struct rtp_order {
    uint8_t *memory;
    size_t room, fill;                      /* its size; bytes of it in use */
    struct rtp_datagram held[RTP_HELD + 1]; /* in the order of their arrival */
    struct rtp_datagram begun;              /* where `begins`: the first of a sender that restarted */
    unsigned count;                         /* of `held` */
    uint8_t fresh;                          /* the last of `held` was just pushed, its bytes are still the caller's */
    uint8_t started;                        /* a datagram was pushed: `next` and `ssrc` hold */
    uint8_t releasing;                      /* do not wait for missing datagrams */
    uint8_t begins;                         /* once nothing is held, continue with `begun` */
    uint8_t gap;                            /* datagrams before the next one to be delivered are missing */
    uint16_t next;                          /* the sequence number that is due */
    uint32_t ssrc;
    uint64_t delivered[RTP_NEAR / 64];      /* a bit for each of the last sequence numbers before `next`: delivered */
    struct rtp_counts counts;
};

#endif
