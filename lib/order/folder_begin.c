/* SPDX-License-Identifier: Apache-2.0 */
/* What a folder holds decides who may write into it: nothing, or the rest of
 * the same run; everything else needs force. Shards and exports share it.
 *
 * Invariant: while any file differs from what a manifest says, there is no
 * manifest. It is removed first and named last, with a sync of the folder
 * between it and the names of the files both times. */
#include "order/folder_begin.h"

#include <string.h>

/* What a folder holds, by what it means here. */
struct contents {
    bool manifest, begun, begun_same;
    const char *other; /* the first name that no such run gives */
    bool any;
};

static enum sl_status read_begun(struct sl_folder *f, struct sl_str begun, bool *same,
                                 struct sl_err *err)
{
    struct sl_buf old;
    sl_buf_init(&old, begun.n + 1);
    enum sl_status st = sl_folder_read(f, SL_BEGUN_NAME, &old, err);
    *same = st == SL_OK && sl_str_eq(sl_buf_str(&old), begun);
    sl_buf_release(&old);
    if (st != SL_E_DATA)
        return st;
    sl_err_reset(err); /* longer than ours: another one */
    return SL_OK;
}

static struct contents look(const struct sl_folder_start *s, const char *const *names, size_t n)
{
    struct contents found = { 0 }, *c = &found;
    for (size_t i = 0; i < n; i++) {
        if (sl_folder_is_temp(names[i]))
            continue;
        c->any = true;
        if (strcmp(names[i], SL_MANIFEST_NAME) == 0)
            c->manifest = true;
        else if (strcmp(names[i], SL_BEGUN_NAME) == 0)
            c->begun = true;
        else if (!c->other && !s->is_made(names[i], s->ctx))
            c->other = names[i];
    }
    return found;
}

/* Fresh, or the rest of the same run; everything else needs force. */
static enum sl_status check_contents(const char *dir, const char *what, const struct contents *c,
                                     struct sl_err *err)
{
    if (!c->any || (c->begun_same && !c->other))
        return SL_OK;
    if (c->other)
        return sl_err_set(err, SL_E_USAGE,
                          "the folder '%s' holds '%s'; -f writes into it all the same", dir,
                          c->other);
    if (c->begun)
        return sl_err_set(err, SL_E_USAGE,
                          "the folder '%s' holds an unfinished run of other input or options "
                          "(" SL_BEGUN_NAME "); -f replaces it",
                          dir);
    if (c->manifest)
        return sl_err_set(err, SL_E_USAGE,
                          "the folder '%s' holds finished %s (" SL_MANIFEST_NAME
                          "); -f replaces them",
                          dir, what);
    return sl_err_set(err, SL_E_USAGE, "the folder '%s' holds %s of no known run; -f replaces them",
                      dir, what);
}

static enum sl_status write_begun(struct sl_folder *f, struct sl_str begun, struct sl_err *err)
{
    struct sl_sink *to = NULL;
    const char *path = sl_folder_path(f, SL_BEGUN_NAME);
    if (!path)
        return sl_err_nomem(err, 0);
    SL_TRY(sl_sink_open(&to, path, true, err));
    enum sl_status st = sl_sink_write(to, begun.p, begun.n, err);
    if (st == SL_OK)
        st = sl_sink_commit(to, err);
    sl_sink_free(to);
    return st;
}

/* The manifest goes before anything else changes, and for good. */
static enum sl_status clear(struct sl_folder *f, const char *const *names, size_t n,
                            struct sl_err *err)
{
    SL_TRY(sl_folder_remove(f, SL_MANIFEST_NAME, err));
    SL_TRY(sl_folder_sync(f, err));
    for (size_t i = 0; i < n; i++)
        if (sl_folder_is_temp(names[i]))
            SL_TRY(sl_folder_remove(f, names[i], err));
    return SL_OK;
}

static enum sl_status begin(struct sl_folder *f, const struct sl_folder_start *start,
                            struct sl_arena *arena, struct sl_err *err)
{
    const char *const *names;
    size_t n;
    SL_TRY(sl_folder_list(f, arena, &names, &n, err));
    struct contents c = look(start, names, n);
    if (c.begun)
        SL_TRY(read_begun(f, start->begun, &c.begun_same, err));
    if (!start->force)
        SL_TRY(check_contents(f->dir, start->what, &c, err));
    SL_TRY(clear(f, names, n, err));
    if (!c.begun_same)
        SL_TRY(write_begun(f, start->begun, err));
    return sl_folder_sync(f, err);
}

enum sl_status sl_folder_begin(struct sl_folder *f, const struct sl_folder_start *start,
                               struct sl_err *err)
{
    struct sl_arena arena;
    sl_arena_init(&arena, 0);
    enum sl_status st = begin(f, start, &arena, err);
    sl_arena_release(&arena);
    return st;
}

enum sl_status sl_folder_finish(struct sl_folder *f,
                                enum sl_status (*write)(const void *ctx, struct sl_sink *to,
                                                        struct sl_err *err),
                                const void *ctx, struct sl_err *err)
{
    struct sl_sink *to = NULL;
    SL_TRY(sl_folder_sync(f, err));
    const char *path = sl_folder_path(f, SL_MANIFEST_NAME);
    if (!path)
        return sl_err_nomem(err, 0);
    SL_TRY(sl_sink_open(&to, path, true, err));
    enum sl_status st = write(ctx, to, err);
    if (st == SL_OK)
        st = sl_sink_commit(to, err);
    sl_sink_free(to);
    SL_TRY(st);
    SL_TRY(sl_folder_sync(f, err));
    SL_TRY(sl_folder_remove(f, SL_BEGUN_NAME, err));
    return sl_folder_sync(f, err);
}
