/* SPDX-License-Identifier: Apache-2.0 */
/* Option tables: what is accepted, what is refused, and with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "run/opt.h"

struct conf {
    bool fast;
    bool on;
    uint64_t count, bytes, level;
    double share;
    const char *name, *file, *path, *mode;
};
struct more {
    bool quiet;
};

static const struct sl_opt options[] = {
    SL_OPT_BOOL('f', "fast", struct conf, fast, "go fast", 0),
    SL_OPT_BOOL(0, "on", struct conf, on, "is on [on]", 0),
    SL_OPT_RANGE('c', "count", "N", SL_OPT_T_UINT, struct conf, count, 1, 9, "how many [3]", 0),
    SL_OPT_SIZE('b', "bytes", "BYTES", struct conf, bytes, "how large [64K]", 0),
    SL_OPT_REAL(0, "share", "X", struct conf, share, "how much [0.5]", 0),
    SL_OPT_STR('n', "name", "NAME", struct conf, name, "which [any]", SL_OPT_RESULT),
    SL_OPT_FILE(0, "file", "FILE", struct conf, file, "a file", 0),
    SL_OPT_PATH(0, "path", "PATH", struct conf, path, "a place", SL_OPT_REQUIRED),
    SL_OPT_CHOICE('m', "mode", "one|two|three", struct conf, mode, "the way [two]", 0),
    SL_OPT_RANGE(0, "level", "N", SL_OPT_T_UINT, struct conf, level, 1, 19, "level",
                 SL_OPT_OPTIONAL),
    SL_OPT_END
};
static const struct sl_opt common[] = {
    SL_OPT_BOOL('q', "quiet", struct more, quiet, "say nothing", 0), SL_OPT_END
};

static struct conf conf;
static struct more more;
static struct sl_err err;
static const char *operands[16];
static int n_operands;

/* Parse words, up to 14, that are separated by one blank; "_" is an empty one. */
static enum sl_status parse(const char *line)
{
    static char text[256];
    char *argv[16] = { "tool" };
    int argc = 1;
    struct sl_opt_group groups[] = { { options, &conf }, { common, &more } };
    snprintf(text, sizeof text, "%s", line);
    for (char *p = text, *word; *p && argc < 15; argc++) {
        word = p;
        p += strcspn(p, " ");
        if (*p)
            *p++ = 0;
        argv[argc] = strcmp(word, "_") == 0 ? "" : word;
    }
    conf = (struct conf){ 0 };
    more = (struct more){ 0 };
    err = (struct sl_err)SL_ERR_INIT;
    SL_TRY(sl_opt_defaults(groups, 2, &err));
    struct sl_opt_args args = { argc, argv, operands, 0 };
    enum sl_status st = sl_opt_parse(groups, 2, &args, &err);
    n_operands = args.n_operands;
    return st == SL_OK ? sl_opt_check_required(groups, 2, &err) : st;
}

/* The line is refused as a usage error whose message has these words. */
static void refused(const char *line, const char *words)
{
    if (parse(line) != SL_E_USAGE || !strstr(err.msg, words))
        fail_msg("'%s' gives status %d, \"%s\", without \"%s\"", line, err.status, err.msg, words);
}

static void accepted(const char *line)
{
    if (parse(line) != SL_OK)
        fail_msg("'%s': %s", line, err.msg);
}

static void defaults(void **state)
{
    (void)state;
    accepted("--path x");
    assert_true(!conf.fast && conf.on && !more.quiet);
    assert_int_equal(conf.count, 3);
    assert_int_equal(conf.bytes, 65536);
    assert_true(conf.share == 0.5);
    assert_string_equal(conf.name, "any");
    assert_string_equal(conf.mode, "two");
    assert_null(conf.file);
    assert_int_equal(conf.level, 0);
    assert_int_equal(n_operands, 0);
}

