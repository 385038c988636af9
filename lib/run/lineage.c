/* SPDX-License-Identifier: Apache-2.0 */
/* Lineage. Branches are compared without their tallies and counts; a thousand
 * inputs from one array job are then one branch with "count": 1000. */
#include "run/lineage.h"

#include <stdlib.h>

#include "base/hash.h"
#include "io/source.h"

enum { LINEAGE_MAX = 1 << 20 };

void sl_lineage_release(struct sl_lineage *l)
{
    for (int i = 0; i < l->n; i++)
        sl_json_free(l->branches[i]);
    free(l->branches);
    *l = (struct sl_lineage){ 0 };
}

static bool is_number_key(const char *key)
{
    return strcmp(key, "tally") == 0 || strcmp(key, "count") == 0;
}

static bool same_stages(const struct sl_json *a, const struct sl_json *b);

/* The same stage: every key but tally and count is equal in both. */
static bool same_stage(const struct sl_json *a, const struct sl_json *b)
{
    size_t in_a = 0, in_b = 0;
    const struct sl_json *value;
    for (const char *key = NULL; (key = sl_json_after(b, key, &value));)
        in_b += !is_number_key(key);
    for (const char *key = NULL; (key = sl_json_after(a, key, &value));) {
        if (is_number_key(key))
            continue;
        in_a++;
        const struct sl_json *other = sl_json_get(b, key);
        bool same =
            strcmp(key, "inputs") == 0 ? same_stages(value, other) : sl_json_equal(value, other);
        if (!other || !same)
            return false;
    }
    return in_a == in_b;
}

/* Arrays of stages, or of arrays of stages, element by element. */
static bool same_stages(const struct sl_json *a, const struct sl_json *b)
{
    if (sl_json_type(a) != sl_json_type(b) || sl_json_count(a) != sl_json_count(b))
        return false;
    for (size_t i = 0; i < sl_json_count(a); i++) {
        const struct sl_json *x = sl_json_at(a, i), *y = sl_json_at(b, i);
        bool nested = sl_json_type(x) == SL_JSON_ARRAY;
        if (!(nested ? same_stages(x, y) : same_stage(x, y)))
            return false;
    }
    return true;
}

static struct sl_json *sum_values(const struct sl_json *a, const struct sl_json *b);

static struct sl_json *sum_objects(const struct sl_json *a, const struct sl_json *b)
{
    struct sl_json *sum = sl_json_copy(a);
    const struct sl_json *y;
    for (const char *key = NULL; sum && (key = sl_json_after(b, key, &y));) {
        const struct sl_json *x = sl_json_get(a, key);
        struct sl_json *v = x ? sum_values(x, y) : sl_json_copy(y);
        if (sl_json_set(sum, key, v, NULL) != SL_OK) {
            sl_json_free(sum);
            return NULL;
        }
    }
    return sum;
}

static struct sl_json *sum_arrays(const struct sl_json *a, const struct sl_json *b)
{
    struct sl_json *sum = sl_json_new_array();
    size_t n = sl_json_count(a) > sl_json_count(b) ? sl_json_count(a) : sl_json_count(b);
    for (size_t i = 0; sum && i < n; i++) {
        int64_t v = sl_json_int(sl_json_at(a, i)) + sl_json_int(sl_json_at(b, i));
        if (sl_json_push(sum, sl_json_new_int(v), NULL) != SL_OK) {
            sl_json_free(sum);
            return NULL;
        }
    }
    return sum;
}

static struct sl_json *sum_ids(const struct sl_json *a, const struct sl_json *b)
{
    struct sl_hash128 x, y;
    char hex[SL_HASH128_DIGITS];
    if (!sl_hash128_parse(sl_json_str(a), &x) || !sl_hash128_parse(sl_json_str(b), &y))
        return sl_json_copy(a);
    sl_hash128_add(&x, y);
    sl_hash128_hex(x, hex);
    return sl_json_new_str((struct sl_str){ hex, sizeof hex });
}

/* Integers add, id sums add modulo 2^128, histograms add bin by bin. */
static struct sl_json *sum_values(const struct sl_json *a, const struct sl_json *b)
{
    switch (sl_json_type(a)) {
    case SL_JSON_INT:
        return sl_json_new_int(sl_json_int(a) + sl_json_int(b));
    case SL_JSON_STR:
        return sum_ids(a, b);
    case SL_JSON_ARRAY:
        return sum_arrays(a, b);
    case SL_JSON_OBJECT:
        return sum_objects(a, b);
    default:
        return sl_json_copy(a);
    }
}

static int64_t stage_count(const struct sl_json *stage)
{
    const struct sl_json *count = sl_json_get(stage, "count");
    return count ? sl_json_int(count) : 1;
}

static enum sl_status sum_stages(struct sl_json *into, const struct sl_json *from,
                                 struct sl_err *err);

