/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of a plan.
 *
 * Lengths   a row of L tokens is read as L / l samples, so that a stage of shorter samples needs
 *           no rows of its own. With sluice-pack --extra-token a row holds one token more; only
 *           the lineage says so, since a list of L + 1 tokens looks like any other.
 * Groups    (source, key, unit) are sorted outside of memory; equal keys are neighbours then.
 * Blocks    values are few, so they stand in a table and a row has its number in it, until the
 *           end makes numbers ranks. Rejected: the sorter, whose records would be as many as
 *           the rows, for an answer of 2 bytes each.
 * Keys      those of order/row_key.h for a schema of this column alone, so that neither id
 *           nor copy stand in them. */
#include "order/plan_arrange.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/num.h"
#include "io/record_sort.h"
#include "order/plan_blocks.h"
#include "order/row_key.h"

/* ---- lengths and tokenizers ---- */

static uint64_t row_tokens(const struct sl_schema *in)
{
    int at = sl_schema_find(in, "tokens");
    bool fixed = at >= 0 && in->fields[at]->type == SL_T_FIXED_LIST;
    return fixed ? (uint64_t)in->fields[at]->size : 1;
}

/* Did the last stage that packed store the next row's first token too? */
static enum sl_status has_extra(const struct sl_schema *in, bool *extra, struct sl_err *err)
{
    struct sl_json *lineage;
    *extra = false;
    if (!in->lineage)
        return SL_OK;
    SL_TRY(sl_json_parse(&lineage, sl_str_of(in->lineage), err));
    for (size_t i = sl_json_count(lineage); i--;) {
        const struct sl_json *stage = sl_json_at(lineage, i);
        if (!sl_str_eq(sl_json_str(sl_json_get(stage, "tool")), SL_STR("sluice-pack")))
            continue;
        *extra = sl_json_bool(sl_json_get(sl_json_get(stage, "options"), "extra-token"));
        break;
    }
    sl_json_free(lineage);
    return SL_OK;
}

static enum sl_status check_length(const struct sl_plan *plan, const struct sl_plan_stage *s,
                                   const struct sl_schema *in, struct sl_err *err)
{
    bool extra;
    SL_TRY(has_extra(in, &extra, err));
    uint64_t length = row_tokens(in) - extra;
    if (length % s->length == 0)
        return SL_OK;
    return sl_err_set(err, SL_E_DATA,
                      "%s:%d:%d: stage '%s': a length of %llu does not divide the %llu tokens of a "
                      "sequence%s",
                      plan->file, s->length_at.line, s->length_at.column, s->name,
                      (unsigned long long)s->length, (unsigned long long)length,
                      extra ? " (without its extra token)" : "");
}

/* name: room for n bytes; empty where the rows have no tokenizer. */
static enum sl_status tokenizer_of(const struct sl_schema *in, char *name, size_t n,
                                   struct sl_err *err)
{
    struct sl_json *tokenizer;
    *name = 0;
    if (!in->tokenizer)
        return SL_OK;
    SL_TRY(sl_json_parse(&tokenizer, sl_str_of(in->tokenizer), err));
    struct sl_str s = sl_json_str(sl_json_get(tokenizer, "name"));
    s.n = s.n < n - 1 ? s.n : n - 1;
    if (s.n)
        memcpy(name, s.p, s.n);
    name[s.n] = 0;
    sl_json_free(tokenizer);
    return SL_OK;
}

static enum sl_status check_tokenizer(const struct sl_plan *plan, const struct sl_plan_stage *s,
                                      const char *name, struct sl_err *err)
{
    bool bytes = strcmp(s->tokenizer, "bytes") == 0;
    if (bytes && strcmp(name, "bytes") == 0)
        return SL_OK;
    return sl_err_set(
        err, SL_E_DATA, "%s:%d:%d: stage '%s': the sequences are of the tokenizer '%s'%s",
        plan->file, s->tokenizer_at.line, s->tokenizer_at.column, s->name, name,
        bytes ? ", not of 'bytes'" : "; another one for a stage is not there yet ('bytes' is)");
}

