/* SPDX-License-Identifier: Apache-2.0 */
/* sl:tokenizer of any stream: what is accepted is written and read back alike. */
#include <stdlib.h>
#include <string.h>

#include "token/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sl_token_info info, back;
    struct sl_buf json;
    struct sl_str text = { (const char *)data, n };
    if (sl_token_info_parse(&info, text, NULL) != SL_OK)
        return 0;
    sl_buf_init(&json, 1 << 20);
    if (sl_token_info_dump(&info, &json, NULL) != SL_OK ||
        sl_token_info_parse(&back, sl_buf_str(&json), NULL) != SL_OK ||
        memcmp(&info, &back, sizeof info) != 0)
        abort();
    sl_buf_release(&json);
    return 0;
}
