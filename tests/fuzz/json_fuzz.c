/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as JSON; what parses must come back equal from both dumps. */
#include <stdlib.h>

#include "base/json.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void comes_back(const struct sl_json *v, const struct sl_buf *text)
{
    struct sl_json *back;
    if (!sl_utf8_valid(text->p, text->n) || sl_json_parse(&back, sl_buf_str(text), NULL) != SL_OK ||
        !sl_json_equal(v, back))
        abort();
    sl_json_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sl_json *v;
    struct sl_err err = SL_ERR_INIT;
    struct sl_buf text;
    if (sl_json_parse(&v, (struct sl_str){ (const char *)data, n }, &err) != SL_OK) {
        if (err.status != SL_E_DATA || v || err.off < 0 || (size_t)err.off > n)
            abort();
        return 0;
    }
    sl_buf_init(&text, 64 << 20);
    if (sl_json_dump(v, &text, NULL) != SL_OK)
        abort();
    comes_back(v, &text);
    sl_buf_reset(&text);
    if (sl_json_dump_pretty(v, &text, NULL) != SL_OK)
        abort();
    comes_back(v, &text);
    sl_buf_release(&text);
    sl_json_free(v);
    return 0;
}
