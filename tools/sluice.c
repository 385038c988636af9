/* SPDX-License-Identifier: Apache-2.0 */
/* sluice: `sluice NAME ...` runs `sluice-NAME ...`, as git does; alone it lists
 * the tools. The list is made by asking every sluice-* beside this program what
 * it is (--describe), so a new tool needs no entry anywhere. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "run/tool.h"

enum { MAX_TOOLS = 256, DESCRIPTION_MAX = 1 << 20, NAME_BYTES = 64, ABOUT_BYTES = 128 };

struct entry {
    char name[NAME_BYTES];
    char group[NAME_BYTES];
    char about[ABOUT_BYTES];
};

/* Groups in the order of a pipeline; a group that is not here comes last. */
static const char *const groups[][2] = {
    { "ingest", "from crawls and files" },
    { "text", "text" },
    { "choose", "choose" },
    { "tokens", "tokens" },
    { "order", "order" },
    { "shards", "shards" },
    { "look", "look, join, check" },
};
enum { N_GROUPS = sizeof groups / sizeof groups[0] };

/* The folder of this program. */
static bool own_folder(char out[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
    if (n <= 0)
        return false;
    out[n] = 0;
    char *slash = strrchr(out, '/');
    if (slash)
        *slash = 0;
    return slash != NULL;
}

static void copy_text(char *to, size_t room, struct sl_str s)
{
    size_t n = s.n < room - 1 ? s.n : room - 1;
    memcpy(to, s.p, n);
    to[n] = 0;
}

static enum sl_status read_description(int fd, struct entry *e)
{
    struct sl_buf text;
    struct sl_json *j = NULL;
    enum sl_status st = SL_OK;
    sl_buf_init(&text, DESCRIPTION_MAX);
    for (ssize_t n = 1; st == SL_OK && n > 0;) {
        st = sl_buf_reserve(&text, 4096, NULL);
        do
            n = st == SL_OK ? read(fd, text.p + text.n, 4096) : 0;
        while (n < 0 && errno == EINTR);
        text.n += n > 0 ? (size_t)n : 0;
    }
    if (st == SL_OK)
        st = sl_json_parse(&j, sl_buf_str(&text), NULL);
    if (st == SL_OK) {
        copy_text(e->group, sizeof e->group, sl_json_str(sl_json_get(j, "group")));
        copy_text(e->about, sizeof e->about, sl_json_str(sl_json_get(j, "about")));
        copy_text(e->name, sizeof e->name, sl_json_str(sl_json_get(j, "name")));
    }
    sl_json_free(j);
    sl_buf_release(&text);
    return st;
}

/* Run a tool with --describe and keep what it says. */
static enum sl_status ask(const char *path, struct entry *e)
{
    int ends[2];
    if (pipe(ends) != 0)
        return SL_E_SYSTEM;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl(path, path, "--describe", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    enum sl_status st = child > 0 ? read_description(ends[0], e) : SL_E_SYSTEM;
    close(ends[0]);
    int status = 0;
    if (child > 0)
        waitpid(child, &status, 0);
    return status == 0 ? st : SL_E_SYSTEM;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int find_tools(const char *folder, struct entry *entries)
{
    DIR *d = opendir(folder);
    int n = 0;
    for (struct dirent *f; d && n < MAX_TOOLS && (f = readdir(d));) {
        char path[PATH_MAX + NAME_MAX + 2];
        if (strncmp(f->d_name, "sluice-", 7) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, f->d_name);
        if (access(path, X_OK) == 0 && ask(path, &entries[n]) == SL_OK)
            n++;
    }
    if (d)
        closedir(d);
    qsort(entries, (size_t)n, sizeof *entries, by_name);
    return n;
}

static enum sl_status print_group(struct sl_sink *to, const struct entry *entries, int n,
                                  const char *group, const char *title, struct sl_err *err)
{
    bool any = false;
    for (int i = 0; i < n; i++) {
        char line[NAME_BYTES + ABOUT_BYTES + 16];
        if (strcmp(entries[i].group, group) != 0)
            continue;
        if (!any) {
            int m = snprintf(line, sizeof line, "\n%s\n", title);
            SL_TRY(sl_sink_write(to, line, (size_t)m, err));
        }
        any = true;
        int m = snprintf(line, sizeof line, "  %-14s %s\n", entries[i].name + 7, entries[i].about);
        SL_TRY(sl_sink_write(to, line, (size_t)m, err));
    }
    return SL_OK;
}

static enum sl_status list_tools(struct sl_run *run, struct sl_err *err)
{
    static const char head[] = "sluice: from web crawls to training shards, by pipes\n\n"
                               "usage: sluice NAME [ARGUMENT...]   (the same as sluice-NAME)\n";
    char folder[PATH_MAX];
    struct sl_sink *to = sl_run_sink(run);
    if (sl_run_n_inputs(run))
        return sl_err_set(err, SL_E_USAGE, "'%s' is no tool", sl_run_input(run, 0));
    if (!own_folder(folder))
        return sl_err_sys(err, errno, "cannot find the folder of the tools");
    struct entry *entries = calloc(MAX_TOOLS, sizeof *entries);
    if (!entries)
        return sl_err_nomem(err, MAX_TOOLS * sizeof *entries);
    int n = find_tools(folder, entries);
    enum sl_status st = sl_sink_write(to, head, sizeof head - 1, err);
    for (size_t g = 0; st == SL_OK && g < N_GROUPS; g++)
        st = print_group(to, entries, n, groups[g][0], groups[g][1], err);
    free(entries);
    return st;
}

static const struct sl_tool tool = {
    .name = "sluice",
    .about = "run a tool by its name, or list the tools",
    .group = "",
    .operands = "[NAME [ARGUMENT...]]",
    .examples = "sluice\n"
                "sluice warc crawl.warc.gz | sluice extract | sluice export",
    .flow = SL_PLAIN,
    .text_out = true,
    .plain = list_tools,
    .trial = "",
};

/* Become sluice-NAME of this folder, else of PATH. Returns only on failure. */
static void run_named(char **argv)
{
    char folder[PATH_MAX], path[PATH_MAX + NAME_BYTES + 16], name[NAME_BYTES + 8];
    if (strlen(argv[1]) >= NAME_BYTES || strchr(argv[1], '/'))
        return;
    snprintf(name, sizeof name, "sluice-%s", argv[1]);
    char *given = argv[1];
    argv[1] = name;
    if (own_folder(folder)) {
        snprintf(path, sizeof path, "%s/%s", folder, name);
        execv(path, argv + 1);
    }
    execvp(name, argv + 1);
    argv[1] = given;
}

int main(int argc, char **argv)
{
    if (argc > 1 && argv[1][0] != '-')
        run_named(argv);
    return sl_tool_main(&tool, argc, argv);
}
