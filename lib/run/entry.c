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

static enum sl_status fill(struct sl_run *run, const char *port, bool with_tally,
                           struct sl_json *entry, struct sl_err *err)
{
    const struct sl_tool *t = run->tool;
    struct sl_tally_names names = { t->reasons, t->counts, t->hists };
    if (t->rules)
        SL_TRY(sl_json_set(entry, "rules", rules_json(run, err), err));
    if (t->hists)
        SL_TRY(sl_json_set(entry, "bins", bins_json(t->hists), err));
    if (port)
        SL_TRY(sl_json_set(entry, "port", sl_json_new_str(sl_str_of(port)), err));
    if (with_tally)
        SL_TRY(sl_json_set(entry, "tally", sl_tally_json(&run->tally, &names), err));
    return SL_OK;
}

struct sl_json *sl_run_entry(struct sl_run *run, const char *port, bool with_tally,
                             struct sl_err *err)
{
    struct sl_json *entry = sl_lineage_entry(run->tool->name, run->groups, run->n_groups, err);
    if (!entry || fill(run, port, with_tally, entry, err) == SL_OK)
        return entry;
    sl_json_free(entry);
    return NULL;
}
