/* receiver.c - one datagram socket: reads what the kernel has queued, as KLV units or as bytes, in one call.
 *
 *   recvmmsg -> datagram -> other sender? -> form -> plain: a copy?                   -> payload -> lane -> units
 *                                                 -> RTP: other SSRC? reorder                    -> runs of bytes
 *
 * The form of a datagram is found from its bytes; the URL says only whether RTP is expected:
 *
 *   form      first bytes                                                  what follows
 *   TS        47, and 47 again 188, 192 or 204 bytes on                    MPEG-TS packets, usually 7 of 188
 *   KLV       06 0E 2B 34                                                  KLV packets, or the first part of one
 *   TS|RTP    RTP header, then as TS; or payload type 33, RTP expected     as TS (RFC 2250)
 *   KLV|RTP   RTP header, then 06 0E 2B 34                                 a unit of KLV, or its first part (RFC 6597)
 *   UNKNOWN   others                                                       rest of a packet or unit, or foreign data
 *
 * The first datagram with a form sets that of the socket. Another form must come SURE times in a row to replace it, so
 * that a stray datagram changes nothing.
 *
 * Bytes are missing where the kernel dropped datagrams, where one was longer than its buffer, and where RTP sequence
 * numbers have a gap. There the lane is cut, so that no KLV packet spans a loss.
 */
#define _GNU_SOURCE
#include "receiver.h"
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
    CACHE_LINE = 64,
    CONTROL = 128,          /* bytes for the control messages of a datagram: arrival() reads 56 */
    RTP_ROOM = 128 << 10,   /* bytes of the RTP datagrams that are held: more than RTP_HELD usual ones */
    RUN_US = 5000,          /* maximum time between the first and the last datagram of a run */
    LATE_US = 1000000,      /* RTP is held for less: where times differ by more, the system clock was set */
    SURE = 4,               /* datagrams in a row after which another form, or sender, is followed */
    STASH_SLOT = 2048,      /* bytes of a stashed RTP payload: an Ethernet frame has 1500 */
    MEMORY_INFO = 55,       /* SO_MEMINFO of asm-generic/socket.h: uint32_t[9], */
    MEMORY_DROPS = 8        /* the last of which is SK_MEMINFO_DROPS */
};

/* The form of a datagram: bits. */
enum form { UNKNOWN = 0, TS = 1, KLV = 2, RTP = 4 };

struct place {
    struct iovec bytes;
    struct sockaddr_in6 sender;     /* or sockaddr_in, which is smaller */
    _Alignas(struct cmsghdr) uint8_t control[CONTROL];
};

struct klv_buffers {
    size_t datagram;
    struct mmsghdr messages[PLACES];
    struct place places[PLACES];
    uint8_t data[];
};

/* The last RTP packets of a sender that is not followed yet: copies, since the buffers are reused. */
struct stash {
    struct rtp_datagram packets[SURE];
    unsigned count;                         /* of packets */
    unsigned taking, at;                    /* 1 = it is now followed: read the packets; the next of them */
    uint8_t *memory;                        /* a slot for the payload of each */
};

