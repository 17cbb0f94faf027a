/* harness.c - runs the core's public functions over a corpus, its input flush against a page without access,
 * and its output likewise, whole, at every single cut, and over seeded mutations.
 *
 *   harness CORPUS ROUNDS SEED      corpus: records of kind (1 byte: 0 bare KLV, 1 MPEG-TS), length (u32 LE), bytes
 *
 * Built with ASan and UBSan; a finding ends it with a report, a check that fails with its line.
 */
#define _DEFAULT_SOURCE
#include "klv.h"
#include "output.h"
#include "strict_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ARENA = 1 << 20, LIMIT = 4096, MOST = 1 << 16, BATCH = 3, COLUMNS = 9, ROWS = 2 };

#define CHECK(rule)                                                                                     \
    do {                                                                                                \
        if (!(rule)) {                                                                                  \
            fprintf(stderr, "%s:%d: broken: %s (input %zu, mutation %lu)\n", __FILE__, __LINE__, #rule, \
                    input_index, mutation);                                                             \
            exit(1);                                                                                    \
        }                                                                                               \
    } while (0)

struct input {
    int ts;
    size_t size;
    uint8_t *data;
};

struct digest {
    uint64_t hash, packets;
};

static size_t input_index;
static unsigned long mutation, cuts, stamps_found;
static uint8_t *input_end, *packet_end, *output_end; /* each is the first byte of a page without access */
static uint64_t random_state;

static uint8_t *arena(void)
{
    uint8_t *p = mmap(NULL, ARENA + 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p, ARENA, PROT_READ | PROT_WRITE) != 0)
        exit(2);
    return p + ARENA;
}

static const uint8_t *flush(uint8_t *end, const uint8_t *data, size_t n)
{
    memmove(end - n, data, n);
    return end - n;
}

static uint32_t pick(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return below ? (uint32_t)(random_state >> 33) % below : 0;
}

static void add(struct digest *d, const void *data, size_t n)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < n; i++)
        d->hash = (d->hash ^ p[i]) * 0x100000001b3u;
}

/* ---- the primitives ---------------------------------------------------------------------------------- */

static void primitives(const uint8_t *in, size_t n)
{
    uint64_t value;
    size_t used = 0;
    double number;
    if (klv_ber_length(in, n, &value, &used) == KLV_OK)
        CHECK(used <= n && used <= 9);
    for (size_t octets = 1; octets <= 10; octets++)
        if (klv_ber_oid(in, n, octets, &value, &used) == KLV_OK)
            CHECK(used <= n && used <= octets);
    klv_sum16(in, n);
    klv_crc16(in, n);
    klv_crc32(in, n);
    klv_imapb(in, n, -900, 40000, &number);
    klv_imapb(in, n, 0, 4294967296.0, &number);
    klv_imapb(in, n, 1, 1, &number);
}

/* A frame's time is in range, whatever its bytes; without one the stamp is unchanged. */
static void stamps(const uint8_t *in, size_t n)
{
    for (int codec = 0; codec <= KLV_MPEG2 + 1; codec++) {
        struct klv_stamp stamp = {0, -2, -2, -2};
        if (klv_stamp(in, n, codec, &stamp)) {
            stamps_found++;
            CHECK(stamp.nanoseconds >= -1 && stamp.nanoseconds < 1000 && stamp.status >= 0 && stamp.status < 256);
            CHECK((stamp.flags & ~(KLV_NANOSECONDS | KLV_ODD_BODY)) == 0);
            CHECK(!(stamp.flags & KLV_NANOSECONDS) || stamp.nanoseconds >= 0);
        } else
            CHECK(stamp.time_us == 0 && stamp.nanoseconds == -2 && stamp.status == -2 && stamp.flags == -2);
    }
}

/* ---- one packet -------------------------------------------------------------------------------------- */

/* About every second item; `all`: every one. */
static struct klv_selection chosen(int all)
{
    struct klv_selection items;
    uint32_t part = pick(UINT32_MAX);
    for (int set = 0; set < KLV_SETS; set++)
        for (int i = 0; i < KLV_TAGS / 64; i++)
            items.tags[set][i] = all ? UINT64_MAX : 0x9e3779b97f4a7c15u * ++part;
    for (int i = 0; i < KLV_KEYED / 64; i++)
        items.keyed[i] = all ? UINT64_MAX : 0x9e3779b97f4a7c15u * ++part;
    items.unknown = all || part % 2;
    return items;
}

