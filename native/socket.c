/* socket.c - one datagram socket: what the kernel holds for it, as finished KLV units or as bytes, in one call.
 *
 *   recvmmsg -> datagram -> (sender?) -> (plain: a copy?)                               -> lane  -> units
 *                                     -> (RTP: header off, whose?, order restored)      -> runs of bytes
 *
 * What comes is told by its bytes: MPEG-TS, MPEG-TS in RTP, KLV, KLV in RTP. Where the kernel or RTP say that something
 * is missing the lane is cut, so that no packet spans a loss.
 */
#define _GNU_SOURCE
#include "socket.h"
#include "copies.h"
#include "ts.h"
#include "ul.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    PLACES = 32,            /* datagrams of one recvmmsg */
    CONTROL = 128,          /* bytes of what the kernel says of a datagram */
    RTP_ROOM = 128 << 10,
    RUN_US = 5000,          /* datagrams of one run arrived within this */
    LATE_US = 1000000,      /* no RTP is held for so long: the clock was set */
    SURE = 4,               /* datagrams in a row of another form until it is believed */
    STASH_SLOT = 2048,
    MEMORY_INFO = 55,       /* SO_MEMINFO, and the place of the drops in what it gives */
    MEMORY_DROPS = 8
};

/* What a datagram is: bits. */
enum form { UNKNOWN = 0, TS = 1, KLV = 2, RTP = 4 };

struct place {
    struct iovec bytes;
    struct sockaddr_in6 sender;     /* the larger of the two that may come */
    _Alignas(struct cmsghdr) uint8_t control[CONTROL];
};

struct klv_basin {
    size_t datagram;
    struct mmsghdr messages[PLACES];
    struct place places[PLACES];
    uint8_t data[];
};

/* The last RTP packets of a sender that is not followed yet. */
struct stash {
    struct rtp_datagram packets[SURE];
    unsigned count, at, taking;             /* at: of those that are taken, once it is followed */
    uint8_t *memory;                        /* a slot for each */
};

struct klv_inlet {
    int fd, expects_rtp;
    uint8_t sender[16], has_sender;
    uint8_t form, other_form, others;       /* what comes; what came instead of late, and how often in a row */
    uint8_t ragged;                         /* its datagrams may begin in the midst of a packet */
    uint8_t odd;                            /* so many in a row begin with none, though they should */
    uint8_t gap;                            /* something is missing before the datagram that comes next */
    uint8_t armed, taking, begun, hit;      /* `hit`: the unit of KLV in RTP has lost bytes */
    uint16_t awaited;                       /* sequence number that was waited for when last asked */
    uint32_t drops;                         /* the kernel's count as last seen */
    unsigned got, at, budget;               /* of the basin's messages; of this call */
    unsigned taken;                         /* datagrams since the last INLET_EXPECTED */
    size_t used;                            /* of the payload that is being taken */
    struct rtp_datagram payload;
    uint32_t timestamp;                     /* of the unit of KLV in RTP */
    int64_t pts;                            /* the same, unwrapped; -1 = no unit yet */
    uint64_t fed, given;                    /* bytes into the lane and in packets out of it */
    struct klv_lane *lane;
    int lane_ts;
    int64_t run_began_us, latest_us;
    struct klv_inlet_counts counts;         /* those of RTP: of what came before `order` */
    struct rtp_lock lock;
    struct stash stash;
    struct rtp_order order;
    struct copies copies;
};

/* Where results go: entries or runs. */
struct outlet {
    uint8_t *pool;
    size_t room, fill, most, count;
    struct klv_entry *entries;
    struct klv_run *runs;
};

/* ---- the basin ---- */

static size_t stride_of(size_t datagram)
{
    return datagram + 1088 - datagram % 64; /* an odd number of cache lines, so that places do not share theirs */
}

size_t klv_basin_size(size_t datagram)
{
    return sizeof(struct klv_basin) + PLACES * stride_of(datagram);
}

static void clear_place(struct klv_basin *basin, unsigned i)
{
    struct place *place = &basin->places[i];
    struct msghdr *head = &basin->messages[i].msg_hdr;
    head->msg_name = &place->sender;
    head->msg_namelen = sizeof place->sender;
    head->msg_iov = &place->bytes;
    head->msg_iovlen = 1;
    head->msg_control = place->control;
    head->msg_controllen = sizeof place->control;
    head->msg_flags = 0;
}