struct klv_receiver {
    int fd, expects_rtp;
    uint8_t sender[16], has_sender;
    uint8_t form;                           /* enum form of the socket */
    uint8_t other_form, others;             /* the form that came instead, and how often in a row */
    uint8_t ragged;                         /* datagrams may begin in the middle of a packet */
    uint8_t odd;                            /* where `ragged` is 0: how many in a row began with no packet */
    uint8_t gap;                            /* bytes are missing before the next payload */
    uint8_t armed;                          /* RTP was held at the end of the last call, */
    uint16_t awaited;                       /* for this sequence number */
    uint8_t taking, begun;                  /* `payload` is being read; enter_lane was called for it */
    uint8_t hit;                            /* of KLV in RTP: the unit has lost bytes */
    uint32_t drops;                         /* the kernel's count, as in the last control message */
    unsigned got, at;                       /* number of messages in the buffers, and the next one to read */
    unsigned budget;                        /* datagrams that this call may still receive */
    uint8_t spent;                          /* the last recvmmsg used up the budget, and there may be more */
    unsigned taken;                         /* received since the last RECEIVE_EXPECTED */
    size_t used;                            /* bytes of `payload` that the lane has taken */
    struct rtp_datagram payload;            /* RTP's header off, where there is one */
    uint32_t timestamp;                     /* of the unit of KLV in RTP */
    int64_t pts;                            /* the same, continued over its wrap to 33 bits; -1 = no unit yet */
    uint64_t bytes_in, bytes_out;           /* into the lane, and in packets out of it */
    struct klv_lane *lane;
    int lane_ts;                            /* klv_receiver_ts when the lane was set */
    int64_t run_began_us;                   /* arrival of the first datagram of the last run */
    int64_t latest_us;                      /* of the last payload in RTP's order */
    struct klv_receiver_counts counts;      /* those of RTP: from before `order` was last initialised */
    struct rtp_lock lock;
    struct stash stash;
    struct rtp_order order;
    struct copies copies;
};

/* Where results go: entries or runs; the other one is NULL. */
struct output {
    uint8_t *pool;
    size_t room, fill;                      /* bytes of the pool, and those in use */
    size_t most, count;                     /* of the entries or runs */
    struct klv_entry *entries;
    struct klv_run *runs;
};

/* ---- the buffers ---- */

static size_t stride_of(size_t datagram)
{
    /* Whole cache lines, 17 more than 64 KiB: at a power of two, all buffers would map to the same cache sets. */
    return datagram + 1088 - datagram % 64;
}

size_t klv_buffers_size(size_t datagram)
{
    return sizeof(struct klv_buffers) + PLACES * stride_of(datagram);
}

/* recvmmsg writes the lengths and flags of a message: they are set again before each use. */
static void clear_place(struct klv_buffers *buffers, unsigned i)
{
    struct place *place = &buffers->places[i];
    struct msghdr *head = &buffers->messages[i].msg_hdr;
    head->msg_name = NULL;
    head->msg_namelen = 0;
    head->msg_iov = &place->bytes;
    head->msg_iovlen = 1;
    head->msg_control = place->control;
    head->msg_controllen = sizeof place->control;
    head->msg_flags = 0;
}

/* Ask for the senders of the next datagrams: only where they matter, since each costs the kernel a copy. */
static void ask_for_senders(struct klv_buffers *buffers, unsigned most)
{
    for (unsigned i = 0; i < most; i++) {
        buffers->messages[i].msg_hdr.msg_name = &buffers->places[i].sender;
        buffers->messages[i].msg_hdr.msg_namelen = sizeof buffers->places[i].sender;
    }
}

void klv_buffers_init(struct klv_buffers *buffers, size_t datagram)
{
    memset(buffers, 0, sizeof *buffers);
    buffers->datagram = datagram;
    for (unsigned i = 0; i < PLACES; i++) {
        buffers->places[i].bytes.iov_base = buffers->data + i * stride_of(datagram);
        buffers->places[i].bytes.iov_len = datagram;
        clear_place(buffers, i);
    }
}

/* ---- one socket ---- */

size_t klv_receiver_size(void)
{
    return sizeof(struct klv_receiver);
}

size_t klv_receiver_memory(void)
{
    return RTP_ROOM + SURE * STASH_SLOT;
}

void klv_receiver_prefetch(const struct klv_receiver *rx)
{
    for (size_t at = 0; at < offsetof(struct klv_receiver, lock); at += CACHE_LINE)
        __builtin_prefetch((const uint8_t *)rx + at);
}

static int switch_on(int fd, int option)
{
    int on = 1;
    return setsockopt(fd, SOL_SOCKET, option, &on, sizeof on) == 0 ? 0 : -errno;
}

