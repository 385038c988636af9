/* SPDX-License-Identifier: Apache-2.0 */
/* Names are sorted by their bytes, so that a pattern means the same order whatever
 * the locale and the file system. */
#include "order/plan_files.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/source.h"
#include "order/manifest.h"
#include "order/shard_folder.h"

/* ---- the plan itself ---- */

enum { PLAN_MAX_BYTES = 1 << 20 };

static const char random_plan[] = "sources:\n"
                                  "  all: {path: '-'}\n"
                                  "stages:\n"
                                  "  - {name: all, order: shuffle}\n";

enum sl_status sl_plan_open(struct sl_plan *plan, const char *name, struct sl_err *err)
{
    struct sl_buf text;
    struct stat info;
    *plan = (struct sl_plan){ 0 };
    if (!strpbrk(name, "/.")) {
        if (strcmp(name, "random") != 0)
            return sl_err_set(err, SL_E_USAGE,
                              "--plan: '%s' is not built in (there is 'random'), and no file: a "
                              "file's name has a '.' or a '/'",
                              name);
        return sl_plan_read(plan, sl_str_of(random_plan), name, err);
    }
    if (stat(name, &info) == 0 && !S_ISREG(info.st_mode)) /* it is read more than once */
        return sl_err_set(err, SL_E_USAGE, "the plan '%s' is no regular file", name);
    sl_buf_init(&text, PLAN_MAX_BYTES);
    enum sl_status st = sl_file_read(name, &text, err);
    if (st == SL_OK)
        st = sl_plan_read(plan, sl_buf_str(&text), name, err);
    sl_buf_release(&text);
    return st;
}

/* ---- its files ---- */

enum { FILES_MAX = 1 << 24 };

struct finder {
    struct sl_plan_files *files;
    const struct sl_plan *plan;
    struct sl_str folder; /* the plan's, with a slash; "": the current one */
    size_t room;
    uint32_t source;
    struct sl_err *err;
};

static enum sl_status add_file(struct finder *f, const char *path)
{
    struct sl_plan_files *to = f->files;
    if ((size_t)to->n == f->room) {
        size_t room = 2 * f->room + 16;
        const char **paths = realloc(to->paths, room * sizeof *paths);
        if (paths)
            to->paths = paths;
        uint32_t *sources = realloc(to->sources, room * sizeof *sources);
        if (sources)
            to->sources = sources;
        if (!paths || !sources || room > FILES_MAX)
            return sl_err_nomem(f->err, room * sizeof *paths);
        f->room = room;
    }
    const char *copy = sl_arena_str(&to->arena, sl_str_of(path));
    if (!copy)
        return sl_err_nomem(f->err, strlen(path));
    to->paths[to->n] = copy;
    to->sources[to->n++] = f->source;
    return SL_OK;
}

static enum sl_status bad_source(struct finder *f, const char *what, const char *path)
{
    const struct sl_plan_source *s = &f->plan->sources[f->source];
    return sl_err_set(f->err, SL_E_DATA, "%s:%d:%d: source '%s': '%.300s' %s", f->plan->file,
                      s->line, s->column, s->name, path, what);
}

/* The shards of a finished folder, in their order. */
static enum sl_status add_shards(struct finder *f, const char *folder)
{
    struct sl_manifest m;
    struct sl_buf path;
    char name[SL_SHARD_NAME_BYTES];
    sl_manifest_init(&m);
    sl_buf_init(&path, 1 << 16);
    enum sl_status st = sl_buf_addf(&path, f->err, "%s/" SL_MANIFEST_NAME, folder);
    if (st == SL_OK)
        st = sl_buf_add_byte(&path, 0, f->err);
    if (st == SL_OK && access((const char *)path.p, F_OK) != 0)
        st = bad_source(f, "is no finished folder of shards", folder);
    if (st == SL_OK)
        st = sl_manifest_read(&m, (const char *)path.p, f->err);
    for (int64_t k = 0; st == SL_OK && k < m.n_shards; k++) {
        sl_shard_name(k, name);
        sl_buf_reset(&path);
        st = sl_buf_addf(&path, f->err, "%s/%s", folder, name);
        if (st == SL_OK)
            st = sl_buf_add_byte(&path, 0, f->err);
        if (st == SL_OK)
            st = add_file(f, (const char *)path.p);
    }
    sl_manifest_release(&m);
    sl_buf_release(&path);
    return st;
}