void klv_basin_init(struct klv_basin *basin, size_t datagram)
{
    memset(basin, 0, sizeof *basin);
    basin->datagram = datagram;
    for (unsigned i = 0; i < PLACES; i++) {
        basin->places[i].bytes.iov_base = basin->data + i * stride_of(datagram);
        basin->places[i].bytes.iov_len = datagram;
        clear_place(basin, i);
    }
}

/* ---- the inlet ---- */

size_t klv_inlet_size(void)
{
    return sizeof(struct klv_inlet);
}

size_t klv_inlet_memory(void)
{
    return RTP_ROOM + SURE * STASH_SLOT;
}

static int switch_on(int fd, int option)
{
    int on = 1;
    return setsockopt(fd, SOL_SOCKET, option, &on, sizeof on) == 0 ? 0 : -errno;
}

int klv_inlet_init(struct klv_inlet *inlet, int fd, int flags, const uint8_t *sender, uint8_t *memory)
{
    memset(inlet, 0, sizeof *inlet);
    inlet->fd = fd;
    inlet->expects_rtp = (flags & INLET_RTP) != 0;
    inlet->pts = -1;
    if (sender) {
        memcpy(inlet->sender, sender, sizeof inlet->sender);
        inlet->has_sender = 1;
    }
    rtp_order_init(&inlet->order, memory, RTP_ROOM);
    rtp_lock_init(&inlet->lock, SURE);
    inlet->stash.memory = memory + RTP_ROOM;
    klv_copies_init(&inlet->copies);
    int fault = switch_on(fd, SO_TIMESTAMPNS);
    return fault ? fault : switch_on(fd, SO_RXQ_OVFL);
}

void klv_inlet_lane(struct klv_inlet *inlet, struct klv_lane *lane)
{
    inlet->lane = lane;
    inlet->lane_ts = klv_inlet_ts(inlet);
    inlet->fed = inlet->given = 0;
}

int klv_inlet_ts(const struct klv_inlet *inlet)
{
    return inlet->form == UNKNOWN ? -1 : (inlet->form & TS) != 0;
}

void klv_inlet_counts(const struct klv_inlet *inlet, struct klv_inlet_counts *counts)
{
    struct rtp_counts rtp;
    rtp_order_counts(&inlet->order, &rtp);
    *counts = inlet->counts;
    counts->rtp_lost += rtp.lost;
    counts->rtp_reordered += rtp.reordered;
    counts->rtp_duplicates += rtp.duplicates;
    counts->rtp_restarts += rtp.restarts;
    if (!inlet->stash.taking)
        counts->rtp_foreign += inlet->stash.count;
}

uint64_t klv_inlet_received(const struct klv_inlet *inlet)
{
    return inlet->counts.size;
}

int64_t klv_inlet_drops(int fd)
{
    uint32_t info[MEMORY_DROPS + 1] = {0};
    socklen_t size = sizeof info;
    return getsockopt(fd, SOL_SOCKET, MEMORY_INFO, info, &size) == 0 ? (int64_t)info[MEMORY_DROPS] : -errno;
}

/* ---- what a datagram is ---- */

static int is_key(const uint8_t *in, size_t n)
{
    return n >= 16 && memcmp(in, UL_PREFIX, sizeof UL_PREFIX) == 0;
}

static enum form bare_form(const uint8_t *in, size_t n)
{
    return ts_is_sync(in, n) ? TS : is_key(in, n) ? KLV : UNKNOWN;
}

static enum form form_of(const struct klv_inlet *inlet, const uint8_t *in, size_t n)
{
    enum form form = bare_form(in, n);
    struct rtp_datagram found;
    if (form != UNKNOWN || !rtp_parse(in, n, &found))
        return form;
    form = bare_form(found.payload, found.size);
    if (form == UNKNOWN && inlet->expects_rtp && found.kind == RTP_MP2T)
        form = TS;
    return form == UNKNOWN ? UNKNOWN : form | RTP;
}

/* The same of a datagram in which something else comes first. */
static enum form ragged_form(const uint8_t *in, size_t n)
{
    struct rtp_datagram part; /* of a unit whose beginning was before our time */
    for (size_t i = 0; i < 204 && i + TS_SIZE < n; i++)
        if (ts_is_sync(in + i, n - i))
            return TS;
    for (size_t i = 0; i + 16 <= n && !rtp_parse(in, n, &part); i++)
        if (is_key(in + i, n - i))
            return KLV;
    return UNKNOWN;
}

