/* scripted_socket.c - socket.c with datagrams, times of arrival, drop counts and senders from a script instead of the
 * kernel: results that no kernel gives on demand. Built as a shared library with the core, called by scripted_socket.py. */
#define _GNU_SOURCE
#define recvmmsg scripted_recvmmsg
#include "socket.c"

#include <stdlib.h>

#define CALLED __attribute__((visibility("default")))

enum { DATAGRAMS = 2048, DATAGRAM_ROOM = 2048, POOL = 1 << 20, RUNS = 512 };

struct scripted {
    uint8_t data[DATAGRAM_ROOM + 1];
    size_t size;
    int64_t time_us;            /* since 1970; 0 = unknown to the kernel */
    uint32_t drops;             /* 0 = unknown to the kernel */
    uint32_t from;              /* IPv4 address */
};

static struct scripted script[DATAGRAMS];
static size_t waiting_from, waiting_to;
static struct klv_inlet *inlet;
static struct klv_basin *basin;
static uint8_t *memory, pool[POOL];
static struct klv_run runs[RUNS];
static size_t run_count;

static void say(struct msghdr *head, struct cmsghdr *part, int type, const void *data, size_t size, size_t *used)
{
    (void)head;
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = type;
    part->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(part), data, size);
    *used += CMSG_SPACE(size);
}

static void deliver(const struct scripted *one, struct mmsghdr *message)
{
    struct msghdr *head = &message->msg_hdr;
    const size_t room = head->msg_iov->iov_len, n = one->size < room ? one->size : room;
    uint8_t *control = head->msg_control;
    size_t used = 0;
    memcpy(head->msg_iov->iov_base, one->data, n);
    message->msg_len = (unsigned)n;
    head->msg_flags = one->size > room ? MSG_TRUNC : 0;
    memset(control, 0, head->msg_controllen);
    if (one->time_us) {
        struct timespec time = {one->time_us / 1000000, one->time_us % 1000000 * 1000};
        say(head, (struct cmsghdr *)(void *)(control + used), SCM_TIMESTAMPNS, &time, sizeof time, &used);
    }
    if (one->drops)
        say(head, (struct cmsghdr *)(void *)(control + used), SO_RXQ_OVFL, &one->drops, sizeof one->drops, &used);
    head->msg_controllen = used;
    if (head->msg_name) {
        struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(one->from)};
        memcpy(head->msg_name, &from, sizeof from);
    }
}

int scripted_recvmmsg(int fd, struct mmsghdr *messages, unsigned most, int flags, struct timespec *timeout)
{
    unsigned got = 0;
    (void)fd, (void)flags, (void)timeout;
    for (; got < most && waiting_from < waiting_to; got++)
        deliver(&script[waiting_from++], &messages[got]);
    if (got == 0)
        errno = EAGAIN;
    return got ? (int)got : -1;
}

/* `sender`: an IPv4 address that all must come from, or 0. */
CALLED void scripted_open(int flags, uint32_t sender)
{
    uint8_t address[16] = {[10] = 0xff, [11] = 0xff};
    const uint32_t network = htonl(sender);
    memcpy(address + 12, &network, 4);
    free(inlet);
    free(basin);
    free(memory);
    inlet = malloc(klv_inlet_size());
    basin = malloc(klv_basin_size(DATAGRAM_ROOM));
    memory = malloc(klv_inlet_memory());
    if (!inlet || !basin || !memory)
        abort();
    klv_basin_init(basin, DATAGRAM_ROOM);
    klv_inlet_init(inlet, -1, flags, sender ? address : NULL, memory);
    waiting_from = waiting_to = run_count = 0;
}

CALLED void scripted_add(const uint8_t *data, size_t n, int64_t time_us, uint32_t drops, uint32_t from)
{
    if (waiting_from == waiting_to)
        waiting_from = waiting_to = 0;
    if (waiting_to == DATAGRAMS || n > DATAGRAM_ROOM + 1)
        abort();
    struct scripted *one = &script[waiting_to++];
    memcpy(one->data, data, n);
    one->size = n;
    one->time_us = time_us;
    one->drops = drops;
    one->from = from;
}

CALLED int scripted_look(int how, size_t room, size_t most)
{
    return klv_inlet_runs(inlet, basin, how, pool, room < POOL ? room : POOL, runs, most < RUNS ? most : RUNS, &run_count);
}

CALLED size_t scripted_runs(void)
{
    return run_count;
}

/* size, received_us, pts, ts, damaged; the bytes. */
CALLED const uint8_t *scripted_run(size_t i, int64_t out[5])
{
    const struct klv_run *run = &runs[i];
    const int64_t values[5] = {run->size, run->received_us, run->pts, run->ts, run->damaged};
    memcpy(out, values, sizeof values);
    return pool + run->at;
}

CALLED int scripted_spent(void)
{
    return klv_inlet_spent(inlet);
}

CALLED size_t scripted_waiting(void)
{
    return waiting_to - waiting_from;
}

/* In the order of struct klv_inlet_counts. */
CALLED void scripted_counts(uint64_t *out)
{
    struct klv_inlet_counts counts;
    klv_inlet_counts(inlet, &counts);
    memcpy(out, &counts, sizeof counts);
}
