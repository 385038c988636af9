/* SPDX-License-Identifier: Apache-2.0 */
/* Identities. */
#include "run/identity.h"

#include <stdio.h>
#include <string.h>

struct sl_hash128 sl_id_of_given(struct sl_str given)
{
    return sl_hash128(given.p, given.n);
}

struct sl_hash128 sl_id_of_place(struct sl_str source, int64_t off)
{
    char text[4096 + 32];
    size_t n = source.n < 4096 ? source.n : 4096; /* a path has no more */
    memcpy(text, source.p, n);
    text[n] = 0;
    int digits = snprintf(text + n + 1, 24, "%lld", (long long)off);
    return sl_hash128(text, n + 1 + (size_t)digits);
}
