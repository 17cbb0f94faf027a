/* fuzz_work.c - the work is linear in the bytes, whatever they are: that of the search, of the lane and of JSON, in
 * one piece and in many. fuzz_klv and fuzz_lane check what is found. From the repository, FOLDER holding packets:
 *   clang -g -O2 -fsanitize=fuzzer -DKLV_METER=uint64_t -DKLV_UNPROVEN=2500 -DKLV_DEBT=250 -Inative \
 *     tests/native/fuzz_work.c native/[a-z]*.c -lm -o fuzz_work
 *   ./fuzz_work -max_len=4096 -timeout=5 FOLDER
 * An input that begins with a sync byte is a transport stream; the last byte says how it is cut. */
#include "fuzz_packets.h"
#include "lane.h"

enum { LIMIT = 3000, MOST = 1 << 16, HOLD = LIMIT + LIMIT / 8 + KLV_SPARE + 1 };
enum { SEARCH, LANE, JSON };
static const uint64_t EACH[] = {64, 72, 100}, FREE = 20000; /* steps a byte, and those of any input */
static struct klv_lane lane;
static uint8_t memory[KLV_PIDS * HOLD];
static char text[64 * (LIMIT + 32) + 4096];

static void check_work(unsigned kind, size_t n)
{
    check_bound(kind, klv_meter, EACH[kind] * n + FREE);
}

/* As a lane does: again when there are more bytes, but no fewer than search->need. */
static void search(const uint8_t *in, size_t n, size_t piece)
{
    struct klv_search search = {0};
    struct klv_view view = {0};
    size_t at = 0, to = 0;
    int step = 0;
    klv_meter = 0;
    while (to < n) {
        to = piece < n - to ? to + piece : n;
        if (to - at < search.need)
            continue;
        while (klv_next(in + at, to - at, LIMIT, step, &search, &view) == KLV_OK) {
            at += view.at + view.size;
            step = KLV_STEP;
        }
        at += view.at;
        step = view.at ? 0 : step;
    }
    check_work(SEARCH, n);
}

/* The steps of one packet as JSON. */
static void write(const struct klv_packet *packet)
{
    const struct klv_envelope envelope = {.head = "{\"a\":1", .head_size = 6, .checksum = packet->checksum};
    uint64_t unknown = 0, before = klv_meter;
    size_t size = 0;
    klv_meter = 0;
    CHECK(klv_json(packet->data, packet->size, &envelope, text, sizeof text, &size, &unknown) == KLV_OK);
    check_work(JSON, packet->size);
    klv_meter = before;
}

static void feed(const uint8_t *in, size_t n)
{
    struct klv_packet packet;
    size_t used = 0;
    while (klv_lane_next(&lane, in, n, &used, &packet) == KLV_OK)
        write(&packet);
}

static void carry(const uint8_t *in, size_t n, size_t piece)
{
    const int ts = in[0] == 0x47;
    klv_lane_init(&lane, ts, LIMIT, memory + sizeof memory - klv_lane_memory(ts, LIMIT));
    klv_meter = 0;
    for (size_t at = 0, size; at < n; at += size) {
        size = piece < n - at ? piece : n - at;
        feed(in + at, size);
    }
    klv_lane_break(&lane);
    feed(in, 0);
    check_work(LANE, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0 || n > MOST)
        return 0;
    const uint8_t cut = data[n - 1];
    const size_t piece = cut & 1 ? n : 1 + cut / 2;
    if (data[0] != 0x47)
        search(data, n, piece);
    carry(data, n, piece);
    return 0;
}
