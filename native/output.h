/* output.h - what an output publishes of a packet: a smaller packet (thin.c), its record in another form (compact.c,
 * document.c), both in one call (shape.c), and its security marking (marking.c). As in klv.h the caller owns all
 * memory, and all work is linear.
 *
 *   packet --> klv_thin --> packet --> klv_record --> JSON --> klv_document --> CBOR, MessagePack
 *                              \-----> klv_compact --> a record of a compact message
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "klv.h"

/* cffi: begin */
enum {
    KLV_BASE_ROOM = 15360,  /* bytes of items that a klv_base holds */
    KLV_REPEATS = 8,        /* tags of a partial packet that repeat: for each of them all of it is read again */
    KLV_THIN_MORE = 1024    /* bytes that a thinned packet may be larger than its packet: removed items of length 0 */
};

/* What an output wants of packets. All 0: every packet, unchanged. */
struct klv_thinning {
    struct klv_selection items; /* where `selected` is 1: these items alone */
    int selected;
    int on_change;          /* 1 = only what differs from the base, nothing where nothing does */
    int marked;             /* 1 = the packet itself says what is removed: an item of length 0 (a KLV output) */
    double grid;            /* metres: positions are rounded to a grid of that size; 0 = they are exact */
    float bands[KLV_SETS][KLV_TAGS]; /* of each item: changes up to this are none, in its units; 0 = any is one */
};

/* What a subscriber has of one stream and set: all 0 at first, and whenever that is not certain. */
struct klv_base {
    int set;                /* of the items; 0 = nothing is known */
    int whole;              /* 1 = `data` is one packet that is not compared item by item */
    uint64_t held[KLV_TAGS / 64];   /* a bit a tag: there are items of it, */
    uint16_t begin[KLV_TAGS + 1];   /* those of tag t: data[begin[t]..begin[t + 1]) */
    uint8_t data[KLV_BASE_ROOM];
};

/* The packet to publish. Its time comes first, its checksum last; all other items are as they were received. */
struct klv_thinned {
    size_t size;
    int full;               /* 1 = it replaces all that a subscriber has; 0 = it has what differs from that */
    unsigned removed;       /* tags that the base had and the packet has not */
    uint8_t tags[KLV_TAGS];
};

/* Choose the dead band of the items of this key, in whichever sets have one: how many there are. */
int klv_band(struct klv_thinning *thinning, const char *key, size_t n, double band);

/* Thin a packet of n bytes to `out`, of n + KLV_THIN_MORE bytes: 1, and *base is what is published then; 0 = nothing is
 * to be published. `base` may be NULL: then it is full. `full`: it is to be full. Of packets that are not compared item
 * by item (universal sets, sets without a table, damaged ones) the result is full. */
int klv_thin(const uint8_t *packet, size_t n, const struct klv_thinning *thinning, struct klv_base *base, int full,
             uint8_t *out, struct klv_thinned *thinned);

/* The same for callers that are slow to read a struct: 512 x the size + 2 x the tags removed, which are then in
 * tags[0..191], + 1 where it is full; 0 = nothing is to be published. */
int64_t klv_thin_packed(const uint8_t *packet, size_t n, const struct klv_thinning *thinning, struct klv_base *base,
                        int full, uint8_t *out, uint8_t *tags);

/* A thinned packet as one record of a compact message: the bytes written, 0 where they do not fit: 2 n + 512 and the
 * boot always do. Of `envelope`: head is the boot, or NULL; seq, received_us, pts, pid, program. Of a partial record:
 * `before_us`, the time of the record of this stream and set before it, as sent; -1 = not known; and `distance`, by
 * how much the number of that record is lower. */
long klv_compact(const uint8_t *packet, size_t n, int full, const uint8_t *removed, size_t removed_count,
                 const struct klv_envelope *envelope, int64_t before_us, uint64_t distance, uint8_t *out, size_t room);

enum klv_format { KLV_JSON, KLV_CBOR, KLV_MSGPACK, KLV_KLV, KLV_COMPACT };

/* A JSON document of the core (klv_record) as CBOR or MessagePack, `format`: KLV_CBOR or KLV_MSGPACK. The bytes
 * written; 0 where they do not fit: 3 n + 64 always do; negative: it is no such document. */
long klv_document(const char *json, size_t n, int format, uint8_t *out, size_t room);
/* klv_record and that in one call, by way of the memory at `json`. */
long klv_record_document(int format, const uint8_t *packet, size_t n, const char *head, size_t head_size, uint64_t seq,
                         int64_t received_us, int64_t pts, int pid, int program, int damaged, int checksum, int safe,
                         const struct klv_selection *items, char *json, size_t json_room, uint8_t *out, size_t room);

/* How an output publishes the records of one stream and set, and what it has published of them. */
struct klv_shape {
    const struct klv_thinning *thinning; /* NULL = packets are as they are */
    struct klv_base *base;  /* NULL = no record is partial, or says whether it is */
    const char *head;       /* of JSON, CBOR and MessagePack: documents begin with it; of compact: the boot, or NULL */
    size_t head_size;
    int format;             /* enum klv_format */
    int safe;
    int64_t snapshot;       /* microseconds between two full records */
    int begun;              /* 0 = the next record is full: at first, and where subscribers may have missed one */
    int64_t full_at;        /* time of the last full record, microseconds */
    int64_t seq, highest;   /* number of the last record, and the highest of any in this run; -1 = none */
    int64_t before_us;      /* time stamp of the last record, as sent; -1 = not known */
};

/* Memory that klv_shape_record needs, for one call at a time. */
struct klv_shape_memory {
    uint8_t *packet, *out;  /* the thinned packet, n + KLV_THIN_MORE bytes; the result */
    char *json;             /* of CBOR and MessagePack */
    size_t packet_room, out_room, json_room;
    struct klv_thinned as;
};

enum {
    KLV_ROOM_THIN = -64,    /* the packet does not fit in memory->packet: nothing was done */
    KLV_ROOM_WRITE = -65    /* it is thinned, but does not fit in `out` or `json`: call it with more, and `again` */
};

/* A record as an output publishes it, to memory->out: the bytes written; 0 = nothing is to be published; one of the
 * above; negative else: the packet can't be read. `at`: the time, microseconds; `damaged`, `checksum` and others as for
 * klv_record. `again`: the packet is thinned already, in the same memory->packet. */
long klv_shape_record(struct klv_shape *shape, struct klv_shape_memory *memory, const uint8_t *packet, size_t n,
                      int64_t seq, int64_t received_us, int64_t pts, int pid, int program, int damaged, int checksum,
                      int64_t at, int again);

enum { KLV_MARKING_MORE = 128 };

/* The security markings of a packet, in n + KLV_MARKING_MORE bytes at `out`; the bytes written, 0 = it has none. The
 * first byte: 0 = they can't be read, or not all of them; else 1 and, of each security set, a byte with the
 * classification (1 to 5) and three texts, each behind its length in two bytes: control systems (SCI, SHI), caveats,
 * releasing instructions. */
size_t klv_marking(const uint8_t *packet, size_t n, uint8_t *out, size_t room);
/* cffi: end */

#endif
