/* fuzz_json.c - whatever a packet holds, what is written of it is JSON (RFC 8259), at most 64 x its bytes and 4 KiB, in
 * as many steps; stays inside its room, is the same in any room that holds it, and its time is that of its time stamp.
 * A selection of its items is JSON too, within the same bounds; a selection of all items changes nothing.
 * From the repository, FOLDER holding packets:
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -DKLV_METER=uint64_t -Inative \
 *     tests/native/fuzz_json.c native/[a-z]*.c -lm -o fuzz_json
 *   ./fuzz_json -max_len=8192 -timeout=5 FOLDER */
#include "fuzz_packets.h"
#include "strict_json.h"

enum { ROOM = 1 << 25, STEPS = 64, STEPS_MORE = 20000 };
static char whole[ROOM], again[ROOM]; /* the output ends where ASan guards */

static void check_json(const char *text, size_t n)
{
    size_t at;
    const char *fault = json_fault(text, n, &at);
    if (fault == NULL)
        return;
    fprintf(stderr, "no JSON: %s at %zu of %zu: %.*s\n", fault, at, n, (int)(n < 2000 ? n : 2000), text);
    abort();
}

static uint64_t digits(const char *p, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        CHECK(p[i] >= '0' && p[i] <= '9');
        value = value * 10 + (uint64_t)(p[i] - '0');
    }
    return value;
}

