/* psi.c - PAT and PMT: which PIDs may carry KLV (ISO/IEC 13818-1, 2.4.4; MISB ST 1402).
 *
 * The payload of a TS packet with payload_unit_start_indicator begins with a pointer_field: how many bytes after it
 * still belong to the section before. Sections follow one another; ff in place of a table_id: stuffing to the packet's
 * end.
 *
 *   byte   0          1, 2                  3, 4        5                  6         7        8 ..       last 4
 *        +----------+---+---+----+--------+-----------+----+---------+---+---------+---------+-- ... --+--------+
 *        | table_id | s | 0 | 11 | length | extension | 11 | version | c | section | last    | entries | CRC_32 |
 *        |          |   |   |    |        |           |    |         |   | number  | section |         |        |
 *        +----------+---+---+----+--------+-----------+----+---------+---+---------+---------+-- ... --+--------+
 *   bits   8          1   1   2    12       16          2    5         1   8         8                   32
 *
 *   s       section_syntax_indicator: 1 = there is all of this; 0 = the section has another form, without a CRC
 *   length  bytes that follow it, CRC included
 *   c       current_next_indicator: 0 = this table applies later
 *
 * PAT (2.4.4.3): PID 0, table_id 0x00, extension = transport_stream_id. Entries:
 *
 *        | program_number 16 | 111 | PID 13 |           of the program's PMT; program 0: of the network information
 *
 * PMT (2.4.4.8): table_id 0x02, extension = program_number. Once, then a stream each:
 *
 *        | 111 | PCR_PID 13 | 1111 | size 12 | descriptors of the program, `size` bytes |
 *        | stream_type 8 | 111 | PID 13 | 1111 | size 12 | descriptors of the stream, `size` bytes |
 *
 * Descriptors:
 *
 *        | tag 8 | length 8 | `length` bytes |
 *        | 0x05  | length   | format_identifier 32 | ...   registration_descriptor (2.6.8)
 *        | 0x26  | ...                                    metadata_descriptor (2.6.60): not read
 *
 * A stream of KLV has stream_type 0x15 (metadata in PES packets, synchronous), or 0x06 (private data, asynchronous) and
 * the registration "KLVA". That is enough.
 */
#include "lane.h"

enum {
    KLVA = 0x4b4c5641,          /* "KLVA" */
    FIRST_PID = 0x10,           /* those below are assigned to tables */
    PAT_ID = 0x00,              /* table_id */
    PMT_ID = 0x02,
    REGISTRATION = 0x05,        /* descriptor tag */
    PRIVATE_DATA = 0x06,        /* stream_type: PES packets of private data */
    METADATA = 0x15,            /* stream_type: metadata in PES packets */
    USER_PRIVATE = 0x80,        /* stream_type: from here on not defined by the standard */
    SECTION_HEAD = 3,           /* bytes of a section up to its length */
    PAT_ENTRIES = 8,            /* where they begin */
    PMT_ENTRIES = 12,           /* where the program's descriptors begin */
    CRC_SIZE = 4
};

static const uint32_t GONE = UINT32_MAX; /* `listed` of a stream that its program's PMT, or the PAT, no longer lists */

/* 13 bits. */
static uint16_t pid_at(const uint8_t *p)
{
    return be16(p) & 0x1fff;
}

/* 12 bits. */
static size_t length_at(const uint8_t *p)
{
    return be16(p) & 0x0fffu;
}

static size_t section_size(const struct section *section)
{
    return SECTION_HEAD + length_at(section->data + 1);
}

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

/* May the PID become one of a table or of KLV? Not if it is one already, or is reserved by the standard. */
static int is_open(const struct klv_lane *lane, uint16_t number)
{
    uint8_t role = lane->role[number];
    return role == R_NONE || role == R_PRIVATE || role == R_UNLISTED || role == R_OTHER;
}

/* Stops following a stream: its bytes are discarded, its place is free. */
static void let_go(struct klv_lane *lane, struct pid *s)
{
    lane->role[s->pid] = R_UNLISTED;
    klv_hold_close(lane, s);
}

/* A free place, or that of a stream whose KLV is less certain: one that is unproven, else, for a listed one, one that
 * no table lists. NULL = there is none. */
static struct pid *free_place(struct klv_lane *lane, int unlisted)
{
    struct pid *less = NULL;
    for (unsigned i = 0; i < KLV_PIDS; i++) {
        struct pid *s = &lane->pids[i];
        if (!s->used)
            return s;
        if (s->proof != PROVEN || (!unlisted && s->unlisted))
            less = less && less->proof != PROVEN ? less : s;
    }
    if (less)
        let_go(lane, less);
    return less;
}

