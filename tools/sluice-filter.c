/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-filter: rules over what a text measures, by profile. The rules are in
 * filters/, measuring and judging in text/filter.h; this is the mapping to
 * columns, reasons and histograms.
 *
 * The tables of columns and reasons are made of the registry before the run: a
 * new filter needs no edit here. A column or reason has the same number in every
 * run, whatever the profile, so that reports can be compared.
 *
 * Without --annotate a document that one filter drops is not measured by the
 * filters behind it; columns that an earlier run of this tool added go through. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "run/tool.h"
#include "text/filter.h"

enum { MAX_ADDS = 256, MAX_FILTERS = 64 };

struct conf {
    const char *profile;
    bool annotate, print_profile;
};

static const struct sl_opt options[] = {
    SL_OPT_FILE(0, "profile", "NAME|FILE", struct conf, profile,
                "rules: a built-in profile, or a YAML file [gopher-sluice]",
                SL_OPT_RESULT | SL_OPT_BUILTIN),
    SL_OPT_BOOL(0, "annotate", struct conf, annotate,
                "drop nothing: add the values and the reason as columns", SL_OPT_RESULT),
    SL_OPT_BOOL(0, "print-profile", struct conf, print_profile,
                "print the profile with every parameter and end", 0),
    SL_OPT_END
};

/* ---- profiles ---- */

static bool is_builtin(const char *profile)
{
    return !strpbrk(profile, "/.");
}

static enum sl_status no_builtin(const char *name, struct sl_err *err)
{
    const char *names[MAX_FILTERS + 1] = { NULL };
    for (int i = 0; i < MAX_FILTERS && sl_profile_texts[i].name; i++)
        names[i] = sl_profile_texts[i].name;
    const char *near = sl_str_nearest(sl_str_of(name), names);
    return sl_err_set(err, SL_E_USAGE,
                      "--profile: '%s' is not built in (%s '%s'%s), and no file: a file's name "
                      "has a '.' or a '/'",
                      name, near ? "did you mean" : "there is", near ? near : names[0],
                      near ? "?" : "");
}

static enum sl_status read_file(const char *path, struct sl_profile **out, struct sl_err *err)
{
    struct sl_buf text;
    struct stat s;
    bool there = stat(path, &s) == 0; /* what is wrong otherwise, reading says */
    if (there && !S_ISREG(s.st_mode)) /* it is read more than once */
        return sl_err_set(err, SL_E_USAGE, "--profile: '%s' is no regular file", path);
    if (there && (uint64_t)s.st_size > SL_YAML_MAX_BYTES)
        return sl_err_set(err, SL_E_DATA, "%s: larger than %zu bytes", path, SL_YAML_MAX_BYTES);
    sl_buf_init(&text, SL_YAML_MAX_BYTES + 1);
    enum sl_status st = sl_file_read(path, &text, err);
    if (st == SL_OK)
        st = sl_profile_read(out, sl_buf_str(&text), path, sl_filters, err);
    sl_buf_release(&text);
    return st;
}

static enum sl_status read_profile(const struct conf *conf, struct sl_profile **out,
                                   struct sl_err *err)
{
    *out = NULL;
    if (!is_builtin(conf->profile))
        return read_file(conf->profile, out, err);
    const char *yaml = sl_profile_builtin(sl_profile_texts, conf->profile);
    return yaml ? sl_profile_read(out, sl_str_of(yaml), conf->profile, sl_filters, err)
                : no_builtin(conf->profile, err);
}

static enum sl_status check(void *conf, struct sl_err *err)
{
    struct sl_profile *p;
    SL_TRY(read_profile(conf, &p, err));
    sl_profile_free(p);
    return SL_OK;
}

static enum sl_status print_profile(const void *conf, struct sl_buf *out, struct sl_err *err)
{
    const struct conf *c = conf;
    struct sl_profile *p;
    if (!c->print_profile)
        return SL_OK;
    SL_TRY(read_profile(c, &p, err));
    enum sl_status st = sl_profile_write(p, out, err);
    sl_profile_free(p);
    return st;
}

static enum sl_status rules(const void *conf, struct sl_json *json, struct sl_err *err)
{
    struct sl_profile *p;
    SL_TRY(read_profile(conf, &p, err));
    enum sl_status st = sl_profile_json(p, json, err);
    sl_profile_free(p);
    return st;
}

/* ---- the registry as tables of the run ---- */

struct tables {
    struct sl_add adds[MAX_ADDS + 2]; /* the values, then filter_reason */
    const char *reasons[SL_MAX_REASONS + 1];
    struct sl_hist hists[SL_MAX_HISTS + 1];
};

