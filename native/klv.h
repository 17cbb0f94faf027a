/* klv.h - the core: transport bytes to KLV packets to JSON and columns; video frames to their times.
 *
 * The caller owns all memory. Nothing here allocates, blocks, keeps state of its own or calls back. Functions
 * return a status; results go through the pointers that come last. A negative status is a fault of the bytes.
 */
#ifndef KLV_H
#define KLV_H

#include <stddef.h>
#include <stdint.h>

/* cffi: begin */
enum {
    KLV_PIDS = 8,       /* KLV streams that one lane follows */
    KLV_ITEMS = 1024,   /* items with 16-byte keys that one packet may hold, and tags above 191 that no table has in a set */
    KLV_DEPTH = 8,      /* sets within a set */
    KLV_SPARE = 8192    /* what a lane's memory holds for each PID beyond the limit of a packet */
};

enum klv_status {
    KLV_OK = 0,
    KLV_MORE = 1,         /* the bytes end inside a packet: feed more */
    KLV_FULL = 2,         /* no room for the next result; what was written is valid */
    KLV_OTHER = 3,        /* the next packet is of another PID */
    KLV_BAD_LENGTH = -1,  /* malformed, past its parent, or past the limit */
    KLV_BAD_TAG = -2
};

enum klv_flags { KLV_STEP = 1, KLV_LAST = 2 };

/* KLV_PARTIAL: right, but items stand behind it, which it does not cover. */
enum klv_checksum { KLV_ABSENT = 0, KLV_GOOD = 1, KLV_BAD = 2, KLV_PARTIAL = 3 };

/* What a search through the bytes of one stream keeps from call to call; all 0 at first. */
struct klv_search {
    size_t need;            /* after KLV_MORE: with fewer bytes from view->at on the answer is the same; 0 = any more help */
    size_t walked, sought;  /* a packet above 64 KiB: how far its items, and keys inside it, were looked for; 0 = not yet */
    size_t summed;          /* and how many bytes were summed of packets inside it, */
    unsigned tried;         /* and how many those were */
    uint64_t debt;          /* bytes looked at that no packet has repaid: bounds the work */
    uint64_t too_large;     /* keys skipped, their length being above the limit; or above 64 KiB, of a set without tags */
};

/* What the tables say of the PIDs beside a packet's: one that is lower may carry KLV, in any program or in its own; no
 * other of its program may. */
enum klv_listing { KLV_LOWER = 1, KLV_LOWER_HERE = 2, KLV_ALONE = 4 };

/* One packet found in bytes: offsets from where the search began. */
struct klv_view {
    size_t at, size;        /* key, length and value; the bytes before `at` are no KLV */
    size_t value;           /* from `at` to the value */
    int set;                /* for klv_set_name; 0 = a key that no table has */
    int checksum;           /* enum klv_checksum */
    int cut;                /* it ends early, where another packet begins */
};

/* A packet out of a lane; `data` is good until the lane's next call. */
struct klv_packet {
    const uint8_t *data;
    size_t size;
    int64_t pts;            /* 90 kHz, 33 bits; -1 = none */
    int64_t received_us;    /* when its last byte arrived: klv_lane_at; -1 = not said */
    int64_t pcr;            /* the programme's clock as last seen before its end, 90 kHz, 33 bits; -1 = none */
    int pid, program;       /* -1 = none; the program is that whose map lists the PID */
    int listing;            /* enum klv_listing; of the first packets of a PID */
    int set, checksum;
    int damaged;            /* the transport lost bytes inside it: never to be trusted */
};

/* The same in a batch: offsets into the caller's pool. */
struct klv_entry {
    uint32_t at, size;
    int64_t pts, received_us, pcr;
    int32_t pid, program;
    uint8_t set, checksum, damaged, listing;
    uint32_t spare;
};

