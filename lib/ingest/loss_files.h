/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_INGEST_LOSS_FILES_H
#define SL_INGEST_LOSS_FILES_H

/* A list of files of losses, as an option gives it: names with commas between them, or
 * "none". NULL is none too.
 *
 * Threads   pure functions but for the files. */

#include <stdbool.h>

#include "base/status.h"

bool sl_loss_files_none(const char *list);

/* Every name is that of a regular file (they are read twice), or of nothing yet.
 * SL_E_USAGE with the option's name. */
SL_MUST_USE enum sl_status sl_loss_files_check(const char *option, const char *list,
                                               struct sl_err *err);

/* Call each for every file of a checked list, in order, up to the first that does not
 * return SL_OK, which is returned. */
SL_MUST_USE enum sl_status sl_loss_files_each(const char *list, void *ctx,
                                              enum sl_status (*each)(void *ctx, const char *path,
                                                                     struct sl_err *err),
                                              struct sl_err *err);

#endif