/* Keys keep the documented order: count stands before tally. Numbers of both are
 * below 2^60, so that no sum overflows; what is over that afterwards is refused. */
static enum sl_status sum_stage(struct sl_json *into, const struct sl_json *from,
                                struct sl_err *err)
{
    int64_t count = stage_count(into) + stage_count(from);
    struct sl_json *inputs = sl_json_edit(into, "inputs");
    if (!sl_json_get(into, "tally") || !sl_json_get(from, "tally"))
        return sl_err_set(err, SL_E_DATA, "the lineage has a stage without a tally");
    const struct sl_json *others = sl_json_get(from, "inputs");
    for (size_t i = 0; inputs && i < sl_json_count(inputs); i++)
        SL_TRY(sum_stages((struct sl_json *)sl_json_at(inputs, i), sl_json_at(others, i), err));
    struct sl_json *tally = sum_objects(sl_json_get(into, "tally"), sl_json_get(from, "tally"));
    sl_json_remove(into, "tally");
    sl_json_remove(into, "count");
    enum sl_status st = sl_json_set(into, "count", sl_json_new_int(count), err);
    enum sl_status st2 = sl_json_set(into, "tally", tally, err);
    if (st == SL_OK && st2 == SL_OK)
        st = sl_lineage_check_stage(into, err);
    return st != SL_OK ? st : st2;
}

static enum sl_status sum_stages(struct sl_json *into, const struct sl_json *from,
                                 struct sl_err *err)
{
    for (size_t i = 0; i < sl_json_count(into); i++)
        SL_TRY(sum_stage((struct sl_json *)sl_json_at(into, i), sl_json_at(from, i), err));
    return SL_OK;
}

static enum sl_status push_branch(struct sl_lineage *l, struct sl_json *branch, struct sl_err *err)
{
    if (l->n == l->cap) {
        int cap = l->cap ? l->cap * 2 : 4;
        struct sl_json **p = realloc(l->branches, (size_t)cap * sizeof *p);
        if (!p) {
            sl_json_free(branch);
            return sl_err_nomem(err, (uint64_t)cap * sizeof *p);
        }
        l->branches = p;
        l->cap = cap;
    }
    l->branches[l->n++] = branch;
    return SL_OK;
}

/* Takes the stages, also on failure. */
static enum sl_status add_stages(struct sl_lineage *l, struct sl_json *stages, struct sl_err *err)
{
    for (int i = 0; i < l->n; i++)
        if (same_stages(l->branches[i], stages)) {
            enum sl_status st = sum_stages(l->branches[i], stages, err);
            sl_json_free(stages);
            return st;
        }
    return push_branch(l, stages, err);
}

enum sl_status sl_lineage_add(struct sl_lineage *l, struct sl_str text, struct sl_err *err)
{
    struct sl_json *stages;
    SL_TRY(sl_lineage_parse(&stages, text, err));
    return add_stages(l, stages, err);
}

enum sl_status sl_lineage_join(struct sl_lineage *l, struct sl_lineage *from, struct sl_err *err)
{
    enum sl_status st = SL_OK;
    for (int i = 0; i < from->n && st == SL_OK; i++) {
        st = add_stages(l, from->branches[i], err);
        from->branches[i] = NULL;
    }
    sl_lineage_release(from);
    return st;
}

/* The branches as "inputs" of the entry, which takes copies. */
static enum sl_status attach_inputs(const struct sl_lineage *l, struct sl_json *entry,
                                    struct sl_err *err)
{
    struct sl_json *inputs = sl_json_new_array();
    for (int i = 0; i < l->n; i++) {
        enum sl_status st = sl_json_push(inputs, sl_json_copy(l->branches[i]), err);
        if (st != SL_OK) {
            sl_json_free(inputs);
            return st;
        }
    }
    struct sl_json *tally = sl_json_copy(sl_json_get(entry, "tally"));
    bool had_tally = sl_json_get(entry, "tally") != NULL;
    sl_json_remove(entry, "tally");
    enum sl_status st = sl_json_set(entry, "inputs", inputs, err);
    if (st == SL_OK && had_tally)
        return sl_json_set(entry, "tally", tally, err);
    sl_json_free(tally);
    return st;
}

enum sl_status sl_lineage_dump(const struct sl_lineage *l, struct sl_json *entry,
                               struct sl_buf *out, struct sl_err *err)
{
    struct sl_json *all = l->n == 1 ? sl_json_copy(l->branches[0]) : sl_json_new_array();
    enum sl_status st = SL_OK;
    if (l->n > 1)
        st = attach_inputs(l, entry, err);
    if (st == SL_OK)
        st = sl_json_push(all, entry, err);
    else
        sl_json_free(entry);
    if (st == SL_OK)
        st = sl_json_dump(all, out, err);
    if (st == SL_OK && out->n > LINEAGE_MAX)
        st = sl_err_set(err, SL_E_DATA, "the lineage of %d different inputs is over 1 MiB", l->n);
    sl_json_free(all);
    return st;
}