/* What comes is something else from here on. */
static void turn_to(struct klv_inlet *inlet, enum form form)
{
    struct rtp_order *order = &inlet->order;
    klv_inlet_counts(inlet, &inlet->counts); /* those of RTP up to now */
    rtp_order_init(order, order->memory, order->room);
    inlet->gap |= inlet->form != UNKNOWN;
    rtp_lock_init(&inlet->lock, SURE);
    inlet->stash.count = 0;
    klv_copies_init(&inlet->copies);
    inlet->form = (uint8_t)form;
    inlet->ragged = (form & KLV) != 0;
    inlet->others = inlet->odd = 0;
    inlet->pts = -1;
}

/* Learn from a datagram what comes; a sender that changes is followed once it is sure. Gives the datagram's form. */
static enum form learn(struct klv_inlet *inlet, const uint8_t *in, size_t n)
{
    enum form form = form_of(inlet, in, n);
    if (inlet->form == UNKNOWN) {
        enum form found = form == UNKNOWN ? ragged_form(in, n) : form;
        if (found != UNKNOWN)
            turn_to(inlet, found);
        inlet->ragged |= form == UNKNOWN;
    } else if (form == inlet->form || (form == UNKNOWN && inlet->ragged)) {
        inlet->others = 0;
    } else if (form != UNKNOWN) {
        inlet->others = form == inlet->other_form ? (uint8_t)(inlet->others + 1) : 1;
        inlet->other_form = (uint8_t)form;
        if (inlet->others >= SURE)
            turn_to(inlet, form);
    }
    return form;
}

/* Is a datagram part of the plain MPEG-TS or KLV that comes, and not of something else on the same port? */
static int belongs(struct klv_inlet *inlet, enum form form, const uint8_t *in, size_t n)
{
    struct rtp_datagram other;
    if (inlet->ragged)
        return inlet->form == TS || form == UNKNOWN || form == KLV;
    if (form != UNKNOWN) {
        inlet->odd = 0;
        return form == inlet->form;
    }
    if (rtp_parse(in, n, &other))
        return 0;
    inlet->ragged = ragged_form(in, n) == TS || ++inlet->odd >= SURE;
    return inlet->ragged;
}

/* ---- payloads ---- */

/* The lane holds a part of a packet that the unit before should have ended. */
static int unfinished(const struct klv_inlet *inlet)
{
    struct klv_counts counts;
    klv_lane_counts(inlet->lane, &counts);
    return inlet->fed > inlet->given + counts.passed_over + counts.fill_bytes;
}

/* KLV in RTP (RFC 6597): a unit begins at a new time stamp. Behind a gap one is whole only if it is seen to begin. Gives
 * whether it is another unit than before. */
static int enter_unit(struct klv_inlet *inlet)
{
    const struct rtp_datagram *p = &inlet->payload;
    int another = inlet->pts < 0 || p->timestamp != inlet->timestamp;
    if (inlet->pts < 0)
        inlet->pts = p->timestamp;
    else
        inlet->pts = (inlet->pts + (int32_t)(p->timestamp - inlet->timestamp)) & 0x1ffffffff;
    inlet->timestamp = p->timestamp;
    if (another || p->gap)
        inlet->hit = p->gap && !is_key(p->payload, p->size);
    return another;
}

static void mark(struct klv_inlet *inlet, int damaged)
{
    klv_lane_mark(inlet->lane, inlet->pts, -1, -1, 0, damaged);
}

static void enter_lane(struct klv_inlet *inlet)
{
    const struct rtp_datagram *p = &inlet->payload;
    if (inlet->form == (KLV | RTP)) {
        int another = enter_unit(inlet);
        if (p->gap || (another && unfinished(inlet)))
            mark(inlet, 1); /* what is held ends here */
        if (p->gap || another)
            mark(inlet, inlet->hit);
    } else if (p->gap) {
        klv_lane_break(inlet->lane);
    }
    klv_lane_at(inlet->lane, p->received_us);
    inlet->fed += p->size;
}

