/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-shuffle: the rows of a stream in the order of a hash of their keys, which
 * depends on nothing but these and the seed. The sorting is lib/order/row_sort.c, which
 * keeps the rows itself. */
#include <stdlib.h>

#include "base/row_hash.h"
#include "order/row_sort.h"
#include "run/tool.h"

struct conf {
    bool compress_tmp;
};

static const struct sl_opt options[] = {
    SL_OPT_BOOL(0, "compress-tmp", struct conf, compress_tmp,
                "compress temporary files; without it faster, on more disk [on]", SL_OPT_HIDDEN),
    SL_OPT_END
};

enum { SAME_KEY };
static const char *const counts[] = { "same_key", NULL };

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
    uint64_t seed = sl_row_seed("sluice-shuffle/order", common->seed);
    SL_TRY(sl_row_keys_shuffle(&s->keys, seed, sl_run_in_schema(run), err));
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
    .name = "sluice-shuffle",
    .about = "put the rows of a stream into a random order, in bounded memory",
    .group = "order",
    .examples = "sluice-shuffle --seed 7 packed.arrows | sluice-shard -o shards/\n"
                "sluice-shuffle --mem 4G --tmpdir /scratch docs-*.arrows -o shuffled.arrows",
    .notes =
        "The order is that of a hash of id, copy and the seed: the same rows and seed give the\n"
        "same order, however the input was ordered or cut, and for any --mem, of which 16M\n"
        "are the least. What does not fit is written to --tmpdir. See docs/sorting.md.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .in = "*",
    .out = "*",
    .needs = "id",
    .counts = counts,
    .flow = SL_COLLECT,
    .reads_once = true,
    .seeded = true,
    .start = start,
    .step = step,
    .end = end,
    .stop = stop,
    .trial = "--seed 5 --mem 32M",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
