/* psi.c - PAT and PMT: which PIDs may carry KLV (ISO/IEC 13818-1). */
#include "lane.h"

enum { KLVA = 0x4b4c5641, FIRST_PID = 0x10 };

static const uint32_t GONE = UINT32_MAX; /* `listed` of a stream whose program lists it no more */

void ts_psi_init(struct klv_lane *lane)
{
    memset(lane->role, R_UNLISTED, sizeof lane->role);
    memset(lane->role, R_NONE, FIRST_PID);
    lane->role[0] = R_PAT;
    lane->role[TS_NULL_PID] = R_NONE;
}

static int is_klv(const struct klv_lane *lane, uint16_t number)
{
    return lane->role[number] >= R_KLV && lane->role[number] < R_KLV + KLV_PIDS;
}

/* Its PID may carry tables or KLV; 0: it is taken. */
static int is_open(const struct klv_lane *lane, uint16_t number)
{
    uint8_t role = lane->role[number];
    return role == R_NONE || role == R_PRIVATE || role == R_UNLISTED || role == R_OTHER;
}

static void let_go(struct klv_lane *lane, struct pid *s)
{
    lane->role[s->pid] = R_UNLISTED;
    klv_hold_close(lane, s);
}

/* A free place, or that of a stream which has less claim to one. */
static struct pid *free_place(struct klv_lane *lane, int unlisted)
{
    struct pid *less = NULL;
    for (unsigned i = 0; i < KLV_PIDS; i++) {
        struct pid *s = &lane->pids[i];
        if (!s->used)
            return s;
        if (s->unproven || (!unlisted && s->unlisted))
            less = less && less->unproven ? less : s;
    }
    if (less)
        let_go(lane, less);
    return less;
}

static uint32_t program_of(const struct klv_lane *lane, uint16_t number)
{
    for (unsigned i = 0; i < lane->listed; i++)
        if (lane->streams[i].program && lane->streams[i].pid == number)
            return lane->streams[i].program;
    return 0;
}

struct pid *ts_psi_claim(struct klv_lane *lane, uint16_t number)
{
    int unlisted = lane->role[number] == R_UNLISTED, other = lane->role[number] == R_OTHER;
    if (is_klv(lane, number))
        return &lane->pids[lane->role[number] - R_KLV];
    struct pid *s = is_open(lane, number) ? free_place(lane, unlisted) : NULL;
    if (s == NULL)
        return NULL;
    klv_hold_open(s, number);
    s->unlisted = (uint8_t)unlisted;
    s->by_key = (uint8_t)(unlisted || other);
    s->unproven = unlisted ? FIRST_KEY : PROVEN;
    s->listed = program_of(lane, number);
    lane->role[number] = (uint8_t)(R_KLV + (s - lane->pids));
    return s;
}

/* The format identifier of a registration descriptor; 0 = none. */
static uint32_t format_of(const uint8_t *descriptors, size_t n)
{
    for (size_t at = 0; n - at >= 2 && descriptors[at + 1] <= n - at - 2; at += 2u + descriptors[at + 1])
        if (descriptors[at] == 0x05 && descriptors[at + 1] >= 4)
            return be32(descriptors + at + 2);
    return 0;
}

/* Video and audio of ISO/IEC 13818-1, table 2-34. */
static int is_media(uint8_t type)
{
    return (type >= 0x01 && type <= 0x04) || (type >= 0x0f && type <= 0x11) || type == 0x1b || type == 0x1c ||
           (type >= 0x1e && type <= 0x25) || (type >= 0x27 && type <= 0x2b) || type == 0x2d || type == 0x2e ||
           (type >= 0x31 && type <= 0x36) || type == 0x42;
}

static void follow_pid(struct klv_lane *lane, struct pid *s, uint32_t program, uint8_t type)
{
    if (!s->listed || s->listed == GONE) /* of two programs, the first that listed it */
        s->listed = program;
    s->announced = type == 0x15;
    s->unlisted = 0;
    klv_hold_proven(lane, s);
}

/* Was a PES packet that begins with a key what led to it? Then another registration changes nothing. */
static int begins_with_key(const struct klv_lane *lane, uint16_t number)
{
    return lane->pids[lane->role[number] - R_KLV].by_key;
}

