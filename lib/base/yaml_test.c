/* SPDX-License-Identifier: Apache-2.0 */
/* YAML into structs: every type, every refusal with its place, and back. */
#include "base/yaml.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct item {
    uint64_t size;
    const char *path;
};

struct pick_a {
    double limit;
};

struct pick_b {
    struct sl_yaml_strs words;
};

struct conf {
    bool on;
    uint64_t count;
    int64_t shift;
    double share;
    const char *title;
    struct sl_yaml_strs words;
    struct item one;
    struct sl_yaml_items list, named;
    struct sl_yaml_picked picked;
};

static const struct sl_yaml_key item_keys[] = {
    { .key = "size", .type = SL_YAML_UINT, .offset = offsetof(struct item, size), .def = "7" },
    { .key = "path",
      .type = SL_YAML_STR,
      .offset = offsetof(struct item, path),
      .flags = SL_YAML_REQUIRED },
    { .key = NULL },
};

static const struct sl_yaml_key one_keys[] = {
    { .key = "size", .type = SL_YAML_UINT, .offset = offsetof(struct item, size), .def = "3" },
    { .key = NULL },
};

static const struct sl_yaml_key a_keys[] = {
    { .key = "limit",
      .type = SL_YAML_REAL,
      .offset = offsetof(struct pick_a, limit),
      .def = "0.5",
      .flags = SL_YAML_OFF },
    { .key = NULL },
};

static const struct sl_yaml_key b_keys[] = {
    { .key = "words",
      .type = SL_YAML_STRS,
      .offset = offsetof(struct pick_b, words),
      .def = "[the, 'be', no]" },
    { .key = NULL },
};

static const struct sl_yaml_pick picks[] = {
    { "alpha", a_keys, sizeof(struct pick_a) },
    { "beta", b_keys, sizeof(struct pick_b) },
    { NULL, NULL, 0 },
};

#define AT(member) .offset = offsetof(struct conf, member)
static const struct sl_yaml_key keys[] = {
    { .key = "on", .type = SL_YAML_BOOL, AT(on), .def = "true" },
    { .key = "count",
      .type = SL_YAML_UINT,
      AT(count),
      .def = "12",
      .min = 1,
      .max = 1000,
      .flags = SL_YAML_OFF },
    { .key = "shift", .type = SL_YAML_INT, AT(shift), .def = "-4" },
    { .key = "share", .type = SL_YAML_REAL, AT(share), .def = "0.1", .max = 1 },
    { .key = "title", .type = SL_YAML_STR, AT(title), .max = 50 },
    { .key = "words", .type = SL_YAML_STRS, AT(words) },
    { .key = "one", .type = SL_YAML_STRUCT, AT(one), .keys = one_keys },
    { .key = "list",
      .type = SL_YAML_LIST,
      AT(list),
      .keys = item_keys,
      .size = sizeof(struct item) },
    { .key = "named",
      .type = SL_YAML_NAMED,
      AT(named),
      .keys = item_keys,
      .size = sizeof(struct item) },
    { .key = "picked", .type = SL_YAML_PICKS, AT(picked), .picks = picks },
    { .key = NULL },
};

static enum sl_status read_text(struct sl_str text, struct conf *conf, struct sl_arena *arena,
                                struct sl_err *err)
{
    memset(conf, 0, sizeof *conf);
    sl_arena_init(arena, 1 << 20);
    sl_err_reset(err);
    return sl_yaml_read(text, "x.yaml", keys, conf, arena, err);
}

static void test_defaults(void **state)
{
    (void)state;
    struct conf c, d = { 0 };
    struct sl_arena a, b;
    struct sl_err err = SL_ERR_INIT;
    assert_int_equal(read_text(SL_STR("{}"), &c, &a, &err), SL_OK);
    assert_true(c.on);
    assert_int_equal(c.count, 12);
    assert_int_equal(c.shift, -4);
    assert_true(c.share == 0.1);
    assert_null(c.title);
    assert_int_equal(c.one.size, 3);
    assert_int_equal(c.list.n + c.named.n + c.picked.n + c.words.n, 0);
    sl_arena_init(&b, 1 << 20);
    assert_int_equal(sl_yaml_defaults(keys, &d, &b, &err), SL_OK);
    assert_memory_equal(&c, &d, sizeof c);
    sl_arena_release(&a);
    sl_arena_release(&b);
}