static void write_json(const uint8_t *packet, size_t n, const char *head, const struct klv_selection *items)
{
    const struct klv_envelope envelope = {head, head ? strlen(head) : 0, 1042, 1795317255926535, 195030, 0, -1,
                                          257, 1, -1, 0, 0, items};
    size_t written = 0, again = 0;
    uint64_t unknown = 0, ignored = 0;
    enum klv_status status = klv_json(packet, n, &envelope, (char *)output_end - ARENA, ARENA, &written, &unknown);
    if (status != KLV_OK) {
        CHECK(status == KLV_BAD_LENGTH);
        return;
    }
    CHECK(written >= 2 && written < ARENA && unknown <= n);
    CHECK(head == NULL || json_fault((char *)output_end - ARENA, written, &again) == NULL);
    struct digest whole = {0, 0}, tight = {0, 0};
    add(&whole, output_end - ARENA, written);
    const size_t rooms[] = {0, 1, written / 2, written - 1, written, written + 1, written + 64,
                            pick((uint32_t)written)};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        char *out = (char *)output_end - rooms[i];
        status = klv_json(packet, n, &envelope, out, rooms[i], &again, &ignored);
        CHECK(status == KLV_FULL || (status == KLV_OK && rooms[i] >= written && again == written));
        if (status == KLV_OK) {
            tight.hash = 0;
            add(&tight, out, again);
            CHECK(tight.hash == whole.hash);
        }
    }
}

/* ---- what an output publishes of it: each result in exactly its room, where that is known ---- */

static void make_wishes(struct klv_thinning *want, unsigned asked)
{
    want->items = chosen(0);
    want->selected = asked & 1;
    want->on_change = asked >> 1 & 1;
    want->marked = asked >> 2 & 1;
    want->grid = asked & 8 ? 100 : 0;
    for (int set = 0; set < KLV_SETS; set++)
        for (int tag = 0; tag < KLV_TAGS; tag++)
            want->bands[set][tag] = asked & 16 ? 0.5f : 0;
}

static void write_documents(const char *text, size_t n)
{
    static uint64_t count;
    const int form = ++count % 2 ? KLV_CBOR : KLV_MSGPACK;
    const char *json = (const char *)flush(packet_end, (const uint8_t *)text, n);
    CHECK(klv_document(json, n, form, output_end - (3 * n + 64), 3 * n + 64) > 0);
    CHECK(klv_document(json, n, form, output_end - n, n) == 0);
    const size_t cut = pick((uint32_t)n);
    klv_document((const char *)packet_end - cut, cut, form, output_end - (3 * cut + 64), 3 * cut + 64);
}

static void write_forms(const uint8_t *packet, size_t n)
{
    static char json[ARENA / 8];
    const struct klv_envelope envelope = {.head = "{\"a\":1", .head_size = 6, .pts = -1, .checksum = -1};
    const size_t room = 2 * n + 518;
    size_t size;
    uint64_t unknown = 0;
    const long written = klv_compact(packet, n, 1, NULL, 0, &envelope, -1, 1, output_end - room, room);
    CHECK(written > 0);
    CHECK(klv_compact(packet, n, 1, NULL, 0, &envelope, -1, 1, output_end - written + 1, (size_t)written - 1) == 0);
    klv_marking(packet, n, output_end - (n + KLV_MARKING_MORE), n + KLV_MARKING_MORE);
    if (klv_json(packet, n, &envelope, json, sizeof json, &size, &unknown) == KLV_OK)
        write_documents(json, size);
}

