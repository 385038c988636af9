/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_RUN_SOURCE_NAME_H
#define SL_RUN_SOURCE_NAME_H

/* Names of sources. Threads: pure functions. */

#include <stdint.h>

#include "base/status.h"

/* The last depth parts of a path, as a pointer into it. */
const char *sl_source_part(const char *path, uint64_t depth);

/* SL_E_USAGE where two of the paths have one name. */
SL_MUST_USE enum sl_status sl_source_check_names(const char *const *paths, int n, uint64_t depth,
                                                 struct sl_err *err);

#endif
