/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_DEDUP_TEXT_KEY_H
#define SL_DEDUP_TEXT_KEY_H

/* What makes two texts the same: the XXH3-128 of the text, or of its normal
 * form by a rule that has a name. A rule never changes; another one gets another
 * name.
 *
 * none     the bytes as they are.
 * simple   every run of White_Space characters (Unicode; the 25 code points have
 *          not changed since 4.0) is one blank, there is none at the beginning
 *          and the end, and A to Z are a to z. Other letters stay as they are.
 *
 * Threads   one thread an object. */

#include "base/hash.h"
#include "base/status.h"

struct sl_text_keyer;

/* Names of the rules, for an option: "none|simple". */
#define SL_TEXT_RULES "none|simple"

/* rule: one of SL_TEXT_RULES, else SL_E_USAGE. */
SL_MUST_USE enum sl_status sl_text_keyer_new(struct sl_text_keyer **out, const char *rule,
                                             struct sl_err *err);
void sl_text_keyer_free(struct sl_text_keyer *k); /* NULL allowed */

/* The key of a text. text is UTF-8; of other bytes the key is some value too. */
struct sl_hash128 sl_text_key(struct sl_text_keyer *k, struct sl_str text);

#endif
