/* string.c - UTF-8 and UTF-16 as JSON strings (RFC 8259). Characters that show nothing but steer what shows them
 * (a terminal, a page, a spreadsheet) are escaped, though JSON asks for that below U+0020 only: what reads the JSON has
 * them as they were. */
#include "text.h"

/* General categories Cc, Cf, Zl and Zp of Unicode 16.0 from U+007F on. */
static const struct { uint32_t first, last; } STEERING[] = {
    {0x7f, 0x9f}, {0xad, 0xad}, {0x600, 0x605}, {0x61c, 0x61c}, {0x6dd, 0x6dd}, {0x70f, 0x70f}, {0x890, 0x891},
    {0x8e2, 0x8e2}, {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x2064}, {0x2066, 0x206f},
    {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0001, 0xe0001}, {0xe0020, 0xe007f}};

static int is_steering(uint32_t c)
{
    for (size_t i = 0; i < sizeof STEERING / sizeof *STEERING && STEERING[i].first <= c; i++)
        if (c <= STEERING[i].last)
            return 1;
    return 0;
}

/* Can a sequence that begins so be one of them? */
static int may_be_steering(uint8_t lead)
{
    switch (lead) {
    case 0xc2: case 0xd8: case 0xdb: case 0xdc:
    case 0xe0: case 0xe1: case 0xe2: case 0xef:
    case 0xf0: case 0xf3: return 1;
    default: return 0;
    }
}

static char *escaped_unit(char *p, uint32_t unit)
{
    const char escape[6] = {'\\', 'u', HEX[unit >> 12], HEX[unit >> 8 & 15], HEX[unit >> 4 & 15], HEX[unit & 15]};
    memcpy(p, escape, sizeof escape);
    return p + sizeof escape;
}

/* Beyond U+FFFF as two surrogates. */
static char *escaped(char *p, uint32_t c)
{
    if (c < 0x10000)
        return escaped_unit(p, c);
    p = escaped_unit(p, 0xd800 + ((c - 0x10000) >> 10));
    return escaped_unit(p, 0xdc00 + ((c - 0x10000) & 0x3ff));
}

/* The octets of the UTF-8 sequence at in[0..n), or 0 (RFC 3629: shortest form, no surrogates). */
static size_t utf8_sequence(const uint8_t *in, size_t n)
{
    static const struct { uint8_t low, high, mask, lead, size, least, most; } FORM[] = {
        {0x80, 0xbf, 0xe0, 0xc0, 2, 0xc2, 0xdf}, {0x80, 0xbf, 0xf0, 0xe0, 3, 0xe0, 0xef},
        {0x80, 0xbf, 0xf8, 0xf0, 4, 0xf0, 0xf4}};
    for (size_t f = 0; f < 3; f++) {
        if ((in[0] & FORM[f].mask) != FORM[f].lead)
            continue;
        if (in[0] < FORM[f].least || in[0] > FORM[f].most || n < FORM[f].size)
            return 0;
        uint8_t low = in[0] == 0xe0 ? 0xa0 : in[0] == 0xf0 ? 0x90 : 0x80;
        uint8_t high = in[0] == 0xed ? 0x9f : in[0] == 0xf4 ? 0x8f : 0xbf;
        if (in[1] < low || in[1] > high)
            return 0;
        for (size_t i = 2; i < FORM[f].size; i++)
            if (in[i] < FORM[f].low || in[i] > FORM[f].high)
                return 0;
        return FORM[f].size;
    }
    return 0;
}

/* The character of a sequence that is valid. */
static uint32_t character(const uint8_t *in, size_t size)
{
    uint32_t c = in[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++)
        c = c << 6 | (in[i] & 0x3fu);
    return c;
}

static char *sequence(char *p, const uint8_t *in, size_t size)
{
    if (may_be_steering(in[0])) {
        uint32_t c = character(in, size);
        if (is_steering(c))
            return escaped(p, c);
    }
    memcpy(p, in, size);
    return p + size;
}

/* One octet of ASCII, escaped where it has to be. Room for 6 was asked for. */
static char *ascii(char *p, uint8_t c)
{
    if (c == '"' || c == '\\') {
        *p++ = '\\';
        *p++ = (char)c;
    } else if (c >= 0x20 && c != 0x7f) {
        *p++ = (char)c;
    } else {
        p = escaped_unit(p, c);
    }
    return p;
}

/* ASCII that stands for itself in JSON. */
static inline int is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

int klv_put_utf8(struct text *t, const uint8_t *in, size_t n)
{
    int valid = 1;
    if (!klv_reserve(t, 6 * n + 2))
        return 1;
    char *p = t->p;
    *p++ = '"';
    for (size_t i = 0; i < n;) {
        for (; i < n && is_plain(in[i]); i++) /* most texts have nothing else */
            *p++ = (char)in[i];
        if (i == n)
            break;
        if (in[i] < 0x80) {
            p = ascii(p, in[i++]);
            continue;
        }
        size_t size = utf8_sequence(in + i, n - i);
        if (size) {
            p = sequence(p, in + i, size);
            i += size;
        } else {
            memcpy(p, "\xef\xbf\xbd", 3);
            p += 3;
            i++;
            valid = 0;
        }
    }
    *p++ = '"';
    t->p = p;
    return valid;
}

static char *utf8(char *p, uint32_t c)
{
    if (c < 0x80)
        return ascii(p, (uint8_t)c);
    if (is_steering(c))
        return escaped(p, c);
    if (c < 0x800) {
        *p++ = (char)(0xc0 | (c >> 6));
    } else {
        if (c < 0x10000) {
            *p++ = (char)(0xe0 | (c >> 12));
        } else {
            *p++ = (char)(0xf0 | (c >> 18));
            *p++ = (char)(0x80 | ((c >> 12) & 0x3f));
        }
        *p++ = (char)(0x80 | ((c >> 6) & 0x3f));
    }
    *p++ = (char)(0x80 | (c & 0x3f));
    return p;
}

int klv_put_utf16(struct text *t, const uint8_t *in, size_t n)
{
    int valid = 1;
    if (!klv_reserve(t, 3 * n + 2))
        return 1;
    char *p = t->p;
    *p++ = '"';
    for (size_t i = 0; i < n; i += 2) {
        uint32_t c = (uint32_t)(in[i] << 8) | in[i + 1];
        if (c >= 0xd800 && c < 0xe000) {
            uint32_t low = i + 3 < n ? (uint32_t)(in[i + 2] << 8) | in[i + 3] : 0;
            if (c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            } else {
                c = 0xfffd;
                valid = 0;
            }
        }
        p = utf8(p, c);
    }
    *p++ = '"';
    t->p = p;
    return valid;
}
