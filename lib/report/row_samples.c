/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest hashes so far stand sorted in an array; most rows are turned away
 * by one comparison, and only what is kept is copied. Equal hashes (a row that
 * occurs twice) keep their order in the stream.
 *
 * Columns are taken as they are: what a filter measured is what one wants to see
 * beside the text that it judged. Lists, binaries and times are left out. */
#include "report/row_samples.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/row_hash.h"
#include "base/utf8.h"

enum { VALUE_CHARS = 160, ID_BYTES = 16, ROOM = 1 << 20 };

void sl_samples_init(struct sl_samples *s, int per_group, uint64_t row_seed)
{
    *s = (struct sl_samples){ .per_group = per_group, .row_seed = row_seed };
}

void sl_samples_release(struct sl_samples *s)
{
    for (int g = 0; g < s->n_groups; g++) {
        for (int i = 0; i < s->groups[g].n; i++)
            sl_buf_release(&s->groups[g].rows_of[i].bytes);
        free(s->groups[g].rows_of);
    }
    free(s->groups);
    *s = (struct sl_samples){ 0 };
}

/* ---- one row ---- */

/* The first max_chars characters of s, made valid; *cut says whether there are more.
 * More bytes than these can need are not looked at. */
static enum sl_status add_cut(struct sl_buf *out, struct sl_str s, size_t max_chars,
                              struct sl_span *to, bool *cut, struct sl_err *err)
{
    size_t most = max_chars * 4 + 4, from = out->n, chars = 0;
    uint64_t n_bad = 0;
    bool more = s.n > most;
    if (more) {
        s.n = most;
        while (s.n > most - 4 && ((uint8_t)s.p[s.n] & 0xC0) == 0x80)
            s.n--;
    }
    SL_TRY(sl_utf8_repair(out, s.p, s.n, &n_bad, err));
    const uint8_t *at = out->p + from, *end = out->p + out->n;
    while (at < end && chars < max_chars) {
        (void)sl_utf8_next(&at, end);
        chars++;
    }
    more |= at < end;
    out->n = at ? (size_t)(at - out->p) : from;
    *to = (struct sl_span){ (uint32_t)from, (uint32_t)(out->n - from) };
    *cut = more;
    return SL_OK;
}

static bool is_shown(const struct sl_field *f)
{
    static const char *const not_these[] = { "id", "copy", "text", "raw", "html", "reject_reason" };
    for (size_t i = 0; i < sizeof not_these / sizeof *not_these; i++)
        if (strcmp(f->name, not_these[i]) == 0)
            return false;
    return f->type <= SL_T_BOOL || sl_type_is_utf8(f->type);
}

static enum sl_status add_value(struct sl_buf *out, const struct sl_column *c, int64_t row,
                                struct sl_sample_column *to, struct sl_err *err)
{
    char text[48];
    bool cut;
    enum sl_type t = c->field->type;
    if (sl_type_is_utf8(t))
        return add_cut(out, sl_column_str(c, row), VALUE_CHARS, &to->value, &cut, err);
    if (t == SL_T_BOOL)
        snprintf(text, sizeof text, "%s", sl_column_bool(c, row) ? "true" : "false");
    else if (t == SL_T_FLOAT32 || t == SL_T_FLOAT64)
        snprintf(text, sizeof text, "%.6g", sl_column_real(c, row));
    else if (t == SL_T_UINT64)
        snprintf(text, sizeof text, "%llu", (unsigned long long)sl_column_int(c, row));
    else
        snprintf(text, sizeof text, "%lld", (long long)sl_column_int(c, row));
    return add_cut(out, sl_str_of(text), sizeof text, &to->value, &cut, err);
}

static enum sl_status add_column(struct sl_sample *s, const struct sl_column *c, int64_t row,
                                 struct sl_err *err)
{
    if (s->n_columns == SL_SAMPLE_COLUMNS || sl_column_is_null(c, row))
        return SL_OK;
    struct sl_sample_column *to = &s->columns[s->n_columns];
    bool cut;
    SL_TRY(add_cut(&s->bytes, sl_str_of(c->field->name), SL_MAX_NAME_BYTES, &to->name, &cut, err));
    SL_TRY(add_value(&s->bytes, c, row, to, err));
    s->n_columns++;
    return SL_OK;
}

static const char *const first_columns[] = { "url", "title", "reject_detail" };
enum { N_FIRST = 3 };

static bool is_first(const char *name)
{
    for (int i = 0; i < N_FIRST; i++)
        if (strcmp(first_columns[i], name) == 0)
            return true;
    return false;
}

