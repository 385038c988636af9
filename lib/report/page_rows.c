/* SPDX-License-Identifier: Apache-2.0 */
/* What was seen in the rows themselves: the order of a score, the parts of the
 * whole by domain and language, and some documents to read. */
#include "report/page_parts.h"
#include "report/svg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { KEYS_SHOWN = 20, ORDER_TICKS = 6, LABEL_BYTES = 32 };

/* ---- order ---- */

static void order_table(struct sl_html *h, const struct sl_curve *o)
{
    int n = sl_curve_n_buckets(o), every = (n + 19) / 20;
    sl_html_put(h, "<details><summary>As a table</summary><div class=scroll><table data-name=order>"
                   "<thead><tr><th class=n>From row<th class=n>10 %<th class=n>Median<th class=n>"
                   "90 %<th class=n>Without</tr></thead><tbody>\n");
    for (int i = 0; i < n; i += every) {
        const struct sl_curve_bucket *b = &o->buckets[i];
        sl_html_put(h, "<tr><td class=n>");
        sl_html_int(h, i * o->width);
        sl_html_put(h, "</td>");
        for (int q = 1; q <= 9; q += 4) {
            if (b->n)
                sl_html_putf(h, "<td class=n>%.4g</td>", sl_curve_quantile(b, q / 10.0));
            else
                sl_html_put(h, "<td class=n>\xE2\x80\x93</td>");
        }
        sl_html_put(h, "<td class=n>");
        sl_html_int(h, b->nulls);
        sl_html_put(h, "</td></tr>\n");
    }
    sl_html_put(h, "</tbody></table></div></details>\n");
}

/* The stages of the plan that the last curriculum of the lineage had; NULL where there is none.
 * What was joined after a curriculum has the stages of several plans. */
static const struct sl_json *plan_stages(const struct sl_json *lineage)
{
    for (size_t i = sl_json_count(lineage); i-- > 0;) {
        const struct sl_json *order = sl_json_get(sl_json_at(lineage, i), "order");
        if (order)
            return sl_json_get(order, "stages");
    }
    return NULL;
}

/* The name of a stage, cut between characters where it is long; else its number. */
static void stage_label(const struct sl_json *stages, int64_t stage, char out[LABEL_BYTES])
{
    const struct sl_json *at = stage >= 0 ? sl_json_at(stages, (size_t)stage) : NULL;
    struct sl_str name = sl_json_str(sl_json_get(at, "name"));
    if (!name.n) {
        snprintf(out, LABEL_BYTES, "stage %lld", (long long)stage);
        return;
    }
    size_t n = name.n < LABEL_BYTES - 4 ? name.n : LABEL_BYTES - 4;
    while (n < name.n && n > 0 && ((uint8_t)name.p[n] & 0xC0) == 0x80)
        n--;
    snprintf(out, LABEL_BYTES, "%.*s%s", (int)n, name.p, n < name.n ? "\xE2\x80\xA6" : "");
}

static int stage_marks(const struct sl_page *page, struct sl_tick *marks,
                       char (*labels)[LABEL_BYTES])
{
    const struct sl_curve *o = page->order;
    const struct sl_json *stages = plan_stages(page->order_lineage);
    int n = o->many_stages || o->n_stages < 2 ? 0 : o->n_stages;
    for (int i = 0; i < n; i++) {
        stage_label(stages, o->stages[i].stage, labels[i]);
        marks[i] = (struct sl_tick){ (double)o->stages[i].from / (double)o->rows, labels[i] };
    }
    return n;
}

static void order_chart(struct sl_html *h, const struct sl_page *page)
{
    const struct sl_curve *o = page->order;
    struct sl_band_point points[SL_CURVE_BUCKETS];
    struct sl_tick marks[SL_CURVE_STAGES], ticks[ORDER_TICKS];
    char labels[SL_CURVE_STAGES][LABEL_BYTES], names[ORDER_TICKS][32], title[300], desc[400];
    int n = sl_curve_n_buckets(o);
    for (int i = 0; i < n; i++) {
        const struct sl_curve_bucket *b = &o->buckets[i];
        points[i] = (struct sl_band_point){ ((double)i * (double)o->width + (double)b->rows / 2) /
                                                (double)o->rows,
                                            sl_curve_quantile(b, 0.1), sl_curve_quantile(b, 0.5),
                                            sl_curve_quantile(b, 0.9) };
    }
    double all = o->tokens > 0 ? (double)o->tokens : (double)o->rows;
    snprintf(title, sizeof title, "%s against position", o->score);
    snprintf(desc, sizeof desc,
             "The median starts at %.4g and ends at %.4g, over %d pieces of %lld rows each.",
             points[0].mid, points[n - 1].mid, n, (long long)o->width);
    struct sl_chart c = { .title = title,
                          .desc = desc,
                          .x_unit = o->tokens > 0 ? "tokens from the beginning"
                                                  : "rows from the beginning",
                          .y_unit = o->score,
                          .ticks = ticks,
                          .n_ticks = sl_svg_ticks(0, all, ticks, names, ORDER_TICKS) };
    sl_svg_band(h, &c, points, n, marks, stage_marks(page, marks, labels));
    sl_html_put(h, "<p class=legend><span class=key><i class=k></i>median</span><span class=key>"
                   "<i class=band></i>10 % to 90 %</span></p>\n");
}

