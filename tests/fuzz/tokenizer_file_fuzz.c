/* SPDX-License-Identifier: Apache-2.0 */
/* Files of tokenizers: the bytes before the first NUL are a file, those behind it a text. What
 * opens encodes any text that is UTF-8, twice alike. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "token/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *nul = n ? memchr(data, 0, n) : NULL;
    size_t n_file = nul ? (size_t)(nul - data) : n;
    struct sl_str text = { (const char *)data + n_file, n - n_file };
    struct sl_tokenizer_file file = { .name = "f.json",
                                      .bytes = { (const char *)data, n_file },
                                      .beside = { NULL, 0 },
                                      .allow_special = n & 1 };
    struct sl_tokenizer *t = NULL;
    void *w = NULL;
    struct sl_buf ids;
    if (!sl_utf8_valid(text.p, text.n) || sl_tokenizer_open_file(&t, &file, NULL) != SL_OK)
        return 0;
    sl_buf_init(&ids, 1 << 24);
    if (sl_tokenizer_worker_new(t, &w, NULL) != SL_OK)
        abort();
    if (sl_tokenizer_encode(t, w, text, &ids, NULL) == SL_OK) {
        size_t once = ids.n;
        if (sl_tokenizer_encode(t, w, text, &ids, NULL) == SL_OK &&
            (ids.n != 2 * once || (once && memcmp(ids.p, ids.p + once, once) != 0)))
            abort();
    }
    sl_tokenizer_worker_free(t, w);
    sl_tokenizer_free(t);
    sl_buf_release(&ids);
    return 0;
}
