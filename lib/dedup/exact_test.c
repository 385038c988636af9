/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "arrow/rows.h"
#include "dedup/exact.h"

enum { N = 3000, MIB = 1 << 20 };

/* N rows: id i, text of texts[i], score of scores[i]. */
struct sample {
    struct sl_schema schema;
    struct sl_rows rows;
    struct sl_batch batch;
    unsigned texts[N], scores[N];
};

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static struct sl_hash128 id_of(unsigned i)
{
    struct sl_hash128 id = { { 0 } };
    id.b[14] = (uint8_t)(i >> 8);
    id.b[15] = (uint8_t)i;
    return id;
}

static struct sample *sample_new(unsigned n_texts)
{
    struct sample *s = calloc(1, sizeof *s);
    uint64_t seed = n_texts;
    assert_non_null(s);
    sl_schema_init(&s->schema);
    sl_batch_init(&s->batch);
    assert_int_equal(sl_schema_add_text(&s->schema, "id", "fixed_size_binary[16]", NULL), SL_OK);
    assert_int_equal(sl_schema_add_text(&s->schema, "text", "large_utf8", NULL), SL_OK);
    assert_int_equal(sl_schema_add_text(&s->schema, "score", "int32", NULL), SL_OK);
    assert_int_equal(sl_rows_init(&s->rows, &s->schema, NULL), SL_OK);
    for (unsigned i = 0; i < N; i++) {
        struct sl_hash128 id = id_of(i);
        char text[32];
        s->texts[i] = (unsigned)(next_random(&seed) % n_texts);
        s->scores[i] = (unsigned)(next_random(&seed) % 5);
        size_t n = s->texts[i] ? (size_t)snprintf(text, sizeof text, "text %u", s->texts[i]) : 0;
        struct sl_colbuf *c = s->rows.cols;
        assert_int_equal(sl_colbuf_add_str(&c[0], (struct sl_str){ (const char *)id.b, 16 }, NULL),
                         SL_OK);
        assert_int_equal(sl_colbuf_add_str(&c[1], (struct sl_str){ text, n }, NULL), SL_OK);
        assert_int_equal(sl_colbuf_add_int(&c[2], s->scores[i], NULL), SL_OK);
        assert_int_equal(sl_rows_close_row(&s->rows, NULL), SL_OK);
    }
    assert_int_equal(sl_rows_lend(&s->rows, &s->batch, NULL), SL_OK);
    return s;
}

static void sample_free(struct sample *s)
{
    sl_batch_release(&s->batch);
    sl_rows_release(&s->rows);
    sl_schema_release(&s->schema);
    free(s);
}

/* Does row i come before row j of the same text? */
static bool is_before(const struct sample *s, unsigned i, unsigned j, bool prefer)
{
    if (prefer && s->scores[i] != s->scores[j])
        return s->scores[i] > s->scores[j];
    return i < j;
}

/* What is true of row i, the slow way. */
static struct sl_exact_row truth(const struct sample *s, unsigned i, bool prefer)
{
    struct sl_exact_row r = { id_of(i), 0, 0 };
    unsigned first = i;
    for (unsigned j = 0; j < N; j++)
        if (s->texts[j] == s->texts[i]) {
            r.size++;
            r.rank += is_before(s, j, i, prefer);
            if (is_before(s, j, first, prefer))
                first = j;
        }
    r.kept = id_of(first);
    return r;
}

static void check_row(const struct sl_exact_row *have, struct sl_exact_row want, bool ranks)
{
    if (!ranks) {
        want.size = 0;
        want.rank = want.rank > 0;
    }
    assert_memory_equal(have->kept.b, want.kept.b, sizeof want.kept.b);
    assert_int_equal(have->rank, want.rank);
    assert_int_equal(have->size, want.size);
}

static int64_t count_clusters(const struct sample *s)
{
    int64_t n = 0;
    for (unsigned i = 0; i < N; i++) {
        struct sl_exact_row r = truth(s, i, false);
        n += r.rank == 0 && r.size > 1;
    }
    return n;
}

