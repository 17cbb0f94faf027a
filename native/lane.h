/* lane.h - what the files of the transport lane share; inside the core only.
 *
 *   lane.c   bytes -> TS packets -> PIDs           psi.c    PAT, PMT: which PIDs may carry KLV
 *   pes.c    PES packets, AU cells -> hold         hold.c   bytes of one PID -> whole KLV packets
 *   wait.c   which of them have to wait            usual.c  what the PES packets and sets of a PID usually look like
 *   check.c  continuity and tables of all PIDs     clock.c  their PCRs
 *
 * One struct klv_lane follows one transport stream, or one stream of bare KLV. In it one struct pid follows one PID
 * that carries KLV; bare KLV has only pids[0].
 */
#ifndef LANE_H
#define LANE_H

#include "ts.h"
#include "primitives.h"

enum {
    SYNC_BYTES = 4,         /* sync bytes compared to find the stride */
    ACQUIRE = SYNC_BYTES * TS_STRIDE_MOST + 1, /* bytes that this takes, wherever in the first packet it begins */
    SECTION = 1024 + 3,     /* bytes of the largest section of a PAT or PMT */
    PMTS = 8,
    PROGRAMS = 8,           /* whose clocks are followed */
    CLOCKS = 8,
    STREAMS = 64,           /* of all PMTs, whose absence is noticed */
    LISTINGS = 256,         /* the first packets of a PID: they come with enum klv_listing, later ones with 0 */
    STEPS = 8,              /* the last steps of the PTS that are kept */
    ORDER = 24,             /* tags of a set whose order is compared */
    SETS = KLV_SETS,
    US = 27,                /* ticks of the PCR in a microsecond */
    SILENCE_US = 500000,    /* a pause of the whole transport stream: longer ones are left out of its time */
    CONFIRMATIONS = 8,      /* TS packets that must follow KLV: wait.c. A datagram of 1316 bytes has 7: if it came out
                               of order, a counter in the next one shows that */
    CONFIRM_US = 50000      /* or so much time must pass: networks deliver packets out of order within less */
};

static const size_t LENGTH_UNKNOWN = SIZE_MAX; /* of a PES packet or AU cell: its end is where the next one begins */
static const size_t NOWHERE = 0;               /* an offset of a hold that is not set: 0 is never one; see hold.c */

/* ---- what is expected of a PID's next TS packet ----
 *
 * lane->expected[pid] is the header of the next packet if that is all payload and nothing is wrong with it. PID,
 * priority and start of a unit are masked off by TS_FIXED, so that one comparison passes most packets of video. */
static const uint32_t TS_FIXED = 0xff8000ff, TS_PLAIN = 0x47000010;
static const uint32_t TS_START = 0x00400000; /* of a header: payload_unit_start_indicator */

/* Flags beside it. They are bits outside TS_FIXED: with any of them set, no header is equal. */
enum {
    ANY_COUNTER = 0x100,        /* the counter may begin anywhere */
    UNSEEN = 0x200,             /* no packet since the last check for listed streams */
    CAME_TWICE = 0x400,         /* the last packet came twice: a third time is a fault (2.4.3.3) */
    KNOWN_GAP = 0x800           /* a loss was found in another PID's counter: a gap in this one is the same loss */
};

static inline uint32_t expected_after(uint32_t header)
{
    return TS_PLAIN | ((header + 1) & 15);
}

/* What a PID carries. R_KLV + n: KLV, followed by pids[n]. R_PMT + n: the PMT of pmt[n]. R_PRIVATE: a listed private
 * stream that is not registered as KLV; it is followed once a key is seen in it. R_UNLISTED: no table lists it; it is
 * followed once a PES packet begins with a key. R_OTHER: registered as something else; likewise. R_NONE: video, audio,
 * null packets: never KLV. */
enum role { R_NONE, R_KLV = 1, R_PAT = R_KLV + KLV_PIDS, R_PRIVATE, R_UNLISTED, R_OTHER, R_PMT };

