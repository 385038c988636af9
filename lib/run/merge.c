/* SPDX-License-Identifier: Apache-2.0 */
/* The merge flow: every input open at once. Each is a struct sl_inputs of one or
 * more files, so that hashes, trailers, digests and upstream errors are handled as
 * everywhere; the first is the run's own, since its schema and lineage are
 * those that the output is made from. The inputs are taken batch by batch
 * through the run, which counts them: a merge that forgets one breaks the
 * conservation law.
 *
 * An input has one file open at a time, so there can be as many as a process may have
 * open files; the soft limit is raised as far as it goes before they are opened. The
 * schemas of files that are opened later are looked at here too: what does not fit must
 * be told before anything is written. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "run/run_private.h"

enum { OTHER_FILES = 64 }; /* outputs, temporary files, what the process was started with */

static void keep_upstream(struct sl_run *run, const struct sl_inputs *in)
{
    run->in.upstream = in->upstream;
    run->in.upstream_near = in->upstream_near;
}

struct sl_inputs *sl_merge_input(struct sl_run *run, int i)
{
    return i ? &run->others[i - 1] : &run->in;
}

static int count_inputs(const struct sl_run *run)
{
    return run->merge_sizes ? run->n_merge : run->n_inputs;
}

static int n_files(const struct sl_run *run, int i)
{
    return run->merge_sizes ? run->merge_sizes[i] : 1;
}

int sl_merge_first(const struct sl_run *run)
{
    return run->n_inputs ? n_files(run, 0) : 0;
}

enum sl_status sl_run_set_merge(struct sl_run *run, const int *sizes, int n, struct sl_err *err)
{
    int *copy = malloc(((size_t)n + 1) * sizeof *copy);
    if (!copy)
        return sl_err_nomem(err, (uint64_t)n * sizeof *copy);
    memcpy(copy, sizes, (size_t)n * sizeof *copy);
    free(run->merge_sizes);
    run->merge_sizes = copy;
    run->n_merge = n;
    return SL_OK;
}

static enum sl_status allow_files(int n, struct sl_err *err)
{
    struct rlimit limit;
    rlim_t need = (rlim_t)n + OTHER_FILES;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need)
        return SL_OK;
    limit.rlim_cur = limit.rlim_max < need ? limit.rlim_max : need;
    if (limit.rlim_cur < need)
        return sl_err_set(err, SL_E_SYSTEM,
                          "%d inputs are open at once, and a process may have no more than %llu "
                          "files open here (ulimit -Hn): join some by sluice-cat",
                          n, (unsigned long long)limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return sl_err_sys(err, errno, "cannot open %d files at once", n);
    return SL_OK;
}

/* The schema of a file that is opened later. A pipe can be opened only once. */
static enum sl_status check_later(struct sl_run *run, const char *path, struct sl_err *err)
{
    struct sl_source *source = NULL;
    struct sl_reader *reader = NULL;
    struct stat st_file;
    if (strcmp(path, "-") == 0 || (stat(path, &st_file) == 0 && !S_ISREG(st_file.st_mode)))
        return SL_OK;
    enum sl_status st = sl_source_open(&source, path, SL_SOURCE_AUTO, err);
    if (st == SL_OK)
        st = sl_reader_open(&reader, source, SL_READ_STRICT, err);
    /* one without columns tells of its error when it is read */
    if (st == SL_OK && sl_reader_schema(reader)->n_fields)
        st = sl_inputs_check_joins(&run->in, sl_reader_schema(reader), path, err);
    sl_reader_free(reader);
    sl_source_free(source);
    return st;
}

static enum sl_status open_other(struct sl_run *run, int i, const char *const *paths,
                                 struct sl_err *err)
{
    struct sl_inputs *in = &run->others[i];
    enum sl_status st =
        sl_inputs_open(in, paths, n_files(run, i + 1), run->tool->checks_input, err);
    run->n_others = i + 1;
    if (st == SL_E_UPSTREAM)
        keep_upstream(run, in);
    SL_TRY(st);
    return sl_inputs_check_joins(&run->in, &in->schema, *paths, err);
}

enum sl_status sl_merge_open(struct sl_run *run, struct sl_err *err)
{
    int n = count_inputs(run) - 1, at = sl_merge_first(run);
    if (run->n_inputs < 1)
        return SL_OK;
    SL_TRY(allow_files(n + 1, err));
    run->others = calloc((size_t)n + 1, sizeof *run->others);
    if (!run->others)
        return sl_err_nomem(err, (uint64_t)n * sizeof *run->others);
    for (int i = 0; i < n; i++) {
        SL_TRY(open_other(run, i, run->inputs + at, err));
        at += n_files(run, i + 1);
    }
    for (int i = 0, k = 0; i <= n; k += n_files(run, i++))
        for (int later = 1; later < n_files(run, i); later++)
            SL_TRY(check_later(run, run->inputs[k + later], err));
    return SL_OK;
}

enum sl_status sl_run_merge_next(struct sl_run *run, int i, struct sl_batch *batch,
                                 struct sl_err *err)
{
    struct sl_inputs *in = sl_merge_input(run, i);
    if (run->opt.flush) /* the call may wait */
        SL_TRY(sl_run_cut(run, err));
    if (sl_replay_is_on(run, i))
        return sl_replay_next(run, i, batch, err);
    enum sl_status st = sl_inputs_next(in, batch, err);
    if (st == SL_E_UPSTREAM)
        keep_upstream(run, in);
    SL_TRY(st);
    sl_inputs_rebind(batch, &run->in.schema);
    sl_port_add(&run->tally.in, sl_batch_column(batch, "id"), batch->n_rows);
    run->bytes_in += (int64_t)batch->body.n;
    sl_progress_tick(run);
    return sl_replay_add(run, i, batch, err);
}

enum sl_status sl_run_merge_keep(struct sl_run *run, int i, struct sl_err *err)
{
    return sl_replay_keep(run, i, err);
}

enum sl_status sl_run_merge_again(struct sl_run *run, int i, struct sl_err *err)
{
    const struct sl_inputs *in = sl_merge_input(run, i);
    if (in->at < in->n_paths)
        return sl_err_set(err, SL_E_BUG, "input %d begins again before its end", i + 1);
    return sl_replay_again(run, i, err);
}

static enum sl_status end_input(struct sl_run *run, struct sl_inputs *in, struct sl_err *err)
{
    if (in->at < in->n_paths)
        return sl_err_set(err, SL_E_BUG, "the merge did not read '%s' to its end", in->paths[0]);
    return in == &run->in ? SL_OK : sl_lineage_join(&run->in.lineage, &in->lineage, err);
}

enum sl_status sl_run_merge(struct sl_run *run, struct sl_err *err)
{
    SL_TRY(run->tool->merge(run, run->n_others + 1, err));
    SL_TRY(end_input(run, &run->in, err));
    for (int i = 0; i < run->n_others; i++)
        SL_TRY(end_input(run, &run->others[i], err));
    return SL_OK;
}

void sl_merge_close(struct sl_run *run)
{
    for (int i = 0; i < run->n_others; i++)
        sl_inputs_close(&run->others[i]);
    free(run->others);
    free(run->merge_sizes);
}