static void values(void **state)
{
    (void)state;
    accepted("--path=p -f --no-on -c7 -b 2M --share=-1e3 --name a=b --file - -m three -q");
    assert_true(conf.fast && !conf.on && more.quiet);
    assert_int_equal(conf.count, 7);
    assert_int_equal(conf.bytes, 2 << 20);
    assert_true(conf.share == -1000);
    assert_string_equal(conf.name, "a=b");
    assert_string_equal(conf.file, "-");
    assert_string_equal(conf.mode, "three");
    accepted("--path=p -fqc 5");
    assert_true(conf.fast && more.quiet && conf.count == 5);
    accepted("--path=p --level=4");
    assert_int_equal(conf.level, 4);
    accepted("--path=p --level 4");
    assert_true(conf.level == UINT64_MAX && n_operands == 1);
}

static void last_wins(void **state)
{
    (void)state;
    accepted("--path a --path b -f --no-fast -c 1 --count=2 --no-on --on");
    assert_string_equal(conf.path, "b");
    assert_true(!conf.fast && conf.on && conf.count == 2);
}

static void operands_and_dashes(void **state)
{
    (void)state;
    accepted("x --path p - y -f -- -f --no-such --");
    assert_int_equal(n_operands, 6);
    assert_string_equal(operands[0], "x");
    assert_string_equal(operands[1], "-");
    assert_string_equal(operands[3], "-f");
    assert_string_equal(operands[5], "--");
    assert_true(conf.fast);
    accepted("--path p _");
    assert_int_equal(n_operands, 1);
}

static void bad_values(void **state)
{
    (void)state;
    static const char *const numbers[] = { "x", "-1", "1.5", "+1", "1x", "0x1", "_" };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char line[64];
        snprintf(line, sizeof line, "--path p -c %s", numbers[i]);
        refused(line, "--count");
        snprintf(line, sizeof line, "--path p -b %s", numbers[i]);
        refused(line, "--bytes");
    }
    refused("--path p -c 0", "between 1 and 9");
    refused("--path p -c 10", "between 1 and 9");
    refused("--path p -b 1Q", "64K");
    refused("--path p -b 99999999999G", "--bytes");
    refused("--path p --share x", "--share");
    refused("--path p --share nan", "--share");
    refused("--path p -m four", "one|two|three");
    refused("--path p -m on", "one|two|three");
    refused("--path p -m _", "one|two|three");
    refused("--path p --name _", "empty");
    refused("--path p --level=0", "between");
    refused("--path _", "empty");
}

static void bad_options(void **state)
{
    (void)state;
    refused("--fst", "did you mean --fast?");
    refused("--no-fats", "--no-fats");
    refused("--quie --path p", "did you mean --quiet?");
    refused("--nothinglikeit", "--nothinglikeit");
    refused("-x", "-x");
    refused("-fx", "-x");
    refused("--fast=1", "takes no value");
    refused("--no-count", "--no-count");
    refused("--count", "needs a value");
    refused("-c", "needs a value");
    refused("-f", "--path");
}

static void help_parts(void **state)
{
    (void)state;
    struct sl_str d = sl_opt_default(&options[2]), a = sl_opt_about(&options[2]);
    assert_true(sl_str_eq(d, SL_STR("3")) && sl_str_eq(a, SL_STR("how many")));
    d = sl_opt_default(&options[0]);
    a = sl_opt_about(&options[0]);
    assert_true(d.n == 0 && sl_str_eq(a, SL_STR("go fast")));
}

static void bad_default(void **state)
{
    (void)state;
    static const struct sl_opt wrong[] = {
        SL_OPT_UINT(0, "n", "N", struct conf, count, "number [many]", 0), SL_OPT_END
    };
    struct sl_opt_group group = { wrong, &conf };
    err = (struct sl_err)SL_ERR_INIT;
    assert_true(sl_opt_defaults(&group, 1, &err) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),   cmocka_unit_test(values),
        cmocka_unit_test(last_wins),  cmocka_unit_test(operands_and_dashes),
        cmocka_unit_test(bad_values), cmocka_unit_test(bad_options),
        cmocka_unit_test(help_parts), cmocka_unit_test(bad_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
