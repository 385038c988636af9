/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-dedup: one row for each text. What decides is dedup/exact.h; here rows
 * go out or are rejected, in one pass while the table of texts fits in --mem, in
 * two from the batch on where it does not. Either way the same batches are taken
 * apart in the same order, so that --mem changes no byte.
 *
 * --exact is asked for, since near-duplicates shall be the default one day, and a
 * command must not change its meaning then. */
#include <stdlib.h>
#include <string.h>

#include "dedup/exact.h"
#include "dedup/text_key.h"
#include "run/tool.h"

struct conf {
    bool exact, annotate;
    const char *normalize;
    const char *prefer;
};

static const struct sl_opt options[] = {
    SL_OPT_BOOL(0, "exact", struct conf, exact, "find rows with the same text (must be given)",
                SL_OPT_RESULT),
    SL_OPT_CHOICE(0, "normalize", SL_TEXT_RULES, struct conf, normalize,
                  "what is the same text: the same bytes (none), or the same but for white space "
                  "and for A-Z being a-z (simple) [none]",
                  SL_OPT_RESULT),
    SL_OPT_STR(0, "prefer", "ORDER", struct conf, prefer,
               "keep the first row of a text by this order: COLUMN [asc|desc],...; without it, "
               "that which comes first in the input",
               SL_OPT_RESULT),
    SL_OPT_BOOL(0, "annotate", struct conf, annotate, "add columns, remove nothing", SL_OPT_RESULT),
    SL_OPT_END
};

enum { CLUSTER, CLUSTER_SIZE, RANK, N_ADDS };
static const struct sl_add adds[] = {
    { "dup_cluster", "fixed_size_binary[16]",
      "id of the row that is kept of this text (--annotate)" },
    { "dup_cluster_size", "uint32", "rows with this text; 1: no other (--annotate)" },
    { "dup_rank", "uint32", "place among them; 0: the row that is kept (--annotate)" },
    { NULL, NULL, NULL },
};

static const char *const reasons[] = { "duplicate", NULL };
enum { DUPLICATE };
static const char *const counts[] = { "clusters", "duplicates", "duplicate_bytes", NULL };
enum { CLUSTERS, DUPLICATES, DUPLICATE_BYTES };

struct state {
    struct sl_exact *exact;
    struct sl_row_keys *prefer;
    bool two_passes;
    struct sl_exact_row rows[SL_EXACT_ROWS];
    struct sl_buf kept; /* uint32_t: rows of the batch */
    struct sl_colbuf adds[N_ADDS];
    bool has_adds;
    struct sl_batch view;
};

static enum sl_status dedup_check(void *p, struct sl_err *err)
{
    const struct conf *conf = p;
    if (conf->exact)
        return SL_OK;
    return sl_err_set(err, SL_E_USAGE,
                      "--exact must be given: near-duplicates are not there yet, and will be what "
                      "sluice-dedup looks for without it");
}

static enum sl_status dedup_schema(struct sl_run *run, const struct sl_schema *in,
                                   struct sl_schema *out, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    for (uint32_t i = 0; !conf->annotate && i < in->n_fields; i++)
        SL_TRY(sl_schema_add(out, in->fields[i], err));
    if (!conf->annotate)
        return SL_OK;
    SL_TRY(sl_run_keep_columns(run, in, false, out, err));
    for (const struct sl_add *a = adds; a->name; a++)
        SL_TRY(sl_schema_add_text(out, a->name, a->type, err));
    return SL_OK;
}

static enum sl_status init_adds(struct sl_run *run, struct state *s, struct sl_err *err)
{
    const struct sl_schema *out = sl_run_out_schema(run);
    s->has_adds = true;
    for (int k = 0; k < N_ADDS; k++)
        SL_TRY(sl_colbuf_init(&s->adds[k], out->fields[sl_schema_find(out, adds[k].name)], err));
    return SL_OK;
}

