/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_WEB_WARC_HEAD_H
#define SL_WEB_WARC_HEAD_H

/* The head of one WARC record: version line and header lines. Used by the
 * reader alone; programs include warc.h. */

#include "base/buf.h"
#include "web/warc.h"

enum sl_warc_head_end {
    SL_WARC_HEAD_OK = 1,
    SL_WARC_HEAD_MORE, /* right so far; the blank line is not there yet */
    SL_WARC_HEAD_BAD,  /* no version line, or a second one */
    SL_WARC_HEAD_LONG  /* no blank line within SL_WARC_HEAD_MAX bytes */
};

/* Parse a head at the start of in.
 *
 * rec      its head fields are set (as far as they were read, where it is not
 *          OK); kind, off, block and the fields of a loss are not touched.
 * scratch  holds the head where it had to be unfolded.
 * n_head   bytes of the head with its blank line, where OK.
 * Returns  SL_OK (see *end); SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_warc_head_parse(struct sl_str in, struct sl_warc_record *rec,
                                              struct sl_buf *scratch, size_t *n_head,
                                              enum sl_warc_head_end *end, struct sl_err *err);

/* Length of the line "WARC/N.N" with its line end at the start of in; 0 where
 * there is none (or it is not whole). */
size_t sl_warc_version_line(struct sl_str in);

#endif
