/* check.c - is the transport as it should be? Continuity, tables and streams of all PIDs (ISO/IEC 13818-1, ETSI TR
 * 101 290). Next door, clock.c has the PCRs.
 *
 * A packet that is all payload and in sequence never gets here: lane.c sees that at a glance (lane->next).
 *
 * Time goes by arrival where that is said, else by the PCRs of one PID. A while in which nothing at all came is no
 * table's fault and takes no time, nor does a jump of a clock. What came since the last look is taken to have come
 * at the next look only, so nothing is called late that may have been in time.
 */
#include "lane.h"

enum {
    TABLES_APART = 500000 * US,
    LOOK = 20000 * US,          /* between two looks at what is missing */
    ABSENT_US = 5000000
};

void ts_check_absent(struct klv_lane *lane, int64_t us)
{
    lane->absent = us < 0 ? 0 : us < INT64_MAX / US ? us * US : INT64_MAX;
}

void ts_check_init(struct klv_lane *lane)
{
    ts_check_absent(lane, ABSENT_US);
    ts_check_join(lane);
}

void ts_check_join(struct klv_lane *lane)
{
    for (size_t pid = 0; pid < 8192; pid++)
        lane->next[pid] = FRESH;
    lane->pat.came = 1;
    lane->pat.open = 0;
    for (unsigned i = 0; i < PMTS; i++) {
        lane->pmt[i].came = 1;
        lane->pmt[i].open = 0;
    }
    ts_clock_join(lane);
}

/* ---- what is not there in time ---- */

static int is_late(const struct klv_lane *lane, struct section *section)
{
    if (section->came) {
        section->seen = lane->now;
        section->came = section->late = 0;
    }
    if (section->late || lane->now - section->seen <= TABLES_APART)
        return 0;
    section->late = 1;
    return 1;
}

static void look_at_streams(struct klv_lane *lane)
{
    for (unsigned i = 0; i < lane->listed; i++) {
        struct stream *s = &lane->streams[i];
        if (!s->program)
            continue;
        if (!(lane->next[s->pid] & UNSEEN)) {
            s->seen = lane->now;
            s->late = 0;
        } else if (!s->late && lane->now - s->seen > lane->absent) {
            s->late = 1;
            lane->counts.pid_errors++;
        }
    }
    for (unsigned i = 0; i < lane->listed; i++)
        if (lane->streams[i].program)
            lane->next[lane->streams[i].pid] |= UNSEEN;
}

void ts_check_time(struct klv_lane *lane, int64_t ticks)
{
    lane->now += ticks;
    if (lane->now < lane->look || lane->stride == 0)
        return;
    lane->look = lane->now + LOOK;
    lane->counts.pat_errors += (unsigned)is_late(lane, &lane->pat);
    for (unsigned i = 0; i < PMTS && lane->pmt[i].pid; i++)
        lane->counts.pmt_errors += (unsigned)is_late(lane, &lane->pmt[i]);
    look_at_streams(lane);
}

void ts_check_arrival(struct klv_lane *lane, int64_t received_us)
{
    int64_t step = lane->received_us < 0 || received_us < 0 ? 0 : received_us - lane->received_us;
    lane->received_us = received_us;
    if (step < 0 || step > SILENCE_US)
        ts_clock_join(lane);
    else if (step > 0)
        ts_check_time(lane, step * US);
}

/* ---- packets ---- */

/* Nothing but one octet: two packets of stuffing are alike, though others may have been lost between them. */
static int is_stuffing(const uint8_t *p)
{
    size_t at = payload_at(p);
    return at + 1 >= TS_SIZE || memcmp(p + at, p + at + 1, TS_SIZE - at - 1) == 0;
}

/* Of a packet that comes twice each octet is the same but those of a PCR, 6 to 11 (2.4.3.3). A few tell. */
static uint32_t digest_of_packet(const uint8_t *p)
{
    uint64_t sum = be32(p), word;
    for (size_t at = 12; at < TS_SIZE; at += 56) {
        memcpy(&word, p + at, sizeof word);
        sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
        sum ^= sum >> 29;
    }
    return (uint32_t)(sum >> 32);
}

/* A digest of each packet would cost the video what the rest of the work on it does. So what came before a packet is
 * looked up when its number repeats: in the bytes of this run, or in what was kept of those before. */
void ts_check_keep(struct klv_lane *lane, const uint8_t *p, size_t count)
{
    for (size_t k = 1; k <= count && k <= NEAR; k++) {
        const uint8_t *q = p - k * lane->stride;
        uint32_t number = (uint32_t)lane->number - (uint32_t)k + 1;
        struct seen *seen = &lane->seen[be16(q + 1) & 0x1fff];
        if ((q[3] & 0x10) && number - seen->number < 0x80000000u)
            *seen = (struct seen){number, digest_of_packet(q)};
    }
}

/* Is the packet of this PID before p the same, and not long ago? */
static int is_same_as_before(const struct klv_lane *lane, const uint8_t *p, size_t pid)
{
    for (size_t k = 1; lane->run && k <= NEAR && (size_t)(p - lane->run) >= k * lane->stride; k++) {
        const uint8_t *q = p - k * lane->stride;
        if ((be16(q + 1) & 0x1fff) == pid && (q[3] & 0x10))
            return digest_of_packet(q) == digest_of_packet(p);
    }
    return (uint32_t)lane->number - lane->seen[pid].number <= NEAR && lane->seen[pid].digest == digest_of_packet(p);
}

/* A packet may come twice (2.4.3.3): of KLV that is known to the octet. */
static int is_twice(const struct klv_lane *lane, const uint8_t *p, size_t pid)
{
    unsigned role = lane->role[pid], at = (unsigned)payload_at(p);
    if (role < R_KLV || role >= R_KLV + KLV_PIDS)
        return is_same_as_before(lane, p, pid);
    return memcmp(p + at, lane->pids[role - R_KLV].last + at, TS_SIZE - at) == 0;
}

