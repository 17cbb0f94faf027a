/* klv_mutator.h - a mutator of KLV: it changes one item, at any depth, and then corrects the lengths around it and
 * mostly the checksum, so that the result is read to its end. Now and then it does not. */
#ifndef KLV_MUTATOR_H
#define KLV_MUTATOR_H

#include "wire.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

enum { MUTATOR_DEPTH = 8, MUTATOR_MOST = 1 << 16 };

/* A value after its BER length: offsets. */
struct span {
    size_t begin, field, value, end; /* tag or key, length, value */
};

static uint32_t mutator_state;

static inline uint32_t pick(uint32_t below)
{
    mutator_state = mutator_state * 1664525 + 1013904223;
    return below ? (mutator_state >> 8) % below : 0;
}

static inline int span_at(const uint8_t *in, size_t end, size_t head, struct span *span)
{
    uint64_t length;
    size_t used;
    if (head > end - span->begin)
        return 0;
    span->field = span->begin + head;
    if (klv_ber_length(in + span->field, end - span->field, &length, &used) != KLV_OK)
        return 0;
    span->value = span->field + used;
    span->end = span->value + (size_t)length;
    return length <= end - span->value;
}

/* The octets before the length of the element at in[at..end): a key, a tag or nothing. */
static inline size_t head_size(const uint8_t *in, size_t at, size_t end, int tagged)
{
    uint64_t tag;
    size_t used;
    if (end - at > 16 && klv_may_be_key(in + at, 4))
        return 16;
    return tagged && klv_ber_oid(in + at, end - at, 5, &tag, &used) == KLV_OK ? used : 0;
}

/* One of the elements of in[at..end), each as likely; 0 = there is none. */
static inline int choose(const uint8_t *in, size_t at, size_t end, int tagged, struct span *chosen)
{
    uint32_t seen = 0;
    for (struct span span = {.begin = at}; span.begin < end; span.begin = span.end) {
        if (!span_at(in, end, head_size(in, span.begin, end, tagged), &span))
            break;
        if (pick(++seen) == 0)
            *chosen = span;
    }
    return seen > 0;
}

/* The path from the packet to one of its items or nested items: the number of spans. */
static inline size_t descend(const uint8_t *in, size_t n, struct span *way)
{
    size_t depth = 0, at = 0, end = n;
    while (depth < MUTATOR_DEPTH && (depth < 2 || pick(3)) && choose(in, at, end, depth < 2 || pick(3), &way[depth])) {
        at = way[depth].value;
        end = way[depth++].end;
    }
    return depth;
}

static inline size_t put_ber(uint8_t *out, size_t length)
{
    size_t octets = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;
    out[0] = (uint8_t)(octets ? 0x80 | octets : length);
    for (size_t i = 0; i < octets; i++)
        out[1 + i] = (uint8_t)(length >> 8 * (octets - 1 - i));
    return 1 + octets;
}

/* data[from..to) becomes `size` bytes of `with`; the new size of all. */
static inline size_t splice(uint8_t *data, size_t n, size_t from, size_t to, const uint8_t *with, size_t size)
{
    memmove(data + from + size, data + to, n - to);
    memmove(data + from, with, size);
    return n - (to - from) + size;
}

/* Put data[from..to), inside way[depth - 1], for `size` bytes, and correct every enclosing length. */
static inline size_t rebuild(uint8_t *data, size_t n, const struct span *way, size_t depth, size_t from, size_t to,
                             const uint8_t *with, size_t size)
{
    size_t before = n;
    uint8_t field[4];
    n = splice(data, n, from, to, with, size);
    while (depth-- > 0) {
        size_t length = way[depth].end + n - before - way[depth].value;
        n = splice(data, n, way[depth].field, way[depth].value, field, put_ber(field, length));
    }
    return n;
}

/* Where the packet ends in its checksum, correct it. */
static inline void set_sum(uint8_t *packet, size_t n)
{
    const struct set *set = n > 22 ? &klv_sets[klv_set_of_key(packet)] : &klv_sets[0];
    size_t size = set->sum == SUM_CRC32 ? 4 : 2;
    uint8_t *sum = packet + n - size;
    if (set->sum == SUM_NONE || sum[-2] != set->sum_tag || sum[-1] != size)
        return;
    uint32_t total = set->sum == SUM_16 ? klv_sum16(packet, n - size)
                     : size == 2       ? klv_crc16(packet, n - size)
                                       : klv_crc32(packet, n - size);
    for (size_t i = 0; i < size; i++)
        sum[i] = (uint8_t)(total >> 8 * (size - 1 - i));
}

static inline void change_key(uint8_t *packet)
{
    const struct keyed *keyed = &klv_keyed[pick((uint32_t)klv_keyed_count)];
    if (pick(2)) {
        memcpy(packet, klv_sets[1 + pick((uint32_t)klv_set_count - 1)].key, 16);
    } else {
        memcpy(packet, keyed->key, 7);
        memcpy(packet + 8, keyed->key + 7, 8);
    }
}

/* One packet, alone in data[0..n); `room` bytes may be used. */
static inline size_t mutate_packet(uint8_t *data, size_t n, size_t room)
{
    static uint8_t value[MUTATOR_MOST];
    struct span way[MUTATOR_DEPTH];
    size_t depth = descend(data, n, way), slack = room - n > 4 * depth ? room - n - 4 * depth : 0, size;
    if (depth == 0 || slack == 0 || pick(16) == 0)
        return LLVMFuzzerMutate(data, n, room);
    if (pick(32) == 0)
        change_key(data);
    const struct span last = way[depth - 1];
    size_t whole = last.end - last.begin;
    if (depth > 1 && pick(8) == 0) { /* the item is removed */
        n = rebuild(data, n, way, depth - 1, last.begin, last.end, value, 0);
    } else if (depth > 1 && whole <= slack && pick(10) == 0) { /* or repeated */
        memcpy(value, data + last.begin, whole);
        n = rebuild(data, n, way, depth - 1, last.end, last.end, value, whole);
    } else if (depth > 1 && pick(10) == 0 && last.field - last.begin < 16 && last.field > last.begin) {
        uint8_t tag = (uint8_t)pick(128);
        n = rebuild(data, n, way, depth - 1, last.begin, last.field, &tag, 1);
    } else {
        size = last.end - last.value;
        memcpy(value, data + last.value, size);
        size = LLVMFuzzerMutate(value, size, size + slack);
        n = rebuild(data, n, way, depth, last.value, last.end, value, size);
    }
    if (pick(4))
        set_sum(data, n);
    return n;
}

/* One of the packets of data[0..n). */
static inline size_t mutate_klv(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    static uint8_t packet[MUTATOR_MOST];
    struct klv_search search = {0};
    struct klv_view view;
    size_t from = 0, size = 0;
    uint32_t seen = 0;
    mutator_state = seed;
    for (size_t at = 0; klv_next(data + at, n - at, MUTATOR_MOST, KLV_STEP | KLV_LAST, &search, &view) == KLV_OK;
         at += view.at + view.size) {
        if (pick(++seen) == 0) {
            from = at + view.at;
            size = view.size;
        }
    }
    if (seen == 0 || size > MUTATOR_MOST || most > MUTATOR_MOST || n > most)
        return LLVMFuzzerMutate(data, n, most);
    memcpy(packet, data + from, size);
    size_t changed = mutate_packet(packet, size, most - (n - size));
    return splice(data, n, from, from + size, packet, changed);
}

#endif
