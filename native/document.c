/* document.c - a JSON document of the core as CBOR (RFC 8949) or MessagePack: the same keys and values.
 *
 *   JSON         CBOR                                  MessagePack
 *   {  [         bf, 9f: ends with ff                  de, dc and the count in two bytes, put in where it ends; df, dd
 *                                                      and four bytes where it is larger
 *   "text"       3 (text), its bytes unescaped         fixstr, str 8, 16 or 32
 *   12  -3       0, 1 (integers)                       the shortest integer
 *   1.5  2e-7    the nearest double to the decimal, as a float where that is the same number
 *   true, null   f4 .. f6                              c0 .. c3
 *
 * It reads what the core writes: no white space between the tokens. Anything else is refused.
 */
#include "cbor.h"
#include "output.h"

#include <float.h>
#include <math.h>

enum { OPEN_MOST = 64 }; /* arrays and objects within each other; the core's have at most half as many */

/* An array or object that is open. */
struct open_part {
    uint8_t *head;
    uint64_t count; /* elements so far; of an object keys and values */
    char end;       /* the bracket that ends it */
};

/* The memory is checked once: no token becomes more than three times as long, so that nothing below checks it again. */
enum { EACH_CHARACTER = 3, SPARE = 64 };

struct document {
    const char *p, *end;    /* the JSON that is left */
    uint8_t *out;           /* where the next byte goes */
    int msgpack;
    unsigned depth;
    struct open_part open[OPEN_MOST];
};

static inline void put_octet(struct document *d, unsigned octet)
{
    *d->out++ = (uint8_t)octet;
}

/* A byte that says the kind, and 2^power bytes of a number. */
static inline void put_sized(struct document *d, unsigned kind, uint64_t value, unsigned power)
{
    const unsigned octets = 1u << power;
    uint8_t *out = d->out;
    value <<= 64 - 8 * octets;
    *out++ = (uint8_t)kind;
    for (unsigned i = 0; i < octets; i++, value <<= 8)
        *out++ = (uint8_t)(value >> 56);
    d->out = out;
}

static inline unsigned power_for(uint64_t value)
{
    return value <= UINT8_MAX ? 0 : value <= UINT16_MAX ? 1 : value <= UINT32_MAX ? 2 : 3;
}

/* CBOR: a major type and its number. */
static inline void put_major(struct document *d, enum cbor_major major, uint64_t value)
{
    if (value < 24)
        put_octet(d, (unsigned)major << 5 | (unsigned)value);
    else
        put_sized(d, (unsigned)major << 5 | (24 + power_for(value)), value, power_for(value));
}

static void put_real(struct document *d, double value)
{
    static const uint8_t HEADS[2][2] = {{0xfb, 0xfa}, {0xcb, 0xca}}; /* a double's, a float's */
    const float narrow = fabs(value) <= (double)FLT_MAX ? (float)value : 0;
    const int is_narrow = (double)narrow == value;
    uint64_t bits;
    uint32_t few;
    memcpy(&bits, &value, sizeof bits);
    memcpy(&few, &narrow, sizeof few);
    put_sized(d, HEADS[d->msgpack][is_narrow], is_narrow ? few : bits, is_narrow ? 2 : 3);
}

static void put_whole(struct document *d, uint64_t magnitude, int negative)
{
    negative &= magnitude != 0;
    if (!d->msgpack)
        put_major(d, negative ? CBOR_NEGATIVE : CBOR_UINT, magnitude - (uint64_t)negative);
    else if (!negative && magnitude < 0x80)
        put_octet(d, (unsigned)magnitude);
    else if (!negative)
        put_sized(d, 0xcc + power_for(magnitude), magnitude, power_for(magnitude));
    else if (magnitude <= 32)
        put_octet(d, (unsigned)(0x100 - magnitude));
    else { /* an integer of n bits holds one more below 0 than its greatest */
        const unsigned power = power_for(2 * magnitude - 1);
        put_sized(d, 0xd0 + power, 0 - magnitude, power);
    }
}

/* ---- numbers ---- */

enum { DIGITS_MOST = 36 }; /* that 128 bits always hold; the core writes at most 21 */

static int is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

/* Digits from p on, after those in *mantissa: where they end. The number is right for up to DIGITS_MOST in all. */
static const char *take_digits(const char *p, const char *end, uint128 *mantissa)
{
    uint128 many = *mantissa;
    for (; is_digit(p, end); p++) {
        const uint64_t digit = (uint64_t)(*p - '0');
        many = many * 10 + digit;
    }
    *mantissa = many;
    return p;
}

/* The same for a number that begins here, which nearly always fits 64 bits: its digits, with a point among them or
 * none. *point: where that is, else NULL. */
