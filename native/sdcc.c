/* sdcc.c - SDCC-FLP (ST 1010.3, 7): standard deviations (sigma) and correlation coefficients (rho) of the N items right
 * before it (ST 0601, item 102).
 *
 *   +---------+---------------+---------------------+-----------------+---------------------+
 *   | N       | parse control | bit vector          | N sigmas        | rhos                |
 *   | BER-OID | 1 or 2 bytes  | if sparse           | of slen bytes   | of clen bytes       |
 *   +---------+---------------+---------------------+-----------------+---------------------+
 *
 *   parse control (6.3.2)   bit  7   6   5   4    3   2   1   0
 *
 *                              +---+-----------+----+-----------+
 *   mode 1                     | 0 | slen      | cs | clen      |            rho is IMAPB, sigma IEEE 754
 *                              +---+---+---+---+----+-----------+
 *   mode 2, byte 1             | 1 | 0 | cs| cf| clen           |            cf, sf: 1 = IMAPB, 0 = IEEE 754
 *                              +---+---+---+---+----------------+
 *           byte 2             | 0 | 0 | 0 | sf| slen           |
 *                              +---+-------+---+----------------+
 *
 *   cs           1 = sparse: a bit vector says which rhos are sent, the others are 0
 *   bit vector   a bit for each of the N (N - 1) / 2 rhos, the most significant of a byte first (6.3.4)
 *   rhos         those above the diagonal of the matrix, row by row: (1,2) (1,3) .. (1,N) (2,3) .. ; IMAPB from -1 to 1
 *   slen, clen   0 = no sigmas, no rhos
 */
#include "walk.h"

enum { MOST_ITEMS = 143 }; /* of a matrix: those of ST 0601 */

static const struct item SIGMA = {.key = "\"sigma\":", .key_size = 8}, RHO = {.key = "\"rho\":", .key_size = 6};

/* A coefficient of n bytes; in hex if it can't be read: no document defines a range for a sigma in IMAPB. */
static void write_coefficient(struct walk *w, const uint8_t *in, size_t n, int imapb, const struct item *element)
{
    int written = imapb ? element == &RHO && n <= 8 && klv_write_steps(w, -1, 1, 1, in, n, element)
                        : klv_write_float(w, in, n, element);
    if (!written)
        klv_put_hex(w->out, in, n);
}

static void write_item_key(struct walk *w, const struct set *set, uint64_t tag)
{
    const struct item *item = klv_item_of(set, tag);
    if (item) {
        klv_put_bytes(w->out, item->key, item->key_size - 1u); /* without its colon */
        return;
    }
    klv_put_char(w->out, '"');
    klv_put_uint(w->out, tag);
    klv_put_char(w->out, '"');
}

/* The keys of the `count` items right before the one whose value is at `here`, in order. The items can only be read
 * from the front: one pass counts those before it, another writes the last `count` of them. */
static void write_item_keys(struct walk *w, uint64_t count, size_t here)
{
    const struct frame *f = top(w)->mode == M_REPEAT ? top(w) - 1 : top(w);
    uint64_t tag, before = 0;
    char *begin = w->out->p;
    if (w->out->full) /* the matrix itself does not fit: it stays so, and its caller keeps it raw */
        return;
    if (f->mode != M_SET) /* items by key have no order */
        return;
    for (int pass = 0; pass < 2; pass++) {
        size_t at = f->begin, length;
        uint64_t seen = 0;
        while (at < f->end && read_item(w->in, &at, f->end, &tag, &length) == KLV_OK && at < here) {
            if (pass == 1 && seen + count >= before) {
                if (seen + count > before)
                    klv_put_char(w->out, ',');
                write_item_key(w, f->set, tag);
            }
            seen++;
            at += length;
            if (pass == 1)
                continue;
            /* Both passes are counted here: many matrices after many items would be quadratic work. */
            if (w->steps_left < 2) {
                klv_remark(w, "too many matrices, the items of this one are not named");
                return;
            }
            w->steps_left -= 2;
        }
        before = seen;
        if (before < count)
            return;
    }
    /* The keys may be longer than the text that the packet's size allows, since a matrix without numbers is 2 bytes. */
    if (is_bounded(w) && w->out->full) {
        w->out->p = begin;
        w->out->full = 0;
        klv_remark(w, "too many names, the items of this matrix are not named");
    }
}

