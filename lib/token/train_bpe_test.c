/* SPDX-License-Identifier: Apache-2.0 */
/* Small cases by hand, and a plain trainer beside the real one on random words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "token/train_bpe.h"

enum { MAX_WORDS = 64, MAX_LEN = 64, FIRST = 256 };
#define MEM ((size_t)1 << 30)

static struct sl_bpe_trainer *make(uint32_t vocab, int64_t min_frequency, const char *special)
{
    struct sl_bpe_trainer *t;
    struct sl_str s = sl_str_of(special);
    const struct sl_bpe_conf conf = { vocab, min_frequency, &s, special ? 1 : 0, MEM };
    assert_int_equal(sl_bpe_trainer_new(&t, &conf, NULL), SL_OK);
    return t;
}

static void add(struct sl_bpe_trainer *t, const char *word, int64_t count)
{
    assert_int_equal(sl_bpe_trainer_add(t, sl_str_of(word), count, NULL), SL_OK);
}

static void expect(struct sl_bpe_trainer *t, const char *const *tokens)
{
    size_t n = 0;
    const struct sl_bpe_merge *m;
    assert_int_equal(sl_bpe_trainer_run(t, NULL), SL_OK);
    size_t n_merges = sl_bpe_trainer_merges(t, &m);
    for (; tokens[n]; n++) {
        assert_true(n < n_merges);
        struct sl_str s = sl_bpe_trainer_token(t, m[n].id);
        assert_int_equal(s.n, strlen(tokens[n]));
        assert_memory_equal(s.p, tokens[n], s.n);
    }
    assert_int_equal(n, n_merges);
    sl_bpe_trainer_free(t);
}

static void the_most_frequent_pair_goes_first(void **state)
{
    (void)state;
    struct sl_bpe_trainer *t = make(FIRST + 2, 0, NULL);
    add(t, "abc", 5);
    add(t, "bcd", 2);
    expect(t, (const char *[]){ "bc", "abc", NULL });
}

static void ties_go_by_left_then_right_id(void **state)
{
    (void)state;
    struct sl_bpe_trainer *t = make(FIRST + 3, 0, NULL);
    add(t, "xz", 1);
    add(t, "ba", 1);
    add(t, "bb", 1);
    expect(t, (const char *[]){ "ba", "bb", "xz", NULL });
    /* 0xAD is U+0143 and the last of the alphabet, 0x00 is U+0100. */
    t = make(FIRST + 2, 0, NULL);
    add(t, "\xad\x21", 1);
    add(t, "\x01\x21", 1);
    expect(t, (const char *[]){ "\x01\x21", "\xad\x21", NULL });
}

static void overlapping_pairs_count_and_merge_from_the_left(void **state)
{
    (void)state;
    struct sl_bpe_trainer *t = make(FIRST + 9, 0, NULL);
    add(t, "aaaaa", 1); /* four pairs (a, a) */
    add(t, "xy", 3);
    expect(t, (const char *[]){ "aa", "xy", "aaa", "aaaaa", NULL });
}

static void rare_pairs_are_left_alone(void **state)
{
    (void)state;
    struct sl_bpe_trainer *t = make(FIRST + 9, 3, NULL);
    add(t, "ab", 2);
    add(t, "ab", 1);
    add(t, "cd", 2);
    expect(t, (const char *[]){ "ab", NULL });
    t = make(FIRST + 9, 0, NULL);
    expect(t, (const char *[]){ NULL });
}

static void special_tokens_come_first(void **state)
{
    (void)state;
    const struct sl_bpe_merge *m;
    struct sl_bpe_trainer *t = make(FIRST + 2, 0, "ab");
    add(t, "abc", 2);
    assert_int_equal(sl_bpe_trainer_run(t, NULL), SL_OK);
    assert_int_equal(sl_bpe_trainer_merges(t, &m), 2);
    assert_int_equal(m[0].id, 0); /* the bytes of a special token are that token */
    assert_int_equal(m[0].left, 1 + 'a' - '!');
    assert_int_equal(m[1].id, FIRST + 1);
    assert_int_equal(sl_bpe_trainer_vocab(t), FIRST + 2);
    sl_bpe_trainer_free(t);
}

static void bad_settings_are_refused(void **state)
{
    (void)state;
    struct sl_bpe_trainer *t;
    const struct sl_str twice[] = { { "<a>", 3 }, { "<a>", 3 } }, byte = { "a", 1 },
                        none = { "", 0 };
    struct sl_bpe_conf conf = { FIRST - 1, 0, NULL, 0, MEM };
    assert_int_equal(sl_bpe_trainer_new(&t, &conf, NULL), SL_E_USAGE);
    conf.vocab = SL_BPE_MAX_VOCAB + 1;
    assert_int_equal(sl_bpe_trainer_new(&t, &conf, NULL), SL_E_USAGE);
    conf = (struct sl_bpe_conf){ FIRST + 2, 0, twice, 2, MEM };
    assert_int_equal(sl_bpe_trainer_new(&t, &conf, NULL), SL_E_USAGE);
    conf = (struct sl_bpe_conf){ FIRST + 2, 0, &byte, 1, MEM };
    assert_int_equal(sl_bpe_trainer_new(&t, &conf, NULL), SL_E_USAGE);
    conf.specials = &none;
    assert_int_equal(sl_bpe_trainer_new(&t, &conf, NULL), SL_E_USAGE);
}

