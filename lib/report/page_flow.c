/* SPDX-License-Identifier: Apache-2.0 */
/* The funnel: documents by stage and reason, as bars and as a table; and the
 * lineage. Bars of stages that count documents have one scale, those that count
 * sequences another. Reasons that no row went for are counted, not listed: a
 * filter may have a hundred. */
#include "report/page_parts.h"
#include "report/svg.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_COUNTS_SHOWN = 400, MAX_REASONS = 256, TOP_REASONS = 8 };

static const char *unit(bool sequences)
{
    return sequences ? "sequences" : "documents";
}

/* The most rows that any stage of the unit had. */
static int64_t scale(const struct sl_stages *s, bool packed)
{
    int64_t most = 0;
    for (int i = 0; i < s->n; i++) {
        const struct sl_stage *g = &s->s[i];
        if (g->packed != packed)
            continue;
        most = g->in > most ? g->in : most;
        most = !g->packs && g->out > most ? g->out : most;
    }
    return most;
}

static void stage_name(struct sl_html *h, const struct sl_stage *g)
{
    sl_html_put(h, "<b>");
    sl_html_text(h, sl_tool_short(g->tool));
    sl_html_put(h, "</b>");
    int64_t count = sl_count_of(g->json, "count");
    if (count > 1) {
        sl_html_put(h, " <span class=note>");
        sl_html_int(h, count);
        sl_html_put(h, " runs joined</span>");
    }
    if (sl_json_get(g->json, "port"))
        sl_html_putf(h, " <span class=note>%s</span>",
                     sl_str_eq(sl_json_str(sl_json_get(g->json, "port")), SL_STR("rest"))
                         ? "its rest"
                         : "its rejects");
    if (g->n_branches > 1 && g->begins) {
        sl_html_putf(h, " <span class=note>branch %d of %d", g->branch, g->n_branches);
        if (g->follows.n) {
            sl_html_put(h, ", after ");
            sl_html_text(h, sl_tool_short(g->follows));
            sl_html_put(h, " above");
        }
        sl_html_put(h, "</span>");
    }
}

struct reason {
    const char *name;
    int64_t rows;
};