int klv_receiver_init(struct klv_receiver *rx, int fd, int flags, const uint8_t *sender, uint8_t *memory)
{
    memset(rx, 0, sizeof *rx);
    rx->fd = fd;
    rx->expects_rtp = (flags & RECEIVE_RTP) != 0;
    rx->pts = -1;
    if (sender) {
        memcpy(rx->sender, sender, sizeof rx->sender);
        rx->has_sender = 1;
    }
    rtp_order_init(&rx->order, memory, RTP_ROOM);
    rtp_lock_init(&rx->lock, SURE);
    rx->stash.memory = memory + RTP_ROOM;
    klv_copies_init(&rx->copies);
    int fault = switch_on(fd, SO_TIMESTAMPNS);
    return fault ? fault : switch_on(fd, SO_RXQ_OVFL);
}

void klv_receiver_use_lane(struct klv_receiver *rx, struct klv_lane *lane)
{
    rx->lane = lane;
    rx->lane_ts = klv_receiver_ts(rx);
    rx->bytes_in = rx->bytes_out = 0;
}

int klv_receiver_ts(const struct klv_receiver *rx)
{
    return rx->form == UNKNOWN ? -1 : (rx->form & TS) != 0;
}

void klv_receiver_counts(const struct klv_receiver *rx, struct klv_receiver_counts *counts)
{
    struct rtp_counts rtp;
    rtp_order_counts(&rx->order, &rtp);
    *counts = rx->counts;
    counts->rtp_lost += rtp.lost;
    counts->rtp_reordered += rtp.reordered;
    counts->rtp_duplicates += rtp.duplicates;
    counts->rtp_restarts += rtp.restarts;
    if (!rx->stash.taking)
        counts->rtp_foreign += rx->stash.count;
}

int klv_receiver_spent(const struct klv_receiver *rx)
{
    return rx->spent;
}

uint64_t klv_receiver_received(const struct klv_receiver *rx)
{
    return rx->counts.size;
}

int64_t klv_receiver_drops(int fd)
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

static enum form form_of(const struct klv_receiver *rx, const uint8_t *in, size_t n)
{
    enum form form = bare_form(in, n);
    struct rtp_datagram found;
    if (form != UNKNOWN || !rtp_parse(in, n, &found))
        return form;
    form = bare_form(found.payload, found.size);
    if (form == UNKNOWN && rx->expects_rtp && found.kind == RTP_MP2T)
        form = TS;
    return form == UNKNOWN ? UNKNOWN : form | RTP;
}

/* The form of the first datagram, if that begins in the middle of a packet. */
static enum form ragged_form(const uint8_t *in, size_t n)
{
    struct rtp_datagram part;
    for (size_t i = 0; i < 204 && i + TS_SIZE < n; i++) /* a TS packet has at most 204 bytes */
        if (ts_is_sync(in + i, n - i))
            return TS;
    /* A key after an RTP header is not plain KLV: the next unit of KLV in RTP begins a datagram, and sets the form. */
    for (size_t i = 0; i + 16 <= n && !rtp_parse(in, n, &part); i++)
        if (is_key(in + i, n - i))
            return KLV;
    return UNKNOWN;
}

/* Change the form of the socket: discard all that is held or remembered. */
static void change_form(struct klv_receiver *rx, enum form form)
{
    struct rtp_order *order = &rx->order;
    klv_receiver_counts(rx, &rx->counts); /* `order` and `stash`, which count some, restart from 0 */
    rtp_order_init(order, order->memory, order->room);
    rx->gap |= rx->form != UNKNOWN; /* no loss comes before the very first form */
    rtp_lock_init(&rx->lock, SURE);
    rx->stash.count = 0;
    klv_copies_init(&rx->copies);
    rx->form = (uint8_t)form;
    rx->ragged = (form & KLV) != 0; /* a KLV packet may be larger than a datagram */
    rx->others = rx->odd = 0;
    rx->pts = -1;
}

