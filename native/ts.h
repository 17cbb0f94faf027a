/* ts.h - the packet of a transport stream (ISO/IEC 13818-1, 2.4.3); inside the core only.
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
 */
#ifndef TS_H
#define TS_H

#include <stddef.h>
#include <stdint.h>

enum {
    TS_SIZE = 188,
    TS_SYNC = 0x47,
    TS_STRIDE_MOST = 204,
    TS_NULL_PID = 0x1fff
};

/* From one sync byte to the next. */
static const size_t TS_STRIDES[] = {188, 192, 204};

/* Does a TS packet begin at in[0..n), and another one behind it where there is one? */
static inline int ts_is_sync(const uint8_t *in, size_t n)
{
    if (n < TS_SIZE || in[0] != TS_SYNC)
        return 0;
    for (size_t i = 0; n > TS_SIZE && i < sizeof TS_STRIDES / sizeof *TS_STRIDES; i++)
        if (n > TS_STRIDES[i] && in[TS_STRIDES[i]] == TS_SYNC)
            return 1;
    return n == TS_SIZE;
}

#endif
