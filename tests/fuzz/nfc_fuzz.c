/* SPDX-License-Identifier: Apache-2.0 */
/* NFC of any text: stable when done again, and what the quick look passes stays as it is. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "token/normalise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sl_str text = { (const char *)data, n };
    struct sl_buf once, twice;
    if (!sl_utf8_valid(data, n))
        return 0;
    sl_buf_init(&once, 1 << 26);
    sl_buf_init(&twice, 1 << 26);
    if (sl_nfc(&once, text, NULL) != SL_OK || sl_nfc(&twice, sl_buf_str(&once), NULL) != SL_OK ||
        !sl_utf8_valid(once.p, once.n) || !sl_str_eq(sl_buf_str(&once), sl_buf_str(&twice)) ||
        (sl_nfc_quick(text) && !sl_str_eq(text, sl_buf_str(&once))))
        abort();
    sl_buf_release(&once);
    sl_buf_release(&twice);
    return 0;
}
