/* fuzz_rtp.c - whatever datagrams come in whatever order, the order of RTP stays inside its memory, gives out no
 * payload twice or changed, reports each gap and counts what it does. From the repository, FOLDER holding seeds or
 * nothing:
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -DKLV_METER=uint64_t -Inative \
 *     tests/native/fuzz_rtp.c native/rtp.c -o fuzz_rtp
 *   ./fuzz_rtp -max_len=4096 -timeout=5 FOLDER
 * An input: the room for what is held (in units of 16 bytes); then datagrams, each behind a byte: its length, or 255 =
 * none, but what is held is released. */
#include "fuzz.h"
#include "rtp.h"

#include <string.h>

enum { MOST = 4096 };
static struct rtp_order order;
static struct pushed { size_t at, size; uint16_t sequence; uint32_t ssrc; int out; } pushed[MOST];
static size_t count;
static uint64_t given;

/* It was pushed, is unchanged, and was not output before. */
static void take(const uint8_t *data, const struct rtp_datagram *due, const struct rtp_datagram *before)
{
    size_t i = (size_t)due->received_us;
    CHECK(i < count && !pushed[i].out);
    CHECK(due->sequence == pushed[i].sequence && due->ssrc == pushed[i].ssrc && due->size == pushed[i].size);
    CHECK(memcmp(due->payload, data + pushed[i].at, due->size) == 0);
    CHECK(given == 0 || due->gap || (due->ssrc == before->ssrc && due->sequence == (uint16_t)(before->sequence + 1)));
    pushed[i].out = 1;
    given++;
}

static void drain(const uint8_t *data)
{
    static struct rtp_datagram before;
    struct rtp_datagram due;
    while (rtp_order_next(&order, &due)) {
        take(data, &due, &before);
        before = due;
    }
}

/* One datagram; its bytes are overwritten after the call for due ones. */
static void klv_push(const uint8_t *data, size_t at, size_t n)
{
    struct rtp_datagram found;
    uint8_t *copy = malloc(n); /* flush against what ASan guards */
    if (n)
        memcpy(copy, data + at, n);
    if (rtp_parse(copy, n, &found)) {
        CHECK(found.size > 0 && found.payload >= copy + 12 && found.size <= n - (size_t)(found.payload - copy));
        found.received_us = (int64_t)count;
        pushed[count++] = (struct pushed){at + (size_t)(found.payload - copy), found.size, found.sequence, found.ssrc,
                                          0};
        rtp_order_push(&order, &found);
        drain(data);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rtp_counts counts;
    if (n < 1 || n > MOST)
        return 0;
    size_t room = 16u * data[0];
    uint8_t *memory = malloc(room);
    rtp_order_init(&order, memory, room);
    count = given = 0;
    for (size_t at = 1; at < n;) {
        size_t size = data[at++];
        if (size == 255) {
            rtp_order_release(&order);
            drain(data);
            CHECK(rtp_order_waiting(&order) == -1);
            continue;
        }
        size = size < n - at ? size : n - at;
        klv_push(data, at, size);
        at += size;
    }
    rtp_order_release(&order);
    drain(data);
    rtp_order_counts(&order, &counts);
    CHECK(given + counts.duplicates <= count && counts.restarts <= count && counts.reordered <= count);
    free(memory);
    return 0;
}
