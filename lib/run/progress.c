/* SPDX-License-Identifier: Apache-2.0 */
/* Progress: one line on the terminal, by the last stage of a pipe alone (the
 * one whose output is no pipe), from the first second on, five times a second. */
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/run_private.h"

double sl_run_seconds(const struct sl_run *run)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - run->begun.tv_sec) +
           (double)(now.tv_nsec - run->begun.tv_nsec) / 1e9;
}

static bool is_pipe(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

void sl_progress_start(struct sl_run *run)
{
    const struct sl_run_options *o = &run->opt;
    bool last = o->common.output || !is_pipe(STDOUT_FILENO);
    bool text_to_terminal = run->text && !o->common.output && isatty(STDOUT_FILENO);
    run->progress_on =
        o->progress && !o->common.quiet && last && !text_to_terminal && isatty(STDERR_FILENO);
    run->next_progress = 1.0;
}

void sl_progress_tick(struct sl_run *run)
{
    if (!run->progress_on)
        return;
    double seconds = sl_run_seconds(run);
    if (seconds < run->next_progress)
        return;
    run->next_progress = seconds + 0.2;
    run->progress_shown = true;
    char line[160];
    int n = snprintf(line, sizeof line, "\r%s: %lld in, %lld out, %.0f MB, %.0f MB/s, %.0f s ",
                     run->tool->name, (long long)run->tally.in.rows, (long long)run->tally.out.rows,
                     (double)run->bytes_in / 1e6, (double)run->bytes_in / 1e6 / seconds, seconds);
    if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
        run->progress_on = false;
}

void sl_progress_end(struct sl_run *run)
{
    static const char clear[] = "\r\033[K";
    if (run->progress_shown && write(STDERR_FILENO, clear, sizeof clear - 1) < 0)
        run->progress_on = false;
    run->progress_shown = false;
}
