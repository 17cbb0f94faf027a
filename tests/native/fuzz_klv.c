/* fuzz_klv.c - framing, checksums, times and columns stay inside their input and agree, and the search is linear. From
 * the repository, FOLDER holding KLV:
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -DKLV_METER=uint64_t -Inative \
 *     tests/native/fuzz_klv.c native/[a-z]*.c -lm -o fuzz_klv
 *   ./fuzz_klv -max_len=8192 -timeout=5 FOLDER */
#include "fuzz_packets.h"

#include <math.h>

enum { STEPS = 64, STEPS_MORE = 50000 };
enum { LIMIT = 4000, COLUMNS = 144, STRIDE = 5, MOST = 1 << 16 };
static uint8_t room[MOST];              /* input and output end where ASan guards */
static double cells[COLUMNS * STRIDE];

static const uint8_t *flush(const uint8_t *data, size_t n)
{
    return memmove(room + MOST - n, data, n);
}

static size_t counted(const uint64_t bits[3])
{
    size_t count = 0;
    for (int tag = 0; tag < 192; tag++)
        count += bits[tag >> 6] >> (tag & 63) & 1;
    return count;
}

/* A packet alone equals that in the stream. */
static void one(const uint8_t *packet, const struct klv_view *view, int last)
{
    uint64_t time_us = 0, bits[3];
    int timed = klv_time(packet, view->size, &time_us), sum = klv_sets[view->set].sum;
    int whole = klv_whole(packet, view->size, LIMIT), tags = klv_tags(packet, view->size, bits);
    CHECK(timed || time_us == 0);
    CHECK(!tags || counted(bits) <= view->size / 2);
    CHECK(tags || klv_sets[view->set].tags == 0 || counted(bits) <= view->size / 2);
    CHECK(view->cut || klv_checksum(packet, view->size) == view->checksum);
    CHECK(whole < 0 || (whole / 4 == view->set && whole % 4 == view->checksum && !view->cut));
    CHECK(!sum || whole >= 0 || view->cut || view->checksum != KLV_GOOD);
    CHECK(sum || view->checksum == KLV_ABSENT || view->cut);
    CHECK(!last || klv_set_name(view->set));
}

static void packets(const uint8_t *in, size_t n, int last)
{
    struct klv_search search = {0};
    struct klv_view view = {0};
    uint64_t steps = 0;
    size_t at = 0;
    for (int flags = last;; flags = last | KLV_STEP) {
        klv_meter = 0;
        enum klv_status status = klv_next(in + at, n - at, LIMIT, flags, &search, &view);
        steps += klv_meter;
        CHECK(steps <= STEPS * n + STEPS_MORE);
        if (status != KLV_OK)
            break;
        CHECK(view.at <= n - at && view.size <= n - at - view.at && view.value <= view.size && view.value >= 17);
        CHECK(view.size - view.value <= LIMIT);
        const uint8_t *packet = in + at + view.at;
        CHECK(view.set ? klv_set_of_key(packet) == view.set : flags & KLV_STEP || klv_is_fill(packet));
        one(flush(packet, view.size), &view, last);
        at += view.at + view.size;
    }
    CHECK(view.at <= n - at);
}

/* Bytes that need not be a packet. */
static void any(const uint8_t *in, size_t n)
{
    uint64_t time_us, bits[3];
    int sum = klv_checksum(in, n), whole = klv_whole(in, n, LIMIT);
    CHECK(sum == KLV_ABSENT || sum == KLV_GOOD || sum == KLV_BAD || sum == KLV_PARTIAL);
    CHECK(whole >= -1 && whole < 4 * klv_set_count && (whole < 0 || whole % 4 == sum));
    CHECK(klv_time(in, n, &time_us) <= 1 && klv_tags(in, n, bits) <= 1);
}

static void numbers(const uint8_t *in, size_t n)
{
    static const double BOUNDS[][2] = {{-900, 40000}, {0, 4294967296.0}, {-1, 1}, {0.5, 100}, {-1e300, 1e300}};
    const uint8_t *value = flush(in, n = n < 9 ? n : 9);
    uint64_t code;
    size_t used;
    CHECK(klv_ber_length(value, n, &code, &used) != KLV_OK || (used <= n && used <= 9));
    for (size_t octets = 1; octets <= 10; octets++)
        CHECK(klv_ber_oid(value, n, octets, &code, &used) != KLV_OK || (used <= n && used <= octets));
    for (size_t i = 0; i < sizeof BOUNDS / sizeof *BOUNDS; i++) {
        double number = 0, span = BOUNDS[i][1] - BOUNDS[i][0];
        if (klv_imapb(value, n, BOUNDS[i][0], BOUNDS[i][1], &number) == NULL && isfinite(span))
            CHECK(isfinite(number) && number >= BOUNDS[i][0] - span && number <= BOUNDS[i][1] + span);
    }
}

static int same(const double *one, const double *many)
{
    return memcmp(one, many, COLUMNS * sizeof *one) == 0;
}

static int sound(uint16_t tag, double cell)
{
    return isnan(cell) || (isfinite(cell) && klv_numeric(tag));
}

/* All rows, `rows` per call; columns are `stride` apart, and nothing is written between them. */
static size_t columns(const uint8_t *in, size_t n, int all, size_t rows, size_t stride, double *last)
{
    static const double UNTOUCHED = 1.2345e-300;
    double *end = cells + COLUMNS * STRIDE, *out = end - (COLUMNS - 1) * stride - rows;
    size_t used = 0, sum = 0, row = 0;
    uint16_t tags[COLUMNS];
    struct klv_search search = {0};
    for (uint16_t i = 0; i < COLUMNS; i++)
        tags[i] = i;
    for (enum klv_status status = KLV_FULL; status == KLV_FULL; sum += row) {
        for (double *cell = out; cell < end; cell++)
            *cell = UNTOUCHED;
        size_t before = used;
        row = 0;
        status = klv_columns(in, n, LIMIT, all, tags, COLUMNS, out, stride, rows, &row, &search, &used);
        CHECK(row <= rows && used <= n && (status == KLV_MORE || (row == rows && used > before)));
        for (size_t c = 0; c < COLUMNS; c++)
            for (size_t r = 0; r < stride && out + c * stride + r < end; r++)
                CHECK(r < row ? sound(tags[c], out[c * stride + r]) : out[c * stride + r] == UNTOUCHED);
        for (size_t c = 0; row && c < COLUMNS; c++)
            last[c] = out[c * stride + row - 1];
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    double single[COLUMNS] = {0}, many[COLUMNS] = {0};
    int all = n > 0 && data[n - 1] & 1;
    if (n > MOST)
        return 0;
    numbers(data, n);
    packets(data, n, n > 0 && data[n - 1] & 2 ? KLV_LAST : 0);
    any(data, n);
    CHECK(columns(data, n, all, 1, 1, single) == columns(data, n, all, STRIDE - 1, STRIDE, many) && same(single, many));
    return 0;
}
