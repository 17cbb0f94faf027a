/* clock.c - the clocks of the programs: PCRs too far apart, clocks that jump, and how evenly they arrive (ISO/IEC
 * 13818-1, 2.7.2; ETSI TR 101 290, 2.3).
 *
 * The adaptation field of a TS packet (ISO/IEC 13818-1, 2.4.3.4 and 2.4.3.5), after the 4 bytes of its header:
 *
 *   byte  4        5       6         7         8        9       10             11      12 ..
 *        +--------+-------+---------+---------+--------+-------+--------------+-------+------------------------+
 *        | length | flags | b32..25 | b24..17 | b16..9 | b8..1 | b0 rrrrrr e8 | e7..0 | OPCR, splice countdown,|
 *        |        |       | program_clock_reference, where PCR_flag is 1                 | private data, stuffing |
 *        +--------+-------+--------------------------------------------------------------+------------------------+
 *
 *   length   bytes after it, 0 to 183; 0: a byte of stuffing, there are no flags
 *   flags    bit 7  discontinuity_indicator: the clock and the continuity counter may take a new value here
 *            bit 4  PCR_flag
 *   b        program_clock_reference_base, 33 bits: 90 kHz
 *   r        reserved, 6 bits
 *   e        program_clock_reference_extension, 9 bits: 27 MHz, 0 to 299
 *
 *   PCR = b x 300 + e, in ticks of 27 MHz; after 2^33 x 300 of them, 26.5 hours, it starts from 0
 *
 * What a clock does, by the events of its PID:
 *
 *   state      PCR                                  discontinuity_   ts_clock_join: in sync again,   ts_clock_stop:
 *                                                   indicator        arrivals paused or went back   the bytes ended
 *   free       place taken, start() -> steady       -                -                              -
 *   known      value replaced, start() -> steady    -                -                              -> free
 *   steady     step since the last PCR; if that     -> known         -> known                       -> free
 *              is too far: a jump, start()
 *
 * free: pid is 0. known: it has a last value, but the next PCR need not continue it. steady: it must.
 * Steady also does start() where arrival times become known or unknown.
 * How far a clock went is known from its PCRs alone; jumps and jitter also depend on when they arrived.
 */
#include "lane.h"

#include <math.h>

enum {
    PCR_APART = 100000 * US,    /* ticks from one PCR to the next, at most */
    AWAY = 32,                  /* PCRs of other clocks in a row, after which another clock sets the time */
    SETTLED = 64,               /* PCRs needed for the line before jitter is measured against it */
    REMEMBERED = 256,           /* PCRs that the line is fitted to; at 25 a second, ten seconds */
    SMOOTHED = 16               /* PCRs that the jitter is smoothed over */
};

static const int64_t WRAP = ((int64_t)1 << 33) * 300;
static const int64_t JUMP = (int64_t)10 * 1000000 * US; /* ticks: no clock steps so far from one PCR to the next */

void ts_clock_join(struct klv_lane *lane)
{
    for (unsigned i = 0; i < CLOCKS; i++)
        lane->clocks[i].steady = 0;
}

void ts_clock_stop(struct klv_lane *lane)
{
    for (unsigned i = 0; i < CLOCKS; i++)
        lane->clocks[i].pid = 0;
}

/* Does the PMT of a program name this PID as that of its PCRs? */
static int is_named(const struct klv_lane *lane, uint16_t pid)
{
    for (unsigned i = 0; i < PROGRAMS; i++)
        if (lane->programs_of[i].listed && lane->programs_of[i].pcr_pid == pid)
            return 1;
    return 0;
}

/* The clock of a PID, or NULL. With `claim` a PID that has none gets a place: a free one, or, if a PMT names the PID,
 * that of a clock that no PMT names. PCRs may come before the first PMT, so a clock need not be named. */
static struct clock *clock_of(struct klv_lane *lane, uint16_t pid, int claim)
{
    struct clock *place = NULL;
    for (unsigned i = 0; i < CLOCKS; i++) {
        struct clock *c = &lane->clocks[i];
        if (c->pid == pid)
            return c;
        if (c->pid == 0 || (!place && !is_named(lane, c->pid)))
            place = c;
    }
    if (!claim || !place || (place->pid && !is_named(lane, pid)))
        return NULL;
    memset(place, 0, sizeof *place);
    place->pid = pid;
    return place;
}

/* Jitter: how far a PCR's arrival is from a line through those before it, which takes out a constant delay and a clock
 * that goes faster or slower than ours. The line is that of least squares, updated with each PCR. Its gains are those
 * for n PCRs of the same weight; from REMEMBERED on n stays, so that older PCRs lose weight. */
