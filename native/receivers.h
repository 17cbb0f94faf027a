/* receivers.h - many datagram sockets behind one epoll descriptor: all that are readable are read in one call.
 *
 * Not part of the pure core, as it makes system calls; receiver.h reads one socket. The caller owns all memory, and the
 * descriptors.
 */
#ifndef RECEIVERS_H
#define RECEIVERS_H

#include "receiver.h"

/* cffi: begin */
/* One socket of a set; its address must not change until it is removed. The caller sets the first three members. */
struct klv_slot {
    struct klv_receiver *receiver;
    uint32_t number;            /* identifies the socket in the results; not 0 */
    uint8_t units;              /* 1 = KLV units are wanted, 0 = runs of bytes */
    uint8_t spare[3];
    uint32_t round, window;     /* those of the set in which it last had data */
};

/* The results of one socket in a round: `count` of the entries, or of the runs, from `first`. */
struct klv_ready {
    uint32_t number;
    int32_t status;             /* of klv_receiver_units; RECEIVE_FULL and RECEIVE_NEEDS_LANE only of the last */
    uint32_t first, count;
};

/* Where results are written. The caller sets the memory and its sizes; each call of klv_receivers_read sets the counts.
 * `left` counts from the start of the round. */
struct klv_results {
    uint8_t *pool;
    size_t room;
    struct klv_entry *entries;
    size_t most_entries, count_entries;
    struct klv_run *runs;
    size_t most_runs, count_runs;
    struct klv_ready *ready;
    size_t most_ready, count_ready;
    uint32_t left;              /* sockets that reached the limit of one round, and may have more */
};

/* How busy the sockets were since the last call of klv_receivers_load. */
struct klv_load {
    uint64_t ready;             /* times that a socket was readable: read one by one, each is a wake-up */
    uint64_t rounds;            /* calls of klv_receivers_read that began a round */
    uint32_t busy;              /* sockets that had data */
};

enum klv_read_mode {
    READ_ALL = 0,               /* begin a round: all that is queued in each socket */
    READ_EXPECTED = 1,          /* begin a round: what is expected of each, then the rest of those that have more */
    READ_CONTINUE = 2           /* after READ_MORE: continue the same round */
};

enum klv_read_status {
    READ_DONE = 0,              /* no socket has more, or (`left`) this round has reached its limit */
    READ_MORE = 1               /* take the results, then call again to continue the round */
};

struct klv_receivers;           /* size: klv_receivers_size() */

size_t klv_receivers_size(void);
void klv_receivers_init(struct klv_receivers *set, int epoll);      /* `epoll`: a descriptor of epoll_create1 */
int klv_receivers_add(struct klv_receivers *set, int fd, struct klv_slot *slot); /* 0 or -errno */
/* At any time, also between two calls of one round. After it, `slot` and its receiver may be freed. */
int klv_receivers_remove(struct klv_receivers *set, int fd, const struct klv_slot *slot);

/* Read all readable sockets; nothing blocks. If the last result is RECEIVE_FULL or RECEIVE_NEEDS_LANE, read the rest
 * from its receiver before the next call. READ_DONE, READ_MORE, or -errno of epoll_wait. */
int klv_receivers_read(struct klv_receivers *set, struct klv_buffers *buffers, int how, struct klv_results *results);
void klv_receivers_load(struct klv_receivers *set, struct klv_load *load);

/* A descriptor that becomes readable (8 bytes) every so many microseconds, or -errno; the caller closes it. */
int klv_timer_open(int64_t us);
/* cffi: end */

#endif
