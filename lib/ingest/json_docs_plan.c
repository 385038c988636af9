/* SPDX-License-Identifier: Apache-2.0 */
/* From the options to columns and the table of fields. The schema is made first:
 * the columns of documents in their order, each left out where --columns has one
 * of its name, then those of --columns. Then every column that a field fills gets
 * a slot, under the field's name: its own or the one that --map gives. */
#include "ingest/json_docs_plan.h"

#include <stdlib.h>

#include "base/utf8.h"

enum { MAP_MAX = 256 };

struct pair {
    struct sl_str column, field;
    bool used;
};

struct maker {
    struct sl_json_plan *plan;
    const struct sl_json_docs_options *options;
    struct sl_schema typed; /* those of --columns */
    struct pair map[MAP_MAX];
    int n_map;
};

static const struct {
    const char *name, *type;
    enum sl_json_role role; /* N_ROLES: no field fills it alone */
} own[] = {
    { "id", "fixed_size_binary[16]", SL_JSON_ROLE_ID },
    { "source_id", "utf8?", SL_JSON_ROLE_SOURCE_ID },
    { "url", "utf8?", SL_JSON_ROLE_URL },
    { "date", "timestamp[us,UTC]?", SL_JSON_ROLE_DATE },
    { "text", "large_utf8", SL_JSON_ROLE_TEXT },
    { "html", "large_binary", SL_JSON_ROLE_HTML },
    { "source", "utf8", SL_JSON_ROLE_SOURCE },
    { "offset", "uint64", SL_JSON_N_ROLES },
    { "json", "utf8?", SL_JSON_N_ROLES },
};

enum { N_OWN = sizeof own / sizeof *own };

/* ---- --map ---- */

static struct pair *mapped(struct maker *m, const char *column)
{
    for (int i = 0; i < m->n_map; i++)
        if (sl_str_eq(m->map[i].column, sl_str_of(column)))
            return &m->map[i];
    return NULL;
}

static enum sl_status add_pair(struct maker *m, struct sl_str item, struct sl_err *err)
{
    size_t equals = sl_str_find(item, 0, '=');
    if (equals == 0 || equals + 1 >= item.n)
        return sl_err_set(err, SL_E_USAGE, "--map: '%.*s' is not COLUMN=FIELD", (int)item.n,
                          item.p);
    if (m->n_map == MAP_MAX)
        return sl_err_set(err, SL_E_USAGE, "--map: more than %d fields", MAP_MAX);
    struct pair p = { { item.p, equals }, { item.p + equals + 1, item.n - equals - 1 }, false };
    for (int i = 0; i < m->n_map; i++)
        if (sl_str_eq(m->map[i].column, p.column))
            return sl_err_set(err, SL_E_USAGE, "--map: '%.*s' stands twice", (int)p.column.n,
                              p.column.p);
    if (!sl_utf8_valid(item.p, item.n) || p.field.n > SL_MAX_NAME_BYTES)
        return sl_err_set(err, SL_E_USAGE, "--map: a field's name is UTF-8 of at most %d bytes",
                          SL_MAX_NAME_BYTES);
    m->map[m->n_map++] = p;
    return SL_OK;
}

static enum sl_status parse_map(struct maker *m, const char *text, struct sl_err *err)
{
    struct sl_str s = sl_str_of(text);
    for (size_t from = 0; text && from <= s.n;) {
        size_t to = sl_str_find(s, from, ',');
        SL_TRY(add_pair(m, (struct sl_str){ s.p + from, to - from }, err));
        from = to + 1;
    }
    return SL_OK;
}

/* ---- --columns ---- */

/* Where the item that begins at from ends: at a comma outside of brackets. */
static size_t item_end(struct sl_str s, size_t from)
{
    int depth = 0;
    size_t i = from;
    for (; i < s.n && (depth > 0 || s.p[i] != ','); i++)
        depth += (s.p[i] == '<' || s.p[i] == '[') - (s.p[i] == '>' || s.p[i] == ']');
    return i;
}