static uint32_t continuity(struct klv_lane *lane, const uint8_t *p, size_t pid, uint32_t next)
{
    unsigned ahead = ((unsigned)p[3] - next) & 15; /* 0 = it is the one that was due, 15 = the one before */
    if (ahead != 0 && !(next & FRESH) && !is_announced(p)) {
        unsigned twice = ahead == 15 && !(next & TWICE) && is_twice(lane, p, pid);
        lane->counts.duplicates += twice;
        lane->counts.continuity_errors += !twice;
        lane->faults += (!twice || is_stuffing(p)) && !(next & KNOWN_GAP);
        if (ahead == 15)
            return next | TWICE;
    }
    return due_after(p[3]);
}

void ts_check_odd(struct klv_lane *lane, const uint8_t *p, size_t pid)
{
    if (p[1] & 0x80) {
        lane->counts.transport_errors++;
        lane->faults++;
        lane->next[pid] |= FRESH; /* nothing in it is to be believed, and its PID may be another's */
        return;
    }
    if (pid == TS_NULL_PID)
        return;
    if (p[3] & 0xc0) {
        lane->counts.scrambled++;
        lane->counts.pat_errors += lane->role[pid] == R_PAT;
        lane->counts.pmt_errors += lane->role[pid] >= R_PMT;
    }
    uint32_t next = lane->next[pid] & ~(uint32_t)UNSEEN;
    if (p[3] & 0x10)
        lane->next[pid] = continuity(lane, p, pid, next);
    else /* no payload, no step */
        lane->next[pid] = is_announced(p) ? FRESH : next;
    if (p[3] & 0x20)
        ts_clock_field(lane, p, (uint16_t)pid);
}

void ts_check_gap(struct klv_lane *lane, const struct pid *s)
{
    for (unsigned i = 0; i < lane->listed; i++)
        if (lane->streams[i].program && lane->streams[i].pid != s->pid)
            lane->next[lane->streams[i].pid] |= KNOWN_GAP;
    lane->next[0] |= KNOWN_GAP;
    for (unsigned i = 0; i < PMTS && lane->pmt[i].pid; i++)
        lane->next[lane->pmt[i].pid] |= KNOWN_GAP;
}

/* ---- maps ---- */

static void list_program(struct klv_lane *lane, uint32_t program, uint16_t pcr_pid)
{
    struct program *place = NULL;
    for (unsigned i = PROGRAMS; i-- > 0;) {
        struct program *of = &lane->programs_of[i];
        if (of->listed == program) {
            of->pcr_pid = pcr_pid;
            return;
        }
        if (!of->listed)
            place = of;
    }
    if (place)
        *place = (struct program){program, pcr_pid};
}

/* The place of a program's stream, or one for it; NULL = there is none. */
static struct stream *stream_of(struct klv_lane *lane, uint32_t program, uint16_t pid)
{
    struct stream *place = NULL;
    for (unsigned i = STREAMS; i-- > 0;) {
        struct stream *s = &lane->streams[i];
        if (s->program == program && s->pid == pid)
            return s;
        if (!s->program)
            place = s;
    }
    return place;
}

/* A stream that is new, or another one on its PID, may begin anywhere in its count. */
static void list_stream(struct klv_lane *lane, uint32_t program, uint16_t pid, int type)
{
    struct stream *s = stream_of(lane, program, pid);
    if (!s)
        return;
    if (!s->program || s->type != type) {
        *s = (struct stream){.program = program, .pid = pid, .type = (uint8_t)type};
        lane->next[pid] = FRESH;
        lane->barren[pid / 8] &= (uint8_t)~(1u << pid % 8);
    }
    s->stale = 0;
}

static void strike(struct klv_lane *lane, struct stream *s)
{
    s->program = 0;
    ts_psi_unlist(lane, s->pid);
}

void ts_check_map(struct klv_lane *lane, const uint8_t *p, const uint8_t *end, uint32_t program, uint16_t pcr_pid)
{
    list_program(lane, program, pcr_pid);
    for (unsigned i = 0; i < STREAMS; i++)
        lane->streams[i].stale = lane->streams[i].program == program;
    for (size_t length; end - p >= 5 && (length = be16(p + 3) & 0x0fffu) <= (size_t)(end - p) - 5; p += 5 + length)
        list_stream(lane, program, be16(p + 1) & 0x1fff, p[0]);
    struct stream *clock = pcr_pid == TS_NULL_PID ? NULL : stream_of(lane, program, pcr_pid);
    if (clock && (!clock->program || clock->stale)) /* a PID for the clock alone */
        list_stream(lane, program, pcr_pid, 0);
    for (unsigned i = 0; i < STREAMS; i++)
        if (lane->streams[i].stale)
            strike(lane, &lane->streams[i]);
    for (lane->listed = STREAMS; lane->listed > 0 && !lane->streams[lane->listed - 1].program;)
        lane->listed--;
}

int klv_lane_program(const struct klv_lane *lane, int pid)
{
    for (unsigned i = 0; i < lane->listed; i++)
        if (lane->streams[i].program && lane->streams[i].pid == pid)
            return (int)(lane->streams[i].program - 1);
    return -1;
}

void ts_check_gone(struct klv_lane *lane, uint32_t program)
{
    for (unsigned i = 0; i < PROGRAMS; i++)
        if (lane->programs_of[i].listed == program)
            lane->programs_of[i].listed = 0;
    for (unsigned i = 0; i < STREAMS; i++)
        if (lane->streams[i].program == program)
            strike(lane, &lane->streams[i]);
}
