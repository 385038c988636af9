/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of every source in the order of the data, so that they do not depend on which
 * source came first; sources in the order of their bytes, that without a name last. */
#include "order/loss_domains.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/math.h"
#include "io/sink.h"
#include "order/strata.h"

struct domain {
    struct sl_str name; /* in the arena */
    bool null;
    int64_t rows, n;     /* all; those with both losses */
    double excess, part; /* sum, then mean; what the weight is made of */
};

struct sl_loss_domains {
    struct sl_strata *strata;
    struct sl_arena arena;
    struct sl_buf domains; /* struct domain, by number */
};

enum { TEXT_MAX = 1 << 30, ROOM = 256 }; /* ROOM: of a source, beside its name twice */

#define SMOOTHING 1e-3

enum sl_status sl_loss_domains_new(struct sl_loss_domains **out, uint64_t max_bytes,
                                   struct sl_err *err)
{
    struct sl_loss_domains *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d)
        return sl_err_nomem(err, sizeof *d);
    sl_arena_init(&d->arena, 0);
    sl_buf_init(&d->domains, max_bytes < TEXT_MAX ? max_bytes : TEXT_MAX);
    enum sl_status st = sl_strata_new(&d->strata, max_bytes, ROOM, err);
    if (st == SL_OK)
        *out = d;
    else
        sl_loss_domains_free(d);
    return st;
}

void sl_loss_domains_free(struct sl_loss_domains *d)
{
    if (!d)
        return;
    sl_strata_free(d->strata);
    sl_arena_release(&d->arena);
    sl_buf_release(&d->domains);
    free(d);
}

static struct domain *domains(const struct sl_loss_domains *d)
{
    return (struct domain *)(void *)d->domains.p;
}

static size_t count(const struct sl_loss_domains *d)
{
    return d->domains.n / sizeof(struct domain);
}

static enum sl_status add_domain(struct sl_loss_domains *d, const struct sl_column *source,
                                 int64_t row, struct sl_err *err)
{
    struct domain new = { .null = !source || sl_column_is_null(source, row) };
    if (!new.null) {
        struct sl_str name = sl_column_str(source, row);
        char *copy = sl_arena_str(&d->arena, name);
        if (!copy)
            return sl_err_nomem(err, name.n);
        new.name = (struct sl_str){ copy, name.n };
    }
    return sl_buf_add(&d->domains, &new, sizeof new, err);
}

enum sl_status sl_loss_domains_add(struct sl_loss_domains *d, const struct sl_column *source,
                                   int64_t row, const struct sl_loss_values *v, struct sl_err *err)
{
    uint32_t number = 0;
    if (source)
        SL_TRY(sl_strata_of(d->strata, source, row, &number, err));
    if (number == count(d))
        SL_TRY(add_domain(d, source, row, err));
    struct domain *to = domains(d) + number;
    to->rows++;
    if (isnan(v->loss) || isnan(v->reference))
        return SL_OK;
    to->n++;
    to->excess += v->loss > v->reference ? v->loss - v->reference : 0;
    return SL_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct domain *x = a, *y = b;
    return x->null != y->null ? x->null - y->null : sl_str_cmp(x->name, y->name);
}

/* Fill the parts; their sum. */
static double make_parts(struct sl_loss_domains *d, double eta)
{
    double top = 0, sum = 0, all = 0;
    for (size_t i = 0; i < count(d); i++) {
        struct domain *x = domains(d) + i;
        x->excess = x->n ? x->excess / (double)x->n : 0;
        top = x->excess > top ? x->excess : top;
        all += (double)x->n;
    }
    for (size_t i = 0; i < count(d); i++) {
        struct domain *x = domains(d) + i;
        x->part = x->n ? (double)x->n / all * sl_exp(eta * (x->excess - top)) : 0;
        sum += x->part;
    }
    return sum;
}

static enum sl_status add_line(const struct domain *x, double sum, size_t n, struct sl_buf *out,
                               struct sl_err *err)
{
    struct sl_json *o = sl_json_new_object();
    double share = sum > 0 ? x->part / sum : 0;
    double weight = (1 - SMOOTHING) * share + SMOOTHING / (double)n;
    enum sl_status st = x->null ? SL_OK : sl_json_set(o, "source", sl_json_new_str(x->name), err);
    if (st == SL_OK)
        st = sl_json_set(o, "rows", sl_json_new_int(x->rows), err);
    if (st == SL_OK)
        st = sl_json_set(o, "measured", sl_json_new_int(x->n), err);
    if (st == SL_OK)
        st = sl_json_set(o, "excess", sl_json_new_real(x->excess), err);
    if (st == SL_OK)
        st = sl_json_set(o, "weight", sl_json_new_real(weight), err);
    if (st == SL_OK)
        st = sl_json_dump(o, out, err);
    sl_json_free(o);
    return st == SL_OK ? sl_buf_add_byte(out, '\n', err) : st;
}

enum sl_status sl_loss_domains_text(struct sl_loss_domains *d, double eta, struct sl_buf *out,
                                    struct sl_err *err)
{
    size_t n = count(d), measured = 0;
    if (n)
        qsort(domains(d), n, sizeof(struct domain), by_name);
    double sum = make_parts(d, eta);
    for (size_t i = 0; i < n; i++)
        measured += domains(d)[i].n > 0;
    if (n && !measured)
        return sl_err_set(err, SL_E_DATA, "no sequence has both a loss and a reference loss");
    for (size_t i = 0; i < n; i++)
        SL_TRY(add_line(domains(d) + i, sum, n, out, err));
    return SL_OK;
}

enum sl_status sl_loss_domains_write(struct sl_loss_domains *d, double eta, const char *path,
                                     bool force, struct sl_err *err)
{
    struct sl_buf text;
    struct sl_sink *to = NULL;
    sl_buf_init(&text, TEXT_MAX);
    enum sl_status st = sl_loss_domains_text(d, eta, &text, err);
    if (st == SL_OK)
        st = sl_sink_open(&to, path, force, err);
    if (st == SL_OK)
        st = sl_sink_write(to, text.p, text.n, err);
    if (st == SL_OK)
        st = sl_sink_commit(to, err);
    sl_sink_free(to);
    sl_buf_release(&text);
    return st;
}
