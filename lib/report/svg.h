/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_REPORT_SVG_H
#define SL_REPORT_SVG_H

/* Charts: an inline SVG for the shapes, which stretches to whatever width there
 * is, and HTML for the labels, which keep their size. Each is a figure with a
 * caption; the SVG has a title and a description for those who do not see it.
 *
 * Text      title, note, legends and labels are escaped here.
 * Colours   by class, from the page's style: "k" kept, "d" dropped or before,
 *           "l" lines, "e" expected ones, "g" grid.
 * Errors    those of the page (html.h).
 * Threads   one thread a page. */

#include "report/html.h"

/* A label on the x axis; at: from 0 (left end) to 1. */
struct sl_tick {
    double at;
    const char *text;
};

struct sl_chart {
    const char *title;
    const char *note; /* a sentence under the title; may be NULL */
    const char *desc; /* what is seen, for those who do not; may be NULL */
    const char *x_unit, *y_unit;
    const struct sl_tick *ticks;
    int n_ticks;
};

/* Bars of equal width from 0. behind may be NULL: wider, paler bars at the same
 * places. Names stand in the legend where behind is given. */
void sl_svg_bars(struct sl_html *h, const struct sl_chart *c, const int64_t *bars,
                 const int64_t *behind, int n, const char *const names[2]);

/* A line with a band around it, over x from 0 to 1, y as they are. Points whose mid
 * is NaN are a gap. marks: vertical lines with a label (a stage begins). */
struct sl_band_point {
    double x, low, mid, high;
};
void sl_svg_band(struct sl_html *h, const struct sl_chart *c, const struct sl_band_point *points,
                 int n, const struct sl_tick *marks, int n_marks);

/* Lines over x from 0 to 1, of the points' mids, y from 0 up; what is NaN is a gap. class:
 * "l", or "e" for what was expected. Names stand in a legend. */
struct sl_svg_line {
    const char *class, *name;
    const struct sl_band_point *points;
    int n;
};
void sl_svg_lines(struct sl_html *h, const struct sl_chart *c, const struct sl_svg_line *lines,
                  int n_lines, const struct sl_tick *marks, int n_marks);

/* Labels for an axis from low to high (low < high): multiples of a nice step, at
 * most max of them. Texts go to room. Returns their number. */
int sl_svg_ticks(double low, double high, struct sl_tick *out, char (*room)[32], int max);

/* A bar of 100 % of the width that is there: kept, dropped, out of whole. */
void sl_svg_share(struct sl_html *h, int64_t kept, int64_t dropped, int64_t whole);

#endif