static const char *take_mantissa(const char *p, const char *end, uint128 *mantissa, const char **point)
{
    enum { FEW = 19 }; /* digits that 64 bits hold */
    const char *most = end - p > FEW ? p + FEW : end;
    uint64_t few = 0;
    *point = NULL;
    for (; p < most; p++) {
        const unsigned digit = (unsigned)(*p - '0');
        if (digit <= 9)
            few = 10 * few + digit;
        else if (*p == '.' && *point == NULL)
            *point = p;
        else
            break;
    }
    *mantissa = few;
    p = take_digits(p, end, mantissa);
    if (*point || p == end || *p != '.')
        return p;
    *point = p;
    return take_digits(p + 1, end, mantissa);
}

/* Behind an `e`: where the exponent ends; NULL = it has no digits. */
static const char *take_exponent(const char *p, const char *end, int *power)
{
    int exponent = 0;
    const int negative = p < end && *p == '-';
    const char *begin = p += negative || (p < end && *p == '+');
    for (; is_digit(p, end) && exponent < 1000; p++)
        exponent = 10 * exponent + (*p - '0');
    *power += negative ? -exponent : exponent;
    return p == begin ? NULL : p;
}

static int take_number(struct document *d)
{
    const char *end = d->end, *point;
    uint128 mantissa;
    const int negative = *d->p == '-';
    const char *begin = d->p + negative, *p = take_mantissa(begin, end, &mantissa, &point);
    int whole = point == NULL, power = whole ? 0 : (int)(point + 1 - p);
    if (p == begin || point == begin || p - begin > DIGITS_MOST || (!whole && power == 0))
        return 0;
    if (p < end && *p == 'e') {
        whole = 0;
        p = take_exponent(p + 1, end, &power);
    }
    if (p == NULL || (whole && mantissa > UINT64_MAX))
        return 0;
    d->p = p;
    if (whole)
        put_whole(d, (uint64_t)mantissa, negative);
    else
        put_real(d, negative ? -klv_decimal(mantissa, power) : klv_decimal(mantissa, power));
    return 1;
}

/* ---- texts ---- */

/* How many characters from p on are neither a quote nor a backslash, eight at a time: in `found` the top bit of each
 * that is one of those is set, and of some behind the first. */
static size_t plain_size(const char *p, const char *end)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    const char *begin = p;
    for (; end - p >= 8; p += 8) {
        uint64_t eight;
        memcpy(&eight, p, 8);
        if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
            eight = __builtin_bswap64(eight);
        const uint64_t quote = eight ^ ones * '"', slash = eight ^ ones * '\\';
        const uint64_t found = ((quote - ones) & ~quote & tops) | ((slash - ones) & ~slash & tops);
        METER(1);
        if (found)
            return (size_t)(p - begin) + (unsigned)__builtin_ctzll(found) / 8;
    }
    while (p < end && *p != '"' && *p != '\\')
        p++;
    return (size_t)(p - begin);
}

