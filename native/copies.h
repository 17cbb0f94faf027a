/* copies.h - datagrams of MPEG-TS or bare KLV that the network delivered twice; part of the pure core.
 *
 * RTP has sequence numbers for that (rtp.h). Here a datagram is a copy if its bytes equal those of one of the last
 * COPIES_MOST (by a digest of 64 bits), unless the sender itself may have sent them twice:
 *
 *   MPEG-TS   within      what it holds                                             verdict
 *             any time    null packets only                                         not a copy
 *             2 s         a PCR, a PTS or item 2                                    copy: the sender's next differs
 *             2 s         counters of its PIDs are those that are due next          not a copy: tables, filler
 *             2 s         a counter of its PIDs is up to 8 behind                   copy
 *             0.5 s       counters are further behind, or ahead: packets were lost  copy
 *
 *   bare KLV  0.75 s      whole packets, item 2 in one of the first 16              copy
 *             10 ms       whole packets without item 2                              copy
 *             0.75 s      a part of a packet, its bytes not all equal               copy
 *
 * A sender may repeat all that it sends: a short recording in a loop, an encoder whose clock does not advance. Where
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

/* One datagram of n bytes of MPEG-TS (`ts`) or bare KLV, and when it arrived: 1 if it is a copy, else 0. */
int klv_copies_take(struct copies *copies, int ts, const uint8_t *in, size_t n, int64_t received_us);
/* cffi: end */

/* `seen` is a ring of the last datagrams that were no copies, `number` counts all of them. */
struct copies {
    struct datagram_seen {
        uint64_t digest;
        uint64_t number;        /* `number` when these bytes came last */
        size_t size;
        int64_t received_us;    /* when they came first */
    } seen[COPIES_MOST];
    uint32_t tags[COPIES_MOST]; /* the low halves of their digests: close together, since all are compared each time */
    uint64_t number;
    unsigned count, at;         /* of `seen`; where the next one goes, modulo COPIES_MOST */
    uint64_t reach;             /* how many datagrams ago the first of two may have come, at most */
    unsigned run;               /* copies since the last new one */
    unsigned fresh;             /* new ones since the last that was seen before */
    int64_t fresh_us;           /* when the last new one came */
    uint8_t due[8192];          /* of a PID: 16 + its next continuity counter; 0 = not known */
};

#endif