/* The first program whose PMT lists the PID, as in `listed` of struct pid; 0 = none. */
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
    s->proof = unlisted ? FIRST_KEY : PROVEN;
    s->listed = program_of(lane, number);
    lane->role[number] = (uint8_t)(R_KLV + (s - lane->pids));
    return s;
}

/* The format_identifier of the first registration descriptor; 0 = there is none. */
static uint32_t format_of(const uint8_t *descriptors, size_t n)
{
    for (size_t at = 0; n - at >= 2 && descriptors[at + 1] <= n - at - 2; at += 2u + descriptors[at + 1])
        if (descriptors[at] == REGISTRATION && descriptors[at + 1] >= 4)
            return be32(descriptors + at + 2);
    return 0;
}

/* Is a stream_type video or audio (table 2-34)? */
static int is_media(uint8_t type)
{
    return (type >= 0x01 && type <= 0x04) || (type >= 0x0f && type <= 0x11) || type == 0x1b || type == 0x1c ||
           (type >= 0x1e && type <= 0x25) || (type >= 0x27 && type <= 0x2b) || type == 0x2d || type == 0x2e ||
           (type >= 0x31 && type <= 0x36) || type == 0x42;
}

/* A PMT lists a stream of KLV. */
static void follow_pid(struct klv_lane *lane, struct pid *s, uint32_t program, uint8_t type)
{
    if (!s->listed || s->listed == GONE) /* of two programs, the first that listed it */
        s->listed = program;
    s->cells_announced = type == METADATA;
    s->unlisted = 0;
    klv_wait_proven(lane, s);
}

/* Is the stream followed because a PES packet of it began with a key? Then a registration as another is wrong. */
static int begins_with_key(const struct klv_lane *lane, uint16_t number)
{
    return lane->pids[lane->role[number] - R_KLV].by_key;
}

/* What the PMT says about a stream, by its type, its registration, and whether it is followed already:
 *
 *   type 0x15, or registered as KLVA                     KLV
 *   followed, no media type, not registered              KLV
 *   followed, no media type, registered as another       KLV, if a key at the beginning of a PES packet led to it
 *   followed, none of these                              no longer listed by this program
 *   video or audio                                       R_NONE: ignored
 *   registered as another                                R_OTHER: KLV once a PES packet begins with a key
 *   anything else                                        R_PRIVATE: KLV once a key is found in it
 */
static int is_listed_as_klv(const struct klv_lane *lane, uint16_t number, uint8_t type, uint32_t format)
{
    if (type == METADATA || format == KLVA)
        return 1;
    return is_klv(lane, number) && !is_media(type) && (format == 0 || begins_with_key(lane, number));
}

/* The streams of a program. There are fewer places than a PMT may list, and streams that are followed keep theirs: so
 * the PMT is read twice, `claim` 0: for the streams that are followed, 1: for all. */
static void list_streams(struct klv_lane *lane, const uint8_t *p, const uint8_t *end, uint32_t program, int claim)
{
    while (end - p >= 5) {
        uint8_t type = p[0];
        uint16_t number = pid_at(p + 1);
        size_t length = length_at(p + 3);
        if (length > (size_t)(end - p) - 5)
            return;
        uint32_t format = type == PRIVATE_DATA || type >= USER_PRIVATE ? format_of(p + 5, length) : 0;
        int known = is_klv(lane, number);
        if (is_listed_as_klv(lane, number, type, format)) {
            if (claim && is_open(lane, number))
                lane->role[number] = R_PRIVATE; /* so it stays where no place is free */
            struct pid *s = known || claim ? ts_psi_claim(lane, number) : NULL;
            if (s)
                follow_pid(lane, s, program, type);
        } else if (known) {
            struct pid *s = ts_psi_claim(lane, number);
            s->listed = s->listed == 0 ? GONE : s->listed; /* another program may list it */
        } else if (is_open(lane, number)) {
            lane->role[number] = is_media(type) ? R_NONE : format ? R_OTHER : R_PRIVATE;
        }
        p += 5 + length;
    }
}