/* ---- one PID that carries KLV ---- */

/* Is an unlisted PID really a stream of KLV? A TS packet of another PID may have come with bit errors in its PID. psi.c
 * begins it, begin_unit in lane.c takes it on, a PMT that lists the PID ends it (klv_wait_proven). */
enum proof {
    PROVEN,                 /* a table lists it, or two PES packets began with a key */
    ONE_KEY,                /* one did: the next PES packet that begins with a key proves it */
    FIRST_KEY               /* the one that did is yet to be read: it must not count as the next one */
};

/* What a PES packet is being read for; the table of states is in pes.c. */
enum pes_state { S_WAIT, S_HEAD, S_DECIDE, S_CELL, S_DATA };

/* The reader of PES packets. Written by pes.c; after a gap by lane.c. */
struct pes {
    uint8_t state;              /* enum pes_state */
    uint8_t has_cells;          /* the payload is in metadata AU cells */
    uint8_t in_cell;            /* a metadata access unit is open: its last cell was its first or a middle one */
    uint8_t cell_sequence;      /* sequence_number of the last cell */
    uint8_t head[9 + 255];      /* the header being collected: of a PES packet, an AU cell, or to decide which it is */
    size_t have, need;          /* bytes in `head`, and that make it whole */
    size_t left;                /* bytes of the PES packet to come, those in `head` included; LENGTH_UNKNOWN */
    size_t cell_left;           /* of the cell; LENGTH_UNKNOWN: there is none, or a gap is in it */
};

/* Offsets into a hold's buffer, and nothing else: klv_hold_append moves all of them at once. Drawn in hold.c. */
struct offsets {
    size_t from, to;            /* the bytes that are held */
    size_t pes_begin;           /* where the payload of the last PES packet, or the last marked unit, begins */
    size_t cut;                 /* bytes were lost here: what is before it ends here; NOWHERE */
    size_t doubt_from, doubt_to; /* between them bytes may have been lost; none if doubt_to <= from */
    size_t last_ts_packet;      /* where the bytes of the last TS packet begin */
    size_t wait_end;            /* the end, as far as it came, of the PES packet whose KLV waits; NOWHERE: none does */
    size_t next_pes, next_end;  /* the PES packet after that, once it is complete; NOWHERE */
};

/* What the KLV at the front of a hold waits for; the table of states is in wait.c. */
enum wait {
    WAIT_NONE,                  /* it has not begun to wait */
    WAIT_PACKETS,               /* for TS packets of any PID after it */
    WAIT_PTS,                   /* for the PTS of the next PES packet */
    WAIT_PROOF,                 /* for the proof that its PID is a stream of KLV */
    WAIT_OVER                   /* for nothing more: it comes out */
};

/* When KLV came, as it goes out with its packets. */
struct arrival {
    int64_t pts;                /* 90 kHz; -1 = none */
    int64_t received_us;        /* of its last byte; -1 = not known */
    int64_t pcr;                /* of its program, 90 kHz; -1 = none */
    uint8_t is_older;           /* its PES packet follows a gap and is older than the one before: out of order */
};

/* Bytes of a PID that have not come out as packets. Written by hold.c; `wait` and what is below it, at.wait_end and
 * at.next_pes by wait.c; pes_begun by both; at.last_ts_packet, and `aligned` where a source breaks, by lane.c. */
struct hold {
    uint8_t *buffer;            /* hold_size + 1 bytes of the caller's */
    struct offsets at;
    uint8_t aligned;            /* a packet begins at `from`: after a whole one, or with a unit. KLV_STEP */
    uint8_t ready;              /* `view` is the packet at `from` */
    struct klv_view view;
    struct klv_search search;   /* through the bytes from `from` on */
    struct klv_search before;   /* the same before it found `view`, for taking it back */
    int64_t pts, pts_before;    /* of the bytes from pes_begin on, and of those before; 90 kHz, -1 = none */
    uint8_t is_older;           /* the PES packet from pes_begin on: struct arrival */
    uint8_t taken_back;         /* enum verdict: of the packet that comes out again; UNDECIDED: none does */
    uint8_t wait;               /* enum wait */
    uint8_t packets_left;       /* WAIT_PACKETS: TS packets that are yet to follow */
    uint16_t pts_packets;       /* WAIT_PTS: TS packets that came in that state */
    uint8_t pes_begun;          /* PES packets that began after the one that waits: 0, 1, or 2 for more */
    struct arrival waiting;     /* of what is before wait_end, as it was when the wait began */
    struct arrival next;        /* of the packets from next_pes to next_end: only received_us and pcr */
};

