/* SPDX-License-Identifier: Apache-2.0 */
/* The end report: counts and times. Times stand here and never in a stream. */
#include <string.h>
#include <sys/resource.h>

#include "run/run_private.h"

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* Peak resident memory. Not ru_maxrss, which an exec inherits from the shell or
 * the script that started us. */
static int64_t peak_memory_bytes(void)
{
    char line[128];
    long long kb = 0;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %lld kB", &kb) == 1)
            break;
    if (f)
        fclose(f);
    return kb * 1024;
}

static int64_t bytes_out(const struct sl_run *run)
{
    if (run->out.sink)
        return sl_sink_off(run->out.sink);
    return run->text ? sl_sink_off(run->text) : 0;
}

static double rate(const struct sl_run *run, double seconds)
{
    return seconds > 0 ? (double)run->bytes_in / 1e6 / seconds : 0;
}

static struct sl_json *report_json(struct sl_run *run)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    double seconds = sl_run_seconds(run);
    const struct sl_tool *t = run->tool;
    struct sl_tally_names names = { t->reasons, t->counts, t->hists };
    struct sl_json *o = sl_json_new_object();
    enum sl_status st = SL_OK;
    st |= sl_json_set(o, "tool", sl_json_new_str(sl_str_of(t->name)), NULL);
    st |= sl_json_set(o, "version", sl_json_new_str(sl_str_of(SLUICE_VERSION)), NULL);
    st |= sl_json_set(o, "tally", sl_tally_json(&run->tally, &names), NULL);
    st |= sl_json_set(o, "bytes_in", sl_json_new_int(run->bytes_in), NULL);
    st |= sl_json_set(o, "bytes_out", sl_json_new_int(bytes_out(run)), NULL);
    st |= sl_json_set(o, "seconds", sl_json_new_real(seconds), NULL);
    st |= sl_json_set(o, "cpu_seconds",
                      sl_json_new_real(seconds_of(use.ru_utime) + seconds_of(use.ru_stime)), NULL);
    st |= sl_json_set(o, "mb_per_s", sl_json_new_real(rate(run, seconds)), NULL);
    st |= sl_json_set(o, "peak_memory_bytes", sl_json_new_int(peak_memory_bytes()), NULL);
    st |= sl_json_set(o, "notes", sl_json_new_str(sl_str_of(run->notes)), NULL);
    if (st != SL_OK) {
        sl_json_free(o);
        return NULL;
    }
    return o;
}

enum sl_status sl_report_write(struct sl_run *run, struct sl_sink **sink, struct sl_err *err)
{
    struct sl_buf text;
    if (!run->opt.report)
        return SL_OK;
    struct sl_json *json = report_json(run);
    if (!json)
        return sl_err_nomem(err, 0);
    sl_buf_init(&text, SL_MAX_META_BYTES);
    enum sl_status st = sl_sink_open(sink, run->opt.report, true, err);
    if (st == SL_OK)
        st = sl_json_dump_pretty(json, &text, err);
    if (st == SL_OK)
        st = sl_buf_add_byte(&text, '\n', err);
    if (st == SL_OK)
        st = sl_sink_write(*sink, text.p, text.n, err);
    sl_buf_release(&text);
    sl_json_free(json);
    return st;
}

static size_t add_named(char *line, size_t used, size_t room, const int64_t *values,
                        const char *const *names)
{
    for (int i = 0; names && names[i]; i++) {
        if (!values[i] || used >= room)
            continue;
        int n = snprintf(line + used, room - used, ", %s %lld", names[i], (long long)values[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    return used < room ? used : room - 1;
}

void sl_report_line(const struct sl_run *run, FILE *to)
{
    char line[4096];
    double seconds = sl_run_seconds(run);
    const struct sl_tally *t = &run->tally;
    int n = snprintf(line, sizeof line, "%s: %lld in, %lld out, %lld rejected", run->tool->name,
                     (long long)t->in.rows, (long long)t->out.rows, (long long)t->rejected.rows);
    size_t used = n > 0 ? (size_t)n : 0;
    used = add_named(line, used, sizeof line, t->reasons, run->tool->reasons);
    used = add_named(line, used, sizeof line, t->counts, run->tool->counts);
    snprintf(line + used, sizeof line - used,
             "; %.1f MB in, %.1f MB out, %.2f s, %.0f MB/s, %lld MB of memory%s%s\n",
             (double)run->bytes_in / 1e6, (double)bytes_out(run) / 1e6, seconds, rate(run, seconds),
             (long long)(peak_memory_bytes() >> 20), run->notes[0] ? "; " : "", run->notes);
    fputs(line, to);
    fflush(to);
}