static void memory_has_an_end(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    struct sl_bpe_trainer *t;
    char word[16];
    for (size_t mem = 1 << 12; mem <= (size_t)1 << 24; mem *= 2) {
        enum sl_status st = SL_OK;
        const struct sl_bpe_conf conf = { FIRST + 500, 0, NULL, 0, mem };
        sl_err_reset(&err);
        assert_int_equal(sl_bpe_trainer_new(&t, &conf, &err), SL_OK);
        for (int i = 0; st == SL_OK && i < 20000; i++) {
            for (int k = 0; k < 15; k++)
                word[k] = (char)('a' + (i * (k + 7) + i / (k + 1)) % 26);
            st = sl_bpe_trainer_add(t, (struct sl_str){ word, 15 }, 1, &err);
        }
        if (st == SL_OK)
            st = sl_bpe_trainer_run(t, &err);
        assert_int_equal(st, mem < (size_t)1 << 24 && st != SL_OK ? SL_E_SYSTEM : SL_OK);
        assert_true(sl_bpe_trainer_peak_bytes(t) <= mem);
        sl_bpe_trainer_free(t);
    }
}

/* ---- a plain trainer ---- */

struct plain {
    int n_words, len[MAX_WORDS];
    int64_t count[MAX_WORDS];
    uint32_t ids[MAX_WORDS][MAX_LEN];
};

static int64_t pair_count(const struct plain *p, uint32_t a, uint32_t b)
{
    int64_t n = 0;
    for (int w = 0; w < p->n_words; w++)
        for (int i = 0; i + 1 < p->len[w]; i++)
            n += p->ids[w][i] == a && p->ids[w][i + 1] == b ? p->count[w] : 0;
    return n;
}

static int64_t best_pair(const struct plain *p, uint32_t *a, uint32_t *b)
{
    int64_t best = 0;
    for (int w = 0; w < p->n_words; w++)
        for (int i = 0; i + 1 < p->len[w]; i++) {
            uint32_t x = p->ids[w][i], y = p->ids[w][i + 1];
            int64_t n = pair_count(p, x, y);
            if (n > best || (n == best && (x < *a || (x == *a && y < *b)))) {
                best = n;
                *a = x;
                *b = y;
            }
        }
    return best;
}

static void replace(struct plain *p, uint32_t a, uint32_t b, uint32_t id)
{
    for (int w = 0; w < p->n_words; w++) {
        int to = 0;
        for (int i = 0; i < p->len[w]; i++) {
            bool hit = i + 1 < p->len[w] && p->ids[w][i] == a && p->ids[w][i + 1] == b;
            p->ids[w][to++] = hit ? id : p->ids[w][i];
            i += hit;
        }
        p->len[w] = to;
    }
}

static uint32_t step(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static void compare(uint64_t seed)
{
    struct plain *p = calloc(1, sizeof *p);
    const struct sl_bpe_merge *m;
    struct sl_bpe_trainer *t = make(FIRST + 60, 0, NULL);
    uint32_t letters = 1 + step(&seed) % 5, most = 1 + step(&seed) % MAX_LEN;
    p->n_words = 1 + (int)(step(&seed) % MAX_WORDS);
    for (int w = 0; w < p->n_words; w++) {
        char text[MAX_LEN];
        p->len[w] = 1 + (int)(step(&seed) % most);
        p->count[w] = 1 + step(&seed) % 4;
        for (int i = 0; i < p->len[w]; i++) {
            bool again = i && step(&seed) % 3 == 0;
            text[i] = again ? text[i - 1] : (char)('a' + step(&seed) % letters);
            p->ids[w][i] = (uint32_t)(text[i] - '!');
        }
        struct sl_str word = { text, (size_t)p->len[w] };
        assert_int_equal(sl_bpe_trainer_add(t, word, p->count[w], NULL), SL_OK);
    }
    assert_int_equal(sl_bpe_trainer_run(t, NULL), SL_OK);
    size_t n = sl_bpe_trainer_merges(t, &m), k = 0;
    uint32_t a = 0, b = 0;
    /* Where a string comes from two pairs the plain rule says nothing: stop there. */
    for (int64_t best; (best = best_pair(p, &a, &b)) > 0 && k < 60; k++) {
        if (k < n && m[k].id != FIRST + k)
            break;
        assert_true(k < n);
        assert_int_equal(m[k].left, a);
        assert_int_equal(m[k].right, b);
        assert_int_equal(m[k].count, best);
        replace(p, a, b, m[k].id);
    }
    sl_bpe_trainer_free(t);
    free(p);
}

static void merges_are_those_of_a_plain_trainer(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++)
        compare(seed);
}

/* Two million letters in one word: a merge that moved the rest would take hours. */
static void a_long_word_is_no_worse_than_many(void **state)
{
    (void)state;
    size_t n = 2000000;
    uint64_t seed = 1;
    char *text = malloc(n);
    struct sl_bpe_trainer *t = make(FIRST + 2000, 0, NULL);
    for (size_t i = 0; i < n; i++)
        text[i] = i < n / 2 ? 'a' : (char)('a' + step(&seed) % 4);
    assert_int_equal(sl_bpe_trainer_add(t, (struct sl_str){ text, n }, 1, NULL), SL_OK);
    clock_t begun = clock();
    assert_int_equal(sl_bpe_trainer_run(t, NULL), SL_OK);
    assert_true((clock() - begun) / CLOCKS_PER_SEC < 60);
    assert_int_equal(sl_bpe_trainer_vocab(t), FIRST + 2000);
    sl_bpe_trainer_free(t);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_frequent_pair_goes_first),
        cmocka_unit_test(ties_go_by_left_then_right_id),
        cmocka_unit_test(overlapping_pairs_count_and_merge_from_the_left),
        cmocka_unit_test(rare_pairs_are_left_alone),
        cmocka_unit_test(special_tokens_come_first),
        cmocka_unit_test(bad_settings_are_refused),
        cmocka_unit_test(memory_has_an_end),
        cmocka_unit_test(merges_are_those_of_a_plain_trainer),
        cmocka_unit_test(a_long_word_is_no_worse_than_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
