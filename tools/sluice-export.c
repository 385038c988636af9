/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-export: a stream as JSON lines, every column by its name. The way to
 * look into a pipe, and the form that every other toolchain reads. Written by
 * hand rather than through a JSON library: rows are large and plain. */
#include <stdlib.h>

#include "run/json_text.h"
#include "run/tool.h"

struct conf {
    const char *format;
    const char *columns;
};

static const struct sl_opt options[] = {
    SL_OPT_CHOICE(0, "format", "jsonl", struct conf, format, "form of the output [jsonl]", 0),
    SL_OPT_STR(0, "columns", "NAME,...", struct conf, columns,
               "these columns alone, in this order; default: all", SL_OPT_RESULT),
    SL_OPT_END
};

enum { LINE_MAX_BYTES = 1 << 30, OUT_BYTES = 1 << 18 };

struct state {
    struct sl_buf line;
    int *columns; /* indices, in the order of the output */
    int n_columns;
};

static enum sl_status pick(struct state *s, const struct sl_schema *in, struct sl_str name,
                           struct sl_err *err)
{
    for (uint32_t i = 0; i < in->n_fields; i++)
        if (sl_str_eq(sl_str_of(in->fields[i]->name), name)) {
            s->columns[s->n_columns++] = (int)i;
            return SL_OK;
        }
    return sl_err_set(err, SL_E_DATA, "no column '%.*s' in the input", (int)name.n, name.p);
}

static enum sl_status pick_columns(struct state *s, const struct sl_schema *in, const char *list,
                                   struct sl_err *err)
{
    struct sl_str rest = sl_str_of(list);
    for (size_t from = 0; list && from < rest.n;) {
        size_t to = sl_str_find(rest, from, ',');
        if (s->n_columns == SL_MAX_FIELDS)
            return sl_err_set(err, SL_E_USAGE, "--columns names too many columns");
        SL_TRY(pick(s, in, (struct sl_str){ rest.p + from, to - from }, err));
        from = to + 1;
    }
    for (uint32_t i = 0; !list && i < in->n_fields; i++)
        s->columns[s->n_columns++] = (int)i;
    return SL_OK;
}

static enum sl_status export_start(struct sl_run *run, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    struct state *s = calloc(1, sizeof *s);
    sl_run_set_state(run, s);
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    sl_buf_init(&s->line, LINE_MAX_BYTES);
    s->columns = calloc(SL_MAX_FIELDS, sizeof *s->columns);
    if (!s->columns)
        return sl_err_nomem(err, SL_MAX_FIELDS * sizeof *s->columns);
    return pick_columns(s, sl_run_in_schema(run), conf->columns, err);
}

static void export_stop(struct sl_run *run)
{
    struct state *s = sl_run_state(run);
    if (!s)
        return;
    sl_buf_release(&s->line);
    free(s->columns);
    free(s);
}

static enum sl_status add_row(struct state *s, const struct sl_batch *b, int64_t row,
                              struct sl_err *err)
{
    SL_TRY(sl_buf_add_byte(&s->line, '{', err));
    for (int i = 0; i < s->n_columns; i++) {
        const struct sl_column *c = &b->columns[s->columns[i]];
        if (i)
            SL_TRY(sl_buf_add_byte(&s->line, ',', err));
        SL_TRY(sl_json_text_str(&s->line, sl_str_of(c->field->name), err));
        SL_TRY(sl_buf_add_byte(&s->line, ':', err));
        SL_TRY(sl_json_text_value(&s->line, c, row, err));
    }
    return sl_buf_add_str(&s->line, SL_STR("}\n"), err);
}

static enum sl_status export_batch(struct sl_run *run, const struct sl_batch *b, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    struct sl_sink *to = sl_run_sink(run);
    sl_port_add(&sl_run_tally(run)->out, sl_batch_column(b, "id"), b->n_rows);
    for (int64_t row = 0; row < b->n_rows; row++) {
        SL_TRY(add_row(s, b, row, err));
        if (s->line.n >= OUT_BYTES || row + 1 == b->n_rows) {
            SL_TRY(sl_sink_write(to, s->line.p, s->line.n, err));
            sl_buf_reset(&s->line);
        }
    }
    return sl_sink_flush(to, err);
}

static const struct sl_tool tool = {
    .name = "sluice-export",
    .about = "write a stream as JSON lines, every column by its name",
    .group = "look",
    .examples = "sluice-export docs.arrows | head -n 3\n"
                "sluice-export --columns url,text < docs.arrows | jq -r .text",
    .notes = "Text and numbers are JSON strings and numbers; 64-bit integers are written in full;\n"
             "floats read back equal; fixed_size_binary is hex, other binary base64; timestamps\n"
             "are ISO 8601 in UTC; lists are arrays, structs objects, nulls null.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .in = "*",
    .flow = SL_SINK,
    .text_out = true,
    .start = export_start,
    .step = export_batch,
    .stop = export_stop,
    .trial = "",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
