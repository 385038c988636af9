/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_ADDED_TOKENS_H
#define SL_TOKEN_ADDED_TOKENS_H

/* Added and special tokens: strings that are cut out of a text before anything else.
 *
 * What matches is the leftmost, and of those the longest. A special token that is not to be
 * recognised still takes its stretch: nothing inside it is found, and it becomes text.
 *
 * Time      the text's length times the longest token's, at most SL_MAX_ADDED_BYTES; almost
 *           all of a text is passed by a look at two bytes.
 * Threads   const once it is done.
 * Source    docs/tokenizers.md, "Files". */

#include "base/buf.h"

enum { SL_MAX_ADDED_BYTES = 1024 };

struct sl_added_token {
    uint32_t id;
    bool special;
    bool lstrip, rstrip; /* white space on that side belongs to it */
};

struct sl_added {
    struct sl_buf text, items; /* items are sorted by their strings when done */
    uint64_t pairs[1024];      /* bit: two first bytes of some token */
    bool any, any_plain;       /* some; some that is not special */
};

void sl_added_init(struct sl_added *a);
void sl_added_release(struct sl_added *a);
/* SL_E_DATA: it is empty or too long. */
SL_MUST_USE enum sl_status sl_added_add(struct sl_added *a, struct sl_str s,
                                        const struct sl_added_token *token, struct sl_err *err);
/* Once, behind the last add. Of equal strings the last stays. */
void sl_added_done(struct sl_added *a);

struct sl_added_walk {
    size_t from; /* text is told up to here */
    size_t scan; /* matches are looked for from here */
};

struct sl_added_hit {
    struct sl_str before; /* text before the token, which may be empty */
    uint32_t id;
};

/* The next token. False: there is no more, and before is the rest. *w is 0 at first. */
bool sl_added_next(const struct sl_added *a, struct sl_str text, bool allow_special,
                   struct sl_added_walk *w, struct sl_added_hit *hit);

#endif