/* Is a packet damaged? hold.c decides that once a packet, since usual.c learns from it. */
enum verdict { UNDECIDED, SOUND, DAMAGED };

/* What is known of losses before or in a PES packet. Written by lane.c. klv_hold_begin_pes reads them, clears `gap` and
 * sets at_pes to at_packet; in WAIT_PTS wait.c sets at_packet to lane->faults. */
struct losses {
    uint64_t at_packet;         /* lane->faults at the PID's last TS packet: more by now = a loss since, of any PID */
    uint64_t at_pes;            /* the same at its last PES packet */
    uint8_t gap;                /* its counter showed one since the last PES packet began */
    uint8_t in_unit;            /* bare KLV: the caller marked the unit as damaged */
    uint8_t in_unit_before;     /* and that of what is held before it: it may come out when the next unit has begun */
};

/* When the PES packets of a PID come. Written by lane.c. */
struct pace {
    uint64_t pes_packet;        /* lane->number of the TS packet that the last PES packet began with */
    uint32_t own;               /* TS packets of this PID since, that one included */
    uint32_t others;            /* TS packets of other PIDs between the last two beginnings */
    int64_t came_us;            /* when the last TS packet arrived; -1 = not known */
};

/* What was usual so far. Written by usual.c, which explains the marks. */
struct usual {
    uint32_t summed;            /* a bit a set: one came with a good checksum */
    uint16_t bare[SETS];        /* mark: without a checksum */
    uint16_t disordered[SETS];  /* mark: items not whole, twice, or in another order */
    uint8_t ordered[SETS];      /* packets without that, up to a few */
    uint8_t order[SETS][ORDER]; /* the tags of the last one, in their order; 0 after them */
    uint16_t late;              /* mark: a step of the PTS longer than usual */
    uint16_t back;              /* mark: a PTS before the last one */
    uint16_t rest;              /* mark: bytes after a packet that begin no other */
    uint8_t inside;             /* TS packets that did not begin a PES packet, up to some */
    int64_t pause;              /* the longest pause before one of them, fading; 90 kHz */
    uint8_t steps;              /* how many are known; after 2 * STEPS - 1 STEPS again. Modulo STEPS: the next place */
    uint32_t step[STEPS];       /* of the PTS, 90 kHz, the last ones */
    uint32_t others[STEPS];     /* TS packets of other PIDs in each */
};

struct pid {
    /* Which PID, and what the tables say of it. Written by psi.c, `used` and `pid` by hold.c, `proof` also by lane.c
     * and wait.c; for bare KLV by klv_lane_mark. */
    uint8_t used;
    uint16_t pid;               /* TS_NULL_PID: bare KLV of no PID */
    uint32_t listed;            /* 1 + the number of the program whose PMT lists it; 0 = none does */
    uint8_t unlisted;           /* no table lists it */
    uint8_t by_key;             /* a PES packet that began with a key led to it, whatever the tables say */
    uint8_t proof;              /* enum proof: other than PROVEN only where no table lists it */
    uint8_t cells_announced;    /* its stream type is 0x15: metadata in AU cells */
    uint8_t listing;            /* of bare KLV: enum klv_listing */
    uint64_t handed_out;        /* packets */
    /* Its TS packets. Written by lane.c. */
    uint8_t counted;            /* `counter` is known */
    uint8_t counter;            /* continuity_counter of the last packet with payload */
    uint8_t last[TS_SIZE];      /* that packet, to know it when it comes twice */
    struct losses losses;
    struct pace pace;
    struct pes pes;
    struct hold hold;
    struct usual usual;
};

