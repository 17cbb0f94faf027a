/* lane.h - what the files of the transport lane share; inside the core only.
 *
 *   lane.c   bytes -> TS packets          psi.c    PAT, PMT: which PIDs may carry KLV
 *   pes.c    PES, AU cells                hold.c   what is not yet a whole packet, and packets out
 *   check.c  continuity and tables of all PIDs     clock.c   their PCRs
 *   usual.c  what the sets of a PID usually have
 */
#ifndef LANE_H
#define LANE_H

#include "ts.h"
#include "wire.h"

enum {
    BEATS = 4,              /* sync bytes looked at to be sure of the packet size */
    ACQUIRE = 4 * TS_STRIDE_MOST + 1,
    SECTION = 1024 + 3,
    PMTS = 8,
    PROGRAMS = 8,           /* whose clocks are followed */
    CLOCKS = 8,
    STREAMS = 64,           /* of all maps, that are waited for */
    LISTINGS = 256,         /* packets of a PID that say what is listed beside it */
    STEPS = 8,
    ORDER = 24,             /* tags of a set whose order is looked at */
    SETS = 32,              /* no fewer than klv_set_count */
    US = 27,                /* ticks */
    SILENCE_US = 500000,    /* in which nothing at all came */
    NEAR = 16,              /* TS packets within which a packet comes twice, if it does */
    WITNESSES = 8,          /* one more than a datagram has: where it was out of place, the next one tells */
    WITNESS_US = 50000      /* after which nothing is out of place any more */
};

/* A TS packet's header but for its PID, its priority and whether a payload begins: of one all payload, with no fault
 * marked, the counter is all that changes. */
static const uint32_t TS_FIXED = 0xff8000ff, TS_PLAIN = 0x47000010;

/* Beside the header that is due next of a PID: bits that no TS_FIXED has, so that nothing equals them. */
enum { FRESH = 0x100, UNSEEN = 0x200, TWICE = 0x400, KNOWN_GAP = 0x800 };

/* What a PID is to us. R_KLV + n: read by pids[n]; R_PMT + n: the n-th program's map; R_PRIVATE: private data
 * that nobody called KLV, worth a place once a key is seen in it; R_UNLISTED: no table lists it, so it is worth a place
 * once a PES packet begins with a key; so is R_OTHER, which is registered as something else. R_NONE: video, audio and what
 * else is never KLV. */
enum role { R_NONE, R_KLV = 1, R_PAT = R_KLV + KLV_PIDS, R_PRIVATE, R_UNLISTED, R_OTHER, R_PMT };

static const uint32_t TS_START = 0x00400000; /* of a header: a payload unit begins */

/* Where a PES is being read. */
enum state { S_WAIT, S_HEAD, S_DECIDE, S_CELL, S_DATA };

/* What the sets of a PID had so far. */
struct usual {
    uint32_t summed;            /* a bit a set: it had a good checksum */
    uint16_t bare[SETS];        /* how usual it is that it has none: usual.c */
    uint8_t sound[SETS];        /* packets without a checksum whose items were as they should be */
    uint16_t odd[SETS];         /* how usual it is that they are not */
    uint8_t order[SETS][ORDER]; /* the tags of the last one, in their order */
    uint16_t late, back, rest;  /* how usual a long step of the PTS is, one back, and bytes behind the end of a packet */
    uint8_t inside;             /* packets that did not begin a PES packet, up to some */
    int64_t pause;              /* the longest before one of them, fading; 90 kHz */
    uint8_t steps;              /* of the PTS, that are known */
    uint32_t step[STEPS];       /* the last ones, 90 kHz */
    uint32_t others[STEPS];     /* packets of other PIDs that came in each */
};

