/* fuzz_lane.c - the same bytes give the same records and counts in one piece and in any cut, as a batch or as lines in
 * rooms too small, with a break or a mark between, and with times of arrival of all kinds. From the repository:
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -DKLV_METER=uint64_t -Inative \
 *     tests/native/fuzz_lane.c native/[a-z]*.c -lm -o fuzz_lane
 *   ./fuzz_lane -max_len=8192 -timeout=5 FOLDER
 * An input: transport?, batch? and times?, event, where it is (2 bytes), seed of the cuts and times; then what the lane
 * is fed. */
#include "fuzz.h"
#include "klv_mutator.h"
#include "lane.h"

#include <math.h>

enum { EACH_BYTE = 400, ANY = 300000 }; /* of the search and of JSON, some of it written twice */
enum { DATAGRAM = 1316, LIMIT = 2000, HEAD = 6, ROOM = 1 << 17, ENOUGH = 1 << 16, MOST = 3, INPUT = 1 << 16 };
static struct run { size_t size; struct klv_envelope envelope; struct klv_counts counts; char out[2 * ROOM]; } whole, cut;

/* Input and output end where ASan guards. */
static uint8_t input[INPUT], pool[LIMIT + 25];
static char text[ROOM];

static uint16_t pid_of(const uint8_t *p)
{
    return be16(p + 1) & 0x1fff;
}

/* A section that begins and ends in one TS packet gets its CRC. */
static void set_crc(uint8_t *p)
{
    size_t at = ts_payload_at(p);
    if (p[0] != 0x47 || !(p[1] & 0x40) || at >= TS_SIZE || (pid_of(p) != 0 && pid_of(p) >> 4 != 0x100))
        return;
    at += 1u + p[at];
    if (at + 3 > TS_SIZE)
        return;
    size_t end = at + 3 + (be16(p + at + 1) & 0xfff);
    if (end > TS_SIZE || end < at + 7)
        return;
    uint32_t crc = klv_crc32(p + at, end - at - 4);
    for (size_t i = 0; i < 4; i++)
        p[end - 4 + i] = (uint8_t)(crc >> (24 - 8 * i));
}

/* Bytes of one TS packet, so that later ones stay aligned; or of all. */
static size_t mutate_ts(uint8_t *data, size_t n, size_t most)
{
    if (n >= TS_SIZE && pick(3)) {
        uint8_t *packet = data + pick((uint32_t)(n / TS_SIZE)) * TS_SIZE;
        LLVMFuzzerMutate(packet + (pick(2) ? 4 : 0), TS_SIZE - 4, TS_SIZE - 4);
    } else {
        n = LLVMFuzzerMutate(data, n, most);
    }
    for (size_t at = 0; at + TS_SIZE <= n; at += TS_SIZE)
        set_crc(data + at);
    return n;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    mutator_state = seed;
    if (n <= HEAD || most > INPUT || pick(16) == 0)
        return LLVMFuzzerMutate(data, n, most);
    if (pick(8) == 0) {
        data[pick(HEAD)] = (uint8_t)pick(256);
        return n;
    }
    return HEAD + (data[0] & 1 ? mutate_ts(data + HEAD, n - HEAD, most - HEAD)
                               : mutate_klv(data + HEAD, n - HEAD, most - HEAD, seed));
}

static void take(struct run *r, const struct klv_entry *e)
{
    uint64_t unknown = 0;
    size_t size = 0;
    CHECK(e->size >= 17 && e->at <= sizeof pool && e->size <= sizeof pool - e->at);
    r->envelope.pts = e->pts;
    r->envelope.damaged = e->damaged;
    r->envelope.checksum = e->checksum;
    r->envelope.pid = e->pid;
    r->envelope.program = e->program;
    enum klv_status status = klv_json(pool + e->at, e->size, &r->envelope, r->out + r->size, sizeof r->out - r->size,
                                      &size, &unknown);
    if (status == KLV_FULL) {
        r->size = ENOUGH;
        return;
    }
    CHECK(status == KLV_OK && size < sizeof r->out - r->size);
    r->size += size;
    r->out[r->size++] = '\n';
    r->envelope.seq++;
}

static enum klv_status batch_of(struct run *r, struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used,
                                size_t most, size_t *count)
{
    struct klv_entry entries[MOST];
    enum klv_status status = klv_lane_batch(lane, in, n, used, pool, sizeof pool, entries, most, count);
    CHECK(*count <= most);
    for (size_t i = 0; i < *count && r->size < ENOUGH; i++)
        take(r, &entries[i]);
    return status;
}

static enum klv_status lines_of(struct run *r, struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used,
                                size_t room, size_t *count)
{
    char *out = text + ROOM - room;
    enum klv_status status = klv_lane_lines(lane, in, n, used, &r->envelope, NULL, out, room, count);
    CHECK(*count <= room && *count <= sizeof r->out - r->size && (*count == 0 || out[*count - 1] == '\n'));
    memcpy(r->out + r->size, out, *count);
    r->size += *count;
    return status;
}