static int to_units(struct klv_inlet *inlet, struct outlet *out)
{
    const struct rtp_datagram *p = &inlet->payload;
    if (!inlet->lane || inlet->lane_ts != klv_inlet_ts(inlet))
        return INLET_LANE;
    if (!inlet->begun)
        enter_lane(inlet);
    inlet->begun = 1;
    size_t count = 0;
    struct klv_entry *entries = out->entries + out->count;
    enum klv_status status = klv_lane_batch(inlet->lane, p->payload, p->size, &inlet->used, out->pool + out->fill,
                                            out->room - out->fill, entries, out->most - out->count, &count);
    size_t begin = out->fill;
    for (size_t i = 0; i < count; i++) {
        entries[i].at += (uint32_t)begin;
        out->fill = entries[i].at + entries[i].size;
        inlet->given += entries[i].size;
    }
    out->count += count;
    return status == KLV_FULL ? INLET_FULL : INLET_DRY;
}

static void add_run(struct klv_inlet *inlet, struct outlet *out, int damaged)
{
    out->runs[out->count++] =
        (struct klv_run){.at = (uint32_t)out->fill, .received_us = inlet->payload.received_us, .pts = -1,
                         .ts = klv_inlet_ts(inlet) != 0, .damaged = damaged != 0};
    inlet->run_began_us = inlet->payload.received_us;
}

static int to_runs(struct klv_inlet *inlet, struct outlet *out)
{
    const struct rtp_datagram *p = &inlet->payload;
    int in_units = inlet->form == (KLV | RTP);
    if (p->size > out->room - out->fill || out->most - out->count < 2)
        return INLET_FULL;
    int another = in_units && enter_unit(inlet);
    int damaged = in_units ? inlet->hit : p->gap && inlet->form != KLV;
    if (p->gap && !damaged) /* the bytes are good, but not to go on with */
        add_run(inlet, out, 1);
    struct klv_run *run = out->count ? &out->runs[out->count - 1] : NULL;
    if (!run || another || damaged || run->damaged || run->ts != (klv_inlet_ts(inlet) != 0) ||
        p->received_us - inlet->run_began_us > RUN_US) {
        add_run(inlet, out, damaged);
        run = &out->runs[out->count - 1];
    }
    if (in_units)
        run->pts = inlet->pts;
    memcpy(out->pool + out->fill, p->payload, p->size);
    out->fill += p->size;
    run->size += (uint32_t)p->size;
    run->received_us = p->received_us;
    return INLET_DRY;
}

/* ---- datagrams ---- */

static int from_sender(const struct klv_inlet *inlet, const struct msghdr *head)
{
    const struct sockaddr_in6 *from = head->msg_name;
    struct sockaddr_in from4;
    uint8_t address[16] = {[10] = 0xff, [11] = 0xff};
    if (!inlet->has_sender)
        return 1;
    if (from->sin6_family == AF_INET) {
        memcpy(&from4, from, sizeof from4);
        memcpy(address + 12, &from4.sin_addr, 4);
    } else {
        memcpy(address, &from->sin6_addr, sizeof address);
    }
    return memcmp(address, inlet->sender, sizeof address) == 0;
}

static int64_t microseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000000 + time->tv_nsec / 1000;
}

/* When the datagram arrived. A gap where the kernel dropped some before it, unless RTP will tell of it. */
static int64_t arrival(struct klv_inlet *inlet, struct msghdr *head)
{
    struct timespec time = {0, 0};
    for (struct cmsghdr *said = CMSG_FIRSTHDR(head); said; said = CMSG_NXTHDR(head, said)) {
        if (said->cmsg_level != SOL_SOCKET)
            continue;
        if (said->cmsg_type == SCM_TIMESTAMPNS) {
            memcpy(&time, CMSG_DATA(said), sizeof time);
        } else if (said->cmsg_type == SO_RXQ_OVFL) {
            uint32_t drops;
            memcpy(&drops, CMSG_DATA(said), sizeof drops);
            inlet->gap |= drops != inlet->drops && !(inlet->form & RTP);
            inlet->drops = drops;
        }
    }
    if (time.tv_sec == 0)
        clock_gettime(CLOCK_REALTIME, &time);
    return microseconds(&time);
}

static void take(struct klv_inlet *inlet, const struct rtp_datagram *payload)
{
    inlet->payload = *payload;
    inlet->taking = 1;
    inlet->begun = 0;
    inlet->used = 0;
}

