/* SPDX-License-Identifier: Apache-2.0 */
/* The shapes lie in a box of 1000 by 300 units that preserveAspectRatio="none"
 * stretches to its place; strokes do not stretch with it. Labels inside the SVG
 * would shrink on a phone and were left to HTML, placed by per cent.
 *
 * An axis has three to six steps of 1, 2 or 5 times a power of ten, by division
 * and multiplication alone: the page is the same on every machine. */
#include "report/svg.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 1000, HEIGHT = 300 };

/* What a character of a mark's name takes of the width, on a phone. */
#define CHARACTER_ROOM 0.02

struct axis {
    double from, to, step;
};

static double nice_step(double span)
{
    double unit = 1;
    while (unit * 10 <= span)
        unit *= 10;
    while (unit > span)
        unit /= 10;
    /* span / unit is from 1 to 10 */
    double r = span / unit;
    return r > 5 ? 2 * unit : r > 2 ? unit : unit / 2;
}

static struct axis axis_over(double low, double high)
{
    /* Equal but for noise: an axis needs steps that differ. */
    if (!(high - low > 1e-9 * (fabs(low) + fabs(high)) && high - low > 1e-300)) {
        double room = fabs(low) < 1e-200 ? 1 : fabs(low) * 0.1;
        low -= room;
        high += room;
    }
    struct axis a = { .step = nice_step(high - low) };
    a.from = floor(low / a.step) * a.step;
    a.to = ceil(high / a.step) * a.step;
    return a;
}

static double y_of(const struct axis *a, double v)
{
    return HEIGHT - (v - a->from) / (a->to - a->from) * HEIGHT;
}

static int n_steps(const struct axis *a)
{
    return (int)rint((a->to - a->from) / a->step);
}

/* ---- the frame ---- */

static void legend(struct sl_html *h, const char *class, const char *name)
{
    sl_html_putf(h, "<span class=key><i class=%s></i>", class);
    sl_html_cstr(h, name);
    sl_html_put(h, "</span>");
}

static void open_figure(struct sl_html *h, const struct sl_chart *c, const struct axis *y)
{
    char text[32];
    sl_html_put(h, "<figure class=chart><figcaption><b>");
    sl_html_cstr(h, c->title);
    sl_html_put(h, "</b>");
    if (c->note) {
        sl_html_put(h, "<br><span class=note>");
        sl_html_cstr(h, c->note);
        sl_html_put(h, "</span>");
    }
    sl_html_put(h, "</figcaption><div class=yunit>");
    sl_html_cstr(h, c->y_unit);
    sl_html_put(h, "</div><div class=plot><div class=ys>");
    for (int i = 0; i <= n_steps(y); i++)
        sl_html_putf(
            h, "<span style=\"top:%.4g%%\">%s</span>", 100 - 100.0 * i / n_steps(y),
            sl_short_text(fabs(y->from + i * y->step) < y->step * 1e-6 ? 0 : y->from + i * y->step,
                          text));
    sl_html_putf(h,
                 "</div><div class=box><svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" "
                 "role=\"img\"><title>",
                 WIDTH, HEIGHT);
    sl_html_cstr(h, c->title);
    sl_html_put(h, "</title>");
    if (c->desc) {
        sl_html_put(h, "<desc>");
        sl_html_cstr(h, c->desc);
        sl_html_put(h, "</desc>");
    }
    sl_html_put(h, "<path class=g d=\"");
    for (int i = 0; i <= n_steps(y); i++)
        sl_html_putf(h, "M0 %.5gH%d", y_of(y, y->from + i * y->step), WIDTH);
    sl_html_put(h, "\"/>");
}

static void x_label(struct sl_html *h, const struct sl_tick *t)
{
    const char *class = t->at < 0.05 ? " class=first" : t->at > 0.95 ? " class=last" : "";
    if (t->at > 0.95)
        sl_html_putf(h, "<span%s style=\"right:%.4g%%\">", class, (1 - t->at) * 100);
    else
        sl_html_putf(h, "<span%s style=\"left:%.4g%%\">", class, t->at * 100);
    sl_html_cstr(h, t->text);
    sl_html_put(h, "</span>");
}

