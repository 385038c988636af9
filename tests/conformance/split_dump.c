/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces that pre-tokenizers make, for split_test.py. Standard input is commands, each
 * a line; the bytes that a line counts follow it:
 *
 *   kind NAME
 *   step oniguruma|rust BEHAVIOUR INVERT LITERAL BYTES   steps are added up until make
 *   make                                                 "ok NAME", or "error MESSAGE"
 *   text MOST BYTES                                      ends, "-" behind removed ones
 */
#include <stdio.h>
#include <stdlib.h>

#include "token/split.h"

enum { MAX_STEPS = 16, MAX_TEXT = 1 << 28 };

static struct sl_split *split;
static struct sl_split_worker *worker;
static struct sl_split_step steps[MAX_STEPS];
static size_t n_steps;

static struct sl_str take(size_t n)
{
    char *p = n <= MAX_TEXT ? malloc(n + 1) : NULL;
    if (!p || fread(p, 1, n, stdin) != n)
        exit(2);
    return (struct sl_str){ p, n };
}

static void made(enum sl_status st, struct sl_err *err)
{
    char text[1200];
    if (st == SL_OK)
        st = sl_split_worker_new(&worker, split, err);
    if (st == SL_OK)
        printf("ok %s\n", sl_split_name(sl_split_kind_of(split)));
    else
        printf("error %s\n", sl_err_text(err, text, sizeof text));
}

static void make(const char *kind)
{
    struct sl_err err = SL_ERR_INIT;
    sl_split_worker_free(worker);
    sl_split_free(split);
    worker = NULL;
    split = NULL;
    if (kind)
        made(sl_split_new(&split, sl_split_find(sl_str_of(kind)), &err), &err);
    else
        made(sl_split_new_steps(&split, steps, n_steps, &err), &err);
    for (size_t i = 0; i < n_steps; i++)
        free((char *)steps[i].pattern.p);
    n_steps = 0;
}

static void cut(size_t most, size_t bytes)
{
    struct sl_err err = SL_ERR_INIT;
    char message[1200];
    struct sl_str text = take(bytes);
    uint32_t *ends = malloc(most * sizeof *ends);
    uint64_t *removed = malloc((most + 63) / 64 * sizeof *removed);
    size_t at = 0, n = 0;
    enum sl_status st = SL_OK;
    if (!ends || !removed)
        exit(2);
    do {
        st = sl_split_next(split, worker, text, &at, ends, removed, most, &n, &err);
        for (size_t i = 0; st == SL_OK && i < n; i++)
            printf("%u%s ", (unsigned)ends[i], removed[i / 64] >> (i % 64) & 1 ? "-" : "");
    } while (st == SL_OK && n);
    if (st != SL_OK)
        printf("error %s", sl_err_text(&err, message, sizeof message));
    putchar('\n');
    free(ends);
    free(removed);
    free((char *)text.p);
}

int main(void)
{
    char line[200], name[32];
    unsigned long a, b, c;
    unsigned invert, literal;
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "kind %31s", name) == 1) {
            make(name);
        } else if (sscanf(line, "step %31s %lu %u %u %lu", name, &a, &invert, &literal, &c) == 5 &&
                   n_steps < MAX_STEPS) {
            steps[n_steps++] = (struct sl_split_step){
                .pattern = take(c),
                .literal = literal,
                .invert = invert,
                .behaviour = (enum sl_split_behaviour)a,
                .engine = name[0] == 'r' ? SL_REGEX_RUST : SL_REGEX_ONIGURUMA,
            };
        } else if (sscanf(line, "text %lu %lu", &a, &b) == 2 && a > 0 && split) {
            cut(a, b);
        } else if (line[0] == 'm') {
            make(NULL);
        } else {
            return 2;
        }
    }
    sl_split_worker_free(worker);
    sl_split_free(split);
    return 0;
}
