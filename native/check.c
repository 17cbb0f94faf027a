/* check.c - checks of the transport: continuity, tables and streams of all PIDs (ISO/IEC 13818-1; ETSI TR
 * 101 290, 5.2). The PCRs are in clock.c.
 *
 *   TR 101 290                       found by            when
 *   ---------------------------------------------------------------------------------------------------------------
 *   1.1 TS_sync_loss                 lane.c              two sync bytes one after the other are wrong, or one is
 *   1.2 Sync_byte_error              lane.c              one sync byte is wrong, the next one right
 *   1.3 PAT_error                    look_at_section     no PAT for 0.5 s
 *                                    ts_check_packet     PID 0 is scrambled
 *                                    psi.c               another table on PID 0
 *   1.4 Continuity_count_error       check_counter       the counter did not advance by one; a packet came three times
 *   1.5 PMT_error                    look_at_section     no PMT for 0.5 s on a PID that the PAT names
 *                                    ts_check_packet     that PID is scrambled
 *   1.6 PID_error                    look_at_streams     a stream that a PMT lists was absent for lane->absent
 *   2.1 Transport_error              ts_check_packet     transport_error_indicator is set
 *   2.2 CRC_error                    psi.c               of a PAT or PMT
 *   2.3 PCR_error                    clock.c
 *
 * A packet that is all payload and in sequence never reaches these checks: lane.c compares it with lane->expected.
 *
 * TIME is that of arrival if known, else that of the PCRs of one PID. A silence of the whole transport is no error of a
 * table, and does not advance the time; nor does a clock jump. What came since the last check is assumed to have come
 * at the next check: an absence may be counted a little late, but nothing that came in time is counted as absent.
 */
#include "lane.h"

enum {
    TABLES_APART = 500000 * US, /* 1.3, 1.5: the longest between two */
    LOOK = 20000 * US,          /* between two checks of what is missing */
    ABSENT_US = 5000000,        /* 1.6: lane->absent by default */
    DUPLICATE_NEAR = 16         /* TS packets of any PID within which a packet comes twice, if it does */
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
    for (size_t pid = 0; pid < TS_PID_COUNT; pid++)
        lane->expected[pid] = ANY_COUNTER;
    lane->pat.came = 1; /* as if each had come now: none is late before its time has passed once more */
    lane->pat.open = 0;
    for (unsigned i = 0; i < PMTS; i++) {
        lane->pmt[i].came = 1;
        lane->pmt[i].open = 0;
    }
    ts_clock_join(lane);
}

/* ---- what is missing ---- */

/* Notes whether a table came since the last check. 1 = it has now been absent too long; that is counted once. */
static unsigned look_at_section(const struct klv_lane *lane, struct section *section)
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

/* The same for each stream that a PMT lists. Two may have one PID: so the PIDs are marked as unseen after all were
 * checked. */
static void look_at_streams(struct klv_lane *lane)
{
    for (unsigned i = 0; i < lane->listed; i++) {
        struct stream *s = &lane->streams[i];
        if (!s->program)
            continue;
        if (!(lane->expected[s->pid] & UNSEEN)) {
            s->seen = lane->now;
            s->late = 0;
        } else if (!s->late && lane->now - s->seen > lane->absent) {
            s->late = 1;
            lane->counts.pid_errors++;
        }
    }
    for (unsigned i = 0; i < lane->listed; i++)
        if (lane->streams[i].program)
            lane->expected[lane->streams[i].pid] |= UNSEEN;
}

void ts_check_time(struct klv_lane *lane, int64_t ticks)
{
    lane->now += ticks;
    if (lane->now < lane->look || !is_in_sync(lane)) /* not in sync: that is counted, and nothing can be seen */
        return;
    lane->look = lane->now + LOOK;
    lane->counts.pat_errors += look_at_section(lane, &lane->pat);
    for (unsigned i = 0; i < PMTS && lane->pmt[i].pid; i++)
        lane->counts.pmt_errors += look_at_section(lane, &lane->pmt[i]);
    look_at_streams(lane);
}

