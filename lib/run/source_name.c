/* SPDX-License-Identifier: Apache-2.0 */
/* Names of sources: the last parts of an input's path, or --source. Where the
 * name can make a document's id, two inputs with one name would give two
 * documents one id, so that is refused before anything is read. */
#include <stdlib.h>
#include <string.h>

#include "run/source_name.h"

const char *sl_source_part(const char *path, uint64_t depth)
{
    const char *p = path + strlen(path);
    while (p > path) {
        if (p[-1] == '/' && --depth == 0)
            break;
        p--;
    }
    return p;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum sl_status sl_source_check_names(const char *const *paths, int n, uint64_t depth,
                                     struct sl_err *err)
{
    const char **names = malloc(((size_t)n + 1) * sizeof *names);
    enum sl_status st = SL_OK;
    if (!names)
        return sl_err_nomem(err, (uint64_t)n * sizeof *names);
    for (int i = 0; i < n; i++)
        names[i] = sl_source_part(paths[i], depth);
    qsort(names, (size_t)n, sizeof *names, by_name);
    for (int i = 1; i < n && st == SL_OK; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            st = sl_err_set(err, SL_E_USAGE,
                            "two inputs have the source name '%s': use --source-depth %llu, so "
                            "that more of the path counts",
                            names[i], (unsigned long long)depth + 1);
    free(names);
    return st;
}