static void order_note(struct sl_html *h, const struct sl_curve *o)
{
    sl_html_put(h, "<p class=note>");
    sl_html_int(h, o->rows);
    sl_html_put(h, " rows in the order in which they are read, ");
    sl_html_int(h, o->width);
    sl_html_putf(h, " to a point. %s",
                 o->width > SL_CURVE_ROWS
                     ? "A point's quantiles are those of 200 of its rows, drawn at random."
                     : "");
    if (o->nulls) {
        sl_html_put(h, " Rows without a score: ");
        sl_html_int(h, o->nulls);
        sl_html_put(h, ".");
    }
    if (o->many_stages)
        sl_html_put(h, " Stages follow one another too often to be drawn.");
    sl_html_put(h, "</p>\n");
}

void sl_page_order(struct sl_html *h, const struct sl_page *page)
{
    const struct sl_curve *o = page->order;
    if (!o)
        return;
    sl_section_open(h, "order", "Order");
    if (!o->rows) {
        sl_html_put(h, "<p class=sub>No rows.</p>\n");
    } else if (!o->seen) {
        sl_html_put(h, "<p class=sub>There is no numeric column ");
        sl_html_cstr(h, o->score);
        sl_html_put(h, " in ");
        sl_html_cstr(h, page->order_name);
        sl_html_put(h, ": no order is drawn (sluice-difficulty adds one, --score names it).</p>\n");
    } else {
        order_note(h, o);
        order_chart(h, page);
        order_table(h, o);
    }
    sl_section_close(h);
}

/* ---- parts of the whole ---- */

static void key_row(struct sl_html *h, const char *name, const struct sl_key_count *k,
                    const struct sl_key_count *all, int64_t most)
{
    sl_html_put(h, "<tr><th scope=row>");
    if (name)
        sl_html_putf(h, "<span class=note>%s</span>", name);
    else
        sl_html_text(h, k->key);
    sl_html_put(h, "</th><td class=cell>");
    sl_svg_share(h, k->amount, 0, most);
    sl_html_put(h, "</td><td class=n>");
    sl_html_int(h, k->rows);
    sl_html_put(h, "</td><td class=n>");
    sl_html_int(h, k->amount);
    sl_html_put(h, "</td><td class=n>");
    sl_html_share(h, k->amount, all->amount);
    sl_html_put(h, "</td></tr>\n");
}

static void key_table(struct sl_html *h, const struct sl_page_keys *k, const char *amount)
{
    const struct sl_key_counts *c = k->counts;
    struct sl_key_count rest = { .rows = c->others.rows, .amount = c->others.amount };
    char name[96];
    uint32_t shown = c->n_keys < KEYS_SHOWN ? c->n_keys : KEYS_SHOWN;
    int64_t most = c->n_keys ? c->keys[0].amount : c->none.amount;
    for (uint32_t i = shown; i < c->n_keys; i++) {
        rest.rows += c->keys[i].rows;
        rest.amount += c->keys[i].amount;
    }
    sl_html_putf(
        h,
        "<div><h3>%s <span class=note>%s</span></h3><div class=scroll><table "
        "class=keys data-name=keys><thead><tr><th>%s<th class=cell><th class=n>Rows<th class=n>",
        k->title, k->column, k->title);
    sl_html_cstr(h, amount);
    sl_html_put(h, "<th class=n>Share</tr></thead><tbody>\n");
    for (uint32_t i = 0; i < shown; i++)
        key_row(h, NULL, &c->keys[i], &c->all, most);
    snprintf(name, sizeof name, "%s%u others", c->others.rows ? "more than " : "",
             (unsigned)(c->n_keys - shown));
    if (rest.rows)
        key_row(h, name, &rest, &c->all, most);
    if (c->none.rows)
        key_row(h, "none", &c->none, &c->all, most);
    sl_html_put(h, "</tbody></table></div></div>\n");
}

void sl_page_keys(struct sl_html *h, const struct sl_page *page)
{
    if (!page->n_keys)
        return;
    sl_section_open(h, "parts", "Domains and languages");
    sl_html_putf(h, "<p class=note>What was kept, by %s.</p><div class=charts>\n", page->amount);
    for (int i = 0; i < page->n_keys; i++)
        key_table(h, &page->keys[i], page->amount);
    sl_html_put(h, "</div>\n");
    sl_section_close(h);
}

/* ---- documents ---- */

static bool is_named(const struct sl_sample *s, uint32_t i, const char *name)
{
    return sl_str_eq(sl_sample_str(s, s->columns[i].name), sl_str_of(name));
}