void ts_check_arrival(struct klv_lane *lane, int64_t received_us)
{
    int64_t step = lane->received_us < 0 || received_us < 0 ? 0 : received_us - lane->received_us;
    lane->received_us = received_us;
    if (step < 0 || step > SILENCE_US) /* a silence, or the system clock was set: the next PCR continues none */
        ts_clock_join(lane);
    else if (step > 0)
        ts_check_time(lane, step * US);
}

/* ---- packets ---- */

/* All octets are equal. Two packets of stuffing are equal even if sixteen, or none, are missing between them. */
static int is_stuffing(const uint8_t *p)
{
    size_t at = ts_payload_at(p);
    return at + 1 >= TS_SIZE || memcmp(p + at, p + at + 1, TS_SIZE - at - 1) == 0;
}

/* In a packet that is sent twice, all octets are equal but those of a PCR, 6 to 11 (2.4.3.3). A few of them are enough
 * to recognise it. */
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

/* To make a digest of each packet would cost as much as all other work on video. So the packet before is looked up
 * when a counter repeats: in the bytes of this run, or here, where the last packets of each run are kept. */
void ts_check_keep(struct klv_lane *lane, const uint8_t *p, size_t count)
{
    for (size_t k = 1; k <= count && k <= DUPLICATE_NEAR; k++) {
        const uint8_t *q = p - k * lane->stride;
        uint32_t number = (uint32_t)lane->number - (uint32_t)k + 1;
        struct seen *seen = &lane->seen[ts_pid(q)];
        if (ts_has_payload(q) && number - seen->number < 0x80000000u) /* it is the later one; numbers wrap */
            *seen = (struct seen){number, digest_of_packet(q)};
    }
}

/* Is the packet of this PID before p the same, and near? Only then it is a duplicate: after sixteen others of its PID
 * the counter repeats too. */
static int is_same_as_before(const struct klv_lane *lane, const uint8_t *p, size_t pid)
{
    for (size_t k = 1; lane->run && k <= DUPLICATE_NEAR && (size_t)(p - lane->run) >= k * lane->stride; k++) {
        const uint8_t *q = p - k * lane->stride;
        if (ts_pid(q) == pid && ts_has_payload(q))
            return digest_of_packet(q) == digest_of_packet(p);
    }
    const struct seen *seen = &lane->seen[pid];
    return (uint32_t)lane->number - seen->number <= DUPLICATE_NEAR && seen->digest == digest_of_packet(p);
}

/* Is it the packet of its PID before once more (2.4.3.3)? Of a PID that carries KLV that one is kept, and compared
 * whole. */
static int is_twice(const struct klv_lane *lane, const uint8_t *p, size_t pid)
{
    unsigned role = lane->role[pid], at = (unsigned)ts_payload_at(p);
    if (role < R_KLV || role >= R_KLV + KLV_PIDS)
        return is_same_as_before(lane, p, pid);
    return memcmp(p + at, lane->pids[role - R_KLV].last + at, TS_SIZE - at) == 0;
}

/* Checks the counter of a packet with payload. What is expected after it.
 *
 *   ahead = counter - expected counter      effect
 *   ---------------------------------------------------------------------------------------------------------------
 *   0                                       in sequence
 *   any, with ANY_COUNTER, or announced     in sequence
 *   15, the same packet, first time         duplicate; the same is expected as before. Stuffing: also a fault, since it
 *                                           may as well be a loss of sixteen
 *   15, otherwise                           continuity error, a fault; the same is expected as before
 *   other                                   continuity error, a fault
 *
 * A fault makes KLV doubtful. A gap of a loss that ts_check_gap has announced is no fault: that loss is known
 * already. */
