/* stamp.c - the time stamp of a video frame (ST 0603), as ST 0604 has it in the elementary stream.
 *
 *   byte  0 .. 15      16       17 18      19   20 21      22   23 24      25   26 27        ST 0604.6, 7.4
 *        +------------+--------+----------+----+----------+----+----------+----+----------+
 *        | identifier | status | time 0 1 | ff | time 2 3 | ff | time 4 5 | ff | time 6 7 |
 *        +------------+--------+----------+----+----------+----+----------+----+----------+
 *
 *   identifier  says whether the time, 64 bits, counts microseconds or nanoseconds since 1970 (7.1, 7.2, 8.1)
 *   status      bit 7: clock not locked, 6: discontinuity, 5: backwards; 4..0 are ones (ST 0603.5, 7.4)
 *   ff          guards: no two zero bytes of the time make a start code
 *
 * Where it is:
 *
 *   H.264    NAL unit of type 6 (SEI; 7.3.2.3.1)           | 06 |                 type | size | payload | ... | 80 |
 *   H.265    NAL unit of type 39 or 40 (SEI; 7.3.5)        | 4e 01 | or | 50 01 | type | size | payload | ... | 80 |
 *   MPEG-2   user_data (ST 0604.6, 10)                     | 00 00 01 b2 |        the bytes drawn above, anywhere in it
 *
 *   type, size  of an SEI message: a byte ff for each 255 in it, then one with the rest. Type 5 is
 *               user_data_unregistered: its payload is the bytes drawn above
 *
 * NAL units follow start codes (00 00 01) or lengths of 4 bytes. Inside them, 03 is inserted after two zero bytes that
 * would look like a start code.
 */
#include "primitives.h"

enum {
    ID = 16,
    GUARDED = 1 + 8 + 3,    /* status, time, guards */
    PLAIN = 1 + 8           /* without guards: not as the standard has it */
};

/* A time above this is not in microseconds, whatever the identifier says: that would be after the year 5138. In
 * nanoseconds it is after 1973. */
static const uint64_t MOST_US = 100000000000000000u;

static const uint8_t MICROSECONDS[ID] = {'M', 'I', 'S', 'P', 'm', 'i', 'c', 'r',
                                         'o', 's', 'e', 'c', 't', 'i', 'm', 'e'};
static const uint8_t MICROSECONDS_H265[ID] = {0xa8, 0x68, 0x7d, 0xd4, 0xd7, 0x59, 0x37, 0x58,
                                              0xa5, 0xce, 0xf0, 0x33, 0x8b, 0x65, 0x45, 0xf1};
static const uint8_t NANOSECONDS[ID] = {0xcf, 0x84, 0x82, 0x78, 0xee, 0x23, 0x30, 0x6c,
                                        0x92, 0x65, 0xe8, 0xfe, 0xf2, 0x2f, 0xb8, 0xb8};

enum unit { NEITHER = 0, MICRO, NANO };

/* The unit of time of an identifier. Any identifier counts in any codec: re-encoders copy them. */
static enum unit unit_of_id(const uint8_t *id)
{
    if (memcmp(id, MICROSECONDS, ID) == 0 || memcmp(id, MICROSECONDS_H265, ID) == 0)
        return MICRO;
    return memcmp(id, NANOSECONDS, ID) == 0 ? NANO : NEITHER;
}

/* If there are too few bytes for guards, the time has none. */
static int read_stamp(const uint8_t *in, size_t n, struct klv_stamp *stamp)
{
    if (n < ID + PLAIN)
        return 0;
    enum unit unit = unit_of_id(in);
    if (unit == NEITHER)
        return 0;
    const uint8_t *t = in + ID + 1;
    int guarded = n >= ID + GUARDED, intact = guarded && t[2] == 0xff && t[5] == 0xff && t[8] == 0xff;
    uint64_t time = be_uint(t, 8);
    if (guarded)
        time = (uint64_t)be16(t) << 48 | (uint64_t)be16(t + 3) << 32 | (uint64_t)be16(t + 6) << 16 | be16(t + 9);
    int mislabelled = unit == MICRO && time > MOST_US, nano = unit == NANO || mislabelled;
    stamp->time_us = nano ? time / 1000 : time;
    stamp->nanoseconds = nano ? (int)(time % 1000) : -1;
    stamp->status = in[ID];
    stamp->flags = (mislabelled ? KLV_NANOSECONDS : 0) | (intact ? 0 : KLV_ODD_BODY);
    return 1;
}

