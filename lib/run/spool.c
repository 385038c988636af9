/* SPDX-License-Identifier: Apache-2.0 */
/* The second pass of collect. Regular files are read again from where they are;
 * where any input is a pipe, all rows are kept in an unlinked file of --tmpdir
 * on their first pass. A file that changed between the passes is an error: what
 * was decided on its first rows would be applied to others. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/run_private.h"

/* ctx: the run's spool_fd. */
static ssize_t spool_write(void *ctx, const void *buf, size_t n)
{
    return write(*(const int *)ctx, buf, n);
}

static bool can_read_again(const struct sl_inputs *in)
{
    for (int i = 0; i < in->n_paths; i++) {
        struct stat st;
        if (strcmp(in->paths[i], "-") == 0 || stat(in->paths[i], &st) != 0 || !S_ISREG(st.st_mode))
            return false;
    }
    return true;
}

enum sl_status sl_run_spool_open(struct sl_run *run, struct sl_err *err)
{
    char path[4096];
    if (can_read_again(&run->in))
        return SL_OK;
    snprintf(path, sizeof path, "%s/sluice-spool-XXXXXX", run->opt.common.tmpdir);
    run->spool_fd = mkstemp(path);
    if (run->spool_fd < 0)
        return sl_err_sys(err, errno, "cannot make a temporary file in '%s'",
                          run->opt.common.tmpdir);
    unlink(path);
    struct sl_sink_backend backend = { spool_write, NULL, &run->spool_fd };
    struct sl_write_options options = { 0 };
    struct sl_sink *sink;
    SL_TRY(sl_sink_open_backend(&sink, backend, "temporary file", err));
    return sl_out_open_sink(&run->spool, sink, &run->in.schema, &options, err);
}

static enum sl_status end_spool(struct sl_run *run, struct sl_err *err)
{
    if (run->spool_fd >= 0 && !run->spool_ended)
        SL_TRY(sl_out_end(&run->spool, SL_STR("[]"), NULL, err));
    run->spool_ended = true;
    return SL_OK;
}

enum sl_status sl_run_again(struct sl_run *run,
                            enum sl_status (*each)(struct sl_run *run, const struct sl_batch *batch,
                                                   struct sl_err *err),
                            struct sl_err *err)
{
    char name[64];
    struct sl_inputs again;
    struct sl_batch batch;
    const char *paths[1] = { name };
    bool spooled = run->spool_fd >= 0;
    int64_t rows = 0;
    SL_TRY(end_spool(run, err));
    snprintf(name, sizeof name, "/proc/self/fd/%d", run->spool_fd);
    sl_batch_init(&batch);
    enum sl_status st = sl_inputs_open(&again, spooled ? paths : run->in.paths,
                                       spooled ? 1 : run->in.n_paths, false, err);
    while (st == SL_OK) {
        st = sl_inputs_next(&again, &batch, err);
        if (st != SL_OK)
            break;
        rows += batch.n_rows;
        sl_inputs_rebind(&batch, &run->in.schema);
        st = each(run, &batch, err);
    }
    if (st == SL_END && rows != run->tally.in.rows)
        st =
            sl_err_set(err, SL_E_DATA, "the input changed between two passes: %lld rows, then %lld",
                       (long long)run->tally.in.rows, (long long)rows);
    sl_batch_release(&batch);
    sl_inputs_close(&again);
    return st == SL_END ? SL_OK : st;
}
