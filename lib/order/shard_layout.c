/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical form leaves no choice about where a buffer lies: each begins at
 * the next multiple of 64 behind the one before. So the offsets follow from the
 * sizes alone, and the writer of a manifest and its checker compute them by the
 * same walk. The file keeps -1 for an empty buffer, since an offset at which
 * nothing stands invites reading there. */
#include "order/shard_layout.h"

#include <string.h>

#include "base/num.h"

static uint32_t count_field(const struct sl_field *f)
{
    uint32_t n = 1U + sl_type_has_offsets(f->type) + (f->n_children == 0);
    for (uint32_t i = 0; i < f->n_children; i++)
        n += count_field(&f->children[i]);
    return n;
}

uint32_t sl_layout_count(const struct sl_schema *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n_fields; i++)
        n += count_field(s->fields[i]);
    return n;
}

struct names {
    struct sl_arena *arena;
    const char **at; /* the next name */
    struct sl_buf path;
    struct sl_err *err;
};

static enum sl_status add_name(struct names *k, const char *buffer)
{
    size_t n = k->path.n;
    SL_TRY(sl_buf_addf(&k->path, k->err, ".%s", buffer));
    char *copy = sl_arena_str(k->arena, sl_buf_str(&k->path));
    k->path.n = n;
    if (!copy)
        return sl_err_nomem(k->err, n);
    *k->at++ = copy;
    return SL_OK;
}

static enum sl_status add_field(struct names *k, const struct sl_field *f)
{
    size_t n = k->path.n;
    SL_TRY(sl_buf_addf(&k->path, k->err, n ? ".%s" : "%s", f->name));
    SL_TRY(add_name(k, "validity"));
    if (sl_type_has_offsets(f->type))
        SL_TRY(add_name(k, "offsets"));
    if (f->n_children == 0)
        SL_TRY(add_name(k, "values"));
    for (uint32_t i = 0; i < f->n_children; i++)
        SL_TRY(add_field(k, &f->children[i]));
    k->path.n = n;
    return SL_OK;
}

enum sl_status sl_layout_names(const struct sl_schema *s, struct sl_arena *arena,
                               const char *const **names, uint32_t *n_names, struct sl_err *err)
{
    uint32_t n = sl_layout_count(s);
    const char **all = sl_arena_zeros(arena, n + 1, sizeof *all);
    struct names k = { .arena = arena, .at = all, .err = err };
    if (!all)
        return sl_err_nomem(err, n * sizeof *all);
    sl_buf_init(&k.path, (SL_MAX_DEPTH + 2) * (SL_MAX_NAME_BYTES + 1));
    enum sl_status st = SL_OK;
    for (uint32_t i = 0; st == SL_OK && i < s->n_fields; i++)
        st = add_field(&k, s->fields[i]);
    sl_buf_release(&k.path);
    *names = all;
    *n_names = n;
    return st;
}

struct walk {
    int64_t off;
    int64_t *out;
};

static void place(struct walk *w, int64_t bytes)
{
    *w->out++ = bytes ? w->off : -1;
    w->off += (int64_t)sl_round64((uint64_t)bytes);
}

static void place_column(struct walk *w, const struct sl_column *c)
{
    const struct sl_field *f = c->field;
    place(w, c->n_nulls ? (c->n + 7) / 8 : 0);
    if (sl_type_has_offsets(f->type))
        place(w, (c->n + 1) * (sl_type_is_large(f->type) ? 8 : 4));
    if (f->n_children == 0)
        place(w, c->data_bytes);
    for (uint32_t i = 0; i < f->n_children; i++)
        place_column(w, &c->children[i]);
}

int64_t sl_layout_offsets(const struct sl_batch *b, int64_t body_off, int64_t *out)
{
    struct walk w = { body_off, out };
    for (uint32_t i = 0; i < b->schema->n_fields; i++)
        place_column(&w, &b->columns[i]);
    return w.off - body_off;
}
