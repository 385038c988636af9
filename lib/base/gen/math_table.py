#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes lib/base/math_table.h: the constants of lib/base/math.c, each as the double
nearest to it and the double nearest to what that leaves, from 60 decimal digits.

    python3 lib/base/gen/math_table.py > lib/base/math_table.h
"""
import math
from decimal import Decimal, getcontext
from fractions import Fraction

getcontext().prec = 60
LN2 = Decimal(2).ln()


def pair(x, bits=53):
    """x as two doubles, the first of them with that many bits."""
    high = float(x)
    if bits < 53:
        mantissa, exponent = math.frexp(high)
        high = math.ldexp(math.floor(math.ldexp(mantissa, bits)), exponent - bits)
    return high, float(x - Decimal(high))


def entry(x, bits=53):
    high, low = pair(x, bits)
    return f'{{ {high.hex()}, {low.hex()} }}'


def inverse(i):
    """About 1 / (the middle of the i-th of 128 parts of [1, 2)), in units of 2^-9; from
    the 53rd part on the number is halved before, to lie in [0.707, 1)."""
    if i in (0, 127):
        return Fraction(1)
    middle = 1 + (i + Fraction(1, 2)) / 128
    if i >= 53:
        middle /= 2
    return Fraction(round(512 / middle), 512)


print('/* SPDX-License-Identifier: Apache-2.0 */')
print('/* Written by lib/base/gen/math_table.py. */')
print('static const struct pair ln2_by_42_bits =', entry(LN2, 42) + ';')
print('static const struct pair inverse_ln2 =', entry(1 / LN2) + ';')
print('static const struct pair ln2_128th_by_34_bits =', entry(LN2 / 128, 34) + ';')
print(f'static const double inverse_ln2_128th = {float(128 / LN2).hex()};')
print('/* inverse: near 1 / m for the i-th part; then -log(inverse) */')
print('static const struct {\n    double inverse;\n    struct pair log;\n} log_table[128] = {')
for i in range(128):
    inv = inverse(i)
    log = -(Decimal(inv.numerator) / Decimal(inv.denominator)).ln() if inv != 1 else Decimal(0)
    print(f'    {{ {float(inv).hex()}, {entry(log)} }},')
print('};')
print('/* 2^(j/128) */')
print('static const struct pair exp_table[128] = {')
for j in range(128):
    print(f'    {entry((LN2 * j / 128).exp() if j else Decimal(1))},')
print('};')