/* ---- the transport stream ---- */

/* A digest of some bytes of a TS packet, to recognise it if it comes twice. */
struct seen {
    uint32_t number;            /* lane->number of that packet */
    uint32_t digest;
};

/* A PAT or PMT being collected. Written by psi.c; `came`, `late` and `seen` also by check.c. */
struct section {
    uint16_t pid;               /* of a PMT; 0 = a free place */
    size_t have;                /* bytes in `data` */
    uint8_t counter, open;      /* continuity_counter of the last packet; a section is being collected */
    uint8_t begun;              /* a packet came: `counter` is known */
    uint8_t came, late;         /* one came since the time last advanced; none came for too long, and that is counted */
    int64_t seen;               /* lane->now when one was last found to have come */
    size_t kept_size;           /* of the section last taken: the same again is skipped */
    uint8_t data[SECTION], kept[SECTION];
};

/* A program whose clock is followed. Written by check.c. */
struct program {
    uint32_t listed;            /* 1 + its number; 0 = a free place */
    uint16_t pcr_pid;
};

/* A stream that a PMT lists, to see whether it is there. Written by check.c. */
struct stream {
    uint32_t program;           /* 1 + the program's number; 0 = a free place */
    uint16_t pid;
    uint8_t type;               /* stream_type; 0 = a PID that carries only the PCR */
    uint8_t stale;              /* while a PMT is read: it does not list the stream, so far */
    uint8_t late;               /* its absence is counted */
    int64_t seen;               /* lane->now when its packets were last found to have come */
};

/* The PCRs of a PID; times in ticks of 27 MHz. Written by clock.c. */
struct clock {
    uint16_t pid;               /* 0 = a free place */
    uint8_t known, steady;      /* has a value; the next one must continue it */
    int64_t pcr, received_us;
    int64_t origin_us, run;     /* when the first one arrived, and how far the clock has gone since */
    unsigned count;             /* of the PCRs that the line goes through */
    double level, slope;        /* the line: ticks that a PCR comes after its time, and that a PCR adds to that */
    double jitter;
};

/* What hand-out changes, to take the last packet back. */
struct undo {
    struct pid *pid;
    struct offsets at;
    uint8_t aligned;
};

struct klv_lane {
    /* Set by klv_lane_init. */
    int ts;                     /* 1 = a transport stream, 0 = bare KLV */
    size_t limit;               /* bytes of the largest value of a packet */
    size_t hold_size;           /* bytes that a hold takes */

    /* Finding TS packets: lane.c. */
    size_t stride;              /* from one sync byte to the next: 188, 192, 204; 0 = acquiring */
    size_t skip;                /* bytes to come that lie between two packets */
    size_t have;                /* bytes in `part` */
    uint8_t part[1024];         /* a packet, or bytes in which to find the stride, that came in pieces */
    const uint8_t *run;         /* where in the input the packets begin that are being taken; NULL = none are */
    uint64_t number;            /* of the current packet, from 1 on: counts.ts_packets after it */
    uint64_t duplicate;         /* `number` of the last packet that came twice, the second one; check.c */
    uint8_t ending;             /* the bytes broke off: what is held is to come out */

    /* The PIDs that carry KLV. */
    struct pid *draining;       /* its hold is searched before more bytes are taken; NULL = none. lane.c, hold.c */
    unsigned counting;          /* a bit a PID: its hold is in WAIT_PACKETS or WAIT_PTS: TS packets count. wait.c */
    unsigned released;          /* a bit a PID: its wait is over, its hold must be searched. wait.c, hold.c */
    struct undo undo;           /* hold.c */
    struct pid pids[KLV_PIDS];

