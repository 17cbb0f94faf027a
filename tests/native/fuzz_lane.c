/* fuzz_lane.c - the same bytes give the same records in one piece and in any cut, one by one, as a batch and as lines
 * in rooms too small, with a break or a mark between. From the repository, FOLDER holding inputs or nothing:
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Inative tests/native/fuzz_lane.c native/[a-z]*.c -lm -o fuzz_lane
 *   ./fuzz_lane -max_len=8192 -timeout=5 FOLDER
 * An input: transport?, door, event, where it is (2 bytes), seed of the cuts; then what the lane is fed. */
#include "klv.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 2000, HEAD = 6, ROOM = 1 << 20, MOST = 3, BATCH = 1, LINES };
static struct run { int door; size_t size; struct klv_envelope envelope; char out[ROOM]; } whole, cut;

static void add(struct run *r, const uint8_t *data, size_t n, int64_t pts, int damaged)
{
    size_t written = 0;
    uint64_t unknown = 0;
    r->envelope.pts = pts, r->envelope.damaged = damaged;
    if (klv_json(data, n, &r->envelope, r->out + r->size, ROOM - r->size, &written, &unknown) != KLV_OK)
        abort();
    r->out[r->size + written] = '\n', r->size += written + 1, r->envelope.seq++;
}

/* All that comes out of one piece; what is read and written lies flush against what ASan guards. */
static void feed(struct run *r, struct klv_lane *lane, const uint8_t *data, size_t n, size_t room)
{
    uint8_t *in = memcpy(malloc(n), data, n), pool[LIMIT + 25];
    struct klv_packet p;
    struct klv_entry e[MOST];
    size_t used = 0, count = 0;
    for (enum klv_status status = KLV_OK; status != KLV_MORE;) {
        char *out = malloc(room);
        if (r->door == LINES)
            status = klv_lane_lines(lane, in, n, &used, &r->envelope, out, room, &count);
        else if (r->door == BATCH)
            status = klv_lane_batch(lane, in, n, &used, pool, sizeof pool, e, 1 + room % MOST, &count);
        else if ((status = klv_lane_next(lane, in, n, &used, &p)) == KLV_OK)
            add(r, p.data, p.size, p.pts, p.damaged);
        if (r->door == LINES)
            memcpy(r->out + r->size, out, count), r->size += count, room *= count ? 1 : 2;
        for (size_t i = 0; r->door == BATCH && i < count; i++)
            add(r, pool + e[i].at, e[i].size, e[i].pts, e[i].damaged);
        free(out);
    }
    if (used != n)
        abort();
    free(in);
}

static void run(struct run *r, int door, const uint8_t *data, size_t n, uint32_t most)
{
    struct klv_lane *lane = malloc(klv_lane_size());
    uint8_t *memory = malloc(klv_lane_memory(data[0] & 1, LIMIT));
    uint32_t seed = data[5];
    r->door = door, r->size = 0, r->envelope = (struct klv_envelope){"{\"a\":1", 6, 0, -1, -1, 0};
    klv_lane_init(lane, data[0] & 1, LIMIT, memory);
    for (size_t at = HEAD, piece, event = at + (data[3] | (size_t)data[4] << 8) % (n - HEAD); at < n; at += piece) {
        piece = 1 + ((seed = seed * 1664525 + 1013904223) >> 8) % most;
        piece = at < event && piece > event - at ? event - at : piece > n - at ? n - at : piece;
        if (at == event && data[2] & 1)
            klv_lane_break(lane);
        else if (at == event && !(data[0] & 1))
            klv_lane_mark(lane, data[2], 7, data[2] >> 7);
        feed(r, lane, data + at, piece, 1 + seed % 3001);
    }
    klv_lane_break(lane);
    feed(r, lane, data, 0, ROOM);
    free(lane), free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n <= HEAD)
        return 0;
    run(&whole, 0, data, n, UINT32_MAX >> 8);
    run(&cut, data[1] % 3, data, n, data[1] & 64 ? 40 : 1500);
    if (whole.size != cut.size || memcmp(whole.out, cut.out, whole.size) != 0)
        abort();
    return 0;
}