static enum sl_status check_bytes(const struct sl_plan *plan, struct sl_plan_at at,
                                  const char *name, struct sl_err *err)
{
    if (strcmp(name, "bytes") == 0)
        return SL_OK;
    return sl_err_set(err, SL_E_DATA,
                      "%s:%d:%d: bytes are counted where a token is a byte, for the tokenizer "
                      "'bytes'; the sequences are of '%s'",
                      plan->file, at.line, at.column, name);
}

enum sl_status sl_plan_check_rows(const struct sl_plan *plan, const struct sl_schema *in,
                                  struct sl_err *err)
{
    char name[200];
    SL_TRY(tokenizer_of(in, name, sizeof name, err));
    if (plan->budget_in == SL_UNTIL_BYTES)
        SL_TRY(check_bytes(plan, plan->budget_at, name, err));
    for (size_t i = 0; i < plan->n_stages; i++) {
        const struct sl_plan_stage *s = &plan->stages[i];
        if (s->unit == SL_UNTIL_BYTES)
            SL_TRY(check_bytes(plan, s->until_at, name, err));
        if (s->length)
            SL_TRY(check_length(plan, s, in, err));
        if (s->tokenizer)
            SL_TRY(check_tokenizer(plan, s, name, err));
    }
    return SL_OK;
}

/* ---- the key of one column ---- */

enum { KEY_MAX_BYTES = 1 << 20, VALUES_MAX_BYTES = 4 << 20 };

struct column {
    int at; /* in the schema of the rows */
    struct sl_schema alone;
    struct sl_row_keys *keys;
};

