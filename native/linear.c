/* linear.c - the linear maps of MISB ST 0601: a code of a few bytes for a number in a range.
 *
 *   K_LINEAR_UINT   value = min + code x scale    code = 0 .. 2^bits - 1
 *   K_LINEAR_INT    value = code x scale          code = -(2^(bits-1) - 1) .. 2^(bits-1) - 1; the code below those is a
 *                                                 special value, such as "off_earth"
 *
 * As text a value has as many decimals as two codes in a row need to differ: `decimals` of its item, whose `print` is
 * scale x 10^decimals. It is the nearest such decimal, halves away from zero.
 */
#include "digits.h"
#include "walk.h"

#include <math.h>

enum { LINEAR_MOST = 24 }; /* characters of a value whose code has at most 4 bytes */

/* value x 10^decimals, rounded. */
static inline int64_t linear_decimal(const struct item *item, int64_t code)
{
    double scaled = (double)code * item->print;
    if (item->kind == K_LINEAR_UINT)
        scaled += item->min * POWER_OF_TEN[item->decimals];
    return (int64_t)(scaled + copysign(0.5, scaled));
}

static inline uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

int klv_write_linear(struct walk *w, const struct item *item, const uint8_t *in, size_t n, const struct item *element)
{
    int64_t code;
    if (!linear_code(item, in, n, &code))
        return 0;
    if (item->kind == K_LINEAR_INT && code == -((int64_t)1 << (8 * item->len_min - 1))) {
        klv_write_special(w, element, item->special ? item->special : "\"reserved\"");
        return 1;
    }
    klv_put_fixed(w->out, linear_decimal(item, code), item->decimals);
    return 1;
}

/* ---- a run of them ----
 *
 * Most items of a platform's packet are such numbers, as wide as their mapping requires. They cause no remarks, and
 * their text always fits, so a run of them is written without the steps that other items need, at half the cost. The
 * first other item ends the run and takes the general path, which would write the same text.
 */

/* The item at in[at..end), if a run takes it: tag and length of one byte each, as wide as its mapping requires, the
 * only one of its tag, and none of the record's head; else NULL. */
static inline const struct item *plain_item(const struct frame *f, const uint8_t *in, size_t at, size_t end)
{
    if (end - at < 2)
        return NULL;
    const unsigned tag = in[at], n = in[at + 1];
    if (tag >= 0x80 || tag >= f->set->tags || n > end - at - 2)
        return NULL;
    const struct item *item = &f->set->items[tag];
    return is_linear(item) && n == item->len_min && n >= 1 && n <= 4 && !has(f->apart, tag) ? item : NULL;
}

/* The code of 1 to 4 bytes that ends at `end`; 0 = it is a special value. Four bytes are read at once, and
 * those before the code are shifted out: they exist, since the packet's key is before it. */
static inline int plain_code(const struct item *item, const uint8_t *end, int64_t *code)
{
    const unsigned shift = 32 - 8u * item->len_min;
    const uint32_t raw = be32(end - 4) << shift;
    if (item->kind == K_LINEAR_UINT) {
        *code = raw >> shift;
        return 1;
    }
    *code = sign_extend(raw, 4) >> shift;
    return raw != 0x80000000;
}

/* Does the text of a run always stay within what its bytes allow (TEXT_EACH)? If that of the first item does, so does
 * that of each that follows: the shortest, of three bytes, allows more text than the longest needs. */
static int is_affordable(const struct walk *w, const struct frame *f)
{
    _Static_assert(3 * TEXT_EACH >= KEY_MOST + LINEAR_MOST, "each item of a run pays for itself");
    return text_size(w) + KEY_MOST + LINEAR_MOST <= TEXT_FREE + TEXT_EACH * f->at;
}

int klv_write_linear_run(struct walk *w, struct frame *f)
{
    /* Local variables, since a compiler must assume that writes through `p` change any other. */
    const uint8_t *in = w->in;
    const char *limit = w->out->end;
    char *p = w->out->p;
    const size_t end = f->end;
    size_t at = f->at;
    const struct item *item;
    int64_t code;
    unsigned comma = f->comma;
    if (!is_affordable(w, f))
        return 0;
    while ((item = plain_item(f, in, at, end)) != NULL && (size_t)(limit - p) >= KEY_MOST + NUMBER_MOST &&
           plain_code(item, in + at + 2 + item->len_min, &code)) {
        METER(1);
        const int64_t decimal = linear_decimal(item, code);
        p = key_at(p, item, comma);
        p = number_at(p, magnitude(decimal), decimal < 0, item->decimals);
        comma = 1;
        at += 2u + item->len_min;
    }
    w->out->p = p;
    f->comma = (uint8_t)comma;
    const int any = at > f->at;
    f->at = at;
    return any;
}
