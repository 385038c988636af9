/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: which filters, with which parameters, in which order.
 *
 * `filters` is a mapping from filter to parameters, and its order in the file is
 * the order in which they are tried. A list of filters was rejected: it would
 * allow one filter twice, whose values would fight for the same columns. */
#include <stdlib.h>

#include "text/filter.h"

/* What the YAML of a profile fills. */
struct text {
    const char *name;
    struct sl_yaml_picked filters;
};

/* The profile as it is handed out, and what it is made of. */
struct whole {
    struct sl_profile profile; /* first: it is what callers hold */
    struct sl_arena arena;
    struct text text;
    struct sl_yaml_key *keys;
};

enum { NAME_MAX_BYTES = 100 };

static enum sl_status make_keys(struct whole *w, const struct sl_filter *const *filters,
                                struct sl_err *err)
{
    size_t n = 0;
    while (filters[n])
        n++;
    struct sl_yaml_pick *picks = sl_arena_zeros(&w->arena, n + 1, sizeof *picks);
    w->keys = sl_arena_zeros(&w->arena, 3, sizeof *w->keys);
    if (!picks || !w->keys)
        return sl_err_nomem(err, (n + 1) * sizeof *picks);
    for (size_t i = 0; i < n; i++)
        picks[i] =
            (struct sl_yaml_pick){ filters[i]->name, filters[i]->params, filters[i]->params_size };
    w->keys[0] = (struct sl_yaml_key){ .key = "name",
                                       .type = SL_YAML_STR,
                                       .offset = offsetof(struct text, name),
                                       .min = 1,
                                       .max = NAME_MAX_BYTES,
                                       .flags = SL_YAML_REQUIRED };
    w->keys[1] = (struct sl_yaml_key){ .key = "filters",
                                       .type = SL_YAML_PICKS,
                                       .offset = offsetof(struct text, filters),
                                       .flags = SL_YAML_REQUIRED,
                                       .picks = picks };
    return SL_OK;
}

/* A filter does not know where its parameters stand; its name is added here. */
static enum sl_status prepare_use(struct whole *w, struct sl_filter_use *u, const char *where,
                                  struct sl_err *err)
{
    struct sl_err inner = SL_ERR_INIT;
    if (!u->filter->prepare)
        return SL_OK;
    enum sl_status st = u->filter->prepare(u->params, &w->arena, &u->plan, &inner);
    if (st == SL_E_DATA)
        return sl_err_set(err, st, "%s: %s: %s", where, u->filter->name, inner.msg);
    sl_err_keep(err, &inner);
    return st;
}

static enum sl_status prepare(struct whole *w, const struct sl_filter *const *filters,
                              const char *where, struct sl_err *err)
{
    const struct sl_yaml_picked *picked = &w->text.filters;
    w->profile.name = w->text.name;
    w->profile.n = picked->n;
    w->profile.uses = sl_arena_zeros(&w->arena, picked->n + 1, sizeof *w->profile.uses);
    if (!w->profile.uses)
        return sl_err_nomem(err, picked->n * sizeof *w->profile.uses);
    for (size_t i = 0; i < picked->n; i++) {
        struct sl_filter_use *u = &w->profile.uses[i];
        u->filter = filters[picked->picks[i]];
        u->params = u->plan = picked->confs[i];
        SL_TRY(prepare_use(w, u, where, err));
    }
    return SL_OK;
}

static enum sl_status read_whole(struct whole *w, struct sl_str yaml, const char *where,
                                 const struct sl_filter *const *filters, struct sl_err *err)
{
    SL_TRY(make_keys(w, filters, err));
    SL_TRY(sl_yaml_read(yaml, where, w->keys, &w->text, &w->arena, err));
    if (!w->text.filters.n)
        return sl_err_set(err, SL_E_DATA, "%s: the profile has no filter", where);
    return prepare(w, filters, where, err);
}

enum sl_status sl_profile_read(struct sl_profile **out, struct sl_str yaml, const char *where,
                               const struct sl_filter *const *filters, struct sl_err *err)
{
    struct whole *w = calloc(1, sizeof *w);
    *out = NULL;
    if (!w)
        return sl_err_nomem(err, sizeof *w);
    sl_arena_init(&w->arena, 0);
    enum sl_status st = read_whole(w, yaml, where, filters, err);
    if (st == SL_OK)
        *out = &w->profile;
    else
        sl_profile_free(&w->profile);
    return st;
}

void sl_profile_free(struct sl_profile *p)
{
    struct whole *w = (struct whole *)p;
    if (!w)
        return;
    sl_arena_release(&w->arena);
    free(w);
}

enum sl_status sl_profile_write(const struct sl_profile *p, struct sl_buf *out, struct sl_err *err)
{
    const struct whole *w = (const struct whole *)p;
    return sl_yaml_write(w->keys, &w->text, out, err);
}

static struct sl_json *use_json(const struct sl_filter_use *u)
{
    struct sl_json *o = sl_json_new_object();
    struct sl_json *version = sl_json_new_str(sl_str_of(u->filter->version));
    if (o && sl_json_set(o, "version", version, NULL) == SL_OK &&
        sl_json_set(o, "params", sl_json_new_object(), NULL) == SL_OK &&
        sl_yaml_json(u->filter->params, u->params, sl_json_edit(o, "params"), NULL) == SL_OK)
        return o;
    sl_json_free(o);
    return NULL;
}

enum sl_status sl_profile_json(const struct sl_profile *p, struct sl_json *object,
                               struct sl_err *err)
{
    SL_TRY(sl_json_set(object, "profile", sl_json_new_str(sl_str_of(p->name)), err));
    SL_TRY(sl_json_set(object, "filters", sl_json_new_object(), err));
    struct sl_json *filters = sl_json_edit(object, "filters");
    for (size_t i = 0; i < p->n; i++)
        SL_TRY(sl_json_set(filters, p->uses[i].filter->name, use_json(&p->uses[i]), err));
    return SL_OK;
}

const char *sl_profile_builtin(const struct sl_profile_text *texts, const char *name)
{
    for (; texts->name; texts++)
        if (sl_str_eq(sl_str_of(texts->name), sl_str_of(name)))
            return texts->yaml;
    return NULL;
}
