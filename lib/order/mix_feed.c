/* SPDX-License-Identifier: Apache-2.0 */
/* What      a batch is read into one place; it is kept there for its source while there is
 *           memory, and is cut into slices as rows are wanted; else it is cut at once and its
 *           slices go to the source's place in one file, which the next batch uses again.
 * Why       rows as bytes, not columns: one copy a row into the slice and one out of it, each
 *           column by column, instead of a call for every row and column.
 * Invariant rows of a source are given in their order, each once a pass, whatever the memory. */
#include "order/mix_feed.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"

enum {
    SLICE_ROWS = 256,
    SLICE_BYTES = 256 << 10,     /* of few sources */
    SLICE_BYTES_MANY = 64 << 10, /* of more than FEW */
    FEW = 64,
    READER_BYTES = 300 << 10, /* what a stream that is open takes beside its batch */
    OTHER_BYTES = 12 << 20,   /* the program, the output's batch, buffers */
    COPY_MAX = UINT16_MAX,
};

struct source {
    struct sl_batch batch; /* kept in memory; at: its next row to be cut */
    int64_t at, n_rows;
    struct sl_column copy; /* counted up, for the batch in memory */
    struct sl_buf copies;
    int64_t place, place_bytes, file_at, file_end; /* in the file */
    uint64_t held_bytes;
    uint32_t pass;
    int64_t n_batches;        /* of the first pass */
    bool seen, stays;         /* stays: its only batch is in memory, and serves all passes */
    uint16_t least, greatest; /* own copies, of the first pass */
    struct sl_buf bytes;      /* the slice: weights, ends, rows */
    uint32_t n, next;
    uint64_t ends[SLICE_ROWS], weights[SLICE_ROWS];
};

struct sl_feed {
    struct sl_feed_rules rules;
    struct source *sources;
    struct sl_batch batch;  /* the one just read */
    struct sl_column *view; /* columns of the output, over a batch */
    int copy_in, copy_out;
    int weighed; /* column */
    uint64_t slice_bytes, room_bytes, held_bytes;
    struct sl_temp *file;
    struct sl_rows rows; /* from the file, for sl_feed_drain */
    struct sl_batch lent;
    bool has_rows;
};

/* ---- making ---- */

static enum sl_status check_memory(struct sl_feed *f, struct sl_err *err)
{
    uint64_t least = f->rules.n * (READER_BYTES + f->slice_bytes) + OTHER_BYTES;
    if (f->rules.mem_bytes < least)
        return sl_err_set(err, SL_E_USAGE, "--mem: %zu sources need %lluM at least", f->rules.n,
                          (unsigned long long)(least >> 20) + 1);
    f->room_bytes = f->rules.mem_bytes - least;
    return SL_OK;
}

static int column_of(const struct sl_schema *s, enum sl_feed_weight weight)
{
    return weight == SL_FEED_ROWS     ? -1
           : weight == SL_FEED_TOKENS ? sl_schema_find(s, "tokens")
                                      : sl_schema_find(s, "text");
}

enum sl_status sl_feed_new(struct sl_feed **out, const struct sl_feed_rules *rules,
                           struct sl_err *err)
{
    *out = NULL;
    struct sl_feed *f = calloc(1, sizeof *f);
    if (!f)
        return sl_err_nomem(err, sizeof *f);
    f->rules = *rules;
    f->slice_bytes = rules->n > FEW ? SLICE_BYTES_MANY : SLICE_BYTES;
    f->copy_in = sl_schema_find(rules->in, "copy");
    f->copy_out = rules->counts_copy ? sl_schema_find(rules->out, "copy") : -1;
    f->weighed = column_of(rules->in, rules->weight);
    sl_batch_init(&f->batch);
    sl_batch_init(&f->lent);
    f->sources = calloc(rules->n, sizeof *f->sources);
    f->view = calloc((size_t)rules->out->n_fields + 1, sizeof *f->view);
    enum sl_status st = f->sources && f->view ? check_memory(f, err)
                                              : sl_err_nomem(err, rules->n * sizeof *f->sources);
    if (st != SL_OK) {
        free(f->sources);
        f->sources = NULL;
        sl_feed_free(f);
        return st;
    }
    for (size_t i = 0; i < rules->n; i++) {
        struct source *s = &f->sources[i];
        sl_batch_init(&s->batch);
        sl_buf_init(&s->copies, SIZE_MAX / 4);
        sl_buf_init(&s->bytes, SIZE_MAX / 4);
    }
    *out = f;
    return SL_OK;
}

