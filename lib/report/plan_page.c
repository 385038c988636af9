/* SPDX-License-Identifier: Apache-2.0 */
/* What was placed is drawn from the rows and places, the target and the pool from the plan
 * alone: where both lie on one another, the order is what the plan says. A source has a
 * chart of its own, since lines of ten sources in one cannot be told apart. */
#include "report/plan_page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/row_hash.h"
#include "io/sink.h"
#include "order/plan_text.h"
#include "order/schedule.h"
#include "report/page_parts.h"
#include "report/svg.h"

#define PAGE_MAX_BYTES ((size_t)1 << 28)
enum { TICKS = 6, MARKS = 64, POOL_POINTS = 40, SOURCES_DRAWN = 24, MIN_ROWS_OF_A_POINT = 32 };
enum { MIN_ROWS_OF_A_SHARE = 50, MARK_CHARS = 20, MARK_BYTES = 4 * MARK_CHARS + 4 };

struct sl_plan_page {
    const struct sl_plan *plan;
    struct sl_sink *sink;
    struct sl_curve curves[SL_PLAN_PAGE_SCORES];
    int n_curves;
};

/* ---- which scores ---- */

static bool is_numeric(const struct sl_schema *s, const char *name)
{
    int at = sl_schema_find(s, name);
    return at >= 0 && s->fields[at]->type <= SL_T_BOOL;
}