static void measure(struct klv_lane *lane, struct clock *c)
{
    double late = (double)((lane->received_us - c->origin_us) * US - c->run), expected = c->level + c->slope;
    double off = late - expected, n = ++c->count;
    c->level = expected + off * (2 * (2 * n - 1) / (n * (n + 1)));
    if (c->count > 1) /* one point has no slope */
        c->slope += off * (6 / (n * (n + 1)));
    if (c->count == REMEMBERED)
        c->count--;
    if (c->count <= SETTLED)
        return;
    off = fabs(off) / US;
    c->jitter += (off - c->jitter) / SMOOTHED;
    if (off > (double)lane->counts.pcr_jitter_max_us)
        lane->counts.pcr_jitter_max_us = (uint64_t)(off + 0.5);
}

/* Restarts the clock from this PCR, and the line. The smoothed jitter stays until there is a new one. */
static void start(struct klv_lane *lane, struct clock *c)
{
    c->steady = 1;
    c->origin_us = lane->received_us;
    c->run = 0;
    c->count = 0;
    c->level = c->slope = 0;
}

/* Did the clock advance more than the time can have? Compares arrivals if known: a pause is no jump. */
static int has_jumped(const struct klv_lane *lane, const struct clock *c, int64_t step)
{
    if (step > JUMP) /* also a step back, which is one of nearly WRAP */
        return 1;
    if (lane->received_us < 0 || c->received_us < 0)
        return 0;
    return step / US - SILENCE_US > lane->received_us - c->received_us;
}

/* Without arrivals, as in a recording, the lane's time follows the steps of one clock, and of another once
 * that one has stopped. A step longer than a pause is left out, as are pauses of a live stream. */
static void beat(struct klv_lane *lane, const struct clock *c, int64_t step)
{
    unsigned index = (unsigned)(c - lane->clocks);
    if (index != lane->beat && ++lane->away <= AWAY)
        return;
    lane->beat = index;
    lane->away = 0;
    if (step > 0 && step <= (int64_t)SILENCE_US * US)
        ts_check_time(lane, step);
}

/* A PID that no PMT names counts no errors: its PCRs may be anything. */
static void take_pcr(struct klv_lane *lane, struct clock *c, int64_t pcr)
{
    int64_t step = c->steady ? (pcr - c->pcr + WRAP) % WRAP : 0;
    unsigned named = (unsigned)is_named(lane, c->pid);
    c->pcr = pcr;
    c->known = 1;
    if (c->steady && has_jumped(lane, c, step)) {
        lane->counts.pcr_discontinuity_errors += named;
        c->steady = 0;
        step = 0;
    }
    lane->counts.pcr_repetition_errors += step > PCR_APART ? named : 0;
    /* Arrivals that become known or unknown cannot be compared with those before. */
    if (!c->steady || (lane->received_us < 0) != (c->received_us < 0))
        start(lane, c);
    c->received_us = lane->received_us;
    c->run += step;
    if (lane->received_us < 0)
        beat(lane, c, step);
    else if (named)
        measure(lane, c);
}

void ts_clock_field(struct klv_lane *lane, const uint8_t *p, uint16_t pid)
{
    if (p[4] == 0 || p[4] > 183) /* no flags; longer than a packet */
        return;
    const int has_pcr = p[4] >= 7 && (p[5] & 0x10), is_new = p[5] & 0x80;
    struct clock *c = has_pcr || is_new ? clock_of(lane, pid, has_pcr) : NULL;
    if (!c)
        return;
    if (is_new)
        c->steady = 0;
    const int64_t base = ((int64_t)be32(p + 6) << 1) | (p[10] >> 7), extension = (p[10] & 1) << 8 | p[11];
    if (has_pcr)
        take_pcr(lane, c, base * 300 + (extension < 300 ? extension : 299)); /* above 299 it has no meaning */
}

/* The program whose PMT lists the PID. For bare KLV from a transport stream, the caller gave its number. */
int64_t ts_clock_pcr(const struct klv_lane *lane, const struct pid *s)
{
    uint32_t program = s->listed;
    for (unsigned i = 0; i < lane->listed && program == 0; i++) /* the rest is not listed */
        if (lane->streams[i].program && lane->streams[i].pid == s->pid)
            program = lane->streams[i].program;
    for (unsigned i = 0; i < PROGRAMS && program; i++) {
        if (lane->programs_of[i].listed != program)
            continue;
        for (unsigned k = 0; k < CLOCKS; k++)
            if (lane->clocks[k].pid == lane->programs_of[i].pcr_pid && lane->clocks[k].known)
                return lane->clocks[k].pcr / 300;
    }
    return -1;
}