void sl_feed_free(struct sl_feed *f)
{
    if (!f)
        return;
    for (size_t i = 0; f->sources && i < f->rules.n; i++) {
        sl_batch_release(&f->sources[i].batch);
        sl_buf_release(&f->sources[i].copies);
        sl_buf_release(&f->sources[i].bytes);
    }
    if (f->has_rows)
        sl_rows_release(&f->rows);
    sl_batch_release(&f->lent);
    sl_batch_release(&f->batch);
    sl_temp_free(f->file);
    free(f->sources);
    free(f->view);
    free(f);
}

/* ---- copies ---- */

static uint16_t own_copy(const struct sl_column *c, int64_t row)
{
    return c && !sl_column_is_null(c, row) ? sl_load16(c->data + 2 * row) : 0;
}

/* The column `copy` of the output for a batch, and what it holds in the first pass. */
static enum sl_status count_copies(struct sl_feed *f, struct source *s, const struct sl_batch *b,
                                   struct sl_err *err)
{
    const struct sl_column *own = f->copy_in >= 0 ? &b->columns[f->copy_in] : NULL;
    uint32_t more = s->pass * (uint32_t)(s->greatest - s->least + 1);
    if (f->copy_out < 0)
        return SL_OK;
    sl_buf_reset(&s->copies);
    SL_TRY(sl_buf_reserve(&s->copies, 2 * (size_t)b->n_rows, err));
    for (int64_t i = 0; i < b->n_rows; i++) {
        uint32_t copy = own_copy(own, i);
        if (s->pass == 0) {
            s->least = !s->seen || copy < s->least ? (uint16_t)copy : s->least;
            s->greatest = copy > s->greatest ? (uint16_t)copy : s->greatest;
            s->seen = true;
        }
        sl_store16(s->copies.p + 2 * i, (uint16_t)(copy + more));
    }
    s->copy = own && s->pass == 0 ? *own
                                  : (struct sl_column){ .n = b->n_rows,
                                                        .data = s->copies.p,
                                                        .data_bytes = 2 * b->n_rows };
    s->copy.field = f->rules.out->fields[f->copy_out];
    return SL_OK;
}

enum sl_status sl_feed_again(struct sl_feed *f, size_t i, bool *stays, struct sl_err *err)
{
    struct source *s = &f->sources[i];
    uint64_t span = (uint64_t)(s->greatest - s->least) + 1;
    s->pass++;
    if (s->pass > COPY_MAX || s->greatest + s->pass * span > COPY_MAX)
        return sl_err_set(err, SL_E_DATA,
                          "a source is repeated more often than the column 'copy' can count "
                          "(%u passes)",
                          s->pass);
    *stays = s->stays = s->n_batches == 1 && s->n_rows;
    if (!s->stays)
        return SL_OK;
    s->at = 0;
    return count_copies(f, s, &s->batch, err);
}

uint32_t sl_feed_pass(const struct sl_feed *f, size_t i)
{
    return f->sources[i].pass;
}

/* ---- slices ---- */

/* The batch as rows of the output. */
static struct sl_batch view_of(struct sl_feed *f, const struct source *s, const struct sl_batch *b)
{
    memcpy(f->view, b->columns, b->schema->n_fields * sizeof *f->view);
    if (f->copy_out >= 0)
        f->view[f->copy_out] = s->copy;
    return (struct sl_batch){ .schema = f->rules.out, .n_rows = b->n_rows, .columns = f->view };
}

static uint64_t weight_of(const struct sl_feed *f, const struct sl_batch *b, int64_t row)
{
    if (f->weighed < 0)
        return 1;
    const struct sl_column *c = &b->columns[f->weighed];
    if (c->field->type == SL_T_FIXED_LIST)
        return (uint64_t)c->field->size;
    return (uint64_t)(sl_column_start(c, row + 1) - sl_column_start(c, row));
}

/* Cut the next slice from a batch, at s->at. */
static enum sl_status cut(struct sl_feed *f, struct source *s, const struct sl_batch *b,
                          struct sl_err *err)
{
    uint64_t sizes[SLICE_ROWS], end = 0;
    uint8_t *to[SLICE_ROWS];
    int64_t left = b->n_rows - s->at;
    size_t most = left < SLICE_ROWS ? (size_t)left : SLICE_ROWS, n = 0;
    struct sl_batch view = view_of(f, s, b);
    sl_row_bytes_sizes(&view, s->at, most, sizes);
    while (n < most && (!n || end + sizes[n] <= f->slice_bytes)) {
        s->weights[n] = weight_of(f, b, s->at + (int64_t)n);
        end += sizes[n];
        s->ends[n++] = end;
    }
    if (s->bytes.cap > 2 * f->slice_bytes && end <= f->slice_bytes) { /* a large row is gone */
        sl_buf_release(&s->bytes);
        sl_buf_init(&s->bytes, SIZE_MAX / 4);
    }
    sl_buf_reset(&s->bytes);
    SL_TRY(sl_buf_reserve(&s->bytes, end, err));
    for (size_t i = 0; i < n; i++)
        to[i] = s->bytes.p + (i ? s->ends[i - 1] : 0);
    sl_row_bytes_write(&view, s->at, n, to);
    s->bytes.n = end;
    s->n = (uint32_t)n;
    s->next = 0;
    s->at += (int64_t)n;
    return SL_OK;
}

