/* SPDX-License-Identifier: Apache-2.0 */
/* The lineage entry of a run's own stage, as docs/stream.md section 6 has it. */
#include "run/run_private.h"

/* The edges of the tool's histograms: name to [from, to, per]. */
static struct sl_json *bins_json(const struct sl_hist *hists)
{
    struct sl_json *o = sl_json_new_object();
    for (const struct sl_hist *h = hists; h->name; h++) {
        struct sl_json *edges = sl_json_new_array();
        enum sl_status st = sl_json_push(edges, sl_json_new_int(h->from), NULL);
        st |= sl_json_push(edges, sl_json_new_int(h->to), NULL);
        st |= sl_json_push(edges, sl_json_new_int(h->per), NULL);
        st |= sl_json_set(o, h->name, edges, NULL);
        if (st != SL_OK) {
            sl_json_free(o);
            return NULL;
        }
    }
    return o;
}

static struct sl_json *rules_json(const struct sl_run *run, struct sl_err *err)
{
    struct sl_json *o = sl_json_new_object();
    if (!o || run->tool->rules(run->conf, o, err) == SL_OK)
        return o;
    sl_json_free(o);
    return NULL;
}

static enum sl_status add_rules(struct sl_run *run, struct sl_json *entry, struct sl_err *err)
{
    const struct sl_tool *t = run->tool;
    if (t->rules)
        SL_TRY(sl_json_set(entry, "rules", rules_json(run, err), err));
    return t->hists ? sl_json_set(entry, "bins", bins_json(t->hists), err) : SL_OK;
}

/* Rule files are looked at once, when the run begins: what they say at its end is
 * not what was applied, and they may be gone. */
static enum sl_status begin_entry(struct sl_run *run, struct sl_err *err)
{
    if (run->entry)
        return SL_OK;
    run->entry = sl_lineage_entry(run->tool->name, run->groups, run->n_groups, err);
    enum sl_status st = run->entry               ? add_rules(run, run->entry, err)
                        : err && err->status < 0 ? err->status
                                                 : SL_E_SYSTEM;
    if (st != SL_OK) {
        sl_json_free(run->entry);
        run->entry = NULL;
    }
    return st;
}

static enum sl_status add_own(struct sl_run *run, const char *port, bool with_tally,
                              struct sl_json *entry, struct sl_err *err)
{
    const struct sl_tool *t = run->tool;
    struct sl_tally_names names = { t->reasons, t->counts, t->hists };
    if (port)
        SL_TRY(sl_json_set(entry, "port", sl_json_new_str(sl_str_of(port)), err));
    if (with_tally && run->order)
        SL_TRY(sl_json_set(entry, "order", sl_json_copy(run->order), err));
    if (with_tally)
        SL_TRY(sl_json_set(entry, "tally", sl_tally_json(&run->tally, &names), err));
    return SL_OK;
}

struct sl_json *sl_run_entry(struct sl_run *run, const char *port, bool with_tally,
                             struct sl_err *err)
{
    struct sl_json *entry = NULL;
    if (begin_entry(run, err) == SL_OK)
        entry = sl_json_copy(run->entry);
    if (entry && add_own(run, port, with_tally, entry, err) == SL_OK)
        return entry;
    sl_json_free(entry);
    /* JSON values that could not be made say nothing. */
    if (err && err->status >= 0)
        (void)sl_err_nomem(err, 0);
    return NULL;
}

enum sl_status sl_run_set_order(struct sl_run *run, struct sl_json *order, struct sl_err *err)
{
    if (!order)
        return sl_err_nomem(err, 0);
    sl_json_free(run->order);
    run->order = order;
    return SL_OK;
}
