/* SPDX-License-Identifier: Apache-2.0 */
/* Packed buffers from outside: never more than the limit, and what unpacks
 * comes back after packing. */
#include <stdlib.h>

#include "arrow/zstd_buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_buf out, packed, again;
    struct sl_zunpack *z = sl_zunpack_new();
    sl_buf_init(&out, 1 << 16);
    sl_buf_init(&packed, 1 << 20);
    sl_buf_init(&again, 1 << 16);
    if (z && sl_zstd_unpack(z, (struct sl_str){ (const char *)data, size }, &out, NULL) == SL_OK) {
        struct sl_zpack *p = sl_zpack_new(1);
        if (out.n > out.max)
            abort();
        if (p && out.n &&
            (sl_zstd_pack(p, out.p, out.n, &packed, NULL) != SL_OK ||
             sl_zstd_unpack(z, sl_buf_str(&packed), &again, NULL) != SL_OK ||
             !sl_str_eq(sl_buf_str(&out), sl_buf_str(&again))))
            abort();
        sl_zpack_free(p);
    } else if (out.n) {
        abort();
    }
    sl_zunpack_free(z);
    sl_buf_release(&out);
    sl_buf_release(&packed);
    sl_buf_release(&again);
    return 0;
}
