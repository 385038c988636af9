/* SPDX-License-Identifier: Apache-2.0 */
/* A collecting tool for the contract suite: the rows above the mean length of
 * their texts go on, with the mean; the others are rejected. Both need a second
 * pass over the input. */
#include <stdlib.h>

#include "run/tool.h"

enum { SHORT };
static const char *const reasons[] = { "short", NULL };
static const struct sl_add adds[] = {
    { "mean_bytes", "uint64", "mean length of all texts" },
    { NULL, NULL, NULL },
};

struct state {
    int64_t rows, bytes;
};

static int64_t text_bytes(const struct sl_batch *b, int64_t row)
{
    return (int64_t)sl_column_str(sl_batch_column(b, "text"), row).n;
}

static enum sl_status start(struct sl_run *run, struct sl_err *err)
{
    struct state *s = calloc(1, sizeof *s);
    sl_run_set_state(run, s);
    return s ? SL_OK : sl_err_nomem(err, sizeof *s);
}

static void stop(struct sl_run *run)
{
    free(sl_run_state(run));
}

static enum sl_status step(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    (void)err;
    s->rows += b->n_rows;
    for (int64_t row = 0; row < b->n_rows; row++)
        s->bytes += text_bytes(b, row);
    return SL_OK;
}

static enum sl_status emit_row(struct sl_run *run, const struct sl_batch *b, int64_t row,
                               struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    struct sl_rows *out = sl_run_rows(run);
    uint32_t n = b->schema->n_fields;
    for (uint32_t c = 0; c < n; c++)
        SL_TRY(sl_colbuf_take_range(&out->cols[c], &b->columns[c], row, 1, err));
    SL_TRY(sl_colbuf_add_int(&out->cols[n], s->bytes / s->rows, err));
    return sl_run_close_row(run, err);
}

static enum sl_status emit(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    for (int64_t row = 0; row < b->n_rows; row++) {
        bool is_short = text_bytes(b, row) * s->rows < s->bytes;
        SL_TRY(is_short ? sl_run_reject(run, b, row, SHORT, SL_STR("below the mean"), err)
                        : emit_row(run, b, row, err));
    }
    return SL_OK;
}

static enum sl_status end(struct sl_run *run, struct sl_err *err)
{
    return sl_run_again(run, emit, err);
}

static const struct sl_tool tool = {
    .name = "flow_collect",
    .about = "keep the longer half of the texts",
    .group = "choose",
    .examples = "flow_collect docs.arrows > long.arrows\n"
                "flow_collect --rejects short.arrows docs.arrows -o long.arrows",
    .in = "docs",
    .out = "docs",
    .needs = "text",
    .adds = adds,
    .reasons = reasons,
    .flow = SL_COLLECT,
    .start = start,
    .step = step,
    .end = end,
    .stop = stop,
    .trial = "",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