/* A packet of a sender that is not followed: it may be so after those that come next. */
static void put_by(struct klv_inlet *inlet, const struct rtp_datagram *datagram)
{
    struct stash *stash = &inlet->stash;
    if (datagram->size > STASH_SLOT || inlet->lock.others == 1) { /* what is there does not go on with it */
        inlet->counts.rtp_foreign += stash->count;
        stash->count = 0;
    }
    if (datagram->size > STASH_SLOT) {
        inlet->counts.rtp_foreign++;
        return;
    }
    if (stash->count == SURE - 1) {
        inlet->counts.rtp_foreign++;
        memmove(stash->memory, stash->memory + STASH_SLOT, (SURE - 2) * STASH_SLOT);
        memmove(stash->packets, stash->packets + 1, (SURE - 2) * sizeof *stash->packets);
        stash->count--;
    }
    stash->packets[stash->count] = *datagram;
    memcpy(stash->memory + stash->count++ * STASH_SLOT, datagram->payload, datagram->size);
}

/* The next of those that were put by, to the order: 1, or 0 where there is none. */
static int take_back(struct klv_inlet *inlet)
{
    struct stash *stash = &inlet->stash;
    if (!stash->taking)
        return 0;
    stash->packets[stash->at].payload = stash->memory + stash->at * STASH_SLOT;
    rtp_order_push(&inlet->order, &stash->packets[stash->at++]);
    if (stash->at == stash->count)
        stash->count = stash->at = stash->taking = 0;
    return 1;
}

/* One datagram where RTP comes: to what waits to be ordered, if it is of the sender that is read. */
static void receive_rtp(struct klv_inlet *inlet, enum form form, const uint8_t *in, size_t n, int64_t received_us)
{
    struct rtp_datagram datagram;
    if (!rtp_parse(in, n, &datagram)) {
        inlet->counts.unknown++;
        return;
    }
    datagram.received_us = received_us;
    int far = rtp_order_far(&inlet->order, datagram.sequence);
    enum rtp_verdict verdict = rtp_lock_take(&inlet->lock, &datagram, far, form == inlet->form);
    if (verdict == RTP_FOREIGN) {
        put_by(inlet, &datagram);
    } else if (verdict == RTP_FOLLOWED && datagram.size <= STASH_SLOT) {
        inlet->stash.packets[inlet->stash.count] = datagram;
        memcpy(inlet->stash.memory + inlet->stash.count++ * STASH_SLOT, datagram.payload, datagram.size);
        inlet->stash.taking = 1;
    } else {
        inlet->counts.rtp_foreign += inlet->stash.count;
        inlet->stash.count = 0;
        rtp_order_push(&inlet->order, &datagram);
    }
}

/* One datagram where none comes: to be taken at once, unless it is another's or came before. */
static void receive_plain(struct klv_inlet *inlet, enum form form, struct rtp_datagram *datagram, int bytes_wanted)
{
    int known = inlet->form != UNKNOWN;
    if (!known && !bytes_wanted) {
        inlet->counts.unknown++;
    } else if (known && !belongs(inlet, form, datagram->payload, datagram->size)) {
        inlet->counts.unknown++;
    } else if (known && klv_copies_take(&inlet->copies, inlet->form == TS, datagram->payload, datagram->size,
                                    datagram->received_us)) {
        inlet->counts.udp_duplicates++;
    } else {
        inlet->counts.unknown += !known;
        datagram->gap = inlet->gap;
        inlet->gap = 0;
        take(inlet, datagram);
    }
}

/* One datagram: to the RTP that waits to be ordered, or to be taken at once. */
static void receive(struct klv_inlet *inlet, struct mmsghdr *message, int bytes_wanted)
{
    const uint8_t *in = message->msg_hdr.msg_iov->iov_base;
    size_t n = message->msg_len;
    int64_t received_us = arrival(inlet, &message->msg_hdr);
    if (!from_sender(inlet, &message->msg_hdr)) {
        inlet->counts.strangers++;
        return;
    }
    inlet->counts.datagrams++;
    inlet->counts.size += n;
    if (n == 0)
        return;
    enum form form = learn(inlet, in, n);
    if (inlet->form & RTP)
        receive_rtp(inlet, form, in, n, received_us);
    else
        receive_plain(inlet, form, &(struct rtp_datagram){.payload = in, .size = n, .received_us = received_us},
                      bytes_wanted);
    if (message->msg_hdr.msg_flags & MSG_TRUNC) {
        inlet->counts.truncated++;
        inlet->gap = 1;
    }
}

