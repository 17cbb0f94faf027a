/* clock.c - the clocks of the programmes: PCRs too far apart, clocks that jump, and how evenly they arrive (ISO/IEC
 * 13818-1, 2.7.2; ETSI TR 101 290, 2.3).
 *
 * How far a clock went is what its PCRs say; whether it jumped, and the jitter, only their arrival can tell.
 */
#include "lane.h"

#include <math.h>

enum {
    PCR_APART = 100000 * US,
    AWAY = 32,                  /* PCRs of others after which time goes by another clock */
    SETTLED = 64,               /* PCRs after which the line tells what is late */
    REMEMBERED = 256,           /* PCRs that the line goes through; at 25 a second, ten seconds */
    SMOOTHED = 16
};

static const int64_t WRAP = ((int64_t)1 << 33) * 300;
static const int64_t JUMP = (int64_t)10 * 1000000 * US;

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

static int is_named(const struct klv_lane *lane, uint16_t pid)
{
    for (unsigned i = 0; i < PROGRAMS; i++)
        if (lane->programs_of[i].listed && lane->programs_of[i].pcr_pid == pid)
            return 1;
    return 0;
}

/* A PID's clock; for `claim` a place for it, if need be that of one that no map names. */
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

/* How late a PCR came, against a line through those before it: the least squares of a memory that grows, then fades. */
static void measure(struct klv_lane *lane, struct clock *c)
{
    double late = (double)((lane->received_us - c->origin_us) * US - c->run), expected = c->level + c->slope;
    double off = late - expected, n = ++c->count;
    c->level = expected + off * (2 * (2 * n - 1) / (n * (n + 1)));
    if (c->count > 1)
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

static void start(struct klv_lane *lane, struct clock *c)
{
    c->steady = 1;
    c->origin_us = lane->received_us;
    c->run = 0;
    c->count = 0;
    c->level = c->slope = 0;
}

/* Did the clock go further than time may have? */
static int has_jumped(const struct klv_lane *lane, const struct clock *c, int64_t step)
{
    if (step > JUMP)
        return 1;
    if (lane->received_us < 0 || c->received_us < 0)
        return 0;
    return step / US - SILENCE_US > lane->received_us - c->received_us;
}

/* Time goes by one clock, and by another one when that stops. */
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
    if (p[4] == 0 || p[4] > 183)
        return;
    int has_pcr = p[4] >= 7 && (p[5] & 0x10);
    struct clock *c = has_pcr || (p[5] & 0x80) ? clock_of(lane, pid, has_pcr) : NULL;
    if (!c)
        return;
    if (p[5] & 0x80)
        c->steady = 0;
    int64_t base = ((int64_t)be32(p + 6) << 1) | (p[10] >> 7), more = (p[10] & 1) << 8 | p[11];
    if (has_pcr)
        take_pcr(lane, c, base * 300 + (more < 300 ? more : 299));
}

int64_t ts_clock_pcr(const struct klv_lane *lane, const struct pid *s)
{
    uint32_t program = s->listed;
    for (unsigned i = 0; i < lane->listed && program == 0; i++) /* behind these no map lists any */
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