/* Where a filter's values, reasons and histograms begin in these tables. */
struct place {
    int value, reason, hist;
};

/* filter NULL: where the tables end. */
static struct place place_of(const struct sl_filter *filter)
{
    struct place at = { 0, 0, 0 };
    for (int i = 0; sl_filters[i] && sl_filters[i] != filter; i++) {
        for (const struct sl_filter_value *v = sl_filters[i]->values; v->name; v++) {
            at.value++;
            at.hist += v->hist_per != 0;
        }
        for (const struct sl_filter_rule *r = sl_filters[i]->rules; r->reason; r++)
            at.reason++;
    }
    return at;
}

static void add_filter(struct tables *t, const struct sl_filter *f)
{
    struct place at = place_of(f);
    for (const struct sl_filter_value *v = f->values; v->name; v++) {
        const char *type = v->type == SL_FILTER_UINT32 ? "uint32" : "float32?";
        t->adds[at.value++] = (struct sl_add){ v->name, type, v->about };
        if (v->hist_per)
            t->hists[at.hist++] =
                (struct sl_hist){ v->name, v->hist_from, v->hist_to, v->hist_per };
    }
    for (const struct sl_filter_rule *r = f->rules; r->reason; r++)
        t->reasons[at.reason++] = r->reason;
}

/* False where the folder outgrew the tables. */
static bool make_tables(struct tables *t)
{
    struct place end = place_of(NULL);
    memset(t, 0, sizeof *t);
    if (end.value > MAX_ADDS || end.reason > SL_MAX_REASONS || end.hist > SL_MAX_HISTS)
        return false;
    for (int i = 0; sl_filters[i]; i++)
        add_filter(t, sl_filters[i]);
    t->adds[end.value] =
        (struct sl_add){ "filter_reason", "utf8?",
                         "the rule that would drop the document, null where it stays" };
    return true;
}

/* ---- the run ---- */

struct state {
    struct sl_profile *profile;
    struct place *places; /* of each filter of the profile */
    int reason_column;
    bool made[MAX_ADDS + 1]; /* the columns that this run makes */
};

static void state_free(struct state *s)
{
    sl_profile_free(s->profile);
    free(s->places);
    free(s);
}

static enum sl_status state_new(struct state **out, const struct conf *conf, struct sl_err *err)
{
    struct sl_profile *p;
    SL_TRY(read_profile(conf, &p, err));
    struct state *s = calloc(1, sizeof *s);
    struct place *places = calloc(p->n + 1, sizeof *places);
    if (!s || !places) {
        sl_profile_free(p);
        free(s);
        free(places);
        return sl_err_nomem(err, sizeof *s);
    }
    s->profile = p;
    s->places = places;
    s->reason_column = place_of(NULL).value;
    s->made[s->reason_column] = conf->annotate;
    for (size_t i = 0; i < p->n; i++) {
        places[i] = place_of(p->uses[i].filter);
        for (int k = 0; p->uses[i].filter->values[k].name; k++)
            s->made[places[i].value + k] = conf->annotate;
    }
    *out = s;
    return SL_OK;
}

static bool is_made(const struct sl_run *run, const struct state *s, const char *name)
{
    const struct sl_add *adds = sl_run_tool(run)->adds;
    for (int k = 0; k <= s->reason_column; k++)
        if (strcmp(adds[k].name, name) == 0)
            return s->made[k];
    return false;
}

/* The input's columns; those that the run makes anew are the runtime's to judge. */
static enum sl_status keep_columns(struct sl_run *run, const struct sl_schema *in,
                                   struct sl_schema *out, struct sl_err *err)
{
    struct sl_schema clash;
    enum sl_status st = SL_OK;
    sl_schema_init(&clash);
    for (uint32_t i = 0; i < in->n_fields && st == SL_OK; i++)
        st = sl_schema_add(is_made(run, sl_run_state(run), in->fields[i]->name) ? &clash : out,
                           in->fields[i], err);
    if (st == SL_OK)
        st = sl_run_keep_columns(run, &clash, false, out, err);
    sl_schema_release(&clash);
    return st;
}

static enum sl_status schema(struct sl_run *run, const struct sl_schema *in, struct sl_schema *out,
                             struct sl_err *err)
{
    struct state *s = NULL;
    SL_TRY(state_new(&s, sl_run_conf(run), err));
    sl_run_set_state(run, s);
    SL_TRY(keep_columns(run, in, out, err));
    const struct sl_add *adds = sl_run_tool(run)->adds;
    for (int k = 0; k <= s->reason_column; k++)
        if (s->made[k])
            SL_TRY(sl_schema_add_text(out, adds[k].name, adds[k].type, err));
    return SL_OK;
}

