/* SPDX-License-Identifier: Apache-2.0 */
/* The page from the top down. What the inputs have in common is told once: a
 * stream whose stages are the first of another's is a place on the way of that
 * other, so out of docs.arrows and shards/ comes one funnel. Where no stream is
 * given, the reports alone are the stages. */
#include "report/page_parts.h"

#include <stdio.h>
#include <string.h>

/* ---- what sections share ---- */

void sl_page_begin(struct sl_html *h, const char *title, const char *maker)
{
    sl_html_put(h, "<!doctype html>\n<html lang=en><head><meta charset=utf-8>\n"
                   "<meta name=viewport content=\"width=device-width,initial-scale=1\">\n"
                   "<meta name=color-scheme content=\"light dark\">\n"
                   "<meta name=generator content=\"");
    sl_html_attr(h, sl_str_of(maker));
    sl_html_put(h, " " SLUICE_VERSION "\">\n<title>");
    sl_html_attr(h, sl_str_of(title));
    sl_html_put(h, "</title>\n<style>\n");
    sl_html_put(h, sl_page_style);
    sl_html_put(h, "</style></head>\n<body><main>\n<header><h1>");
    sl_html_cstr(h, title);
    sl_html_put(h, "</h1>\n");
}

void sl_page_end(struct sl_html *h)
{
    sl_html_put(h, "</main></body></html>\n");
}

void sl_section_open(struct sl_html *h, const char *id, const char *title)
{
    sl_html_putf(h, "<section aria-labelledby=%s><h2 id=%s>", id, id);
    sl_html_cstr(h, title);
    sl_html_put(h, "</h2>\n");
}

void sl_section_close(struct sl_html *h)
{
    sl_html_put(h, "</section>\n");
}

struct sl_str sl_tool_short(struct sl_str tool)
{
    struct sl_str prefix = SL_STR("sluice-");
    if (tool.n > prefix.n && sl_str_starts(tool, prefix))
        return (struct sl_str){ tool.p + prefix.n, tool.n - prefix.n };
    return tool;
}

/* ---- which lineages are drawn ---- */

static bool is_way(const struct sl_page_input *in)
{
    return in->w.type != SL_WALKED_REPORT;
}

/* The input whose lineage holds that of input i; of equal ones the first. -1: none. */
static int holder(const struct sl_page *page, int i)
{
    const struct sl_json *own = page->inputs[i].w.json;
    for (int k = 0; k < page->n_inputs; k++) {
        const struct sl_json *other = page->inputs[k].w.json;
        if (k != i && is_way(&page->inputs[k]) && sl_lineage_holds(other, own) &&
            (k < i || !sl_lineage_holds(own, other)))
            return k;
    }
    return -1;
}

/* ---- the head ---- */

static void cell(struct sl_html *h, const char *id, const char *name, int64_t v, const char *note)
{
    if (v < 0)
        return;
    sl_html_putf(h, "<div><dt>%s</dt><dd data-name=%s>", name, id);
    sl_html_int(h, v);
    if (note)
        sl_html_putf(h, "<small>%s</small>", note);
    sl_html_put(h, "</dd></div>");
}

static const char *share_note(int64_t part, int64_t whole, char out[64])
{
    if (part < 0 || whole <= 0)
        return NULL;
    snprintf(out, 64, "%.1f %% of those in", (double)part * 100 / (double)whole);
    return out;
}

static void glance(struct sl_html *h, const struct sl_stages *s, const struct sl_walked *end)
{
    char kept[64], dropped[64], length[64], targets[64], number[32];
    struct sl_glance g = sl_stages_glance(s);
    const char *of_length = NULL, *of_targets = NULL;
    bool shards = end && end->type == SL_WALKED_SHARDS;
    if (shards) {
        snprintf(length, sizeof length, "of %lld tokens", (long long)end->length);
        snprintf(targets, sizeof targets, "in %s places", sl_int_text(end->tokens, number));
        of_length = length;
        of_targets = targets;
        g.sequences = end->rows;
    }
    sl_html_put(h, "<dl class=glance>");
    cell(h, "docs-in", "Documents in", g.docs_in, NULL);
    cell(h, "kept", "Kept", g.kept, share_note(g.kept, g.docs_in, kept));
    cell(h, "dropped", "Dropped", g.dropped, share_note(g.dropped, g.docs_in, dropped));
    cell(h, "tokens", "Tokens", g.tokens, of_targets);
    cell(h, "sequences", "Sequences", g.sequences, of_length);
    cell(h, "shards", "Shards", shards ? end->n_shards : -1, NULL);
    sl_html_put(h, "</dl>\n");
}

static void contents(struct sl_html *h, const struct sl_page *page, bool stages)
{
    sl_html_put(h, "<nav aria-label=\"Contents\">");
    if (stages)
        sl_html_put(h, "<a href=#stages>Stages</a>");
    if (page->order)
        sl_html_put(h, "<a href=#order>Order</a>");
    if (page->n_keys)
        sl_html_put(h, "<a href=#parts>Domains and languages</a>");
    if (page->kept)
        sl_html_put(h, "<a href=#kept>Documents kept</a>");
    if (sl_page_has_rejects(page))
        sl_html_put(h, "<a href=#dropped>Documents dropped</a>");
    if (stages)
        sl_html_put(h, "<a href=#lineage>Lineage</a>");
    sl_html_put(h, "<a href=#inputs>Inputs</a></nav>");
}

/* ---- one way ---- */

