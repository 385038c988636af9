/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-sort: the rows of a stream in another order. The sorting is
 * lib/order/row_sort.c, which keeps the rows itself. */
#include <stdlib.h>

#include "order/row_sort.h"
#include "run/tool.h"

struct conf {
    const char *by;
    bool compress_tmp;
};

static const struct sl_opt options[] = {
    SL_OPT_STR(0, "by", "ORDER", struct conf, by,
               "columns to sort by, each with asc or desc: \"lang, edu_score desc\" [id]",
               SL_OPT_RESULT),
    SL_OPT_BOOL(0, "compress-tmp", struct conf, compress_tmp,
                "compress temporary files; without it faster, on more disk [on]", SL_OPT_HIDDEN),
    SL_OPT_END
};

enum { NULLS, SAME_KEY };
static const char *const counts[] = { "nulls", "same_key", NULL };

struct state {
    struct sl_row_keys *keys;
    struct sl_row_sort *sort;
};

static enum sl_status start(struct sl_run *run, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    const struct sl_common *common = sl_run_common(run);
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    sl_run_set_state(run, s);
    SL_TRY(sl_row_keys_parse(&s->keys, conf->by, sl_run_in_schema(run), err));
    return sl_row_sort_new(&s->sort, s->keys, common->mem_bytes, common->tmpdir, conf->compress_tmp,
                           err);
}

static enum sl_status step(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    const struct state *s = sl_run_state(run);
    return sl_row_sort_add(s->sort, b, err);
}

static enum sl_status emit(void *run, struct sl_str *rows, size_t n, struct sl_err *err)
{
    return sl_run_emit_rows(run, rows, n, err);
}

static enum sl_status end(struct sl_run *run, struct sl_err *err)
{
    const struct state *s = sl_run_state(run);
    SL_TRY(sl_row_sort_end(s->sort, emit, run, err));
    struct sl_row_sort_counts c = sl_row_sort_counts(s->sort);
    sl_run_count(run, NULLS, c.nulls);
    sl_run_count(run, SAME_KEY, c.same_key);
    if (c.runs)
        sl_run_note(run, "%lld runs, %lld merges, %lld MB of disk", (long long)c.runs,
                    (long long)c.merges, (long long)(c.disk_bytes / 1000000));
    return SL_OK;
}

static void stop(struct sl_run *run)
{
    struct state *s = sl_run_state(run);
    if (!s)
        return;
    sl_row_sort_free(s->sort);
    sl_row_keys_free(s->keys);
    free(s);
}

static const struct sl_tool tool = {
    .name = "sluice-sort",
    .about = "sort the rows of a stream by columns, in bounded memory",
    .group = "order",
    .examples = "sluice-sort --by difficulty_compression packed.arrows > sorted.arrows\n"
                "sluice-sort --by \"lang, edu_score desc\" --mem 4G --tmpdir /scratch docs.arrows "
                "-o s.arrows",
    .notes = "Nulls come last, ascending and descending; rows that are equal so far are ordered\n"
             "by id, then copy. The result is the same for any --mem, of which 16M are the least.\n"
             "What does not fit is written to --tmpdir. See docs/sorting.md.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .in = "*",
    .out = "*",
    .counts = counts,
    .flow = SL_COLLECT,
    .reads_once = true,
    .start = start,
    .step = step,
    .end = end,
    .stop = stop,
    .trial = "--by id --mem 32M",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