/* The form of a datagram. It becomes that of the socket if it is the first one, or the SURE-th of another in a row. */
static enum form learn(struct klv_receiver *rx, const uint8_t *in, size_t n)
{
    enum form form = form_of(rx, in, n);
    if (rx->form == UNKNOWN) {
        enum form found = form == UNKNOWN ? ragged_form(in, n) : form;
        if (found != UNKNOWN)
            change_form(rx, found);
        rx->ragged |= form == UNKNOWN; /* it was not found at the start of the datagram */
    } else if (form == rx->form || (form == UNKNOWN && rx->ragged)) { /* unknown: the rest of a packet */
        rx->others = 0;
    } else if (form != UNKNOWN) {
        rx->others = form == rx->other_form ? (uint8_t)(rx->others + 1) : 1;
        rx->other_form = (uint8_t)form;
        if (rx->others >= SURE)
            change_form(rx, form);
    }
    return form;
}

/* Decide whether a datagram is part of the plain MPEG-TS or KLV of the socket, and not of something else on its port: 1
 * or 0.
 *
 *   socket        datagram                                               part of it
 *   TS, ragged    any                                                    yes: the lane finds its packets
 *   KLV           KLV, or no form: the rest of a packet                  yes
 *   TS            of a form                                              if that is TS
 *   TS            an RTP header                                          no
 *   TS            no form, a TS packet further in, or SURE in a row      yes: the socket is ragged from here on
 *   TS            no form, else                                          no
 */
static int admit(struct klv_receiver *rx, enum form form, const uint8_t *in, size_t n)
{
    struct rtp_datagram other;
    if (rx->ragged)
        return rx->form == TS || form == UNKNOWN || form == KLV;
    if (form != UNKNOWN) {
        rx->odd = 0;
        return form == rx->form;
    }
    if (rtp_parse(in, n, &other))
        return 0;
    rx->ragged = ragged_form(in, n) == TS || ++rx->odd >= SURE;
    return rx->ragged;
}

/* ---- payloads ---- */

/* Does the lane hold a part of a packet? Not where a unit of KLV in RTP ended: a unit consists of whole packets. */
static int unfinished(const struct klv_receiver *rx)
{
    struct klv_counts counts;
    klv_lane_counts(rx->lane, &counts);
    return rx->bytes_in > rx->bytes_out + counts.passed_over + counts.fill_bytes;
}

/* KLV in RTP (RFC 6597): all datagrams of a unit have one time stamp, and only the first begins with a key:
 *
 *   timestamp T: 06 0E 2B 34 ...   T: ...   T: ... marker   | timestamp U: 06 0E 2B 34 ...
 *
 * After a gap a unit is whole only if the datagram begins with a key. The marker bit is not used: not all senders
 * set it. Returns 1 where another unit begins.
 */
static int enter_unit(struct klv_receiver *rx)
{
    const struct rtp_datagram *p = &rx->payload;
    int another = rx->pts < 0 || p->timestamp != rx->timestamp;
    if (rx->pts < 0)
        rx->pts = p->timestamp;
    else
        rx->pts = (rx->pts + (int32_t)(p->timestamp - rx->timestamp)) & 0x1ffffffff;
    rx->timestamp = p->timestamp;
    if (another || p->gap)
        rx->hit = p->gap && !is_key(p->payload, p->size);
    return another;
}

/* Bare KLV: set the properties of the bytes that follow. This ends the unit that the lane holds. */
static void mark_unit(struct klv_receiver *rx, int damaged)
{
    klv_lane_mark(rx->lane, rx->pts, -1, -1, 0, damaged);
}

/* Before the first byte of a payload: mark a gap or a unit in the lane, and set the time of arrival. */
static void enter_lane(struct klv_receiver *rx)
{
    const struct rtp_datagram *p = &rx->payload;
    if (rx->form == (KLV | RTP)) {
        int another = enter_unit(rx);
        if (p->gap || (another && unfinished(rx)))
            mark_unit(rx, 1); /* the rest of the packet that is held was lost */
        if (p->gap || another)
            mark_unit(rx, rx->hit);
    } else if (p->gap) {
        klv_lane_break(rx->lane);
    }
    klv_lane_at(rx->lane, p->received_us);
    rx->bytes_in += p->size;
}

