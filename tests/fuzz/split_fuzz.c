/* SPDX-License-Identifier: Apache-2.0 */
/* Any text by any pre-tokenizer: pieces cover it, blocks tell what scanners tell. Any
 * expression: it is refused, or cuts the text and takes no more than its time. */
#include <stdlib.h>

#include "base/utf8.h"
#include "token/split.h"
#include "token/split_scan.h"
#include "token/split_steps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { ENDS = 8, MAX_PATTERN = 200 };

/* by: NULL, or the scanner that must tell the same. */
static void cut(const struct sl_split *s, struct sl_str text, sl_scan_fn *by)
{
    struct sl_split_worker *w;
    uint32_t ends[ENDS];
    uint64_t removed[1];
    size_t at = 0, done = 0, n = 0;
    enum sl_status st;
    if (sl_split_worker_new(&w, s, NULL) != SL_OK)
        abort();
    do {
        st = sl_split_next(s, w, text, &at, ends, removed, ENDS, &n, NULL);
        for (size_t i = 0; st == SL_OK && i < n; i++) {
            if (ends[i] <= done || ends[i] > text.n ||
                (by && by((const uint8_t *)text.p, done, text.n) != ends[i]))
                abort();
            done = ends[i];
        }
    } while (st == SL_OK && n);
    if (st == SL_OK ? done != text.n : st != SL_E_DATA)
        abort();
    sl_split_worker_free(w);
}

static void by_steps(const uint8_t *data, size_t n, struct sl_str text, unsigned options)
{
    struct sl_split_step step[2] = {
        { .pattern = { (const char *)data, n },
          .literal = options & 64,
          .invert = options & 1,
          .behaviour = (enum sl_split_behaviour)((options >> 1 & 7) % 5),
          .engine = options & 16 ? SL_REGEX_RUST : SL_REGEX_ONIGURUMA },
        { .pattern = SL_STR("\\p{L}+"), .behaviour = SL_SPLIT_REMOVED },
    };
    struct sl_split *s;
    enum sl_status st = sl_split_new_steps(&s, step, options & 32 ? 2 : 1, NULL);
    if (st != SL_OK && st != SL_E_DATA)
        abort();
    if (st == SL_OK)
        cut(s, text, NULL);
    sl_split_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sl_buf text;
    uint64_t n_bad = 0;
    if (n < 2)
        return 0;
    size_t pattern = data[0] & 128 ? (size_t)data[1] % MAX_PATTERN : 0;
    if (pattern > n - 2)
        pattern = n - 2;
    sl_buf_init(&text, 3 * n);
    if (sl_utf8_repair(&text, data + 2 + pattern, n - 2 - pattern, &n_bad, NULL) != SL_OK)
        abort();
    if (data[0] & 128) {
        by_steps(data + 2, pattern, sl_buf_str(&text), data[0]);
    } else {
        struct sl_split *s;
        enum sl_split_kind kind = (enum sl_split_kind)(data[0] % SL_N_SPLITS);
        if (sl_split_new(&s, kind, NULL) != SL_OK)
            abort();
        cut(s, sl_buf_str(&text), sl_split_scan(kind));
        sl_split_free(s);
    }
    sl_buf_release(&text);
    return 0;
}
