/* miis.c - the MIIS core identifier (ST 1204.3, 7.3): its identifiers, and the text form with its check digits.
 *
 *   byte  0         1       2 ..
 *        +---------+-------+-----------+-------------+-----------+----------+
 *        | version | usage | sensor id | platform id | window id | minor id |
 *        | BER-OID | bits  | 16        | 16          | 16        | 16       |    each where `usage` says so
 *        +---------+-------+-----------+-------------+-----------+----------+
 *
 *   usage (7.3.1)  bit   7   6 5      4 3        2        1       0
 *                      +---+--------+----------+--------+-------+---+
 *                      | 0 | sensor | platform | window | minor | 0 |
 *                      +---+--------+----------+--------+-------+---+
 *
 *   sensor, platform   0 = none, else how it is made: 1 managed, 2 virtual, 3 physical
 *   window, minor      1 = it follows
 *
 * The version is read as one byte: there is only 1, and no other that would need a second one.
 */
#include "walk.h"

/* Times x, and over x, in GF(16), where x^4 = x^3 + 1 (ST 1204.3, Appendix B). */
static const uint8_t TIMES_X[16] = {0, 2, 4, 6, 8, 10, 12, 14, 9, 11, 13, 15, 1, 3, 5, 7};
static const uint8_t OVER_X[16] = {0, 12, 1, 13, 2, 14, 3, 15, 4, 8, 5, 9, 6, 10, 7, 11};

static const uint8_t TIMES_X2[16] = {0, 4, 8, 12, 9, 13, 1, 5, 11, 15, 3, 7, 2, 6, 10, 14};
static const uint8_t OVER_X2[16] = {0, 6, 12, 10, 1, 7, 13, 11, 2, 4, 14, 8, 3, 5, 15, 9};

/* Two check digits over all digits of the text, from the last: digit i times x^i, and times x^-i. */
static uint8_t check_digits(const uint8_t *in, size_t n)
{
    unsigned high = 0, low = 0;
    for (size_t i = n; i-- > 0;) {
        const unsigned first = in[i] >> 4, second = in[i] & 15u;
        high = TIMES_X2[high] ^ (TIMES_X2[second] ^ TIMES_X[first]);
        low = OVER_X2[low] ^ (OVER_X2[second] ^ OVER_X[first]);
    }
    return (uint8_t)(high << 4 | low);
}

/* Hex in capitals, as the text form has it. */
static char *capitals(char *p, const uint8_t *in, size_t n)
{
    static const char DIGITS[17] = "0123456789ABCDEF";
    for (size_t i = 0; i < n; i++) {
        *p++ = DIGITS[in[i] >> 4];
        *p++ = DIGITS[in[i] & 15];
    }
    return p;
}

/* Version and usage, the identifiers, the check digits (7.4.2): 0150:08CE-252E-...-20DC/EAF1-8A27-...-7BFA:DA
 * A byte takes at most 2 digits and 1 separator of each pair of bytes, hence space for 4 n. */
static void put_text_form(struct text *t, const uint8_t *in, size_t n)
{
    uint8_t digits = check_digits(in, n);
    if (!klv_reserve(t, 4 * n))
        return;
    char *p = capitals(t->p, in, 2);
    for (size_t at = 2; at < n; at += 2) {
        *p++ = at == 2 ? ':' : (at - 2) % 16 ? '-' : '/';
        p = capitals(p, in + at, 2);
    }
    *p++ = ':';
    t->p = capitals(p, &digits, 1);
}

int klv_write_miis(struct walk *w, const uint8_t *in, size_t n)
{
    static const struct { uint8_t bits; const char *key; } PART[] = { /* in the order of the bytes */
        {0x60, ",\"sensor_id\":"}, {0x18, ",\"platform_id\":"}, {0x04, ",\"window_id\":"}, {0x02, ",\"minor_id\":"}};
    size_t at = 2;
    if (n < 2 || in[0] > 0x7f) /* bit 7: the version continues in another byte */
        return 0;
    klv_put(w->out, "{\"version\":");
    klv_put_uint(w->out, in[0]);
    klv_put(w->out, ",\"usage\":");
    klv_put_uint(w->out, in[1]);
    for (size_t i = 0; i < 4; i++) {
        if (!(in[1] & PART[i].bits))
            continue;
        if (n - at < 16)
            return 0;
        klv_put(w->out, PART[i].key);
        klv_put_uuid(w->out, in + at);
        at += 16;
    }
    if (at != n) /* more bytes than `usage` accounts for */
        return 0;
    klv_put(w->out, ",\"text\":\"");
    put_text_form(w->out, in, n);
    klv_put(w->out, "\"}");
    return 1;
}