/* Demultiplex the payload: RECEIVE_DONE if all was read, RECEIVE_FULL (the next call reads the rest), or
 * RECEIVE_NEEDS_LANE. */
static int to_units(struct klv_receiver *rx, struct output *out)
{
    const struct rtp_datagram *p = &rx->payload;
    if (!rx->lane || rx->lane_ts != klv_receiver_ts(rx))
        return RECEIVE_NEEDS_LANE;
    if (!rx->begun)
        enter_lane(rx);
    rx->begun = 1;
    size_t count = 0;
    struct klv_entry *entries = out->entries + out->count;
    enum klv_status status = klv_lane_batch(rx->lane, p->payload, p->size, &rx->used, out->pool + out->fill,
                                            out->room - out->fill, entries, out->most - out->count, &count);
    size_t begin = out->fill;
    for (size_t i = 0; i < count; i++) {
        entries[i].at += (uint32_t)begin;
        out->fill = entries[i].at + entries[i].size;
        rx->bytes_out += entries[i].size;
    }
    out->count += count;
    return status == KLV_FULL ? RECEIVE_FULL : RECEIVE_DONE;
}

static void add_run(struct klv_receiver *rx, struct output *out, int damaged)
{
    out->runs[out->count++] =
        (struct klv_run){.at = (uint32_t)out->fill, .received_us = rx->payload.received_us, .pts = -1,
                         .ts = klv_receiver_ts(rx) != 0, .damaged = damaged != 0};
    rx->run_began_us = rx->payload.received_us;
}

/* Append the payload to the last run, or to a new one where another unit begins, bytes are missing, the carriage
 * changes, or the last run began RUN_US ago. */
static int to_runs(struct klv_receiver *rx, struct output *out)
{
    const struct rtp_datagram *p = &rx->payload;
    int in_units = rx->form == (KLV | RTP);
    if (p->size > out->room - out->fill || out->most - out->count < 2) /* a payload may need two */
        return RECEIVE_FULL;
    int another = in_units && enter_unit(rx);
    int damaged = in_units ? rx->hit : p->gap && rx->form != KLV;
    if (p->gap && !damaged) /* its bytes are whole, but do not continue those before: an empty run marks that */
        add_run(rx, out, 1);
    struct klv_run *run = out->count ? &out->runs[out->count - 1] : NULL;
    if (!run || another || damaged || run->damaged || run->ts != (klv_receiver_ts(rx) != 0) ||
        p->received_us - rx->run_began_us > RUN_US) {
        add_run(rx, out, damaged);
        run = &out->runs[out->count - 1];
    }
    if (in_units)
        run->pts = rx->pts;
    memcpy(out->pool + out->fill, p->payload, p->size);
    out->fill += p->size;
    run->size += (uint32_t)p->size;
    run->received_us = p->received_us;
    return RECEIVE_DONE;
}

/* ---- datagrams ---- */

/* 1 = the fixed sender, if there is one, sent it. IPv4 addresses are compared as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
static int from_sender(const struct klv_receiver *rx, const struct msghdr *head)
{
    const struct sockaddr_in6 *from = head->msg_name;
    struct sockaddr_in from4;
    uint8_t address[16] = {[10] = 0xff, [11] = 0xff};
    if (!rx->has_sender)
        return 1;
    if (from->sin6_family == AF_INET) {
        memcpy(&from4, from, sizeof from4);
        memcpy(address + 12, &from4.sin_addr, 4);
    } else {
        memcpy(address, &from->sin6_addr, sizeof address);
    }
    return memcmp(address, rx->sender, sizeof address) == 0;
}

static int64_t microseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000000 + time->tv_nsec / 1000;
}

/* When the datagram arrived, in microseconds since 1970. Notes a gap where the kernel dropped datagrams before it,
 * unless RTP is read, whose numbers show the same gap at its place. The control messages of a datagram:
 *
 *   cmsg_len | cmsg_level      | cmsg_type         | data
 *   32       | SOL_SOCKET (1)  | SCM_TIMESTAMPNS   | struct timespec of its arrival: seconds, nanoseconds since 1970
 *   20 (+ 4) | SOL_SOCKET      | SO_RXQ_OVFL (40)  | uint32_t: datagrams dropped since the socket was created; present
 *            |                 |                   | only if that is not 0
 *
 * The lengths are those of 64-bit systems.
 */
