/* SPDX-License-Identifier: Apache-2.0 */
/* Lineages that hold the law, and the same with one number changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "run/conserve.h"

#define ID(n) "000000000000000000000000000000" n
#define PORT(rows, ids) "{\"rows\":" rows ",\"ids\":\"" ID(ids) "\"}"
#define HEAD(tool) "{\"tool\":\"" tool "\",\"version\":\"1\",\"options\":{},"
#define TALLY(in, out, rejected, more) \
    "\"tally\":{\"in\":" in ",\"out\":" out ",\"rejected\":" rejected more "}}"

#define SOURCE                                                                           \
    HEAD("sluice-warc")                                                                  \
    "\"tally\":{\"law\":\"source\",\"in\":" PORT("9", "1f") ",\"out\":" PORT(            \
        "8", "1e") ","                                                                   \
                   "\"rejected\":" PORT("1", "01") ",\"reasons\":{\"bad\":1,\"big\":0}," \
                                                   "\"counts\":{\"skipped\":70,\"lost\":2}}}"
#define FILTER            \
    HEAD("sluice-filter") \
    TALLY(PORT("8", "1e"), PORT("5", "10"), PORT("3", "0e"), ",\"reasons\":{\"x\":3}")
#define PACK                                                                                    \
    HEAD("sluice-pack")                                                                         \
    "\"tally\":{\"law\":\"tokens\",\"in\":" PORT("5", "10") ",\"out\":" PORT(                   \
        "2",                                                                                    \
        "77") ","                                                                               \
              "\"rejected\":" PORT("0", "00") ",\"begun\":" PORT("4", "0d") ",\"empty\":" PORT( \
                  "1", "03") ",\"counts\":{\"tokens_in\":100,\"specials\":4,\"tokens_out\":96," \
                             "\"padding\":2,\"cut\":10}}}"
#define SHARD HEAD("sluice-shard") TALLY(PORT("2", "77"), PORT("2", "77"), PORT("0", "00"), "")
#define WHOLE "[" SOURCE "," FILTER "," PACK "," SHARD "]"

static struct sl_hash128 id(uint8_t low)
{
    struct sl_hash128 h = { { 0 } };
    h.b[15] = low;
    return h;
}

/* The message, "" where the law holds. */
static const char *check(const char *text, int64_t rows, uint8_t ids)
{
    static struct sl_err err;
    err = (struct sl_err)SL_ERR_INIT;
    enum sl_status st = sl_conserve_check_end(sl_str_of(text), rows, id(ids), &err);
    assert_int_equal(st, err.status);
    assert_true(st == SL_OK || st == SL_E_DATA);
    return err.msg;
}

static void test_whole(void **state)
{
    (void)state;
    assert_string_equal(check(WHOLE, 2, 0x77), "");
    assert_non_null(strstr(check(WHOLE, 3, 0x77), "2 rows left its last stage"));
    assert_non_null(strstr(check(WHOLE, 2, 0x78), "the ids that left"));
    assert_string_equal(check("[]", 12, 1), "");
}

/* Each change of one text by another of the same meaning's place is found. */
static void test_tampered(void **state)
{
    static const struct {
        const char *from, *to, *message;
    } changes[] = {
        { "\"rows\":9", "\"rows\":8", "stage 1 (sluice-warc): 8 rows in, but 8 out and 1 rej" },
        { "00001f", "00001e", "stage 1 (sluice-warc): the ids out and rejected" },
        { "\"bad\":1", "\"bad\":2", "another number by reasons" },
        { "\"bad\":1", "\"bad\":-1", "rejected as 'bad' are no number" },
        { "\"rows\":3", "\"rows\":2", "stage 2 (sluice-filter): 8 rows in, but 5 out and 2" },
        { "\"in\":{\"rows\":8", "\"in\":{\"rows\":7", "stage 2 (sluice-filter): 7 rows came in" },
        { "\"tokens_in\":100", "\"tokens_in\":101", "stage 3 (sluice-pack): tokens: 101 in" },
        { "\"padding\":2", "\"paddinG\":2", "its counts have no 'padding'" },
        { "\"cut\":10", "\"cut\":1.5", "its counts have no 'cut'" },
        { "\"cut\":10", "\"cut\":9000000000000000000", "its counts have no 'cut'" },
        { "\"begun\":{\"rows\":4", "\"begun\":{\"rows\":5", "5 documents in, but 5 begun" },
        { "00000d", "00000c", "the ids of documents begun" },
        { "\"law\":\"tokens\"", "\"law\":\"tolkien\"", "an unknown law 'tolkien'" },
        { "\"tool\":\"sluice-pack\"", "\"tool\":7", "it has no 'tool'" },
        { "\"in\":{\"rows\":2", "\"in\":{\"rows\":\"2\"", "no 'in' with rows and ids" },
        { "\"tally\":{\"in\":{\"rows\":2", "\"tallY\":{\"in\":{\"rows\":2", "it has no 'tally'" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char text[8192];
        const char *at = strstr(WHOLE, changes[i].from);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - WHOLE), WHOLE, changes[i].to,
                 at + strlen(changes[i].from));
        const char *message = check(text, 2, 0x77);
        if (!strstr(message, changes[i].message))
            fail_msg("change %zu: '%s'", i, message);
    }
}

static void test_missing_stage(void **state)
{
    (void)state;
    assert_non_null(
        strstr(check("[" SOURCE "," PACK "," SHARD "]", 2, 0x77), "5 rows came in, but 8 left"));
}

