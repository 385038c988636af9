/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of texts by the rule "simple": what is looked at eight bytes at a time is
 * what one character at a time gives. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "dedup/text_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool is_blank(uint32_t c)
{
    return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

/* The normal form, the slow way. */
static void normalise(struct sl_buf *out, const uint8_t *p, const uint8_t *end)
{
    bool blank = false;
    while (p < end) {
        uint8_t bytes[4];
        uint32_t c = sl_utf8_next(&p, end);
        if (is_blank(c)) {
            blank = true;
            continue;
        }
        if (blank && out->n && sl_buf_add_byte(out, ' ', NULL) != SL_OK)
            abort();
        blank = false;
        unsigned width = sl_utf8_put(bytes, c >= 'A' && c <= 'Z' ? c + 32 : c);
        if (sl_buf_add(out, bytes, width, NULL) != SL_OK)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sl_text_keyer *k;
    if (sl_text_keyer_new(&k, "simple", NULL) != SL_OK)
        abort();
    struct sl_hash128 have = sl_text_key(k, (struct sl_str){ (const char *)data, n });
    sl_text_keyer_free(k);
    if (!sl_utf8_valid(data, n))
        return 0;
    struct sl_buf form;
    sl_buf_init(&form, n);
    normalise(&form, data, data + n);
    struct sl_hash128 want = sl_hash128(form.p, form.n);
    if (memcmp(have.b, want.b, sizeof want.b) != 0)
        abort();
    sl_buf_release(&form);
    return 0;
}
