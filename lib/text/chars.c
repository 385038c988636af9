/* SPDX-License-Identifier: Apache-2.0 */
/* Character classes: a table of two stages, made by gen/chars.py.
 *
 * One byte of flags a code point, equal blocks of 128 stored once: 30 KB, of
 * which a text touches a few lines. ASCII has a copy of its own, so that the
 * common look-up is one load; the look-ups are inline in the header. Rejected: utf8proc's
 * properties, which are larger, slower to reach and of whatever Unicode version is installed, which
 * would make verdicts depend on the machine. */
#include "text/chars.h"

#include "text/chars_table.h"

_Static_assert((int)CHARS_END == (int)SL_CHAR_END && (int)CHARS_BLOCK == (int)SL_CHAR_BLOCK,
               "chars.h has not the limits of the table");