    /* All PIDs. */
    uint8_t role[TS_PID_COUNT];     /* enum role. psi.c */
    uint8_t barren[TS_PID_COUNT / 8]; /* a bit a PID: its last PES packet began without a key. lane.c */
    uint32_t expected[TS_PID_COUNT]; /* see above. lane.c, check.c */
    struct seen seen[TS_PID_COUNT]; /* the PID's last packet, where `run` does not have it any more. check.c */

    /* Tables and streams: psi.c, check.c. */
    struct section pat, pmt[PMTS];
    struct program programs_of[PROGRAMS];
    struct stream streams[STREAMS];
    unsigned listed;            /* places of `streams` up to the last that is used */

    /* Time: check.c, clock.c. */
    int64_t received_us;        /* when the bytes being taken arrived; -1 = not known */
    int64_t now;                /* ticks of 27 MHz since the lane began, silences left out */
    int64_t look;               /* when to check tables and streams again */
    int64_t absent;             /* ticks after which a listed stream is missed: klv_lane_absent */
    unsigned beat;              /* index of the clock whose PCRs move `now` on */
    unsigned away;              /* PCRs of other PIDs since the last of that clock */
    struct clock clocks[CLOCKS];

    struct klv_counts counts;
    uint64_t faults;            /* TS packets lost or damaged, of any PID: each may be one of a PID that carries KLV */
};

static inline unsigned bit_of(const struct klv_lane *lane, const struct pid *s)
{
    return 1u << (s - lane->pids);
}

static inline int is_in_sync(const struct klv_lane *lane)
{
    return lane->stride != 0;
}

/* Does the hold keep bytes that a loss follows? */
static inline int is_cut(const struct hold *hold)
{
    return hold->at.cut != NOWHERE;
}

static inline int is_waiting(const struct hold *hold)
{
    return hold->wait == WAIT_PACKETS || hold->wait == WAIT_PTS || hold->wait == WAIT_PROOF;
}

/* Where the PES packet ends in which the byte at `from` came, as far as it has come. */
static inline size_t front_end(const struct hold *hold)
{
    return hold->at.from < hold->at.pes_begin ? hold->at.pes_begin : hold->at.to;
}

/* Is the whole packet under a checksum, right or wrong? KLV_PARTIAL is not. */
static inline int is_covered(const struct klv_view *view)
{
    return view->checksum == KLV_GOOD || view->checksum == KLV_BAD;
}

/* ---- hold.c: bytes of one PID, whole packets out ---- */

size_t klv_hold_room(size_t limit);                 /* hold_size for packets of that limit */
void klv_hold_open(struct pid *s, uint16_t number); /* a place begins to follow a PID */
void klv_hold_close(struct klv_lane *lane, struct pid *s); /* and stops: what it holds is discarded */
void klv_hold_append(struct klv_lane *lane, struct pid *s, const uint8_t *in, size_t n);
void klv_hold_begin_pes(struct pid *s, int64_t pts); /* bytes appended from here on have this time; -1 = none */
void klv_hold_end_unit(const struct klv_lane *lane, struct pid *s); /* bare KLV: a unit ends here */
void klv_hold_cut(struct pid *s);                   /* bytes were lost here */
void klv_hold_doubt(struct pid *s, size_t from, size_t to); /* bytes of this part of the hold may have been lost */
enum klv_status klv_hold_drain(struct klv_lane *lane, struct pid *s, struct klv_packet *packet);
void klv_hold_take_back(struct klv_lane *lane, const struct klv_packet *packet); /* the next drain returns it again */

/* ---- wait.c: which packets may come out ---- */

/* 1 = the packet at `from`, which is whole, stays in the hold for now; if it has to wait for what follows, the wait
 * begins here. `last`: as find_end in hold.c sets it. */
int klv_wait_hold_back(struct klv_lane *lane, struct pid *s, int last);
struct arrival klv_wait_arrival(const struct klv_lane *lane, const struct pid *s); /* of the packet at `from` */
void klv_wait_clear(struct klv_lane *lane, struct pid *s); /* what waited came out or was discarded: WAIT_NONE */
void klv_wait_count_packet(struct klv_lane *lane, int is_null); /* one more TS packet of any PID, after it was taken */
void klv_wait_count_own(struct klv_lane *lane, struct pid *s);  /* one more TS packet of this PID */
void klv_wait_proven(struct klv_lane *lane, struct pid *s);     /* its PID is a stream of KLV */