static int64_t arrival(struct klv_receiver *rx, struct msghdr *head)
{
    struct timespec time = {0, 0};
    for (struct cmsghdr *part = CMSG_FIRSTHDR(head); part; part = CMSG_NXTHDR(head, part)) {
        if (part->cmsg_level != SOL_SOCKET)
            continue;
        if (part->cmsg_type == SCM_TIMESTAMPNS) {
            memcpy(&time, CMSG_DATA(part), sizeof time);
        } else if (part->cmsg_type == SO_RXQ_OVFL) {
            uint32_t drops;
            memcpy(&drops, CMSG_DATA(part), sizeof drops);
            rx->gap |= drops != rx->drops && !(rx->form & RTP);
            rx->drops = drops;
        }
    }
    if (time.tv_sec == 0) /* it came before klv_receiver_init asked for time stamps */
        clock_gettime(CLOCK_REALTIME, &time);
    return microseconds(&time);
}

static void take(struct klv_receiver *rx, const struct rtp_datagram *payload)
{
    rx->payload = *payload;
    rx->taking = 1;
    rx->begun = 0;
    rx->used = 0;
}

static void stash_last(struct stash *stash, const struct rtp_datagram *datagram)
{
    stash->packets[stash->count] = *datagram;
    memcpy(stash->memory + stash->count++ * STASH_SLOT, datagram->payload, datagram->size);
}

/* Keep a packet of a sender that is not followed yet. If that sender is followed later, this packet is read too. */
static void stash_packet(struct klv_receiver *rx, const struct rtp_datagram *datagram)
{
    struct stash *stash = &rx->stash;
    if (datagram->size > STASH_SLOT || rx->lock.others == 1) { /* too large, or the first of a third sender */
        rx->counts.rtp_foreign += stash->count;
        stash->count = 0;
    }
    if (datagram->size > STASH_SLOT) {
        rx->counts.rtp_foreign++;
        return;
    }
    if (stash->count == SURE - 1) { /* the lock requires more than SURE in a row: keep the newest */
        rx->counts.rtp_foreign++;
        memmove(stash->memory, stash->memory + STASH_SLOT, (SURE - 2) * STASH_SLOT);
        memmove(stash->packets, stash->packets + 1, (SURE - 2) * sizeof *stash->packets);
        stash->count--;
    }
    stash_last(stash, datagram);
}

/* Push the next stashed packet to the order: 1, or 0 where there is none. */
static int push_stashed(struct klv_receiver *rx)
{
    struct stash *stash = &rx->stash;
    if (!stash->taking)
        return 0;
    stash->packets[stash->at].payload = stash->memory + stash->at * STASH_SLOT;
    rtp_order_push(&rx->order, &stash->packets[stash->at++]);
    if (stash->at == stash->count)
        stash->count = stash->at = stash->taking = 0;
    return 1;
}

/* One datagram on a socket with RTP: push it to the order if its sender is followed (rtp.h has the table). */
static void receive_rtp(struct klv_receiver *rx, enum form form, const uint8_t *in, size_t n, int64_t received_us)
{
    struct rtp_datagram datagram;
    if (!rtp_parse(in, n, &datagram)) {
        rx->counts.unknown++;
        return;
    }
    datagram.received_us = received_us;
    int far = rtp_order_far(&rx->order, datagram.sequence);
    enum rtp_verdict verdict = rtp_lock_take(&rx->lock, &datagram, far, form == rx->form);
    if (verdict == RTP_FOREIGN) {
        stash_packet(rx, &datagram);
    } else if (verdict == RTP_FOLLOWED && datagram.size <= STASH_SLOT) {
        stash_last(&rx->stash, &datagram);
        rx->stash.taking = 1; /* in order: the stashed ones, then this one */
    } else { /* its sender is followed, so that of the stashed ones is not */
        rx->counts.rtp_foreign += rx->stash.count;
        rx->stash.count = 0;
        rtp_order_push(&rx->order, &datagram);
    }
}