/* A record in a random format, first with too little memory for it. */
static void write_shaped(const uint8_t *packet, size_t n, const struct klv_thinning *want)
{
    static uint8_t thinned[ARENA];
    static char json[ARENA];
    static struct klv_base base;
    const int form = (int)pick(KLV_COMPACT + 1);
    struct klv_shape shape = {.thinning = want, .base = &base, .head = "{\"a\":1", .head_size = 6, .format = form};
    struct klv_shape_memory memory = {.packet = thinned, .out = output_end, .json = json};
    shape.seq = shape.highest = -1;
    base.set = 0;
    CHECK(klv_shape_record(&shape, &memory, packet, n, 1, -1, -1, -1, -1, 0, KLV_GOOD, 1, 0) == KLV_ROOM_THIN);
    memory.packet_room = n + KLV_THIN_MORE;
    const long first = klv_shape_record(&shape, &memory, packet, n, 1, -1, -1, -1, -1, 0, KLV_GOOD, 1, 0);
    CHECK(first == 0 || first == KLV_ROOM_WRITE || first == KLV_BAD_LENGTH);
    if (first != KLV_ROOM_WRITE)
        return;
    memory.json_room = sizeof json;
    memory.out = output_end - ARENA;
    memory.out_room = ARENA;
    const long written = klv_shape_record(&shape, &memory, packet, n, 1, -1, -1, -1, -1, 0, KLV_GOOD, 1, 1);
    CHECK(written == KLV_ROOM_WRITE || (written > 0 && shape.seq == 1 && shape.highest == 1));
    klv_shape_record(&shape, &memory, packet, n, 3, -1, -1, -1, -1, 0, KLV_GOOD, 1, 0);
}

static void outputs(const uint8_t *packet, size_t n)
{
    static struct klv_base base;
    static struct klv_thinning want;
    struct klv_thinned result;
    if (pick(64) == 0)
        make_wishes(&want, pick(32));
    base.set = pick(4) ? base.set : 0;
    uint8_t *out = output_end - (n + KLV_THIN_MORE);
    for (int again = 0; again < 2; again++)
        if (klv_thin(packet, n, &want, &base, pick(8) == 0, out, &result))
            CHECK(result.size <= n + KLV_THIN_MORE && result.removed < KLV_TAGS);
    write_forms(packet, n);
    write_shaped(packet, n, &want);
}

static void one_packet(const uint8_t *data, size_t n)
{
    const uint8_t *packet = flush(packet_end, data, n);
    uint64_t time_us;
    int sum = klv_checksum(packet, n);
    CHECK(sum == KLV_ABSENT || sum == KLV_GOOD || sum == KLV_BAD || sum == KLV_PARTIAL);
    klv_time(packet, n, &time_us);
    const char *head = "{\"schema\":\"klvrelay/1\",\"stream\":\"uav1\",\"boot\":null";
    const struct klv_selection some = chosen(0);
    write_json(packet, n, NULL, NULL);
    write_json(packet, n, head, NULL);
    write_json(packet, n, head, &some);
    outputs(packet, n);
}

static void framing(const uint8_t *in, size_t n)
{
    struct klv_search search = {0};
    size_t at = 0;
    for (int in_step = 0; at < n; in_step = 1) {
        struct klv_view view = {0};
        enum klv_status status = klv_next(in + at, n - at, LIMIT, in_step, &search, &view);
        CHECK(status == KLV_OK || status == KLV_MORE);
        CHECK(view.at <= n - at);
        if (status == KLV_MORE)
            return;
        CHECK(view.size >= 16 && view.size <= n - at - view.at && view.value <= view.size);
        CHECK(klv_set_name(view.set) != NULL);
        one_packet(in + at + view.at, view.size);
        at += view.at + view.size;
    }
}

static void columns(const uint8_t *in, size_t n)
{
    static const uint16_t tags[COLUMNS] = {2, 5, 13, 15, 65, 82, 104, 143, 999};
    double *out = (double *)(void *)(output_end - COLUMNS * ROWS * sizeof(double));
    size_t used = 0;
    for (int all = 0; all < 2; all++, used = 0) {
        struct klv_search search = {0};
        enum klv_status status = KLV_FULL;
        while (status == KLV_FULL) {
            size_t row = 0, before = used;
            status = klv_columns(in, n, LIMIT, all, tags, COLUMNS, out, ROWS, ROWS, &row, &search, &used);
            CHECK(row <= ROWS && used <= n);
            CHECK(status == KLV_MORE || (row == ROWS && used > before));
        }
    }
}

/* ---- the lane ---------------------------------------------------------------------------------------- */

static struct klv_lane *lanes[2], *new_lanes[2], *lane;
static uint8_t *memories[2];

