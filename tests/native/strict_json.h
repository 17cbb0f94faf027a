/* strict_json.h - is a text one JSON value (RFC 8259) and nothing else? Stricter than the RFC where what the core
 * writes is: no white space, no name twice in an object, no half of a surrogate pair, no control or format character
 * that is not escaped (Cc, Cf, Zl, Zp), no number beyond a double. */
#ifndef STRICT_JSON_H
#define STRICT_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { JSON_DEPTH = 64, JSON_NAMES = 64 };

struct json_reader {
    const uint8_t *p, *end;
    const char *fault; /* the first error, or NULL */
};

static inline int json_next(const struct json_reader *r)
{
    return r->p < r->end ? *r->p : -1;
}

static inline int json_wrong(struct json_reader *r, const char *what)
{
    if (r->fault == NULL)
        r->fault = what;
    return 0;
}

static inline int json_take(struct json_reader *r, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
        return 0;
    r->p += n;
    return 1;
}

static inline size_t json_digits(struct json_reader *r)
{
    const uint8_t *from = r->p;
    while (json_next(r) >= '0' && json_next(r) <= '9')
        r->p++;
    return (size_t)(r->p - from);
}

static inline int json_exponent(struct json_reader *r)
{
    int value = 0;
    if (json_next(r) == '-' || json_next(r) == '+')
        r->p++;
    const uint8_t *from = r->p;
    if (json_digits(r) == 0 || r->p - from > 3)
        return json_wrong(r, "an exponent of no digits or of too many");
    for (const uint8_t *at = from; at < r->p; at++)
        value = value * 10 + (*at - '0');
    return value <= 324 ? 1 : json_wrong(r, "an exponent that no double has");
}

static inline int json_number(struct json_reader *r)
{
    json_take(r, "-");
    int zero = json_next(r) == '0';
    size_t whole = json_digits(r);
    if (whole == 0 || (zero && whole > 1))
        return json_wrong(r, "no number: no digits, or a zero before them");
    if (json_take(r, ".") && json_digits(r) == 0)
        return json_wrong(r, "a point without digits behind it");
    return json_take(r, "e") || json_take(r, "E") ? json_exponent(r) : 1;
}

/* The bytes of the UTF-8 sequence at r->p, shortest form and no surrogate, and its character; 0 = it is none. */
static inline size_t json_sequence(const struct json_reader *r, uint32_t *character)
{
    static const uint32_t LEAST[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t lead = *r->p;
    *character = lead;
    size_t n = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (n < 2 || n > (size_t)(r->end - r->p))
        return n == 1;
    uint32_t code = lead & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (r->p[i] >> 6 != 2)
            return 0;
        code = code << 6 | (r->p[i] & 0x3fu);
    }
    *character = code;
    return code >= LEAST[n] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? n : 0;
}

/* By the Unicode Character Database, one range a line of DerivedGeneralCategory.txt. */
static inline int json_steers(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad || (c >= 0x600 && c <= 0x605) || c == 0x61c || c == 0x6dd
        || c == 0x70f || c == 0x890 || c == 0x891 || c == 0x8e2 || c == 0x180e || (c >= 0x200b && c <= 0x200f)
        || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x2064) || (c >= 0x2066 && c <= 0x206f) || c == 0xfeff
        || (c >= 0xfff9 && c <= 0xfffb) || c == 0x110bd || c == 0x110cd || (c >= 0x13430 && c <= 0x1343f)
        || (c >= 0x1bca0 && c <= 0x1bca3) || (c >= 0x1d173 && c <= 0x1d17a) || c == 0xe0001
        || (c >= 0xe0020 && c <= 0xe007f);
}

/* Four hex digits after a u; -1 = there are none. */
static inline int32_t json_unit(const struct json_reader *r, const uint8_t *at)
{
    static const char DIGITS[] = "0123456789abcdef";
    int32_t unit = 0;
    if (r->end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const char *digit = at[i] ? strchr(DIGITS, at[i] >= 'A' && at[i] <= 'F' ? at[i] + 32 : at[i]) : NULL;
        if (digit == NULL)
            return -1;
        unit = unit << 4 | (int32_t)(digit - DIGITS);
    }
    return unit;
}

