/* fuzz_size.c - the text of a packet is at most 64 x its bytes and 4 KiB, with a record's head and without, and always
 * fits klv_json_room(). One call an input, so that many are tried: fuzz_json checks what the text says. From the
 * repository, FOLDER holding packets:
 *   clang -g -O2 -fsanitize=fuzzer,address,undefined -DKLV_METER=uint64_t -Inative \
 *     tests/native/fuzz_size.c native/[a-z]*.c -lm -o fuzz_size
 *   ./fuzz_size -max_len=4096 -timeout=5 FOLDER */
#include "fuzz_packets.h"

enum { EACH = 64, FREE = 4096, HEAD = 6, MOST = 1 << 16, ROOM = EACH * MOST + FREE + HEAD };
static char text[ROOM]; /* the output ends where ASan guards */

/* The last byte selects the form of the record. */
static struct klv_envelope envelope_of(const uint8_t *data, size_t n)
{
    const uint8_t asked = n ? data[n - 1] : 0;
    struct klv_envelope envelope = {.received_us = INT64_MAX, .pts = INT64_MAX, .damaged = 1, .checksum = -1,
                                    .pid = INT32_MAX, .program = INT32_MAX, .pcr = -1, .seq = UINT64_MAX};
    envelope.head = asked & 1 ? "{\"a\":1" : NULL;
    envelope.head_size = asked & 1 ? HEAD : 0;
    envelope.safe = asked >> 1 & 1;
    return envelope;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct klv_envelope envelope = envelope_of(data, n);
    uint64_t unknown = 0;
    size_t size = 0;
    if (n > MOST)
        return 0;
    const size_t room = klv_json_room(n, envelope.head_size);
    CHECK(room <= EACH * n + FREE + envelope.head_size);
    enum klv_status status = klv_json(data, n, &envelope, text + ROOM - room, room, &size, &unknown);
    CHECK(status == KLV_OK || status == KLV_BAD_LENGTH);
    CHECK(unknown <= n);
    check_bound(0, size, EACH * n + FREE);
    return 0;
}
