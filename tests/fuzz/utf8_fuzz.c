/* SPDX-License-Identifier: Apache-2.0 */
/* The vector validator against the plain one; what was repaired is valid. */
#include <stdlib.h>

#include "base/utf8.h"
#include "base/utf8_simd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    bool plain = sl_utf8_valid_plain(data, n), valid;
    if (sl_utf8_valid(data, n) != plain || sl_utf8_valid_simd(data, n) != plain)
        abort();
    if (sl_utf8_valid_avx2(data, n, &valid) && valid != plain)
        abort();
    if (sl_utf8_valid_avx512(data, n, &valid) && valid != plain)
        abort();
    size_t bad = sl_utf8_first_bad(data, n);
    if ((bad == n) != plain || !sl_utf8_valid(data, bad))
        abort();
    struct sl_buf out;
    uint64_t n_bad = 0;
    sl_buf_init(&out, 3 * n);
    if (sl_utf8_repair(&out, data, n, &n_bad, NULL) != SL_OK || !sl_utf8_valid(out.p, out.n))
        abort();
    if ((n_bad == 0) != plain)
        abort();
    size_t count = 0;
    for (const uint8_t *p = out.p; p && p < out.p + out.n; count++)
        (void)sl_utf8_next(&p, out.p + out.n);
    if (count != sl_utf8_count(out.p, out.n))
        abort();
    sl_buf_release(&out);
    return 0;
}
