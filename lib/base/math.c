/* SPDX-License-Identifier: Apache-2.0 */
/* log and exp by table and Taylor series, carried in pairs of doubles.
 *
 * What      x = 2^k m with m in [0.707, 1.414); log x = k log 2 - log c + log(1 + r), with c
 *           near 1/m from a table of 128, so that |r| <= 2^-7. exp x = 2^(n/128) (1 + q), with
 *           |x - n log(2)/128| <= 0.0028. pow is exp of y log x, in pairs throughout.
 * Why       glibc's log and exp have other bits where a processor has fused
 *           multiply-add; scores must not depend on that. With the sum kept in a pair the
 *           error before the one last rounding is about 2^-67 for log and 2^-61 for exp.
 * Rejected  one series without a table: twice the work in pairs. Minimax polynomials: at this
 *           radius Taylor's need no more terms, and everybody can check them.
 * Relies    on round to nearest, doubles without excess precision, no contraction. */
#include "base/math.h"

#include <float.h>
#include <stdint.h>
#include <string.h>

_Static_assert(FLT_EVAL_METHOD == 0, "doubles must be computed as doubles");

/* The unevaluated sum of two doubles; |low| is at most half a unit of high. */
struct pair {
    double high, low;
};

#include "base/math_table.h"

static uint64_t bits_of(double x)
{
    uint64_t u;
    memcpy(&u, &x, 8);
    return u;
}

static double of_bits(uint64_t u)
{
    double x;
    memcpy(&x, &u, 8);
    return x;
}

static double not_a_number(void)
{
    return of_bits(0x7ff8000000000000);
}

static double infinity(void)
{
    return of_bits(0x7ff0000000000000);
}

/* a + b exactly. */
static struct pair add(double a, double b)
{
    double s = a + b, bb = s - a;
    return (struct pair){ s, (a - (s - bb)) + (b - bb) };
}

/* a + b exactly, where a is 0 or not smaller than b. */
static struct pair add_smaller(double a, double b)
{
    double s = a + b;
    return (struct pair){ s, b - (s - a) };
}

/* The upper 26 bits of a double. */
static double upper(double a)
{
    return of_bits(bits_of(a) & ~(uint64_t)0x7ffffff);
}

/* a * b to 106 bits, where nothing of it is below 2^-1022. */
static struct pair multiply(double a, double b)
{
    double p = a * b, ah = upper(a), al = a - ah, bh = upper(b), bl = b - bh;
    return (struct pair){ p, ((ah * bh - p) + ah * bl + al * bh) + al * bl };
}

/* log(m) for x = 2^*k m; x is finite and above 0. */
static struct pair log_reduced(double x, int *k)
{
    int shift = 0;
    if (x < DBL_MIN) {
        x *= 0x1p54;
        shift = 54;
    }
    uint64_t u = bits_of(x);
    unsigned i = (unsigned)(u >> 45) & 127;
    unsigned halve = i >= 53;
    *k = (int)(u >> 52) - 1023 - shift + (int)halve;
    double m = of_bits((u & 0xfffffffffffff) | (uint64_t)(1023 - halve) << 52);

    /* Both products are exact: the inverse has ten bits. */
    double c = log_table[i].inverse, mh = upper(m);
    struct pair r = add(mh * c - 1, (m - mh) * c);
    struct pair r2 = multiply(r.high, r.high);
    double z = r.high;
    double tail =
        1.0 / 3 +
        z * (-1.0 / 4 +
             z * (1.0 / 5 +
                  z * (-1.0 / 6 + z * (1.0 / 7 + z * (-1.0 / 8 + z * (1.0 / 9 + z * -0.1))))));
    struct pair s = add_smaller(log_table[i].log.high, z);
    if (log_table[i].log.high == 0)
        s = (struct pair){ z, 0 };
    struct pair t = add_smaller(s.high, -0.5 * r2.high);
    double low = s.low + t.low +
                 (log_table[i].log.low + (r.low - z * r.low - 0.5 * r2.low + r2.high * z * tail));
    return add_smaller(t.high, low);
}

/* log(x) as a pair; x is finite and above 0. */
static struct pair log_pair(double x)
{
    int k;
    struct pair m = log_reduced(x, &k);
    if (k == 0)
        return m;
    struct pair s = add_smaller(k * ln2_by_42_bits.high, m.high);
    return add_smaller(s.high, s.low + (m.low + k * ln2_by_42_bits.low));
}

/* The value where log has no finite one; 1 where it has. */
static double log_special(double x)
{
    if (x > 0 && x <= DBL_MAX)
        return 1;
    if (x == 0)
        return -infinity();
    return x > 0 ? x : not_a_number();
}

double sl_log(double x)
{
    double special = log_special(x);
    if (special != 1)
        return special;
    struct pair l = log_pair(x);
    return l.high + l.low;
}

double sl_log2(double x)
{
    double special = log_special(x);
    if (special != 1)
        return special;
    int k;
    struct pair m = log_reduced(x, &k);
    struct pair p = multiply(m.high, inverse_ln2.high);
    double low = p.low + (m.high * inverse_ln2.low + m.low * inverse_ln2.high);
    struct pair s = k ? add_smaller(k, p.high) : (struct pair){ p.high, 0 };
    return s.high + (s.low + low);
}

/* exp(x.high + x.low) for |x.high| below 1000. */
static double exp_pair(struct pair x)
{
    double t = x.high * inverse_ln2_128th;
    double n = (t + 0x1.8p52) - 0x1.8p52; /* the nearest whole number */
    double r = ((x.high - n * ln2_128th_by_34_bits.high) - n * ln2_128th_by_34_bits.low) + x.low;
    double q =
        r + r * r * (1.0 / 2 + r * (1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120 + r * (1.0 / 720)))));
    int whole = (int)n, j = whole & 127, e = (whole - j) / 128;
    struct pair c = exp_table[j];
    double v = c.high + (c.low + c.high * q);
    /* In two factors, each a power of two that a double can hold. */
    int half = e / 2;
    v *= of_bits((uint64_t)(1023 + half) << 52);
    return v * of_bits((uint64_t)(1023 + e - half) << 52);
}

double sl_exp(double x)
{
    if (x != x)
        return x;
    if (x > 710)
        return infinity();
    if (x < -746)
        return 0;
    return exp_pair((struct pair){ x, 0 });
}

double sl_pow(double x, double y)
{
    if (y == 0 || x == 1)
        return 1;
    if (x != x || y != y || x < 0)
        return not_a_number();
    if (x == 0 || x > DBL_MAX)
        return (x == 0) == (y > 0) ? 0 : infinity();
    struct pair l = log_pair(x);
    double size = l.high * y;
    if (!(size < 710))
        return infinity();
    if (!(size > -746))
        return 0;
    struct pair p = multiply(l.high, y);
    return exp_pair((struct pair){ p.high, p.low + l.low * y });
}
