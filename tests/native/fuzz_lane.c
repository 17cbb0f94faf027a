/* fuzz_lane.c - cutting does not matter: the lane gives the same records of the same bytes in one piece and in any
 * cut, through each of its three doors, with rooms too small, and a mark or a break between. From the repository:
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Inative tests/native/fuzz_lane.c native/[a-z]*.c -lm -o fuzz_lane
 *   ./fuzz_lane -max_len=8192 -timeout=5 CORPUS_FOLDER
 */
#include "klv.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 2000, HEAD = 6, ROOM = 1 << 20, MOST = 3, NEXT = 0, BATCH, LINES };
struct run { struct klv_lane *lane; int door; size_t room, size; struct klv_envelope envelope; char out[ROOM]; };
static struct run whole, cut;

static void add(struct run *r, const uint8_t *data, size_t size, int64_t pts, int damaged)
{
    size_t written = 0, left = ROOM - r->size;
    uint64_t unknown;
    r->envelope.pts = pts;
    r->envelope.damaged = damaged;
    if (klv_json(data, size, &r->envelope, r->out + r->size, left, &written, &unknown) != KLV_OK || written == left)
        abort();
    r->out[(r->size += written + 1) - 1] = '\n';
    r->envelope.seq++;
}

static enum klv_status step(struct run *r, const uint8_t *in, size_t n, size_t *used)
{
    uint8_t pool[LIMIT + 25];
    struct klv_packet p;
    struct klv_entry e[MOST];
    size_t count = 0;
    enum klv_status status = r->door == NEXT ? klv_lane_next(r->lane, in, n, used, &p) : KLV_OK;
    if (r->door == NEXT && status == KLV_OK)
        add(r, p.data, p.size, p.pts, p.damaged);
    if (r->door == BATCH)
        status = klv_lane_batch(r->lane, in, n, used, pool, sizeof pool, e, 1 + r->room % MOST, &count);
    for (size_t i = 0; i < count; i++)
        add(r, pool + e[i].at, e[i].size, e[i].pts, e[i].damaged);
    if (r->door == LINES) {
        char *out = malloc(r->room); /* flush against what ASan guards, as `in` is */
        status = klv_lane_lines(r->lane, in, n, used, &r->envelope, out, r->room, &count);
        memcpy(r->out + r->size, out, count);
        r->size += count;
        r->room *= count ? 1 : 2;
        free(out);
    }
    return status;
}

/* Input: transport?, door, what the event is, where (2 bytes), seed of the cuts; then what the lane is fed. */
static void run(struct run *r, int door, const uint8_t *data, size_t n, uint32_t most)
{
    uint8_t *memory = malloc(klv_lane_memory(data[0] & 1, LIMIT));
    size_t event = HEAD + (data[3] | (size_t)data[4] << 8) % (n - HEAD + 1);
    uint32_t seed = data[5];
    r->lane = malloc(klv_lane_size()), r->door = door, r->size = 0;
    r->envelope = (struct klv_envelope){"{\"a\":1", 6, 0, -1, -1, 0};
    klv_lane_init(r->lane, data[0] & 1, LIMIT, memory);
    for (size_t at = HEAD, piece; at < n; at += piece) {
        seed = seed * 1664525 + 1013904223;
        piece = 1 + (seed >> 8) % most;
        piece = at < event && piece > event - at ? event - at : piece > n - at ? n - at : piece;
        if (at == event && data[2] & 1)
            klv_lane_break(r->lane);
        else if (at == event && !(data[0] & 1))
            klv_lane_mark(r->lane, data[2], 7, data[2] >> 7);
        size_t used = 0;
        uint8_t *in = memcpy(malloc(piece), data + at, piece);
        for (r->room = 1 + seed % 3001; step(r, in, piece, &used) != KLV_MORE;) {}
        if (used != piece)
            abort();
        free(in);
    }
    free(r->lane), free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n <= HEAD)
        return 0;
    run(&whole, NEXT, data, n, UINT32_MAX >> 8);
    run(&cut, data[1] % 3, data, n, data[1] & 64 ? 40 : 1500);
    if (whole.size != cut.size || memcmp(whole.out, cut.out, whole.size) != 0)
        abort();
    return 0;
}