/* ---- usual.c: each learns from its argument, and returns 1 if that is unusual ---- */

/* A packet of KLV; `split`: its bytes came in several TS packets. It is written to meanwhile, and restored. */
int ts_usual_learn_packet(struct usual *u, const struct klv_view *view, uint8_t *packet, int split);
int ts_usual_learn_rest(struct usual *u, int rest);    /* do bytes after a packet begin no other? */
/* A step from one PTS to the next, 90 kHz, and the TS packets of other PIDs in it. `lost`: a loss is known in it, so it
 * is compared and not learnt. */
int ts_usual_learn_step(struct usual *u, int64_t step, uint32_t others, int lost);
int ts_usual_learn_back(struct usual *u, int back, int lost); /* is a PTS before the last one? */
int ts_usual_learn_pause(struct usual *u, int64_t pause); /* before a TS packet within a PES packet, 90 kHz */
/* This one learns nothing: the longest of the last steps of the PTS, 90 kHz; 0 = not known. */
int64_t ts_usual_step(const struct usual *u);

/* ---- pes.c ---- */

int ts_pes_begins_key(const uint8_t *in, size_t n); /* does a PES packet begin here, and KLV in it? */
void ts_pes_wait(struct klv_lane *lane, struct pid *s); /* for the next PES packet: nothing more of this one is read */
void ts_pes_begin(struct pes *pes);                 /* the next byte is the first of a PES packet */
int ts_pes_is_undecided(const struct pes *pes);     /* are bytes of the payload not yet in the hold? */
void ts_pes_bytes(struct klv_lane *lane, struct pid *s, const uint8_t *in, size_t n);

/* ---- psi.c ---- */

void ts_psi_init(struct klv_lane *lane);
struct pid *ts_psi_claim(struct klv_lane *lane, uint16_t number); /* a place for a PID that carries KLV, or NULL */
void ts_psi_unlist(struct klv_lane *lane, uint16_t number); /* a PMT that listed it no longer does */
void ts_psi_payload(struct klv_lane *lane, struct section *section, int role, const uint8_t *p);
int ts_psi_program(const struct pid *s);            /* whose PMT lists it; -1 = none does */
int ts_psi_listing(const struct klv_lane *lane, const struct pid *s); /* enum klv_listing */

/* ---- check.c ---- */

void ts_check_init(struct klv_lane *lane);
void ts_check_join(struct klv_lane *lane);          /* bytes begin here: they do not continue what was before */
void ts_check_absent(struct klv_lane *lane, int64_t us);
void ts_check_arrival(struct klv_lane *lane, int64_t received_us);
void ts_check_time(struct klv_lane *lane, int64_t ticks); /* advance the time */
void ts_check_packet(struct klv_lane *lane, const uint8_t *p, size_t pid); /* one that is not as expected */
void ts_check_keep(struct klv_lane *lane, const uint8_t *p, size_t count); /* digests of the `count` packets before p */
void ts_check_gap(struct klv_lane *lane, const struct pid *s); /* its counter showed a loss */
void ts_check_map(struct klv_lane *lane, const uint8_t *p, const uint8_t *end, uint32_t program, uint16_t pcr_pid);
void ts_check_gone(struct klv_lane *lane, uint32_t program); /* the PAT no longer lists it */

/* ---- clock.c ---- */

void ts_clock_join(struct klv_lane *lane);          /* the next PCR of each continues none */
void ts_clock_stop(struct klv_lane *lane);          /* and none is known */
void ts_clock_field(struct klv_lane *lane, const uint8_t *p, uint16_t pid); /* a packet with an adaptation field */
int64_t ts_clock_pcr(const struct klv_lane *lane, const struct pid *s); /* of the stream's program, 90 kHz; -1 = none */

#endif