static enum sl_status add_typed(struct maker *m, struct sl_str item, struct sl_err *err)
{
    char name[SL_MAX_NAME_BYTES + 1], type[1024];
    item = sl_str_trim(item);
    size_t blank = sl_str_find(item, 0, ' ');
    struct sl_str after = { item.p + blank, item.n - blank };
    after = sl_str_trim(after);
    if (!blank || !after.n || blank >= sizeof name || after.n >= sizeof type)
        return sl_err_set(err, SL_E_USAGE, "--columns: '%.*s' is not NAME TYPE",
                          (int)(item.n < 200 ? item.n : 200), item.p);
    memcpy(name, item.p, blank);
    memcpy(type, after.p, after.n);
    name[blank] = 0;
    type[after.n] = 0;
    bool html = strcmp(name, "html") == 0 && strcmp(type, "large_binary") != 0;
    if (strcmp(name, "id") == 0 || strcmp(name, "text") == 0 || html)
        return sl_err_set(err, SL_E_USAGE, "--columns: '%s' has a type of its own%s", name,
                          html ? ", large_binary" : "");
    struct sl_err why = SL_ERR_INIT;
    if (sl_schema_add_text(&m->typed, name, type, &why) == SL_OK)
        return SL_OK;
    return sl_err_set(err, why.status == SL_E_SYSTEM ? SL_E_SYSTEM : SL_E_USAGE,
                      "--columns: '%s': %s", name, why.msg);
}

static enum sl_status parse_columns(struct maker *m, const char *text, struct sl_err *err)
{
    struct sl_str s = sl_str_of(text);
    for (size_t from = 0; text && from <= s.n;) {
        size_t to = item_end(s, from);
        SL_TRY(add_typed(m, (struct sl_str){ s.p + from, to - from }, err));
        from = to + 1;
    }
    if (m->options->keep_json && sl_schema_find(&m->typed, "json") >= 0)
        return sl_err_set(err, SL_E_USAGE, "--columns has a column 'json': --no-json makes room");
    return SL_OK;
}

/* ---- the schema ---- */

static bool stands(struct maker *m, int i)
{
    bool base64 = sl_schema_find(&m->typed, "html") >= 0;
    bool html = base64 || mapped(m, "html");
    if (own[i].role == SL_JSON_ROLE_HTML)
        return html && !base64;
    if (own[i].role == SL_JSON_ROLE_TEXT)
        return !html || mapped(m, "text");
    if (strcmp(own[i].name, "json") == 0)
        return m->options->keep_json;
    return sl_schema_find(&m->typed, own[i].name) < 0;
}

static enum sl_status make_schema(struct maker *m, struct sl_err *err)
{
    struct sl_schema *s = &m->plan->schema;
    for (int i = 0; i < N_OWN; i++)
        if (stands(m, i))
            SL_TRY(sl_schema_add_text(s, own[i].name, own[i].type, err));
    for (uint32_t i = 0; i < m->typed.n_fields; i++)
        SL_TRY(sl_schema_add(s, m->typed.fields[i], err));
    return SL_OK;
}

/* The column, where it is not one of --columns. */
static int own_column(const struct maker *m, const char *name)
{
    return sl_schema_find(&m->typed, name) < 0 ? sl_schema_find(&m->plan->schema, name) : -1;
}

/* ---- slots ---- */

static enum sl_status add_slot(struct maker *m, enum sl_json_role role, int column,
                               struct sl_err *err)
{
    struct sl_json_plan *p = m->plan;
    const char *name = p->schema.fields[column]->name;
    struct pair *pair = mapped(m, name);
    struct sl_str field = pair ? pair->field : sl_str_of(name);
    const char *copy = sl_arena_str(&p->schema.arena, field);
    if (!copy)
        return sl_err_nomem(err, field.n);
    if (pair)
        pair->used = true;
    p->slots[p->n_slots++] = (struct sl_json_slot){ { copy, field.n }, role, column };
    return SL_OK;
}

