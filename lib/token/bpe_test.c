/* SPDX-License-Identifier: Apache-2.0 */
#include "token/bpe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "token/token_cache.h"

static struct sl_bpe *begin(struct sl_bpe_conf conf, const char *const *words)
{
    struct sl_bpe *b = NULL;
    assert_int_equal(sl_bpe_new(&b, &conf, NULL), SL_OK);
    for (uint32_t i = 0; words[i]; i++)
        assert_int_equal(sl_bpe_vocab_add(sl_bpe_vocab(b), sl_str_of(words[i]), i, NULL), SL_OK);
    assert_int_equal(sl_bpe_words_done(b, NULL), SL_OK);
    return b;
}

static void merge(struct sl_bpe *b, const char *left, const char *right)
{
    assert_int_equal(sl_bpe_add_merge(b, sl_str_of(left), sl_str_of(right), NULL), SL_OK);
}

/* Ids as text: "1 2 3". */
static const char *ids_of(const struct sl_bpe *b, const char *piece, char out[256])
{
    struct sl_bpe_worker *w = NULL;
    const uint32_t *ids;
    size_t n, used = 0;
    assert_int_equal(sl_bpe_worker_new(&w, NULL), SL_OK);
    assert_int_equal(sl_bpe_encode(b, w, sl_str_of(piece), &ids, &n, NULL), SL_OK);
    out[0] = 0;
    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(out + used, 256 - used, "%s%u", i ? " " : "", ids[i]);
    sl_bpe_worker_free(w);
    return out;
}

#define ASSERT_IDS(b, piece, want) assert_string_equal(ids_of(b, piece, (char[256]){ 0 }), want)

static void the_lowest_rank_goes_first(void **state)
{
    (void)state;
    static const char *const words[] = { "a", "b", "c", "ab", "bc", "abc", NULL };
    struct sl_bpe *b = begin((struct sl_bpe_conf){ .byte_level = true }, words);
    merge(b, "b", "c");
    merge(b, "a", "b");
    merge(b, "a", "bc");
    assert_int_equal(sl_bpe_done(b, NULL), SL_OK);
    ASSERT_IDS(b, "abc", "5");
    ASSERT_IDS(b, "abab", "3 3");
    ASSERT_IDS(b, "cba", "2 1 0");
    ASSERT_IDS(b, "", "");
    ASSERT_IDS(b, "axb", "3"); /* without unk what is unknown vanishes */
    sl_bpe_free(b);
}

static void the_last_of_equal_merges_counts(void **state)
{
    (void)state;
    static const char *const words[] = { "a", "b", "c", "ab", "bc", NULL };
    struct sl_bpe *b = begin((struct sl_bpe_conf){ .byte_level = true }, words);
    merge(b, "a", "b");
    merge(b, "b", "c");
    merge(b, "a", "b");
    assert_int_equal(sl_bpe_done(b, NULL), SL_OK);
    ASSERT_IDS(b, "abc", "0 4");
    sl_bpe_free(b);
}

static void unknown_characters_become_unk_or_bytes(void **state)
{
    (void)state;
    static const char *const words[] = { "a", "<unk>", "<0xC3>", "<0xA9>", NULL };
    struct sl_bpe_conf conf = { .unk = SL_STR("<unk>") };
    struct sl_bpe *b = begin(conf, words);
    assert_int_equal(sl_bpe_done(b, NULL), SL_OK);
    ASSERT_IDS(b, "xxa", "1 1 0");
    sl_bpe_free(b);
    conf.fuse_unk = true;
    b = begin(conf, words);
    assert_int_equal(sl_bpe_done(b, NULL), SL_OK);
    ASSERT_IDS(b, "xxaxx", "1 0 1");
    sl_bpe_free(b);
    conf.byte_fallback = true;
    b = begin(conf, words);
    assert_int_equal(sl_bpe_done(b, NULL), SL_OK);
    ASSERT_IDS(b, "\xc3\xa9", "2 3");
    ASSERT_IDS(b, "x\xc3\xa9", "2 3 1"); /* the pending unk comes behind the bytes */
    sl_bpe_free(b);
}