static enum sl_status dedup_start(struct sl_run *run, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    const struct sl_common *common = sl_run_common(run);
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    sl_run_set_state(run, s);
    sl_buf_init(&s->kept, SIZE_MAX / 2);
    sl_batch_init(&s->view);
    if (conf->annotate)
        SL_TRY(init_adds(run, s, err));
    if (conf->prefer)
        SL_TRY(sl_row_keys_parse(&s->prefer, conf->prefer, sl_run_in_schema(run), err));
    struct sl_exact_options o = { .rule = conf->normalize,
                                  .mem_bytes = common->mem_bytes,
                                  .tmpdir = common->tmpdir,
                                  .prefer = s->prefer,
                                  .ranks = conf->annotate };
    SL_TRY(sl_exact_new(&s->exact, &o, err));
    s->two_passes = conf->annotate || conf->prefer;
    return s->two_passes ? sl_run_keep(run, err) : SL_OK;
}

static void dedup_stop(struct sl_run *run)
{
    struct state *s = sl_run_state(run);
    if (!s)
        return;
    for (int k = 0; s->has_adds && k < N_ADDS; k++)
        sl_colbuf_release(&s->adds[k]);
    sl_exact_free(s->exact);
    sl_row_keys_free(s->prefer);
    sl_buf_release(&s->kept);
    sl_batch_release(&s->view);
    free(s);
}

static int64_t chunk(const struct sl_batch *batch, int64_t from)
{
    int64_t n = batch->n_rows - from;
    return n < SL_EXACT_ROWS ? n : SL_EXACT_ROWS;
}

/* ---- rows go out ---- */

static void count_row(struct sl_run *run, const struct sl_exact_row *r, struct sl_str text)
{
    if (r->rank) {
        sl_run_count(run, DUPLICATES, 1);
        sl_run_count(run, DUPLICATE_BYTES, (int64_t)text.n);
    }
}

static enum sl_status remove_rows(struct sl_run *run, const struct sl_batch *batch, int64_t from,
                                  int64_t n, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    const struct sl_column *text = sl_batch_column(batch, "text");
    uint32_t *kept = (uint32_t *)(void *)s->kept.p + from;
    for (int64_t i = 0; i < n; i++) {
        const struct sl_exact_row *r = &s->rows[i];
        char digits[SL_HASH128_DIGITS];
        count_row(run, r, sl_column_str(text, from + i));
        if (!r->rank) {
            ((uint32_t *)(void *)s->kept.p)[s->kept.n / sizeof *kept] = (uint32_t)(from + i);
            s->kept.n += sizeof *kept;
            continue;
        }
        sl_hash128_hex(r->kept, digits);
        SL_TRY(sl_run_reject(run, batch, from + i, DUPLICATE,
                             (struct sl_str){ digits, sizeof digits }, err));
    }
    return SL_OK;
}

static enum sl_status add_values(struct sl_run *run, const struct sl_batch *batch, int64_t from,
                                 int64_t n, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    const struct sl_column *text = sl_batch_column(batch, "text");
    for (int64_t i = 0; i < n; i++) {
        const struct sl_exact_row *r = &s->rows[i];
        struct sl_str id = { (const char *)r->kept.b, sizeof r->kept.b };
        count_row(run, r, sl_column_str(text, from + i));
        SL_TRY(sl_colbuf_add_str(&s->adds[CLUSTER], id, err));
        SL_TRY(sl_colbuf_add_int(&s->adds[CLUSTER_SIZE], r->size, err));
        SL_TRY(sl_colbuf_add_int(&s->adds[RANK], r->rank, err));
    }
    return SL_OK;
}

static int add_index(const char *name)
{
    for (int k = 0; k < N_ADDS; k++)
        if (strcmp(adds[k].name, name) == 0)
            return k;
    return -1;
}

/* The batch with the added columns, its own columns as they lie. */
static enum sl_status pass_annotated(struct sl_run *run, const struct sl_batch *batch,
                                     struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    const struct sl_schema *out = sl_run_out_schema(run);
    sl_batch_reset(&s->view);
    s->view.schema = out;
    s->view.n_rows = batch->n_rows;
    s->view.seq = batch->seq;
    s->view.columns = sl_arena_zeros(&s->view.arena, out->n_fields, sizeof *s->view.columns);
    if (!s->view.columns)
        return sl_err_nomem(err, out->n_fields * sizeof *s->view.columns);
    for (uint32_t i = 0; i < out->n_fields; i++) {
        struct sl_column *to = &s->view.columns[i];
        int k = add_index(out->fields[i]->name);
        if (k >= 0) {
            SL_TRY(sl_colbuf_lend(&s->adds[k], to, &s->view.arena, err));
            continue;
        }
        *to = *sl_batch_column(batch, out->fields[i]->name);
        to->field = out->fields[i];
    }
    return sl_run_pass(run, &s->view, err);
}