static void close_figure(struct sl_html *h, const struct sl_chart *c)
{
    sl_html_put(h, "</div><div class=xs>");
    for (int i = 0; i < c->n_ticks; i++)
        x_label(h, &c->ticks[i]);
    sl_html_put(h, "</div><div class=xunit>");
    sl_html_cstr(h, c->x_unit);
    sl_html_put(h, "</div></div></figure>\n");
}

int sl_svg_ticks(double low, double high, struct sl_tick *out, char (*room)[32], int max)
{
    double step = nice_step(high - low), first = ceil(low / step) * step;
    int n = 0;
    for (; n < max && first + n * step <= high; n++) {
        double v = fabs(first + n * step) < step * 1e-6 ? 0 : first + n * step;
        out[n] = (struct sl_tick){ (v - low) / (high - low), sl_short_text(v, room[n]) };
    }
    return n;
}

/* ---- bars ---- */

static void bars_of(struct sl_html *h, const struct axis *y, const int64_t *v, int n,
                    const char *class, double share)
{
    double slot = (double)WIDTH / n, w = slot * share;
    sl_html_putf(h, "<path class=%s d=\"", class);
    for (int i = 0; i < n; i++) {
        double top = y_of(y, (double)v[i]);
        /* What is there is seen, however little it is. */
        if (v[i] > 0 && top > HEIGHT - 2)
            top = HEIGHT - 2;
        if (v[i] > 0)
            sl_html_putf(h, "M%.5g %dV%.5gh%.5gV%d", i * slot + (slot - w) / 2, HEIGHT, top, w,
                         HEIGHT);
    }
    sl_html_put(h, "\"/>");
}

void sl_svg_bars(struct sl_html *h, const struct sl_chart *c, const int64_t *bars,
                 const int64_t *behind, int n, const char *const names[2])
{
    double high = 1;
    for (int i = 0; i < n; i++) {
        high = (double)bars[i] > high ? (double)bars[i] : high;
        high = behind && (double)behind[i] > high ? (double)behind[i] : high;
    }
    struct axis y = axis_over(0, high);
    open_figure(h, c, &y);
    if (behind)
        bars_of(h, &y, behind, n, "d", 0.92);
    bars_of(h, &y, bars, n, "k", behind ? 0.6 : 0.85);
    sl_html_put(h, "</svg>");
    close_figure(h, c);
    if (behind) {
        sl_html_put(h, "<p class=legend>");
        legend(h, "d", names[0]);
        legend(h, "k", names[1]);
        sl_html_put(h, "</p>\n");
    }
}

/* ---- line and band ---- */

static bool is_gap(const struct sl_band_point *p)
{
    return p->mid != p->mid;
}

/* One run of points without a gap: the band is a closed path, there and back. */
static void band_run(struct sl_html *h, const struct axis *y, const struct sl_band_point *p, int n)
{
    sl_html_put(h, "<path class=band d=\"");
    for (int i = 0; i < n; i++)
        sl_html_putf(h, "%c%.5g %.5g", i ? 'L' : 'M', p[i].x * WIDTH, y_of(y, p[i].high));
    for (int i = n - 1; i >= 0; i--)
        sl_html_putf(h, "L%.5g %.5g", p[i].x * WIDTH, y_of(y, p[i].low));
    sl_html_put(h, "Z\"/><path class=l d=\"");
    for (int i = 0; i < n; i++)
        sl_html_putf(h, "%c%.5g %.5g", i ? 'L' : 'M', p[i].x * WIDTH, y_of(y, p[i].mid));
    if (n == 1) /* a lone point is a short line */
        sl_html_put(h, "h4");
    sl_html_put(h, "\"/>");
}

static void band_runs(struct sl_html *h, const struct axis *y, const struct sl_band_point *p, int n)
{
    for (int i = 0; i < n;) {
        int from = i;
        while (i < n && !is_gap(&p[i]))
            i++;
        if (i > from)
            band_run(h, y, p + from, i - from);
        while (i < n && is_gap(&p[i]))
            i++;
    }
}

static void mark_lines(struct sl_html *h, const struct sl_tick *marks, int n)
{
    for (int i = 0; i < n; i++)
        sl_html_putf(h, "<path class=m d=\"M%.5g 0V%d\"/>", marks[i].at * WIDTH, HEIGHT);
}

