/* socket.h - one datagram socket: what the kernel holds for it, as finished KLV units or as bytes, in one call.
 *
 * socket.c calls the system, and stands beside the pure core, which it feeds (rtp.h, copies.h, klv.h); hub.h reads many
 * sockets. The caller owns all memory here too, and the socket; nothing blocks or allocates.
 */
#ifndef SOCKET_H
#define SOCKET_H

#include "klv.h"
#include "rtp.h"

/* cffi: begin */
enum klv_inlet_flags {
    INLET_RTP = 1           /* of klv_inlet_init: RTP is expected, so payload type 33 is MPEG-TS without a look at it */
};

/* What klv_inlet_units and klv_inlet_runs are to take. */
enum klv_inlet_how {
    INLET_ALL = 0,          /* all that waits, at most INLET_BUDGET datagrams */
    INLET_OVERDUE = 1,      /* receive nothing; what RTP was held for at the last call is not waited for any more */
    INLET_EXPECTED = 2      /* as many datagrams as came since the last call of this kind, at least 1: epoll is to be
                             * asked whether there are more */
};

/* What a call gives; a negative one is -errno, of the socket. */
enum klv_inlet_status {
    INLET_DRY = 0,          /* nothing more for now, or the call's budget is used: wait until the socket is ready */
    INLET_FULL = 1,         /* no room: take what was written, call again before any other inlet of the basin */
    INLET_LANE = 2,         /* likewise, once klv_inlet_lane has given a lane of the kind that klv_inlet_ts says */
    INLET_HOLDS = 4,        /* added to INLET_DRY: RTP is held for one that is late; call INLET_OVERDUE in 50 ms */
    INLET_NEWS = 8          /* added to INLET_DRY: there are results, or RTP is not held any more */
};

enum { INLET_BUDGET = 256 }; /* datagrams that a call takes at most, so that a flood holds up no other socket */

struct klv_inlet_counts {
    uint64_t size, datagrams;       /* bytes, RTP's headers included, and datagrams; `strangers` not included */
    uint64_t strangers;             /* datagrams of other senders than the fixed one: left out */
    uint64_t truncated;             /* that were longer than the basin's places: their end is lost */
    uint64_t unknown;               /* neither MPEG-TS nor KLV, or of another form than the socket's */
    uint64_t udp_duplicates;        /* without RTP, copies (copies.h): left out */
    uint64_t rtp_foreign;           /* RTP of another SSRC or payload type than the one that is read: left out */
    uint64_t rtp_lost, rtp_reordered, rtp_duplicates, rtp_restarts;
};

/* A run of payload bytes, RTP's headers off: an offset into the caller's pool. */
struct klv_run {
    uint32_t at, size;
    int64_t received_us;    /* when its last datagram arrived */
    int64_t pts;            /* of KLV in RTP: its time stamp, 33 bits of 90 kHz; else -1 */
    uint8_t ts, damaged;    /* MPEG-TS, or bare KLV; bytes are missing before it, or in its unit. No bytes, but damaged:
                             * some are missing here, what comes behind them is whole */
    uint8_t spare[6];
};

struct klv_basin;           /* where datagrams are received: one for all sockets of a thread */
struct klv_inlet;           /* one socket */

size_t klv_basin_size(size_t datagram);
void klv_basin_init(struct klv_basin *basin, size_t datagram); /* of at most so many bytes each */

/* `fd`: a bound, non-blocking datagram socket. `sender`: an IPv6 address (an IPv4 one as ::ffff:a.b.c.d) that all
 * must come from, or NULL. `memory`: for RTP that is held. 0 or -errno. */
size_t klv_inlet_size(void);
size_t klv_inlet_memory(void);
int klv_inlet_init(struct klv_inlet *inlet, int fd, int flags, const uint8_t *sender, uint8_t *memory);

/* The lane that demultiplexes what comes from here on. */
void klv_inlet_lane(struct klv_inlet *inlet, struct klv_lane *lane);
int klv_inlet_ts(const struct klv_inlet *inlet);     /* 1 = MPEG-TS, 0 = bare KLV, -1 = not known yet */

/* What waits in the socket (`how`: enum klv_inlet_how), as KLV units through the lane or as runs of bytes; enum
 * klv_inlet_status. At least: `room` for a packet of the lane, or a datagram; `most` 2. */
int klv_inlet_units(struct klv_inlet *inlet, struct klv_basin *basin, int how, uint8_t *pool, size_t room,
                    struct klv_entry *entries, size_t most, size_t *count);
int klv_inlet_runs(struct klv_inlet *inlet, struct klv_basin *basin, int how, uint8_t *pool, size_t room,
                   struct klv_run *runs, size_t most, size_t *count);

int klv_inlet_spent(const struct klv_inlet *inlet); /* 1 = the last call used up its budget, more may wait; else 0 */
uint64_t klv_inlet_received(const struct klv_inlet *inlet); /* the count of `size` alone */
void klv_inlet_counts(const struct klv_inlet *inlet, struct klv_inlet_counts *counts);
int64_t klv_inlet_drops(int fd);    /* datagrams that the kernel dropped since the socket was made, or -errno */
/* cffi: end */

/* It is read soon: bring what each call reads of it into the cache. */
void klv_inlet_prefetch(const struct klv_inlet *inlet);

#endif