/* The PIDs of a program that carry KLV: `claim` = 0: mark those that are followed already; 1: follow them all. Any other
 * that is neither video nor audio is private, and a key in it is what tells: of one that is registered as something else, a
 * key that a PES packet begins with. */
static void list_streams(struct klv_lane *lane, const uint8_t *p, const uint8_t *end, uint32_t program, int claim)
{
    while (end - p >= 5) {
        uint8_t type = p[0];
        uint16_t number = be16(p + 1) & 0x1fff;
        size_t length = be16(p + 3) & 0x0fffu;
        if (length > (size_t)(end - p) - 5)
            return;
        uint32_t format = type == 0x06 || type >= 0x80 ? format_of(p + 5, length) : 0;
        int media = is_media(type), known = is_klv(lane, number);
        if (type == 0x15 || format == KLVA || (known && !media && (format == 0 || begins_with_key(lane, number)))) {
            if (claim && is_open(lane, number))
                lane->role[number] = R_PRIVATE; /* listed, at least */
            struct pid *s = known || claim ? ts_psi_claim(lane, number) : NULL;
            if (s)
                follow_pid(lane, s, program, type);
        } else if (known) {
            struct pid *s = ts_psi_claim(lane, number);
            s->listed = s->listed == 0 ? GONE : s->listed; /* or another program's */
        } else if (is_open(lane, number)) {
            lane->role[number] = media ? R_NONE : format ? R_OTHER : R_PRIVATE;
        }
        p += 5 + length;
    }
}

static void take_pmt(struct klv_lane *lane, const struct section *section, size_t size)
{
    const uint8_t *p = section->data + 12, *end = section->data + size - 4;
    uint16_t pcr_pid = be16(section->data + 8) & 0x1fff;
    size_t info = be16(section->data + 10) & 0x0fffu;
    uint32_t program = 1u + be16(section->data + 3);
    if (info > (size_t)(end - p))
        return;
    for (unsigned i = 0; i < KLV_PIDS; i++) {
        struct pid *s = &lane->pids[i];
        if (s->listed == program)
            s->listed = GONE;
    }
    list_streams(lane, p + info, end, program, 0);
    for (unsigned i = 0; i < KLV_PIDS; i++)
        if (lane->pids[i].used && lane->pids[i].listed == GONE)
            let_go(lane, &lane->pids[i]);
    list_streams(lane, p + info, end, program, 1);
    ts_check_map(lane, p + info, end, program, pcr_pid);
}

void ts_psi_unlist(struct klv_lane *lane, uint16_t number)
{
    if (number >= FIRST_PID && is_open(lane, number) && program_of(lane, number) == 0)
        lane->role[number] = R_UNLISTED;
}

int ts_psi_program(const struct pid *s)
{
    return s->listed && s->listed != GONE ? (int)(s->listed - 1) : -1;
}

/* It has brought KLV, or nothing yet that shows that it brings none. */
static int may_carry(const struct klv_lane *lane, uint16_t number)
{
    int known = is_klv(lane, number);
    if (known && lane->pids[lane->role[number] - R_KLV].given)
        return 1;
    return (known || lane->role[number] == R_PRIVATE) && !(lane->barren[number / 8] >> number % 8 & 1);
}

int ts_psi_listing(const struct klv_lane *lane, const struct pid *s)
{
    int lower = 0, here = 0, alone = ts_psi_program(s) >= 0;
    if (!lane->ts)
        return s->listing;
    for (unsigned i = 0; i < lane->listed; i++) {
        const struct stream *other = &lane->streams[i];
        if (!other->program || other->pid == s->pid || !may_carry(lane, other->pid))
            continue;
        lower |= other->pid < s->pid;
        here |= other->pid < s->pid && other->program == s->listed;
        alone &= other->program != s->listed;
    }
    return lower * KLV_LOWER + here * KLV_LOWER_HERE + alone * KLV_ALONE;
}

static int in_pat(const struct section *section, size_t size, uint32_t program)
{
    for (size_t at = 8; at + 4 <= size - 4; at += 4)
        if (1u + be16(section->data + at) == program)
            return 1;
    return 0;
}

