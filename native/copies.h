/* copies.h - datagrams of MPEG-TS or bare KLV that the network delivered twice; part of the pure core.
 *
 * RTP has numbers for that (rtp.h). Here a datagram is a copy if its bytes equal those of one of the last COPIES_MOST
 * (by a digest of 64 bits) and nothing says that its sender sent it again:
 *
 *   MPEG-TS   within 2 s. With a PCR, a PTS or item 2 in it: a copy. Else the continuity counters tell: if they are
 *             those that are due next it was sent again (tables, filler); if they lag by up to 8 it is a copy; if they
 *             lag by more, or packets were lost, a copy within 0.5 s. Null packets alone are never one.
 *   bare KLV  within 0.75 s if item 2 is in it, 10 ms if not; a part of a packet within 0.75 s, unless all of its bytes
 *             are alike.
 *
 * A sender may repeat all that it sends: a short recording in a loop, an encoder whose clock stands still. Where
 * nothing new has come for 0.5 s or COPIES_MOST datagrams, only what comes sooner than such a repetition is a copy,
 * until COPIES_MOST new ones have come.
 */
#ifndef COPIES_H
#define COPIES_H

#include <stddef.h>
#include <stdint.h>

/* cffi: begin */
enum { COPIES_MOST = 64 };

struct copies;              /* size: klv_copies_size() */

size_t klv_copies_size(void);
void klv_copies_init(struct copies *copies);

/* One datagram, `ts` or bare KLV: 1 if it is a copy, else it is remembered. */
int klv_copies_take(struct copies *copies, int ts, const uint8_t *in, size_t n, int64_t received_us);
/* cffi: end */

struct copies {
    struct datagram_seen {
        uint64_t digest;
        uint64_t number;        /* among all that came, when these bytes came last */
        size_t size;
        int64_t received_us;
    } seen[COPIES_MOST];
    uint32_t tags[COPIES_MOST]; /* the low halves of their digests: close together, since all are looked at each time */
    uint64_t number;
    unsigned count, at;         /* of `seen`; where the next one goes */
    uint64_t reach;             /* how many datagrams ago the first may have come */
    unsigned run, fresh;        /* copies since the last new one; new ones since the last that was seen before */
    int64_t fresh_us;           /* when the last new one came */
    uint8_t due[8192];          /* of a PID: 16 + its next continuity counter; 0 = not known */
};

#endif
