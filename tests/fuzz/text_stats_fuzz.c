/* SPDX-License-Identifier: Apache-2.0 */
/* Any text, repaired to UTF-8, through the counts that rules are made of: the
 * vector form and its plain twin must agree, and the counts must fit each other. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "text/text_stats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct sl_str words[] = { { "the", 3 }, { "a", 1 }, { "abcdefgh", 8 }, { "...", 3 } };

static bool is_sane(const struct sl_text_stats *s, size_t n)
{
    return s->n_words <= n && s->n_letter_words <= s->n_solid_words &&
           s->n_solid_words <= s->n_words && s->n_solid_chars <= n &&
           s->n_solid_chars >= s->n_solid_words && s->n_hashes <= n && s->n_ellipses * 3 <= n &&
           s->n_bullet_lines <= s->n_lines && s->n_ellipsis_lines <= s->n_lines && s->n_found <= 4;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sl_text_stats fast, plain;
    struct sl_word_set set;
    struct sl_arena arena;
    struct sl_buf text;
    uint64_t n_bad = 0;
    sl_arena_init(&arena, 0);
    sl_buf_init(&text, 64 << 20);
    if (sl_utf8_repair(&text, data, n, &n_bad, NULL) != SL_OK ||
        sl_word_set_make(&set, words, 4, &arena, NULL) != SL_OK)
        abort();
    char *exact = malloc(text.n + 1); /* so that a look behind the text is seen */
    if (!exact)
        abort();
    if (text.n)
        memcpy(exact, text.p, text.n);
    sl_text_stats((struct sl_str){ exact, text.n }, &set, &fast);
    sl_text_stats_plain((struct sl_str){ exact, text.n }, &set, &plain);
    if (memcmp(&fast, &plain, offsetof(struct sl_text_stats, n_found)) != 0 ||
        fast.n_found != plain.n_found || !is_sane(&fast, text.n))
        abort();
    free(exact);
    sl_buf_release(&text);
    sl_arena_release(&arena);
    return 0;
}