struct pid {
    uint16_t pid;
    uint32_t listed;            /* 1 + the number of the program whose map lists it; 0 = none does */
    uint8_t unlisted;           /* no table names it */
    uint8_t by_key;             /* it is read since a PES packet of it began with a key, whatever the tables say */
    uint8_t unproven;           /* PES packets that have yet to begin with a key, 2 or 1: a bit error may have made the PID */
    uint64_t began;             /* number of the packet that its last PES packet began with */
    uint32_t own, others;       /* packets since, of this PID; of others between the last two beginnings */
    uint8_t used, counter, counted, state, cells, announced, in_step, damaged;
    uint8_t cell_sequence, in_cell;
    uint8_t head[264];
    size_t have, need;          /* of `head` */
    size_t pes_left, cell_left; /* SIZE_MAX = not said */
    int64_t pts, pts_held;      /* of the bytes from `turn` on, and of those before */
    size_t from, to, turn, cut; /* of the hold; cut = where bytes were lost, 0 = nowhere */
    size_t doubt_from, doubt;   /* from where to where some may have been, without a word of the counter */
    size_t piece;               /* where in the hold the last TS packet's bytes begin */
    uint8_t waits, turns;       /* TS packets that are to follow what is held first, and PES packets begun since */
    uint64_t seen_faults;       /* `faults` when the last PES packet began */
    uint8_t gap, late;          /* packets are missing before the next PES packet; it is older than the one before */
    struct first {              /* what is held first, as it was when it began to wait; upto = its end, 0 = none */
        size_t upto;
        int late;
        int64_t pts, received_us, pcr;
    } first;
    struct next {               /* the PES packet that came to its end meanwhile; at = where it begins, 0 = none */
        size_t at;
        int64_t received_us, pcr;
    } next;
    struct klv_search search, before; /* through the hold; as it was before the packet that came out last */
    struct klv_view view;       /* the packet at `from`, where `ready` */
    uint8_t ready;
    uint64_t given;             /* packets handed out */
    uint8_t listing;            /* of bare KLV: enum klv_listing */
    uint64_t faults;            /* of the lane, when this PID's last packet came */
    struct usual usual;
    int64_t came_us;            /* when its last packet arrived; -1 = not said */
    uint16_t patience;          /* packets for which it was waited that the next PES packet begins */
    uint8_t again, judged;      /* the caller gave the last packet back: it comes again; it was damaged */
    uint8_t *hold;
    uint8_t last[TS_SIZE];      /* the TS packet before, to know it when it comes twice */
};

/* What a packet looked like: to know it when it comes twice. */
struct seen {
    uint32_t number, digest;
};

struct section {
    uint16_t pid;
    size_t have;
    uint8_t counter, open;
    uint8_t came, late;         /* since the time went on; for too long */
    int64_t seen;
    size_t kept_size;           /* of the section last taken: the same again is skipped */
    uint8_t data[SECTION], kept[SECTION];
};

struct program {
    uint32_t listed;            /* as in struct pid; 0 = a free place */
    uint16_t pcr_pid;
};

/* What a map lists, to see whether it is there. */
struct stream {
    uint32_t program;           /* 0 = a free place */
    uint16_t pid;
    uint8_t type, stale, late;
    int64_t seen;
};

/* The PCRs of a PID; times in ticks of 27 MHz. */
struct clock {
    uint16_t pid;               /* 0 = a free place */
    uint8_t known, steady;      /* has a value; the next one is to go on from it */
    int64_t pcr, received_us;
    int64_t origin_us, run;     /* when the first one arrived, and how far the clock has gone since */
    unsigned count;             /* of the PCRs that the line goes through */
    double level, slope;        /* the line: ticks that a PCR comes after its time, and a PCR more than the one before */
    double jitter;
};

struct klv_lane {
    int ts;
    size_t limit, hold_size;
    int64_t received_us;        /* of the bytes being taken; -1 = not known */
    unsigned programs;          /* of the PAT */
    int ending;                 /* the bytes broke off: what is held is to be given out */
    unsigned draining;          /* index of the PID to look for packets in, + 1 */
    unsigned waiting, due;      /* a bit a PID: of those that wait; whose wait is over */
    size_t stride;              /* from one sync byte to the next: 188, 192, 204; 0 = not in step */
    size_t skip;                /* bytes to come that lie between two packets */
    size_t have;                /* of `part` */
    uint8_t part[1024];
    struct pid *last;           /* whose packet came out last, for taking it back */
    size_t last_size, last_cut;
    uint8_t last_in_step;
    struct klv_counts counts;
    uint64_t faults;            /* of the line, on any PID: packets lost or spoilt */
    uint8_t role[8192];
    uint8_t barren[8192 / 8];   /* a bit a PID: its last PES packet began without a key */
    uint32_t next[8192];        /* TS_FIXED of a PID's next packet if it is all payload, and what else is known */
    uint64_t number;            /* of the packet being looked at */
    const uint8_t *run;         /* where in the input the packets begin that are being taken; NULL = none are */
    struct seen seen[8192];     /* of a PID's last packet, where the run does not have it any more */
    struct section pat, pmt[PMTS];
    struct pid pids[KLV_PIDS];
    int64_t now, look, absent;  /* ticks since the lane began; when to look at the streams again; klv_lane_absent */
    unsigned beat, away;        /* the clock that time goes by; PCRs of others since its last one */
    struct program programs_of[PROGRAMS];
    struct stream streams[STREAMS];
    unsigned listed;            /* behind these there is none */
    struct clock clocks[CLOCKS];
};

/* The payload of a TS packet: its offset, or TS_SIZE for none. */
static inline size_t payload_at(const uint8_t *p)
{
    if (!(p[3] & 0x10))
        return TS_SIZE;
    if (!(p[3] & 0x20))
        return 4;
    return p[4] < 183 ? 5u + p[4] : TS_SIZE;
}

static inline unsigned bit_of(const struct klv_lane *lane, const struct pid *s)
{
    return 1u << (s - lane->pids);
}

