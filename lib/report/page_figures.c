/* SPDX-License-Identifier: Apache-2.0 */
/* What things cost, and how sizes and scores are distributed. Times and memory
 * stand in reports alone: a stage's is found by its tool and its counts, which
 * hold sums of ids and so belong to one run's data. */
#include "report/page_parts.h"
#include "report/svg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BINS = 65, SCORE_BINS = 64, SCORE_TICKS = 6, MAX_CHARTS = 64 };
#define EDGE_MAX 1e15

/* ---- cost ---- */

static bool same_port(const struct sl_json *a, const struct sl_json *b, const char *port)
{
    const struct sl_json *x = sl_json_get(a, port), *y = sl_json_get(b, port);
    return x && y && sl_json_equal(x, y);
}

static bool is_of(const struct sl_json *report, const struct sl_stage *g)
{
    const struct sl_json *tally = sl_json_get(report, "tally");
    return sl_str_eq(sl_json_str(sl_json_get(report, "tool")), g->tool) &&
           same_port(tally, g->tally, "in") && same_port(tally, g->tally, "out") &&
           same_port(tally, g->tally, "rejected");
}

/* The stages get their reports, each the first that is its own and still free. */
static void match(const struct sl_page *page, struct sl_stages *s)
{
    for (int i = 0; i < s->n; i++)
        s->s[i].report = NULL;
    for (int k = 0; k < page->n_inputs; k++) {
        if (page->inputs[k].w.type != SL_WALKED_REPORT)
            continue;
        for (int i = 0; i < s->n; i++)
            if (!s->s[i].report && is_of(page->inputs[k].w.json, &s->s[i])) {
                s->s[i].report = page->inputs[k].w.json;
                break;
            }
    }
}

struct cost {
    double seconds, cpu;
    int64_t in, out, memory;
};

static double real_of(const struct sl_json *r, const char *key)
{
    double v = sl_json_real(sl_json_get(r, key));
    return v >= 0 && v < 1e15 ? v : 0;
}

static struct cost cost_of(const struct sl_json *r)
{
    return (struct cost){ real_of(r, "seconds"), real_of(r, "cpu_seconds"),
                          sl_count_of(r, "bytes_in"), sl_count_of(r, "bytes_out"),
                          sl_count_of(r, "peak_memory_bytes") };
}

static void cost_row(struct sl_html *h, struct sl_str tool, const struct cost *c, double most_cpu)
{
    sl_html_put(h, "<tr><th scope=row class=t>");
    sl_html_text(h, sl_tool_short(tool));
    sl_html_putf(h, "</th><td class=n>%.2f</td><td class=cell>", c->cpu);
    sl_svg_share(h, (int64_t)(c->cpu * 1000), 0, (int64_t)(most_cpu * 1000));
    sl_html_put(h, "</td><td class=n>");
    sl_html_bytes(h, c->memory);
    sl_html_putf(h, "</td><td class=n>%.0f MB/s</td><td class=n>%.2f</td><td class=n>",
                 c->seconds > 0 ? (double)c->in / 1e6 / c->seconds : 0, c->seconds);
    sl_html_bytes(h, c->in);
    sl_html_put(h, "</td><td class=n>");
    if (c->out)
        sl_html_bytes(h, c->out);
    else
        sl_html_put(h, "\xE2\x80\x93");
    sl_html_put(h, "</td></tr>\n");
}

static void cost_head(struct sl_html *h)
{
    sl_section_open(h, "cost", "What it cost");
    sl_html_put(h, "<p class=note>From the stages' own reports. Stages of a pipe run at the same "
                   "time, so their seconds overlap; CPU seconds do not.</p><div class=scroll>"
                   "<table data-name=cost><thead><tr><th>Stage<th class=n>CPU&nbsp;s<th class=cell>"
                   "<th class=n>Peak memory<th class=n>Speed<th class=n>Seconds<th class=n>In"
                   "<th class=n>Out</tr></thead><tbody>\n");
}

void sl_page_cost(struct sl_html *h, const struct sl_page *page, const struct sl_stages *s)
{
    struct sl_stages own = *s;
    struct cost sum = { 0 };
    double most = 0;
    int n = 0, without = 0;
    match(page, &own);
    for (int i = 0; i < own.n; i++) {
        double cpu = own.s[i].report ? cost_of(own.s[i].report).cpu : 0;
        most = cpu > most ? cpu : most;
        n += own.s[i].report != NULL;
        without += own.s[i].report == NULL;
    }
    if (!n)
        return;
    cost_head(h);
    for (int i = 0; i < own.n; i++) {
        if (!own.s[i].report)
            continue;
        struct cost c = cost_of(own.s[i].report);
        cost_row(h, own.s[i].tool, &c, most);
        sum.cpu += c.cpu;
        sum.memory += c.memory;
    }
    sl_html_putf(h,
                 "</tbody><tfoot><tr><th scope=row>Together</th><td class=n>%.2f</td>"
                 "<td class=cell></td><td class=n>",
                 sum.cpu);
    sl_html_bytes(h, sum.memory);
    sl_html_put(h, "</td><td colspan=4></td></tr></tfoot></table></div>\n");
    if (without)
        sl_html_putf(h, "<p class=note>%d stage%s without a report that has the same counts.</p>\n",
                     without, without == 1 ? "" : "s");
    sl_section_close(h);
}

