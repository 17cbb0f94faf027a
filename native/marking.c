/* marking.c - the security markings of a packet (MISB ST 0102), wherever in it they are.
 *
 *   packet                            a security set
 *   ST 0102                           its value
 *   ST 0102-US, universal sets        the items of ST 0102 by 16-byte key, whose classification is a text
 *   ST 0601                           item 48; and items 48 of segments and amends (100, 101), at any depth
 *   other universal sets              also as the value of the key of ST 0102
 *
 * Each is reported; the reader takes the highest. What can't be read is reported as unreadable, so that it does not
 * count as unmarked: a packet that is malformed or has a bad checksum, a set without a table, a
 * classification that is missing or has no meaning, sets nested too deep or too many.
 */
#include "cbor.h"
#include "output.h"
#include "walk.h"

enum {
    SETS_MOST = 16,     /* security sets of a packet */
    LEVELS = 5,         /* the highest classification */
    SECURITY_ITEM = 48  /* of ST 0601 */
};
enum { CLASSIFICATION = 1, CONTROL = 4, CAVEATS = 5, RELEASING = 6 }; /* items of ST 0102 */

/* A text of the packet, or a set that is to be read: in[at..end). */
struct part {
    size_t at, end;
};

struct security {
    unsigned level;                     /* 0 = none yet */
    struct part texts[RELEASING + 1];   /* of items 4 to 6; empty = none */
};

struct marker {
    const uint8_t *in;
    const struct item *items;           /* of ST 0102 */
    int unreadable;
    unsigned count;
    struct security sets[SETS_MOST];
};

static struct security *begin_security(struct marker *m)
{
    static const struct security NONE;
    if (m->count == SETS_MOST) {
        m->unreadable = 1;
        return NULL;
    }
    m->sets[m->count] = NONE;
    return &m->sets[m->count++];
}

static void note_level(struct marker *m, struct security *security, uint64_t level)
{
    if (level < 1 || level > LEVELS)
        m->unreadable = 1;
    else if (level > security->level)
        security->level = (unsigned)level;
}

/* Where a text repeats the last counts in a record; here none may be lost. */
static void note_text(struct marker *m, struct part *text, size_t at, size_t n)
{
    m->unreadable |= text->end > text->at || n > UINT16_MAX;
    text->at = at;
    text->end = at + n;
}

/* A security set by tag. */
static void read_security(struct marker *m, size_t at, size_t end)
{
    struct security *security = begin_security(m);
    uint64_t tag;
    size_t length;
    if (security == NULL)
        return;
    for (; at < end; at += length) {
        if (read_item(m->in, &at, end, &tag, &length) != KLV_OK) {
            m->unreadable = 1;
            break;
        }
        if (tag == CLASSIFICATION)
            note_level(m, security, length > 0 && length <= 8 ? be_uint(m->in + at, length) : 0);
        else if (tag >= CONTROL && tag <= RELEASING)
            note_text(m, &security->texts[tag], at, length);
    }
    m->unreadable |= security->level == 0;
}

/* The level that a text is the name of: "SECRET", "TOP SECRET//", in capitals or not; 0 = none. */
static uint64_t level_of_text(const uint8_t *in, size_t n)
{
    static const char *const NAMES[LEVELS] = {"unclassified", "restricted", "confidential", "secret", "top secret"};
    while (n > 0 && (in[n - 1] == 0 || in[n - 1] == ' ' || in[n - 1] == '/'))
        n--;
    for (uint64_t level = 1; level <= LEVELS; level++) {
        const char *name = NAMES[level - 1];
        size_t i = 0;
        while (i < n && name[i] && (in[i] | 0x20) == name[i])
            i++;
        if (i == n && name[i] == 0)
            return level;
    }
    return 0;
}

/* Which item of ST 0102 a 16-byte key stands for; 0 = none of those that count here. Rows of a key share its text. */
static unsigned security_tag(const struct marker *m, const struct keyed *keyed)
{
    static const uint8_t MEANT[] = {CLASSIFICATION, CONTROL, CAVEATS, RELEASING};
    for (size_t i = 0; i < sizeof MEANT; i++)
        if (keyed->item.key == m->items[MEANT[i]].key)
            return MEANT[i];
    return 0;
}

