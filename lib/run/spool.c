/* SPDX-License-Identifier: Apache-2.0 */
/* What is read twice. Regular files are read again from where they are; where
 * any input is a pipe, batches are kept as they come, compressed, in an unnamed
 * file of --tmpdir. A file that changed between the passes is an error: what was
 * decided on its first rows would be applied to others.
 *
 * The kept file is a stream of ours, so a flipped bit in it is found. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/run_private.h"

enum { SPOOL_LEVEL = 1 };

typedef enum sl_status (*each_batch)(struct sl_run *run, const struct sl_batch *batch,
                                     struct sl_err *err);

static enum sl_status open_file(struct sl_run *run, struct sl_err *err)
{
    struct sl_spool *s = &run->spool;
    struct sl_write_options options = { .zstd_level = SPOOL_LEVEL };
    SL_TRY(sl_temp_new(&s->file, run->opt.common.tmpdir, err));
    SL_TRY(sl_temp_sink(s->file, &s->sink, err));
    return sl_writer_open(&s->writer, s->sink, &run->in.schema, &options, err);
}

enum sl_status sl_run_keep(struct sl_run *run, struct sl_err *err)
{
    struct sl_spool *s = &run->spool;
    if (s->keeping)
        return SL_OK;
    s->keeping = true;
    s->first_seq = run->in_hand ? run->in_hand->seq : run->n_taken;
    if (!sl_inputs_are_files(&run->in))
        SL_TRY(open_file(run, err));
    return run->in_hand ? sl_spool_add(run, run->in_hand, err) : SL_OK;
}

enum sl_status sl_spool_add(struct sl_run *run, const struct sl_batch *batch, struct sl_err *err)
{
    struct sl_spool *s = &run->spool;
    if (!s->keeping)
        return SL_OK;
    s->rows += batch->n_rows;
    return s->file ? sl_writer_add(s->writer, batch, err) : SL_OK;
}

static enum sl_status end_file(struct sl_spool *s, struct sl_err *err)
{
    if (s->ended)
        return SL_OK;
    s->ended = true;
    return sl_writer_end(s->writer, SL_STR("[]"), NULL, err);
}

static enum sl_status give(struct sl_run *run, struct sl_batch *batch, int64_t seq, int64_t *rows,
                           each_batch each, struct sl_err *err)
{
    *rows += batch->n_rows;
    batch->seq = seq;
    sl_inputs_rebind(batch, &run->in.schema);
    enum sl_status st = each(run, batch, err);
    sl_progress_tick(run);
    return st;
}

static enum sl_status again_from_file(struct sl_run *run, struct sl_batch *batch, int64_t *rows,
                                      each_batch each, struct sl_err *err)
{
    struct sl_spool *s = &run->spool;
    struct sl_source *source = NULL;
    struct sl_reader *reader = NULL;
    int64_t seq = s->first_seq;
    SL_TRY(end_file(s, err));
    enum sl_status st = sl_temp_source(s->file, 0, sl_temp_bytes(s->file), &source, err);
    if (st == SL_OK)
        st = sl_reader_open(&reader, source, SL_READ_STRICT, err);
    while (st == SL_OK) {
        st = sl_reader_next(reader, batch, err);
        if (st == SL_OK)
            st = give(run, batch, seq++, rows, each, err);
    }
    sl_reader_free(reader);
    sl_source_free(source);
    return st;
}

static enum sl_status changed(const char *how, struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA, "the input changed between two passes: %s", how);
}

/* Open the inputs again. Other columns would be taken for what they are not. */
static enum sl_status open_again(struct sl_run *run, struct sl_inputs *again, struct sl_err *err)
{
    char why[256];
    SL_TRY(sl_inputs_open(again, run->in.paths, run->in.n_paths, false, err));
    return sl_schema_same(&again->schema, &run->in.schema, why) ? SL_OK : changed(why, err);
}

static enum sl_status again_from_inputs(struct sl_run *run, struct sl_batch *batch, int64_t *rows,
                                        each_batch each, struct sl_err *err)
{
    struct sl_inputs again;
    int64_t seq = 0;
    enum sl_status st = open_again(run, &again, err);
    while (st == SL_OK) {
        st = sl_inputs_next(&again, batch, err);
        sl_run_blame(run, st, again.at, err);
        if (st != SL_OK || !batch->n_rows)
            continue;
        if (seq >= run->spool.first_seq)
            st = give(run, batch, seq, rows, each, err);
        seq++;
    }
    if (st == SL_END && memcmp(again.seen.b, run->in.seen.b, sizeof again.seen.b) != 0)
        st = changed("its digest is another", err);
    sl_inputs_close(&again);
    return st;
}

enum sl_status sl_run_again(struct sl_run *run, each_batch each, struct sl_err *err)
{
    const struct sl_spool *s = &run->spool;
    struct sl_batch batch;
    int64_t rows = 0;
    if (!s->keeping)
        return sl_err_set(err, SL_E_BUG, "sl_run_again without sl_run_keep");
    sl_batch_init(&batch);
    enum sl_status st = s->file ? again_from_file(run, &batch, &rows, each, err)
                                : again_from_inputs(run, &batch, &rows, each, err);
    sl_batch_release(&batch);
    if (st != SL_END)
        return st;
    if (rows != s->rows)
        return sl_err_set(err, SL_E_DATA,
                          "the input changed between two passes: %lld rows, then %lld",
                          (long long)s->rows, (long long)rows);
    return SL_OK;
}

void sl_spool_close(struct sl_spool *s)
{
    sl_writer_free(s->writer);
    sl_sink_free(s->sink);
    sl_temp_free(s->file);
}
