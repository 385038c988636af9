/* SPDX-License-Identifier: Apache-2.0 */
/* Lineages of one input, of equal ones, of different ones; the entry of a tool. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "run/lineage.h"
#include "run/tally.h"

#define ID(last) "000000000000000000000000000000" last
#define TALLY(rows, id) \
    "\"tally\":{\"in\":{\"rows\":" rows ",\"ids\":\"" ID(id) "\"},\"hist\":{\"x\":[1," rows "]}}"
#define STAGE(tool, more) "{\"tool\":\"" tool "\",\"version\":\"1\",\"options\":{}," more "}"

/* The lineage of inputs and then a stage "last" with a tally. */
static const char *joined(const char *const *inputs, int n)
{
    static struct sl_buf out;
    struct sl_lineage l = { 0 };
    struct sl_json *entry = NULL;
    sl_buf_release(&out);
    sl_buf_init(&out, 1 << 20);
    for (int i = 0; i < n; i++)
        assert_int_equal(sl_lineage_add(&l, sl_str_of(inputs[i]), NULL), SL_OK);
    assert_int_equal(sl_json_parse(&entry, SL_STR(STAGE("last", "\"tally\":{}")), NULL), SL_OK);
    assert_int_equal(sl_lineage_dump(&l, entry, &out, NULL), SL_OK);
    assert_int_equal(sl_buf_add_byte(&out, 0, NULL), SL_OK);
    sl_lineage_release(&l);
    return (const char *)out.p;
}

static void one_input(void **state)
{
    (void)state;
    const char *in[] = { "[" STAGE("a", TALLY("3", "05")) "]" };
    assert_string_equal(joined(in, 1),
                        "[" STAGE("a", TALLY("3", "05")) "," STAGE("last", "\"tally\":{}") "]");
    assert_string_equal(joined(in, 0), "[" STAGE("last", "\"tally\":{}") "]");
    const char *none[] = { "[]" };
    assert_string_equal(joined(none, 1), "[" STAGE("last", "\"tally\":{}") "]");
}

static void equal_inputs(void **state)
{
    (void)state;
    const char *in[] = { "[" STAGE("a", TALLY("3", "05")) "]", "[" STAGE("a", TALLY("4", "ff")) "]",
                         "[" STAGE("a", "\"count\":10," TALLY("1", "01")) "]" };
    const char *sum = "\"count\":12,\"tally\":{\"in\":{\"rows\":8,\"ids\":"
                      "\"00000000000000000000000000000105\"},\"hist\":{\"x\":[3,8]}}";
    char want[1024];
    snprintf(want, sizeof want, "[{\"tool\":\"a\",\"version\":\"1\",\"options\":{},%s},%s]", sum,
             STAGE("last", "\"tally\":{}"));
    assert_string_equal(joined(in, 3), want);
}

static void different_inputs(void **state)
{
    (void)state;
    const char *in[] = { "[" STAGE("a", TALLY("3", "05")) "]", "[" STAGE("b", TALLY("4", "01")) "]",
                         "[" STAGE("a", TALLY("1", "01")) "]" };
    const char *got = joined(in, 3);
    struct sl_json *all = NULL;
    assert_int_equal(sl_json_parse(&all, sl_str_of(got), NULL), SL_OK);
    assert_int_equal(sl_json_count(all), 1);
    const struct sl_json *stage = sl_json_at(all, 0), *inputs = sl_json_get(stage, "inputs");
    assert_int_equal(sl_json_count(inputs), 2);
    const struct sl_json *a = sl_json_at(sl_json_at(inputs, 0), 0);
    assert_int_equal(sl_json_int(sl_json_get(a, "count")), 2);
    const struct sl_json *value;
    assert_string_equal(sl_json_key(stage, 4, &value), "tally"); /* inputs stand before it */
    sl_json_free(all);
    /* Two such joined streams are one branch again, counted through. */
    char *copy = strdup(got);
    const char *again[] = { copy, copy };
    const char *twice = joined(again, 2);
    assert_non_null(strstr(twice, "\"count\":4"));
    assert_non_null(strstr(twice, "\"rows\":8"));
    free(copy);
}

static void options_differ(void **state)
{
    (void)state;
    const char *in[] = {
        "[{\"tool\":\"a\",\"version\":\"1\",\"options\":{\"n\":1},\"tally\":{}}]",
        "[{\"tool\":\"a\",\"version\":\"1\",\"options\":{\"n\":2},\"tally\":{}}]",
    };
    assert_non_null(strstr(joined(in, 2), "\"inputs\""));
    const char *longer[] = { "[" STAGE("a", "\"tally\":{}") "]",
                             "[" STAGE("a", "\"port\":\"rejects\",\"tally\":{}") "]" };
    assert_non_null(strstr(joined(longer, 2), "\"inputs\""));
}

