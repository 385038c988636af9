/* SPDX-License-Identifier: Apache-2.0 */
/* The merge flow: every input open at once. Each is a struct sl_inputs of one
 * stream, so that hashes, trailers, digests and upstream errors are handled as
 * everywhere; the first is the run's own, since its schema and lineage are
 * those that the output is made from. The inputs are taken batch by batch
 * through the run, which counts them: a merge that forgets one breaks the
 * conservation law. */
#include <stdlib.h>

#include "run/run_private.h"

static void keep_upstream(struct sl_run *run, const struct sl_inputs *in)
{
    run->in.upstream = in->upstream;
    run->in.upstream_near = in->upstream_near;
}

static enum sl_status open_other(struct sl_run *run, int i, struct sl_err *err)
{
    struct sl_inputs *in = &run->others[i];
    const char *const *path = &run->inputs[i + 1];
    enum sl_status st = sl_inputs_open(in, path, 1, run->tool->checks_input, err);
    run->n_others = i + 1;
    if (st == SL_E_UPSTREAM)
        keep_upstream(run, in);
    SL_TRY(st);
    return sl_inputs_check_joins(&run->in, &in->schema, *path, err);
}

enum sl_status sl_merge_open(struct sl_run *run, struct sl_err *err)
{
    int n = run->n_inputs - 1;
    if (n < 1)
        return SL_OK;
    run->others = calloc((size_t)n, sizeof *run->others);
    if (!run->others)
        return sl_err_nomem(err, (uint64_t)n * sizeof *run->others);
    for (int i = 0; i < n; i++)
        SL_TRY(open_other(run, i, err));
    return SL_OK;
}

enum sl_status sl_run_merge_next(struct sl_run *run, int i, struct sl_batch *batch,
                                 struct sl_err *err)
{
    struct sl_inputs *in = i ? &run->others[i - 1] : &run->in;
    if (run->opt.flush) /* the call may wait */
        SL_TRY(sl_run_cut(run, err));
    enum sl_status st = sl_inputs_next(in, batch, err);
    if (st == SL_E_UPSTREAM)
        keep_upstream(run, in);
    SL_TRY(st);
    sl_inputs_rebind(batch, &run->in.schema);
    sl_port_add(&run->tally.in, sl_batch_column(batch, "id"), batch->n_rows);
    run->bytes_in += (int64_t)batch->body.n;
    sl_progress_tick(run);
    return SL_OK;
}

static enum sl_status end_input(struct sl_run *run, struct sl_inputs *in, struct sl_err *err)
{
    if (in->at < in->n_paths)
        return sl_err_set(err, SL_E_BUG, "the merge did not read '%s' to its end", in->paths[0]);
    return in == &run->in ? SL_OK : sl_lineage_join(&run->in.lineage, &in->lineage, err);
}

enum sl_status sl_run_merge(struct sl_run *run, struct sl_err *err)
{
    SL_TRY(run->tool->merge(run, run->n_others + 1, err));
    SL_TRY(end_input(run, &run->in, err));
    for (int i = 0; i < run->n_others; i++)
        SL_TRY(end_input(run, &run->others[i], err));
    return SL_OK;
}

void sl_merge_close(struct sl_run *run)
{
    for (int i = 0; i < run->n_others; i++)
        sl_inputs_close(&run->others[i]);
    free(run->others);
}
