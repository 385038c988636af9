/* SPDX-License-Identifier: Apache-2.0 */
/* Tallies: plain sums, so that workers can count apart and be added in any
 * order. */
#include "run/tally.h"

void sl_tally_init(struct sl_tally *t)
{
    *t = (struct sl_tally){ 0 };
}

static void port_merge(struct sl_port *into, const struct sl_port *from)
{
    into->rows += from->rows;
    sl_hash128_add(&into->ids, from->ids);
}

void sl_tally_add(struct sl_tally *into, const struct sl_tally *from)
{
    port_merge(&into->in, &from->in);
    port_merge(&into->out, &from->out);
    port_merge(&into->rejected, &from->rejected);
    port_merge(&into->begun, &from->begun);
    port_merge(&into->empty, &from->empty);
    for (int i = 0; i < SL_MAX_REASONS; i++)
        into->reasons[i] += from->reasons[i];
    for (int i = 0; i < SL_MAX_COUNTS; i++)
        into->counts[i] += from->counts[i];
    for (int i = 0; i < SL_TEXT_BINS; i++)
        into->text_bytes[i] += from->text_bytes[i];
    into->has_text |= from->has_text;
    for (int k = 0; k < SL_MAX_HISTS; k++)
        for (int i = 0; i < SL_HIST_BINS; i++)
            into->hists[k][i] += from->hists[k][i];
}

static struct sl_hash128 id_at(const struct sl_column *ids, int64_t row)
{
    struct sl_hash128 id;
    memcpy(id.b, ids->data + row * 16, 16);
    return id;
}

void sl_port_add(struct sl_port *p, const struct sl_column *ids, int64_t n_rows)
{
    p->rows += n_rows;
    for (int64_t i = 0; ids && i < n_rows; i++)
        sl_hash128_add(&p->ids, id_at(ids, i));
}

void sl_port_add_row(struct sl_port *p, const struct sl_column *ids, int64_t row)
{
    p->rows++;
    if (ids)
        sl_hash128_add(&p->ids, id_at(ids, row));
}

static int text_bin(uint64_t bytes)
{
    return bytes ? 64 - __builtin_clzll(bytes) : 0;
}

void sl_tally_add_text(struct sl_tally *t, const struct sl_column *text)
{
    t->has_text = true;
    for (int64_t i = 0; i < text->n; i++)
        t->text_bytes[text_bin(
            (uint64_t)(sl_column_start(text, i + 1) - sl_column_start(text, i)))]++;
}

void sl_tally_add_score(struct sl_tally *t, int k, const struct sl_hist *hist, double value)
{
    double from = (double)hist->from / (double)hist->per, to = (double)hist->to / (double)hist->per;
    double at = (value - from) / (to - from) * SL_HIST_BINS;
    int bin = at >= SL_HIST_BINS ? SL_HIST_BINS - 1 : at > 0 ? (int)at : 0;
    t->hists[k][bin]++;
}

enum sl_status sl_tally_check(const struct sl_tally *t, struct sl_err *err)
{
    if (t->law && strcmp(t->law, "source") != 0)
        return SL_OK;
    struct sl_port sum = t->out;
    port_merge(&sum, &t->rejected);
    if (sum.rows != t->in.rows)
        return sl_err_set(err, SL_E_BUG, "conservation: %lld rows in, %lld out and %lld rejected",
                          (long long)t->in.rows, (long long)t->out.rows,
                          (long long)t->rejected.rows);
    if (memcmp(sum.ids.b, t->in.ids.b, sizeof sum.ids.b) != 0)
        return sl_err_set(err, SL_E_BUG, "conservation: the ids out and rejected are not those in");
    return SL_OK;
}

static struct sl_json *port_json(const struct sl_port *p)
{
    char hex[SL_HASH128_DIGITS];
    sl_hash128_hex(p->ids, hex);
    struct sl_json *o = sl_json_new_object();
    if (sl_json_set(o, "rows", sl_json_new_int(p->rows), NULL) != SL_OK ||
        sl_json_set(o, "ids", sl_json_new_str((struct sl_str){ hex, sizeof hex }), NULL) != SL_OK) {
        sl_json_free(o);
        return NULL;
    }
    return o;
}

static struct sl_json *named_json(const int64_t *values, const char *const *names)
{
    struct sl_json *o = sl_json_new_object();
    for (int i = 0; o && names && names[i]; i++)
        if (sl_json_set(o, names[i], sl_json_new_int(values[i]), NULL) != SL_OK) {
            sl_json_free(o);
            return NULL;
        }
    return o;
}

static enum sl_status set_bins(struct sl_json *o, const char *name, const int64_t *values, int n)
{
    struct sl_json *bins = sl_json_new_array();
    enum sl_status st = SL_OK;
    for (int i = 0; i < n && st == SL_OK; i++)
        st = sl_json_push(bins, sl_json_new_int(values[i]), NULL);
    enum sl_status set = sl_json_set(o, name, bins, NULL);
    return st != SL_OK ? st : set;
}

static struct sl_json *hist_json(const struct sl_tally *t, const struct sl_hist *hists)
{
    struct sl_json *o = sl_json_new_object();
    enum sl_status st = SL_OK;
    if (t->has_text)
        st |= set_bins(o, "text_bytes", t->text_bytes, SL_TEXT_BINS);
    for (int k = 0; hists && hists[k].name; k++)
        st |= set_bins(o, hists[k].name, t->hists[k], SL_HIST_BINS);
    if (st != SL_OK) {
        sl_json_free(o);
        return NULL;
    }
    return o;
}

struct sl_json *sl_tally_json(const struct sl_tally *t, const struct sl_tally_names *names)
{
    struct sl_json *o = sl_json_new_object();
    enum sl_status st = SL_OK;
    if (t->law)
        st |= sl_json_set(o, "law", sl_json_new_str(sl_str_of(t->law)), NULL);
    st |= sl_json_set(o, "in", port_json(&t->in), NULL);
    st |= sl_json_set(o, "out", port_json(&t->out), NULL);
    st |= sl_json_set(o, "rejected", port_json(&t->rejected), NULL);
    if (t->law && strcmp(t->law, "tokens") == 0) {
        st |= sl_json_set(o, "begun", port_json(&t->begun), NULL);
        st |= sl_json_set(o, "empty", port_json(&t->empty), NULL);
    }
    if (names->reasons)
        st |= sl_json_set(o, "reasons", named_json(t->reasons, names->reasons), NULL);
    if (names->counts)
        st |= sl_json_set(o, "counts", named_json(t->counts, names->counts), NULL);
    if (t->has_text || names->hists)
        st |= sl_json_set(o, "hist", hist_json(t, names->hists), NULL);
    if (st != SL_OK) {
        sl_json_free(o);
        return NULL;
    }
    return o;
}