static inline int json_escape(struct json_reader *r)
{
    r->p++;
    if (json_next(r) != 'u') {
        if (json_next(r) < 1 || !strchr("\"\\/bfnrt", json_next(r)))
            return json_wrong(r, "an escape that JSON has not");
        r->p++;
        return 1;
    }
    int32_t unit = json_unit(r, r->p + 1);
    if (unit < 0)
        return json_wrong(r, "an escape cut short, or not in hex");
    r->p += 5;
    if (unit < 0xd800 || unit > 0xdfff)
        return 1;
    int32_t low = unit < 0xdc00 && json_take(r, "\\u") ? json_unit(r, r->p) : -1;
    if (low < 0xdc00 || low > 0xdfff)
        return json_wrong(r, "half of a surrogate pair");
    r->p += 4;
    return 1;
}

static inline int json_string(struct json_reader *r)
{
    if (!json_take(r, "\""))
        return json_wrong(r, "no string where one must be");
    while (json_next(r) != '"') {
        if (json_next(r) < 0x20)
            return json_wrong(r, "a control character in a string, or no end to it");
        if (json_next(r) == '\\') {
            if (!json_escape(r))
                return 0;
            continue;
        }
        uint32_t character;
        size_t n = json_sequence(r, &character);
        if (n == 0)
            return json_wrong(r, "no UTF-8");
        if (json_steers(character))
            return json_wrong(r, "a character that steers what shows it");
        r->p += n;
    }
    r->p++;
    return 1;
}

struct json_name {
    const uint8_t *at;
    size_t size;
};

/* Compared by hand, since a fuzzer records the arguments of memcmp. */
static inline int json_same(const struct json_name *a, const struct json_name *b)
{
    size_t i = 0;
    if (a->size != b->size)
        return 0;
    while (i < a->size && a->at[i] == b->at[i])
        i++;
    return i == a->size;
}

/* Reads a name and its colon; the last few names of its object are remembered. */
static inline int json_name(struct json_reader *r, struct json_name *names, size_t index)
{
    struct json_name name = {r->p, 0};
    if (!json_string(r))
        return 0;
    name.size = (size_t)(r->p - name.at);
    for (size_t i = 0; i < index && i < JSON_NAMES; i++)
        if (json_same(&names[i], &name))
            return json_wrong(r, "a name twice in an object");
    names[index % JSON_NAMES] = name;
    return json_take(r, ":") ? 1 : json_wrong(r, "no colon behind a name");
}

static inline int json_value(struct json_reader *r, unsigned depth);

static inline int json_members(struct json_reader *r, unsigned depth, const char *end, int named)
{
    struct json_name names[JSON_NAMES];
    r->p++;
    if (json_take(r, end))
        return 1;
    for (size_t index = 0;; index++) {
        if ((named && !json_name(r, names, index)) || !json_value(r, depth + 1))
            return 0;
        if (json_take(r, end))
            return 1;
        if (!json_take(r, ","))
            return json_wrong(r, "neither a comma nor an end");
    }
}

static inline int json_value(struct json_reader *r, unsigned depth)
{
    if (depth > JSON_DEPTH)
        return json_wrong(r, "nested too deep");
    switch (json_next(r)) {
    case '{': return json_members(r, depth, "}", 1);
    case '[': return json_members(r, depth, "]", 0);
    case '"': return json_string(r);
    case 'n': return json_take(r, "null") ? 1 : json_wrong(r, "no null");
    case 't': return json_take(r, "true") ? 1 : json_wrong(r, "no true");
    case 'f': return json_take(r, "false") ? 1 : json_wrong(r, "no false");
    default: return json_number(r);
    }
}

/* The error in text[0..n), or NULL; *at = its place. */
static inline const char *json_fault(const char *text, size_t n, size_t *at)
{
    struct json_reader r = {(const uint8_t *)text, (const uint8_t *)text + n, NULL};
    if (json_value(&r, 0) && r.p != r.end)
        json_wrong(&r, "something behind the end");
    *at = (size_t)(r.p - (const uint8_t *)text);
    return r.fault;
}

#endif
