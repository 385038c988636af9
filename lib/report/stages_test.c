/* SPDX-License-Identifier: Apache-2.0 */
/* Lineages as lists of stages: joins, packing, what is broken where, which one is
 * part of which; and any JSON at all without harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "report/stages.h"

#define PORT(rows) "{\"rows\":" #rows ",\"ids\":\"\"}"
#define STAGE(tool, in, out, rejected, more)                                                  \
    "{\"tool\":\"sluice-" tool "\",\"version\":\"1\",\"options\":{},\"tally\":{\"in\":" PORT( \
        in) ",\"out\":" PORT(out) ",\"rejected\":" PORT(rejected) more "}}"
#define JOIN(branches, tool, in, out)                                                      \
    "{\"tool\":\"sluice-" tool "\",\"version\":\"1\",\"options\":{},\"inputs\":[" branches \
    "],\"tally\":{\"in\":" PORT(in) ",\"out\":" PORT(out) ",\"rejected\":" PORT(0) "}}"
#define PACK                                                           \
    STAGE("pack", 7, 3, 0,                                             \
          ",\"law\":\"tokens\",\"begun\":" PORT(6) ",\"empty\":" PORT( \
              1) ",\"counts\":{\"tokens_out\":30,\"padding\":4}")

/* The sum of rows, and the chain; enough of a law for these tests. */
static enum sl_status law(const struct sl_json *lineage, struct sl_err *err)
{
    int64_t before = -1;
    for (size_t i = 0; i < sl_json_count(lineage); i++) {
        const struct sl_json *t = sl_json_get(sl_json_at(lineage, i), "tally");
        bool packs = sl_json_get(t, "law") != NULL;
        if (before >= 0 && before != sl_rows_of(t, "in"))
            return sl_err_set(err, SL_E_DATA, "lineage, stage 2 (x): the chain");
        if (!packs && sl_rows_of(t, "in") != sl_rows_of(t, "out") + sl_rows_of(t, "rejected"))
            return sl_err_set(err, SL_E_DATA, "lineage, stage 1 (x): the sum");
        before = sl_rows_of(t, "out");
    }
    return SL_OK;
}

static struct sl_json *parse(const char *text)
{
    struct sl_json *v = NULL;
    assert_int_equal(sl_json_parse(&v, sl_str_of(text), NULL), SL_OK);
    return v;
}

static void test_packing(void **state)
{
    struct sl_stages s;
    struct sl_json *j = parse("[" STAGE("warc", 10, 9, 1, "") "," STAGE(
        "filter", 9, 7, 2, "") "," PACK "," STAGE("shard", 3, 3, 0, "") "]");
    (void)state;
    assert_int_equal(sl_stages_of(&s, j, law, true, NULL), SL_OK);
    assert_int_equal(s.n, 4);
    for (int i = 0; i < 4; i++)
        assert_true(s.s[i].law_ok);
    assert_false(s.s[2].packed);
    assert_true(s.s[2].packs && s.s[3].packed);
    struct sl_glance g = sl_stages_glance(&s);
    assert_int_equal(g.docs_in, 10);
    assert_int_equal(g.dropped, 3);
    assert_int_equal(g.kept, 6);
    assert_int_equal(g.tokens, 26);
    assert_int_equal(g.sequences, 3);
    sl_stages_release(&s);
    sl_json_free(j);
}

static void test_join(void **state)
{
    struct sl_stages s;
    struct sl_json *j =
        parse("[" JOIN("[" STAGE("warc", 4, 3, 1, "") "],[" STAGE("import", 5, 5, 0, "") "]", "cat",
                       8, 8) "," STAGE("filter", 8, 6, 2, "") "]");
    (void)state;
    assert_int_equal(sl_stages_of(&s, j, law, true, NULL), SL_OK);
    assert_int_equal(s.n, 4);
    assert_int_equal(s.s[1].depth, 1);
    assert_int_equal(s.s[1].branch, 2);
    assert_int_equal(s.s[1].n_branches, 2);
    assert_int_equal(s.s[2].depth, 0);
    struct sl_glance g = sl_stages_glance(&s);
    assert_int_equal(g.docs_in, 9);
    assert_int_equal(g.dropped, 3);
    assert_int_equal(g.kept, 6);
    assert_int_equal(g.sequences, -1);
    sl_stages_release(&s);
    sl_json_free(j);
}