/* Items by key: those of security are one set, which is `own` where the packet is that; the value of the key of ST 0102
 * is another. */
static void read_keys(struct marker *m, struct security *own, size_t at, size_t end)
{
    size_t key, length;
    for (; at < end; at += length) {
        if (!read_key(m->in, &at, end, &key, &length)) {
            m->unreadable = 1;
            break;
        }
        const struct keyed *keyed = klv_keyed_of(m->in + key);
        if (keyed && keyed->item.kind == K_SET && keyed->item.set->items == m->items)
            read_security(m, at, at + length);
        const unsigned tag = keyed ? security_tag(m, keyed) : 0;
        if (tag == 0 || (own == NULL && (own = begin_security(m)) == NULL))
            continue;
        if (tag == CLASSIFICATION)
            note_level(m, own, level_of_text(m->in + at, length));
        else
            note_text(m, &own->texts[tag], at, length);
    }
    m->unreadable |= own && own->level == 0;
}

/* The items of a local set, and of segments and amends in it: a stack of the sets that are not at their end. */
static void read_set(struct marker *m, const struct set *set, size_t at, size_t end)
{
    struct part stack[KLV_DEPTH + 1] = {{at, end}};
    unsigned depth = 1;
    uint64_t tag;
    size_t length;
    while (depth > 0) {
        struct part *part = &stack[depth - 1];
        if (part->at >= part->end) {
            depth--;
            continue;
        }
        if (read_item(m->in, &part->at, part->end, &tag, &length) != KLV_OK) {
            m->unreadable = 1;
            return;
        }
        const struct part value = {part->at, part->at + length};
        const struct item *item = klv_item_of(depth > 1 ? klv_st0601 : set, tag);
        part->at = value.end;
        if (item == NULL || item->kind != K_SET)
            continue;
        if (item->set->items == m->items)
            read_security(m, value.at, value.end);
        else if (item->set->items != klv_st0601->items)
            continue;
        else if (depth <= KLV_DEPTH)
            stack[depth++] = value;
        else
            m->unreadable = 1;
    }
}

static void read_packet(struct marker *m, size_t n)
{
    uint64_t length = 0;
    size_t used = 0;
    const uint8_t *in = m->in;
    const int framed = n > UL_SIZE && klv_ber_length(in + UL_SIZE, n - UL_SIZE, &length, &used) == KLV_OK;
    const struct set *set = framed ? &klv_sets[klv_set_of_key(in)] : klv_sets;
    const size_t value = UL_SIZE + used;
    if (!framed || length != n - value || (set->sum != SUM_NONE && klv_checksum(in, n) == KLV_BAD))
        m->unreadable = 1;
    else if (set->universal == U_SET)
        read_keys(m, set->time_tag ? NULL : begin_security(m), value, n); /* ST 0104, or ST 0102-US */
    else if (set->universal == U_WHOLE && (set != klv_sets || klv_keyed_of(in)))
        read_keys(m, NULL, 0, n);
    else if (set->tags == 0)
        m->unreadable = 1;
    else if (set->items == m->items)
        read_security(m, value, n);
    else
        read_set(m, set, value, n);
}

size_t klv_marking(const uint8_t *packet, size_t n, uint8_t *out, size_t room)
{
    struct marker m; /* not cleared: its sets are large, and most packets have one */
    struct text t = {(char *)out, (char *)out + room, 0, 0};
    m.in = packet;
    m.items = klv_st0601->items[SECURITY_ITEM].set->items;
    m.unreadable = 0;
    m.count = 0;
    read_packet(&m, n);
    if (m.count == 0 && !m.unreadable)
        return 0;
    klv_put_char(&t, m.unreadable ? 0 : 1);
    for (unsigned i = 0; i < m.count && !m.unreadable; i++) {
        klv_put_char(&t, (char)m.sets[i].level);
        for (unsigned tag = CONTROL; tag <= RELEASING; tag++) {
            const struct part *text = &m.sets[i].texts[tag];
            put_octets_of(&t, text->end - text->at, 2);
            klv_put_bytes(&t, (const char *)packet + text->at, text->end - text->at);
        }
    }
    if (t.full)
        out[0] = 0;
    return t.full ? 1 : (size_t)(t.p - (char *)out);
}
