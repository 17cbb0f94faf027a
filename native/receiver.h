/* receiver.h - one datagram socket: reads what the kernel has queued, as KLV units or as bytes, in one call.
 *
 * receiver.c makes system calls, so it is not part of the pure core (rtp.h, copies.h, klv.h), which it feeds;
 * receivers.h reads many sockets. The caller owns all memory, and the socket; nothing blocks or allocates.
 */
#ifndef RECEIVER_H
#define RECEIVER_H

#include "klv.h"
#include "rtp.h"

/* cffi: begin */
enum klv_receive_flags {
    RECEIVE_RTP = 1         /* of klv_receiver_init: expect RTP; payload type 33 is MPEG-TS without a further check */
};

/* What klv_receiver_units and klv_receiver_runs read. */
enum klv_receive_mode {
    RECEIVE_ALL = 0,        /* all queued datagrams, at most RECEIVE_BUDGET */
    RECEIVE_OVERDUE = 1,    /* receive nothing; stop waiting for the RTP packet that was missing at the last call */
    RECEIVE_EXPECTED = 2    /* as many datagrams as came since the last call of this kind, at least 1; then poll to find
                             * out whether there are more */
};

/* The result of a call; a negative one is -errno of the socket. */
enum klv_receive_status {
    RECEIVE_DONE = 0,       /* nothing more for now, or the budget of the call is used up: wait until it is readable */
    RECEIVE_FULL = 1,       /* no room: take the results, then call again before any other receiver of the buffers */
    RECEIVE_NEEDS_LANE = 2, /* likewise, after klv_receiver_use_lane with a lane for what klv_receiver_ts says */
    RECEIVE_HOLDING = 4,    /* added to RECEIVE_DONE: RTP waits for a late packet; call RECEIVE_OVERDUE in 50 ms */
    RECEIVE_RESULTS = 8     /* added to RECEIVE_DONE: there are results, or RTP no longer waits */
};

enum { RECEIVE_BUDGET = 256 }; /* datagrams per call, so that a flood does not delay other sockets */

struct klv_receiver_counts {
    uint64_t size, datagrams;       /* bytes including RTP headers, and datagrams; `strangers` excluded */
    uint64_t strangers;             /* datagrams of other senders than the fixed one: ignored */
    uint64_t truncated;             /* datagrams longer than a receive buffer: their end is lost */
    uint64_t unknown;               /* neither MPEG-TS nor KLV, or of another form than the socket's */
    uint64_t udp_duplicates;        /* copies without RTP (copies.h): ignored */
    uint64_t rtp_foreign;           /* RTP of another SSRC or payload type than the one that is read: ignored */
    uint64_t rtp_lost, rtp_reordered, rtp_duplicates, rtp_restarts;
};

/* A run of payload bytes without RTP headers: an offset into the caller's pool. */
struct klv_run {
    uint32_t at, size;
    int64_t received_us;    /* arrival of its last datagram */
    int64_t pts;            /* of KLV in RTP: its time stamp, 33 bits of 90 kHz; else -1 */
    uint8_t ts, damaged;    /* MPEG-TS, or bare KLV; bytes are missing before it, or in its unit. Damaged and empty:
                             * bytes are missing here, those that follow are whole */
    uint8_t spare[6];
};

struct klv_buffers;         /* where datagrams are received: one for all sockets of a thread */
struct klv_receiver;        /* one socket */

size_t klv_buffers_size(size_t datagram);
void klv_buffers_init(struct klv_buffers *buffers, size_t datagram); /* `datagram`: maximum bytes of each */

/* `fd`: a bound, non-blocking datagram socket. `sender`: the only IPv6 address to accept (IPv4 as ::ffff:a.b.c.d), or
 * NULL. `memory`: for RTP packets that are held. 0 or -errno. */
size_t klv_receiver_size(void);
size_t klv_receiver_memory(void);
int klv_receiver_init(struct klv_receiver *rx, int fd, int flags, const uint8_t *sender, uint8_t *memory);

/* Set the lane that demultiplexes all that follows. */
void klv_receiver_use_lane(struct klv_receiver *rx, struct klv_lane *lane);
int klv_receiver_ts(const struct klv_receiver *rx);     /* 1 = MPEG-TS, 0 = bare KLV, -1 = not known yet */

/* Read the socket (`how`: enum klv_receive_mode), as KLV units through the lane or as runs of bytes. Returns enum
 * klv_receive_status. Minimum `room`: a packet of the lane, or a datagram; minimum `most`: 2. */
int klv_receiver_units(struct klv_receiver *rx, struct klv_buffers *buffers, int how, uint8_t *pool, size_t room,
                       struct klv_entry *entries, size_t most, size_t *count);
int klv_receiver_runs(struct klv_receiver *rx, struct klv_buffers *buffers, int how, uint8_t *pool, size_t room,
                      struct klv_run *runs, size_t most, size_t *count);

int klv_receiver_spent(const struct klv_receiver *rx); /* 1 = the last call used up its budget, more may wait; else 0 */
uint64_t klv_receiver_received(const struct klv_receiver *rx); /* the count of `size` alone */
void klv_receiver_counts(const struct klv_receiver *rx, struct klv_receiver_counts *counts);
int64_t klv_receiver_drops(int fd);     /* datagrams that the kernel dropped since the socket was created, or -errno */
/* cffi: end */

/* Load into the cache what each call reads of a receiver: call it shortly before that. */
void klv_receiver_prefetch(const struct klv_receiver *rx);

#endif
