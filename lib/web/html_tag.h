/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_WEB_HTML_TAG_H
#define SL_WEB_HTML_TAG_H

/* Elements by number: enum sl_tag and what a reader without a tree must know of
 * each (SL_TAG_IS_... flags; gen/html_tag.py says what they mean).
 *
 * Threads   pure functions. */

#include "base/str.h"
#include "web/html_tag_table.h"
#include "web/html_token.h"

/* The element of a lower-case name; SL_TAG_OTHER where it is not in the table. */
enum sl_tag sl_tag_of(struct sl_str name);

/* Or-ed enum sl_tag_flag. */
unsigned sl_tag_flags(enum sl_tag tag);

/* Lower-case name, "" of SL_TAG_OTHER. */
const char *sl_tag_name(enum sl_tag tag);

/* The tokenizer state for the content of an HTML element (scripting is off). */
enum sl_html_state sl_tag_content_state(enum sl_tag tag);

#endif