static const char full[] = "# a comment\n"
                           "on: false\n"
                           "count: 999\n"
                           "shift: 5\n"
                           "share: 1e-3\n"
                           "title: \"two\\nlines\"\n"
                           "words: [yes, 'null', 017, \"\"]\n"
                           "one: {size: 0}\n"
                           "list:\n"
                           "- {path: a}\n"
                           "- size: 1\n"
                           "  path: b c\n"
                           "named:\n"
                           "  zebra: {path: z}\n"
                           "  ant: {path: '', size: 2}\n"
                           "picked:\n"
                           "  beta: {}\n"
                           "  alpha: {limit: false}\n";

static void test_all_types(void **state)
{
    (void)state;
    struct conf c;
    struct sl_arena a;
    struct sl_err err = SL_ERR_INIT;
    if (read_text(SL_STR(full), &c, &a, &err) != SL_OK)
        fail_msg("%s", err.msg);
    assert_false(c.on);
    assert_int_equal(c.count, 999);
    assert_int_equal(c.shift, 5);
    assert_true(c.share == 1e-3);
    assert_string_equal(c.title, "two\nlines");
    assert_int_equal(c.words.n, 4);
    assert_true(sl_str_eq(c.words.v[0], SL_STR("yes")));
    assert_true(sl_str_eq(c.words.v[1], SL_STR("null")));
    assert_true(sl_str_eq(c.words.v[2], SL_STR("017")));
    assert_int_equal(c.words.v[3].n, 0);
    assert_int_equal(c.one.size, 0);
    const struct item *list = c.list.items, *named = c.named.items;
    assert_int_equal(c.list.n, 2);
    assert_int_equal(list[0].size, 7);
    assert_string_equal(list[1].path, "b c");
    assert_int_equal(c.named.n, 2);
    assert_string_equal(c.named.names[0], "zebra");
    assert_string_equal(c.named.names[1], "ant");
    assert_int_equal(named[1].size, 2);
    assert_int_equal(c.picked.n, 2);
    assert_int_equal(c.picked.picks[0], 1);
    assert_int_equal(((struct pick_b *)c.picked.confs[0])->words.n, 3);
    assert_true(isnan(((struct pick_a *)c.picked.confs[1])->limit));
    sl_arena_release(&a);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct conf c, d;
    struct sl_arena a, b;
    struct sl_err err = SL_ERR_INIT;
    struct sl_buf one, two;
    sl_buf_init(&one, 1 << 20);
    sl_buf_init(&two, 1 << 20);
    assert_int_equal(read_text(SL_STR(full), &c, &a, &err), SL_OK);
    c.title = "quote \" backslash \\ \x01 \xc2\x85 \xe2\x80\xa8 \xef\xbb\xbf \xf0\x9f\x98\x80";
    assert_int_equal(sl_yaml_write(keys, &c, &one, &err), SL_OK);
    if (read_text(sl_buf_str(&one), &d, &b, &err) != SL_OK)
        fail_msg("%s in\n%.*s", err.msg, (int)one.n, one.p);
    assert_string_equal(c.title, d.title);
    assert_int_equal(sl_yaml_write(keys, &d, &two, &err), SL_OK);
    assert_true(sl_str_eq(sl_buf_str(&one), sl_buf_str(&two)));
    sl_buf_release(&one);
    sl_buf_release(&two);
    sl_arena_release(&a);
    sl_arena_release(&b);
}