/* A new PMT: streams that it no longer lists are dropped before those that it adds need a place. */
static void take_pmt(struct klv_lane *lane, const struct section *section, size_t size)
{
    const uint8_t *p = section->data + PMT_ENTRIES, *end = section->data + size - CRC_SIZE;
    uint16_t pcr_pid = pid_at(section->data + 8);
    size_t info = length_at(section->data + 10);
    uint32_t program = 1u + be16(section->data + 3); /* as in `listed` of struct pid */
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

/* May a listed PID carry KLV? Yes if it has done so, or if its last PES packet does not exclude it (lane->barren). */
static int may_carry(const struct klv_lane *lane, uint16_t number)
{
    int known = is_klv(lane, number);
    if (known && lane->pids[lane->role[number] - R_KLV].handed_out)
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
    for (size_t at = PAT_ENTRIES; at + 4 <= size - CRC_SIZE; at += 4)
        if (1u + be16(section->data + at) == program)
            return 1;
    return 0;
}

/* A new PAT: the PIDs of the PMTs that it names are read. Streams of programs that it does not name are dropped with
 * the next PMT. */
static void take_pat(struct klv_lane *lane, const struct section *section, size_t size)
{
    unsigned count = 0;
    for (unsigned i = 0; i < PMTS; i++)
        if (lane->pmt[i].pid)
            lane->role[lane->pmt[i].pid] = R_UNLISTED;
    for (size_t at = PAT_ENTRIES; at + 4 <= size - CRC_SIZE && count < PMTS; at += 4) {
        uint16_t program = be16(section->data + at), number = pid_at(section->data + at + 2);
        if (program == 0 || number == 0 || !is_open(lane, number))
            continue;
        if (lane->pmt[count].pid != number) {
            memset(&lane->pmt[count], 0, sizeof lane->pmt[count]);
            lane->pmt[count].pid = number;
            lane->pmt[count].came = 1; /* its 0.5 s begin now (check.c) */
        }
        lane->role[number] = (uint8_t)(R_PMT + count++);
    }
    for (; count < PMTS; count++)
        lane->pmt[count].pid = 0; /* the PID may be used for a stream from now on */
    for (unsigned i = 0; i < KLV_PIDS; i++)
        if (lane->pids[i].listed && !in_pat(section, size, lane->pids[i].listed))
            lane->pids[i].listed = GONE; /* dropped with the next PMT that does not list it */
    for (unsigned i = 0; i < PROGRAMS; i++)
        if (!in_pat(section, size, lane->programs_of[i].listed))
            ts_check_gone(lane, lane->programs_of[i].listed);
}

/* A whole section. Nearly all are repetitions, which are counted and not read again.
 *
 *   another table on the PID of a PMT           not read: other tables may be there
 *   another table on PID 0, without a CRC       pat_errors (TR 101 290, 1.3)
 *   wrong CRC                                   crc_errors
 *   another table on PID 0, right CRC           pat_errors
 *   the same bytes again                        counted
 *   applies later (current_next_indicator 0)    counted
 *   else                                        taken
 */
static void take_section(struct klv_lane *lane, struct section *section, int role)
{
    size_t size = section_size(section);
    int ours = section->data[0] == (role == R_PAT ? PAT_ID : PMT_ID);
    ours = ours && (role == R_PAT || size >= PMT_ENTRIES + CRC_SIZE);
    int again = ours && size == section->kept_size && memcmp(section->data, section->kept, size) == 0;
    if (!ours && (role != R_PAT || !(section->data[1] & 0x80))) {
        lane->counts.pat_errors += role == R_PAT;
        return;
    }
    if (!again && klv_crc32(section->data, size - CRC_SIZE) != be32(section->data + size - CRC_SIZE)) {
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

/* Bytes of sections. First the SECTION_HEAD bytes with the length are collected, then as many as the length says. */
static void section_bytes(struct klv_lane *lane, struct section *section, int role, const uint8_t *in, size_t n)
{
    while (n > 0 && section->open) {
        size_t want = section->have < SECTION_HEAD ? SECTION_HEAD : section_size(section);
        if (want > SECTION || (section->have >= SECTION_HEAD && want < PAT_ENTRIES + CRC_SIZE)) {
            section->open = 0; /* no table can be so long, or so short */
            return;
        }
        size_t take = want - section->have < n ? want - section->have : n;
        memcpy(section->data + section->have, in, take);
        section->have += take;
        in += take;
        n -= take;
        if (section->have >= PAT_ENTRIES + CRC_SIZE && section->have == section_size(section)) {
            take_section(lane, section, role);
            section->open = n > 0 && *in != 0xff; /* another section, or stuffing */
            section->have = 0;
        }
    }
}

/* A TS packet of a table's PID. A gap in its counter ends the section that is being read. One that came twice (2.4.3.3)
 * was read already. */
void ts_psi_payload(struct klv_lane *lane, struct section *section, int role, const uint8_t *p)
{
    size_t at = ts_payload_at(p);
    if (at == TS_SIZE || !ts_is_readable(p)) /* no payload, damaged, scrambled */
        return;
    uint8_t counter = ts_counter(p);
    if (section->begun && counter == section->counter && lane->duplicate == lane->number)
        return;
    section->begun = 1;
    if (section->open && counter == section->counter && !ts_begins_unit(p))
        return; /* the same packet again, as it may come (2.4.3.3) */
    /* A gap. With the same counter it is a packet that came twice and begins a unit: that is read once more. */
    if (section->open && counter != ((section->counter + 1) & 15))
        section->open = counter == section->counter ? section->open : 0;
    section->counter = counter;
    if (ts_begins_unit(p)) {
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
