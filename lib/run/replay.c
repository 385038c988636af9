/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs of a merge that are read more than once. Regular files are read again from where
 * they are; of others every batch of the first pass is kept, compressed, in an unnamed file
 * of --tmpdir, in our own format, so that a flipped bit in it is found. A pass that comes to
 * its end is compared with the first. */
#include <stdlib.h>
#include <string.h>

#include "run/run_private.h"

enum { KEPT_LEVEL = 1 };

struct sl_replay {
    bool kept, on;        /* on: a later pass is being read */
    struct sl_temp *file; /* NULL: the input's files are read again */
    struct sl_sink *sink;
    struct sl_writer *writer;
    bool ended;
    int64_t rows, rows_again; /* of the first pass, of this one */
    struct sl_inputs in;      /* of files */
    struct sl_source *source; /* of file */
    struct sl_reader *reader;
};

enum sl_status sl_replay_keep(struct sl_run *run, int i, struct sl_err *err)
{
    struct sl_write_options options = { .zstd_level = KEPT_LEVEL };
    size_t n = (size_t)run->n_others + 1;
    if (!run->replays)
        run->replays = calloc(n, sizeof *run->replays);
    if (!run->replays)
        return sl_err_nomem(err, n * sizeof *run->replays);
    struct sl_replay *r = &run->replays[i];
    if (r->kept)
        return SL_OK;
    r->kept = true;
    if (sl_inputs_are_files(sl_merge_input(run, i)))
        return SL_OK;
    SL_TRY(sl_temp_new(&r->file, run->opt.common.tmpdir, err));
    SL_TRY(sl_temp_sink(r->file, &r->sink, err));
    return sl_writer_open(&r->writer, r->sink, &run->in.schema, &options, err);
}

enum sl_status sl_replay_add(struct sl_run *run, int i, const struct sl_batch *batch,
                             struct sl_err *err)
{
    if (!run->replays || !run->replays[i].kept)
        return SL_OK;
    struct sl_replay *r = &run->replays[i];
    r->rows += batch->n_rows;
    return r->file && batch->n_rows ? sl_writer_add(r->writer, batch, err) : SL_OK;
}

bool sl_replay_is_on(const struct sl_run *run, int i)
{
    return run->replays && run->replays[i].on;
}

static void close_pass(struct sl_replay *r)
{
    sl_reader_free(r->reader);
    sl_source_free(r->source);
    sl_inputs_close(&r->in);
    r->reader = NULL;
    r->source = NULL;
}

static enum sl_status changed(const struct sl_inputs *in, const char *how, struct sl_err *err)
{
    sl_err_set(err, SL_E_DATA, "the input changed between two passes: %s", how);
    sl_err_at(err, sl_inputs_shown(in->paths[0]), -1, -1);
    return SL_E_DATA;
}

static enum sl_status open_kept(struct sl_replay *r, struct sl_err *err)
{
    if (!r->ended)
        SL_TRY(sl_writer_end(r->writer, SL_STR("[]"), NULL, err));
    r->ended = true;
    SL_TRY(sl_temp_source(r->file, 0, sl_temp_bytes(r->file), &r->source, err));
    return sl_reader_open(&r->reader, r->source, SL_READ_STRICT, err);
}

enum sl_status sl_replay_again(struct sl_run *run, int i, struct sl_err *err)
{
    struct sl_replay *r = &run->replays[i];
    const struct sl_inputs *first = sl_merge_input(run, i);
    char why[256];
    close_pass(r);
    r->on = true;
    r->rows_again = 0;
    if (r->file)
        return open_kept(r, err);
    SL_TRY(sl_inputs_open(&r->in, first->paths, first->n_paths, false, err));
    return sl_schema_same(&r->in.schema, &run->in.schema, why) ? SL_OK : changed(first, why, err);
}

enum sl_status sl_replay_next(struct sl_run *run, int i, struct sl_batch *batch, struct sl_err *err)
{
    struct sl_replay *r = &run->replays[i];
    const struct sl_inputs *first = sl_merge_input(run, i);
    enum sl_status st =
        r->file ? sl_reader_next(r->reader, batch, err) : sl_inputs_next(&r->in, batch, err);
    if (st == SL_OK) {
        r->rows_again += batch->n_rows;
        sl_inputs_rebind(batch, &run->in.schema);
        sl_progress_tick(run);
        return SL_OK;
    }
    if (st != SL_END)
        return st;
    if (r->rows_again != r->rows)
        return changed(first, "it has another number of rows", err);
    if (!r->file && memcmp(r->in.seen.b, first->seen.b, sizeof first->seen.b) != 0)
        return changed(first, "its digest is another", err);
    return SL_END;
}

void sl_replay_close(struct sl_run *run)
{
    for (int i = 0; run->replays && i <= run->n_others; i++) {
        struct sl_replay *r = &run->replays[i];
        close_pass(r);
        sl_writer_free(r->writer);
        sl_sink_free(r->sink);
        sl_temp_free(r->file);
    }
    free(run->replays);
}
