/* receivers.c - many datagram sockets behind one epoll descriptor: all that are readable are read in one call.
 *
 *   klv_receivers_read
 *     first pass    epoll_wait -> readable sockets -> klv_receiver_units or klv_receiver_runs of each
 *     second pass   epoll_wait -> sockets with more than expected -> the same
 *
 * This is READ_EXPECTED; READ_ALL has one pass, which reads all that each socket has.
 *
 * The first of two passes reads as many datagrams from each socket as it had the last time. This saves the attempt to
 * receive one more, which finds nothing: a seventh of the cost of receiving a single datagram. The second epoll_wait
 * finds all sockets that have more. It costs little, since the kernel polls each socket that it reported before, now or
 * in the next round.
 *
 * epoll is level-triggered: what a round leaves behind (a flood, or datagrams that arrived meanwhile) makes the
 * descriptor readable again, and sockets that were reported go to the end of the kernel's list. So no socket starves
 * another one.
 */
#define _GNU_SOURCE
#include "receivers.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { EVENTS = 256 }; /* sockets that one epoll_wait reports */

struct klv_receivers {
    int epoll;
    unsigned got, at;           /* of `events`: number, and the next one to read */
    unsigned passes;            /* calls of epoll_wait left in this round */
    int how;                    /* of this round */
    uint32_t sockets, round, window;
    struct klv_load load;
    struct epoll_event events[EVENTS];
};

size_t klv_receivers_size(void)
{
    return sizeof(struct klv_receivers);
}

void klv_receivers_init(struct klv_receivers *set, int epoll)
{
    memset(set, 0, sizeof *set);
    set->epoll = epoll;
    set->round = set->window = 1; /* a slot that had no data yet has 0 */
}

int klv_receivers_add(struct klv_receivers *set, int fd, struct klv_slot *slot)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = slot};
    slot->round = slot->window = 0;
    if (epoll_ctl(set->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        return -errno;
    set->sockets++;
    return 0;
}

int klv_receivers_remove(struct klv_receivers *set, int fd, const struct klv_slot *slot)
{
    for (unsigned i = set->at; i < set->got; i++) /* after READ_MORE it may still be due */
        if (set->events[i].data.ptr == slot)
            set->events[i].data.ptr = NULL;
    set->sockets--;
    return epoll_ctl(set->epoll, EPOLL_CTL_DEL, fd, NULL) < 0 ? -errno : 0;
}

void klv_receivers_load(struct klv_receivers *set, struct klv_load *load)
{
    *load = set->load;
    memset(&set->load, 0, sizeof set->load);
    set->window++;
}

static void count_ready(struct klv_receivers *set, struct klv_slot *slot)
{
    set->load.ready++;
    set->load.busy += slot->window != set->window;
    slot->window = set->window;
    slot->round = set->round;
}

/* Read one socket. Its results are appended to those of the sockets before it, whose bytes end at `fill`. */
static int read_slot(struct klv_receivers *set, struct klv_buffers *buffers, struct klv_slot *slot,
                     struct klv_results *r, size_t *fill)
{
    int second = slot->round == set->round, status;
    int how = set->how == READ_EXPECTED && !second ? RECEIVE_EXPECTED : RECEIVE_ALL;
    size_t first = slot->units ? r->count_entries : r->count_runs, count = 0, end = *fill;
    if (!second)
        count_ready(set, slot);
    if (slot->units) {
        struct klv_entry *entries = r->entries + first;
        status = klv_receiver_units(slot->receiver, buffers, how, r->pool + *fill, r->room - *fill, entries,
                                    r->most_entries - first, &count);
        for (size_t i = 0; i < count; i++) {
            entries[i].at += (uint32_t)*fill;
            end = entries[i].at + entries[i].size;
        }
        r->count_entries += count;
    } else {
        struct klv_run *runs = r->runs + first;
        status = klv_receiver_runs(slot->receiver, buffers, how, r->pool + *fill, r->room - *fill, runs,
                                   r->most_runs - first, &count);
        for (size_t i = 0; i < count; i++) {
            runs[i].at += (uint32_t)*fill;
            end = runs[i].at + runs[i].size;
        }
        r->count_runs += count;
    }
    *fill = end;
    if (how == RECEIVE_ALL) /* else the second pass reads the rest */
        r->left += status == RECEIVE_FULL || status == RECEIVE_NEEDS_LANE || klv_receiver_spent(slot->receiver);
    if (status != RECEIVE_DONE) /* most datagrams are of video only, and give no result */
        r->ready[r->count_ready++] = (struct klv_ready){.number = slot->number, .status = status,
                                                        .first = (uint32_t)first, .count = (uint32_t)count};
    return status;
}

/* Find the next readable sockets: how many, or -errno. */
static int poll_sockets(struct klv_receivers *set)
{
    set->at = set->got = 0;
    if (!set->passes)
        return 0;
    set->passes--;
    int got = epoll_wait(set->epoll, set->events, EVENTS, 0);
    if (got < 0)
        return errno == EINTR ? 0 : -errno;
    set->got = (unsigned)got;
    return got;
}

/* Load the next socket into the cache while this one is read. */
static void prefetch_next(const struct klv_receivers *set)
{
    const struct klv_slot *next = set->at < set->got ? set->events[set->at].data.ptr : NULL;
    if (next)
        klv_receiver_prefetch(next->receiver);
}

int klv_receivers_read(struct klv_receivers *set, struct klv_buffers *buffers, int how, struct klv_results *results)
{
    size_t fill = 0;
    results->count_entries = results->count_runs = results->count_ready = 0;
    if (how != READ_CONTINUE) {
        set->how = how;
        set->got = set->at = 0;
        set->passes = (how == READ_EXPECTED ? 2 : 1) + set->sockets / EVENTS;
        set->round++;
        set->load.rounds++;
        results->left = 0;
    }
    for (;;) {
        if (set->at == set->got) {
            int got = poll_sockets(set);
            if (got <= 0)
                return got < 0 ? got : READ_DONE;
        }
        if (results->count_ready == results->most_ready)
            return READ_MORE;
        struct klv_slot *slot = set->events[set->at++].data.ptr;
        if (!slot)
            continue;
        prefetch_next(set);
        int status = read_slot(set, buffers, slot, results, &fill);
        if (status == RECEIVE_FULL || status == RECEIVE_NEEDS_LANE) /* its datagrams are still in the buffers */
            return READ_MORE;
    }
}

int klv_timer_open(int64_t us)
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
