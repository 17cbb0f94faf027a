/* hub.h - many datagram sockets behind one epoll descriptor: all that have something are read in one call.
 *
 * Part of what stands beside the pure core: socket.h reads one socket. The caller owns all memory, and the descriptors.
 */
#ifndef HUB_H
#define HUB_H

#include "socket.h"

/* cffi: begin */
/* One socket of a hub; it stays where it is until it is removed. The caller sets the first three. */
struct klv_slot {
    struct klv_inlet *inlet;
    uint32_t number;            /* the caller's own, not 0: what it knows the results by */
    uint8_t units;              /* 1 = KLV units are wanted, 0 = runs of bytes */
    uint8_t spare[3];
    uint32_t look, window;      /* those of the hub in which it had something last */
};

/* What one socket gave in a look: `count` of the entries, or of the runs, from the `first` on. */
struct klv_ready {
    uint32_t number;
    int32_t status;             /* as of klv_inlet_units; INLET_FULL and INLET_LANE only of the last in the list */
    uint32_t first, count;
};

/* Where results go. The caller gives the memory and its sizes; each call of klv_hub_look sets the counts;
 * `left` is that of the whole look so far. */
struct klv_results {
    uint8_t *pool;
    size_t room;
    struct klv_entry *entries;
    size_t most_entries, count_entries;
    struct klv_run *runs;
    size_t most_runs, count_runs;
    struct klv_ready *ready;
    size_t most_ready, count_ready;
    uint32_t left;              /* sockets that gave all that a look takes of one, and may have more */
};

/* How busy the sockets were since the last call of klv_hub_load. */
struct klv_load {
    uint64_t ready;             /* times that a look found a socket ready: read one by one, each is a wake-up */
    uint64_t looks;             /* calls of klv_hub_look that began a look */
    uint32_t busy;              /* sockets that had something */
};

enum klv_hub_how {
    HUB_ALL = 0,                /* a look begins: all that waits in each socket */
    HUB_EXPECTED = 1,           /* a look begins: what is expected of each, then the rest of those that have more */
    HUB_GO_ON = 2               /* behind HUB_MORE: the same look goes on */
};

enum klv_hub_status {
    HUB_DONE = 0,               /* no socket has more, or (`left`) this look has taken its share */
    HUB_MORE = 1                /* take the results, then call again to go on with the look */
};

struct klv_hub;                 /* size: klv_hub_size() */

size_t klv_hub_size(void);
void klv_hub_init(struct klv_hub *hub, int epoll);      /* `epoll`: a descriptor of epoll_create1 */
int klv_hub_add(struct klv_hub *hub, int fd, struct klv_slot *slot); /* 0 or -errno */
/* At any time, also between two calls of one look; then `slot` and its inlet may be freed. */
int klv_hub_remove(struct klv_hub *hub, int fd, const struct klv_slot *slot);

/* Read all sockets that have something; nothing blocks. Where the last of the results is INLET_FULL or INLET_LANE, its
 * inlet is to be asked for the rest before the next call. HUB_DONE, HUB_MORE, or -errno of epoll_wait. */
int klv_hub_look(struct klv_hub *hub, struct klv_basin *basin, int how, struct klv_results *results);
void klv_hub_load(struct klv_hub *hub, struct klv_load *load);

/* A descriptor that is readable (8 bytes) once in so many microseconds, or -errno; the caller closes it. */
int klv_hub_timer(int64_t us);
/* cffi: end */

#endif
