/* SPDX-License-Identifier: Apache-2.0 */
/* Extraction of any bytes: the output is valid UTF-8 without NULs, and blocks
 * lie end to end in the block text. The first byte chooses kind and label. */
#include <stdlib.h>

#include "base/utf8.h"
#include "web/extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_text(struct sl_str s)
{
    if (s.n && (!sl_utf8_valid(s.p, s.n) || memchr(s.p, 0, s.n)))
        abort();
}

static void check_blocks(const struct sl_extract_result *r)
{
    size_t at = 0;
    for (size_t i = 0; i < r->n_blocks; i++) {
        const struct sl_block *b = &r->blocks[i];
        if (b->n == 0 || b->off < at || b->off + b->n > r->block_text.n || b->link_bytes > b->n)
            abort();
        at = b->off + b->n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const types[] = { "",
                                         "x;charset=utf-8",
                                         "x;charset=sjis",
                                         "x;charset=gbk",
                                         "x;charset=utf-16",
                                         "x;charset=iso-2022-jp",
                                         "x;charset=big5",
                                         "x;charset=latin1" };
    static struct sl_extractor *x;
    if (!x)
        x = sl_extractor_new();
    if (!x || n == 0)
        return 0;
    struct sl_extract_input in = {
        .body = { (const char *)data + 1, n - 1 },
        .kind = data[0] & 0x80 ? SL_PAGE_TEXT : SL_PAGE_HTML,
        .content_type = sl_str_of(types[data[0] & 7]),
    };
    struct sl_extract_result r;
    if (sl_extract(x, &in, &r, NULL) != SL_OK)
        abort();
    check_text(r.text);
    check_text(r.title);
    check_text(r.html_lang);
    check_text(r.meta_robots);
    check_text(r.block_text);
    check_blocks(&r);
    return 0;
}