/* The head of a matrix, and where its parts are. */
struct matrix {
    uint64_t size;                  /* N */
    size_t pairs;                   /* N (N - 1) / 2 */
    size_t sigma_size, rho_size;    /* bytes of each; 0 = there are none */
    int two;                        /* mode 2 */
    int sparse, sigma_imapb, rho_imapb;
    const uint8_t *sent;            /* the bit vector, where it is sparse */
};

static int take_control(struct matrix *m, struct cursor *c)
{
    if (left(c) < 1)
        return 0;
    const uint8_t *control = c->at;
    m->two = control[0] >> 7;
    if (left(c) < 1u + (unsigned)m->two)
        return 0;
    c->at += 1 + m->two;
    if (m->two) {
        m->sparse = control[0] >> 5 & 1;
        m->rho_imapb = control[0] >> 4 & 1;
        m->rho_size = control[0] & 15;
        m->sigma_imapb = control[1] >> 4 & 1;
        m->sigma_size = control[1] & 15;
    } else {
        m->sigma_size = control[0] >> 4 & 7;
        m->sparse = control[0] >> 3 & 1;
        m->rho_imapb = 1;
        m->rho_size = control[0] & 7;
    }
    return 1;
}

static int is_sent(const struct matrix *m, size_t pair)
{
    return !m->sparse || (m->sent[pair / 8] >> (7 - pair % 8) & 1);
}

/* 0 = malformed: what follows the head must be as long as the head says. */
static int take_matrix(struct matrix *m, struct cursor *c)
{
    size_t present = 0;
    if (!take_oid(c, &m->size) || m->size < 1 || m->size > MOST_ITEMS || !take_control(m, c))
        return 0;
    m->pairs = (size_t)(m->size * (m->size - 1) / 2);
    size_t vector = m->sparse ? (m->pairs + 7) / 8 : 0;
    if (vector > left(c))
        return 0;
    m->sent = c->at;
    c->at += vector;
    for (size_t i = 0; m->rho_size && i < m->pairs; i++)
        present += (size_t)is_sent(m, i);
    return m->size * m->sigma_size + present * m->rho_size == left(c);
}

static void write_sigmas(struct walk *w, const struct matrix *m, struct cursor *c)
{
    klv_put(w->out, ",\"sigma\":[");
    for (uint64_t i = 0; m->sigma_size && i < m->size; i++, c->at += m->sigma_size) {
        if (i)
            klv_put_char(w->out, ',');
        w->entry = (int)i;
        write_coefficient(w, c->at, m->sigma_size, m->sigma_imapb, &SIGMA);
    }
}

static void write_rhos(struct walk *w, const struct matrix *m, struct cursor *c)
{
    klv_put(w->out, "],\"rho\":[");
    for (size_t i = 0; m->rho_size && i < m->pairs; i++) {
        if (i)
            klv_put_char(w->out, ',');
        if (!is_sent(m, i)) {
            klv_put(w->out, "0.0");
            continue;
        }
        w->entry = (int)i;
        write_coefficient(w, c->at, m->rho_size, m->rho_imapb, &RHO);
        c->at += m->rho_size;
    }
    w->entry = -1;
}

int klv_write_sdcc(struct walk *w, const uint8_t *in, size_t n)
{
    struct cursor c = {in, in + n};
    struct matrix m = {0};
    if (!take_matrix(&m, &c))
        return 0;
    klv_put(w->out, "{\"matrix_size\":");
    klv_put_uint(w->out, m.size);
    klv_put(w->out, m.two ? ",\"mode\":2,\"sparse\":" : ",\"mode\":1,\"sparse\":");
    klv_put(w->out, m.sparse ? "true" : "false");
    write_sigmas(w, &m, &c);
    write_rhos(w, &m, &c);
    klv_put(w->out, "],\"items\":[");
    write_item_keys(w, m.size, (size_t)(in - w->in));
    klv_put(w->out, "]}");
    return 1;
}
