/* stamp.c - the time of a video frame (ST 0603) where ST 0604 puts it, behind an identifier of 16 bytes:
 *
 *   H.264, H.265   in an SEI message of type 5, user_data_unregistered; units begin with a start code or a length
 *   MPEG-2         in user_data, 00 00 01 B2
 *
 *   status | time 0 1 | FF | time 2 3 | FF | time 4 5 | FF | time 6 7        so that it never looks like a start code
 */
#include "wire.h"

enum { ID = 16, GUARDED = 1 + 8 + 3, PLAIN = 1 + 8 };

/* Microseconds of 10^17 are in the year 5138, nanoseconds of 10^17 in 1973. */
static const uint64_t MOST_US = 100000000000000000u;

static const uint8_t MICROSECONDS[ID] = {'M', 'I', 'S', 'P', 'm', 'i', 'c', 'r',
                                         'o', 's', 'e', 'c', 't', 'i', 'm', 'e'};
static const uint8_t MICROSECONDS_H265[ID] = {0xa8, 0x68, 0x7d, 0xd4, 0xd7, 0x59, 0x37, 0x58,
                                              0xa5, 0xce, 0xf0, 0x33, 0x8b, 0x65, 0x45, 0xf1};
static const uint8_t NANOSECONDS[ID] = {0xcf, 0x84, 0x82, 0x78, 0xee, 0x23, 0x30, 0x6c,
                                        0x92, 0x65, 0xe8, 0xfe, 0xf2, 0x2f, 0xb8, 0xb8};

enum unit { NEITHER, MICRO, NANO };

/* Any identifier counts in any codec: re-encoders carry them over. */
static enum unit nal_unit_of(const uint8_t *id)
{
    if (memcmp(id, MICROSECONDS, ID) == 0 || memcmp(id, MICROSECONDS_H265, ID) == 0)
        return MICRO;
    return memcmp(id, NANOSECONDS, ID) == 0 ? NANO : NEITHER;
}

/* Identifier, status and time; where there is no room for guards, the time's bytes stand side by side. */
static int read_stamp(const uint8_t *in, size_t n, struct klv_stamp *stamp)
{
    if (n < ID + PLAIN)
        return 0;
    enum unit unit = nal_unit_of(in);
    if (unit == NEITHER)
        return 0;
    const uint8_t *t = in + ID + 1;
    int guarded = n >= ID + GUARDED, intact = guarded && t[2] == 0xff && t[5] == 0xff && t[8] == 0xff;
    uint64_t time = be_uint(t, 8);
    if (guarded)
        time = (uint64_t)be16(t) << 48 | (uint64_t)be16(t + 3) << 32 | (uint64_t)be16(t + 6) << 16 | be16(t + 9);
    int sniffed = unit == MICRO && time > MOST_US, nano = unit == NANO || sniffed;
    stamp->time_us = nano ? time / 1000 : time;
    stamp->nanoseconds = nano ? (int)(time % 1000) : -1;
    stamp->status = in[ID];
    stamp->flags = (sniffed ? KLV_NANOSECONDS : 0) | (intact ? 0 : KLV_ODD_BODY);
    return 1;
}

/* ---- H.264, H.265 ------------------------------------------------------------------------------------ */

/* A unit's bytes without those that keep it from looking like a start code. */
struct payload {
    const uint8_t *in;
    size_t at, end;
    int zeros;
};

static int next_byte(struct payload *p)
{
    if (p->zeros == 2 && p->at < p->end && p->in[p->at] == 3) {
        p->at++;
        p->zeros = 0;
    }
    if (p->at == p->end)
        return -1;
    uint8_t byte = p->in[p->at++];
    p->zeros = byte ? 0 : p->zeros < 2 ? p->zeros + 1 : 2;
    return byte;
}

/* A message's type or size: FF for each 255 of it, then the rest. */
static int read_number(struct payload *p, size_t *number)
{
    int byte = 0xff;
    for (*number = 0; byte == 0xff; *number += (size_t)byte)
        if ((byte = next_byte(p)) < 0)
            return 0;
    return 1;
}

static int take_payload(struct payload *p, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++) {
        int byte = next_byte(p);
        if (byte < 0)
            return 0;
        if (out)
            out[i] = (uint8_t)byte;
    }
    return 1;
}

static int in_messages(struct payload p, struct klv_stamp *stamp)
{
    uint8_t message[ID + GUARDED];
    size_t type, size;
    while (read_number(&p, &type) && read_number(&p, &size)) {
        size_t kept = size < sizeof message ? size : sizeof message;
        if (!take_payload(&p, kept, message))
            return 0;
        if (type == 5 && read_stamp(message, kept, stamp))
            return 1;
        if (!take_payload(&p, size - kept, NULL))
            return 0;
    }
    return 0;
}

static int in_unit(const uint8_t *in, size_t n, int codec, struct klv_stamp *stamp)
{
    size_t head = codec == KLV_HEVC ? 2 : 1;
    if (n <= head)
        return 0;
    int type = codec == KLV_HEVC ? in[0] >> 1 & 0x3f : in[0] & 0x1f;
    if (codec == KLV_HEVC ? type != 39 && type != 40 : type != 6)
        return 0;
    return in_messages((struct payload){in, head, n, 0}, stamp);
}

static int behind_lengths(const uint8_t *in, size_t n, int codec, struct klv_stamp *stamp)
{
    for (size_t at = 0; n - at > 4;) {
        size_t size = be32(in + at), room = n - at - 4;
        size = size < room ? size : room;
        if (in_unit(in + at + 4, size, codec, stamp))
            return 1;
        at += 4 + size;
    }
    return 0;
}

/* ---- start codes ------------------------------------------------------------------------------------- */

/* Where the next 00 00 01 begins, or n. */
static size_t next_code(const uint8_t *in, size_t at, size_t n)
{
    while (n - at > 2) {
        const uint8_t *one = memchr(in + at + 2, 1, n - at - 2);
        if (!one)
            return n;
        at = (size_t)(one - in) - 2;
        if (one[-1] == 0 && one[-2] == 0)
            return at;
        at++;
    }
    return n;
}

/* `cut`: the bytes end, not the user data. A short body may then be the beginning of a longer one, and zeros that of a
 * start code. */
static int in_user_data(const uint8_t *in, size_t n, int cut, struct klv_stamp *stamp)
{
    size_t least = ID + (cut ? GUARDED : PLAIN);
    while (cut && n > 0 && in[n - 1] == 0)
        n--;
    for (size_t at = 0; n - at >= least; at++)
        if (read_stamp(in + at, n - at, stamp))
            return 1;
    return 0;
}

static int behind_codes(const uint8_t *in, size_t n, int codec, struct klv_stamp *stamp)
{
    for (size_t at = next_code(in, 0, n), end; at < n; at = end) {
        const uint8_t *unit = in + at + 3;
        end = next_code(in, at + 3, n);
        size_t size = end - at - 3;
        if (codec != KLV_MPEG2 ? in_unit(unit, size, codec, stamp)
                               : size > 0 && unit[0] == 0xb2 && in_user_data(unit + 1, size - 1, end == n, stamp))
            return 1;
    }
    return 0;
}

int klv_stamp(const uint8_t *frame, size_t n, int codec, struct klv_stamp *stamp)
{
    if (codec < KLV_H264 || codec > KLV_MPEG2)
        return 0;
    if (codec != KLV_MPEG2 && behind_lengths(frame, n, codec, stamp))
        return 1;
    return behind_codes(frame, n, codec, stamp);
}