void sl_lineage_last_tool(struct sl_str text, char name[64])
{
    struct sl_json *stages = NULL;
    name[0] = 0;
    if (sl_json_parse(&stages, text, NULL) != SL_OK)
        return;
    size_t n = sl_json_count(stages);
    struct sl_str tool = sl_json_str(sl_json_get(sl_json_at(stages, n ? n - 1 : 0), "tool"));
    if (tool.n && tool.n < 64) {
        memcpy(name, tool.p, tool.n);
        name[tool.n] = 0;
    }
    sl_json_free(stages);
}

enum sl_status sl_file_digest(const char *path, char hex[32], struct sl_err *err)
{
    struct sl_source *src;
    SL_TRY(sl_source_open(&src, path, SL_SOURCE_PLAIN, err));
    struct sl_hasher *h = sl_hasher_new();
    enum sl_status st = h ? SL_OK : sl_err_nomem(err, 1024);
    if (h)
        sl_hasher_reset128(h);
    for (size_t n = 1; st == SL_OK && n;) {
        const uint8_t *p;
        st = sl_source_peek(src, 1, &p, &n, err);
        if (st != SL_OK)
            break;
        sl_hasher_add128(h, p, n);
        sl_source_consume(src, n);
    }
    if (st == SL_OK)
        sl_hash128_hex(sl_hasher_end128(h), hex);
    sl_hasher_free(h);
    sl_source_free(src);
    return st;
}

static struct sl_json *file_json(const char *path, struct sl_err *err)
{
    char hex[SL_HASH128_DIGITS];
    const char *slash = strrchr(path, '/');
    if (sl_file_digest(path, hex, err) != SL_OK)
        return NULL;
    struct sl_json *o = sl_json_new_object();
    if (sl_json_set(o, "name", sl_json_new_str(sl_str_of(slash ? slash + 1 : path)), err) !=
            SL_OK ||
        sl_json_set(o, "xxh3", sl_json_new_str((struct sl_str){ hex, sizeof hex }), err) != SL_OK) {
        sl_json_free(o);
        return NULL;
    }
    return o;
}

static struct sl_json *value_json(const struct sl_opt *o, const void *p, struct sl_err *err)
{
    uint64_t bits;
    double real;
    if (o->type == SL_OPT_T_BOOL)
        return sl_json_new_bool(*(const bool *)p);
    memcpy(&bits, p, sizeof bits);
    memcpy(&real, p, sizeof real);
    switch (o->type) {
    case SL_OPT_T_UINT:
    case SL_OPT_T_SIZE:
        return sl_json_new_int((int64_t)bits);
    case SL_OPT_T_REAL:
        return sl_json_new_real(real);
    case SL_OPT_T_FILE:
        if (sl_opt_is_builtin(o, *(const char *const *)p))
            return sl_json_new_str(sl_str_of(*(const char *const *)p));
        return file_json(*(const char *const *)p, err);
    default:
        return sl_json_new_str(sl_str_of(*(const char *const *)p));
    }
}

/* A string option that was not given has no effective value and no entry. */
static bool has_entry(const struct sl_opt *o, const void *p)
{
    if (!(o->flags & SL_OPT_RESULT) || o->type == SL_OPT_T_PATH)
        return false;
    bool text = o->type == SL_OPT_T_STR || o->type == SL_OPT_T_FILE || o->type == SL_OPT_T_CHOICE;
    return !text || *(const char *const *)p;
}

static struct sl_json *options_json(const struct sl_opt_group *groups, int n_groups,
                                    struct sl_err *err)
{
    struct sl_json *options = sl_json_new_object();
    for (int i = 0; i < n_groups; i++)
        for (const struct sl_opt *o = groups[i].options; o->type != SL_OPT_T_END; o++) {
            const void *p = (const char *)groups[i].conf + o->offset;
            if (!has_entry(o, p))
                continue;
            if (sl_json_set(options, o->name, value_json(o, p, err), err) != SL_OK) {
                sl_json_free(options);
                return NULL;
            }
        }
    return options;
}

struct sl_json *sl_lineage_entry(const char *tool, const struct sl_opt_group *groups, int n_groups,
                                 struct sl_err *err)
{
    struct sl_json *entry = sl_json_new_object();
    struct sl_json *options = options_json(groups, n_groups, err);
    if (!options) {
        sl_json_free(entry);
        return NULL;
    }
    enum sl_status st = sl_json_set(entry, "tool", sl_json_new_str(sl_str_of(tool)), err);
    if (st == SL_OK)
        st = sl_json_set(entry, "version", sl_json_new_str(sl_str_of(SLUICE_VERSION)), err);
    enum sl_status set = sl_json_set(entry, "options", options, err);
    if (st != SL_OK || set != SL_OK) {
        sl_json_free(entry);
        return NULL;
    }
    return entry;
}