static enum sl_status fill(struct sl_sample *s, const struct sl_batch *b, int64_t row,
                           struct sl_err *err)
{
    static const char *const texts[] = { "text", "raw", "html" };
    for (int i = 0; i < N_FIRST; i++) {
        const struct sl_column *c = sl_batch_column(b, first_columns[i]);
        if (c && sl_type_is_utf8(c->field->type))
            SL_TRY(add_column(s, c, row, err));
    }
    for (uint32_t i = 0; i < b->schema->n_fields; i++)
        if (is_shown(b->schema->fields[i]) && !is_first(b->schema->fields[i]->name))
            SL_TRY(add_column(s, &b->columns[i], row, err));
    for (int i = 0; i < 3 && !s->has_text; i++) {
        const struct sl_column *c = sl_batch_column(b, texts[i]);
        if (!c || !sl_type_is_bytes(c->field->type) || sl_column_is_null(c, row))
            continue;
        s->has_text = true;
        SL_TRY(add_cut(&s->bytes, sl_column_str(c, row), SL_SAMPLE_CHARS, &s->text, &s->cut, err));
    }
    return SL_OK;
}

/* ---- which rows ---- */

static enum sl_status add_row(struct sl_samples *all, struct sl_sample_group *g, uint64_t hash,
                              const struct sl_batch *b, int64_t row, struct sl_err *err)
{
    int at = g->n;
    while (at > 0 && hash < g->rows_of[at - 1].hash)
        at--;
    if (at >= all->per_group)
        return SL_OK;
    struct sl_sample s = { .hash = hash };
    sl_buf_init(&s.bytes, ROOM);
    enum sl_status st = fill(&s, b, row, err);
    if (st != SL_OK) {
        sl_buf_release(&s.bytes);
        return st;
    }
    if (g->n == all->per_group)
        sl_buf_release(&g->rows_of[--g->n].bytes);
    memmove(g->rows_of + at + 1, g->rows_of + at, (size_t)(g->n - at) * sizeof s);
    g->rows_of[at] = s;
    g->n++;
    return SL_OK;
}

/* The group of a reason; NULL in *out where there are too many already. */
static enum sl_status find_group(struct sl_samples *s, struct sl_str reason,
                                 struct sl_sample_group **out, struct sl_err *err)
{
    reason.n = reason.n < 63 ? reason.n : 63;
    *out = NULL;
    for (int g = 0; g < s->n_groups; g++)
        if (sl_str_eq(sl_str_of(s->groups[g].name), reason)) {
            *out = &s->groups[g];
            return SL_OK;
        }
    if (s->n_groups == SL_SAMPLE_GROUPS)
        return SL_OK;
    if (!s->groups && !(s->groups = calloc(SL_SAMPLE_GROUPS, sizeof *s->groups)))
        return sl_err_nomem(err, SL_SAMPLE_GROUPS * sizeof *s->groups);
    struct sl_sample_group *g = &s->groups[s->n_groups];
    g->rows_of = calloc((size_t)s->per_group + 1, sizeof *g->rows_of);
    if (!g->rows_of)
        return sl_err_nomem(err, (uint64_t)s->per_group * sizeof *g->rows_of);
    snprintf(g->name, sizeof g->name, "%.*s", (int)reason.n, reason.n ? reason.p : "");
    s->n_groups++;
    *out = g;
    return SL_OK;
}

enum sl_status sl_samples_add(struct sl_samples *s, const struct sl_batch *b, struct sl_err *err)
{
    const struct sl_column *id = sl_batch_column(b, "id"), *copy = sl_batch_column(b, "copy");
    const struct sl_column *reason = sl_batch_column(b, "reject_reason");
    static const uint8_t no_id[ID_BYTES] = { 0 };
    if (id && (id->field->type != SL_T_FIXED_BINARY || id->field->size != ID_BYTES))
        id = NULL;
    if (copy && copy->field->type != SL_T_UINT16)
        copy = NULL;
    if (reason && !sl_type_is_utf8(reason->field->type))
        reason = NULL;
    for (int64_t i = 0; i < b->n_rows; i++) {
        struct sl_sample_group *g;
        struct sl_str none = { "", 0 };
        SL_TRY(find_group(s, reason ? sl_column_str(reason, i) : none, &g, err));
        s->rows++;
        if (!g) {
            s->rows_elsewhere++;
            continue;
        }
        g->rows++;
        const uint8_t *key = id ? id->data + i * ID_BYTES : no_id;
        uint16_t n = copy ? (uint16_t)sl_column_int(copy, i) : 0;
        SL_TRY(add_row(s, g, sl_row_hash(key, n, s->row_seed), b, i, err));
    }
    return SL_OK;
}
