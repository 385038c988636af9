/* SPDX-License-Identifier: Apache-2.0 */
/* Every decoder on any bytes gives valid UTF-8, and the decision for a page
 * does. The first byte chooses the encoding. */
#include <stdlib.h>

#include "base/utf8.h"
#include "web/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct sl_charset_decoder *d;
    static struct sl_buf out;
    if (!d) {
        d = sl_charset_decoder_new();
        sl_buf_init(&out, (size_t)1 << 30);
    }
    if (!d || n == 0)
        return 0;
    enum sl_charset c = (enum sl_charset)(1 + data[0] % (SL_CHARSET_N - 1));
    struct sl_str bytes = { (const char *)data + 1, n - 1 };
    uint64_t n_replaced = 0;
    sl_buf_reset(&out);
    if (sl_charset_decode(d, c, bytes, &out, &n_replaced, NULL) != SL_OK ||
        !sl_utf8_valid(out.p, out.n) || n_replaced > out.n)
        abort();
    struct sl_charset_page page;
    if (sl_charset_decode_page(d, bytes, c, &out, &page, NULL) != SL_OK ||
        !sl_utf8_valid(page.text.p, page.text.n))
        abort();
    return 0;
}