/* The first at_once rows at once, the others at last. */
static void check_all(const struct sample *s, int64_t at_once, bool prefer, bool ranks)
{
    static struct sl_exact_row rows[N];
    struct sl_row_keys *keys = NULL;
    struct sl_exact *x;
    bool room;
    if (prefer)
        assert_int_equal(sl_row_keys_parse(&keys, "score desc", &s->schema, NULL), SL_OK);
    struct sl_exact_options o = { "none", 4 * MIB, "/tmp", keys, ranks };
    assert_int_equal(sl_exact_new(&x, &o, NULL), SL_OK);
    assert_int_equal(sl_exact_room(x, N, &room, NULL), SL_OK);
    assert_int_equal(room, !prefer && !ranks);
    for (int64_t i = 0, n; i < at_once; i += n) {
        n = at_once - i < 700 ? at_once - i : 700;
        assert_int_equal(sl_exact_decide(x, &s->batch, i, n, rows + i, NULL), SL_OK);
    }
    for (int64_t i = at_once, n; i < N; i += n) {
        n = N - i < 900 ? N - i : 900;
        assert_int_equal(sl_exact_learn(x, &s->batch, i, n, NULL), SL_OK);
    }
    assert_int_equal(sl_exact_room(x, 0, &room, NULL), SL_OK);
    assert_int_equal(room, at_once == N && !prefer && !ranks);
    assert_int_equal(sl_exact_end(x, NULL), SL_OK);
    for (int64_t i = at_once, n; i < N; i += n) {
        n = N - i < 1024 ? N - i : 1024;
        assert_int_equal(sl_exact_recall(x, &s->batch, i, n, rows + i, NULL), SL_OK);
    }
    for (unsigned i = 0; i < N; i++)
        check_row(&rows[i], truth(s, i, prefer), ranks);
    assert_int_equal(sl_exact_clusters(x), count_clusters(s));
    sl_exact_free(x);
    sl_row_keys_free(keys);
}

static void all_ways_agree(void **state)
{
    (void)state;
    static const unsigned n_texts[] = { 1, 2, 900, 10000 };
    for (size_t k = 0; k < sizeof n_texts / sizeof n_texts[0]; k++) {
        struct sample *s = sample_new(n_texts[k]);
        for (int64_t at_once = 0; at_once <= N; at_once += N / 4)
            check_all(s, at_once, false, false);
        check_all(s, 1, false, false);
        check_all(s, N - 1, false, false);
        for (int way = 1; way < 4; way++)
            check_all(s, 0, way & 1, way & 2);
        sample_free(s);
    }
}

static void nothing(void **state)
{
    (void)state;
    struct sl_exact *x;
    for (int ranks = 0; ranks < 2; ranks++) {
        struct sl_exact_options o = { "simple", 4 * MIB, "/tmp", NULL, ranks };
        assert_int_equal(sl_exact_new(&x, &o, NULL), SL_OK);
        assert_int_equal(sl_exact_end(x, NULL), SL_OK);
        assert_int_equal(sl_exact_clusters(x), 0);
        sl_exact_free(x);
    }
    sl_exact_free(NULL);
}

static void what_is_refused(void **state)
{
    (void)state;
    struct sl_exact *x;
    struct sl_err err = SL_ERR_INIT;
    struct sl_exact_options o = { "none", 4 * MIB - 1, "/tmp", NULL, false };
    assert_int_equal(sl_exact_new(&x, &o, &err), SL_E_USAGE);
    assert_non_null(strstr(err.msg, "4M"));
    o = (struct sl_exact_options){ "nosuch", 4 * MIB, "/tmp", NULL, false };
    assert_int_equal(sl_exact_new(&x, &o, NULL), SL_E_USAGE);
    struct sample *s = sample_new(5);
    o = (struct sl_exact_options){ "none", 4 * MIB, "/nosuch/folder", NULL, true };
    assert_int_equal(sl_exact_new(&x, &o, NULL), SL_OK);
    assert_int_equal(sl_exact_learn(x, &s->batch, 0, 10, NULL), SL_OK);
    sl_err_reset(&err);
    assert_int_equal(sl_exact_end(x, &err), SL_E_SYSTEM);
    assert_non_null(strstr(err.msg, "/nosuch/folder"));
    sl_exact_free(x);
    sample_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_ways_agree),
        cmocka_unit_test(nothing),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