static void add_curve(struct sl_plan_page *p, const struct sl_schema *made, struct sl_str name)
{
    char text[SL_MAX_NAME_BYTES + 1];
    if (p->n_curves == SL_PLAN_PAGE_SCORES || name.n >= sizeof text)
        return;
    memcpy(text, name.p, name.n);
    text[name.n] = 0;
    for (int i = 0; i < p->n_curves; i++)
        if (strcmp(p->curves[i].score, text) == 0)
            return;
    if (is_numeric(made, text) && strcmp(text, "copy") != 0 && strcmp(text, "stage") != 0)
        sl_curve_init(&p->curves[p->n_curves++], text, sl_row_seed("sluice-report/samples", 0));
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* A score is a list of columns, or an expression over some: its words that are columns. */
static void add_columns(struct sl_plan_page *p, const struct sl_schema *made, const char *score)
{
    for (const char *s = score; *s;) {
        size_t n = 0;
        while (is_word(s[n]))
            n++;
        if (n)
            add_curve(p, made, (struct sl_str){ s, n });
        s += n ? n : 1;
    }
}

static void choose_scores(struct sl_plan_page *p, const struct sl_schema *made)
{
    for (size_t k = 0; k < p->plan->n_scores; k++)
        add_columns(p, made, p->plan->scores[k]);
    for (uint32_t i = 0; !p->plan->n_scores && i < made->n_fields; i++) {
        struct sl_str name = sl_str_of(made->fields[i]->name);
        if (sl_str_starts(name, SL_STR("difficulty_")))
            add_curve(p, made, name);
    }
}

enum sl_status sl_plan_page_new(struct sl_plan_page **out, const char *path, bool force,
                                const struct sl_plan *plan, const struct sl_schema *made,
                                struct sl_err *err)
{
    struct sl_plan_page *p = *out = calloc(1, sizeof *p);
    if (!p)
        return sl_err_nomem(err, sizeof *p);
    p->plan = plan;
    choose_scores(p, made);
    return sl_sink_open(&p->sink, path, force, err);
}

void sl_plan_page_free(struct sl_plan_page *p)
{
    if (!p)
        return;
    for (int i = 0; i < p->n_curves; i++)
        sl_curve_release(&p->curves[i]);
    sl_sink_free(p->sink);
    free(p);
}

enum sl_status sl_plan_page_add(struct sl_plan_page *p, const struct sl_batch *rows,
                                struct sl_err *err)
{
    for (int i = 0; i < p->n_curves; i++)
        SL_TRY(sl_curve_add(&p->curves[i], rows, err));
    return SL_OK;
}

/* ---- what all charts share ---- */

/* What is drawn: the order, and where its stages begin. */
struct view {
    struct sl_html *h;
    const struct sl_plan *plan;
    const struct sl_curriculum *c;
    const struct sl_plan_achieved *achieved;
    const struct sl_plan_stretches *stages;
    uint64_t n, tokens; /* positions; tokens of one */
    struct sl_tick marks[MARKS], ticks[TICKS];
    char names[TICKS][32], stages_cut[MARKS][MARK_BYTES];
    int n_marks, n_ticks;
};

/* A name that has room beside its line. */
static const char *cut_name(const char *name, char out[MARK_BYTES])
{
    size_t n = 0;
    for (int chars = 0; name[n]; n++) {
        chars += (name[n] & 0xC0) != 0x80; /* a character begins */
        if (chars > MARK_CHARS)
            break;
    }
    snprintf(out, MARK_BYTES, "%.*s%s", (int)n, name, name[n] ? "\xE2\x80\xA6" : "");
    return out;
}

static void set_axis(struct view *v)
{
    for (size_t i = 0; v->stages->n > 1 && i < v->stages->n && v->n_marks < MARKS; i++) {
        const char *name = cut_name(v->stages->of[i].name, v->stages_cut[v->n_marks]);
        v->marks[v->n_marks++] =
            (struct sl_tick){ (double)v->stages->of[i].begin / (double)v->n, name };
    }
    v->n_ticks = sl_svg_ticks(0, (double)v->n * (double)v->tokens, v->ticks, v->names, TICKS);
}

static struct sl_chart chart(const struct view *v, const char *title, const char *desc,
                             const char *unit)
{
    return (struct sl_chart){ .title = title,
                              .desc = desc,
                              .x_unit = "tokens from the beginning",
                              .y_unit = unit,
                              .ticks = v->ticks,
                              .n_ticks = v->n_ticks };
}

static void number(struct sl_html *h, uint64_t n)
{
    sl_html_put(h, "<td class=n>");
    sl_html_int(h, (int64_t)n);
    sl_html_put(h, "</td>");
}

static void name_cell(struct sl_html *h, const char *name)
{
    sl_html_put(h, "<tr><th scope=row>");
    sl_html_cstr(h, name);
    sl_html_put(h, "</th>");
}

static const char *source_name(const struct view *v, size_t i)
{
    return i < v->plan->n_sources ? v->plan->sources[i].name : "(replay)";
}

/* ---- the first numbers, stages, sources ---- */

static void figure(struct sl_html *h, const char *id, const char *name, uint64_t n)
{
    sl_html_putf(h, "<div><dt>%s</dt><dd data-name=%s>", name, id);
    sl_html_int(h, (int64_t)n);
    sl_html_put(h, "</dd></div>");
}

static void glance(const struct view *v)
{
    sl_html_put(v->h, "<dl class=glance>");
    figure(v->h, "sequences", "Sequences", v->n);
    figure(v->h, "tokens", "Tokens", v->n * v->tokens);
    figure(v->h, "length", "Tokens of a sequence", v->tokens);
    figure(v->h, "stages", "Stages", v->stages->n);
    figure(v->h, "sources", "Sources", v->plan->n_sources);
    sl_html_put(v->h, "</dl>\n");
}

static void stage_row(const struct view *v, const struct sl_plan_stretch *s)
{
    name_cell(v->h, s->name);
    number(v->h, s->begin * v->tokens);
    number(v->h, s->end * v->tokens);
    number(v->h, s->end - s->begin);
    sl_html_put(v->h, "<td>");
    if (s->stage >= 0) {
        const struct sl_plan_way *w = &v->plan->stages[s->stage].way;
        sl_html_cstr(v->h, sl_plan_way_name(w));
        if (w->score >= 0) {
            sl_html_put(v->h, " by ");
            sl_html_cstr(v->h, v->plan->scores[w->score]);
        }
    }
    sl_html_put(v->h, "</td><td class=r>");
    const char *before = "";
    for (size_t i = 0; i <= v->plan->n_sources; i++) {
        if (!s->counts[i])
            continue;
        sl_html_put(v->h, before);
        sl_html_cstr(v->h, source_name(v, i));
        sl_html_put(v->h, " ");
        sl_html_share(v->h, (int64_t)s->counts[i], (int64_t)(s->end - s->begin));
        before = ", ";
    }
    sl_html_put(v->h, "</td></tr>\n");
}

static void stages(const struct view *v)
{
    sl_section_open(v->h, "stages", "Stages");
    sl_html_put(v->h, "<div class=scroll><table data-name=stages><thead><tr><th>Stage<th class=n>"
                      "From token<th class=n>To<th class=n>Sequences<th>Order<th>What was placed"
                      "</tr></thead><tbody>\n");
    for (size_t i = 0; i < v->stages->n; i++)
        stage_row(v, &v->stages->of[i]);
    sl_html_put(v->h, "</tbody></table></div>\n");
    sl_section_close(v->h);
}

static void sources(const struct view *v)
{
    const struct sl_plan_achieved *a = v->achieved;
    sl_section_open(v->h, "sources", "Sources");
    sl_html_put(v->h, "<p class=note>The errors are of the number placed, against the sum of the "
                      "shares: the worst of all beginnings of the run, and of all windows in it."
                      "</p><div class=scroll><table data-name=sources><thead><tr><th>Source<th "
                      "class=n>Sequences<th class=n>Placed<th class=n>Never<th class=n>Worst "
                      "beginning<th class=n>Worst window</tr></thead><tbody>\n");
    for (size_t i = 0; i < v->plan->n_sources; i++) {
        name_cell(v->h, v->plan->sources[i].name);
        number(v->h, sl_curriculum_units(v->c, i));
        number(v->h, sl_plan_stretches_placed(v->stages, i));
        number(v->h, sl_plan_order_unused(sl_curriculum_order(v->c), i));
        if (a->low)
            sl_html_putf(v->h, "<td class=n>%.3f</td><td class=n>%.3f</td></tr>\n",
                         sl_plan_achieved_prefix(a, i), sl_plan_achieved_window(a, i));
        else
            sl_html_put(v->h, "<td class=n></td><td class=n></td></tr>\n");
    }
    sl_html_put(v->h, "</tbody></table></div>\n");
    sl_section_close(v->h);
}

/* ---- scores ---- */

static void score_table(struct sl_html *h, const struct sl_curve *o)
{
    int n = sl_curve_n_buckets(o), every = (n + 19) / 20;
    sl_html_put(h, "<details><summary>As a table</summary><div class=scroll><table data-name="
                   "\"score ");
    sl_html_attr(h, sl_str_of(o->score));
    sl_html_put(h, "\"><thead><tr><th class=n>From row<th class=n>5 %<th class=n>Mean<th class=n>"
                   "95 %<th class=n>Without</tr></thead><tbody>\n");
    for (int i = 0; i < n; i += every) {
        const struct sl_curve_bucket *b = &o->buckets[i];
        sl_html_put(h, "<tr>");
        number(h, (uint64_t)i * (uint64_t)o->width);
        if (b->n)
            sl_html_putf(h, "<td class=n>%.4g</td><td class=n>%.4g</td><td class=n>%.4g</td>",
                         sl_curve_quantile(b, 0.05), sl_curve_mean(b), sl_curve_quantile(b, 0.95));
        else
            sl_html_put(h, "<td class=n>\xE2\x80\x93</td><td class=n>\xE2\x80\x93</td><td class=n>"
                           "\xE2\x80\x93</td>");
        number(h, (uint64_t)b->nulls);
        sl_html_put(h, "</tr>\n");
    }
    sl_html_put(h, "</tbody></table></div></details>\n");
}

static void score_chart(const struct view *v, const struct sl_curve *o)
{
    struct sl_band_point points[SL_CURVE_BUCKETS];
    char title[300], desc[200];
    int n = sl_curve_n_buckets(o);
    for (int i = 0; i < n; i++) {
        const struct sl_curve_bucket *b = &o->buckets[i];
        double middle = (double)i * (double)o->width + (double)b->rows / 2;
        points[i] = (struct sl_band_point){ middle / (double)o->rows, sl_curve_quantile(b, 0.05),
                                            sl_curve_mean(b), sl_curve_quantile(b, 0.95) };
    }
    snprintf(title, sizeof title, "%s against position", o->score);
    snprintf(desc, sizeof desc, "The mean starts at %.4g and ends at %.4g, over %d pieces.",
             points[0].mid, points[n - 1].mid, n);
    struct sl_chart c = chart(v, title, desc, o->score);
    sl_svg_band(v->h, &c, points, n, v->marks, v->n_marks);
    sl_html_put(v->h, "<p class=legend><span class=key><i class=k></i>mean</span><span class=key>"
                      "<i class=band></i>5 % to 95 %</span></p>\n");
    score_table(v->h, o);
}

static void scores(const struct view *v, struct sl_plan_page *p)
{
    sl_section_open(v->h, "scores", "Scores");
    if (!p->n_curves)
        sl_html_put(v->h, "<p class=sub>The rows have no numeric column that is a score: no curve "
                          "is drawn (sluice-difficulty adds some).</p>\n");
    for (int i = 0; i < p->n_curves; i++) {
        sl_curve_end(&p->curves[i], MIN_ROWS_OF_A_POINT);
        if (p->curves[i].rows)
            score_chart(v, &p->curves[i]);
    }
    sl_section_close(v->h);
}

/* ---- shares ---- */

/* Windows [from, to), drawn as one point, so that few rows do not make a saw of it. */
struct stretch {
    uint64_t begin, end;
    size_t from, to;
};

static struct stretch stretch_of(const struct sl_plan_achieved *a, size_t from, size_t n)
{
    size_t to = from + n < a->n_windows ? from + n : a->n_windows;
    return (struct stretch){ sl_plan_achieved_begin(a, from), sl_plan_achieved_begin(a, to), from,
                             to };
}

static double share_of(const struct sl_plan_achieved *a, const struct stretch *s, size_t source)
{
    uint64_t sum = 0;
    for (size_t w = s->from; w < s->to; w++)
        sum += a->counts[w * a->n_all + source];
    return 100 * (double)sum / (double)(s->end - s->begin);
}

/* NaN where no plan says what it should be. */
static double target_of(const struct sl_plan_achieved *a, const struct stretch *s, size_t source)
{
    if (!a->low || s->begin < a->begin)
        return NAN;
    unsigned __int128 t = sl_plan_order_target(a->order, source, s->end) -
                          sl_plan_order_target(a->order, source, s->begin);
    return 100 * ldexp((double)t, -SL_TARGET_BITS) / (double)(s->end - s->begin);
}

static void share_chart(const struct view *v, size_t source)
{
    const struct sl_plan_achieved *a = v->achieved;
    struct sl_band_point placed[SL_ACHIEVED_WINDOWS], target[SL_ACHIEVED_WINDOWS];
    struct sl_tick marks[MARKS];
    size_t step = (size_t)(MIN_ROWS_OF_A_SHARE * a->n_windows / a->n) + 1;
    int n = 0;
    for (size_t w = 0; w < a->n_windows; w += step, n++) {
        struct stretch s = stretch_of(a, w, step);
        double x = ((double)s.begin + (double)s.end) / 2 / (double)a->n;
        placed[n] = (struct sl_band_point){ .x = x, .mid = share_of(a, &s, source) };
        target[n] = (struct sl_band_point){ .x = x, .mid = target_of(a, &s, source) };
    }
    for (int i = 0; i < v->n_marks; i++) /* there is no room for names */
        marks[i] = (struct sl_tick){ v->marks[i].at, "" };
    const struct sl_svg_line lines[2] = { { "l", "placed", placed, n },
                                          { "e", "share of the plan", target, n } };
    struct sl_chart c = chart(v, source_name(v, source), NULL, "% of a window");
    sl_html_put(v->h, "<div>");
    sl_svg_lines(v->h, &c, lines, a->low ? 2 : 1, marks, v->n_marks);
    sl_html_put(v->h, "</div>\n");
}

static void share_table(const struct view *v)
{
    const struct sl_plan_achieved *a = v->achieved;
    size_t n = a->n_all < SOURCES_DRAWN ? a->n_all : SOURCES_DRAWN;
    sl_html_put(v->h, "<details><summary>As a table</summary><div class=scroll><table data-name="
                      "shares><thead><tr><th class=n>From row");
    for (size_t i = 0; i < n; i++) {
        sl_html_put(v->h, "<th class=n>");
        sl_html_cstr(v->h, source_name(v, i));
    }
    sl_html_put(v->h, "</tr></thead><tbody>\n");
    for (size_t w = 0; w < a->n_windows; w++) {
        sl_html_put(v->h, "<tr>");
        number(v->h, sl_plan_achieved_begin(a, w));
        for (size_t i = 0; i < n; i++)
            number(v->h, a->counts[w * a->n_all + i]);
        sl_html_put(v->h, "</tr>\n");
    }
    sl_html_put(v->h, "</tbody></table></div></details>\n");
}

static void shares(const struct view *v)
{
    size_t drawn = 0;
    sl_section_open(v->h, "shares", "Shares");
    sl_html_put(v->h, "<p class=note>In ");
    sl_html_int(v->h, (int64_t)v->achieved->n_windows);
    sl_html_put(v->h, " windows of the run: what was placed, and the share that the plan gives.</p>"
                      "<div class=\"charts many\">\n");
    for (size_t i = 0; i <= v->plan->n_sources && drawn < SOURCES_DRAWN; i++)
        if (sl_plan_stretches_placed(v->stages, i)) {
            share_chart(v, i);
            drawn++;
        }
    sl_html_put(v->h, "</div>\n");
    if (v->plan->n_sources > SOURCES_DRAWN)
        sl_html_put(v->h, "<p class=note>Of more sources than are drawn, the first.</p>\n");
    share_table(v);
    sl_section_close(v->h);
}

/* ---- pools ---- */

static const struct sl_plan_way *way_of(const struct view *v, const struct sl_plan_stretch *s,
                                        const struct sl_plan_way *own)
{
    const struct sl_plan_way *w = own ? own : &v->plan->stages[s->stage].way;
    return w->draw == SL_DRAW_POOL ? w : NULL;
}

/* The pool of every stage: of the stages' own orders, or of a source's, where it gives. */
static void pool_chart(const struct view *v, const char *title, const struct sl_plan_way *own,
                       size_t source)
{
    size_t room = v->stages->n * (POOL_POINTS + 2);
    struct sl_band_point *points = calloc(room + 1, sizeof *points);
    int n = 0;
    for (size_t i = 0; points && i < v->stages->n; i++) {
        const struct sl_plan_stretch *s = &v->stages->of[i];
        bool gives = s->stage >= 0 && (!own || s->counts[source]);
        const struct sl_plan_way *w = gives ? way_of(v, s, own) : NULL;
        double begin = (double)s->begin / (double)v->n, end = (double)s->end / (double)v->n;
        for (int k = 0; w && k <= POOL_POINTS; k++) {
            double x = (double)k / POOL_POINTS;
            points[n++] = (struct sl_band_point){ .x = begin + x * (end - begin),
                                                  .mid = 100 * sl_pacing_at(&w->pacing, x) };
        }
        points[n++] = (struct sl_band_point){ .x = end, .mid = NAN };
    }
    struct sl_chart c = chart(v, title, NULL, "% of what a source has left");
    const struct sl_svg_line line = { "l", "pool", points, n };
    if (points)
        sl_svg_lines(v->h, &c, &line, 1, v->marks, v->n_marks);
    free(points);
}

static void pool_row(struct sl_html *h, const char *name, const struct sl_plan_way *w)
{
    name_cell(h, name);
    sl_html_put(h, "<td>");
    sl_html_cstr(h, sl_pacing_name(w->pacing.kind));
    sl_html_putf(h,
                 "</td><td class=n>%.4g %%</td><td class=n>%.4g %%</td><td class=n>%.4g %%</td>"
                 "</tr>\n",
                 100 * w->pacing.start, 100 * w->pacing.max, 100 * w->background);
}

static void pools(const struct view *v)
{
    bool any = false, all = false;
    for (size_t i = 0; i < v->stages->n; i++)
        all |= v->stages->of[i].stage >= 0 && way_of(v, &v->stages->of[i], NULL);
    any = all;
    for (size_t i = 0; i < v->plan->n_sources; i++)
        any |= v->plan->sources[i].own && v->plan->sources[i].own->draw == SL_DRAW_POOL;
    if (!any || v->stages->of[v->stages->n - 1].stage < 0) /* a control */
        return;
    sl_section_open(v->h, "pools", "Pools");
    sl_html_put(v->h, "<p class=note>The part of the easiest from which a stage draws, as its "
                      "pacing has it.</p>\n");
    if (all)
        pool_chart(v, "Pool of the stages", NULL, 0);
    for (size_t i = 0; i < v->plan->n_sources && i < SOURCES_DRAWN; i++)
        if (v->plan->sources[i].own && v->plan->sources[i].own->draw == SL_DRAW_POOL)
            pool_chart(v, v->plan->sources[i].name, v->plan->sources[i].own, i);
    sl_html_put(v->h, "<div class=scroll><table data-name=pools><thead><tr><th>Of<th>Pacing<th "
                      "class=n>Start<th class=n>End<th class=n>Background</tr></thead><tbody>\n");
    for (size_t i = 0; i < v->stages->n; i++)
        if (v->stages->of[i].stage >= 0 && way_of(v, &v->stages->of[i], NULL))
            pool_row(v->h, v->stages->of[i].name, way_of(v, &v->stages->of[i], NULL));
    for (size_t i = 0; i < v->plan->n_sources; i++)
        if (v->plan->sources[i].own && v->plan->sources[i].own->draw == SL_DRAW_POOL)
            pool_row(v->h, v->plan->sources[i].name, v->plan->sources[i].own);
    sl_html_put(v->h, "</tbody></table></div>\n");
    sl_section_close(v->h);
}

/* ---- the page ---- */

static void write_page(struct view *v, struct sl_plan_page *p)
{
    char title[300];
    const char *slash = strrchr(v->plan->file, '/');
    snprintf(title, sizeof title, "Curriculum %s", slash ? slash + 1 : v->plan->file);
    sl_page_begin(v->h, title, "sluice-curriculum");
    sl_html_put(v->h, "<nav aria-label=\"Contents\"><a href=#stages>Stages</a>"
                      "<a href=#sources>Sources</a><a href=#scores>Scores</a>"
                      "<a href=#shares>Shares</a></nav></header>\n");
    glance(v);
    if (v->n) {
        set_axis(v);
        stages(v);
        sources(v);
        scores(v, p);
        shares(v);
        pools(v);
    }
    sl_page_end(v->h);
}

enum sl_status sl_plan_page_commit(struct sl_plan_page *p, const struct sl_curriculum *c,
                                   const struct sl_plan_achieved *achieved, struct sl_err *err)
{
    struct sl_html h;
    struct view v = { .h = &h,
                      .plan = p->plan,
                      .c = c,
                      .achieved = achieved,
                      .stages = sl_curriculum_stretches(c),
                      .n = sl_plan_order_positions(sl_curriculum_order(c)),
                      .tokens = sl_curriculum_unit_tokens(c) };
    sl_html_init(&h, PAGE_MAX_BYTES);
    write_page(&v, p);
    enum sl_status st = sl_html_end(&h, err);
    if (st == SL_OK)
        st = sl_sink_write(p->sink, h.out.p, h.out.n, err);
    if (st == SL_OK)
        st = sl_sink_commit(p->sink, err);
    sl_html_release(&h);
    return st;
}
