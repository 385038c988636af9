/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_TRAIN_TOKENS_H
#define SL_TOKEN_TRAIN_TOKENS_H

/* The tokens of a training by id and by their bytes. Private to the trainers.
 *
 * Threads   one thread. */

#include "base/buf.h"

struct sl_train_token {
    size_t off;     /* in text */
    uint32_t n;     /* bytes that it stands for; 0: for none */
    uint32_t shown; /* of a special token: the bytes of its text, which is in front */
};

struct sl_train_tokens {
    struct sl_train_token *list;
    uint32_t n, cap;
    struct sl_buf text;
    uint32_t *index; /* by hash of the bytes; UINT32_MAX where empty */
    unsigned bits;
};

/* Room for most tokens. */
SL_MUST_USE enum sl_status sl_train_tokens_init(struct sl_train_tokens *t, uint32_t most,
                                                struct sl_err *err);
void sl_train_tokens_release(struct sl_train_tokens *t);

/* UINT32_MAX: there is none of these bytes. */
uint32_t sl_train_tokens_find(const struct sl_train_tokens *t, struct sl_str bytes);
/* Add a token behind the others. */
SL_MUST_USE enum sl_status sl_train_tokens_add(struct sl_train_tokens *t, struct sl_str bytes,
                                               struct sl_err *err);
/* Add a special token: it is found by bytes where its characters all stand for bytes. */
SL_MUST_USE enum sl_status sl_train_tokens_add_special(struct sl_train_tokens *t,
                                                       struct sl_str text, struct sl_err *err);
/* Find the token of two others put together, or add it. */
SL_MUST_USE enum sl_status sl_train_tokens_join(struct sl_train_tokens *t, uint32_t left,
                                                uint32_t right, uint32_t *id, bool *was,
                                                struct sl_err *err);
struct sl_str sl_train_tokens_text(const struct sl_train_tokens *t, uint32_t id);

#endif
