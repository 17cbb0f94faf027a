/* hub.c - many datagram sockets behind one epoll descriptor: all that have something are read in one call.
 *
 *   klv_hub_look
 *     epoll_wait -> sockets that have something -> klv_inlet_units, klv_inlet_runs of each    first pass
 *     epoll_wait -> those that have more than was expected -> the same                       second pass
 *
 * That is HUB_EXPECTED; HUB_ALL has one pass, in which each socket gives all that it has.
 *
 * In the first of two passes each socket is asked for as many datagrams as it had the last time. That saves the attempt
 * to receive one more, which finds nothing: a seventh of the cost of receiving a single datagram. The second epoll_wait
 * says for all sockets at once which have more; it costs little, since the kernel polls each socket that it named
 * before, then or at the next look.
 *
 * epoll is level-triggered: what a look leaves behind (a flood, or datagrams that arrived meanwhile) makes the
 * descriptor readable again, and sockets that it has named go to the end of the kernel's list. So no socket starves
 * another one.
 */
#define _GNU_SOURCE
#include "hub.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { EVENTS = 256 }; /* sockets that one epoll_wait names */

struct klv_hub {
    int epoll;
    unsigned got, at;           /* of `events`: how many there are, the next one to serve */
    unsigned passes;            /* calls of epoll_wait that this look has left */
    int how;                    /* of this look */
    uint32_t sockets, look, window;
    struct klv_load load;
    struct epoll_event events[EVENTS];
};

size_t klv_hub_size(void)
{
    return sizeof(struct klv_hub);
}

void klv_hub_init(struct klv_hub *hub, int epoll)
{
    memset(hub, 0, sizeof *hub);
    hub->epoll = epoll;
    hub->look = hub->window = 1; /* a slot that had nothing yet has 0 */
}

int klv_hub_add(struct klv_hub *hub, int fd, struct klv_slot *slot)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = slot};
    slot->look = slot->window = 0;
    if (epoll_ctl(hub->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        return -errno;
    hub->sockets++;
    return 0;
}

int klv_hub_remove(struct klv_hub *hub, int fd, const struct klv_slot *slot)
{
    for (unsigned i = hub->at; i < hub->got; i++) /* between HUB_MORE and HUB_GO_ON it may still be to be served */
        if (hub->events[i].data.ptr == slot)
            hub->events[i].data.ptr = NULL;
    hub->sockets--;
    return epoll_ctl(hub->epoll, EPOLL_CTL_DEL, fd, NULL) < 0 ? -errno : 0;
}

void klv_hub_load(struct klv_hub *hub, struct klv_load *load)
{
    *load = hub->load;
    memset(&hub->load, 0, sizeof hub->load);
    hub->window++;
}

static void count_ready(struct klv_hub *hub, struct klv_slot *slot)
{
    hub->load.ready++;
    hub->load.busy += slot->window != hub->window;
    slot->window = hub->window;
    slot->look = hub->look;
}

/* Read one socket; its results go behind those of the sockets before it, whose bytes end at `fill`. */
static int serve(struct klv_hub *hub, struct klv_basin *basin, struct klv_slot *slot, struct klv_results *r,
                 size_t *fill)
{
    int second = slot->look == hub->look, status;
    int how = hub->how == HUB_EXPECTED && !second ? INLET_EXPECTED : INLET_ALL;
    size_t first = slot->units ? r->count_entries : r->count_runs, count = 0, end = *fill;
    if (!second)
        count_ready(hub, slot);
    if (slot->units) {
        struct klv_entry *entries = r->entries + first;
        status = klv_inlet_units(slot->inlet, basin, how, r->pool + *fill, r->room - *fill, entries,
                                 r->most_entries - first, &count);
        for (size_t i = 0; i < count; i++) {
            entries[i].at += (uint32_t)*fill;
            end = entries[i].at + entries[i].size;
        }
        r->count_entries += count;
    } else {
        struct klv_run *runs = r->runs + first;
        status = klv_inlet_runs(slot->inlet, basin, how, r->pool + *fill, r->room - *fill, runs, r->most_runs - first,
                                &count);
        for (size_t i = 0; i < count; i++) {
            runs[i].at += (uint32_t)*fill;
            end = runs[i].at + runs[i].size;
        }
        r->count_runs += count;
    }
    *fill = end;
    if (how == INLET_ALL) /* where less was expected the second pass takes the rest */
        r->left += status == INLET_FULL || status == INLET_LANE || klv_inlet_spent(slot->inlet);
    if (status != INLET_DRY) /* most datagrams hold video only, and give nothing */
        r->ready[r->count_ready++] = (struct klv_ready){.number = slot->number, .status = status,
                                                        .first = (uint32_t)first, .count = (uint32_t)count};
    return status;
}

/* Name the next sockets that have something: how many, or -errno. */
static int name_ready(struct klv_hub *hub)
{
    hub->at = hub->got = 0;
    if (!hub->passes)
        return 0;
    hub->passes--;
    int got = epoll_wait(hub->epoll, hub->events, EVENTS, 0);
    if (got < 0)
        return errno == EINTR ? 0 : -errno;
    hub->got = (unsigned)got;
    return got;
}

/* The next socket to serve comes into the cache while this one is read. */
static void prefetch_next(const struct klv_hub *hub)
{
    const struct klv_slot *next = hub->at < hub->got ? hub->events[hub->at].data.ptr : NULL;
    if (next)
        klv_inlet_prefetch(next->inlet);
}

int klv_hub_look(struct klv_hub *hub, struct klv_basin *basin, int how, struct klv_results *results)
{
    size_t fill = 0;
    results->count_entries = results->count_runs = results->count_ready = 0;
    if (how != HUB_GO_ON) {
        hub->how = how;
        hub->got = hub->at = 0;
        hub->passes = (how == HUB_EXPECTED ? 2 : 1) + hub->sockets / EVENTS;
        hub->look++;
        hub->load.looks++;
        results->left = 0;
    }
    for (;;) {
        if (hub->at == hub->got) {
            int got = name_ready(hub);
            if (got <= 0)
                return got < 0 ? got : HUB_DONE;
        }
        if (results->count_ready == results->most_ready)
            return HUB_MORE;
        struct klv_slot *slot = hub->events[hub->at++].data.ptr;
        if (!slot)
            continue;
        prefetch_next(hub);
        int status = serve(hub, basin, slot, results, &fill);
        if (status == INLET_FULL || status == INLET_LANE) /* its datagrams are still in the basin */
            return HUB_MORE;
    }
}

int klv_hub_timer(int64_t us)
{
    struct timespec step = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    struct itimerspec every = {.it_interval = step, .it_value = step};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd >= 0 && timerfd_settime(fd, 0, &every, NULL) < 0) {
        int fault = -errno;
        close(fd);
        return fault;
    }
    return fd < 0 ? -errno : fd;
}
