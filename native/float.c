/* float.c - floats and doubles as JSON text: as few digits as distinguish one from its neighbours, so that reading
 * the text yields the same number. First a short decimal is tried with plain doubles (put_short); if that
 * is not provably right, it is computed with 128 bits. And decimals back to doubles. */
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

/* product x 10^power, by repeated squaring. */
static struct big scaled(struct big product, int power)
{
    struct big ten = {(uint128)10 << 124, -124};
    if (power < 0)
        ten = (struct big){~(uint128)0 / 5 * 4 + 1, -131}; /* a tenth: 4/5 x 2^128 x 2^-131 */
    for (unsigned left = (unsigned)(power < 0 ? -power : power); left > 0; left >>= 1) {
        if (left & 1)
            product = big_product(product, ten);
        ten = big_product(ten, ten);
    }
    return product;
}

/* value x 10^power as an integer, rounded. */
static uint64_t times_ten(double value, int power)
{
    int exponent;
    const uint64_t mantissa = (uint64_t)ldexp(frexp(value, &exponent), 64);
    const struct big product = scaled((struct big){(uint128)mantissa << 64, exponent - 128}, power);
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

/* ---- a decimal to the nearest double ---- */

static int top_bit(uint128 value)
{
    const uint64_t high = (uint64_t)(value >> 64);
    return high ? 127 - __builtin_clzll(high) : 63 - __builtin_clzll((uint64_t)value);
}

/* mantissa x 2^exponent, rounded to the bits that a double has there; `more`: it is a little larger than that. */
static double rounded_to_double(uint128 mantissa, int exponent, int more)
{
    const int top = top_bit(mantissa), least = -1074 - exponent; /* the last bit that even the smallest doubles have */
    int drop = top - 52 > least ? top - 52 : least;
    if (drop <= 0)
        return ldexp((double)(uint64_t)mantissa, exponent);
    if (drop > 127) /* half of the smallest double, or less */
        return drop == 128 && (mantissa > (uint128)1 << 127 || more) ? 0x1p-1074 : 0;
    const uint128 kept = mantissa >> drop, rest = mantissa - (kept << drop), half = (uint128)1 << (drop - 1);
    const uint64_t up = rest > half || (rest == half && (more || (kept & 1)));
    return ldexp((double)((uint64_t)kept + up), exponent + drop);
}

/* mantissa / divisor, exactly rounded: long division, bit by bit, of as many bits as 128 hold. */
static double quotient_of(uint128 mantissa, uint64_t divisor)
{
    const int shift = 127 - top_bit(mantissa);
    uint128 rest = 0, quotient = 0;
    mantissa <<= shift;
    for (int bit = 127; bit >= 0; bit--) {
        rest = rest << 1 | (mantissa >> bit & 1);
        quotient <<= 1;
        if (rest >= divisor) {
            rest -= divisor;
            quotient |= 1;
        }
    }
    return rounded_to_double(quotient, -shift, rest != 0);
}

/* The text of a float or double is far from the middle between two doubles: 128 bits tell on which side it is. */
static double scaled_by_ten(uint128 mantissa, int power)
{
    const int shift = 127 - top_bit(mantissa);
    const struct big product = scaled((struct big){mantissa << shift, -shift}, power);
    return rounded_to_double(product.mantissa, product.exponent, 1);
}

double klv_decimal(uint128 mantissa, int power)
{
    if (mantissa == 0)
        return 0;
    if (mantissa <= (uint64_t)1 << 53 && power >= -22 && power <= 22) { /* both are exact, and rounded once */
        const double whole = (double)(uint64_t)mantissa;
        return power < 0 ? whole / POWER_OF_TEN[-power] : whole * POWER_OF_TEN[power];
    }
    if (power <= 0 && power >= -19)
        return quotient_of(mantissa, TENS[-power]);
    if (power > 0 && power <= 19 && top_bit(mantissa) < 64) /* both fit 64 bits, their product 128 */
        return rounded_to_double(mantissa * TENS[power], 0, 0);
    if (power > 19 && power <= 37 && mantissa < 10) /* 1e23 is in the middle between two doubles */
        return rounded_to_double(mantissa * TENS[19] * TENS[power - 19], 0, 0);
    return scaled_by_ten(mantissa, power > 400 ? 400 : power < -400 ? -400 : power);
}