static uint64_t days_before(uint64_t year, uint64_t month, uint64_t day)
{
    static const uint16_t DAYS[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    CHECK(month >= 1 && month <= 12 && day >= 1);
    CHECK(day <= DAYS[month] - DAYS[month - 1] + (uint64_t)(leap && month == 2));
    uint64_t past = year - 1;
    return past * 365 + past / 4 - past / 100 + past / 400 + DAYS[month - 1] + (uint64_t)(leap && month > 2) + day;
}

/* "2012-06-29T13:45:12.123456Z" in microseconds since 1970. */
static uint64_t moment(const char *p)
{
    CHECK(p[4] == '-' && p[7] == '-' && p[10] == 'T' && p[13] == ':' && p[16] == ':' && p[19] == '.');
    CHECK(p[26] == 'Z' && p[27] == '"');
    uint64_t hour = digits(p + 11, 2), minute = digits(p + 14, 2), second = digits(p + 17, 2);
    CHECK(hour < 24 && minute < 60 && second < 60);
    uint64_t days = days_before(digits(p, 4), digits(p + 5, 2), digits(p + 8, 2)) - days_before(1970, 1, 1);
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000000 + digits(p + 20, 6);
}

/* No unquoted integer is beyond 2^53 - 1. */
static void check_safe(const char *p)
{
    for (int quoted = 0; *p; p++) {
        if (*p == '"')
            quoted = !quoted;
        else if (*p == '\\')
            p++;
        else if (!quoted && *p >= '0' && *p <= '9') {
            size_t count = strspn(p, "0123456789"), more = strspn(p + count, ".e+-0123456789");
            CHECK(more || count < 16 || (count == 16 && digits(p, 16) < (uint64_t)1 << 53));
            p += count + more - 1;
        }
    }
}

/* The head's time, its number of microseconds and klv_time agree. */
static void ts_check_time(const char *text, const uint8_t *packet, size_t n)
{
    const char *time = strstr(text, ",\"time\":"), *number = strstr(text, ",\"time_us\":");
    CHECK(time && number && time < number);
    uint64_t time_us = 0;
    int timed = klv_time(packet, n, &time_us);
    time += 8;
    number += 11 + (number[11] == '"');
    size_t count = strspn(number, "0123456789");
    CHECK(*time == '"' || !strncmp(time, "null,", 5));
    CHECK(count ? timed && digits(number, count) == time_us : !timed && !strncmp(number, "null,", 5));
    uint64_t micros = klv_micros(time_us);
    CHECK(*time == '"' ? timed && moment(time + 1) == micros : !timed || micros >= 253402300800000000u);
    CHECK((micros == time_us) == !klv_time_unit(time_us) || time_us == 0);
}

/* The same packet written to a buffer of this size: complete or not at all. */
static void in_room(const uint8_t *data, size_t n, const struct klv_envelope *envelope, size_t size, size_t room)
{
    uint64_t unknown = 0;
    size_t written = 0;
    char *out = again + ROOM - room;
    enum klv_status status = klv_json(data, n, envelope, out, room, &written, &unknown);
    CHECK(status == KLV_FULL || (status == KLV_OK && room >= size && written == size && memcmp(out, whole, size) == 0));
}

/* The items object alone equals the record's after its head. */
static void check_items(const uint8_t *data, size_t n, size_t size, int safe)
{
    const struct klv_envelope none = {.safe = safe};
    uint64_t unknown = 0;
    size_t written = 0;
    CHECK(klv_json(data, n, &none, again, ROOM, &written, &unknown) == KLV_OK && written + 1 < size);
    CHECK(memcmp(again, whole + size - 1 - written, written) == 0 && whole[size - 1] == '}');
}

static void check_record(const uint8_t *data, size_t n, const struct klv_envelope *e, size_t size)
{
    uint64_t unknown = 0;
    long written = klv_record(data, n, e->head, e->head_size, e->seq, e->received_us, e->pts, e->pid, e->program,
                              e->damaged, e->checksum, e->safe, e->items, again, ROOM, &unknown);
    CHECK(written == (long)size && memcmp(again, whole, size) == 0);
}

/* A selection of all items, or of some: those whose bit is set in a number that follows from `turn`. */
static void check_selection(const uint8_t *data, size_t n, struct klv_envelope e, size_t size, uint32_t turn)
{
    static struct klv_selection items;
    const int all = turn % 4 == 0;
    for (int set = 0; set < KLV_SETS; set++)
        for (int i = 0; i < KLV_TAGS / 64; i++)
            items.tags[set][i] = all ? UINT64_MAX : 0x9e3779b97f4a7c15u * ++turn;
    for (int i = 0; i < KLV_KEYED / 64; i++)
        items.keyed[i] = all ? UINT64_MAX : 0x9e3779b97f4a7c15u * ++turn;
    items.unknown = all || turn % 2;
    e.items = &items;
    uint64_t unknown = 0;
    size_t written = 0;
    klv_meter = 0;
    CHECK(klv_json(data, n, &e, again, klv_json_room(n, e.head_size), &written, &unknown) == KLV_OK);
    CHECK(written <= 64 * n + 4096 && unknown <= n && klv_meter <= STEPS * n + STEPS_MORE);
    again[written] = 0;
    check_json(again, written);
    CHECK(!all || (written == size && memcmp(again, whole, size) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const int safe = n % 3 == 0;
    struct klv_envelope envelope = {"{\"a\":1", 6, n, (int64_t)n << 40, (int64_t)n - 100, n & 2, -1, (int)n - 50,
                                    (int)n - 20, -1, 0, safe, NULL};
    size_t size = 0;
    uint64_t unknown = 0;
    const size_t most = klv_json_room(n, envelope.head_size);
    CHECK(most < ROOM);
    klv_meter = 0;
    enum klv_status status = klv_json(data, n, &envelope, whole, most, &size, &unknown);
    if (status == KLV_BAD_LENGTH)
        return 0;
    CHECK(status == KLV_OK && size <= 64 * n + 4096 && unknown <= n);
    CHECK(klv_meter <= STEPS * n + STEPS_MORE);
    whole[size] = 0;
    check_json(whole, size);
    if (safe)
        check_safe(whole);
    in_room(data, n, &envelope, size, size - n % 2);
    uint32_t turn = klv_crc32(data, n < 64 ? n : 64);
    switch (turn % 4) {
    case 0: check_items(data, n, size, safe); break;
    case 1: check_record(data, n, &envelope, size); break;
    case 2: in_room(data, n, &envelope, size, turn / 4 % size); break;
    default: in_room(data, n, &envelope, size, size + turn / 4 % 300);
    }
    check_selection(data, n, envelope, size, turn);
    if (klv_whole(data, n, n) >= 0)
        ts_check_time(whole, data, n);
    return 0;
}