static struct sl_str value_of(const struct sl_sample *s, uint32_t i)
{
    return sl_sample_str(s, s->columns[i].value);
}

static void leading(struct sl_html *h, const struct sl_sample *s, const char *name)
{
    for (uint32_t i = 0; i < s->n_columns; i++)
        if (is_named(s, i, name)) {
            sl_html_putf(h, "<div class=%s dir=auto>", name);
            sl_html_text(h, value_of(s, i));
            sl_html_put(h, "</div>");
        }
}

static void other_columns(struct sl_html *h, const struct sl_sample *s)
{
    int shown = 0;
    for (uint32_t i = 0; i < s->n_columns; i++) {
        if (is_named(s, i, "url") || is_named(s, i, "title") || is_named(s, i, "reject_detail"))
            continue;
        if (!shown++)
            sl_html_put(h, "<details><summary class=note>Columns</summary><table><tbody>");
        sl_html_put(h, "<tr><th scope=row>");
        sl_html_text(h, sl_sample_str(s, s->columns[i].name));
        sl_html_put(h, "</th><td dir=auto>");
        sl_html_text(h, value_of(s, i));
        sl_html_put(h, "</td></tr>");
    }
    if (shown)
        sl_html_put(h, "</tbody></table></details>");
}

static void sample(struct sl_html *h, const struct sl_sample *s)
{
    sl_html_put(h, "<article>");
    leading(h, s, "title");
    leading(h, s, "url");
    for (uint32_t i = 0; i < s->n_columns; i++)
        if (is_named(s, i, "reject_detail")) {
            sl_html_put(h, "<div class=note>Detail: ");
            sl_html_text(h, value_of(s, i));
            sl_html_put(h, "</div>");
        }
    if (s->has_text) {
        sl_html_put(h, "<div class=text dir=auto lang=\"\" tabindex=0>");
        sl_html_text(h, sl_sample_str(s, s->text));
        sl_html_put(h, s->cut ? "<span class=note> \xE2\x80\xA6</span></div>" : "</div>");
    }
    other_columns(h, s);
    sl_html_put(h, "</article>\n");
}

static void group(struct sl_html *h, const struct sl_sample_group *g)
{
    sl_html_put(h, "<div class=samples>\n");
    for (int i = 0; i < g->n; i++)
        sample(h, &g->rows_of[i]);
    sl_html_put(h, "</div>\n");
}

/* Each reason in a box that opens; rows that have none, as what was kept, are open. */
static void groups(struct sl_html *h, const struct sl_samples *s, bool open)
{
    sl_html_put(h, "<p class=note>");
    if (s->rows)
        sl_html_put(h, "Of ");
    sl_html_int(h, s->rows);
    sl_html_put(h, s->rows
                       ? " rows those with the smallest hashes, their first 600 characters.</p>\n"
                       : " rows.</p>\n");
    for (int i = 0; i < s->n_groups; i++) {
        const struct sl_sample_group *g = &s->groups[i];
        if (!g->name[0]) {
            group(h, g);
            continue;
        }
        sl_html_putf(h, "<details%s><summary><b>", open && i == 0 ? " open" : "");
        sl_html_cstr(h, g->name);
        sl_html_put(h, "</b> <span class=note>");
        sl_html_int(h, g->n);
        sl_html_put(h, " of ");
        sl_html_int(h, g->rows);
        sl_html_put(h, "</span></summary>\n");
        group(h, g);
        sl_html_put(h, "</details>\n");
    }
    if (s->rows_elsewhere) {
        sl_html_put(h, "<p class=note>Rows of yet other reasons: ");
        sl_html_int(h, s->rows_elsewhere);
        sl_html_put(h, ".</p>\n");
    }
}

bool sl_page_has_rejects(const struct sl_page *page)
{
    for (int i = 0; i < page->n_inputs; i++)
        if (page->inputs[i].w.rejects)
            return true;
    return false;
}

static void dropped(struct sl_html *h, const struct sl_page *page)
{
    bool open = true;
    for (int i = 0; i < page->n_inputs; i++) {
        const struct sl_page_input *in = &page->inputs[i];
        size_t n = sl_json_count(in->w.json);
        if (!in->w.rejects)
            continue;
        sl_html_put(h, "<h3>");
        if (n)
            sl_html_text(
                h, sl_tool_short(sl_json_str(sl_json_get(sl_json_at(in->w.json, n - 1), "tool"))));
        sl_html_put(h, " <span class=note>");
        sl_html_cstr(h, in->name);
        sl_html_put(h, "</span></h3>\n");
        groups(h, &in->dropped, open);
        open &= in->dropped.rows == 0;
    }
}

void sl_page_samples(struct sl_html *h, const struct sl_page *page)
{
    if (page->kept) {
        sl_section_open(h, "kept", "Documents kept");
        groups(h, page->kept, true);
        sl_section_close(h);
    }
    if (sl_page_has_rejects(page)) {
        sl_section_open(h, "dropped", "Documents dropped");
        dropped(h, page);
        sl_section_close(h);
    }
}