static int most_rows(const void *a, const void *b)
{
    const struct reason *x = a, *y = b;
    if (x->rows != y->rows)
        return x->rows > y->rows ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* The reasons that rows went for, most first, at most MAX_REASONS of them; zero
 * counts the others. */
static int reasons_of(const struct sl_stage *g, struct reason *out, int *zero)
{
    const struct sl_json *all = sl_json_get(g->tally, "reasons"), *v;
    int n = 0;
    for (const char *name = NULL; (name = sl_json_after(all, name, &v));) {
        if (sl_json_int(v) > 0 && n < MAX_REASONS)
            out[n++] = (struct reason){ name, sl_json_int(v) };
        else
            ++*zero;
    }
    qsort(out, (size_t)n, sizeof *out, most_rows);
    return n;
}

static void reasons(struct sl_html *h, const struct sl_stage *g)
{
    struct reason all[MAX_REASONS];
    int zero = 0, n = reasons_of(g, all, &zero);
    if (!n)
        return;
    sl_html_put(h, "<ul class=why>");
    for (int i = 0; i < n && i < TOP_REASONS; i++) {
        sl_html_put(h, "<li>");
        sl_html_cstr(h, all[i].name);
        sl_html_put(h, " ");
        sl_html_int(h, all[i].rows);
        sl_html_put(h, " (");
        sl_html_share(h, all[i].rows, g->in);
        sl_html_put(h, ")</li>");
    }
    if (n > TOP_REASONS)
        sl_html_putf(h, "<li>and %d more</li>", n - TOP_REASONS);
    sl_html_put(h, "</ul>");
}

static void funnel_item(struct sl_html *h, const struct sl_stages *s, const struct sl_stage *g)
{
    int64_t left = g->packs ? sl_rows_of(g->tally, "begun") : g->out;
    sl_html_putf(h, "<li class=in%d><div class=top><span>", g->depth > 2 ? 2 : g->depth);
    stage_name(h, g);
    sl_html_put(h, "</span><span class=n>");
    sl_html_int(h, left);
    if (g->rejected) {
        sl_html_put(h, " of ");
        sl_html_int(h, g->in);
    }
    sl_html_putf(h, " %s%s", unit(g->packed), g->rejected ? " kept" : "");
    if (g->packs) {
        sl_html_put(h, " into ");
        sl_html_int(h, g->out);
        sl_html_put(h, " sequences");
    }
    sl_html_put(h, "</span></div>");
    sl_svg_share(h, left, g->rejected, scale(s, g->packed));
    reasons(h, g);
    if (!g->law_ok) {
        sl_html_put(h, "<p class=bad>\xE2\x9C\x97 Rows are missing or too many: ");
        sl_html_cstr(h, g->why);
        sl_html_put(h, "</p>");
    }
    sl_html_put(h, "</li>\n");
}

static void table_row(struct sl_html *h, const struct sl_stage *g)
{
    const int64_t numbers[] = { g->in, g->out, g->rejected };
    sl_html_put(h, "<tr><th scope=row class=t>");
    for (int i = 0; i < g->depth && i < 4; i++)
        sl_html_put(h, "\xC2\xB7 ");
    sl_html_text(h, sl_tool_short(g->tool));
    sl_html_put(h, "</th>");
    for (int i = 0; i < 3; i++) {
        sl_html_put(h, "<td class=n>");
        sl_html_int(h, numbers[i]);
        sl_html_put(h, "</td>");
    }
    sl_html_put(h, "<td class=n>");
    sl_html_share(h, g->rejected, g->in);
    sl_html_putf(h, "</td><td class=%s>%s</td></tr>\n", g->law_ok ? "ok" : "bad",
                 g->law_ok ? "<span aria-label=\"holds\">\xE2\x9C\x93</span>"
                           : "<span aria-label=\"broken\">\xE2\x9C\x97</span>");
}

static void reason_rows(struct sl_html *h, const struct sl_stage *g, int *zero)
{
    struct reason all[MAX_REASONS];
    int n = reasons_of(g, all, zero);
    for (int i = 0; i < n; i++) {
        sl_html_put(h, "<tr><th scope=row class=t>");
        sl_html_text(h, sl_tool_short(g->tool));
        sl_html_put(h, "</th><td class=r>");
        sl_html_cstr(h, all[i].name);
        sl_html_put(h, "</td><td class=n>");
        sl_html_int(h, all[i].rows);
        sl_html_put(h, "</td><td class=n>");
        sl_html_share(h, all[i].rows, g->in);
        sl_html_put(h, "</td><td class=\"n wide\">");
        sl_html_share(h, all[i].rows, g->rejected);
        sl_html_put(h, "</td><td class=cell>");
        sl_svg_share(h, 0, all[i].rows, g->in);
        sl_html_put(h, "</td></tr>\n");
    }
}

static void reason_table(struct sl_html *h, const struct sl_stages *s)
{
    int zero = 0;
    int64_t rejected = 0;
    for (int i = 0; i < s->n; i++)
        rejected |= s->s[i].rejected;
    if (rejected)
        sl_html_put(h, "<h3>Why documents went</h3><div class=scroll><table "
                       "data-name=reasons><thead><tr><th>Stage"
                       "<th>Reason<th class=n>Rows<th class=n>of its input<th class=\"n wide\">"
                       "of its rejects<th class=cell></tr></thead><tbody>\n");
    for (int i = 0; i < s->n && rejected; i++)
        reason_rows(h, &s->s[i], &zero);
    if (rejected)
        sl_html_put(h, "</tbody></table></div>\n");
    if (zero)
        sl_html_putf(h, "<p class=note>%d other reason%s met no document.</p>\n", zero,
                     zero == 1 ? "" : "s");
}

void sl_page_funnel(struct sl_html *h, const struct sl_stages *s)
{
    int broken = 0;
    for (int i = 0; i < s->n; i++)
        broken += !s->s[i].law_ok;
    sl_section_open(h, "stages", "Documents by stage");
    if (broken)
        sl_html_putf(h,
                     "<p class=bad data-law=broken>\xE2\x9C\x97 The law of conservation does "
                     "not hold at %d of %d stages.</p>\n",
                     broken, s->n);
    else
        sl_html_putf(h,
                     "<p class=note data-law=holds><span class=ok>\xE2\x9C\x93</span> Nothing "
                     "was lost: rows and ids in are rows and ids out plus those rejected, at "
                     "all %d stages.</p>\n",
                     s->n);
    sl_html_put(h, "<ol class=funnel>\n");
    for (int i = 0; i < s->n; i++)
        funnel_item(h, s, &s->s[i]);
    sl_html_put(h, "</ol>\n<p class=legend style=\"margin-left:0\"><span class=key><i class=k></i>"
                   "kept</span><span class=key><i class=d></i>rejected</span></p>\n"
                   "<div class=scroll><table data-name=stages><thead><tr><th>Stage<th class=n>In"
                   "<th class=n>Out<th class=n>Rejected<th class=n>Share<th>Law</tr></thead>"
                   "<tbody>\n");
    for (int i = 0; i < s->n; i++)
        table_row(h, &s->s[i]);
    sl_html_put(h, "</tbody></table></div>\n");
    reason_table(h, s);
    sl_section_close(h);
}

/* ---- lineage ---- */

static void dump(struct sl_html *h, const struct sl_json *v)
{
    struct sl_buf text;
    sl_buf_init(&text, SL_MAX_META_BYTES);
    if (sl_json_dump_pretty(v, &text, &h->err) == SL_OK) {
        sl_html_put(h, "<pre>");
        sl_html_text(h, sl_buf_str(&text));
        sl_html_put(h, "</pre>");
    }
    sl_buf_release(&text);
}

/* Of an option: a number without separators, for it may be a seed. */
static void value(struct sl_html *h, const struct sl_json *v)
{
    switch (sl_json_type(v)) {
    case SL_JSON_STR:
        sl_html_text(h, sl_json_str(v));
        break;
    case SL_JSON_INT:
        sl_html_putf(h, "%lld", (long long)sl_json_int(v));
        break;
    case SL_JSON_REAL:
        sl_html_putf(h, "%.10g", sl_json_real(v));
        break;
    case SL_JSON_BOOL:
        sl_html_put(h, sl_json_bool(v) ? "yes" : "no");
        break;
    case SL_JSON_OBJECT:
        if (!sl_json_get(v, "xxh3")) {
            dump(h, v);
            break;
        }
        sl_html_text(h, sl_json_str(sl_json_get(v, "name")));
        sl_html_put(h, " <span class=note>XXH3-128 ");
        sl_html_text(h, sl_json_str(sl_json_get(v, "xxh3")));
        sl_html_put(h, "</span>");
        break;
    case SL_JSON_ARRAY:
        dump(h, v);
        break;
    default:
        sl_html_put(h, "\xE2\x80\x93");
    }
}

static void pairs(struct sl_html *h, const char *title, const struct sl_json *object,
                  bool skip_zero)
{
    const struct sl_json *v;
    int shown = 0;
    for (const char *name = NULL; (name = sl_json_after(object, name, &v));) {
        if ((skip_zero && sl_json_int(v) == 0) || shown >= MAX_COUNTS_SHOWN)
            continue;
        if (!shown++)
            sl_html_putf(h, "<h3>%s</h3><table><tbody>", title);
        sl_html_put(h, "<tr><th scope=row>");
        sl_html_cstr(h, name);
        sl_html_put(h, skip_zero ? "</th><td class=n>" : "</th><td>");
        if (skip_zero)
            sl_html_int(h, sl_json_int(v));
        else
            value(h, v);
        sl_html_put(h, "</td></tr>\n");
    }
    if (shown)
        sl_html_put(h, "</tbody></table>");
}

void sl_page_lineage(struct sl_html *h, const struct sl_stages *s)
{
    for (int i = 0; i < s->n; i++) {
        const struct sl_stage *g = &s->s[i];
        sl_html_putf(h, "<details class=in%d><summary>", g->depth > 2 ? 2 : g->depth);
        stage_name(h, g);
        sl_html_put(h, " <span class=note>version ");
        sl_html_text(h, g->version);
        const struct sl_json *seed = sl_json_get(sl_json_get(g->json, "options"), "seed");
        if (seed) {
            sl_html_putf(h, ", seed %lld", (long long)sl_json_int(seed));
        }
        sl_html_put(h, "</span></summary>\n");
        pairs(h, "Options", sl_json_get(g->json, "options"), false);
        pairs(h, "Rules", sl_json_get(g->json, "rules"), false);
        pairs(h, "Counts", sl_json_get(g->tally, "counts"), true);
        sl_html_put(h, "</details>\n");
    }
}
