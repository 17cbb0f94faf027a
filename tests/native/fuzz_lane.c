/* fuzz_lane.c - the same bytes give the same records in one piece and in any cut, as a batch or as lines in rooms too
 * small, with a break or a mark between. From the repository:
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Inative tests/native/fuzz_lane.c native/[a-z]*.c -lm -o fuzz_lane
 *   ./fuzz_lane -max_len=8192 -timeout=5 FOLDER
 * An input: transport?, batch?, event, where it is (2 bytes), seed of the cuts; then what the lane is fed. */
#include "klv.h"

#include <stdlib.h>
#include <string.h>
#define CHECK(promise) ((promise) ? (void)0 : abort())
enum { LIMIT = 2000, HEAD = 6, ROOM = 1 << 20, MOST = 3 };
static struct run { size_t size; struct klv_envelope envelope; char out[ROOM]; } whole, cut;

/* All that comes out of one piece; what is read and written lies flush against what ASan guards. */
static void feed(struct run *r, struct klv_lane *lane, const uint8_t *data, size_t n, int batch, size_t room)
{
    uint8_t *in = memcpy(malloc(n), data, n), pool[LIMIT + 25];
    struct klv_entry e[MOST];
    size_t used = 0, count, size;
    for (enum klv_status status = KLV_FULL; status == KLV_FULL; room *= count ? 1 : 2) {
        char *out = malloc(room);
        status = batch ? klv_lane_batch(lane, in, n, &used, pool, sizeof pool, e, 1 + room % MOST, &count)
                       : klv_lane_lines(lane, in, n, &used, &r->envelope, out, room, &count);
        for (size_t i = 0; batch && i < count; i++, r->size += size + 1, r->envelope.seq++) {
            r->envelope.pts = e[i].pts, r->envelope.damaged = e[i].damaged;
            klv_json(pool + e[i].at, e[i].size, &r->envelope, r->out + r->size, ROOM - r->size, &size, &(uint64_t){0});
            r->out[r->size + size] = '\n';
        }
        memcpy(r->out + r->size, out, batch ? 0 : count);
        r->size += batch ? 0 : count, free(out);
    }
    CHECK((free(in), used == n && r->size < ROOM));
}

static void run(struct run *r, const uint8_t *data, size_t n, int batch, size_t most, size_t room)
{
    void *lane = malloc(klv_lane_size()), *memory = malloc(klv_lane_memory(data[0] & 1, LIMIT));
    uint32_t seed = data[5];
    r->size = 0, r->envelope = (struct klv_envelope){"{\"a\":1", 6, 0, -1, -1, 0};
    klv_lane_init(lane, data[0] & 1, LIMIT, memory);
    for (size_t at = HEAD, piece, event = at + (data[3] | (size_t)data[4] << 8) % (n - HEAD); at < n; at += piece) {
        piece = 1 + ((seed = seed * 1664525 + 1013904223) >> 8) % most;
        piece = piece < (at < event ? event : n) - at ? piece : (at < event ? event : n) - at;
        if (at == event)
            data[0] & 1 || data[2] & 1 ? klv_lane_break(lane) : klv_lane_mark(lane, data[2], 7, data[2] >> 7);
        feed(r, lane, data + at, piece, batch, 1 + seed % room);
    }
    klv_lane_break(lane), feed(r, lane, data, 0, batch, room);
    free(lane), free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n > HEAD) {
        run(&whole, data, n, 0, SIZE_MAX, ROOM / 2);
        run(&cut, data, n, data[1] & 1, data[1] & 64 ? 40 : 1500, 3001);
        CHECK(whole.size == cut.size && memcmp(whole.out, cut.out, whole.size) == 0);
    }
    return 0;
}