static void test_json(void **state)
{
    (void)state;
    struct conf c;
    struct sl_arena a;
    struct sl_err err = SL_ERR_INIT;
    struct sl_buf text;
    struct sl_json *o = sl_json_new_object();
    sl_buf_init(&text, 1 << 20);
    assert_int_equal(read_text(SL_STR(full), &c, &a, &err), SL_OK);
    c.share = 0.5;
    assert_int_equal(sl_yaml_json(keys, &c, o, &err), SL_OK);
    assert_int_equal(sl_json_dump(o, &text, &err), SL_OK);
    assert_string_equal(
        sl_buf_cstr(&text),
        "{\"on\":false,\"count\":999,\"shift\":5,\"share\":0.5,\"title\":\"two\\nlines\","
        "\"words\":[\"yes\",\"null\",\"017\",\"\"],\"one\":{\"size\":0},"
        "\"list\":[{\"size\":7,\"path\":\"a\"},{\"size\":1,\"path\":\"b c\"}],"
        "\"named\":{\"zebra\":{\"size\":7,\"path\":\"z\"},\"ant\":{\"size\":2,\"path\":\"\"}},"
        "\"picked\":{\"beta\":{\"words\":[\"the\",\"be\",\"no\"]},\"alpha\":{\"limit\":false}}}");
    sl_json_free(o);
    sl_buf_release(&text);
    sl_arena_release(&a);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "", "x.yaml:1:1: there is nothing in it" },
        { "# only a comment\n", "x.yaml:1:1: there is nothing in it" },
        { "---\n", "x.yaml:2:1: no value; {} stands for all defaults" },
        { "- a\n", "x.yaml:1:1: expected a mapping (key: value), not a list" },
        { "word\n", "x.yaml:1:1: expected a mapping (key: value), not a single value" },
        { "on: true\ncuont: 3\n", "x.yaml:2:1: unknown key 'cuont' (did you mean 'count'?)" },
        { "zzzzzzzz: 3\n", "x.yaml:1:1: unknown key 'zzzzzzzz'" },
        { "list:\n- {path: a, sise: 3}\n",
          "x.yaml:2:13: unknown key 'sise' (did you mean 'size'?)" },
        { "picked: {alpa: {}}\n", "x.yaml:1:10: unknown name 'alpa' (did you mean 'alpha'?)" },
        { "on: yes\n", "x.yaml:1:5: on: expected true or false, not 'yes'" },
        { "on: 'true'\n", "x.yaml:1:5: on: expected true or false, not the string 'true'" },
        { "on:\n", "x.yaml:1:4: on: expected true or false, but there is no value" },
        { "on: ~\n", "x.yaml:1:5: on: expected true or false, not '~'" },
        { "on: [true]\n", "x.yaml:1:5: on: expected true or false, not a list" },
        { "count: 010\n", "x.yaml:1:8: count: expected a whole number or false, not '010'" },
        { "count: 0x10\n", "x.yaml:1:8: count: expected a whole number or false, not '0x10'" },
        { "count: 1_0\n", "x.yaml:1:8: count: expected a whole number or false, not '1_0'" },
        { "count: 1.0\n", "x.yaml:1:8: count: expected a whole number or false, not '1.0'" },
        { "count: -1\n", "x.yaml:1:8: count: expected a whole number or false, not '-1'" },
        { "count: '5'\n",
          "x.yaml:1:8: count: expected a whole number or false, not the string '5'" },
        { "count: true\n", "x.yaml:1:8: count: expected a whole number or false, not 'true'" },
        { "count: 18446744073709551615\n",
          "x.yaml:1:8: count: expected a whole number or false, not '18446744073709551615'" },
        { "count: 0\n", "x.yaml:1:8: count: 0 is out of range (1 to 1000)" },
        { "count: 1001\n", "x.yaml:1:8: count: 1001 is out of range (1 to 1000)" },
        { "shift: false\n", "x.yaml:1:8: shift: expected a whole number, not 'false'" },
        { "share: 1.5\n", "x.yaml:1:8: share: 1.5 is out of range (0 to 1)" },
        { "share: .nan\n", "x.yaml:1:8: share: expected a number, not '.nan'" },
        { "share: inf\n", "x.yaml:1:8: share: expected a number, not 'inf'" },
        { "share: 0,5\n", "x.yaml:1:8: share: expected a number, not '0,5'" },
        { "title: null\n", "x.yaml:1:8: title: expected a string, not 'null'" },
        { "title: \"a\\0b\"\n",
          "x.yaml:1:8: title: expected a string without NUL, not the string 'a" },
        { "title: 1234567890123456789012345678901234567890123456789012345\n",
          "x.yaml:1:8: title: a string of 55 bytes (0 to 50)" },
        { "words: a\n", "x.yaml:1:8: words: expected a list of strings, not 'a'" },
        { "words: [a, [b]]\n", "x.yaml:1:12: words: expected a string, not a list" },
        { "one: {}\none: {}\n", "x.yaml:2:1: key 'one' stands here again (first in line 1)" },
        { "named:\n  a: {path: x}\n  b: {path: x}\n  a: {path: x}\n",
          "x.yaml:4:3: key 'a' stands here again (first in line 2)" },
        { "list: [{size: 1}]\n", "x.yaml:1:8: key 'path' is missing" },
        { "one:\n", "x.yaml:1:5: no value; {} stands for all defaults" },
        { "one: &x {}\n", "x.yaml:1:6: anchors (&), aliases (*) and tags (!) are not allowed" },
        { "one: *x\n", "x.yaml:1:6: anchors (&), aliases (*) and tags (!) are not allowed" },
        { "on: !!bool true\n",
          "x.yaml:1:5: anchors (&), aliases (*) and tags (!) are not allowed" },
        { "<<: {on: true}\n", "x.yaml:1:1: unknown key '<<'" },
        { "%YAML 1.1\n---\non: true\n", "x.yaml:1:1: directives (%) are not allowed" },
        { "on: true\n---\non: true\n", "x.yaml:2:1: a second document; one file holds one" },
        { "[a]: 1\n", "x.yaml:1:1: a key must be a single word or string" },
        { "? {a: 1}\n: 1\n", "x.yaml:1:3: a key must be a single word or string" },
        { "on: true\n\xff\n", "x.yaml:2:1: not UTF-8" },
        { "a: b: c\n", "x.yaml:1:5: mapping values are not allowed in this context" },
        { "title: \"abc\n", "x.yaml:2:1: found unexpected end of stream" },
        { "on: true\n\tcount: 3\n", "x.yaml:2:1: " },
        { "on: \x01\n", "x.yaml:1:5: control characters are not allowed" },
    };
    int n_bad = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct conf c;
        struct sl_arena a;
        struct sl_err err = SL_ERR_INIT;
        enum sl_status st = read_text(sl_str_of(cases[i][0]), &c, &a, &err);
        if (st != SL_E_DATA || strncmp(err.msg, cases[i][1], strlen(cases[i][1])) != 0) {
            print_error("case %zu: %d '%s' is not '%s'\n", i, st, err.msg, cases[i][1]);
            n_bad++;
        }
        sl_arena_release(&a);
    }
    assert_int_equal(n_bad, 0);
}