/* The whole output for one piece; or ENOUGH of it. */
static void feed(struct run *r, struct klv_lane *lane, const uint8_t *data, size_t n, int batch, size_t room)
{
    const uint8_t *in = memcpy(input + INPUT - n, data, n);
    size_t used = 0, count = 0;
    for (enum klv_status status = KLV_FULL; status == KLV_FULL && r->size < ENOUGH; room *= count ? 1 : 2) {
        status = batch ? batch_of(r, lane, in, n, &used, 1 + room % MOST, &count)
                       : lines_of(r, lane, in, n, &used, room, &count);
        CHECK(used <= n && (status == KLV_MORE || count || !batch));
        if (status == KLV_FULL && !count && room > ENOUGH)
            r->size = ENOUGH;
    }
    CHECK(used == n || r->size >= ENOUGH);
}

/* The arrival time of the next datagram, usually soon. */
static int64_t later(int64_t us, uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    switch (*seed >> 28) {
    case 0: return us < INT64_MAX - 4000000 ? us + 4000000 : 0;
    case 1: return us > 3000000 ? us - 3000000 : 0;
    case 2: return *seed >> 20 & 1 ? INT64_MAX - (*seed & 0xffff) : -1;
    default: return us < INT64_MAX - 65536 ? us + (*seed >> 8 & 0xffff) : 0;
    }
}

/* Counters never decrease, and no packet is counted twice. */
static void check_growth(struct klv_counts *before, const struct klv_lane *lane)
{
    struct klv_counts now;
    klv_lane_counts(lane, &now);
    uint64_t jitter = now.pcr_jitter_us;
    now.pcr_jitter_us = 0;
    for (size_t i = 0; i < sizeof now / sizeof(uint64_t); i++)
        CHECK(((const uint64_t *)&now)[i] >= ((const uint64_t *)before)[i]);
    CHECK(jitter <= now.pcr_jitter_max_us && now.pcr_jitter_max_us < (uint64_t)1 << 50);
    CHECK(now.sync_byte_errors <= now.sync_losses && now.scrambled <= now.ts_packets);
    CHECK(now.continuity_errors + now.duplicates + now.transport_errors <= now.ts_packets);
    for (unsigned i = 0; i < CLOCKS; i++)
        CHECK(isfinite(lane->clocks[i].level) && isfinite(lane->clocks[i].slope) && isfinite(lane->clocks[i].jitter));
    *before = now;
}

static void event(struct klv_lane *lane, const uint8_t *data)
{
    if (data[0] & 1 || data[2] & 1)
        klv_lane_break(lane);
    else
        klv_lane_mark(lane, data[2], 7, data[1], data[3] & 7, data[2] >> 7);
}

static void run(struct run *r, const uint8_t *data, size_t n, int batch, size_t most, size_t room)
{
    static struct klv_lane lane;
    static uint8_t memory[KLV_PIDS * (LIMIT + LIMIT / 8 + KLV_SPARE + 1)];
    uint8_t *held = memory + sizeof memory - klv_lane_memory(data[0] & 1, LIMIT);
    uint32_t seed = data[5], times = seed + data[1];
    struct klv_counts counts = {0};
    int64_t received_us = data[1] & 2 ? 1000000 : -1;
    r->size = 0;
    r->envelope = (struct klv_envelope){"{\"a\":1", 6, 0, -1, -1, 0, -1, -1, -1, -1, 0, 0};
    klv_lane_init(&lane, data[0] & 1, LIMIT, held);
    klv_lane_at(&lane, received_us);
    klv_lane_absent(&lane, data[2] & 4 ? 30000 : data[2] & 8 ? -1 : INT64_MAX);
    size_t turn = HEAD + (data[3] | (size_t)data[4] << 8) % (n - HEAD);
    for (size_t at = HEAD, piece; at < n && r->size < ENOUGH; at += piece) {
        size_t left = (at < turn ? turn : n) - at;
        piece = 1 + ((seed = seed * 1664525 + 1013904223) >> 8) % most;
        if (data[1] & 2 && left > DATAGRAM - (at - HEAD) % DATAGRAM)
            left = DATAGRAM - (at - HEAD) % DATAGRAM;
        piece = piece < left ? piece : left;
        if (at == turn)
            event(&lane, data);
        if (data[1] & 2 && (at - HEAD) % DATAGRAM == 0)
            klv_lane_at(&lane, received_us = later(received_us, &times));
        feed(r, &lane, data + at, piece, batch, 1 + seed % room);
        check_growth(&counts, &lane);
    }
    klv_lane_break(&lane);
    feed(r, &lane, data, 0, batch, room);
    klv_lane_counts(&lane, &r->counts);
}

/* The counters equal the output, however the bytes were cut. */
static void check_counts(const struct run *a, const struct run *b)
{
    CHECK(memcmp(&a->counts, &b->counts, sizeof a->counts) == 0);
    CHECK(a->counts.packets == a->envelope.seq && b->counts.packets == b->envelope.seq);
    CHECK(a->counts.bad_checksum <= a->counts.packets && a->counts.damaged <= a->counts.packets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n <= HEAD || n > INPUT)
        return 0;
    klv_meter = 0;
    run(&whole, data, n, 0, SIZE_MAX, ENOUGH);
    CHECK(klv_meter <= EACH_BYTE * n + ANY);
    run(&cut, data, n, data[1] & 1, data[1] & 64 ? 40 : 1500, 3001);
    if (whole.size >= ENOUGH || cut.size >= ENOUGH)
        return 0;
    CHECK(whole.size == cut.size && memcmp(whole.out, cut.out, whole.size) == 0);
    if (!(data[1] & 1))
        check_counts(&whole, &cut);
    return 0;
}
