/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_NORMALISE_H
#define SL_TOKEN_NORMALISE_H

/* Normalisers: what a tokenizer does to a text before it is cut.
 *
 * Steps     NFC with the tables of Unicode 9.0, which is what the tokenizers of Hugging Face
 *           have; a string put in front; a string replaced by another wherever it stands, from
 *           left to right.
 * Time      linear, whatever the text (a run of marks is sorted by counting).
 * Threads   const once its steps are added; the buffers belong to one thread.
 * Source    Unicode Standard Annex 15; docs/tokenizers.md, "Files". */

#include "base/buf.h"

enum sl_normal_kind { SL_NORMAL_NFC, SL_NORMAL_PREPEND, SL_NORMAL_REPLACE };

enum { SL_MAX_NORMAL_STEPS = 16 };

struct sl_normaliser {
    size_t n;
    struct {
        enum sl_normal_kind kind;
        size_t off, n_from, n_to; /* in strings: what is replaced, and by what */
    } steps[SL_MAX_NORMAL_STEPS];
    struct sl_buf strings;
};

void sl_normaliser_init(struct sl_normaliser *s);
void sl_normaliser_release(struct sl_normaliser *s);
/* from: what is replaced (REPLACE); to: by what, or what is put in front (PREPEND).
 * SL_E_DATA: too many steps, or from is empty. */
SL_MUST_USE enum sl_status sl_normaliser_add(struct sl_normaliser *s, enum sl_normal_kind kind,
                                             struct sl_str from, struct sl_str to,
                                             struct sl_err *err);

/* text (valid UTF-8) through all steps. An empty text stays empty.
 *
 * buf   two buffers for what changes.
 * out   text itself where nothing changes, else in one of the buffers, until the next call. */
SL_MUST_USE enum sl_status sl_normalise(const struct sl_normaliser *s, struct sl_str text,
                                        struct sl_buf buf[2], struct sl_str *out,
                                        struct sl_err *err);

/* Append text in NFC of Unicode 9.0; and whether that would change nothing (a text may be in
 * NFC where this says no). */
SL_MUST_USE enum sl_status sl_nfc(struct sl_buf *out, struct sl_str text, struct sl_err *err);
bool sl_nfc_quick(struct sl_str text);

#endif
