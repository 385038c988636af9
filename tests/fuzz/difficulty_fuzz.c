/* SPDX-License-Identifier: Apache-2.0 */
/* Difficulty: costs within their bounds, the same with a used scratch as with a new
 * one, and equal to the sum over the windows; counts of words that fit together. */
#include <stdlib.h>

#include "base/utf8.h"
#include "text/lz_cost.h"
#include "text/prose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool fine)
{
    if (!fine)
        abort();
}

static void check_cost(const uint8_t *data, size_t size)
{
    static struct sl_lz used;
    struct sl_lz fresh;
    uint64_t sum = 0, whole = sl_lz_cost(&used, data, size);
    for (size_t i = 0; i < size; i += SL_LZ_WINDOW_BYTES) {
        size_t n = size - i < SL_LZ_WINDOW_BYTES ? size - i : SL_LZ_WINDOW_BYTES;
        sl_lz_init(&fresh);
        uint64_t cost = sl_lz_cost(&fresh, data + i, n);
        check(cost > SL_LZ_HEAD_BITS * SL_LZ_BIT);
        check(cost <= (SL_LZ_HEAD_BITS + 8 * n) * SL_LZ_BIT);
        sum += cost;
    }
    check(whole == sum);
}

static void check_prose(const uint8_t *data, size_t size)
{
    struct sl_prose all;
    sl_prose_count(&all, data, size);
    check(all.n_chars == sl_utf8_count(data, size));
    check(all.word_chars <= all.n_chars && all.n_words <= all.word_chars);
    check(all.n_sentences <= all.n_words && !all.n_sentences == !all.n_words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_buf text;
    uint64_t n_bad = 0;
    check_cost(data, size);
    sl_buf_init(&text, (size_t)1 << 26);
    if (sl_utf8_repair(&text, data, size, &n_bad, NULL) == SL_OK)
        check_prose(text.p, text.n);
    sl_buf_release(&text);
    return 0;
}