/* The head of a text of n bytes, or of one that is not yet written and has at most n. */
static void put_text_head(struct document *d, size_t n)
{
    if (!d->msgpack)
        put_major(d, CBOR_TEXT, n);
    else if (n < 32)
        put_octet(d, 0xa0 | (unsigned)n);
    else {
        const unsigned power = power_for(n) < 2 ? power_for(n) : 2;
        put_sized(d, 0xd9 + power, n, power);
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* Four hex digits at p; -1 = there are fewer. */
static int32_t hex_unit(const char *p, const char *end)
{
    int32_t unit = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        unit = 16 * unit + digit;
    }
    return unit;
}

static void put_utf8_of(struct document *d, uint32_t c)
{
    if (c < 0x80) {
        put_octet(d, c);
        return;
    }
    const unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    put_octet(d, (0xff00u >> (more + 1) & 0xff) | c >> (6 * more));
    for (unsigned i = more; i-- > 0;)
        put_octet(d, 0x80 | (c >> (6 * i) & 0x3f));
}

/* What an escape stands for, d->p behind its backslash. */
static int take_escape(struct document *d)
{
    static const char NAMES[] = "\"\\/bfnrt", MEANS[] = "\"\\/\b\f\n\r\t";
    if (d->p == d->end)
        return 0;
    const char c = *d->p++;
    const char *found = c ? strchr(NAMES, c) : NULL;
    if (found) {
        put_octet(d, (unsigned)MEANS[found - NAMES]);
        return 1;
    }
    int32_t unit = c == 'u' ? hex_unit(d->p, d->end) : -1;
    if (unit < 0)
        return 0;
    d->p += 4;
    if (unit >= 0xd800 && unit < 0xdc00 && d->end - d->p >= 6 && d->p[0] == '\\' && d->p[1] == 'u') {
        const int32_t low = hex_unit(d->p + 2, d->end);
        if (low < 0xdc00 || low > 0xdfff)
            return 0;
        d->p += 6;
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }
    put_utf8_of(d, (uint32_t)unit);
    return unit < 0xd800 || unit > 0xdfff;
}

/* A text with escapes: written behind a head that is as long as all of it needs, and moved to the right one. */
static int take_escaped(struct document *d)
{
    const char *last = d->p;
    while (last < d->end && *last != '"')
        last += *last == '\\' ? 2 : 1;
    if (last >= d->end)
        return 0;
    uint8_t *begin = d->out;
    put_text_head(d, (size_t)(last - d->p));
    const uint8_t *text = d->out;
    while (d->p < last) {
        const size_t plain = plain_size(d->p, last);
        memcpy(d->out, d->p, plain);
        d->out += plain;
        d->p += plain;
        if (d->p < last && (d->p++, !take_escape(d)))
            return 0;
    }
    const size_t size = (size_t)(d->out - text);
    d->out = begin;
    put_text_head(d, size); /* never longer than that of the whole */
    memmove(d->out, text, size);
    d->out += size;
    d->p = last + 1;
    return 1;
}

static int take_text(struct document *d)
{
    const char *p = d->p + 1;
    const size_t n = plain_size(p, d->end);
    if (p + n == d->end)
        return 0;
    d->p = p;
    if (p[n] == '\\')
        return take_escaped(d);
    put_text_head(d, n);
    if (n <= 32 && d->end - p >= 32) /* nearly all: a copy of fixed size */
        memcpy(d->out, p, 32);
    else
        memcpy(d->out, p, n);
    d->out += n;
    d->p = p + n + 1;
    return 1;
}

/* ---- arrays and objects ---- */

static int open_part(struct document *d)
{
    static const uint8_t HEADS[2][2] = {{0x9f, 0xbf}, {0xdc, 0xde}};
    if (d->depth == OPEN_MOST)
        return 0;
    const int object = *d->p++ == '{';
    d->open[d->depth++] = (struct open_part){d->out, 0, object ? '}' : ']'};
    if (d->msgpack)
        put_sized(d, HEADS[1][object], 0, 1);
    else
        put_octet(d, HEADS[0][object]);
    return 1;
}

/* MessagePack: the count of elements, where the head of the part is. */
static void put_count(struct document *d, const struct open_part *part)
{
    const uint64_t count = part->end == '}' ? part->count / 2 : part->count;
    uint8_t *end = d->out;
    const unsigned power = count > UINT16_MAX ? 2 : 1;
    if (power == 2) {
        memmove(part->head + 5, part->head + 3, (size_t)(end - part->head) - 3);
        end += 2;
    }
    d->out = part->head;
    put_sized(d, (part->end == '}' ? 0xdd : 0xdb) + power, count, power);
    d->out = end;
}

static int close_part(struct document *d)
{
    if (d->depth == 0 || d->open[d->depth - 1].end != *d->p)
        return 0;
    d->p++;
    d->depth--;
    if (d->msgpack)
        put_count(d, &d->open[d->depth]);
    else
        put_octet(d, 0xff);
    return 1;
}

static int take_word(struct document *d)
{
    static const struct {
        const char *text;
        uint8_t codes[2];
    } WORDS[] = {{"null", {0xf6, 0xc0}}, {"true", {0xf5, 0xc3}}, {"false", {0xf4, 0xc2}}};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        const size_t n = strlen(WORDS[i].text);
        if ((size_t)(d->end - d->p) < n || memcmp(d->p, WORDS[i].text, n) != 0)
            continue;
        put_octet(d, WORDS[i].codes[d->msgpack]);
        d->p += n;
        return 1;
    }
    return 0;
}

/* The next value, or the head of an array or object; 0 = it is none. */
static int take_value(struct document *d)
{
    if (d->depth)
        d->open[d->depth - 1].count++;
    switch (*d->p) {
    case '"': return take_text(d);
    case '{':
    case '[': return open_part(d);
    case 'n':
    case 't':
    case 'f': return take_word(d);
    default: return take_number(d);
    }
}

long klv_document(const char *json, size_t n, int format, uint8_t *out, size_t room)
{
    struct document d; /* not cleared: few open at once */
    if (room < SPARE || (room - SPARE) / EACH_CHARACTER < n)
        return 0;
    d.p = json;
    d.end = json + n;
    d.out = out;
    d.msgpack = format == KLV_MSGPACK;
    d.depth = 0;
    while (d.p < d.end) {
        const char c = *d.p;
        METER(1);
        if (c == ',' || c == ':')
            d.p++;
        else if (!(c == '}' || c == ']' ? close_part(&d) : take_value(&d)))
            return KLV_BAD_TAG;
    }
    return d.depth == 0 && n > 0 ? (long)(d.out - out) : (long)KLV_BAD_LENGTH;
}

long klv_record_document(int format, const uint8_t *packet, size_t n, const char *head, size_t head_size, uint64_t seq,
                         int64_t received_us, int64_t pts, int pid, int program, int damaged, int checksum, int safe,
                         const struct klv_selection *items, char *json, size_t json_room, uint8_t *out, size_t room)
{
    uint64_t unknown = 0;
    const long size = klv_record(packet, n, head, head_size, seq, received_us, pts, pid, program, damaged, checksum,
                                 safe, items, json, json_room, &unknown);
    return size > 0 ? klv_document(json, (size_t)size, format, out, room) : size;
}
