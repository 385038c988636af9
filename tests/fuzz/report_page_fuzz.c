/* SPDX-License-Identifier: Apache-2.0 */
/* Any JSON as a lineage, and any text as rows, make a page: without harm, the same
 * twice, and without a control or a bracket of markup that the text brought along.
 * The first byte chooses. */
#include <stdlib.h>

#include "base/utf8.h"
#include "report/page.h"
#include "run/conserve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAGE_MAX = 1 << 24 };

static enum sl_status law(const struct sl_json *lineage, struct sl_err *err)
{
    struct sl_conserved end;
    return sl_conserve_check(lineage, &end, err);
}

static void write_page(const struct sl_page *page, struct sl_html *h)
{
    sl_html_init(h, PAGE_MAX);
    (void)!sl_page_write(h, page, NULL);
    if (h->err.status == SL_E_BUG || !sl_utf8_valid(h->out.p, h->out.n))
        abort();
}

static void try_lineage(struct sl_str text, bool as_report)
{
    struct sl_page_input inputs[2] = { { .name = "a" }, { .name = "b" } };
    struct sl_page page = { .title = "fuzz", .inputs = inputs, .n_inputs = 2, .law = law };
    struct sl_html one, two;
    if (sl_json_parse(&inputs[0].w.json, text, NULL) != SL_OK ||
        sl_json_parse(&inputs[1].w.json, text, NULL) != SL_OK) {
        sl_json_free(inputs[0].w.json);
        return;
    }
    inputs[1].w.type = as_report ? SL_WALKED_REPORT : SL_WALKED_SHARDS;
    if (as_report)
        inputs[0].w.type = SL_WALKED_REPORT;
    write_page(&page, &one);
    write_page(&page, &two);
    if (!sl_str_eq(sl_buf_str(&one.out), sl_buf_str(&two.out)))
        abort();
    sl_html_release(&one);
    sl_html_release(&two);
    sl_json_free(inputs[0].w.json);
    sl_json_free(inputs[1].w.json);
}

/* Every '<' that comes out is of a mark of ours. */
static void try_text(struct sl_str text)
{
    struct sl_html h;
    char host[SL_KEY_BYTES];
    struct sl_str found = sl_url_host(text, host);
    if (found.n > sizeof host)
        abort();
    sl_html_init(&h, PAGE_MAX);
    sl_html_text(&h, text);
    struct sl_str out = sl_buf_str(&h.out), mark = SL_STR("<i class=c>U+"), end = SL_STR("</i>");
    if (!sl_utf8_valid(out.p, out.n))
        abort();
    for (size_t i = 0; i < out.n; i++) {
        struct sl_str rest = { out.p + i, out.n - i };
        if (out.p[i] == '<' && !sl_str_starts(rest, mark) && !sl_str_starts(rest, end))
            abort();
        if ((uint8_t)out.p[i] < 0x20 && out.p[i] != '\n' && out.p[i] != '\t')
            abort();
    }
    sl_html_release(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    struct sl_str text = { (const char *)data + 1, size - 1 };
    if (data[0] % 3 == 2)
        try_text(text);
    else
        try_lineage(text, data[0] % 3 == 1);
    return 0;
}