/* ---- the file ---- */

/* Numbers in front of a slice on the file: rows, bytes, then ends and weights. */
enum { HEAD_WORDS = 2 };

static enum sl_status put_slice(struct sl_feed *f, struct source *s, struct sl_err *err)
{
    uint64_t head[HEAD_WORDS + 2 * SLICE_ROWS] = { s->n, s->bytes.n };
    size_t n = (HEAD_WORDS + 2 * (size_t)s->n) * sizeof *head;
    memcpy(head + HEAD_WORDS, s->ends, s->n * sizeof *head);
    memcpy(head + HEAD_WORDS + s->n, s->weights, s->n * sizeof *head);
    SL_TRY(sl_temp_put(f->file, s->file_end, head, n, err));
    s->file_end += (int64_t)n;
    SL_TRY(sl_temp_put(f->file, s->file_end, s->bytes.p, s->bytes.n, err));
    s->file_end += (int64_t)s->bytes.n;
    return SL_OK;
}

static enum sl_status get_slice(struct sl_feed *f, struct source *s, struct sl_err *err)
{
    uint64_t head[HEAD_WORDS];
    SL_TRY(sl_temp_read(f->file, s->file_at, head, sizeof head, err));
    if (head[0] > SLICE_ROWS)
        return sl_err_set(err, SL_E_DATA, "a temporary file was changed");
    s->n = (uint32_t)head[0];
    s->next = 0;
    size_t n = s->n * sizeof *head;
    s->file_at += (int64_t)sizeof head;
    SL_TRY(sl_temp_read(f->file, s->file_at, s->ends, n, err));
    SL_TRY(sl_temp_read(f->file, s->file_at + (int64_t)n, s->weights, n, err));
    s->file_at += 2 * (int64_t)n;
    sl_buf_reset(&s->bytes);
    SL_TRY(sl_buf_reserve(&s->bytes, head[1], err));
    SL_TRY(sl_temp_read(f->file, s->file_at, s->bytes.p, head[1], err));
    s->bytes.n = head[1];
    s->file_at += (int64_t)head[1];
    return SL_OK;
}

/* A place in the file with room for so many bytes: the old one, or one at the end. */
static enum sl_status find_place(struct sl_feed *f, struct source *s, int64_t bytes,
                                 struct sl_err *err)
{
    if (!f->file)
        SL_TRY(sl_temp_new(&f->file, f->rules.tmpdir, err));
    if (bytes > s->place_bytes) {
        s->place = sl_temp_bytes(f->file);
        s->place_bytes = bytes + bytes / 4;
        /* so that the next place begins behind it */
        SL_TRY(sl_temp_put(f->file, s->place + s->place_bytes - 1, "", 1, err));
    }
    s->file_at = s->file_end = s->place;
    return SL_OK;
}

static enum sl_status to_file(struct sl_feed *f, struct source *s, const struct sl_batch *b,
                              struct sl_err *err)
{
    struct sl_batch view = view_of(f, s, b);
    uint64_t sizes[SLICE_ROWS], bytes = 0;
    for (int64_t at = 0; at < b->n_rows; at += SLICE_ROWS) {
        int64_t left = b->n_rows - at;
        size_t n = left < SLICE_ROWS ? (size_t)left : SLICE_ROWS;
        sl_row_bytes_sizes(&view, at, n, sizes);
        for (size_t i = 0; i < n; i++) /* a slice may be one row */
            bytes += sizes[i] + (HEAD_WORDS + 2) * sizeof *sizes;
    }
    SL_TRY(find_place(f, s, (int64_t)bytes, err));
    for (s->at = 0; s->at < b->n_rows;) {
        SL_TRY(cut(f, s, b, err));
        SL_TRY(put_slice(f, s, err));
    }
    s->n = s->next = 0;
    return SL_OK;
}

/* ---- loading ---- */

