/* socket.c - one datagram socket: what the kernel holds for it, as finished KLV units or as bytes, in one call.
 *
 *   recvmmsg -> datagram -> other sender? -> form -> plain: came before?             -> payload -> lane  -> units
 *                                                 -> RTP: other SSRC? order restored             -> runs of bytes
 *
 * The form of a datagram is found in its bytes; the URL only says whether RTP is expected:
 *
 *   form      first bytes                                                  what follows
 *   TS        47, and 47 again 188, 192 or 204 bytes on                    MPEG-TS packets, as a rule 7 of 188
 *   KLV       06 0E 2B 34                                                  KLV packets, or the first part of one
 *   TS|RTP    RTP header, then as TS; or payload type 33, RTP expected     as TS (RFC 2250)
 *   KLV|RTP   RTP header, then 06 0E 2B 34                                 a unit of KLV, or its first part (RFC 6597)
 *   UNKNOWN   others                                                       rest of a packet or unit, or foreign data
 *
 * The first datagram with a form sets that of the socket. Another form must come SURE times in a row to replace it, so
 * that a stray datagram changes nothing.
 *
 * Bytes are missing where the kernel dropped datagrams, where one was longer than its place, and where RTP's numbers
 * have a gap. There the lane is cut, so that no KLV packet spans a loss.
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
    CACHE_LINE = 64,
    CONTROL = 128,          /* bytes for the control messages of a datagram: arrival() reads 56 */
    RTP_ROOM = 128 << 10,   /* bytes of the RTP datagrams that are held: more than RTP_HELD usual ones */
    RUN_US = 5000,          /* datagrams of one run arrived within this */
    LATE_US = 1000000,      /* no RTP is held for so long: where times differ by more, the system clock was set */
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

struct klv_basin {
    size_t datagram;
    struct mmsghdr messages[PLACES];
    struct place places[PLACES];
    uint8_t data[];
};

/* The last RTP packets of a sender that is not followed yet: copies, since the basin is used again. */
struct stash {
    struct rtp_datagram packets[SURE];
    unsigned count;                         /* of packets */
    unsigned taking, at;                    /* 1 = it is followed now: the packets are taken; the next one of them */
    uint8_t *memory;                        /* a slot for the payload of each */
};

struct klv_inlet {
    int fd, expects_rtp;
    uint8_t sender[16], has_sender;
    uint8_t form;                           /* enum form of the socket */
    uint8_t other_form, others;             /* what came instead, and how often in a row */
    uint8_t ragged;                         /* datagrams may begin in the midst of a packet */
    uint8_t odd;                            /* how many in a row began with no packet, where `ragged` is 0 */
    uint8_t gap;                            /* bytes are missing before the next payload */
    uint8_t armed;                          /* RTP was held at the end of the last call, */
    uint16_t awaited;                       /* for this sequence number */
    uint8_t taking, begun;                  /* `payload` is being taken; the lane was told where it belongs */
    uint8_t hit;                            /* of KLV in RTP: the unit has lost bytes */
    uint32_t drops;                         /* the kernel's count, as in the last control message */
    unsigned got, at;                       /* messages in the basin that are this inlet's; the next one of them */
    unsigned budget;                        /* datagrams that this call may still receive */
    uint8_t spent;                          /* the last recvmmsg used up the budget, and there may be more */
    unsigned taken;                         /* received since the last INLET_EXPECTED */
    size_t used;                            /* bytes of `payload` that the lane has taken */
    struct rtp_datagram payload;            /* RTP's header off, where there is one */
    uint32_t timestamp;                     /* of the unit of KLV in RTP */
    int64_t pts;                            /* the same, continued over its wrap to 33 bits; -1 = no unit yet */
    uint64_t fed, given;                    /* bytes into the lane, and in packets out of it */
    struct klv_lane *lane;
    int lane_ts;                            /* klv_inlet_ts when the lane was given */
    int64_t run_began_us;                   /* arrival of the first datagram of the last run */
    int64_t latest_us;                      /* of the last payload in RTP's order */
    struct klv_inlet_counts counts;         /* those of RTP: from before `order` was last initialised */
    struct rtp_lock lock;
    struct stash stash;
    struct rtp_order order;
    struct copies copies;
};

/* Where results go: entries or runs; the other one is NULL. */
struct outlet {
    uint8_t *pool;
    size_t room, fill;                      /* bytes of the pool, and those in use */
    size_t most, count;                     /* of the entries or runs */
    struct klv_entry *entries;
    struct klv_run *runs;
};

/* ---- the basin ---- */

static size_t stride_of(size_t datagram)
{
    /* Whole cache lines, and 17 more than 64 KiB: at a power of two all places would fall into the same sets. */
    return datagram + 1088 - datagram % 64;
}