static void prefix_and_suffix_make_other_symbols(void **state)
{
    (void)state;
    static const char *const words[] = { "a", "##b", "ab", "##a", "##ba", NULL };
    struct sl_bpe *b = begin((struct sl_bpe_conf){ .prefix = SL_STR("##") }, words);
    merge(b, "a", "##b");
    merge(b, "##b", "##a");
    assert_int_equal(sl_bpe_done(b, NULL), SL_OK);
    ASSERT_IDS(b, "abab", "2 3 1");
    sl_bpe_free(b);
    static const char *const ends[] = { "a", "b</w>", "ab</w>", "a</w>", NULL };
    b = begin((struct sl_bpe_conf){ .suffix = SL_STR("</w>") }, ends);
    merge(b, "a", "b</w>");
    assert_int_equal(sl_bpe_done(b, NULL), SL_OK);
    ASSERT_IDS(b, "aab", "0 2");
    ASSERT_IDS(b, "a", "3");
    sl_bpe_free(b);
}

/* The 256 bytes, then runs of a of 2, 4, ... 64. */
static struct sl_bpe *runs(void)
{
    struct sl_bpe *b = NULL;
    char text[64];
    assert_int_equal(sl_bpe_new(&b, &(struct sl_bpe_conf){ .byte_level = true }, NULL), SL_OK);
    for (uint32_t i = 0; i < 256; i++) {
        text[0] = (char)i;
        assert_int_equal(sl_bpe_vocab_add(sl_bpe_vocab(b), (struct sl_str){ text, 1 }, i, NULL),
                         SL_OK);
    }
    memset(text, 'a', sizeof text);
    for (uint32_t n = 2, id = 256; n <= 64; n *= 2, id++)
        assert_int_equal(sl_bpe_vocab_add(sl_bpe_vocab(b), (struct sl_str){ text, n }, id, NULL),
                         SL_OK);
    assert_int_equal(sl_bpe_words_done(b, NULL), SL_OK);
    assert_int_equal(sl_bpe_add_ranks(b, 0, NULL), SL_OK);
    assert_int_equal(sl_bpe_done(b, NULL), SL_OK);
    return b;
}

static void a_megabyte_of_one_letter_is_quick(void **state)
{
    (void)state;
    enum { N = 1 << 20 };
    struct sl_bpe *b = runs();
    struct sl_bpe_worker *w = NULL;
    char *text = malloc(N);
    const uint32_t *ids;
    size_t n;
    struct timespec t;
    assert_non_null(text);
    memset(text, 'a', N);
    assert_int_equal(sl_bpe_worker_new(&w, NULL), SL_OK);
    assert_int_equal(sl_bpe_encode(b, w, (struct sl_str){ text, N }, &ids, &n, NULL), SL_OK);
    assert_int_equal(n, N / 64);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(ids[i], 261);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    assert_true(t.tv_sec < 10); /* a quadratic way takes minutes */
    sl_bpe_worker_free(w);
    sl_bpe_free(b);
    free(text);
}

/* The two ways must agree: by pieces on both sides of the border between them. */
static void short_and_long_pieces_agree(void **state)
{
    (void)state;
    struct sl_bpe *b = runs();
    char text[200], out[256];
    for (size_t n = 1; n < 120; n++) {
        memset(text, 'a', n);
        text[n] = 0;
        size_t left = n, used = 0;
        char want[256] = "";
        for (unsigned size = 64, id = 261; size; size /= 2, id = size == 1 ? 'a' : id - 1)
            for (; left >= size; left -= size)
                used +=
                    (size_t)snprintf(want + used, sizeof want - used, "%s%u", used ? " " : "", id);
        assert_string_equal(ids_of(b, text, out), want);
    }
    sl_bpe_free(b);
}