/* Each kind of lane in one allocation for the whole run: malloc takes longer than what a cut does. */
static void begin(int ts)
{
    if (!lanes[ts]) {
        lanes[ts] = malloc(klv_lane_size());
        new_lanes[ts] = malloc(klv_lane_size());
        memories[ts] = malloc(klv_lane_memory(ts, LIMIT));
        if (!lanes[ts] || !new_lanes[ts] || !memories[ts])
            exit(2);
        memset(new_lanes[ts], 0xa5, klv_lane_size());
        klv_lane_init(new_lanes[ts], ts, LIMIT, memories[ts]);
    }
    lane = memcpy(lanes[ts], new_lanes[ts], klv_lane_size()); /* faster than klv_lane_init under the sanitizers */
    if (!ts)
        klv_lane_mark(lane, 90000, 7, 1, 0, 0);
}

static void take(struct digest *d, const uint8_t *data, size_t size, int64_t pts, int pid, int damaged)
{
    CHECK(size >= 16 && size <= LIMIT + 25);
    d->packets++;
    add(d, data, size);
    add(d, &pts, sizeof pts);
    add(d, &pid, sizeof pid);
    add(d, &damaged, sizeof damaged);
}

static void feed(const uint8_t *data, size_t n, struct digest *d)
{
    const uint8_t *in = flush(input_end, data, n);
    struct klv_packet packet;
    size_t used = 0;
    while (klv_lane_next(lane, in, n, &used, &packet) == KLV_OK) {
        CHECK(used <= n);
        take(d, packet.data, packet.size, packet.pts, packet.pid, packet.damaged);
    }
    CHECK(used == n);
}

static void feed_batch(const uint8_t *data, size_t n, struct digest *d)
{
    const uint8_t *in = flush(input_end, data, n);
    const size_t room = LIMIT + 25;
    uint8_t *pool = output_end - room;
    struct klv_entry entries[BATCH];
    size_t used = 0, count;
    enum klv_status status;
    do {
        status = klv_lane_batch(lane, in, n, &used, pool, room, entries, BATCH, &count);
        CHECK(count <= BATCH && used <= n && (count > 0 || status == KLV_MORE));
        for (size_t i = 0; i < count; i++)
            take(d, pool + entries[i].at, entries[i].size, entries[i].pts, entries[i].pid, entries[i].damaged);
    } while (status == KLV_FULL);
}

static uint64_t feed_lines(const uint8_t *data, size_t n, size_t room)
{
    const uint8_t *in = flush(input_end, data, n);
    struct klv_envelope envelope = {"{\"schema\":\"klvrelay/1\"", 22, 0, -1, -1, 0, -1, -1, -1, -1, 0, 0, NULL};
    struct digest d = {0, 0};
    size_t used = 0, written;
    enum klv_status status;
    do {
        status = klv_lane_lines(lane, in, n, &used, &envelope, NULL, (char *)output_end - room, room, &written);
        CHECK(written <= room && used <= n);
        add(&d, output_end - room, written);
        if (status == KLV_FULL && written == 0) {
            room *= 2;
            CHECK(room <= ARENA);
        }
    } while (status == KLV_FULL);
    return d.hash;
}

static struct digest whole_feed(const struct input *input)
{
    struct digest d = {0, 0};
    begin(input->ts);
    feed(input->data, input->size, &d);
    return d;
}

static void lane_agrees(const struct input *input, const struct digest *whole)
{
    struct digest batch = {0, 0};
    begin(input->ts);
    feed_batch(input->data, input->size, &batch);
    CHECK(batch.hash == whole->hash && batch.packets == whole->packets);
    begin(input->ts);
    uint64_t lines = feed_lines(input->data, input->size, ARENA);
    begin(input->ts);
    CHECK(lines == feed_lines(input->data, input->size, 512));

    struct klv_counts counts;
    klv_lane_counts(lane, &counts);
    CHECK(counts.packets == whole->packets);
    klv_lane_break(lane);
    feed(input->data, input->size, &batch);
}

/* Cut the input in two at `at` and again at `at + step`, ...: the output must be the same packets. */
static void cut(const struct input *input, size_t at, size_t step, const struct digest *whole)
{
    struct digest d = {0, 0};
    size_t from = 0;
    begin(input->ts);
    while (from < input->size) {
        size_t to = at < input->size ? at : input->size;
        feed(input->data + from, to - from, &d);
        from = to;
        at += step;
    }
    cuts++;
    CHECK(d.packets == whole->packets && d.hash == whole->hash);
}

/* ---- the runs ---------------------------------------------------------------------------------------- */

