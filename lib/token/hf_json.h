/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_HF_JSON_H
#define SL_TOKEN_HF_JSON_H

/* JSON of tokenizer files: named members of objects, by one pass over an object.
 *
 * Errors    SL_E_DATA, which names the member ("model: no 'vocab'").
 * Lifetime  pieces point into the text.
 * Threads   pure functions. */

#include "base/buf.h"
#include "text/json_scan.h"

/* Find members by name. out[i].raw.p is NULL where names[i] is not there or is null. where: for
 * messages. SL_E_DATA: it is no object, or a name stands twice. */
SL_MUST_USE enum sl_status sl_hf_members(struct sl_str object, const char *where,
                                         const char *const *names, struct sl_json_piece *out,
                                         size_t n, struct sl_err *err);

static inline bool sl_hf_has(const struct sl_json_piece *v)
{
    return v->raw.p != NULL;
}

/* Values of one kind. name: for messages. absent: where they are not there; -1: that is an
 * error. Strings are put behind what is in text, which may move it. */
SL_MUST_USE enum sl_status sl_hf_bool(const struct sl_json_piece *v, const char *name, int absent,
                                      bool *out, struct sl_err *err);
SL_MUST_USE enum sl_status sl_hf_id(const struct sl_json_piece *v, const char *name, uint32_t *out,
                                    struct sl_err *err);
/* text is reset first; its contents are the string; empty where v is not there. */
SL_MUST_USE enum sl_status sl_hf_str(const struct sl_json_piece *v, const char *name,
                                     struct sl_buf *text, struct sl_err *err);

/* True where v is the string s. */
bool sl_hf_is(const struct sl_json_piece *v, const char *s);

#endif