static enum sl_status write_way(struct sl_html *h, const struct sl_page *page,
                                const struct sl_json *lineage, const struct sl_walked *end,
                                struct sl_err *err)
{
    struct sl_stages s;
    SL_TRY(sl_stages_of(&s, lineage, page->law, end != NULL, err));
    if (s.n) {
        glance(h, &s, end);
        sl_page_funnel(h, &s);
        sl_page_cost(h, page, &s);
        sl_page_sizes(h, &s);
        sl_page_scores(h, &s);
    } else {
        sl_html_put(h, "<p class=sub>Nothing is known of the stages: the lineage is empty.</p>\n");
    }
    sl_stages_release(&s);
    return SL_OK;
}

static enum sl_status write_lineage(struct sl_html *h, const struct sl_page *page,
                                    const struct sl_json *lineage, bool chained, struct sl_err *err)
{
    struct sl_stages s;
    SL_TRY(sl_stages_of(&s, lineage, page->law, chained, err));
    if (s.n)
        sl_page_lineage(h, &s);
    sl_stages_release(&s);
    return SL_OK;
}

/* The reports as a lineage: they are not chained, for they may be of any runs. */
static enum sl_status reports_as_lineage(const struct sl_page *page, struct sl_json **out,
                                         struct sl_err *err)
{
    *out = sl_json_new_array();
    if (!*out)
        return sl_err_nomem(err, 0);
    for (int i = 0; i < page->n_inputs; i++)
        if (!is_way(&page->inputs[i]))
            SL_TRY(sl_json_push(*out, sl_json_copy(page->inputs[i].w.json), err));
    return SL_OK;
}

static enum sl_status write_reports(struct sl_html *h, const struct sl_page *page,
                                    struct sl_err *err)
{
    struct sl_json *lineage;
    enum sl_status st = reports_as_lineage(page, &lineage, err);
    if (st == SL_OK && sl_json_count(lineage))
        st = write_way(h, page, lineage, NULL, err);
    sl_json_free(lineage);
    return st;
}

/* ---- the foot ---- */

static void write_inputs(struct sl_html *h, const struct sl_page *page)
{
    sl_section_open(h, "inputs", "Inputs");
    sl_html_put(h, "<p class=note>What this page was made of. Streams were read to their end, "
                   "with every message's hash checked.</p><div class=scroll><table><thead><tr>"
                   "<th>Name<th>What it is<th class=n>Rows</tr></thead><tbody>\n");
    for (int i = 0; i < page->n_inputs; i++) {
        const struct sl_walked *w = &page->inputs[i].w;
        sl_html_put(h, "<tr><th scope=row>");
        sl_html_cstr(h, page->inputs[i].name);
        sl_html_put(h, "</th><td>");
        if (w->type == SL_WALKED_REPORT) {
            sl_html_put(h, "report of ");
            sl_html_text(h, sl_json_str(sl_json_get(w->json, "tool")));
            sl_html_put(h, "</td><td class=n></td></tr>\n");
            continue;
        }
        if (w->type == SL_WALKED_SHARDS) {
            sl_html_int(h, w->n_shards);
            sl_html_put(h, " shards of sequences");
        } else {
            sl_html_put(h, w->rejects ? "stream of rejected " : "stream of ");
            sl_html_cstr(h, !w->kind[0]                       ? "rows of unknown kind"
                            : strcmp(w->kind, "rejects") == 0 ? "records"
                                                              : w->kind);
        }
        sl_html_put(h, "</td><td class=n>");
        sl_html_int(h, w->rows);
        sl_html_put(h, "</td></tr>\n");
    }
    sl_html_put(h, "</tbody></table></div>\n");
    sl_section_close(h);
}

static enum sl_status write_ways(struct sl_html *h, const struct sl_page *page, int n_ways,
                                 struct sl_err *err)
{
    for (int i = 0; i < page->n_inputs; i++) {
        if (!is_way(&page->inputs[i]) || holder(page, i) >= 0)
            continue;
        if (n_ways > 1) {
            sl_html_put(h, "<h2 class=way>");
            sl_html_cstr(h, page->inputs[i].name);
            sl_html_put(h, "</h2>\n");
        }
        SL_TRY(write_way(h, page, page->inputs[i].w.json, &page->inputs[i].w, err));
    }
    return n_ways ? SL_OK : write_reports(h, page, err);
}

static enum sl_status write_lineages(struct sl_html *h, const struct sl_page *page, int n_ways,
                                     struct sl_err *err)
{
    if (!n_ways)
        return SL_OK;
    sl_section_open(h, "lineage", "Lineage");
    sl_html_put(h, "<p class=note>Every stage with its version and the values of the options that "
                   "can change the result, defaults included.</p>\n");
    for (int i = 0; i < page->n_inputs; i++)
        if (is_way(&page->inputs[i]) && holder(page, i) < 0)
            SL_TRY(write_lineage(h, page, page->inputs[i].w.json, true, err));
    sl_section_close(h);
    return SL_OK;
}

enum sl_status sl_page_write(struct sl_html *h, const struct sl_page *page, struct sl_err *err)
{
    int n_ways = 0;
    for (int i = 0; i < page->n_inputs; i++)
        n_ways += is_way(&page->inputs[i]) && holder(page, i) < 0;
    sl_page_begin(h, page->title, "sluice-report");
    contents(h, page, page->n_inputs > 0);
    sl_html_put(h, "</header>\n");
    SL_TRY(write_ways(h, page, n_ways, err));
    sl_page_order(h, page);
    sl_page_keys(h, page);
    sl_page_samples(h, page);
    SL_TRY(write_lineages(h, page, n_ways, err));
    write_inputs(h, page);
    sl_page_end(h);
    return sl_html_end(h, err);
}