static int by_field(const void *a, const void *b)
{
    const struct sl_json_slot *x = a, *y = b;
    return sl_str_cmp(x->field, y->field);
}

static enum sl_status add_slots(struct maker *m, struct sl_err *err)
{
    struct sl_json_plan *p = m->plan;
    for (int i = 0; i < N_OWN; i++) {
        int column = own_column(m, own[i].name);
        bool hex_only = own[i].role == SL_JSON_ROLE_SOURCE_ID;
        if (column < 0 || own[i].role == SL_JSON_N_ROLES || (hex_only && !m->options->id_hex))
            continue;
        SL_TRY(add_slot(m, own[i].role, column, err));
    }
    for (uint32_t i = 0; i < m->typed.n_fields; i++)
        SL_TRY(add_slot(m, SL_JSON_ROLE_TYPED, sl_schema_find(&p->schema, m->typed.fields[i]->name),
                        err));
    for (int i = 0; i < m->n_map; i++)
        if (!m->map[i].used)
            return sl_err_set(err, SL_E_USAGE, "--map: no field fills a column '%.*s'",
                              (int)m->map[i].column.n, m->map[i].column.p);
    return SL_OK;
}

static enum sl_status sort_slots(struct sl_json_plan *p, struct sl_err *err)
{
    qsort(p->slots, (size_t)p->n_slots, sizeof *p->slots, by_field);
    for (int i = 1; i < p->n_slots; i++)
        if (by_field(&p->slots[i - 1], &p->slots[i]) == 0)
            return sl_err_set(err, SL_E_USAGE, "field '%s' is to fill two columns",
                              p->slots[i].field.p);
    for (int r = 0; r < SL_JSON_N_ROLES; r++)
        p->role_slot[r] = -1;
    for (int i = 0; i < p->n_slots; i++) {
        p->role_slot[p->slots[i].role] = i;
        p->lengths |= (uint64_t)1 << (p->slots[i].field.n % 64);
    }
    return SL_OK;
}

static enum sl_status make(struct maker *m, struct sl_err *err)
{
    struct sl_json_plan *p = m->plan;
    SL_TRY(parse_map(m, m->options->map, err));
    SL_TRY(parse_columns(m, m->options->columns, err));
    SL_TRY(make_schema(m, err));
    p->slots = calloc(p->schema.n_fields + 1, sizeof *p->slots);
    if (!p->slots)
        return sl_err_nomem(err, p->schema.n_fields * sizeof *p->slots);
    SL_TRY(add_slots(m, err));
    SL_TRY(sort_slots(p, err));
    p->id = own_column(m, "id");
    p->source_id = own_column(m, "source_id");
    p->source = own_column(m, "source");
    p->offset = own_column(m, "offset");
    p->json = own_column(m, "json");
    return SL_OK;
}

enum sl_status sl_json_plan_make(struct sl_json_plan *p, const struct sl_json_docs_options *options,
                                 struct sl_err *err)
{
    *p = (struct sl_json_plan){ .n_slots = 0 };
    sl_schema_init(&p->schema);
    struct maker *m = calloc(1, sizeof *m);
    if (!m)
        return sl_err_nomem(err, sizeof *m);
    m->plan = p;
    m->options = options;
    sl_schema_init(&m->typed);
    enum sl_status st = make(m, err);
    sl_schema_release(&m->typed);
    free(m);
    return st;
}

void sl_json_plan_release(struct sl_json_plan *p)
{
    free(p->slots);
    sl_schema_release(&p->schema);
    *p = (struct sl_json_plan){ .n_slots = 0 };
}

int sl_json_plan_find(const struct sl_json_plan *p, struct sl_str field)
{
    int low = 0, high = p->n_slots;
    if (!(p->lengths >> (field.n % 64) & 1))
        return -1;
    while (low < high) {
        int middle = low + (high - low) / 2;
        int order = sl_str_cmp(p->slots[middle].field, field);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}