/* One datagram on a socket without RTP: read it at once, unless it is foreign or a copy. While the form is unknown, any
 * datagram is read if bytes are wanted. */
static void receive_plain(struct klv_receiver *rx, enum form form, struct rtp_datagram *datagram, int bytes_wanted)
{
    int known = rx->form != UNKNOWN;
    if (!known && !bytes_wanted) {
        rx->counts.unknown++;
    } else if (known && !admit(rx, form, datagram->payload, datagram->size)) {
        rx->counts.unknown++;
    } else if (known && klv_copies_take(&rx->copies, rx->form == TS, datagram->payload, datagram->size,
                                        datagram->received_us)) {
        rx->counts.udp_duplicates++;
    } else {
        rx->counts.unknown += !known;
        datagram->gap = rx->gap;
        rx->gap = 0;
        take(rx, datagram);
    }
}

/* One datagram in the buffers. */
static void receive(struct klv_receiver *rx, struct mmsghdr *message, int bytes_wanted)
{
    const uint8_t *in = message->msg_hdr.msg_iov->iov_base;
    size_t n = message->msg_len;
    int64_t received_us = arrival(rx, &message->msg_hdr);
    if (!from_sender(rx, &message->msg_hdr)) {
        rx->counts.strangers++;
        return;
    }
    rx->counts.datagrams++;
    rx->counts.size += n;
    if (n == 0)
        return;
    enum form form = learn(rx, in, n);
    if (rx->form & RTP)
        receive_rtp(rx, form, in, n, received_us);
    else
        receive_plain(rx, form, &(struct rtp_datagram){.payload = in, .size = n, .received_us = received_us},
                      bytes_wanted);
    if (message->msg_hdr.msg_flags & MSG_TRUNC) { /* its end is missing: a gap before the next one */
        rx->counts.truncated++;
        rx->gap = 1;
    }
}

/* Load what the datagrams will be compared with into the cache while the kernel copies them: with many sockets in turn,
 * none of it is still cached. */
static void prefetch_copies(const struct copies *copies)
{
    const uint8_t *tags = (const uint8_t *)copies->tags;
    for (size_t at = 0; at < sizeof copies->tags + CACHE_LINE; at += CACHE_LINE) /* and the counts after them */
        __builtin_prefetch(tags + at);
}

/* Receive the next datagrams: how many, or -errno. If fewer came than requested, there are no more: the budget becomes
 * 0, which saves a call that finds nothing. */
static int fetch(struct klv_receiver *rx, struct klv_buffers *buffers)
{
    unsigned most = rx->budget < PLACES ? rx->budget : PLACES;
    if (rx->has_sender)
        ask_for_senders(buffers, most);
    prefetch_copies(&rx->copies);
    int got = recvmmsg(rx->fd, buffers->messages, most, MSG_DONTWAIT, NULL);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    rx->budget = (unsigned)got < most ? 0 : rx->budget - most;
    rx->spent = (unsigned)got == most && rx->budget == 0;
    rx->got = (unsigned)got;
    rx->taken += (unsigned)got;
    rx->at = 0;
    return got;
}

/* Set `payload` to the next one that is due: 1; 0 = none; or -errno. In this order: the payload being read, the RTP
 * order, the stash, the buffers, the kernel. */
