/* SPDX-License-Identifier: Apache-2.0 */
/* Measuring and judging, the same for every filter.
 *
 * The verdict comes from the values as they would be stored, float32 and
 * uint32, never from what they were before rounding: thresholds that are applied
 * later to annotated columns must give the same documents. A threshold such as
 * 0.1 is rounded to float32 too, so that 1 word of 10 is equal to it and stays.
 *
 * NaN does the rest: an undefined value, and a threshold that is switched off,
 * compare as false. */
#include "text/filter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sl_filter_measure(const struct sl_filter_use *use, struct sl_str text, double *values)
{
    const struct sl_filter *f = use->filter;
    f->measure(text, use->plan, values);
    for (int i = 0; f->values[i].name; i++)
        if (f->values[i].type == SL_FILTER_FLOAT32)
            values[i] = (double)(float)values[i];
}

/* NaN where it is switched off. */
static double threshold_of(const struct sl_filter_use *use, const struct sl_filter_rule *r)
{
    const char *p = (const char *)use->params + r->threshold;
    if (use->filter->values[r->value].type == SL_FILTER_UINT32) {
        uint64_t u;
        memcpy(&u, p, sizeof u);
        return u == SL_YAML_UINT_OFF ? (double)NAN : (double)u;
    }
    double d;
    memcpy(&d, p, sizeof d);
    return (double)(float)d;
}

int sl_filter_judge(const struct sl_filter_use *use, const double *values)
{
    const struct sl_filter_rule *rules = use->filter->rules;
    for (int i = 0; rules[i].reason; i++) {
        double v = values[rules[i].value], limit = threshold_of(use, &rules[i]);
        if (rules[i].side == SL_FILTER_BELOW ? v < limit : v > limit)
            return i;
    }
    return -1;
}

/* The shortest decimal that is the same float32; whole numbers as they are. */
static void format_value(double v, char text[40])
{
    if (v == floor(v) && fabs(v) < 1e15) {
        snprintf(text, 40, "%.0f", v);
        return;
    }
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, 40, "%.*g", digits, v);
        if ((double)strtof(text, NULL) == v)
            return;
    }
}

void sl_filter_why(const struct sl_filter_use *use, int rule, const double *values,
                   char out[SL_FILTER_WHY_BYTES])
{
    const struct sl_filter_rule *r = &use->filter->rules[rule];
    char value[40], limit[40];
    format_value(values[r->value], value);
    format_value(threshold_of(use, r), limit);
    snprintf(out, SL_FILTER_WHY_BYTES, "%s %s %c %s", use->filter->values[r->value].name, value,
             r->side == SL_FILTER_BELOW ? '<' : '>', limit);
}