static uint32_t check_counter(struct klv_lane *lane, const uint8_t *p, size_t pid, uint32_t expected)
{
    unsigned ahead = (ts_counter(p) - expected) & 15;
    if (ahead == 0 || (expected & ANY_COUNTER) || ts_has_discontinuity(p))
        return expected_after(p[3]);
    unsigned twice = ahead == 15 && !(expected & CAME_TWICE) && is_twice(lane, p, pid);
    lane->counts.duplicates += twice;
    lane->duplicate = twice ? lane->number : lane->duplicate;
    lane->counts.continuity_errors += !twice;
    lane->faults += (!twice || is_stuffing(p)) && !(expected & KNOWN_GAP);
    return ahead == 15 ? expected | CAME_TWICE : expected_after(p[3]);
}

void ts_check_packet(struct klv_lane *lane, const uint8_t *p, size_t pid)
{
    if (ts_has_error(p)) {
        lane->counts.transport_errors++;
        lane->faults++;
        lane->expected[pid] |= ANY_COUNTER; /* any bit may be wrong, those of the counter and of the PID too */
        return;
    }
    if (pid == TS_NULL_PID) /* its counter is undefined (2.4.3.3) */
        return;
    if (ts_is_scrambled(p)) {
        lane->counts.scrambled++;
        lane->counts.pat_errors += lane->role[pid] == R_PAT;
        lane->counts.pmt_errors += lane->role[pid] >= R_PMT;
    }
    uint32_t expected = lane->expected[pid] & ~(uint32_t)UNSEEN;
    if (ts_has_payload(p))
        lane->expected[pid] = check_counter(lane, p, pid, expected);
    else /* without payload the counter does not advance, unless another one is announced */
        lane->expected[pid] = ts_has_discontinuity(p) ? ANY_COUNTER : expected;
    if (ts_has_field(p))
        ts_clock_field(lane, p, (uint16_t)pid);
}

/* A PID that carries KLV lost packets. One loss affects packets of several PIDs: gaps that these show next are no
 * further faults. */
void ts_check_gap(struct klv_lane *lane, const struct pid *s)
{
    for (unsigned i = 0; i < lane->listed; i++)
        if (lane->streams[i].program && lane->streams[i].pid != s->pid)
            lane->expected[lane->streams[i].pid] |= KNOWN_GAP;
    lane->expected[0] |= KNOWN_GAP;
    for (unsigned i = 0; i < PMTS && lane->pmt[i].pid; i++)
        lane->expected[lane->pmt[i].pid] |= KNOWN_GAP;
}

/* ---- what the PMTs list ---- */

/* The program's clock is followed, if there is a place. */
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

/* A stream that is new, or another one on its PID: its counter may begin anywhere, and it may carry KLV. */
static void list_stream(struct klv_lane *lane, uint32_t program, uint16_t pid, int type)
{
    struct stream *s = stream_of(lane, program, pid);
    if (!s)
        return;
    if (!s->program || s->type != type) {
        *s = (struct stream){.program = program, .pid = pid, .type = (uint8_t)type};
        lane->expected[pid] = ANY_COUNTER;
        lane->barren[pid / 8] &= (uint8_t)~(1u << pid % 8);
    }
    s->stale = 0;
}

/* No PMT lists the stream any more, or not this program's. */
static void strike(struct klv_lane *lane, struct stream *s)
{
    s->program = 0;
    ts_psi_unlist(lane, s->pid);
}

/* p[0..end) is a PMT's list of streams (drawn in psi.c). Those of the program that it does not list are removed. */
void ts_check_map(struct klv_lane *lane, const uint8_t *p, const uint8_t *end, uint32_t program, uint16_t pcr_pid)
{
    list_program(lane, program, pcr_pid);
    for (unsigned i = 0; i < STREAMS; i++)
        lane->streams[i].stale = lane->streams[i].program == program;
    for (size_t length; end - p >= 5 && (length = be16(p + 3) & 0x0fffu) <= (size_t)(end - p) - 5; p += 5 + length)
        list_stream(lane, program, be16(p + 1) & 0x1fff, p[0]);
    struct stream *clock = pcr_pid == TS_NULL_PID ? NULL : stream_of(lane, program, pcr_pid);
    if (clock && (!clock->program || clock->stale)) /* no stream has this PID: it carries only the PCR */
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