/* ---- sizes of texts ---- */

static bool bins_of(const struct sl_stage *g, const char *name, int n, int64_t *out)
{
    const struct sl_json *bins = sl_json_get(sl_json_get(g->tally, "hist"), name);
    if (sl_json_type(bins) != SL_JSON_ARRAY || sl_json_count(bins) != (size_t)n)
        return false;
    int64_t any = 0;
    for (int i = 0; i < n; i++) {
        int64_t v = sl_json_int(sl_json_at(bins, (size_t)i));
        out[i] = v < 0 ? 0 : v;
        any |= out[i];
    }
    return any != 0;
}

/* 2^k bytes as people say it. */
static const char *power_text(int k, char out[32])
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    snprintf(out, 32, "%d %s", 1 << (k % 10), units[k / 10]);
    return out;
}

static const char *bin_text(int k, char out[80])
{
    char from[32], to[32];
    if (k == 0)
        return "empty";
    snprintf(out, 80, "%s to under %s", power_text(k - 1, from), power_text(k, to));
    return out;
}

struct sizes {
    const struct sl_stage *first, *last;
    int64_t before[TEXT_BINS], after[TEXT_BINS];
    int lo, hi; /* bins shown */
};

static void find_sizes(const struct sl_stages *s, struct sizes *z)
{
    int64_t bins[TEXT_BINS];
    *z = (struct sizes){ .lo = TEXT_BINS, .hi = 0 };
    for (int i = 0; i < s->n; i++) {
        if (s->s[i].depth || !bins_of(&s->s[i], "text_bytes", TEXT_BINS, bins))
            continue;
        if (!z->first) {
            z->first = &s->s[i];
            memcpy(z->before, bins, sizeof bins);
        }
        z->last = &s->s[i];
        memcpy(z->after, bins, sizeof bins);
    }
    for (int k = 0; k < TEXT_BINS; k++)
        if (z->before[k] || z->after[k]) {
            z->lo = k < z->lo ? k : z->lo;
            z->hi = k;
        }
}

static void size_table(struct sl_html *h, const struct sizes *z)
{
    char text[80];
    bool two = z->first != z->last;
    sl_html_put(h, "<details><summary>As a table</summary><table data-name=sizes><thead><tr>"
                   "<th>Bytes of text<th class=n>");
    sl_html_text(h, sl_tool_short(z->first->tool));
    if (two) {
        sl_html_put(h, "<th class=n>");
        sl_html_text(h, sl_tool_short(z->last->tool));
    }
    sl_html_put(h, "</tr></thead><tbody>\n");
    for (int k = z->lo; k <= z->hi; k++) {
        sl_html_putf(h, "<tr><td>%s</td><td class=n>", bin_text(k, text));
        sl_html_int(h, z->before[k]);
        if (two) {
            sl_html_put(h, "</td><td class=n>");
            sl_html_int(h, z->after[k]);
        }
        sl_html_put(h, "</td></tr>\n");
    }
    sl_html_put(h, "</tbody></table></details>\n");
}

void sl_page_sizes(struct sl_html *h, const struct sl_stages *s)
{
    struct sizes z;
    char labels[TEXT_BINS][32], names[2][80], text[80];
    struct sl_tick ticks[TEXT_BINS];
    int n_ticks = 0;
    find_sizes(s, &z);
    if (!z.first)
        return;
    int n = z.hi - z.lo + 1, every = (n + 4) / 5;
    for (int k = z.lo; k <= z.hi; k += every) {
        ticks[n_ticks].at = (double)(k - z.lo) / n;
        ticks[n_ticks].text = k ? power_text(k - 1, labels[n_ticks]) : "0";
        n_ticks++;
    }
    struct sl_str from = sl_tool_short(z.first->tool), to = sl_tool_short(z.last->tool);
    snprintf(names[0], 80, "after %.*s", (int)(from.n < 60 ? from.n : 60), from.p);
    snprintf(names[1], 80, "after %.*s", (int)(to.n < 60 ? to.n : 60), to.p);
    const char *const both[] = { names[0], names[1] };
    char desc[160];
    snprintf(desc, sizeof desc, "Histogram with a bin for each power of two, the first %s.",
             bin_text(z.lo, text));
    struct sl_chart c = { .title = "Documents by bytes of text",
                          .note = "From left to right the bins double in width.",
                          .desc = desc,
                          .x_unit = "bytes of text (UTF-8), powers of two",
                          .y_unit = "documents",
                          .ticks = ticks,
                          .n_ticks = n_ticks };
    sl_section_open(h, "sizes", "Text sizes");
    sl_svg_bars(h, &c, z.after + z.lo, z.first == z.last ? NULL : z.before + z.lo, n, both);
    size_table(h, &z);
    sl_section_close(h);
}

