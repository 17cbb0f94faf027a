/* string.c - UTF-8 and UTF-16 as JSON strings (RFC 8259). Characters that have no glyph but change how a terminal, a
 * page or a spreadsheet shows others are escaped, though JSON requires that below U+0020 only: a JSON parser restores
 * them. */
#include "text.h"

/* General categories Cc, Cf, Zl and Zp of Unicode 16.0 from U+007F on: controls, formats, separators of lines. */
static const struct { uint32_t first, last; } CONTROLS[] = {
    {0x7f, 0x9f}, {0xad, 0xad}, {0x600, 0x605}, {0x61c, 0x61c}, {0x6dd, 0x6dd}, {0x70f, 0x70f}, {0x890, 0x891},
    {0x8e2, 0x8e2}, {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x2064}, {0x2066, 0x206f},
    {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0001, 0xe0001}, {0xe0020, 0xe007f}};

static int is_control(uint32_t c)
{
    for (size_t i = 0; i < sizeof CONTROLS / sizeof *CONTROLS && CONTROLS[i].first <= c; i++)
        if (c <= CONTROLS[i].last)
            return 1;
    return 0;
}

/* May a UTF-8 sequence that begins with this byte be one of them? Nearly all text is passed without decoding it. */
static int may_be_control(uint8_t lead)
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

/* As \uXXXX; beyond U+FFFF two of them, a pair of surrogates. */
static char *escaped(char *p, uint32_t c)
{
    if (c < 0x10000)
        return escaped_unit(p, c);
    p = escaped_unit(p, 0xd800 + ((c - 0x10000) >> 10));
    return escaped_unit(p, 0xdc00 + ((c - 0x10000) & 0x3ff));
}

/* How many bytes the UTF-8 sequence at in[0..n) has, 0 = it is none (RFC 3629, 4):
 *
 *   first      second                           third      fourth
 *   c2 .. df   80 .. bf
 *   e0         a0 .. bf (no longer form)        80 .. bf
 *   e1 .. ef   80 .. bf; of ed 80 .. 9f,        80 .. bf
 *              for the others are surrogates
 *   f0         90 .. bf (no longer form)        80 .. bf   80 .. bf
 *   f1 .. f4   80 .. bf; of f4 80 .. 8f,        80 .. bf   80 .. bf
 *              for the others are above U+10FFFF
 */
static size_t utf8_sequence(const uint8_t *in, size_t n)
{
    uint8_t lead = in[0];
    size_t size = lead < 0xc2 ? 0 : lead <= 0xdf ? 2 : lead <= 0xef ? 3 : lead <= 0xf4 ? 4 : 0;
    if (size == 0 || n < size)
        return 0;
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (in[1] < low || in[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if (in[i] < 0x80 || in[i] > 0xbf)
            return 0;
    return size;
}

/* The character of a valid sequence. */
static uint32_t character(const uint8_t *in, size_t size)
{
    uint32_t c = in[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++)
        c = c << 6 | (in[i] & 0x3fu);
    return c;
}

/* Copies a valid sequence, or escapes it. */
static char *put_sequence(char *p, const uint8_t *in, size_t size)
{
    if (may_be_control(in[0])) {
        uint32_t c = character(in, size);
        if (is_control(c))
            return escaped(p, c);
    }
    memcpy(p, in, size);
    return p + size;
}

/* A character of ASCII, escaped where it has to be; up to 6 characters. */
static char *put_ascii(char *p, uint8_t c)
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

/* ASCII that needs no escape in JSON. */
static inline int is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

int klv_put_utf8(struct text *t, const uint8_t *in, size_t n)
{
    int valid = 1;
    if (!klv_reserve(t, 6 * n + 2)) /* a byte becomes at most an escape */
        return 1;
    char *p = t->p;
    *p++ = '"';
    for (size_t i = 0; i < n;) {
        for (; i < n && is_plain(in[i]); i++) /* most texts have nothing else */
            *p++ = (char)in[i];
        if (i == n)
            break;
        if (in[i] < 0x80) {
            p = put_ascii(p, in[i++]);
            continue;
        }
        size_t size = utf8_sequence(in + i, n - i);
        if (size) {
            p = put_sequence(p, in + i, size);
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

/* A character as UTF-8, or escaped. */
static char *put_character(char *p, uint32_t c)
{
    if (c < 0x80)
        return put_ascii(p, (uint8_t)c);
    if (is_control(c))
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
    if (!klv_reserve(t, 3 * n + 2)) /* 2 bytes become at most an escape */
        return 1;
    char *p = t->p;
    *p++ = '"';
    for (size_t i = 0; i < n; i += 2) {
        uint32_t c = (uint32_t)(in[i] << 8) | in[i + 1];
        if (c >= 0xd800 && c < 0xe000) { /* a surrogate: with the next one a character, if that is a low one */
            uint32_t low = i + 3 < n ? (uint32_t)(in[i + 2] << 8) | in[i + 3] : 0;
            if (c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            } else {
                c = 0xfffd;
                valid = 0;
            }
        }
        p = put_character(p, c);
    }
    *p++ = '"';
    t->p = p;
    return valid;
}
