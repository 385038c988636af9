/* SPDX-License-Identifier: Apache-2.0 */
/* Names are copied out of the list one by one, since paths end with NUL. */
#include "ingest/loss_files.h"

#include <string.h>
#include <sys/stat.h>

#include "base/str.h"

enum { PATH_BYTES = 4096 };

bool sl_loss_files_none(const char *list)
{
    return !list || strcmp(list, "none") == 0;
}

/* The name at *from, which is moved behind it; false where it is empty or too long. */
static bool next_path(struct sl_str list, size_t *from, char path[PATH_BYTES])
{
    size_t to = sl_str_find(list, *from, ','), n = to - *from;
    if (n == 0 || n >= PATH_BYTES)
        return false;
    memcpy(path, list.p + *from, n);
    path[n] = 0;
    *from = to + 1;
    return true;
}

enum sl_status sl_loss_files_check(const char *option, const char *list, struct sl_err *err)
{
    char path[PATH_BYTES];
    struct stat file;
    struct sl_str all = sl_str_of(list);
    for (size_t from = 0; !sl_loss_files_none(list) && from <= all.n;) {
        if (!next_path(all, &from, path))
            return sl_err_set(err, SL_E_USAGE, "--%s: '%s' is no list of files", option, list);
        if (strcmp(path, "-") == 0 || (stat(path, &file) == 0 && !S_ISREG(file.st_mode)))
            return sl_err_set(err, SL_E_USAGE, "--%s: '%s' is no regular file (it is read twice)",
                              option, path);
    }
    return SL_OK;
}

enum sl_status sl_loss_files_each(const char *list, void *ctx,
                                  enum sl_status (*each)(void *ctx, const char *path,
                                                         struct sl_err *err),
                                  struct sl_err *err)
{
    char path[PATH_BYTES];
    struct sl_str all = sl_str_of(list);
    for (size_t from = 0;
         !sl_loss_files_none(list) && from <= all.n && next_path(all, &from, path);)
        SL_TRY(each(ctx, path, err));
    return SL_OK;
}