/* What went through a lane. From sync_byte_errors on of all PIDs, behind each its number in ETSI TR 101 290. */
struct klv_counts {
    uint64_t packets, bad_checksum, damaged, unknown_items, passed_over; /* the last one in bytes */
    uint64_t too_large;                 /* keys whose packet would be larger than the limit: passed over */
    uint64_t ts_packets;
    uint64_t discontinuities;           /* of the counters of KLV PIDs */
    uint64_t sync_losses;               /* 1.1, and each wrong sync byte: the next packet was not where it should be */
    uint64_t sync_byte_errors;          /* 1.2: those of them that cost one packet and no more */
    uint64_t pat_errors;                /* 1.3: none for 0.5 s, another table on PID 0, scrambled */
    uint64_t continuity_errors;         /* 1.4 */
    uint64_t pmt_errors;                /* 1.5: none for 0.5 s on a PID that the PAT names, scrambled */
    uint64_t pid_errors;                /* 1.6: a PID that a PMT lists was not seen for klv_lane_absent */
    uint64_t transport_errors;          /* 2.1: packets that the receiver marked as damaged */
    uint64_t crc_errors;                /* 2.2: of PAT and PMT */
    uint64_t pcr_repetition_errors;     /* 2.3: two PCRs more than 100 ms apart */
    uint64_t pcr_discontinuity_errors;  /* 2.3: the programme's clock jumped, and nothing announced it */
    uint64_t scrambled, duplicates;     /* packets; of those that came twice, as they may, the second ones */
    uint64_t pat_sections, pmt_sections; /* taken with a good CRC, each repetition too */
    uint64_t klv_packets;               /* TS packets on the PIDs that are followed as KLV */
    uint64_t klv_scrambled, klv_transport_errors; /* of those */
    uint64_t unlisted_packets;          /* of those, the ones on PIDs that no table lists */
    uint64_t private_packets;           /* TS packets of listed private streams in which no KLV was seen */
    uint64_t fill, fill_bytes;          /* KLV Fill items that were skipped (SMPTE ST 336), and their bytes */
    uint64_t pcr_jitter_us, pcr_jitter_max_us; /* PCRs against their arrival: smoothed, and the largest; 0 = not known */
};

/* What a video frame says of its time (ST 0603). */
struct klv_stamp {
    uint64_t time_us;       /* since 1970 */
    int nanoseconds;        /* beside time_us, 0 to 999; -1 = it counts microseconds */
    int status;             /* bit 7: not locked, 6: discontinuity, 5: backwards; the rest are ones */
    int flags;              /* enum klv_oddity */
};

enum klv_codec { KLV_H264 = 1, KLV_HEVC = 2, KLV_MPEG2 = 3 };

enum klv_oddity {
    KLV_NANOSECONDS = 1,    /* they were in a field of microseconds */
    KLV_ODD_BODY = 2        /* the bytes between those of the time are not FF, or missing */
};

struct klv_lane;            /* size: klv_lane_size(); memory: klv_lane_memory() */

/* What a record's JSON says beside what is in its packet. */
struct klv_envelope {
    const char *head;       /* `{"schema":...,"boot":...` as it stands, or NULL: the items object only */
    size_t head_size;
    uint64_t seq;
    int64_t received_us;    /* -1 = null */
    int64_t pts;            /* -1 = null */
    int damaged;
    int checksum;           /* enum klv_checksum, as it was found; -1 = not known: it is summed once more */
    int pid, program;       /* -1 = null */
    int64_t pcr;            /* of the last packet, and a bit a set for all of them; not written */
    uint64_t sets;
    int safe;               /* integers beyond 2^53 - 1, which not every reader of JSON keeps, are in quotes */
};

const char *klv_set_name(int set);

/* Primitives: BER length (long form of at most 8 octets), BER-OID tag, checksums, IMAPB (ST 1201). */
enum klv_status klv_ber_length(const uint8_t *in, size_t n, uint64_t *length, size_t *used);
enum klv_status klv_ber_oid(const uint8_t *in, size_t n, size_t octets, uint64_t *value, size_t *used);
uint16_t klv_sum16(const uint8_t *in, size_t n);
uint16_t klv_crc16(const uint8_t *in, size_t n);
uint32_t klv_crc32(const uint8_t *in, size_t n);
const char *klv_imapb(const uint8_t *in, size_t n, double min, double max, double *value); /* name of a special */

/* Find the first packet in in[0..n), of a value of at most `limit` bytes. KLV_MORE: view->at bytes are no KLV, keep the
 * rest and add to it. A key that no table has counts only with KLV_STEP: right behind another packet. KLV_LAST: no more
 * bytes will come. The work is linear in the bytes taken, whatever they are. */
enum klv_status klv_next(const uint8_t *in, size_t n, size_t limit, int flags, struct klv_search *search,
                         struct klv_view *view);

/* Is in[0..n) one whole packet and nothing odd about it? Then 4 x its set + its checksum; else -1: take a lane. */
int klv_whole(const uint8_t *in, size_t n, size_t limit);

