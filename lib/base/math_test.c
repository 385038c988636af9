/* SPDX-License-Identifier: Apache-2.0 */
/* Golden bits: the correctly rounded results, computed with 160 binary digits by another
 * program; the special cases; and laws over many values. */
#include "base/math.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static uint64_t bits(double x)
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

static void golden_logs(void **state)
{
    (void)state;
    const double rows[][3] = {
        { 0x1.0000000000000p+1, 0x1.62e42fefa39efp-1, 0x1.0000000000000p+0 },
        { 0x1.4000000000000p+3, 0x1.26bb1bbb55516p+1, 0x1.a934f0979a371p+1 },
        { 0x1.0000000000000p-1, -0x1.62e42fefa39efp-1, -0x1.0000000000000p+0 },
        { 0x1.8000000000000p+1, 0x1.193ea7aad030bp+0, 0x1.95c01a39fbd68p+0 },
        { 0x1.999999999999ap-4, -0x1.26bb1bbb55515p+1, -0x1.a934f0979a371p+1 },
        { 0x1.0000000000001p+0, 0x1.fffffffffffffp-53, 0x1.71547652b82fdp-52 },
        { 0x1.fffffffffffffp-1, -0x1.0000000000000p-53, -0x1.71547652b82fep-53 },
        { 0x1.0200000000000p+0, 0x1.fe02a6b106789p-8, 0x1.6fe50b6ef0851p-7 },
        { 0x1.fe00000000000p-1, -0x1.0080559588b35p-8, -0x1.720d9c06a835fp-8 },
        { 0x1.6a00000000000p+0, 0x1.62c82f2b9c795p-2, 0x1.ffd799a83ff9bp-2 },
        { 0x1.69fffffffffffp+0, 0x1.62c82f2b9c792p-2, 0x1.ffd799a83ff97p-2 },
        { 0x0.0000000000001p-1022, -0x1.74385446d71c3p+9, -0x1.0c80000000000p+10 },
        { 0x1.0000000000000p-1022, -0x1.6232bdd7abcd2p+9, -0x1.ff00000000000p+9 },
        { 0x1.fffffffffffffp+1023, 0x1.62e42fefa39efp+9, 0x1.0000000000000p+10 },
        { 0x1.5bf0a8b145769p+1, 0x1.0000000000000p+0, 0x1.71547652b82fep+0 },
        { 0x1.f8b41cbafebd2p-1, -0x1.d654ce2a61695p-7, -0x1.5345b530e673ap-6 },
        { 0x1.73da2785e72eap-1, -0x1.47810ecf2f93cp-2, -0x1.d87d1410cf5bep-2 },
        { 0x1.79f576625157fp+0, 0x1.8ef55c39bc581p-2, 0x1.1fc9a56bbec8fp-1 },
        { 0x1.37a18daed7a30p-1, -0x1.fc6bb465e692fp-2, -0x1.6ebf7eae001e6p-1 },
        { 0x1.4dc7583484ab8p+0, 0x1.0faafe246ab47p-2, 0x1.87ef19fe7b210p-2 },
        { 0x1.0c6caeebf94c9p+0, 0x1.843d124b57a41p-5, 0x1.180e0f6d19afap-4 },
        { 0x1.04074e1b2f7eap-881, -0x1.3152d29ac3788p+9, -0x1.b87d1ddd03d04p+9 },
        { 0x1.c42060bd18282p+14, 0x1.48bb2584a2889p+3, 0x1.da42366cf98d5p+3 },
        { 0x1.1d4afe77b0270p-922, -0x1.3f7c971b246bap+9, -0x1.ccebfe5a5dd35p+9 },
        { 0x1.ad2e1ba4ffd34p-133, -0x1.6eb0003535974p+6, -0x1.088255c430002p+7 },
        { 0x1.92ee4444c0ee5p-858, -0x1.29222304f3c8bp+9, -0x1.acac3d035fdfep+9 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(bits(sl_log(rows[i][0])), bits(rows[i][1]));
        assert_int_equal(bits(sl_log2(rows[i][0])), bits(rows[i][2]));
    }
}

static void golden_exps(void **state)
{
    (void)state;
    const double rows[][2] = {
        { 0x1.0000000000000p+0, 0x1.5bf0a8b145769p+1 },
        { -0x1.0000000000000p+0, 0x1.78b56362cef38p-2 },
        { 0x1.0000000000000p-1, 0x1.a61298e1e069cp+0 },
        { 0x1.4000000000000p+3, 0x1.5829dcf950560p+14 },
        { -0x1.4000000000000p+3, 0x1.7cd79b5647c9bp-15 },
        { 0x1.79ca10c924223p-67, 0x1.0000000000000p+0 },
        { 0x1.62d999999999ap+9, 0x1.d75ae7a50ee14p+1023 },
        { -0x1.6226666666666p+9, 0x1.19e98b83de7a3p-1022 },
        { -0x1.7480000000000p+9, 0x0.0000000000001p-1022 },
        { 0x1.61e4f765fd8aep-9, 0x1.00b12fb0f4433p+0 },
        { 0x1.62e42fefa39efp-1, 0x1.0000000000000p+1 },
        { -0x1.476df990e530cp+5, 0x1.ef5f4f6c1fb16p-60 },
        { -0x1.e313c2b0b62c0p+2, 0x1.145cefd942ea8p-11 },
        { 0x1.057b50ac8b9d6p+5, 0x1.1cfec70efe731p+47 },
        { -0x1.2cf55bbd4149ap+5, 0x1.a776c84e6217bp-55 },
        { -0x1.bad151f1dff42p+4, 0x1.0d11336723a43p-40 },
        { 0x1.97c94bb932e1cp+3, 0x1.4e3cae809a054p+18 },
        { 0x1.d574f44173cf4p-11, 0x1.003ab558d73e5p+0 },
        { 0x1.4364a9229bbbfp-13, 0x1.000a1b585aa63p+0 },
        { -0x1.b15a7edfdb5f4p-13, 0x1.ffe4eb0f7396cp-1 },
        { 0x1.f363c1a631923p-11, 0x1.003e74152f44cp+0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(bits(sl_exp(rows[i][0])), bits(rows[i][1]));
}

static void golden_pows(void **state)
{
    (void)state;
    const double rows[][3] = {
        { 0x1.0000000000000p+1, 0x1.0000000000000p-1, 0x1.6a09e667f3bcdp+0 },
        { 0x1.4000000000000p+3, -0x1.8000000000000p+1, 0x1.0624dd2f1a9fcp-10 },
        { 0x1.dcd6500000000p+29, 0x1.3333333333333p-2, 0x1.f52fee8b01d87p+8 },
        { 0x1.6666666666666p-1, 0x1.8000000000000p+0, 0x1.2bdbe460916e0p-1 },
        { 0x1.000001ad7f29bp+0, 0x1.dcd6500000000p+29, 0x1.349445c228792p+144 },
        { 0x1.8000000000000p+1, 0x1.4000000000000p+2, 0x1.e600000000000p+7 },
        { 0x1.7e43c8800759cp+996, 0x1.051eb851eb852p+0, 0x1.6c8e5ca239078p+1016 },
        { 0x0.0000000000001p-1022, 0x1.999999999999ap-4, 0x1.8406003b2ae40p-108 },
        { 0x1.1c17d9af62000p+39, 0x1.b7892d8885efap-1, 0x1.8683810026998p+33 },
        { 0x1.ad288f565c000p+38, 0x1.276f358a6a63cp-3, 0x1.8122435634102p+5 },
        { 0x1.243c4f4382000p+39, 0x1.3be2a8c7b682ap-2, 0x1.106c6c23b0291p+12 },
        { 0x1.5da1db5060000p+39, 0x1.7220ac1a61dbcp-3, 0x1.180fc639cd244p+7 },
        { 0x1.2529c77f24000p+39, 0x1.471faa8c06143p-1, 0x1.07aaaa227debap+25 },
        { 0x1.85f5572040000p+36, 0x1.1871f66d93390p-1, 0x1.0947f7abf7cebp+20 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(bits(sl_pow(rows[i][0], rows[i][1])), bits(rows[i][2]));
}

static void special_cases(void **state)
{
    (void)state;
    const double inf = __builtin_inf(), nan = __builtin_nan("");
    assert_int_equal(bits(sl_log(1)), 0);
    assert_true(sl_log(0.0) == -inf && sl_log(-0.0) == -inf && sl_log(inf) == inf);
    assert_true(sl_log(-1) != sl_log(-1) && sl_log(nan) != sl_log(nan));
    assert_true(sl_log2(0.0) == -inf && sl_log2(inf) == inf && sl_log2(-inf) != sl_log2(-inf));
    assert_true(sl_exp(0.0) == 1 && sl_exp(-0.0) == 1 && sl_exp(inf) == inf && sl_exp(-inf) == 0);
    assert_true(sl_exp(nan) != sl_exp(nan));
    assert_true(sl_exp(709.782712893384) < inf && sl_exp(709.7827128933841) == inf);
    assert_true(sl_exp(-745.13) == 0x1p-1074 && sl_exp(-745.14) == 0);
    assert_true(sl_exp(1e308) == inf && sl_exp(-1e308) == 0);
    const double rows[][3] = {
        /* x, y, x^y */
        { 0, 1, 0 },
        { 0, -1, inf },
        { 0, 0, 1 },
        { 0, inf, 0 },
        { 0, -inf, inf },
        { inf, 1, inf },
        { inf, -1, 0 },
        { inf, 0, 1 },
        { 1, inf, 1 },
        { 1, nan, 1 },
        { nan, 0, 1 },
        { 2, inf, inf },
        { 2, -inf, 0 },
        { 0.5, inf, 0 },
        { 0.5, -inf, inf },
        { -1, 0, 1 },
        { 2, 1024, inf },
        { 2, -1080, 0 },
        { 2, -1074, 0x1p-1074 },
        { 7, 1, 7 },
        { 1e308, 1e308, inf },
        { 1e308, -1e308, 0 },
        { 0.9, 1e308, 0 },
        { 2, 1e-320, 1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(sl_pow(rows[i][0], rows[i][1]) == rows[i][2]);
    const double none[][2] = { { -1, 2 }, { -0.5, 0.5 }, { nan, 1 }, { 2, nan }, { -inf, 1 } };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_true(sl_pow(none[i][0], none[i][1]) != sl_pow(none[i][0], none[i][1]));
}

static double size(double x)
{
    return x < 0 ? -x : x;
}

/* log2 of every power of two is exact; pow(x, 1) is x; exp undoes log as far as log's own
 * rounding lets it; both never fall from one table entry to the next. */
static void laws(void **state)
{
    (void)state;
    for (int k = -1022; k <= 1023; k++)
        assert_true(sl_log2(of_bits((uint64_t)(1023 + k) << 52)) == k);
    uint64_t step = 0x7fe0000000000000 / 200003;
    for (uint64_t u = 1; u < 0x7fe0000000000000; u += step) {
        double x = of_bits(u), l = sl_log(x), y = sl_exp(l);
        assert_int_equal(bits(sl_pow(x, 1)), u);
        if (x > 0x1p-1022)
            assert_true(size(y - x) <= x * (size(l) + 2) * 0x1p-52);
    }
    for (int i = 0; i <= 128; i++) {
        double at = 1 + i / 128.0;
        uint64_t u = bits(at) - 400;
        for (double last = sl_log(of_bits(u - 1)); u < bits(at) + 400; u++) {
            double l = sl_log(of_bits(u));
            assert_true(l >= last);
            last = l;
        }
        u = bits(at * 0.00541521234812457) - 400;
        for (double last = sl_exp(of_bits(u - 1)); u < bits(at * 0.00541521234812457) + 400; u++) {
            double e = sl_exp(of_bits(u));
            assert_true(e >= last);
            last = e;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_logs), cmocka_unit_test(golden_exps),
        cmocka_unit_test(golden_pows), cmocka_unit_test(special_cases),
        cmocka_unit_test(laws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