typedef enum sl_status (*answer)(struct sl_exact *x, const struct sl_batch *batch, int64_t from,
                                 int64_t n, struct sl_exact_row *out, struct sl_err *err);

/* All rows of a batch, by answers at once or at last. */
static enum sl_status send_batch(struct sl_run *run, const struct sl_batch *batch, answer ask,
                                 struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    struct state *s = sl_run_state(run);
    sl_buf_reset(&s->kept);
    SL_TRY(sl_buf_reserve(&s->kept, (size_t)batch->n_rows * sizeof(uint32_t), err));
    for (int k = 0; conf->annotate && k < N_ADDS; k++)
        sl_colbuf_reset(&s->adds[k]);
    for (int64_t from = 0; from < batch->n_rows; from += SL_EXACT_ROWS) {
        int64_t n = chunk(batch, from);
        SL_TRY(ask(s->exact, batch, from, n, s->rows, err));
        SL_TRY(conf->annotate ? add_values(run, batch, from, n, err)
                              : remove_rows(run, batch, from, n, err));
    }
    if (conf->annotate)
        return pass_annotated(run, batch, err);
    return sl_run_pass_rows(run, batch, (const uint32_t *)(void *)s->kept.p,
                            s->kept.n / sizeof(uint32_t), err);
}

/* ---- the passes ---- */

static enum sl_status dedup_batch(struct sl_run *run, const struct sl_batch *batch,
                                  struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    bool room = false;
    if (!s->two_passes) {
        SL_TRY(sl_exact_room(s->exact, batch->n_rows, &room, err));
        if (room)
            return send_batch(run, batch, sl_exact_decide, err);
        s->two_passes = true;
        SL_TRY(sl_run_keep(run, err));
    }
    for (int64_t from = 0; from < batch->n_rows; from += SL_EXACT_ROWS)
        SL_TRY(sl_exact_learn(s->exact, batch, from, chunk(batch, from), err));
    return SL_OK;
}

static enum sl_status send_again(struct sl_run *run, const struct sl_batch *batch,
                                 struct sl_err *err)
{
    return send_batch(run, batch, sl_exact_recall, err);
}

static enum sl_status dedup_end(struct sl_run *run, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    if (s->two_passes) {
        SL_TRY(sl_exact_end(s->exact, err));
        SL_TRY(sl_run_again(run, send_again, err));
        if (sl_exact_temp_bytes(s->exact))
            sl_run_note(run, "%.1f MB of sorting in temporary files",
                        (double)sl_exact_temp_bytes(s->exact) / 1e6);
    }
    sl_run_count(run, CLUSTERS, sl_exact_clusters(s->exact));
    return SL_OK;
}

static const struct sl_tool tool = {
    .name = "sluice-dedup",
    .about = "keep one row of each text",
    .group = "choose",
    .examples = "sluice-dedup --exact docs.arrows > unique.arrows\n"
                "sluice-dedup --exact --prefer 'date desc, url' --rejects twice.arrows docs.arrows "
                "-o unique.arrows\n"
                "sluice-dedup --exact --annotate docs.arrows -o marked.arrows",
    .notes = "Rows with one text are a cluster. One row of it is kept: the first of the input, or\n"
             "of --prefer, where id, copy and the place in the input break ties. A removed row's\n"
             "reject_detail is the id of the row that was kept. Empty texts are equal.\n"
             "\n"
             "Texts are compared by 126 bits of XXH3-128. Rows leave at once while a table of all\n"
             "texts fits in --mem (40 bytes a text); from then on the input is kept in --tmpdir,\n"
             "or read again where it is a file, and sorting decides. --prefer and --annotate\n"
             "always read twice. The result is the same. --mem is at least 4M.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .in = "docs",
    .out = "docs",
    .needs = "text",
    .adds = adds,
    .reasons = reasons,
    .counts = counts,
    .flow = SL_SCAN,
    .check = dedup_check,
    .schema = dedup_schema,
    .start = dedup_start,
    .step = dedup_batch,
    .end = dedup_end,
    .stop = dedup_stop,
    .trial = "--exact",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
