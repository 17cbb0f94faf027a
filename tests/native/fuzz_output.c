/* fuzz_output.c - what an output makes of packets in a row: each thinned packet is a packet again, within its bound,
 * and one of selected items or coarse positions stays as it is when it is thinned again; its record as compact, CBOR
 * and MessagePack fits its bound; a marking is read within its bound; and all of it takes linear work. From the
 * repository, FOLDER holding packets:
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -DKLV_METER=uint64_t -Inative \
 *     tests/native/fuzz_output.c native/[a-z]*.c -lm -o fuzz_output
 *   ./fuzz_output -max_len=4096 -timeout=5 FOLDER */
#include "fuzz_packets.h"
#include "output.h"
#include "primitives.h"

#include <string.h>

enum { MOST = 1 << 17, STEPS = 64, STEPS_MORE = 20000 };
static uint8_t thinned_bytes[MOST + KLV_THIN_MORE], again[MOST + KLV_THIN_MORE], form[16 * 64 * MOST];
static char json[64 * MOST + 8192];
static struct klv_thinning want;
static struct klv_base base;

/* What is wanted, by the first byte of the input. */
static void set_wishes(uint8_t asked)
{
    memset(&want, 0, sizeof want);
    want.on_change = asked & 1;
    want.marked = asked >> 1 & 1;
    want.selected = asked >> 2 & 1;
    want.grid = asked & 8 ? 100 : 0;
    for (int set = 0; set < KLV_SETS; set++)
        for (int i = 0; i < KLV_TAGS / 64; i++)
            want.items.tags[set][i] = asked & 16 ? UINT64_MAX : 0x9e3779b97f4a7c15u * (uint64_t)(set + i + 1);
    for (int i = 0; i < KLV_KEYED / 64; i++)
        want.items.keyed[i] = asked & 16 ? UINT64_MAX : 0x9e3779b97f4a7c15u;
    want.items.unknown = asked >> 5 & 1;
    klv_band(&want, "sensor_latitude", 15, 0.001);
    klv_band(&want, "platform_heading_angle", 22, 10);
}

static size_t value_of_packet(const uint8_t *packet, size_t n)
{
    uint64_t length;
    size_t used;
    CHECK(n > 16 && klv_ber_length(packet + 16, n - 16, &length, &used) == KLV_OK && length == n - 16 - used);
    return 16 + used;
}

/* Thinned again on its own with the same grid and items, a full packet stays as it is. */
static void check_stays(const uint8_t *packet, size_t n)
{
    struct klv_thinning same = want;
    struct klv_thinned result;
    same.on_change = same.marked = 0;
    if (!klv_thin(packet, n, &same, NULL, 1, again, &result))
        return; /* nothing of it was chosen */
    CHECK(result.size == n && memcmp(again, packet, n) == 0);
}

static void check_forms(const uint8_t *packet, size_t n, const struct klv_thinned *result)
{
    const struct klv_envelope envelope = {.head = "boot", .head_size = 4, .pts = 7, .received_us = -1, .pid = 1};
    const unsigned removed = result->full ? 0 : result->removed;
    const long compact =
        klv_compact(packet, n, result->full, result->tags, removed, &envelope, 1, 2, form, 2 * n + 516);
    CHECK(compact > 0);
    uint64_t unknown = 0;
    const long size = klv_record(packet, n, "{\"a\":1", 6, 1, 1, 1, 1, 1, 0, -1, 0, NULL, json, sizeof json, &unknown);
    for (int to = KLV_CBOR; size > 0 && to <= KLV_MSGPACK; to++)
        CHECK(klv_document(json, (size_t)size, to, form, 3 * (size_t)size + 64) > 0);
}

static void one(const uint8_t *packet, size_t n)
{
    struct klv_thinned result;
    uint64_t before = klv_meter;
    const int sent = klv_thin(packet, n, &want, &base, packet[n - 1] % 7 == 0, thinned_bytes, &result);
    check_bound(0, klv_meter - before, STEPS * n + STEPS_MORE);
    before = klv_meter;
    const size_t marking = klv_marking(packet, n, form, n + KLV_MARKING_MORE);
    CHECK(marking <= n + KLV_MARKING_MORE);
    check_bound(1, klv_meter - before, STEPS * n + STEPS_MORE);
    if (!sent)
        return;
    CHECK(result.size <= n + KLV_THIN_MORE && result.removed < KLV_TAGS && (want.on_change || result.full));
    const int as_it_is = result.size == n && memcmp(thinned_bytes, packet, n) == 0;
    if (!as_it_is) {
        value_of_packet(thinned_bytes, result.size);
        CHECK(klv_checksum(thinned_bytes, result.size) != KLV_BAD);
        CHECK(klv_checksum(thinned_bytes, result.size) != KLV_PARTIAL);
    }
    if (want.selected != (want.grid > 0) && result.full) /* with both a longitude may lose its latitude */
        check_stays(thinned_bytes, result.size);
    check_forms(thinned_bytes, result.size, &result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2 || n > MOST)
        return 0;
    set_wishes(data[n - 1]);
    memset(&base, 0, sizeof base);
    struct klv_search search = {0};
    size_t at = 0;
    for (int round = 0; at < n && round < 64; round++) { /* its packets, in a row; and what is no packet */
        struct klv_view view;
        const enum klv_status status = klv_next(data + at, n - at, MOST, KLV_STEP | KLV_LAST, &search, &view);
        if (status != KLV_OK)
            break;
        one(data + at + view.at, view.size);
        at += view.at + view.size;
    }
    one(data, n);
    uint8_t copy[256];
    const size_t few = n < sizeof copy ? n : sizeof copy;
    memcpy(copy, data, few);
    klv_document((const char *)copy, few, KLV_CBOR + data[0] % 2, form, 3 * few + 64);
    return 0;
}