/* A sample and the rest of it, joined again: what they share stands there once. */
static void test_one_run_twice(void **state)
{
    struct sl_stages s;
#define BEGIN STAGE("warc", 10, 9, 1, "") "," PACK9 ","
#define PACK9                                                          \
    STAGE("pack", 9, 8, 0,                                             \
          ",\"law\":\"tokens\",\"begun\":" PORT(9) ",\"empty\":" PORT( \
              0) ",\"counts\":{\"tokens_out\":30,\"padding\":4}")
#define SAMPLE(port)                                                    \
    "{\"tool\":\"sluice-sample\",\"version\":\"1\",\"options\":{}" port \
    ",\"tally\":{\"in\":" PORT(8) ",\"out\":" PORT(2) ",\"rejected\":" PORT(6) "}}"
    struct sl_json *j =
        parse("[" JOIN("[" BEGIN SAMPLE("") "],[" BEGIN SAMPLE(",\"port\":\"rest\"") "," STAGE(
                           "shuffle", 6, 6, 0, "") "]",
                       "cat", 8, 8) "]");
    (void)state;
    assert_int_equal(sl_stages_of(&s, j, law, false, NULL), SL_OK);
    assert_int_equal(s.n, 5); /* warc pack sample shuffle cat */
    assert_true(s.s[0].begins && !s.s[1].begins && s.s[3].begins);
    assert_true(sl_str_eq(s.s[3].follows, SL_STR("sluice-sample")));
    assert_int_equal(s.s[3].branch, 2);
    assert_true(s.s[3].packed && s.s[4].packed);
    struct sl_glance g = sl_stages_glance(&s);
    assert_int_equal(g.docs_in, 10);
    assert_int_equal(g.dropped, 1);
    assert_int_equal(g.kept, 9);
    assert_int_equal(g.tokens, 26);
    assert_int_equal(g.sequences, 8);
    sl_stages_release(&s);
    sl_json_free(j);
}

static void test_broken(void **state)
{
    struct sl_stages s;
    struct sl_json *j = parse(
        "[" STAGE("a", 10, 8, 1, "") "," STAGE("b", 9, 9, 0, "") "," STAGE("c", 8, 8, 0, "") "]");
    (void)state;
    assert_int_equal(sl_stages_of(&s, j, law, true, NULL), SL_OK);
    assert_false(s.s[0].law_ok);
    assert_string_equal(s.s[0].why, "the sum");
    assert_true(s.s[1].law_ok); /* the one before is wrong itself */
    assert_false(s.s[2].law_ok);
    assert_string_equal(s.s[2].why, "the chain");
    sl_stages_release(&s);
    assert_int_equal(sl_stages_of(&s, j, law, false, NULL), SL_OK);
    assert_true(s.s[2].law_ok); /* reports of any runs are no chain */
    sl_stages_release(&s);
    sl_json_free(j);
}

static void test_holds(void **state)
{
    struct sl_json *a = parse("[" STAGE("a", 1, 1, 0, "") "]");
    struct sl_json *ab = parse("[" STAGE("a", 1, 1, 0, "") "," STAGE("b", 1, 1, 0, "") "]");
    struct sl_json *other = parse("[" STAGE("a", 2, 2, 0, "") "]");
    struct sl_json *join = parse(
        "[" JOIN("[" STAGE("x", 1, 1, 0, "") "],[" STAGE("a", 1, 1, 0, "") "]", "cat", 2, 2) "]");
    (void)state;
    assert_true(sl_lineage_holds(ab, a));
    assert_true(sl_lineage_holds(a, a));
    assert_true(sl_lineage_holds(join, a));
    assert_false(sl_lineage_holds(a, ab));
    assert_false(sl_lineage_holds(ab, other));
    sl_json_free(a);
    sl_json_free(ab);
    sl_json_free(other);
    sl_json_free(join);
}

static void test_any_json(void **state)
{
    static const char *const texts[] = {
        "[]",
        "{}",
        "[1,null,\"x\",[],{}]",
        "[{\"tool\":1,\"tally\":[]}]",
        "[{\"inputs\":{\"a\":1}}]",
        "[{\"inputs\":[1,[],{}]},{\"tally\":{\"in\":{\"rows\":-5}}}]",
        "[{\"tool\":\"x\",\"tally\":{\"in\":{\"rows\":9223372036854775807}}},"
        "{\"tally\":{\"in\":{\"rows\":9223372036854775807},\"law\":\"tokens\"}}]"
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct sl_stages s;
        struct sl_json *j = parse(texts[i]);
        assert_int_equal(sl_stages_of(&s, j, law, true, NULL), SL_OK);
        (void)sl_stages_glance(&s);
        sl_stages_release(&s);
        sl_json_free(j);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packing),  cmocka_unit_test(test_join),
        cmocka_unit_test(test_broken),   cmocka_unit_test(test_holds),
        cmocka_unit_test(test_any_json), cmocka_unit_test(test_one_run_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
