/* miis.c - the MIIS core identifier (ST 1204): its identifiers, and the text form with its check digits. */
#include "walk.h"

/* x^n in GF(16), x^4 = x^3 + 1 (ST 1204, text check). */
static unsigned power_of_x(unsigned n)
{
    unsigned value = 1;
    for (n %= 15; n > 0; n--)
        value = value & 8 ? ((value << 1) ^ 0x19) & 15 : value << 1;
    return value;
}

static unsigned times(unsigned a, unsigned b)
{
    unsigned product = 0;
    for (unsigned bit = 0; bit < 4; bit++, a = a & 8 ? ((a << 1) ^ 0x19) & 15 : a << 1)
        if (b >> bit & 1)
            product ^= a;
    return product;
}

/* Two digits over all digits of the text: digit i times x^i, and times x^-i. */
static uint8_t check(const uint8_t *in, size_t n)
{
    unsigned high = 0, low = 0;
    for (size_t i = 0; i < 2 * n; i++) {
        unsigned digit = i & 1 ? in[i / 2] & 15u : in[i / 2] >> 4, x = (unsigned)(i + 1) % 15;
        high ^= times(digit, power_of_x(x));
        low ^= times(digit, power_of_x(15 - x));
    }
    return (uint8_t)(high << 4 | low);
}

static void put_capitals(struct text *t, const uint8_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_char(t, "0123456789ABCDEF"[in[i] >> 4]);
        put_char(t, "0123456789ABCDEF"[in[i] & 15]);
    }
}

/* 0150:08CE-252E-...-20DC/EAF1-8A27-...-7BFA:DA */
static void put_text_form(struct text *t, const uint8_t *in, size_t n)
{
    uint8_t digits = check(in, n);
    put_capitals(t, in, 2);
    for (size_t at = 2; at < n; at += 2) {
        put_char(t, at == 2 ? ':' : (at - 2) % 16 ? '-' : '/');
        put_capitals(t, in + at, 2);
    }
    put_char(t, ':');
    put_capitals(t, &digits, 1);
}

/* The usage octet tells which identifiers follow. */
int write_miis(struct walk *w, const uint8_t *in, size_t n)
{
    static const struct { uint8_t bits; const char *key; } PART[] = {
        {0x60, ",\"sensor_id\":"}, {0x18, ",\"platform_id\":"}, {0x04, ",\"window_id\":"}, {0x02, ",\"minor_id\":"}};
    size_t at = 2;
    if (n < 2 || in[0] > 0x7f)
        return 0;
    put(w->out, "{\"version\":");
    put_uint(w->out, in[0]);
    put(w->out, ",\"usage\":");
    put_uint(w->out, in[1]);
    for (size_t i = 0; i < 4; i++) {
        if (!(in[1] & PART[i].bits))
            continue;
        if (n - at < 16)
            return 0;
        put(w->out, PART[i].key);
        put_uuid(w->out, in + at);
        at += 16;
    }
    if (at != n)
        return 0;
    put(w->out, ",\"text\":\"");
    put_text_form(w->out, in, n);
    put(w->out, "\"}");
    return 1;
}