/* What stands in lane->next behind a packet that bears payload. */
static inline uint32_t due_after(uint32_t header)
{
    return TS_PLAIN | ((header + 1) & 15);
}

/* Does an adaptation field announce a discontinuity? */
static inline int is_announced(const uint8_t *p)
{
    return (p[3] & 0x20) && p[4] > 0 && (p[5] & 0x80);
}

/* hold.c: bytes of one PID, whole packets out */
size_t klv_hold_room(size_t limit);                 /* memory of each */
void klv_hold_open(struct pid *s, uint16_t number);
void klv_hold_cut(struct pid *s);                   /* bytes were lost here */
void klv_hold_doubt(struct pid *s, size_t from, size_t to); /* or may have been, somewhere in this part of the hold */
void klv_hold_turn(struct pid *s, int64_t pts);     /* what comes from here on has this time */
void klv_hold_end(const struct klv_lane *lane, struct pid *s);  /* of a unit of bare KLV */
void klv_hold_append(struct klv_lane *lane, struct pid *s, const uint8_t *in, size_t n);
void klv_hold_witness(struct klv_lane *lane, int counts); /* a TS packet more: does it speak for what waits? */
void klv_hold_followed(struct klv_lane *lane, struct pid *s); /* bytes of the PID itself came */
void klv_hold_proven(struct klv_lane *lane, struct pid *s); /* it is a stream of KLV: a table says so, or its next PES packet */
void klv_hold_forget(struct klv_lane *lane, struct pid *s); /* nothing of it waits any more */
enum klv_status klv_hold_drain(struct klv_lane *lane, struct pid *s, struct klv_packet *packet);
void klv_hold_take_back(struct klv_lane *lane, const struct klv_packet *packet);

/* usual.c: is something of a PID unlike what it usually is? */
int ts_usual_breach(struct usual *u, const struct klv_view *view, uint8_t *packet, int split); /* split: over TS packets */
int ts_usual_rest(struct usual *u, int rest);          /* bytes behind a packet that are none of the next one */
/* A step from one PTS to the next, 90 kHz, and the packets of other PIDs in it; lost: some between are. */
int ts_usual_late(struct usual *u, int64_t step, uint32_t others, int lost);
int ts_usual_back(struct usual *u, int back, int lost);
int ts_usual_pause(struct usual *u, int64_t pause);        /* between two packets of a PES packet */
int64_t ts_usual_step(const struct usual *u);          /* the longest of the last steps; 0 = not known */

/* pes.c */
int ts_pes_begins_key(const uint8_t *in, size_t n); /* does a PES packet begin here, and KLV in it? */
void ts_pes_wait(struct klv_lane *lane, struct pid *s);
void ts_pes_enter(struct pid *s, enum state state, size_t need);
void ts_pes_bytes(struct klv_lane *lane, struct pid *s, const uint8_t *in, size_t n);

/* psi.c */
void ts_psi_init(struct klv_lane *lane);
struct pid *ts_psi_claim(struct klv_lane *lane, uint16_t number); /* a place for a PID that carries KLV, or NULL */
void ts_psi_unlist(struct klv_lane *lane, uint16_t number); /* a map that listed it does not any more */
void ts_psi_payload(struct klv_lane *lane, struct section *section, int role, const uint8_t *p);
int ts_psi_program(const struct pid *s);           /* whose map lists it; -1 = none does */
int ts_psi_listing(const struct klv_lane *lane, const struct pid *s); /* enum klv_listing */

/* check.c */
void ts_check_init(struct klv_lane *lane);
void ts_check_join(struct klv_lane *lane);             /* what was before says nothing of what comes */
void ts_check_absent(struct klv_lane *lane, int64_t us);
void ts_check_arrival(struct klv_lane *lane, int64_t received_us);
void ts_check_keep(struct klv_lane *lane, const uint8_t *p, size_t count); /* the last packets before p: a run ends here */
void ts_check_odd(struct klv_lane *lane, const uint8_t *p, size_t pid); /* a packet that is not what lane->next says */
void ts_check_map(struct klv_lane *lane, const uint8_t *p, const uint8_t *end, uint32_t program, uint16_t pcr_pid);
void ts_check_gap(struct klv_lane *lane, const struct pid *s); /* seen in its counter: the others' will show the same one */
void ts_check_gone(struct klv_lane *lane, uint32_t program);
void ts_check_time(struct klv_lane *lane, int64_t ticks); /* it goes on by so much */

/* clock.c */
void ts_clock_join(struct klv_lane *lane);             /* the next PCR of each goes on from none */
void ts_clock_stop(struct klv_lane *lane);             /* and none is known */
void ts_clock_field(struct klv_lane *lane, const uint8_t *p, uint16_t pid); /* a packet with an adaptation field */
int64_t ts_clock_pcr(const struct klv_lane *lane, const struct pid *s); /* of the stream's program, 90 kHz; -1 = none */

#endif