/* ---- H.264, H.265 ------------------------------------------------------------------------------------ */

/* A NAL unit's bytes without the 03 that keep it from looking like a start code. */
struct payload {
    const uint8_t *in;
    size_t at, end;
    int zeros;      /* zero bytes right before `at`; 2 = 2 or more */
};

/* The next byte, or -1 at the end. */
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

/* The type or size of an SEI message. */
static int read_number(struct payload *p, size_t *number)
{
    int byte = 0xff;
    for (*number = 0; byte == 0xff; *number += (size_t)byte)
        if ((byte = next_byte(p)) < 0)
            return 0;
    return 1;
}

/* The next `count` bytes to `out`, or, if that is NULL, past them; 0 = the unit ends before. */
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

/* Looks through the SEI messages of a NAL unit. */
static int in_messages(struct payload p, struct klv_stamp *stamp)
{
    enum { USER_DATA_UNREGISTERED = 5 };
    uint8_t message[ID + GUARDED];
    size_t type, size;
    while (read_number(&p, &type) && read_number(&p, &size)) {
        size_t kept = size < sizeof message ? size : sizeof message;
        if (!take_payload(&p, kept, message))
            return 0;
        if (type == USER_DATA_UNREGISTERED && read_stamp(message, kept, stamp))
            return 1;
        if (!take_payload(&p, size - kept, NULL))
            return 0;
    }
    return 0;
}

/* NAL unit header: H.264  0 | ref_idc 2 | type 5;  H.265  0 | type 6 | layer 6 | temporal id 3. */
static int in_unit(const uint8_t *in, size_t n, int codec, struct klv_stamp *stamp)
{
    enum { H264_SEI = 6, H265_PREFIX_SEI = 39, H265_SUFFIX_SEI = 40 };
    size_t head = codec == KLV_HEVC ? 2 : 1;
    if (n <= head)
        return 0;
    int type = codec == KLV_HEVC ? in[0] >> 1 & 0x3f : in[0] & 0x1f;
    if (codec == KLV_HEVC ? type != H265_PREFIX_SEI && type != H265_SUFFIX_SEI : type != H264_SEI)
        return 0;
    return in_messages((struct payload){in, head, n, 0}, stamp);
}

/* NAL units after lengths of 4 bytes; of one that is longer than the frame, what there is. */
static int find_after_lengths(const uint8_t *in, size_t n, int codec, struct klv_stamp *stamp)
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

/* ---- start codes; MPEG-2 ----------------------------------------------------------------------------- */

/* Where the next start code, 00 00 01, begins in in[at..n); n = there is none. */
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

/* `cut`: the frame ends here, and more of the user data may have followed. Then only a stamp with guards counts, since
 * a short one may be the beginning of a longer one; zeros at the end may belong to a start code. */
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

/* NAL units or user data after start codes. */
static int find_after_codes(const uint8_t *in, size_t n, int codec, struct klv_stamp *stamp)
{
    for (size_t at = next_code(in, 0, n), end; at < n; at = end) {
        enum { USER_DATA = 0xb2 };
        const uint8_t *unit = in + at + 3;
        end = next_code(in, at + 3, n);
        size_t size = end - at - 3;
        if (codec != KLV_MPEG2 ? in_unit(unit, size, codec, stamp)
                               : size > 0 && unit[0] == USER_DATA && in_user_data(unit + 1, size - 1, end == n, stamp))
            return 1;
    }
    return 0;
}

int klv_stamp(const uint8_t *frame, size_t n, int codec, struct klv_stamp *stamp)
{
    if (codec < KLV_H264 || codec > KLV_MPEG2)
        return 0;
    /* How the units are separated is not signalled. Read the other way, they contain no stamp. */
    if (codec != KLV_MPEG2 && find_after_lengths(frame, n, codec, stamp))
        return 1;
    return find_after_codes(frame, n, codec, stamp);
}
