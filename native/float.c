/* float.c - floats and doubles as JSON text: as few digits as distinguish one from its neighbours, so that reading
 * the text yields the same number. First a short decimal is tried with plain doubles (put_short); if that
 * is not provably right, it is computed with 128 bits. */
#include "text.h"

#include <math.h>

/* A number as mantissa x 2^exponent, the mantissa's top bit set: 128 bits, so that some hundred multiplications leave
 * far more of them right than a double has. */
struct big {
    uint128 mantissa;
    int exponent;
};

/* The upper 128 of the product's 256 bits. */
static struct big big_product(struct big a, struct big b)
{
    const uint64_t a1 = (uint64_t)(a.mantissa >> 64), a0 = (uint64_t)a.mantissa;
    const uint64_t b1 = (uint64_t)(b.mantissa >> 64), b0 = (uint64_t)b.mantissa;
    const uint128 left = (uint128)a1 * b0, right = (uint128)a0 * b1, low = (uint128)a0 * b0;
    const uint128 middle = (uint128)(uint64_t)left + (uint64_t)right + (uint64_t)(low >> 64);
    const uint128 high = (uint128)a1 * b1 + (left >> 64) + (right >> 64) + (middle >> 64);
    struct big product = {high, a.exponent + b.exponent + 128};
    if (!(product.mantissa >> 127)) {
        product.mantissa <<= 1;
        product.exponent--;
    }
    return product;
}

/* value x 10^power as an integer, rounded; 10^power by repeated squaring. */
static uint64_t times_ten(double value, int power)
{
    int exponent;
    uint64_t mantissa = (uint64_t)ldexp(frexp(value, &exponent), 64);
    struct big product = {(uint128)mantissa << 64, exponent - 128}, ten = {(uint128)10 << 124, -124};
    if (power < 0)
        ten = (struct big){~(uint128)0 / 5 * 4 + 1, -131}; /* a tenth: 4/5 x 2^128 x 2^-131 */
    for (unsigned left = (unsigned)(power < 0 ? -power : power); left > 0; left >>= 1) {
        if (left & 1)
            product = big_product(product, ten);
        ten = big_product(ten, ten);
    }
    int shift = -product.exponent;
    return shift > 127 ? 0 : (uint64_t)((product.mantissa + ((uint128)1 << (shift - 1))) >> shift);
}

/* Is scaled x 10^power, as a reader makes a double of it, the value again? 0 also where that is not sure. */
static int reads_back(uint64_t scaled, int power, double value, int wide)
{
    if (power < -22 || power > (wide ? 0 : 22) || scaled > (uint64_t)1 << 53)
        return 0; /* within these bounds both operands are exact, and one rounded operation gives the nearest double */
    double read = power < 0 ? (double)scaled / POWER_OF_TEN[-power] : (double)scaled * POWER_OF_TEN[power];
    if (wide)
        return read == value;
    int exponent;
    double fraction = frexp(value, &exponent), near = fraction > 0.5 ? 0.999 : 0.499; /* half a step is too far */
    return fabs(read - value) < ldexp(near, exponent - 25);
}

/* `scaled` has `count` digits and represents d.ddd x 10^power: as an integer with ".0", with decimals, or, below 10^-5
 * and from 10^16 on, with an exponent. */
static void put_decimal(struct text *t, uint64_t scaled, int count, int power, int negative)
{
    for (; count > 1 && scaled % 10 == 0; count--)
        scaled /= 10;
    if (negative)
        klv_put_char(t, '-');
    if (power >= count - 1 && power < 16) {
        klv_put_number(t, scaled * TENS[power - count + 1], 0, 0);
        klv_put(t, ".0");
    } else if (power >= -5 && power < 16) {
        klv_put_number(t, scaled, 0, (unsigned)(count - 1 - power));
    } else {
        klv_put_number(t, count > 1 ? scaled : scaled * 10, 0, (unsigned)(count > 1 ? count - 1 : 1));
        klv_put_char(t, 'e');
        klv_put_int(t, power);
    }
}

/* Most values are short decimals of a common size: one multiplication finds their digits. 0 = this one is not. */
static int put_short(struct text *t, double value, int negative, int wide)
{
    int power = 0;
    if (value < 1e-5 || value >= 1e15)
        return 0;
    while (value >= POWER_OF_TEN[power + 1])
        power++;
    while (power < 1 && value * POWER_OF_TEN[-power] < 1)
        power--;
    for (int count = wide ? 15 : 6; count <= (wide ? 15 : 8); count++) {
        int shift = count - 1 - power;
        uint64_t scaled = (uint64_t)((shift < 0 ? value / POWER_OF_TEN[-shift] : value * POWER_OF_TEN[shift]) + 0.5);
        if (scaled >= TENS[count - 1] && scaled < TENS[count] && reads_back(scaled, -shift, value, wide)) {
            put_decimal(t, scaled, count, power, negative);
            return 1;
        }
    }
    return 0;
}

void klv_put_float(struct text *t, double value, int wide)
{
    int negative = signbit(value) != 0;
    value = fabs(value);
    if (value == 0) {
        klv_put(t, negative ? "-0.0" : "0.0");
        return;
    }
    if (put_short(t, value, negative, wide))
        return;
    int exponent, count = wide ? 15 : 6, most = wide ? 17 : 9;
    frexp(value, &exponent);
    int power = (int)floor((exponent - 1) * 0.30102999566398120); /* log10 of it, rounded down; or one less than that */
    for (;; count++) {
        uint64_t scaled = times_ten(value, count - 1 - power);
        if (scaled >= TENS[count]) { /* it was one less: there is a digit too many */
            power++;
            count--;
        } else if (count == most || reads_back(scaled, power - count + 1, value, wide)) {
            put_decimal(t, scaled, count, power, negative);
            return;
        }
    }
}