static void take_pat(struct klv_lane *lane, const struct section *section, size_t size)
{
    unsigned count = 0;
    lane->programs = 0;
    for (unsigned i = 0; i < PMTS; i++)
        if (lane->pmt[i].pid)
            lane->role[lane->pmt[i].pid] = R_UNLISTED;
    for (size_t at = 8; at + 4 <= size - 4 && count < PMTS; at += 4) {
        uint16_t program = be16(section->data + at), number = be16(section->data + at + 2) & 0x1fff;
        lane->programs += program != 0;
        if (program == 0 || number == 0 || !is_open(lane, number))
            continue;
        if (lane->pmt[count].pid != number) {
            memset(&lane->pmt[count], 0, sizeof lane->pmt[count]);
            lane->pmt[count].pid = number;
            lane->pmt[count].came = 1; /* that is, it is late from now on only */
        }
        lane->role[number] = (uint8_t)(R_PMT + count++);
    }
    for (; count < PMTS; count++)
        lane->pmt[count].pid = 0; /* its PID may be another stream's from now on */
    for (unsigned i = 0; i < KLV_PIDS; i++)
        if (lane->pids[i].listed && !in_pat(section, size, lane->pids[i].listed))
            lane->pids[i].listed = GONE; /* with the next map, unless that lists it */
    for (unsigned i = 0; i < PROGRAMS; i++)
        if (!in_pat(section, size, lane->programs_of[i].listed))
            ts_check_gone(lane, lane->programs_of[i].listed);
}

static void take_section(struct klv_lane *lane, struct section *section, int role)
{
    size_t size = 3u + (be16(section->data + 1) & 0x0fffu);
    int ours = section->data[0] == (role == R_PAT ? 0x00 : 0x02) && (role == R_PAT || size >= 16);
    int again = ours && size == section->kept_size && memcmp(section->data, section->kept, size) == 0;
    if (!ours && (role != R_PAT || !(section->data[1] & 0x80))) { /* one without a CRC, or none that we know */
        lane->counts.pat_errors += role == R_PAT;
        return;
    }
    if (!again && klv_crc32(section->data, size - 4) != be32(section->data + size - 4)) {
        lane->counts.crc_errors++;
        return;
    }
    lane->counts.pat_errors += !ours;
    section->came |= (uint8_t)ours;
    lane->counts.pat_sections += ours && role == R_PAT;
    lane->counts.pmt_sections += ours && role != R_PAT;
    if (again || !ours || !(section->data[5] & 1))
        return;
    memcpy(section->kept, section->data, size);
    section->kept_size = size;
    if (role == R_PAT)
        take_pat(lane, section, size);
    else
        take_pmt(lane, section, size);
}

static void section_bytes(struct klv_lane *lane, struct section *section, int role, const uint8_t *in, size_t n)
{
    while (n > 0 && section->open) {
        size_t want = section->have < 3 ? 3 : 3u + (be16(section->data + 1) & 0x0fffu);
        if (want > SECTION || (section->have >= 3 && want < 12)) {
            section->open = 0;
            return;
        }
        size_t take = want - section->have < n ? want - section->have : n;
        memcpy(section->data + section->have, in, take);
        section->have += take;
        in += take;
        n -= take;
        if (section->have >= 12 && section->have == 3u + (be16(section->data + 1) & 0x0fffu)) {
            take_section(lane, section, role);
            section->open = n > 0 && *in != 0xff; /* the next one may follow at once */
            section->have = 0;
        }
    }
}

void ts_psi_payload(struct klv_lane *lane, struct section *section, int role, const uint8_t *p)
{
    size_t at = payload_at(p);
    if (at == TS_SIZE || (p[1] & 0x80) || (p[3] & 0xc0))
        return;
    uint8_t counter = p[3] & 15;
    if (section->open && counter == section->counter && !(p[1] & 0x40))
        return; /* the same packet again (2.4.3.3) */
    if (section->open && counter != ((section->counter + 1) & 15))
        section->open = counter == section->counter ? section->open : 0;
    section->counter = counter;
    if (p[1] & 0x40) {
        size_t pointer = p[at++];
        if (pointer > (size_t)TS_SIZE - at)
            return;
        section_bytes(lane, section, role, p + at, pointer);
        at += pointer;
        section->open = at < TS_SIZE && p[at] != 0xff;
        section->have = 0;
    }
    section_bytes(lane, section, role, p + at, TS_SIZE - at);
}
