/* ts.h - the packet of a transport stream (ISO/IEC 13818-1, 2.4.3.2); inside the core only.
 *
 *   byte  0         1                 2          3
 *        +---------+-----------------+----------+-----------------+----------------------+----------------+
 *        | 0x47    | t u p PID 12..8 | PID 7..0 | sc sc a d c c c c | adaptation field if a | payload if d   |
 *        +---------+-----------------+----------+-----------------+----------------------+----------------+
 *
 *   t  transport_error_indicator          sc  transport_scrambling_control, 0 = clear
 *   u  payload_unit_start_indicator       a   an adaptation field follows: byte 4 is its length, byte 5 its flags
 *   p  transport_priority                 d   a payload follows
 *   c  continuity_counter: of a PID, one more with each packet that has a payload
 *
 * It is 188 bytes long. A stride of 192 (M2TS) has a time stamp of 4 bytes beside each, one of 204 (DVB) a
 * Reed-Solomon code of 16.
 *
 * The adaptation field (2.4.3.4):
 *
 *   byte  4          5                                    6..11
 *        +----------+------------------------------------+----------------------------+------------------+
 *        | length   | D  random ES OPCR..                | PCR, where flag 0x10 is set | other, stuffing  |
 *        +----------+------------------------------------+----------------------------+------------------+
 *
 *   length   bytes after it: 183 with no payload, up to 182 before one, 0 = one byte of stuffing and no flags
 *   D        0x80 discontinuity_indicator: the counter, or the PCR, does not continue the packet before
 */
#ifndef TS_H
#define TS_H

#include <stddef.h>
#include <stdint.h>

enum {
    TS_SIZE = 188,
    TS_SYNC = 0x47,
    TS_STRIDE_MOST = 204,
    TS_NULL_PID = 0x1fff,
    TS_PID_COUNT = 8192
};

/* From one sync byte to the next. */
static const size_t TS_STRIDES[] = {188, 192, 204};

/* Does a TS packet begin at in[0..n), and another one after it where there is one? */
static inline int ts_is_sync(const uint8_t *in, size_t n)
{
    if (n < TS_SIZE || in[0] != TS_SYNC)
        return 0;
    for (size_t i = 0; n > TS_SIZE && i < sizeof TS_STRIDES / sizeof *TS_STRIDES; i++)
        if (n > TS_STRIDES[i] && in[TS_STRIDES[i]] == TS_SYNC)
            return 1;
    return n == TS_SIZE;
}

static inline uint16_t ts_pid(const uint8_t *p)
{
    return (uint16_t)((p[1] & 0x1f) << 8 | p[2]);
}

static inline uint8_t ts_counter(const uint8_t *p)
{
    return p[3] & 15;
}

static inline int ts_begins_unit(const uint8_t *p)
{
    return (p[1] & 0x40) != 0;
}

static inline int ts_has_payload(const uint8_t *p)
{
    return (p[3] & 0x10) != 0;
}

static inline int ts_has_field(const uint8_t *p)
{
    return (p[3] & 0x20) != 0;
}

/* The demodulator marked the packet: at least one bit is wrong, perhaps in the PID. */
static inline int ts_has_error(const uint8_t *p)
{
    return (p[1] & 0x80) != 0;
}

static inline int ts_is_scrambled(const uint8_t *p)
{
    return (p[3] & 0xc0) != 0;
}

static inline int ts_is_readable(const uint8_t *p)
{
    return !ts_has_error(p) && !ts_is_scrambled(p);
}

/* discontinuity_indicator: the sender announces that the counter may not continue that of the packet before. */
static inline int ts_has_discontinuity(const uint8_t *p)
{
    return ts_has_field(p) && p[4] > 0 && (p[5] & 0x80);
}

/* The offset of the payload; TS_SIZE if there is none, or if the adaptation field leaves no byte for it. */
static inline size_t ts_payload_at(const uint8_t *p)
{
    if (!ts_has_payload(p))
        return TS_SIZE;
    if (!ts_has_field(p))
        return 4;
    return p[4] < 183 ? 5u + p[4] : TS_SIZE;
}

#endif
