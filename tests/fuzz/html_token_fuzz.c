/* SPDX-License-Identifier: Apache-2.0 */
/* The tokenizer on any bytes: the first byte chooses the state and the element
 * that ends it. Text and values must be made of the page and its references, so
 * they cannot be longer than the reserved scratch. */
#include <stdlib.h>

#include "web/html_tag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct sl_html *t;
    if (!t)
        t = sl_html_new();
    if (!t || n == 0)
        return 0;
    struct sl_str page = { (const char *)data + 1, n - 1 };
    if (sl_html_start(t, page, NULL) != SL_OK)
        abort();
    sl_html_set_state(t, (enum sl_html_state)(data[0] % (SL_HTML_CDATA + 1)));
    sl_html_set_last_start(t, data[0] & 0x40 ? SL_STR("script") : SL_STR("b"));
    sl_html_set_foreign(t, (data[0] & 0x80) != 0);
    const struct sl_html_token *tok;
    size_t text_bytes = 0;
    while ((tok = sl_html_next(t))->kind != SL_HTML_EOF) {
        size_t value_bytes = 0;
        for (size_t i = 0; tok->kind == SL_HTML_START && i < tok->n_attrs; i++)
            value_bytes += sl_html_attr_value(t, &tok->attrs[i]).n;
        if (value_bytes > 3 * n)
            abort();
        if (tok->kind == SL_HTML_TEXT && tok->text.n == 0)
            abort();
        if (tok->kind == SL_HTML_TEXT)
            text_bytes += tok->text.n;
        if (tok->kind == SL_HTML_START)
            sl_html_set_state(t, sl_tag_content_state(sl_tag_of(tok->name)));
    }
    if (text_bytes > 3 * n)
        abort();
    return 0;
}