static int next_payload(struct klv_receiver *rx, struct klv_buffers *buffers, int bytes_wanted)
{
    struct rtp_datagram due;
    for (;;) {
        if (rx->taking)
            return 1;
        if (rx->form & RTP && rtp_order_next(&rx->order, &due)) {
            /* A late packet gets the time of the one before it: times of arrival never decrease. */
            if (due.received_us < rx->latest_us && rx->latest_us - due.received_us < LATE_US)
                due.received_us = rx->latest_us;
            rx->latest_us = due.received_us;
            due.gap |= rx->gap;
            rx->gap = 0;
            take(rx, &due);
        } else if (push_stashed(rx)) {
            continue;
        } else if (rx->at < rx->got) {
            receive(rx, &buffers->messages[rx->at], bytes_wanted);
            clear_place(buffers, rx->at++);
        } else {
            int got = rx->budget ? fetch(rx, buffers) : 0;
            if (got <= 0)
                return got;
        }
    }
}

/* At the end of a call, note which packet RTP waits for. Returns the bits to add to RECEIVE_DONE.
 *
 *   held before   held now   bits              `awaited`
 *   no            no         0
 *   no            yes        RECEIVE_HOLDING   the number that is missing now: the caller starts its timer
 *   yes           yes        RECEIVE_HOLDING   unchanged: RECEIVE_OVERDUE gives up that number, not a later one
 *   yes           no         RECEIVE_RESULTS   the caller stops its timer
 */
static int note_held(struct klv_receiver *rx)
{
    int awaited = rx->form & RTP ? rtp_order_waiting(&rx->order) : -1, held = rx->armed;
    if (awaited >= 0 && !rx->armed)
        rx->awaited = (uint16_t)awaited;
    rx->armed = awaited >= 0;
    return rx->armed ? RECEIVE_HOLDING : held ? RECEIVE_RESULTS : 0;
}

/* RECEIVE_OVERDUE: release the held packets, if they still wait for the number that was noted. */
static void release_overdue(struct klv_receiver *rx)
{
    if (rx->armed && rtp_order_waiting(&rx->order) == rx->awaited)
        rtp_order_release(&rx->order);
    rx->armed = 0;
}

/* How many datagrams a call may receive. */
static unsigned budget_of(struct klv_receiver *rx, int how)
{
    if (how != RECEIVE_EXPECTED)
        return how == RECEIVE_OVERDUE ? 0 : RECEIVE_BUDGET;
    unsigned expected = rx->taken < 1 ? 1 : rx->taken < PLACES ? rx->taken : PLACES;
    rx->taken = 0;
    return expected;
}

/* One call: turn payloads into results, until none is due or there is no room. */
static int read_socket(struct klv_receiver *rx, struct klv_buffers *buffers, int how, struct output *out)
{
    int status;
    if (how == RECEIVE_OVERDUE)
        release_overdue(rx);
    if (rx->at == rx->got && !rx->taking) { /* else the last call had no room: continue it */
        rx->budget = budget_of(rx, how);
        rx->spent = 0;
    }
    while ((status = next_payload(rx, buffers, out->runs != NULL)) == 1) {
        status = out->runs ? to_runs(rx, out) : to_units(rx, out);
        if (status != RECEIVE_DONE)
            return status;
        rx->taking = 0;
    }
    return status < 0 ? status : note_held(rx) | (out->count ? RECEIVE_RESULTS : 0);
}

int klv_receiver_units(struct klv_receiver *rx, struct klv_buffers *buffers, int how, uint8_t *pool, size_t room,
                       struct klv_entry *entries, size_t most, size_t *count)
{
    struct output out = {.pool = pool, .room = room, .most = most, .entries = entries};
    int status = read_socket(rx, buffers, how, &out);
    *count = out.count;
    return status;
}

int klv_receiver_runs(struct klv_receiver *rx, struct klv_buffers *buffers, int how, uint8_t *pool, size_t room,
                      struct klv_run *runs, size_t most, size_t *count)
{
    struct output out = {.pool = pool, .room = room, .most = most, .runs = runs};
    int status = read_socket(rx, buffers, how, &out);
    *count = out.count;
    return status;
}