/* The checksum of one packet as klv_next gives it. */
int klv_checksum(const uint8_t *packet, size_t n);

/* Which items a local set holds, a bit a tag below 192; 0 where it holds others too, or is none. */
int klv_tags(const uint8_t *packet, size_t n, uint64_t bits[3]);

/* Item 2 of a packet: 1 and its value, or 0. */
int klv_time(const uint8_t *packet, size_t n, uint64_t *time_us);

/* A time stamp in microseconds since 1970. Some senders count another unit, which shows where only the reading in that
 * unit lies between 1990 and 2100 (of seconds: 2001 and 2040): klv_time_unit is its name ("nanoseconds",
 * "milliseconds", "seconds"), else NULL. */
uint64_t klv_micros(uint64_t sent);
const char *klv_time_unit(uint64_t sent);

/* The first time stamp (ST 0604) in the bytes of one video frame, whether its units begin with start codes or
 * lengths of 4 bytes: 1 and it, or 0. */
int klv_stamp(const uint8_t *frame, size_t n, int codec, struct klv_stamp *stamp);

/* One packet of n bytes as JSON, complete or (KLV_FULL) not at all; klv_json_room() is always enough, whatever is in it:
 * a value that would be larger as text is kept raw. Adds to *unknown the items kept raw. */
size_t klv_json_room(size_t n, size_t head_size); /* 64 n + 4 KiB + the head */
enum klv_status klv_json(const uint8_t *packet, size_t n, const struct klv_envelope *envelope,
                         char *out, size_t room, size_t *written, uint64_t *unknown);

/* The same with the envelope one by one, for callers to whom a struct is dear: the bytes written, 0
 * where they do not fit, or a negative status. head_size 0: the items object only. */
long klv_record(const uint8_t *packet, size_t n, const char *head, size_t head_size, uint64_t seq,
                int64_t received_us, int64_t pts, int pid, int program, int damaged, int checksum, int safe, char *out,
                size_t room, uint64_t *unknown);

/* The ST 0601 and ST 0104 packets of in[0..n) as columns: out[c * stride + row] is item tags[c], NaN where absent. Rows
 * whose checksum is bad are left out unless `all`. KLV_FULL: feed the rest from *used, with the same search. */
enum klv_status klv_columns(const uint8_t *in, size_t n, size_t limit, int all, const uint16_t *tags, size_t columns,
                            double *out, size_t stride, size_t rows, size_t *row, struct klv_search *search,
                            size_t *used);
int klv_numeric(unsigned tag);  /* may item `tag` of ST 0601 be a column? */

/* The lane: bytes in any cut, packets out. `ts`: MPEG-TS in packets of 188, 192 or 204 bytes, else bare KLV. */
size_t klv_lane_size(void);
size_t klv_lane_memory(int ts, size_t limit);
void klv_lane_init(struct klv_lane *lane, int ts, size_t limit, uint8_t *memory);
/* Bare KLV: of the bytes to come; `listing` is that of their packets. */
void klv_lane_mark(struct klv_lane *lane, int64_t pts, int pid, int program, int listing, int damaged);
void klv_lane_at(struct klv_lane *lane, int64_t received_us); /* when the bytes to come arrived; -1 = not said */
void klv_lane_absent(struct klv_lane *lane, int64_t us); /* how long a listed PID may stay away; 5 s by default */
void klv_lane_break(struct klv_lane *lane);   /* bytes were lost here, or the source begins anew: next comes what is held */
void klv_lane_counts(const struct klv_lane *lane, struct klv_counts *counts);

int klv_lane_program(const struct klv_lane *lane, int pid); /* the first whose map lists that PID; -1 = none */

/* Take bytes until a packet is whole: KLV_OK. Adds to *used; KLV_MORE once all are taken. */
enum klv_status klv_lane_next(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used,
                              struct klv_packet *packet);
/* The same for many: their bytes into `pool`. KLV_FULL: make room, call again from *used. */
enum klv_status klv_lane_batch(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used, uint8_t *pool,
                               size_t room, struct klv_entry *entries, size_t most, size_t *count);
/* The same straight to JSON Lines; *envelope's seq goes up by one a record. `other` is NULL, or its pid says whose
 * packets are wanted: at the first of another PID *other becomes that packet, which is left to the next call: KLV_OTHER. */
enum klv_status klv_lane_lines(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used,
                               struct klv_envelope *envelope, struct klv_packet *other, char *out, size_t room,
                               size_t *written);
/* cffi: end */

#endif