/* ---- scores ---- */

/* Where a histogram's bins lie; by number where the stage does not say. */
struct edges {
    bool known;
    double from, to;
};

static struct edges edges_of(const struct sl_stage *g, const char *name)
{
    const struct sl_json *e = sl_json_get(sl_json_get(g->json, "bins"), name);
    double from = sl_json_real(sl_json_at(e, 0)), to = sl_json_real(sl_json_at(e, 1));
    double per = sl_json_real(sl_json_at(e, 2));
    struct edges known = { true, from / per, to / per };
    /* What a tool would not say is not believed: axes need numbers apart. */
    if (sl_json_count(e) != 3 || !(per > 0) || !(fabs(known.from) < EDGE_MAX) ||
        !(fabs(known.to) < EDGE_MAX) || !(known.to - known.from > 1e-9 * fabs(known.to)))
        return (struct edges){ false, 0, SCORE_BINS };
    return known;
}

static double edge(const struct edges *e, double at)
{
    return e->from + (e->to - e->from) * at / SCORE_BINS;
}

static void score_table(struct sl_html *h, const struct edges *e, const int64_t *bins)
{
    char from[32], to[32];
    sl_html_put(h, "<details><summary>As a table</summary><table data-name=scores><thead><tr>"
                   "<th class=n>From<th class=n>To under<th class=n>Rows</tr></thead><tbody>\n");
    for (int i = 0; i < SCORE_BINS; i++) {
        if (!bins[i])
            continue;
        sl_html_putf(h, "<tr><td class=n>%s</td><td class=n>%s</td><td class=n>",
                     i ? sl_short_text(edge(e, i), from) : "\xE2\x80\x93",
                     i + 1 < SCORE_BINS ? sl_short_text(edge(e, i + 1), to) : "\xE2\x80\x93");
        sl_html_int(h, bins[i]);
        sl_html_put(h, "</td></tr>\n");
    }
    sl_html_put(h, "</tbody></table></details>");
}

static void score_chart(struct sl_html *h, const struct sl_stage *g, const char *name,
                        const int64_t *bins)
{
    char room[SCORE_TICKS][32], from[32], to[32], title[96], desc[96];
    struct sl_tick ticks[SCORE_TICKS];
    struct edges e = edges_of(g, name);
    snprintf(title, sizeof title, "%.80s", name);
    snprintf(desc, sizeof desc, "Histogram of 64 bins from %s to %s.", sl_short_text(e.from, from),
             sl_short_text(e.to, to));
    struct sl_chart c = { .title = title,
                          .desc = desc,
                          .x_unit = e.known ? "value" : "number of the bin",
                          .y_unit = "rows",
                          .ticks = ticks,
                          .n_ticks = sl_svg_ticks(e.from, e.to, ticks, room, SCORE_TICKS) };
    sl_html_put(h, "<div>");
    sl_svg_bars(h, &c, bins, NULL, SCORE_BINS, NULL);
    score_table(h, &e, bins);
    sl_html_put(h, "</div>\n");
}

/* The histograms of scores of one stage; the section begins with the first. */
static void stage_scores(struct sl_html *h, const struct sl_stage *g, int *shown)
{
    const struct sl_json *all = sl_json_get(g->tally, "hist"), *v;
    bool open = false;
    for (const char *name = NULL; (name = sl_json_after(all, name, &v));) {
        int64_t bins[SCORE_BINS];
        if (strcmp(name, "text_bytes") == 0 || !bins_of(g, name, SCORE_BINS, bins) ||
            *shown == MAX_CHARTS)
            continue;
        if (!*shown) {
            sl_section_open(h, "scores", "Scores");
            sl_html_put(h, "<p class=note>Counted over all rows. What lies outside of an axis "
                           "counts in the bin at its end.</p>\n");
        }
        if (!open) {
            sl_html_put(h, "<h3>");
            sl_html_text(h, sl_tool_short(g->tool));
            sl_html_put(h, "</h3><div class=\"charts many\">\n");
        }
        open = true;
        ++*shown;
        score_chart(h, g, name, bins);
    }
    if (open)
        sl_html_put(h, "</div>\n");
}

void sl_page_scores(struct sl_html *h, const struct sl_stages *s)
{
    int shown = 0;
    for (int i = 0; i < s->n; i++)
        stage_scores(h, &s->s[i], &shown);
    if (shown)
        sl_section_close(h);
}