/* Names that would lie over one another are left out; their lines stay. */
static void mark_names(struct sl_html *h, const struct sl_tick *marks, int n)
{
    double free_from = 0;
    for (int i = 0; i < n; i++) {
        const char *name = marks[i].text;
        double room = CHARACTER_ROOM * (double)(sl_utf8_count(name, strlen(name)) + 2);
        if (marks[i].at < free_from || marks[i].at > 1 - room)
            continue;
        sl_html_putf(h, "<span class=mark style=\"left:%.4g%%\">", marks[i].at * 100);
        sl_html_cstr(h, name);
        sl_html_put(h, "</span>");
        free_from = marks[i].at + room;
    }
}

void sl_svg_band(struct sl_html *h, const struct sl_chart *c, const struct sl_band_point *points,
                 int n, const struct sl_tick *marks, int n_marks)
{
    double low = 0, high = 0;
    bool any = false;
    for (int i = 0; i < n; i++) {
        const struct sl_band_point *p = &points[i];
        if (is_gap(p))
            continue;
        double least = p->mid < p->low ? p->mid : p->low,
               most = p->mid > p->high ? p->mid : p->high;
        low = !any || least < low ? least : low;
        high = !any || most > high ? most : high;
        any = true;
    }
    struct axis y = axis_over(low, high);
    open_figure(h, c, &y);
    band_runs(h, &y, points, n);
    mark_lines(h, marks, n_marks);
    sl_html_put(h, "</svg>");
    mark_names(h, marks, n_marks);
    close_figure(h, c);
}

/* ---- lines ---- */

static void line_of(struct sl_html *h, const struct axis *y, const struct sl_svg_line *line)
{
    bool gap = true;
    sl_html_putf(h, "<path class=%s d=\"", line->class);
    for (int i = 0; i < line->n; i++) {
        const struct sl_band_point *p = &line->points[i];
        if (!is_gap(p))
            sl_html_putf(h, "%c%.5g %.5g", gap ? 'M' : 'L', p->x * WIDTH, y_of(y, p->mid));
        gap = is_gap(p);
    }
    sl_html_put(h, "\"/>");
}

void sl_svg_lines(struct sl_html *h, const struct sl_chart *c, const struct sl_svg_line *lines,
                  int n_lines, const struct sl_tick *marks, int n_marks)
{
    double high = 0;
    for (int k = 0; k < n_lines; k++)
        for (int i = 0; i < lines[k].n; i++)
            if (lines[k].points[i].mid > high)
                high = lines[k].points[i].mid;
    struct axis y = axis_over(0, high);
    open_figure(h, c, &y);
    for (int k = 0; k < n_lines; k++)
        line_of(h, &y, &lines[k]);
    mark_lines(h, marks, n_marks);
    sl_html_put(h, "</svg>");
    mark_names(h, marks, n_marks);
    close_figure(h, c);
    if (n_lines < 2)
        return;
    sl_html_put(h, "<p class=legend>");
    for (int k = 0; k < n_lines; k++)
        legend(h, lines[k].class, lines[k].name);
    sl_html_put(h, "</p>\n");
}

/* ---- a share ---- */

void sl_svg_share(struct sl_html *h, int64_t kept, int64_t dropped, int64_t whole)
{
    double k = whole > 0 ? (double)kept * WIDTH / (double)whole : 0;
    double d = whole > 0 ? (double)dropped * WIDTH / (double)whole : 0;
    sl_html_putf(h,
                 "<svg class=share viewBox=\"0 0 %d 10\" preserveAspectRatio=\"none\" "
                 "aria-hidden=\"true\">",
                 WIDTH);
    if (k > 0)
        sl_html_putf(h, "<path class=k d=\"M0 0H%.5gV10H0Z\"/>", k < 2 ? 2 : k);
    if (d > 0)
        sl_html_putf(h, "<path class=d d=\"M%.5g 0h%.5gv10h-%.5gZ\"/>", k, d < 2 ? 2 : d,
                     d < 2 ? 2 : d);
    sl_html_put(h, "</svg>");
}