static void join_moves(void **state)
{
    (void)state;
    struct sl_lineage a = { 0 }, b = { 0 };
    const char *x = "[" STAGE("a", TALLY("3", "05")) "]", *y = "[" STAGE("b", TALLY("3", "05")) "]";
    assert_int_equal(sl_lineage_add(&a, sl_str_of(x), NULL), SL_OK);
    assert_int_equal(sl_lineage_add(&b, sl_str_of(x), NULL), SL_OK);
    assert_int_equal(sl_lineage_add(&b, sl_str_of(y), NULL), SL_OK);
    assert_int_equal(sl_lineage_join(&a, &b, NULL), SL_OK);
    assert_true(a.n == 2 && b.n == 0);
    sl_lineage_release(&a);
    sl_lineage_release(&b);
}

static void no_array(void **state)
{
    (void)state;
    struct sl_lineage l = { 0 };
    assert_int_equal(sl_lineage_add(&l, SL_STR("{}"), NULL), SL_E_DATA);
    assert_int_equal(sl_lineage_add(&l, SL_STR("[1"), NULL), SL_E_DATA);
    assert_int_equal(l.n, 0);
    sl_lineage_release(&l);
}

static void last_tool(void **state)
{
    (void)state;
    char name[64];
    sl_lineage_last_tool(SL_STR("[{\"tool\":\"a\"},{\"tool\":\"b\"}]"), name);
    assert_string_equal(name, "b");
    sl_lineage_last_tool(SL_STR("[]"), name);
    assert_string_equal(name, "");
    sl_lineage_last_tool(SL_STR("nonsense"), name);
    assert_string_equal(name, "");
}

struct conf {
    bool flag;
    uint64_t n;
    double x;
    const char *s, *f, *p;
};
static const struct sl_opt options[] = {
    SL_OPT_BOOL(0, "flag", struct conf, flag, "f", SL_OPT_RESULT),
    SL_OPT_UINT(0, "hidden", "N", struct conf, n, "not of the result", 0),
    SL_OPT_UINT(0, "n", "N", struct conf, n, "n", SL_OPT_RESULT),
    SL_OPT_REAL(0, "x", "X", struct conf, x, "x", SL_OPT_RESULT),
    SL_OPT_STR(0, "s", "S", struct conf, s, "s", SL_OPT_RESULT),
    SL_OPT_FILE(0, "f", "F", struct conf, f, "f", SL_OPT_RESULT),
    SL_OPT_PATH(0, "p", "P", struct conf, p, "p", SL_OPT_RESULT),
    SL_OPT_END
};

static void entry_of_a_tool(void **state)
{
    (void)state;
    const char *folder = getenv("TMPDIR");
    char path[512];
    snprintf(path, sizeof path, "%s/sluice-lineage-XXXXXX", folder ? folder : P_tmpdir);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct conf conf = { true, 7, 0.5, NULL, path, "/a/place" };
    struct sl_opt_group group = { options, &conf };
    struct sl_json *entry = sl_lineage_entry("t", &group, 1, NULL);
    struct sl_buf out;
    char want[1024];
    sl_buf_init(&out, 4096);
    assert_int_equal(sl_json_dump(entry, &out, NULL), SL_OK);
    assert_int_equal(sl_buf_add_byte(&out, 0, NULL), SL_OK);
    snprintf(want, sizeof want,
             "{\"tool\":\"t\",\"version\":\"%s\",\"options\":{\"flag\":true,\"n\":7,\"x\":0.5,"
             "\"f\":{\"name\":\"%s\",\"xxh3\":\"99aa06d3014798d86001c324468d497f\"}}}",
             SLUICE_VERSION, strrchr(path, '/') + 1);
    assert_string_equal((const char *)out.p, want);
    sl_buf_release(&out);
    sl_json_free(entry);
    remove(path);
    struct sl_err err = SL_ERR_INIT;
    assert_null(sl_lineage_entry("t", &group, 1, &err));
    assert_int_equal(err.status, SL_E_SYSTEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_input),        cmocka_unit_test(equal_inputs),
        cmocka_unit_test(different_inputs), cmocka_unit_test(options_differ),
        cmocka_unit_test(join_moves),       cmocka_unit_test(no_array),
        cmocka_unit_test(last_tool),        cmocka_unit_test(entry_of_a_tool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