/* A byte order mark in front is passed over; places are those of the text. */
static void test_mark(void **state)
{
    (void)state;
    struct conf c;
    struct sl_arena a;
    struct sl_err err = SL_ERR_INIT;
    assert_int_equal(read_text(SL_STR("\xef\xbb\xbftitle: a\n"), &c, &a, &err), SL_OK);
    assert_string_equal(c.title, "a");
    sl_arena_release(&a);
    assert_int_equal(read_text(SL_STR("\xef\xbb\xbfno: 1\n"), &c, &a, &err), SL_E_DATA);
    assert_true(strncmp(err.msg, "x.yaml:1:1: unknown key", 23) == 0);
    sl_arena_release(&a);
    err = (struct sl_err)SL_ERR_INIT;
    assert_int_equal(read_text(SL_STR("\xef\xbb\xbf"), &c, &a, &err), SL_E_DATA);
    assert_string_equal(err.msg, "x.yaml:1:1: there is nothing in it");
    sl_arena_release(&a);
}

/* Aliases of aliases: the classic bomb. Depth, and text that is too long. */
static void test_hostile(void **state)
{
    (void)state;
    struct conf c;
    struct sl_arena a;
    struct sl_err err = SL_ERR_INIT;
    char deep[4096];
    assert_int_equal(read_text(SL_STR("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"), &c, &a, &err),
                     SL_E_DATA);
    sl_arena_release(&a);
    assert_int_equal(read_text((struct sl_str){ NULL, 0 }, &c, &a, &err), SL_E_DATA);
    sl_arena_release(&a);
    memset(deep, '[', sizeof deep);
    assert_int_equal(read_text((struct sl_str){ deep, sizeof deep }, &c, &a, &err), SL_E_DATA);
    assert_string_equal(err.msg, "x.yaml:1:33: nested too deeply");
    sl_arena_release(&a);
    char *big = malloc(SL_YAML_MAX_BYTES + 1);
    memset(big, '#', SL_YAML_MAX_BYTES + 1);
    assert_int_equal(read_text((struct sl_str){ big, SL_YAML_MAX_BYTES + 1 }, &c, &a, &err),
                     SL_E_DATA);
    assert_string_equal(err.msg, "x.yaml: larger than 1048576 bytes");
    sl_arena_release(&a);
    free(big);
}

/* Every beginning of a text is read or refused, never more. */
static void test_cut(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof full; n++) {
        struct conf c;
        struct sl_arena a;
        struct sl_err err = SL_ERR_INIT;
        char *cut = malloc(n + 1);
        memcpy(cut, full, n);
        enum sl_status st = read_text((struct sl_str){ cut, n }, &c, &a, &err);
        assert_true(st == SL_OK || st == SL_E_DATA);
        sl_arena_release(&a);
        free(cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),   cmocka_unit_test(test_all_types),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_json),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_cut),        cmocka_unit_test(test_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