#define CAT(rows, ids)                             \
    HEAD("sluice-cat")                             \
    "\"inputs\":[[" SOURCE "],[" SOURCE "," FILTER \
    "]]," TALLY(PORT(rows, ids), PORT(rows, ids), PORT("0", "00"), "")

static void test_inputs(void **state)
{
    (void)state;
    assert_string_equal(check("[" CAT("13", "2e") "]", 13, 0x2e), "");
    assert_non_null(strstr(check("[" CAT("14", "2e") "]", 14, 0x2e), "but 13 left"));
    assert_non_null(strstr(check("[" CAT("13", "2f") "]", 13, 0x2f), "the ids that came in"));
    assert_non_null(
        strstr(check("[" FILTER "," CAT("13", "2e") "]", 13, 0x2e), "not at the first stage"));
    assert_non_null(strstr(check("[" HEAD("x") "\"inputs\":[]," TALLY(
                                     PORT("0", "00"), PORT("0", "00"), PORT("0", "00"), "") "]",
                                 0, 0),
                           "'inputs' is no array"));
    assert_non_null(strstr(check("[" HEAD("x") "\"inputs\":[[" FILTER ",3]]," TALLY(
                                     PORT("0", "00"), PORT("0", "00"), PORT("0", "00"), "") "]",
                                 0, 0),
                           "input 1: lineage, stage 2 (): it has no 'tool'"));
}

#define PORT_OF_3(port)                                                  \
    "[" SOURCE "," HEAD("sluice-filter") "\"port\":\"" port "\"," TALLY( \
        PORT("8", "1e"), PORT("5", "10"), PORT("3", "0e"), ",\"reasons\":{\"x\":3}") "]"

/* A stream of rejects, or of the rest, ends in what its last stage rejected. */
static void test_rejects(void **state)
{
    static const char text[] = PORT_OF_3("rejects");
    (void)state;
    assert_string_equal(check(text, 3, 0x0e), "");
    assert_non_null(strstr(check(text, 5, 0x10), "3 rows left"));
    assert_string_equal(check(PORT_OF_3("rest"), 3, 0x0e), "");
    assert_non_null(strstr(check(PORT_OF_3("best"), 3, 0x0e), "an unknown port"));
}

#define MULTIPLY(out, counts)                                                                   \
    "[" HEAD("sluice-mix") "\"tally\":{\"law\":\"multiply\",\"in\":" PORT(                      \
        "8", "1e") ",\"out\":" PORT(out,                                                        \
                                    "99") ",\"rejected\":" PORT("2",                            \
                                                                "01") ",\"reasons\":{\"x\":2}," \
                                                                      "\"counts\":{" counts "}}}]"

static void test_multiply(void **state)
{
    (void)state;
    assert_string_equal(check(MULTIPLY("9", "\"factor_num\":3,\"factor_den\":2"), 9, 0x99), "");
    assert_string_equal(check(MULTIPLY("11", "\"rows_added\":5"), 11, 0x99), "");
    assert_non_null(strstr(check(MULTIPLY("11", "\"rows_added\":4"), 11, 0x99), "4 added"));
    const char *unused = check(MULTIPLY("7", "\"rows_added\":5,\"unused\":4"), 7, 0x99);
    assert_string_equal(unused, "");
    unused = check(MULTIPLY("8", "\"rows_added\":5,\"unused\":4"), 8, 0x99);
    assert_non_null(strstr(unused, "4 unused"));
    assert_non_null(
        strstr(check(MULTIPLY("8", "\"factor_num\":3,\"factor_den\":2"), 8, 0x99), "times 3 / 2"));
    assert_non_null(
        strstr(check(MULTIPLY("8", "\"factor_num\":3,\"factor_den\":0"), 8, 0x99), "times 3 / 0"));
    assert_non_null(strstr(check(MULTIPLY("8", ""), 8, 0x99), "no 'factor_num'"));
}

static void test_not_a_lineage(void **state)
{
    static const char *const texts[] = { "{}", "[3]", "", "[", "null", "[{}]", "[[]]" };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_string_not_equal(check(texts[i], 0, 0), "");
}

static void test_histograms(void **state)
{
    (void)state;
#define HIST(h) \
    "[" HEAD("x") TALLY(PORT("0", "00"), PORT("0", "00"), PORT("0", "00"), ",\"hist\":{" h "}") "]"
#define SEVEN "1,2,3,4,5,6,7,"
#define SIXTY_THREE SEVEN SEVEN SEVEN SEVEN SEVEN SEVEN SEVEN SEVEN SEVEN
    assert_string_equal(check(HIST("\"score\":[" SIXTY_THREE "2]"), 0, 0), "");
    assert_non_null(
        strstr(check(HIST("\"score\":[" SIXTY_THREE "-2]"), 0, 0), "'score' has a bin"));
    assert_non_null(
        strstr(check(HIST("\"score\":[" SIXTY_THREE "2,3]"), 0, 0), "has not its bins"));
    assert_non_null(strstr(check(HIST("\"text_bytes\":[1,2]"), 0, 0), "has not its bins"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),         cmocka_unit_test(test_tampered),
        cmocka_unit_test(test_missing_stage), cmocka_unit_test(test_inputs),
        cmocka_unit_test(test_rejects),       cmocka_unit_test(test_multiply),
        cmocka_unit_test(test_not_a_lineage), cmocka_unit_test(test_histograms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