static enum sl_status add(struct finder *f, const char *path)
{
    struct stat info;
    bool folder = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    return folder ? add_shards(f, path) : add_file(f, path);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum sl_status add_pattern(struct finder *f, const char *pattern)
{
    const struct sl_plan_source *s = &f->plan->sources[f->source];
    glob_t g;
    enum sl_status st = SL_OK;
    int r = glob(pattern, GLOB_NOSORT | GLOB_ERR, NULL, &g);
    if (r == GLOB_NOSPACE)
        return sl_err_nomem(f->err, 0);
    if (r != 0 || !g.gl_pathc)
        st = sl_err_set(f->err, SL_E_DATA, "%s:%d:%d: source '%s': no file matches '%.300s'",
                        f->plan->file, s->line, s->column, s->name, pattern);
    else
        qsort(g.gl_pathv, g.gl_pathc, sizeof *g.gl_pathv, by_name);
    for (size_t i = 0; st == SL_OK && i < g.gl_pathc; i++)
        st = add(f, g.gl_pathv[i]);
    globfree(&g);
    return st;
}

static enum sl_status add_path(struct finder *f, const char *path)
{
    struct sl_buf full;
    sl_buf_init(&full, 1 << 16);
    enum sl_status st = SL_OK;
    if (*path != '/')
        st = sl_buf_add_str(&full, f->folder, f->err);
    if (st == SL_OK)
        st = sl_buf_add(&full, path, strlen(path) + 1, f->err);
    const char *name = (const char *)full.p;
    if (st == SL_OK)
        st = strpbrk(path, "*?[") ? add_pattern(f, name) : add(f, name);
    sl_buf_release(&full);
    return st;
}

enum sl_status sl_plan_files(struct sl_plan_files *files, const struct sl_plan *plan,
                             const char *const *dash, int n_dash, struct sl_err *err)
{
    struct finder f = { .files = files, .plan = plan, .err = err };
    const char *slash = strrchr(plan->file, '/');
    int n_dashes = 0;
    f.folder = (struct sl_str){ plan->file, slash ? (size_t)(slash - plan->file) + 1 : 0 };
    *files = (struct sl_plan_files){ 0 };
    sl_arena_init(&files->arena, 0);
    for (; f.source < plan->n_sources; f.source++) {
        const struct sl_plan_source *s = &plan->sources[f.source];
        for (size_t i = 0; i < s->n_paths; i++) {
            bool is_dash = strcmp(s->paths[i], "-") == 0;
            n_dashes += is_dash;
            if (n_dashes > 1)
                return sl_err_set(err, SL_E_DATA, "%s:%d:%d: '-' is read twice", plan->file,
                                  s->line, s->column);
            for (int k = 0; is_dash && k < n_dash; k++)
                SL_TRY(add(&f, dash[k]));
            if (!is_dash)
                SL_TRY(add_path(&f, s->paths[i]));
            else if (!n_dash)
                SL_TRY(add(&f, "-"));
        }
    }
    if (n_dash && !n_dashes)
        return sl_err_set(err, SL_E_USAGE, "'%s': no source of the plan has the path '-'", dash[0]);
    return SL_OK;
}

void sl_plan_files_release(struct sl_plan_files *files)
{
    sl_arena_release(&files->arena);
    free(files->paths);
    free(files->sources);
}

void sl_plan_files_blame(const struct sl_plan_files *files, const struct sl_plan *plan, int file,
                         struct sl_err *err)
{
    if (file >= files->n)
        return;
    const struct sl_plan_source *source = &plan->sources[files->sources[file]];
    size_t n = strlen(err->msg);
    snprintf(err->msg + n, sizeof err->msg - n, "; it is of source '%s', %s:%d:%d", source->name,
             plan->file, source->line, source->column);
}
