/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-verify: streams and folders of shards read to the end, with everything
 * that they say about themselves computed again: hashes, digests, counts, and
 * the law of conservation along the lineage. All operands are checked, also
 * behind one that is wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "order/export.h"
#include "order/stream_check.h"
#include "run/conserve.h"
#include "run/kinds.h"
#include "run/lineage.h"
#include "run/tool.h"
#include "token/tokenizer.h"

struct conf {
    bool same;
};

static const struct sl_opt options[] = {
    SL_OPT_BOOL(0, "same", struct conf, same,
                "two inputs: check that they hold the same rows in the same order", 0),
    SL_OPT_END
};

static bool is_folder(const char *path)
{
    struct stat info;
    return strcmp(path, "-") != 0 && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static const char *shown(const char *path)
{
    return strcmp(path, "-") == 0 ? "(standard input)" : path;
}

/* What the schema says of itself. */
static enum sl_status check_schema(const struct sl_schema *s, struct sl_err *err)
{
    struct sl_json *stages = NULL;
    struct sl_token_info info;
    struct sl_err why = SL_ERR_INIT;
    if (!s->n_fields)
        return sl_err_set(err, SL_E_DATA, "a stream without columns");
    SL_TRY(sl_kind_check(s, "*", err));
    if (s->tokenizer && sl_token_info_parse(&info, sl_str_of(s->tokenizer), &why) != SL_OK)
        return sl_err_set(err, why.status, "the schema's sl:tokenizer: %.400s", why.msg);
    if (s->lineage)
        SL_TRY(sl_lineage_parse(&stages, sl_str_of(s->lineage), err));
    sl_json_free(stages);
    return SL_OK;
}

/* The last stage counted what the export holds. The files have no ids, and forget
 * what is a target: its word is all that can be compared. */
static enum sl_status check_counts(const struct sl_json *lineage, const struct sl_export_facts *x,
                                   struct sl_err *err)
{
    struct sl_conserved left = { 0 };
    SL_TRY(sl_conserve_check(lineage, &left, err));
    if (!left.known)
        return SL_OK;
    const struct sl_json *last = sl_json_at(lineage, sl_json_count(lineage) - 1);
    const struct sl_json *counts = sl_json_get(sl_json_get(last, "tally"), "counts");
    int64_t tokens = sl_json_int(sl_json_get(counts, "tokens"));
    int64_t targets = sl_json_int(sl_json_get(counts, "targets"));
    if (left.rows == x->rows && tokens == x->tokens && targets == x->targets)
        return SL_OK;
    return sl_err_set(err, SL_E_DATA,
                      "%lld rows, %lld tokens and %lld targets, where the lineage has %lld, %lld "
                      "and %lld",
                      (long long)x->rows, (long long)x->tokens, (long long)x->targets,
                      (long long)left.rows, (long long)tokens, (long long)targets);
}

/* An export as facts of one column. */
static enum sl_status check_export(const char *path, struct sl_facts *f, struct sl_err *err)
{
    struct sl_export_facts x;
    struct sl_json *lineage = NULL;
    enum sl_status st = sl_export_check(path, &x, err);
    if (st == SL_OK)
        st = sl_json_parse(&lineage, sl_str_of(x.lineage), err);
    if (st == SL_OK)
        st = check_counts(lineage, &x, err);
    sl_json_free(lineage);
    free(x.lineage);
    SL_TRY(st);
    f->form = x.form;
    f->n_rows = x.rows;
    return sl_facts_one_column(f, "tokens", x.column, err);
}

static enum sl_status check_rows(const char *path, struct sl_facts *f, struct sl_err *err)
{
    SL_TRY(is_folder(path) ? sl_shards_check(path, f, err) : sl_stream_check(path, NULL, f, err));
    SL_TRY(sl_conserve_check_end(sl_str_of(f->lineage), f->n_rows, f->ids, err));
    return f->n_shards < 0 ? check_schema(&f->schema, err) : SL_OK;
}

static enum sl_status check_one(const char *path, struct sl_facts *f, struct sl_err *err)
{
    bool export = is_folder(path) && sl_export_is(path);
    enum sl_status st = export ? check_export(path, f, err) : check_rows(path, f, err);
    if (st != SL_OK)
        sl_err_at(err, shown(path), -1, -1);
    return st;
}

static enum sl_status say(struct sl_run *run, const char *path, const struct sl_facts *f,
                          struct sl_err *err)
{
    char hex[SL_HASH128_DIGITS], shards[48] = "";
    struct sl_buf line;
    if (sl_run_common(run)->quiet)
        return SL_OK;
    sl_hash128_hex(f->digest, hex);
    if (f->n_shards >= 0)
        snprintf(shards, sizeof shards, " in %lld shards", (long long)f->n_shards);
    if (f->form)
        snprintf(shards, sizeof shards, " for %s", f->form);
    sl_buf_init(&line, 1 << 16);
    enum sl_status st = sl_buf_addf(&line, err, "%s: ok, %lld rows%s, digest %.32s\n", shown(path),
                                    (long long)f->n_rows, shards, hex);
    if (st == SL_OK)
        st = sl_sink_write(sl_run_sink(run), line.p, line.n, err);
    if (st == SL_OK)
        st = sl_sink_flush(sl_run_sink(run), err);
    sl_buf_release(&line);
    return st;
}

static enum sl_status verify_one(struct sl_run *run, const char *path, struct sl_err *err)
{
    struct sl_facts f;
    sl_facts_init(&f);
    enum sl_status st = check_one(path, &f, err);
    if (st == SL_OK)
        st = say(run, path, &f, err);
    sl_facts_release(&f);
    return st;
}

/* Every error is told where it is found; a wrong stream outweighs one that
 * could not be read, which a retry may help. */
static enum sl_status verify_all(struct sl_run *run, struct sl_err *err)
{
    int n = sl_run_n_inputs(run), n_bad = 0;
    enum sl_status worst = SL_OK;
    if (n == 1)
        return verify_one(run, sl_run_input(run, 0), err);
    for (int i = 0; i < n; i++) {
        struct sl_err why = SL_ERR_INIT;
        if (verify_one(run, sl_run_input(run, i), &why) == SL_OK)
            continue;
        sl_run_error(run, &why);
        worst = worst == SL_E_DATA ? worst : why.status;
        n_bad++;
    }
    return n_bad ? sl_err_set(err, worst, "%d of %d inputs are not right", n_bad, n) : SL_OK;
}

static enum sl_status compare(struct sl_run *run, struct sl_facts *a, struct sl_facts *b,
                              struct sl_err *err)
{
    char why[512];
    const char *first = sl_run_input(run, 0), *second = sl_run_input(run, 1);
    SL_TRY(check_one(first, a, err));
    SL_TRY(say(run, first, a, err));
    SL_TRY(check_one(second, b, err));
    SL_TRY(say(run, second, b, err));
    sl_facts_difference(a, b, why);
    if (!why[0])
        return SL_OK;
    return sl_err_set(err, SL_E_DATA, "'%.200s' and '%.200s' are not the same: %s", first, second,
                      why);
}

static enum sl_status verify_same(struct sl_run *run, struct sl_err *err)
{
    struct sl_facts a, b;
    if (sl_run_n_inputs(run) != 2)
        return sl_err_set(err, SL_E_USAGE, "--same compares two inputs, not %d",
                          sl_run_n_inputs(run));
    sl_facts_init(&a);
    sl_facts_init(&b);
    enum sl_status st = compare(run, &a, &b, err);
    sl_facts_release(&a);
    sl_facts_release(&b);
    return st;
}

static enum sl_status verify(struct sl_run *run, struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    if (conf->same)
        return verify_same(run, err);
    if (sl_run_n_inputs(run))
        return verify_all(run, err);
    return verify_one(run, "-", err);
}

static const struct sl_tool tool = {
    .name = "sluice-verify",
    .about = "check streams and folders of shards: hashes, digests, counts, conservation",
    .group = "look",
    .operands = "[FILE|FOLDER...]",
    .examples = "sluice-verify docs.arrows shards/\n"
                "sluice-verify --same packed.arrows shards/",
    .notes =
        "A folder is one that sluice-shard wrote, an export too; without its manifest.json it\n"
        "is not complete and is refused. Of an export --same compares the tokens alone. A line\n"
        "is printed for every input that is right (none with -q). All inputs are checked, also\n"
        "behind one that is wrong.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .flow = SL_PLAIN,
    .text_out = true,
    .reads_files = true,
    .plain = verify,
    .trial = "",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
