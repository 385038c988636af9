/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-cat: one stream after another. Message hashes, trailers and digests of
 * every input are checked on the way. --rebatch cuts batches anew, from the rows
 * alone, so that two streams with equal digests become equal bytes. */
#include "run/tool.h"

struct conf {
    bool rebatch;
};

static const struct sl_opt options[] = { SL_OPT_BOOL(0, "rebatch", struct conf, rebatch,
                                                     "cut batches anew, from the rows alone",
                                                     SL_OPT_RESULT),
                                         SL_OPT_END };

static enum sl_status rebatch(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    struct sl_rows *out = sl_run_rows(run);
    for (int64_t row = 0; row < b->n_rows; row++) {
        for (uint32_t c = 0; c < b->schema->n_fields; c++)
            SL_TRY(sl_colbuf_take_range(&out->cols[c], &b->columns[c], row, 1, err));
        SL_TRY(sl_run_close_row(run, err));
    }
    return SL_OK;
}

static enum sl_status cat_batch(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    return conf->rebatch ? rebatch(run, b, err) : sl_run_pass(run, b, err);
}

static const struct sl_tool tool = {
    .name = "sluice-cat",
    .about = "join streams, one after another, and check all that passes",
    .group = "look",
    .examples = "sluice-cat part-*.arrows > all.arrows\n"
                "sluice-cat --rebatch a.arrows b.arrows -o ab.arrows",
    .notes = "The inputs need equal kinds, columns (names, types, order) and tokenizers. Hashes,\n"
             "trailers and column digests of every input are checked.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .in = "*",
    .out = "*",
    .flow = SL_SCAN,
    .checks_input = true,
    .step = cat_batch,
    .trial = "",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
