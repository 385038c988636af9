/* SPDX-License-Identifier: Apache-2.0 */
/* --describe: the tool's table as JSON. The contract suite, the reference
 * pages and `sluice` read it, so none of them lists tools by hand. */
#include <string.h>

#include "run/run_private.h"

static struct sl_json *text_or_null(const char *s)
{
    return sl_json_new_str(sl_str_of(s ? s : ""));
}

static const char *type_name(enum sl_opt_type t)
{
    static const char *const names[] = { "end",  "bool", "uint", "size",  "real",
                                         "text", "file", "path", "choice" };
    return names[t];
}

static struct sl_json *option_json(const struct sl_opt *o)
{
    char letter[2] = { o->letter, 0 };
    struct sl_json *j = sl_json_new_object();
    enum sl_status st = SL_OK;
    st |= sl_json_set(j, "name", text_or_null(o->name), NULL);
    st |= sl_json_set(j, "letter", text_or_null(letter), NULL);
    st |= sl_json_set(j, "value", text_or_null(o->value), NULL);
    st |= sl_json_set(j, "type", text_or_null(type_name(o->type)), NULL);
    st |= sl_json_set(j, "default", sl_json_new_str(sl_opt_default(o)), NULL);
    st |= sl_json_set(j, "about", sl_json_new_str(sl_opt_about(o)), NULL);
    st |= sl_json_set(j, "result", sl_json_new_bool(o->flags & SL_OPT_RESULT), NULL);
    if (st == SL_OK)
        return j;
    sl_json_free(j);
    return NULL;
}

static struct sl_json *options_json(const struct sl_run *run)
{
    struct sl_json *all = sl_json_new_array();
    for (int i = 0; i < run->n_groups; i++)
        for (const struct sl_opt *o = run->groups[i].options; o->type != SL_OPT_T_END; o++)
            if (sl_json_push(all, option_json(o), NULL) != SL_OK) {
                sl_json_free(all);
                return NULL;
            }
    return all;
}

static struct sl_json *adds_json(const struct sl_tool *t)
{
    struct sl_json *all = sl_json_new_array();
    for (const struct sl_add *a = t->adds; a && a->name; a++) {
        struct sl_json *j = sl_json_new_object();
        enum sl_status st = SL_OK;
        st |= sl_json_set(j, "name", text_or_null(a->name), NULL);
        st |= sl_json_set(j, "type", text_or_null(a->type), NULL);
        st |= sl_json_set(j, "about", text_or_null(a->about), NULL);
        st |= sl_json_push(all, j, NULL);
        if (st != SL_OK) {
            sl_json_free(all);
            return NULL;
        }
    }
    return all;
}

static struct sl_json *words_json(const char *const *words)
{
    struct sl_json *all = sl_json_new_array();
    for (int i = 0; words && words[i]; i++)
        if (sl_json_push(all, text_or_null(words[i]), NULL) != SL_OK) {
            sl_json_free(all);
            return NULL;
        }
    return all;
}

static struct sl_json *tool_json(const struct sl_run *run)
{
    static const char *const flows[] = { "source", "map",  "scan", "collect",
                                         "merge",  "sink", "plain" };
    const struct sl_tool *t = run->tool;
    struct sl_json *j = sl_json_new_object();
    enum sl_status st = SL_OK;
    st |= sl_json_set(j, "name", text_or_null(t->name), NULL);
    st |= sl_json_set(j, "version", text_or_null(SLUICE_VERSION), NULL);
    st |= sl_json_set(j, "about", text_or_null(t->about), NULL);
    st |= sl_json_set(j, "group", text_or_null(t->group), NULL);
    st |= sl_json_set(j, "flow", text_or_null(flows[t->flow]), NULL);
    st |= sl_json_set(j, "operands", text_or_null(t->operands ? t->operands : "[FILE...]"), NULL);
    st |= sl_json_set(j, "in", text_or_null(t->in), NULL);
    st |= sl_json_set(j, "out", text_or_null(t->out), NULL);
    st |= sl_json_set(j, "text_out", sl_json_new_bool(t->text_out), NULL);
    st |= sl_json_set(j, "folder_out", sl_json_new_bool(t->folder_out), NULL);
    st |= sl_json_set(j, "reads_files", sl_json_new_bool(t->reads_files), NULL);
    st |= sl_json_set(j, "needs", text_or_null(t->needs), NULL);
    st |= sl_json_set(j, "removes", text_or_null(t->removes), NULL);
    st |= sl_json_set(j, "adds", adds_json(t), NULL);
    st |= sl_json_set(j, "reasons", words_json(t->reasons), NULL);
    st |= sl_json_set(j, "counts", words_json(t->counts), NULL);
    st |= sl_json_set(j, "options", options_json(run), NULL);
    st |= sl_json_set(j, "examples", text_or_null(t->examples), NULL);
    st |= sl_json_set(j, "notes", text_or_null(t->notes), NULL);
    st |= sl_json_set(j, "trial", text_or_null(t->trial), NULL);
    if (st == SL_OK)
        return j;
    sl_json_free(j);
    return NULL;
}

enum sl_status sl_describe(const struct sl_run *run, FILE *to, struct sl_err *err)
{
    struct sl_buf text;
    struct sl_json *j = tool_json(run);
    if (!j)
        return sl_err_nomem(err, 0);
    sl_buf_init(&text, SL_MAX_META_BYTES);
    enum sl_status st = sl_json_dump_pretty(j, &text, err);
    if (st == SL_OK)
        fprintf(to, "%.*s\n", (int)text.n, (const char *)text.p);
    sl_buf_release(&text);
    sl_json_free(j);
    return st;
}
