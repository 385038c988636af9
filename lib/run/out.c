/* SPDX-License-Identifier: Apache-2.0 */
/* One output stream. A batch that is large enough goes straight from the
 * memory where it lies to the pipe; only small ones are copied together. */
#include "run/out.h"

enum {
    PASS_MIN_BYTES = 512 * 1024,
    PASS_MIN_ROWS = 8192,
};

enum sl_status sl_out_open_sink(struct sl_out *o, struct sl_sink *sink,
                                const struct sl_schema *schema,
                                const struct sl_write_options *options, struct sl_err *err)
{
    o->sink = sink;
    o->schema = schema;
    sl_batch_init(&o->view);
    SL_TRY(sl_rows_init(&o->rows, schema, err));
    o->has_rows = true;
    return sl_writer_open(&o->writer, sink, schema, options, err);
}

enum sl_status sl_out_open(struct sl_out *o, const char *path, bool force,
                           const struct sl_schema *schema, const struct sl_write_options *options,
                           struct sl_err *err)
{
    struct sl_sink *sink;
    SL_TRY(sl_sink_open(&sink, path, force, err));
    return sl_out_open_sink(o, sink, schema, options, err);
}

enum sl_status sl_out_cut(struct sl_out *o, struct sl_err *err)
{
    if (!o->rows.n)
        return SL_OK;
    SL_TRY(sl_rows_lend(&o->rows, &o->view, err));
    SL_TRY(sl_writer_add(o->writer, &o->view, err));
    sl_rows_reset(&o->rows);
    return o->flush ? sl_sink_flush(o->sink, err) : SL_OK;
}

static bool is_large(int64_t bytes, int64_t rows)
{
    return bytes >= PASS_MIN_BYTES || rows >= PASS_MIN_ROWS;
}

enum sl_status sl_out_pass(struct sl_out *o, const struct sl_batch *b, struct sl_err *err)
{
    if (!b->n_rows)
        return SL_OK;
    if (o->flush || is_large(sl_batch_bytes(b), b->n_rows)) {
        SL_TRY(sl_out_cut(o, err));
        SL_TRY(sl_writer_add(o->writer, b, err));
        return o->flush ? sl_sink_flush(o->sink, err) : SL_OK;
    }
    SL_TRY(sl_rows_take_range(&o->rows, b, 0, b->n_rows, err));
    return is_large(sl_rows_bytes(&o->rows), o->rows.n) ? sl_out_cut(o, err) : SL_OK;
}

enum sl_status sl_out_row_done(struct sl_out *o, struct sl_err *err)
{
    SL_TRY(sl_rows_close_row(&o->rows, err));
    return sl_out_rows_added(o, err);
}

enum sl_status sl_out_rows_added(struct sl_out *o, struct sl_err *err)
{
    bool full = sl_rows_bytes(&o->rows) >= SL_BATCH_MADE_BYTES || o->rows.n >= SL_BATCH_MADE_ROWS;
    return full ? sl_out_cut(o, err) : SL_OK;
}

enum sl_status sl_out_end(struct sl_out *o, struct sl_str lineage, const struct sl_hash128 *copied,
                          struct sl_err *err)
{
    SL_TRY(sl_out_cut(o, err));
    return sl_writer_end(o->writer, lineage, copied, err);
}

enum sl_status sl_out_commit(struct sl_out *o, struct sl_err *err)
{
    return sl_sink_commit(o->sink, err);
}

void sl_out_close(struct sl_out *o)
{
    sl_writer_free(o->writer);
    sl_sink_free(o->sink);
    if (o->has_rows) {
        sl_rows_release(&o->rows);
        sl_batch_release(&o->view);
    }
    *o = (struct sl_out){ 0 };
}
