/* klv.h - the core: transport bytes to KLV packets, packets to JSON and to columns, video frames to their time stamps.
 *
 *   bytes of a stream --> lane --> packets --> JSON, columns            a buffer of KLV --> klv_next --> packets
 *
 * Below: limits and status; primitives; framing; what is in a packet; JSON; columns; video frames; the lane.
 *
 * The caller owns all memory. Nothing here allocates, blocks, calls back or has state other than the structs that
 * the caller passes. Functions return a status, results go through the pointers that come last. A negative status is a
 * fault of the bytes. Times `_us` are microseconds since 1970; PTS and PCR count 90 kHz, 33 bits.
 */
#ifndef KLV_H
#define KLV_H

#include <stddef.h>
#include <stdint.h>

/* cffi: begin */
enum {
    KLV_PIDS = 8,       /* KLV streams that one lane follows */
    KLV_ITEMS = 1024,   /* items of a packet with 16-byte keys; of a set, with tags above 191 that no table has */
    KLV_DEPTH = 8,      /* sets within a set */
    KLV_TAGS = 192,     /* tags from 0 that klv_tags has a bit for; no table has one above */
    KLV_SETS = 32,      /* no fewer than there are sets */
    KLV_KEYED = 192,    /* no fewer than there are items with a 16-byte key */
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

/* ---- primitives: BER length (long form of at most 8 octets), BER-OID (of at most `octets`), checksums, IMAPB ---- */

enum klv_status klv_ber_length(const uint8_t *in, size_t n, uint64_t *length, size_t *used);
enum klv_status klv_ber_oid(const uint8_t *in, size_t n, size_t octets, uint64_t *value, size_t *used);
uint16_t klv_sum16(const uint8_t *in, size_t n);
uint16_t klv_crc16(const uint8_t *in, size_t n);
uint32_t klv_crc32(const uint8_t *in, size_t n);
/* NULL and the value; or NaN and what the code is instead, as a JSON string. "reserved" too if n > 8 or max <= min. */
const char *klv_imapb(const uint8_t *in, size_t n, double min, double max, double *value);

/* ---- framing ---- */

enum klv_flags {
    KLV_STEP = 1,       /* in[0] is right after a packet: a key that no table has is accepted there */
    KLV_LAST = 2        /* no more bytes will come */
};

enum klv_checksum {
    KLV_ABSENT = 0,
    KLV_GOOD = 1,
    KLV_BAD = 2,
    KLV_PARTIAL = 3     /* right, but does not cover the items that follow it */
};

/* What a search through the bytes of one stream keeps from call to call; all 0 at first. */
struct klv_search {
    size_t need;            /* after KLV_MORE: bytes needed from view->at on; 0 = not known, any more may do */
    size_t walked, sought;  /* in a packet above 64 KiB: up to where items, and keys, were read; 0 = not yet */
    size_t summed;          /* bytes summed of packets that begin at those keys, */
    unsigned tried;         /* and how many packets those were */
    uint64_t debt;          /* bytes summed or looked through and not repaid yet: bounds the work (klv.c) */
    uint64_t too_large;     /* keys skipped: a length above the limit, or above 64 KiB where that can't be checked */
};

/* One packet found in bytes: offsets from where the search began. */
struct klv_view {
    size_t at, size;        /* key, length and value; the bytes before `at` are no KLV */
    size_t value;           /* from `at` to the value */
    int set;                /* for klv_set_name; 0 = a key that no table has */
    int checksum;           /* enum klv_checksum */
    int cut;                /* 1 = it ends early, where another packet begins; else 0 */
};

/* Find the first packet in in[0..n), of a value of at most `limit` bytes; `flags`: enum klv_flags. KLV_MORE: view->at
 * bytes are no KLV, keep the rest and add to it. The work is linear in the bytes taken, whatever they are. */
enum klv_status klv_next(const uint8_t *in, size_t n, size_t limit, int flags, struct klv_search *search,
                         struct klv_view *view);

/* -1, or, where in[0..n) is one whole packet with a right checksum or none in its set, 4 x its set + its checksum. For
 * anything else use a lane. */
int klv_whole(const uint8_t *in, size_t n, size_t limit);

/* ---- what is in a packet: from its key on, in packet[0..n) ---- */

const char *klv_set_name(int set);                          /* "ST0601"; "unknown" for 0 and for no set */
int klv_checksum(const uint8_t *packet, size_t n);          /* enum klv_checksum, as klv_next has it */

/* Which items a local set holds, a bit a tag below KLV_TAGS: 1; 0 where it holds others too, or is none. */
int klv_tags(const uint8_t *packet, size_t n, uint64_t bits[3]);

/* The packet's time stamp (of ST 0601 item 2) as it was sent: 1; 0 where it has none. */
int klv_time(const uint8_t *packet, size_t n, uint64_t *time_us);

/* A time stamp in microseconds since 1970. Some senders count another unit. This is recognised if only the reading in
 * that unit lies between 1990 and 2100 (of seconds: 2001 and 2040). klv_time_unit: the name of that unit
 * ("nanoseconds", "milliseconds", "seconds"), or NULL for microseconds. */
uint64_t klv_micros(uint64_t sent);
const char *klv_time_unit(uint64_t sent);

/* ---- JSON ---- */

/* Items of a packet's own set, chosen by their keys in JSON; one that is a set is chosen as a whole. All 0 at first. */
struct klv_selection {
    uint64_t tags[KLV_SETS][KLV_TAGS / 64]; /* a bit a tag, of each set */
    uint64_t keyed[KLV_KEYED / 64];         /* a bit a row of the table of 16-byte keys */
    int unknown;                            /* 1 = items that no table has are chosen too, else 0 */
};

/* Choose the items of this key, in whichever sets have one: how many there are. "unknown": those that no table has. */
int klv_select(struct klv_selection *selection, const char *key, size_t n);

/* What the JSON of a record contains in addition to its packet. */
struct klv_envelope {
    const char *head;       /* `{"schema":...,"boot":...` unchanged, or NULL: the items object only */
    size_t head_size;
    uint64_t seq;
    int64_t received_us;    /* -1 = null */
    int64_t pts;            /* -1 = null */
    int damaged;            /* 1 = the transport lost bytes inside the packet, else 0 */
    int checksum;           /* enum klv_checksum, as it was found; -1 = not known: it is computed again */
    int pid, program;       /* -1 = null */
    int64_t pcr;            /* of the last packet, and a bit a set for all of them; not written */
    uint64_t sets;
    int safe;               /* 1 = integers beyond 2^53 - 1, which not every reader of JSON keeps, in quotes; else 0 */
    const struct klv_selection *items;  /* the others, and remarks about them, are left out; NULL = all */
};

/* One packet of n bytes as JSON, complete or (KLV_FULL) not at all; klv_json_room() is always enough, whatever is in
 * it: a value that would be larger as text is kept raw. Adds to *unknown the items kept raw. */
size_t klv_json_room(size_t n, size_t head_size); /* 64 n + 4 KiB + the head */
enum klv_status klv_json(const uint8_t *packet, size_t n, const struct klv_envelope *envelope,
                         char *out, size_t room, size_t *written, uint64_t *unknown);

/* The same with the members of the envelope one by one, for callers that are slow to fill a struct: the bytes
 * written, 0 where they do not fit, or a negative status. head_size 0: the items object only. */
long klv_record(const uint8_t *packet, size_t n, const char *head, size_t head_size, uint64_t seq,
                int64_t received_us, int64_t pts, int pid, int program, int damaged, int checksum, int safe,
                const struct klv_selection *items, char *out, size_t room, uint64_t *unknown);

/* ---- columns ---- */

/* The ST 0601 and ST 0104 packets of in[0..n) as columns: out[c * stride + row] is item tags[c], NaN where absent.
 * Rows whose checksum is bad are left out unless `all`. Adds to *used and *row. KLV_FULL: all `rows` are in use, feed
 * the rest from *used with the same search. KLV_MORE: all packets are read. */
enum klv_status klv_columns(const uint8_t *in, size_t n, size_t limit, int all, const uint16_t *tags, size_t columns,
                            double *out, size_t stride, size_t rows, size_t *row, struct klv_search *search,
                            size_t *used);
int klv_numeric(unsigned tag);  /* may item `tag` of ST 0601 be a column? */

/* ---- video frames: their time stamps (ST 0603, ST 0604) ---- */

enum klv_codec { KLV_H264 = 1, KLV_HEVC = 2, KLV_MPEG2 = 3 };

enum klv_oddity {
    KLV_NANOSECONDS = 1,    /* they were in a field of microseconds */
    KLV_ODD_BODY = 2        /* the bytes between those of the time are not FF, or missing */
};

struct klv_stamp {
    uint64_t time_us;
    int nanoseconds;        /* beside time_us, 0 to 999; -1 = it counts microseconds */
    int status;             /* bit 7: clock not locked, 6: discontinuity, 5: backwards; the rest are ones */
    int flags;              /* enum klv_oddity */
};

/* The first time stamp in the bytes of one frame, whose units begin with start codes or lengths of 4 bytes: 1; 0 =
 * there is none. `codec`: enum klv_codec. */
int klv_stamp(const uint8_t *frame, size_t n, int codec, struct klv_stamp *stamp);

/* ---- the lane: bytes in any cut, packets out ---- */

struct klv_lane;            /* size: klv_lane_size(); memory: klv_lane_memory() */

/* What the tables say about PIDs other than the packet's, in bits: */
enum klv_listing {
    KLV_LOWER = 1,          /* a lower PID may carry KLV, in any program, */
    KLV_LOWER_HERE = 2,     /* in the packet's program */
    KLV_ALONE = 4           /* no other PID of the packet's program may carry KLV */
};

/* A packet out of a lane; `data` is good until the lane's next call. */
struct klv_packet {
    const uint8_t *data;
    size_t size;
    int64_t pts;            /* -1 = none */
    int64_t received_us;    /* when its last byte arrived: klv_lane_at; -1 = not known */
    int64_t pcr;            /* the program's clock as last seen before its end; -1 = none */
    int pid;                /* -1 = bare KLV without one */
    int program;            /* whose PMT lists the PID; -1 = none */
    int listing;            /* enum klv_listing; 0 = none of it, or not one of the first packets of its PID */
    int set;                /* for klv_set_name; 0 = a key that no table has */
    int checksum;           /* enum klv_checksum */
    int damaged;            /* 1 = the transport lost bytes inside it: its content is not to be used; else 0 */
};

/* The same in a batch: `at` and `size` are of its bytes in the caller's pool. */
struct klv_entry {
    uint32_t at, size;
    int64_t pts, received_us, pcr;
    int32_t pid, program;
    uint8_t set, checksum, damaged, listing;
    uint32_t spare;         /* 0 */
};

/* What went through a lane. From sync_losses to duplicates: of all PIDs, with the rule's number in ETSI TR 101 290. */
struct klv_counts {
    uint64_t packets, bad_checksum, damaged, unknown_items; /* of KLV */
    uint64_t passed_over;               /* bytes discarded, as no packet is made of them */
    uint64_t too_large;                 /* keys whose packet would be larger than the limit: skipped */
    uint64_t ts_packets;
    uint64_t discontinuities;           /* of the counters of KLV PIDs */
    uint64_t sync_losses;               /* 1.1, and each wrong sync byte: no packet where one should begin */
    uint64_t sync_byte_errors;          /* 1.2: those of them that cost one packet and no more */
    uint64_t pat_errors;                /* 1.3: none for 0.5 s, another table on PID 0, scrambled */
    uint64_t continuity_errors;         /* 1.4 */
    uint64_t pmt_errors;                /* 1.5: none for 0.5 s on a PID that the PAT names, scrambled */
    uint64_t pid_errors;                /* 1.6: a PID that a PMT lists was not seen for klv_lane_absent */
    uint64_t transport_errors;          /* 2.1: packets that the demodulator marked as damaged */
    uint64_t crc_errors;                /* 2.2: of PAT and PMT */
    uint64_t pcr_repetition_errors;     /* 2.3: two PCRs more than 100 ms apart */
    uint64_t pcr_discontinuity_errors;  /* 2.3: the program's clock stepped without a discontinuity_indicator */
    uint64_t scrambled;                 /* TS packets */
    uint64_t duplicates;                /* TS packets that came twice, which is legal: the second ones */
    uint64_t pat_sections, pmt_sections; /* taken with a good CRC, each repetition too */
    uint64_t klv_packets;               /* TS packets on the PIDs that are followed as KLV */
    uint64_t klv_scrambled, klv_transport_errors; /* of those */
    uint64_t unlisted_packets;          /* of those, the ones on PIDs that no table lists */
    uint64_t private_packets;           /* TS packets of listed private streams in which no KLV was seen */
    uint64_t fill, fill_bytes;          /* KLV Fill items that were skipped (SMPTE ST 336), and their bytes */
    uint64_t pcr_jitter_us, pcr_jitter_max_us; /* of PCRs against their arrival: smoothed, largest; 0 = not known */
};

/* `ts`: MPEG-TS in packets of 188, 192 or 204 bytes, else bare KLV; `limit`: bytes of a packet's value. */
size_t klv_lane_size(void);
size_t klv_lane_memory(int ts, size_t limit);
void klv_lane_init(struct klv_lane *lane, int ts, size_t limit, uint8_t *memory);
/* Bare KLV: properties of the bytes to come; `listing` is that of their packets. */
void klv_lane_mark(struct klv_lane *lane, int64_t pts, int pid, int program, int listing, int damaged);
void klv_lane_at(struct klv_lane *lane, int64_t received_us); /* when the bytes to come arrived; -1 = not known */
void klv_lane_absent(struct klv_lane *lane, int64_t us); /* how long a listed PID may be absent; 5 s by default */
void klv_lane_break(struct klv_lane *lane); /* bytes were lost here, or the source restarted: what is held comes next */
void klv_lane_counts(const struct klv_lane *lane, struct klv_counts *counts);

int klv_lane_program(const struct klv_lane *lane, int pid); /* the first whose PMT lists that PID; -1 = none */

/* Take bytes until a packet is whole: KLV_OK. Adds to *used; KLV_MORE once all are taken. */
enum klv_status klv_lane_next(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used,
                              struct klv_packet *packet);
/* The same for many: their bytes into `pool`. KLV_FULL: make room, call again from *used. */
enum klv_status klv_lane_batch(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used, uint8_t *pool,
                               size_t room, struct klv_entry *entries, size_t most, size_t *count);
/* The same straight to JSON Lines; *envelope's seq goes up by one a record. `other`, if not NULL: only packets of PID
 * other->pid are written; at the first of another PID, *other becomes that packet, for the next call: KLV_OTHER. */
enum klv_status klv_lane_lines(struct klv_lane *lane, const uint8_t *in, size_t n, size_t *used,
                               struct klv_envelope *envelope, struct klv_packet *other, char *out, size_t room,
                               size_t *written);
/* cffi: end */

#endif
