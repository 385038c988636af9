/* SPDX-License-Identifier: Apache-2.0 */
/* A merge for the contract suite: a batch of every input in turn, so that the
 * order of the output shows that all were open at once. */
#include <stdlib.h>

#include "run/tool.h"

static enum sl_status take_one(struct sl_run *run, int i, bool *open, struct sl_batch *batch,
                               struct sl_err *err)
{
    enum sl_status st = sl_run_merge_next(run, i, batch, err);
    *open = st == SL_OK;
    if (st == SL_END)
        return SL_OK;
    return st == SL_OK ? sl_run_pass(run, batch, err) : st;
}

static enum sl_status merge_rounds(struct sl_run *run, int n, struct sl_err *err)
{
    struct sl_batch batch;
    bool *open = calloc((size_t)n, sizeof *open);
    if (!open)
        return sl_err_nomem(err, (uint64_t)n);
    sl_batch_init(&batch);
    for (int i = 0; i < n; i++)
        open[i] = true;
    enum sl_status st = SL_OK;
    for (bool any = true; any && st == SL_OK;) {
        any = false;
        for (int i = 0; i < n && st == SL_OK; i++) {
            if (open[i])
                st = take_one(run, i, &open[i], &batch, err);
            any |= open[i];
        }
    }
    sl_batch_release(&batch);
    free(open);
    return st;
}

static const struct sl_tool tool = {
    .name = "flow_merge",
    .about = "take a batch of every input in turn",
    .group = "look",
    .examples = "flow_merge a.arrows b.arrows > ab.arrows\n"
                "flow_merge a.arrows b.arrows -o ab.arrows",
    .in = "*",
    .out = "*",
    .flow = SL_MERGE,
    .merge = merge_rounds,
    .trial = "",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