size_t klv_basin_size(size_t datagram)
{
    return sizeof(struct klv_basin) + PLACES * stride_of(datagram);
}

/* recvmmsg writes the lengths and flags of a message: they are set again before each use. */
static void clear_place(struct klv_basin *basin, unsigned i)
{
    struct place *place = &basin->places[i];
    struct msghdr *head = &basin->messages[i].msg_hdr;
    head->msg_name = NULL;
    head->msg_namelen = 0;
    head->msg_iov = &place->bytes;
    head->msg_iovlen = 1;
    head->msg_control = place->control;
    head->msg_controllen = sizeof place->control;
    head->msg_flags = 0;
}

/* Ask for the senders of the next datagrams: only where they matter, since each costs the kernel a copy. */
static void ask_for_senders(struct klv_basin *basin, unsigned most)
{
    for (unsigned i = 0; i < most; i++) {
        basin->messages[i].msg_hdr.msg_name = &basin->places[i].sender;
        basin->messages[i].msg_hdr.msg_namelen = sizeof basin->places[i].sender;
    }
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

void klv_inlet_prefetch(const struct klv_inlet *inlet)
{
    for (size_t at = 0; at < offsetof(struct klv_inlet, lock); at += CACHE_LINE)
        __builtin_prefetch((const uint8_t *)inlet + at);
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

int klv_inlet_spent(const struct klv_inlet *inlet)
{
    return inlet->spent;
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

/* The form of the first datagram where it begins in the midst of a packet. */
static enum form ragged_form(const uint8_t *in, size_t n)
{
    struct rtp_datagram part;
    for (size_t i = 0; i < 204 && i + TS_SIZE < n; i++) /* a TS packet has at most 204 bytes */
        if (ts_is_sync(in + i, n - i))
            return TS;
    /* A key behind an RTP header is not plain KLV: the next unit of KLV in RTP begins a datagram, and sets the form. */
    for (size_t i = 0; i + 16 <= n && !rtp_parse(in, n, &part); i++)
        if (is_key(in + i, n - i))
            return KLV;
    return UNKNOWN;
}

/* The form of the socket changes: nothing that was held or remembered continues. */
static void turn_to(struct klv_inlet *inlet, enum form form)
{
    struct rtp_order *order = &inlet->order;
    klv_inlet_counts(inlet, &inlet->counts); /* `order` and `stash`, which hold some of them, begin with 0 */
    rtp_order_init(order, order->memory, order->room);
    inlet->gap |= inlet->form != UNKNOWN; /* the first form of all comes behind no loss */
    rtp_lock_init(&inlet->lock, SURE);
    inlet->stash.count = 0;
    klv_copies_init(&inlet->copies);
    inlet->form = (uint8_t)form;
    inlet->ragged = (form & KLV) != 0; /* a KLV packet may be larger than a datagram */
    inlet->others = inlet->odd = 0;
    inlet->pts = -1;
}

/* The form of a datagram. It becomes that of the socket if it is the first one, or the SURE-th of another in a row. */
static enum form learn(struct klv_inlet *inlet, const uint8_t *in, size_t n)
{
    enum form form = form_of(inlet, in, n);
    if (inlet->form == UNKNOWN) {
        enum form found = form == UNKNOWN ? ragged_form(in, n) : form;
        if (found != UNKNOWN)
            turn_to(inlet, found);
        inlet->ragged |= form == UNKNOWN; /* it was seen only by looking further in */
    } else if (form == inlet->form || (form == UNKNOWN && inlet->ragged)) { /* unknown: the rest of a packet */
        inlet->others = 0;
    } else if (form != UNKNOWN) {
        inlet->others = form == inlet->other_form ? (uint8_t)(inlet->others + 1) : 1;
        inlet->other_form = (uint8_t)form;
        if (inlet->others >= SURE)
            turn_to(inlet, form);
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
static int admit(struct klv_inlet *inlet, enum form form, const uint8_t *in, size_t n)
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

/* Does the lane hold a part of a packet? Not where a unit of KLV in RTP ended: a unit consists of whole packets. */
static int unfinished(const struct klv_inlet *inlet)
{
    struct klv_counts counts;
    klv_lane_counts(inlet->lane, &counts);
    return inlet->fed > inlet->given + counts.passed_over + counts.fill_bytes;
}

/* KLV in RTP (RFC 6597): all datagrams of a unit have one time stamp, and only the first begins with a key:
 *
 *   timestamp T: 06 0E 2B 34 ...   T: ...   T: ... marker   | timestamp U: 06 0E 2B 34 ...
 *
 * Behind a gap a unit is whole only if the datagram begins with a key. The marker bit is not used: not all senders set
 * it. Gives 1 where another unit begins.
 */
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

/* Bare KLV: what is known of the bytes to come. It ends the unit that the lane holds. */
static void mark_unit(struct klv_inlet *inlet, int damaged)
{
    klv_lane_mark(inlet->lane, inlet->pts, -1, -1, 0, damaged);
}

/* Before the first byte of a payload: mark a gap or a unit in the lane, and set the time of arrival. */
static void enter_lane(struct klv_inlet *inlet)
{
    const struct rtp_datagram *p = &inlet->payload;
    if (inlet->form == (KLV | RTP)) {
        int another = enter_unit(inlet);
        if (p->gap || (another && unfinished(inlet)))
            mark_unit(inlet, 1); /* the rest of the packet that is held was lost */
        if (p->gap || another)
            mark_unit(inlet, inlet->hit);
    } else if (p->gap) {
        klv_lane_break(inlet->lane);
    }
    klv_lane_at(inlet->lane, p->received_us);
    inlet->fed += p->size;
}

/* The payload through the lane: INLET_DRY once it is taken, INLET_FULL (the rest of it comes with the next call), or
 * INLET_LANE. */
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

/* The payload to the last run, or to a new one where another unit begins, bytes are missing, the carriage is another,
 * or the last one began RUN_US ago. */
static int to_runs(struct klv_inlet *inlet, struct outlet *out)
{
    const struct rtp_datagram *p = &inlet->payload;
    int in_units = inlet->form == (KLV | RTP);
    if (p->size > out->room - out->fill || out->most - out->count < 2) /* a payload may need two */
        return INLET_FULL;
    int another = in_units && enter_unit(inlet);
    int damaged = in_units ? inlet->hit : p->gap && inlet->form != KLV;
    if (p->gap && !damaged) /* its own bytes are whole, but do not continue those before: an empty run says so */
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

/* Did the fixed sender, if there is one, send it? IPv4 addresses are compared as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
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

/* When the datagram arrived, in microseconds since 1970. Notes a gap where the kernel dropped datagrams before it,
 * unless RTP is read, whose numbers show the same gap at its place. The control messages of a datagram:
 *
 *   cmsg_len | cmsg_level      | cmsg_type         | data
 *   32       | SOL_SOCKET (1)  | SCM_TIMESTAMPNS   | struct timespec of its arrival: seconds, nanoseconds since 1970
 *   20 (+ 4) | SOL_SOCKET      | SO_RXQ_OVFL (40)  | uint32_t: datagrams dropped since the socket was made; comes only
 *            |                 |                   | where that is not 0
 *
 * The lengths are those of 64-bit systems.
 */
static int64_t arrival(struct klv_inlet *inlet, struct msghdr *head)
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
            inlet->gap |= drops != inlet->drops && !(inlet->form & RTP);
            inlet->drops = drops;
        }
    }
    if (time.tv_sec == 0) /* it came before klv_inlet_init asked for time stamps */
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

static void stash_last(struct stash *stash, const struct rtp_datagram *datagram)
{
    stash->packets[stash->count] = *datagram;
    memcpy(stash->memory + stash->count++ * STASH_SLOT, datagram->payload, datagram->size);
}

/* Keep a packet of a sender that is not followed yet. If that one is followed later, this packet is taken too. */
static void stash_packet(struct klv_inlet *inlet, const struct rtp_datagram *datagram)
{
    struct stash *stash = &inlet->stash;
    if (datagram->size > STASH_SLOT || inlet->lock.others == 1) { /* not kept; or the first of yet another sender */
        inlet->counts.rtp_foreign += stash->count;
        stash->count = 0;
    }
    if (datagram->size > STASH_SLOT) {
        inlet->counts.rtp_foreign++;
        return;
    }
    if (stash->count == SURE - 1) { /* the lock wants more than SURE in a row: keep the newest */
        inlet->counts.rtp_foreign++;
        memmove(stash->memory, stash->memory + STASH_SLOT, (SURE - 2) * STASH_SLOT);
        memmove(stash->packets, stash->packets + 1, (SURE - 2) * sizeof *stash->packets);
        stash->count--;
    }
    stash_last(stash, datagram);
}

/* Push the next stashed packet to the order: 1, or 0 where there is none. */
static int push_stashed(struct klv_inlet *inlet)
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

/* One datagram on a socket of RTP: to the order, if it is of the sender that is read (rtp.h has the table). */
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
        stash_packet(inlet, &datagram);
    } else if (verdict == RTP_FOLLOWED && datagram.size <= STASH_SLOT) {
        stash_last(&inlet->stash, &datagram);
        inlet->stash.taking = 1; /* in order: the stashed ones, then this one */
    } else { /* of the sender that is read: the stashed ones were of another, and are not */
        inlet->counts.rtp_foreign += inlet->stash.count;
        inlet->stash.count = 0;
        rtp_order_push(&inlet->order, &datagram);
    }
}

/* One datagram on a socket without RTP: taken at once, unless it is of something else or a copy. Before the form is
 * known it is taken too where bytes are wanted, whatever they are. */
static void receive_plain(struct klv_inlet *inlet, enum form form, struct rtp_datagram *datagram, int bytes_wanted)
{
    int known = inlet->form != UNKNOWN;
    if (!known && !bytes_wanted) {
        inlet->counts.unknown++;
    } else if (known && !admit(inlet, form, datagram->payload, datagram->size)) {
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

/* One datagram of the basin. */
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
    if (message->msg_hdr.msg_flags & MSG_TRUNC) { /* its end is missing: a gap before the next one */
        inlet->counts.truncated++;
        inlet->gap = 1;
    }
}

/* What the datagrams will be compared with comes into the cache while the kernel copies them: where many sockets take
 * turns, none of it is there any more. */
static void prefetch_copies(const struct copies *copies)
{
    const uint8_t *tags = (const uint8_t *)copies->tags;
    for (size_t at = 0; at < sizeof copies->tags + CACHE_LINE; at += CACHE_LINE) /* and the counts behind them */
        __builtin_prefetch(tags + at);
}

/* Receive the next datagrams: how many, or -errno. Fewer than were asked for: there are no more, and the budget of this
 * call is 0, which saves a call that finds nothing. */
static int fetch(struct klv_inlet *inlet, struct klv_basin *basin)
{
    unsigned most = inlet->budget < PLACES ? inlet->budget : PLACES;
    if (inlet->has_sender)
        ask_for_senders(basin, most);
    prefetch_copies(&inlet->copies);
    int got = recvmmsg(inlet->fd, basin->messages, most, MSG_DONTWAIT, NULL);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    inlet->budget = (unsigned)got < most ? 0 : inlet->budget - most;
    inlet->spent = (unsigned)got == most && inlet->budget == 0;
    inlet->got = (unsigned)got;
    inlet->taken += (unsigned)got;
    inlet->at = 0;
    return got;
}

/* Set `payload` to the next one that is due: 1; 0 = none is; or -errno. In this order: the one that is being taken,
 * what RTP's order has, what is stashed, what is in the basin, what the kernel has. */
static int next_payload(struct klv_inlet *inlet, struct klv_basin *basin, int bytes_wanted)
{
    struct rtp_datagram due;
    for (;;) {
        if (inlet->taking)
            return 1;
        if (inlet->form & RTP && rtp_order_next(&inlet->order, &due)) {
            /* One that came late takes the time of the one before it: times of arrival do not go back. */
            if (due.received_us < inlet->latest_us && inlet->latest_us - due.received_us < LATE_US)
                due.received_us = inlet->latest_us;
            inlet->latest_us = due.received_us;
            due.gap |= inlet->gap;
            inlet->gap = 0;
            take(inlet, &due);
        } else if (push_stashed(inlet)) {
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

/* Note what RTP is held for, at the end of a call; gives the bits to add to INLET_DRY.
 *
 *   held before   held now   bits          `awaited`
 *   no            no         0
 *   no            yes        INLET_HOLDS   the number that is missing now: the caller's time runs from here
 *   yes           yes        INLET_HOLDS   stays: INLET_OVERDUE gives up that one only, not one that is missing since
 *   yes           no         INLET_NEWS    the caller need not call again for it
 */
static int note_held(struct klv_inlet *inlet)
{
    int awaited = inlet->form & RTP ? rtp_order_waiting(&inlet->order) : -1, held = inlet->armed;
    if (awaited >= 0 && !inlet->armed)
        inlet->awaited = (uint16_t)awaited;
    inlet->armed = awaited >= 0;
    return inlet->armed ? INLET_HOLDS : held ? INLET_NEWS : 0;
}

/* INLET_OVERDUE: release what is held, if it is still for the number that was noted. */
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

/* One call: payloads to results, until none is due or there is no room. */
static int wake(struct klv_inlet *inlet, struct klv_basin *basin, int how, struct outlet *out)
{
    int status;
    if (how == INLET_OVERDUE)
        give_up(inlet);
    if (inlet->at == inlet->got && !inlet->taking) { /* else the call before had no room: this one goes on with it */
        inlet->budget = budget_of(inlet, how);
        inlet->spent = 0;
    }
    while ((status = next_payload(inlet, basin, out->runs != NULL)) == 1) {
        status = out->runs ? to_runs(inlet, out) : to_units(inlet, out);
        if (status != INLET_DRY)
            return status;
        inlet->taking = 0;
    }
    return status < 0 ? status : note_held(inlet) | (out->count ? INLET_NEWS : 0);
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