static void wrong_vocabularies_are_refused(void **state)
{
    (void)state;
    static const char *const words[] = { "a", "b", NULL };
    struct sl_bpe_conf conf = { .byte_level = true };
    struct sl_bpe *b = begin(conf, words);
    assert_int_equal(sl_bpe_add_merge(b, SL_STR("a"), SL_STR("b"), NULL), SL_E_DATA);
    assert_int_equal(sl_bpe_add_merge(b, SL_STR("a"), SL_STR(""), NULL), SL_E_DATA);
    assert_int_equal(sl_bpe_add_merge(b, SL_STR("c"), SL_STR("a"), NULL), SL_E_DATA);
    assert_int_equal(sl_bpe_add_ranks(b, 0, NULL), SL_E_DATA);
    sl_bpe_free(b);
    struct sl_bpe_vocab v;
    sl_bpe_vocab_init(&v);
    assert_int_equal(sl_bpe_vocab_add(&v, SL_STR("a"), SL_BPE_MAX_ID, NULL), SL_E_DATA);
    assert_int_equal(sl_bpe_vocab_add(&v, SL_STR("a"), 1, NULL), SL_OK);
    assert_int_equal(sl_bpe_vocab_add(&v, SL_STR("b"), 1, NULL), SL_OK);
    assert_int_equal(sl_bpe_vocab_index(&v, NULL), SL_E_DATA);
    sl_bpe_vocab_release(&v);
}

static void byte_characters_go_and_come_back(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++)
        assert_int_equal(sl_bpe_char_byte(sl_bpe_byte_char((uint8_t)i)), i);
    assert_int_equal(sl_bpe_byte_char(' '), 0x120);
    assert_int_equal(sl_bpe_char_byte(' '), -1);
    assert_int_equal(sl_bpe_char_byte(0x144), -1);
}

static void the_cache_keeps_what_it_was_given(void **state)
{
    (void)state;
    struct sl_token_cache *c = NULL;
    char text[64] = "abcdefghijklmnopqrstuvwxyz0123456789";
    uint32_t ids[] = { 1, 2, 3, 4, 5 };
    assert_int_equal(sl_token_cache_new(&c, NULL), SL_OK);
    for (size_t n = 1; n <= SL_TOKEN_CACHE_SHORT; n++) {
        struct sl_token_key k = sl_token_key_of(text, n, sizeof text);
        struct sl_token_key near_end = sl_token_key_of(text, n, n);
        struct sl_token_slot *s = sl_token_cache_slots(c) + sl_token_cache_place(k);
        assert_true(k.lo == near_end.lo && k.hi == near_end.hi);
        assert_false(sl_token_slot_has(s, k));
        sl_token_cache_put(s, k, ids, n % 5);
        assert_true(sl_token_slot_has(s, k));
        assert_int_equal(sl_token_slot_count(s), n % 5);
        assert_false(sl_token_slot_has(s, sl_token_key_of(text + 1, n, sizeof text - 1)));
    }
    size_t n = 0;
    struct sl_str piece = { text, 33 };
    assert_null(sl_token_cache_find_long(c, piece, 7, &n));
    sl_token_cache_put_long(c, piece, 7, ids, 5);
    const uint32_t *found = sl_token_cache_find_long(c, piece, 7, &n);
    assert_non_null(found);
    assert_int_equal(n, 5);
    assert_memory_equal(found, ids, sizeof ids);
    piece.n = 32;
    assert_null(sl_token_cache_find_long(c, piece, 7, &n));
    for (uint64_t i = 0; i < 200000; i++) /* over the store's end */
        sl_token_cache_put_long(c, piece, i << 40, ids, 5);
    sl_token_cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_rank_goes_first),
        cmocka_unit_test(the_last_of_equal_merges_counts),
        cmocka_unit_test(unknown_characters_become_unk_or_bytes),
        cmocka_unit_test(prefix_and_suffix_make_other_symbols),
        cmocka_unit_test(a_megabyte_of_one_letter_is_quick),
        cmocka_unit_test(short_and_long_pieces_agree),
        cmocka_unit_test(wrong_vocabularies_are_refused),
        cmocka_unit_test(byte_characters_go_and_come_back),
        cmocka_unit_test(the_cache_keeps_what_it_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