static void everything(const struct input *input)
{
    const uint8_t *in = flush(input_end, input->data, input->size);
    primitives(in, input->size);
    stamps(in, input->size);
    framing(in, input->size);
    columns(in, input->size);
    one_packet(input->data, input->size);
}

static uint64_t every_cut(const struct input *input)
{
    struct digest whole = whole_feed(input);
    everything(input);
    lane_agrees(input, &whole);
    for (size_t at = 1; at < input->size; at++) {
        cut(input, at, input->size, &whole);
        if (!input->ts && input->size < 1024) {
            const struct input head = {0, at, input->data};
            everything(&head);
        }
    }
    cut(input, 1, 1, &whole);
    return whole.packets;
}

static void mutate(struct input *m)
{
    static const uint8_t nasty[] = {0, 1, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x88, 0x89, 0xff, 0x47, 0x06};
    for (uint32_t edits = 1 + pick(6); edits > 0 && m->size > 0; edits--) {
        size_t at = pick((uint32_t)m->size), n = 1 + pick(24);
        switch (pick(6)) {
        case 0: m->data[at] = (uint8_t)(m->data[at] ^ (1u << pick(8))); break;
        case 1:
        case 2: m->data[at] = nasty[pick(sizeof nasty)]; break;
        case 3: m->size = at; break;
        case 4:
            n = n < m->size - at ? n : m->size - at;
            memmove(m->data + at, m->data + at + n, m->size - at - n);
            m->size -= n;
            break;
        default:
            if (m->size + n > MOST || n > m->size - at)
                break;
            memmove(m->data + at + n, m->data + at, m->size - at);
            m->size += n;
        }
    }
}

/* Every other one a transport stream; they are the last ones, and few. */
static size_t choose(const struct input *inputs, size_t count)
{
    size_t bare = 0;
    while (bare < count && !inputs[bare].ts)
        bare++;
    if (bare == count || (bare > 0 && pick(2)))
        return pick((uint32_t)bare);
    return bare + pick((uint32_t)(count - bare));
}

static void fuzz(const struct input *inputs, size_t count, unsigned long rounds)
{
    static uint8_t buffer[MOST];
    for (mutation = 1; mutation <= rounds; mutation++) {
        input_index = choose(inputs, count);
        struct input m = {inputs[input_index].ts, inputs[input_index].size, buffer};
        memcpy(buffer, inputs[input_index].data, m.size);
        mutate(&m);
        struct digest whole = whole_feed(&m);
        everything(&m);
        if (m.size > 1)
            cut(&m, 1 + pick((uint32_t)m.size - 1), 1 + pick((uint32_t)m.size), &whole);
        if (mutation % 8 == 0)
            lane_agrees(&m, &whole);
    }
}

static size_t load(const char *name, struct input *inputs, size_t most)
{
    FILE *file = fopen(name, "rb");
    uint8_t head[5];
    size_t count = 0;
    while (file && count < most && fread(head, 1, 5, file) == 5) {
        struct input *input = &inputs[count++];
        input->ts = head[0];
        input->size = head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16 | (size_t)head[4] << 24;
        input->data = malloc(input->size + 1);
        if (input->size > MOST || !input->data || fread(input->data, 1, input->size, file) != input->size)
            exit(2);
    }
    if (file)
        fclose(file);
    return count;
}

int main(int argc, char **argv)
{
    static struct input inputs[4096];
    if (argc != 4)
        return 2;
    size_t count = load(argv[1], inputs, 4096);
    unsigned long rounds = strtoul(argv[2], NULL, 10);
    random_state = strtoull(argv[3], NULL, 10) | 1;
    input_end = arena();
    packet_end = arena();
    output_end = arena();
    uint64_t packets[2] = {0, 0};
    for (input_index = 0; input_index < count; input_index++)
        packets[inputs[input_index].ts] += every_cut(&inputs[input_index]);
    fuzz(inputs, count, rounds);
    printf("inputs %zu, bare packets %lu, transport packets %lu, cuts %lu, stamps %lu, mutations %lu\n", count,
           (unsigned long)packets[0], (unsigned long)packets[1], cuts, stamps_found, mutation - 1);
    for (int ts = 0; ts < 2; ts++) {
        free(lanes[ts]);
        free(new_lanes[ts]);
        free(memories[ts]);
    }
    for (size_t i = 0; i < count; i++)
        free(inputs[i].data);
    return 0;
}