/* The next datagrams out of the kernel: how many, or -errno. Fewer than there are places: there were no more. */
static int fetch(struct klv_inlet *inlet, struct klv_basin *basin)
{
    unsigned most = inlet->budget < PLACES ? inlet->budget : PLACES;
    int got = recvmmsg(inlet->fd, basin->messages, most, MSG_DONTWAIT, NULL);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    inlet->budget = (unsigned)got < most ? 0 : inlet->budget - most;
    inlet->got = (unsigned)got;
    inlet->taken += (unsigned)got;
    inlet->at = 0;
    return got;
}

/* The next payload that is due: 1; 0 = none; or -errno. */
static int next_payload(struct klv_inlet *inlet, struct klv_basin *basin, int bytes_wanted)
{
    struct rtp_datagram due;
    for (;;) {
        if (inlet->taking)
            return 1;
        if (inlet->form & RTP && rtp_order_next(&inlet->order, &due)) {
            /* One that was late is not older than what came out before it. */
            if (due.received_us < inlet->latest_us && inlet->latest_us - due.received_us < LATE_US)
                due.received_us = inlet->latest_us;
            inlet->latest_us = due.received_us;
            due.gap |= inlet->gap;
            inlet->gap = 0;
            take(inlet, &due);
        } else if (take_back(inlet)) {
            continue;
        } else if (inlet->at < inlet->got) {
            receive(inlet, &basin->messages[inlet->at], bytes_wanted);
            clear_place(basin, inlet->at++);
        } else {
            int got = inlet->budget ? fetch(inlet, basin) : 0;
            if (got <= 0)
                return got;
        }
    }
}

/* RTP is held for at least the time between two calls that find it waiting for the same. */
static int holds(struct klv_inlet *inlet)
{
    int awaited = inlet->form & RTP ? rtp_order_waiting(&inlet->order) : -1, held = inlet->armed;
    if (awaited >= 0 && !inlet->armed)
        inlet->awaited = (uint16_t)awaited;
    inlet->armed = awaited >= 0;
    return inlet->armed ? INLET_HOLDS : held ? INLET_NEWS : 0;
}

static void give_up(struct klv_inlet *inlet)
{
    if (inlet->armed && rtp_order_waiting(&inlet->order) == inlet->awaited)
        rtp_order_release(&inlet->order);
    inlet->armed = 0;
}

/* How many datagrams a call may take. */
static unsigned budget_of(struct klv_inlet *inlet, int how)
{
    if (how != INLET_EXPECTED)
        return how == INLET_OVERDUE ? 0 : INLET_BUDGET;
    unsigned expected = inlet->taken < 1 ? 1 : inlet->taken < PLACES ? inlet->taken : PLACES;
    inlet->taken = 0;
    return expected;
}

static int wake(struct klv_inlet *inlet, struct klv_basin *basin, int how, struct outlet *out)
{
    int status;
    if (how == INLET_OVERDUE)
        give_up(inlet);
    if (inlet->at == inlet->got && !inlet->taking)
        inlet->budget = budget_of(inlet, how);
    while ((status = next_payload(inlet, basin, out->runs != NULL)) == 1) {
        status = out->runs ? to_runs(inlet, out) : to_units(inlet, out);
        if (status != INLET_DRY)
            return status;
        inlet->taking = 0;
    }
    return status < 0 ? status : holds(inlet) | (out->count ? INLET_NEWS : 0);
}

int klv_inlet_units(struct klv_inlet *inlet, struct klv_basin *basin, int how, uint8_t *pool, size_t room,
                    struct klv_entry *entries, size_t most, size_t *count)
{
    struct outlet out = {.pool = pool, .room = room, .most = most, .entries = entries};
    int status = wake(inlet, basin, how, &out);
    *count = out.count;
    return status;
}

int klv_inlet_runs(struct klv_inlet *inlet, struct klv_basin *basin, int how, uint8_t *pool, size_t room,
                   struct klv_run *runs, size_t most, size_t *count)
{
    struct outlet out = {.pool = pool, .room = room, .most = most, .runs = runs};
    int status = wake(inlet, basin, how, &out);
    *count = out.count;
    return status;
}