/* Keep the batch just read for its source: by changing places, or on the file. */
static enum sl_status keep(struct sl_feed *f, struct source *s, struct sl_err *err)
{
    uint64_t bytes = f->batch.body.cap + f->batch.arena.held_bytes + s->copies.cap;
    uint64_t others = f->held_bytes - s->held_bytes;
    bool fits = others + bytes <= f->room_bytes;
    f->held_bytes = others + (fits ? bytes : 0);
    s->held_bytes = fits ? bytes : 0;
    s->n_rows = fits ? f->batch.n_rows : 0;
    s->at = 0;
    if (!fits) {
        sl_batch_release(&s->batch);
        sl_batch_init(&s->batch);
        SL_TRY(to_file(f, s, &f->batch, err));
        s->at = 0;
        return SL_OK;
    }
    struct sl_batch batch = s->batch;
    s->batch = f->batch;
    f->batch = batch;
    return SL_OK;
}

static enum sl_status load(struct sl_feed *f, size_t i, struct sl_err *err)
{
    struct source *s = &f->sources[i];
    for (;;) {
        if (s->file_at < s->file_end)
            return get_slice(f, s, err);
        if (s->at < s->n_rows)
            return cut(f, s, &s->batch, err);
        s->n = s->next = 0;
        if (s->stays)
            return SL_END;
        SL_TRY(f->rules.next_batch(f->rules.ctx, i, &f->batch, err));
        s->n_batches += s->pass == 0;
        SL_TRY(count_copies(f, s, &f->batch, err));
        SL_TRY(keep(f, s, err));
    }
}

bool sl_feed_must_load(const struct sl_feed *f, size_t i)
{
    return f->sources[i].next == f->sources[i].n;
}

enum sl_status sl_feed_peek(struct sl_feed *f, size_t i, uint64_t *weight, struct sl_err *err)
{
    struct source *s = &f->sources[i];
    if (s->next == s->n)
        SL_TRY(load(f, i, err));
    *weight = s->weights[s->next];
    return SL_OK;
}

struct sl_str sl_feed_take(struct sl_feed *f, size_t i)
{
    struct source *s = &f->sources[i];
    uint64_t from = s->next ? s->ends[s->next - 1] : 0;
    struct sl_str row = { (const char *)s->bytes.p + from, s->ends[s->next] - from };
    s->next++;
    return row;
}

/* ---- what is left ---- */

typedef enum sl_status (*each_row)(void *ctx, const struct sl_batch *batch, int64_t row,
                                   struct sl_err *err);

/* The rest of the slice, built as a batch. */
static enum sl_status drain_slice(struct sl_feed *f, size_t i, each_row each, struct sl_err *err)
{
    struct sl_str rows[SLICE_ROWS];
    struct source *s = &f->sources[i];
    size_t n = 0;
    if (!f->has_rows)
        SL_TRY(sl_rows_init(&f->rows, f->rules.out, err));
    f->has_rows = true;
    while (s->next < s->n)
        rows[n++] = sl_feed_take(f, i);
    sl_rows_reset(&f->rows);
    SL_TRY(sl_row_bytes_read(&f->rows, rows, n, err));
    f->rows.n += (int64_t)n;
    SL_TRY(sl_rows_lend(&f->rows, &f->lent, err));
    for (int64_t row = 0; row < (int64_t)n; row++)
        SL_TRY(each(f->rules.ctx, &f->lent, row, err));
    return SL_OK;
}

static enum sl_status drain_rows(struct sl_feed *f, struct sl_batch *b, int64_t at, each_row each,
                                 struct sl_err *err)
{
    for (; at < b->n_rows; at++)
        SL_TRY(each(f->rules.ctx, b, at, err));
    return SL_OK;
}

enum sl_status sl_feed_drain(struct sl_feed *f, size_t i, each_row each, uint64_t *n_rows,
                             struct sl_err *err)
{
    struct source *s = &f->sources[i];
    enum sl_status st;
    *n_rows = 0;
    if (s->pass)
        return SL_OK;
    if (s->at < s->n_rows || (s->next < s->n && s->n_rows)) {
        int64_t at = s->at - (int64_t)(s->n - s->next);
        *n_rows += (uint64_t)(s->n_rows - at);
        SL_TRY(drain_rows(f, &s->batch, at, each, err));
        s->n = s->next = 0;
    }
    for (; s->next < s->n || s->file_at < s->file_end;) {
        if (s->next == s->n)
            SL_TRY(get_slice(f, s, err));
        *n_rows += s->n - s->next;
        SL_TRY(drain_slice(f, i, each, err));
    }
    while ((st = f->rules.next_batch(f->rules.ctx, i, &f->batch, err)) == SL_OK) {
        *n_rows += (uint64_t)f->batch.n_rows;
        SL_TRY(drain_rows(f, &f->batch, 0, each, err));
    }
    return st == SL_END ? SL_OK : st;
}
