/* SPDX-License-Identifier: Apache-2.0 */
/* Many rows out at once, cut into batches exactly as sl_run_close_row cuts them one
 * by one.
 *
 * A row as bytes is at least as long as what it adds to a batch, so as many rows as
 * have fewer bytes together than the batch has room for can be built without a look
 * between them; near the end of a batch the look comes after every row. */
#include "arrow/row_bytes.h"
#include "run/run_private.h"

/* The last n rows built, which are not in rows->n yet. */
static void count_built(struct sl_run *run, const struct sl_rows *rows, size_t n)
{
    int id = sl_schema_find(rows->schema, "id"), text = sl_schema_find(rows->schema, "text");
    struct sl_column ids, texts;
    if (id >= 0) {
        ids = (struct sl_column){ .field = rows->cols[id].field, .n = (int64_t)n };
        ids.data = rows->cols[id].data.p + (size_t)rows->n * (size_t)sl_type_width(ids.field);
    }
    sl_port_add(&run->tally.out, id >= 0 ? &ids : NULL, (int64_t)n);
    if (text >= 0) {
        texts = (struct sl_column){ .field = rows->cols[text].field, .n = (int64_t)n };
        texts.offsets = rows->cols[text].offsets.p +
                        (size_t)rows->n * (sl_type_is_large(texts.field->type) ? 8 : 4);
        sl_tally_add_text(&run->tally, &texts);
    }
}

static enum sl_status build(struct sl_run *run, struct sl_str *rows, size_t n, struct sl_err *err)
{
    struct sl_rows *r = &run->out.rows;
    SL_TRY(sl_row_bytes_read(r, rows, n, err));
    count_built(run, r, n);
    r->n += (int64_t)n;
    bool full = sl_rows_bytes(r) >= SL_BATCH_MADE_BYTES || r->n >= SL_BATCH_MADE_ROWS;
    return full ? sl_out_cut(&run->out, err) : SL_OK;
}

/* How many of the rows cannot fill the batch before the last of them; at least 1. */
static size_t at_once(const struct sl_rows *r, const struct sl_str *rows, size_t n)
{
    int64_t room = SL_BATCH_MADE_BYTES - sl_rows_bytes(r);
    size_t most = (size_t)(SL_BATCH_MADE_ROWS - r->n), k = 0;
    while (k < n && k < most && (int64_t)rows[k].n < room)
        room -= (int64_t)rows[k++].n;
    return k ? k : 1;
}

enum sl_status sl_run_emit_rows(struct sl_run *run, struct sl_str *rows, size_t n,
                                struct sl_err *err)
{
    for (size_t at = 0, k; at < n; at += k) {
        k = at_once(&run->out.rows, rows + at, n - at);
        SL_TRY(build(run, rows + at, k, err));
    }
    sl_progress_tick(run);
    return SL_OK;
}