static enum sl_status column_open(struct column *c, const struct sl_schema *in, const char *name,
                                  struct sl_err *err)
{
    const char *names[SL_MAX_FIELDS + 1];
    uint32_t n = in->n_fields < SL_MAX_FIELDS ? in->n_fields : SL_MAX_FIELDS;
    c->at = sl_schema_find(in, name);
    if (c->at >= 0) {
        c->alone = (struct sl_schema){ .n_fields = 1, .fields = &in->fields[c->at] };
        return sl_row_keys_parse(&c->keys, name, &c->alone, err);
    }
    for (uint32_t i = 0; i < n; i++)
        names[i] = in->fields[i]->name;
    names[n] = NULL;
    const char *near = sl_str_nearest(sl_str_of(name), names);
    return sl_err_set(err, SL_E_DATA, "the sequences have no column '%.200s'%s%s%s", name,
                      near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

/* Append the key of a row to out. */
static enum sl_status column_key(const struct column *c, const struct sl_batch *b, int64_t row,
                                 struct sl_buf *out, bool *null, struct sl_err *err)
{
    struct sl_batch one = { .columns = &b->columns[c->at], .n_rows = b->n_rows };
    return sl_row_keys_add(c->keys, &one, row, out, null, err);
}

/* ---- values ---- */

struct value {
    size_t at, n; /* its key in the bytes of all */
    uint32_t number;
};

/* The values of a column that blocks are made by, and of each row which one it has. */
struct values {
    struct column column;
    const char *name;
    struct sl_plan_at where;
    uint32_t n;
    struct value *values; /* SL_PLAN_MAX_VALUES */
    uint32_t *table;      /* twice as many; a value's number and one more; 0: free */
    struct sl_buf bytes;
    uint16_t **codes; /* of each source */
    uint64_t *rooms;
};

enum { TABLE_SIZE = 2 * SL_PLAN_MAX_VALUES };

static enum sl_status values_new(struct values *v, const struct sl_plan *plan,
                                 const struct sl_schema *in, const struct sl_plan_stage *s,
                                 struct sl_err *err)
{
    v->name = s->batch_by;
    v->where = s->batch_at;
    sl_buf_init(&v->bytes, VALUES_MAX_BYTES);
    v->values = malloc(SL_PLAN_MAX_VALUES * sizeof *v->values);
    v->table = calloc(TABLE_SIZE, sizeof *v->table);
    v->codes = calloc(plan->n_sources, sizeof *v->codes);
    v->rooms = calloc(plan->n_sources, sizeof *v->rooms);
    if (!v->values || !v->table || !v->codes || !v->rooms)
        return sl_err_nomem(err, SL_PLAN_MAX_VALUES * sizeof *v->values);
    return column_open(&v->column, in, s->batch_by, err);
}

static void values_release(struct values *v, size_t n_sources)
{
    for (size_t i = 0; v->codes && i < n_sources; i++)
        free(v->codes[i]);
    sl_row_keys_free(v->column.keys);
    sl_buf_release(&v->bytes);
    free(v->values);
    free(v->table);
    free(v->codes);
    free(v->rooms);
}

static struct sl_str value_key(const struct values *v, uint32_t i)
{
    return (struct sl_str){ (const char *)v->bytes.p + v->values[i].at, v->values[i].n };
}

/* The number of a key; a new one where it was not seen. */
static enum sl_status value_number(struct values *v, struct sl_str key, uint32_t *number,
                                   struct sl_err *err)
{
    size_t slot = sl_hash64(key.p, key.n) & (TABLE_SIZE - 1);
    for (; v->table[slot]; slot = (slot + 1) & (TABLE_SIZE - 1))
        if (sl_str_eq(value_key(v, v->table[slot] - 1), key)) {
            *number = v->table[slot] - 1;
            return SL_OK;
        }
    if (v->n == SL_PLAN_MAX_VALUES || key.n > VALUES_MAX_BYTES - v->bytes.n)
        return sl_err_set(err, SL_E_DATA, "batch: '%s' has more than %d values, or 4 MiB of them",
                          v->name, SL_PLAN_MAX_VALUES);
    v->values[v->n] = (struct value){ v->bytes.n, key.n, v->n };
    *number = v->n++;
    v->table[slot] = v->n;
    return sl_buf_add_str(&v->bytes, key, err);
}

static enum sl_status values_room(struct values *v, size_t source, uint64_t n, struct sl_err *err)
{
    uint64_t room = v->rooms[source];
    if (n <= room)
        return SL_OK;
    room = n + n / 4;
    uint16_t *p = realloc(v->codes[source], room * sizeof *p);
    if (!p)
        return sl_err_nomem(err, room * sizeof *p);
    v->codes[source] = p;
    v->rooms[source] = room;
    return SL_OK;
}

/* Numbers become ranks: the order of the keys, of which none begins another. */
static int by_key(const void *a, const void *b, void *bytes)
{
    const struct value *x = a, *y = b;
    const uint8_t *p = bytes;
    int way = memcmp(p + x->at, p + y->at, x->n < y->n ? x->n : y->n);
    return way ? way : (x->n > y->n) - (x->n < y->n);
}

static enum sl_status values_end(struct values *v, const uint64_t *n_rows, size_t n_sources,
                                 struct sl_err *err)
{
    uint16_t *rank = malloc((v->n + 1) * sizeof *rank);
    if (!rank)
        return sl_err_nomem(err, v->n * sizeof *rank);
    qsort_r(v->values, v->n, sizeof *v->values, by_key, v->bytes.p);
    for (uint32_t i = 0; i < v->n; i++)
        rank[v->values[i].number] = (uint16_t)i;
    for (size_t s = 0; s < n_sources; s++)
        for (uint64_t i = 0; i < n_rows[s]; i++)
            v->codes[s][i] = rank[v->codes[s][i]];
    free(rank);
    return SL_OK;
}

/* ---- all of a plan ---- */

struct sl_arrange {
    const struct sl_plan *plan;
    uint64_t *n_rows;       /* of each source */
    struct column *columns; /* of each source with groups; keys are NULL of others */
    struct sl_record_sort *groups;
    struct sl_buf record, last;
    bool has_next;         /* last holds a record that the next source begins with */
    struct values *values; /* of different columns */
    size_t n_values;
    size_t *which; /* of each stage: its values */
};

static enum sl_status complain(const struct sl_plan *plan, struct sl_plan_at at, const char *what,
                               enum sl_status st, const struct sl_err *why, struct sl_err *err)
{
    return sl_err_set(err, st == SL_E_SYSTEM ? st : SL_E_DATA, "%s:%d:%d: %s: %.400s", plan->file,
                      at.line, at.column, what, why->msg);
}

static enum sl_status open_groups(struct sl_arrange *a, const struct sl_schema *in,
                                  uint64_t mem_bytes, const char *tmpdir, struct sl_err *err)
{
    bool any = false;
    for (size_t i = 0; i < a->plan->n_sources; i++) {
        const struct sl_plan_source *s = &a->plan->sources[i];
        struct sl_err why = SL_ERR_INIT;
        if (!s->group)
            continue;
        any = true;
        enum sl_status st = column_open(&a->columns[i], in, s->group, &why);
        if (st != SL_OK)
            return complain(a->plan, s->group_at, "group", st, &why, err);
    }
    return any ? sl_record_sort_new(&a->groups, mem_bytes, tmpdir, err) : SL_OK;
}

static enum sl_status open_values(struct sl_arrange *a, const struct sl_schema *in,
                                  struct sl_err *err)
{
    for (size_t i = 0; i < a->plan->n_stages; i++) {
        const struct sl_plan_stage *s = &a->plan->stages[i];
        struct sl_err why = SL_ERR_INIT;
        size_t k = 0;
        if (!s->batch_by)
            continue;
        while (k < a->n_values && strcmp(a->values[k].name, s->batch_by) != 0)
            k++;
        a->which[i] = k;
        if (k < a->n_values)
            continue;
        a->n_values++;
        enum sl_status st = values_new(&a->values[k], a->plan, in, s, &why);
        if (st != SL_OK)
            return complain(a->plan, s->batch_at, "batch", st, &why, err);
    }
    return SL_OK;
}

static bool has_any(const struct sl_plan *plan)
{
    bool any = false;
    for (size_t i = 0; i < plan->n_sources; i++)
        any |= plan->sources[i].group != NULL;
    for (size_t i = 0; i < plan->n_stages; i++)
        any |= plan->stages[i].batch_by != NULL;
    return any;
}

static enum sl_status arrange_open(struct sl_arrange *a, const struct sl_schema *in,
                                   uint64_t mem_bytes, const char *tmpdir, struct sl_err *err)
{
    const struct sl_plan *plan = a->plan;
    a->n_rows = calloc(plan->n_sources, sizeof *a->n_rows);
    a->columns = calloc(plan->n_sources, sizeof *a->columns);
    a->values = calloc(plan->n_stages, sizeof *a->values);
    a->which = calloc(plan->n_stages, sizeof *a->which);
    if (!a->n_rows || !a->columns || !a->values || !a->which)
        return sl_err_nomem(err, plan->n_stages * sizeof *a->values);
    SL_TRY(open_groups(a, in, mem_bytes, tmpdir, err));
    return open_values(a, in, err);
}

enum sl_status sl_arrange_new(struct sl_arrange **out, const struct sl_plan *plan,
                              const struct sl_schema *in, uint64_t mem_bytes, const char *tmpdir,
                              struct sl_err *err)
{
    *out = NULL;
    if (!has_any(plan))
        return SL_OK;
    struct sl_arrange *a = calloc(1, sizeof *a);
    if (!a)
        return sl_err_nomem(err, sizeof *a);
    a->plan = plan;
    sl_buf_init(&a->record, KEY_MAX_BYTES + 8);
    sl_buf_init(&a->last, KEY_MAX_BYTES + 8);
    enum sl_status st = arrange_open(a, in, mem_bytes, tmpdir, err);
    if (st != SL_OK)
        sl_arrange_free(a);
    else
        *out = a;
    return st;
}

void sl_arrange_free(struct sl_arrange *a)
{
    if (!a)
        return;
    for (size_t i = 0; a->columns && i < a->plan->n_sources; i++)
        sl_row_keys_free(a->columns[i].keys);
    for (size_t i = 0; i < a->n_values; i++)
        values_release(&a->values[i], a->plan->n_sources);
    sl_record_sort_free(a->groups);
    sl_buf_release(&a->record);
    sl_buf_release(&a->last);
    free(a->n_rows);
    free(a->columns);
    free(a->values);
    free(a->which);
    free(a);
}

void sl_arrange_mark(const struct sl_arrange *a, bool *wanted)
{
    for (size_t i = 0; a && i < a->plan->n_sources; i++)
        if (a->columns[i].keys)
            wanted[a->columns[i].at] = true;
    for (size_t i = 0; a && i < a->n_values; i++)
        wanted[a->values[i].column.at] = true;
}

/* ---- rows ---- */

static enum sl_status add_number(struct sl_buf *to, uint32_t v, struct sl_err *err)
{
    uint8_t bytes[4];
    sl_store_big(bytes, v, sizeof bytes);
    return sl_buf_add(to, bytes, sizeof bytes, err);
}

/* A row without a value is a group of its own; it is not even sorted. */
static enum sl_status see_groups(struct sl_arrange *a, const struct sl_batch *b, size_t source,
                                 uint64_t first, struct sl_err *err)
{
    for (int64_t row = 0; row < b->n_rows; row++) {
        bool null;
        sl_buf_reset(&a->record);
        SL_TRY(add_number(&a->record, (uint32_t)source, err));
        SL_TRY(column_key(&a->columns[source], b, row, &a->record, &null, err));
        if (null)
            continue;
        SL_TRY(add_number(&a->record, (uint32_t)(first + (uint64_t)row), err));
        SL_TRY(sl_record_sort_add(a->groups, sl_buf_str(&a->record), err));
    }
    return SL_OK;
}

static enum sl_status see_values(struct sl_arrange *a, struct values *v, const struct sl_batch *b,
                                 size_t source, uint64_t first, struct sl_err *err)
{
    struct sl_err why = SL_ERR_INIT;
    SL_TRY(values_room(v, source, first + (uint64_t)b->n_rows, err));
    for (int64_t row = 0; row < b->n_rows; row++) {
        uint32_t number = 0;
        bool null;
        sl_buf_reset(&a->record);
        SL_TRY(column_key(&v->column, b, row, &a->record, &null, err));
        enum sl_status st = value_number(v, sl_buf_str(&a->record), &number, &why);
        if (st != SL_OK)
            return complain(a->plan, v->where, "batch", st, &why, err);
        v->codes[source][first + (uint64_t)row] = (uint16_t)number;
    }
    return SL_OK;
}

enum sl_status sl_arrange_see(struct sl_arrange *a, const struct sl_batch *b, size_t source,
                              uint64_t first, struct sl_err *err)
{
    if (!a)
        return SL_OK;
    if (a->columns[source].keys)
        SL_TRY(see_groups(a, b, source, first, err));
    for (size_t i = 0; i < a->n_values; i++)
        SL_TRY(see_values(a, &a->values[i], b, source, first, err));
    a->n_rows[source] = first + (uint64_t)b->n_rows;
    return SL_OK;
}

uint64_t sl_arrange_bytes(const struct sl_arrange *a, const struct sl_plan_order *order,
                          uint64_t largest)
{
    uint64_t codes = 0, blocks = 0;
    for (size_t i = 0; a && i < a->n_values; i++)
        for (size_t s = 0; s < a->plan->n_sources; s++)
            codes += a->values[i].rooms[s] * sizeof **a->values[i].codes;
    for (size_t i = 0; a && i < a->plan->n_stages; i++) {
        struct sl_plan_batch batch = sl_arrange_batch(a, i);
        struct sl_plan_span span = sl_plan_order_span(order, i);
        if (!batch.n_values)
            continue;
        uint64_t most = sl_plan_blocks_most(batch.n_values, a->plan->stages[i].batch_size,
                                            span.end - span.begin);
        uint64_t bytes = SL_PLAN_BLOCKS_BYTES * most + 12 * (uint64_t)batch.n_values;
        blocks = bytes > blocks ? bytes : blocks;
    }
    return codes + blocks + (a && a->groups ? 4 * largest : 0);
}

/* ---- what comes of it ---- */

static enum sl_status next_record(struct sl_arrange *a, struct sl_err *err)
{
    struct sl_str r;
    enum sl_status st = sl_record_sort_next(a->groups, &r, err);
    sl_buf_reset(&a->record);
    a->has_next = st == SL_OK;
    if (st == SL_END)
        return SL_OK;
    SL_TRY(st);
    return sl_buf_add_str(&a->record, r, err);
}

enum sl_status sl_arrange_end(struct sl_arrange *a, struct sl_err *err)
{
    if (!a)
        return SL_OK;
    for (size_t i = 0; i < a->n_values; i++)
        SL_TRY(values_end(&a->values[i], a->n_rows, a->plan->n_sources, err));
    if (!a->groups)
        return SL_OK;
    SL_TRY(sl_record_sort_end(a->groups, err));
    return next_record(a, err);
}

static uint32_t number_at(const struct sl_buf *r, size_t at)
{
    return (uint32_t)sl_load_big(r->p + at, 4);
}

/* Are the two records of one group? Units stand in their last four bytes. */
static bool same_group(const struct sl_buf *x, const struct sl_buf *y)
{
    return x->n == y->n && memcmp(x->p, y->p, x->n - 4) == 0;
}

static enum sl_status link_groups(struct sl_arrange *a, size_t source, uint32_t *next,
                                  struct sl_err *err)
{
    uint32_t first = 0, before = 0;
    sl_buf_reset(&a->last);
    for (; a->has_next && number_at(&a->record, 0) == source;
         before = number_at(&a->last, a->last.n - 4)) {
        uint32_t unit = number_at(&a->record, a->record.n - 4);
        if (a->last.n && same_group(&a->last, &a->record))
            next[before] = unit;
        else
            first = unit;
        next[unit] = first;
        sl_buf_reset(&a->last);
        SL_TRY(sl_buf_add_str(&a->last, sl_buf_str(&a->record), err));
        SL_TRY(next_record(a, err));
    }
    return SL_OK;
}

enum sl_status sl_arrange_groups(struct sl_arrange *a, size_t source, uint64_t n, uint32_t **next,
                                 struct sl_err *err)
{
    *next = NULL;
    if (!a || !a->columns[source].keys)
        return SL_OK;
    *next = malloc((n + 1) * sizeof **next);
    if (!*next)
        return sl_err_nomem(err, n * sizeof **next);
    for (uint64_t i = 0; i < n; i++)
        (*next)[i] = (uint32_t)i;
    enum sl_status st = link_groups(a, source, *next, err);
    if (st != SL_OK) {
        free(*next);
        *next = NULL;
    }
    return st;
}

struct sl_plan_batch sl_arrange_batch(const struct sl_arrange *a, size_t stage)
{
    if (!a || !a->plan->stages[stage].batch_by)
        return (struct sl_plan_batch){ 0 };
    const struct values *v = &a->values[a->which[stage]];
    return (struct sl_plan_batch){ (const uint16_t *const *)v->codes, v->n };
}