static void stop(struct sl_run *run)
{
    state_free(sl_run_state(run));
}

static enum sl_status add_values(struct sl_task *t, const struct sl_filter *f, struct place at,
                                 const double *values, struct sl_err *err)
{
    for (int k = 0; f->values[k].name; k++) {
        struct sl_colbuf *c = sl_task_add(t, at.value + k);
        SL_TRY(isnan(values[k]) ? sl_colbuf_add_null(c, err)
               : f->values[k].type == SL_FILTER_UINT32
                   ? sl_colbuf_add_int(c, (int64_t)values[k], err)
                   : sl_colbuf_add_real(c, values[k], err));
    }
    return SL_OK;
}

static void count_values(struct sl_task *t, const struct sl_filter *f, struct place at,
                         const double *values)
{
    for (int k = 0; f->values[k].name; k++) {
        if (f->values[k].hist_per && !isnan(values[k]))
            sl_task_hist(t, at.hist, values[k]);
        at.hist += f->values[k].hist_per != 0;
    }
}

/* By a rule of the profile's filter i. */
static enum sl_status drop(struct sl_task *t, int64_t row, size_t i, int rule, const double *values,
                           struct sl_err *err)
{
    const struct state *s = sl_run_state(sl_task_run(t));
    char why[SL_FILTER_WHY_BYTES];
    sl_filter_why(&s->profile->uses[i], rule, values, why);
    return sl_task_drop(t, row, s->places[i].reason + rule, sl_str_of(why), err);
}

static enum sl_status filter_row(struct sl_task *t, int64_t row, struct sl_str text,
                                 struct sl_err *err)
{
    const struct state *s = sl_run_state(sl_task_run(t));
    bool annotate = s->made[s->reason_column];
    const char *reason = NULL;
    for (size_t i = 0; i < s->profile->n; i++) {
        const struct sl_filter_use *use = &s->profile->uses[i];
        double values[SL_FILTER_MAX_VALUES];
        sl_filter_measure(use, text, values);
        int rule = sl_filter_judge(use, values);
        count_values(t, use->filter, s->places[i], values);
        if (annotate)
            SL_TRY(add_values(t, use->filter, s->places[i], values, err));
        else if (rule >= 0)
            return drop(t, row, i, rule, values, err);
        if (rule >= 0 && !reason)
            reason = use->filter->rules[rule].reason;
    }
    if (!annotate)
        return SL_OK;
    struct sl_colbuf *c = sl_task_add(t, s->reason_column);
    return reason ? sl_colbuf_add_str(c, sl_str_of(reason), err) : sl_colbuf_add_null(c, err);
}

/* Columns of the input that only look like ours go through. */
static enum sl_status pass_columns(struct sl_task *t, struct sl_err *err)
{
    const struct state *s = sl_run_state(sl_task_run(t));
    const struct sl_add *adds = sl_run_tool(sl_task_run(t))->adds;
    for (int k = 0; k <= s->reason_column; k++) {
        struct sl_colbuf *c = sl_task_add(t, k);
        if (c && !s->made[k])
            SL_TRY(sl_colbuf_take_range(c, sl_task_column(t, adds[k].name), 0,
                                        sl_task_batch(t)->n_rows, err));
    }
    return SL_OK;
}

static enum sl_status filter_batch(struct sl_task *t, struct sl_err *err)
{
    const struct sl_column *text = sl_task_column(t, "text");
    for (int64_t row = 0; row < text->n; row++)
        SL_TRY(filter_row(t, row, sl_column_str(text, row), err));
    return pass_columns(t, err);
}

/* Filled by main before anything else runs, then constant. */
static struct tables tables;

static const struct sl_tool tool = {
    .name = "sluice-filter",
    .about = "drop documents by rules about their text, or annotate what the rules measure",
    .group = "choose",
    .examples = "sluice-filter --rejects dropped.arrows docs.arrows > kept.arrows\n"
                "sluice-filter --annotate --profile my.yaml docs.arrows > scored.arrows\n"
                "sluice-filter --print-profile > my.yaml",
    .notes = "A document is dropped for one reason, that of the first rule that holds; in\n"
             "--rejects stands the value beside its threshold. docs/filtering.md has every\n"
             "rule, and the form of a profile.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .in = "docs",
    .out = "docs",
    .needs = "text",
    .adds = tables.adds,
    .reasons = tables.reasons,
    .hists = tables.hists,
    .flow = SL_MAP,
    .check = check,
    .print = print_profile,
    .rules = rules,
    .schema = schema,
    .map = filter_batch,
    .stop = stop,
    .trial = "",
};

int main(int argc, char **argv)
{
    return make_tables(&tables) ? sl_tool_main(&tool, argc, argv) : 70;
}
