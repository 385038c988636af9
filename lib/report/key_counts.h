/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_REPORT_KEY_COUNTS_H
#define SL_REPORT_KEY_COUNTS_H

/* Rows and amounts (tokens, or bytes of text) by key: host of the url, language.
 *
 * Rule      every key is counted apart until there are SL_KEYS_MAX of them; rows
 *           of keys that come after that are counted together as others. So each
 *           number shown is exact for its key, and the sums are those of all rows.
 * Memory    SL_KEYS_MAX keys of at most SL_KEY_BYTES; longer ones are cut.
 * Threads   one thread at a time. */

#include "arrow/batch.h"

enum { SL_KEYS_MAX = 65536, SL_KEY_BYTES = 255 };

struct sl_key_count {
    struct sl_str key;
    int64_t rows, amount;
};

struct sl_key_counts {
    struct sl_key_count *keys;
    uint32_t *slots; /* index + 1 of the key; 0: free */
    uint32_t n_keys;
    struct sl_key_count none;   /* rows without a key */
    struct sl_key_count others; /* rows of keys over the maximum */
    struct sl_key_count all;
    struct sl_arena arena;
};

void sl_key_counts_init(struct sl_key_counts *c);
void sl_key_counts_release(struct sl_key_counts *c);

/* Count one row; an empty key is none. */
SL_MUST_USE enum sl_status sl_key_counts_add(struct sl_key_counts *c, struct sl_str key,
                                             int64_t amount, struct sl_err *err);

/* Sort the keys: most first, then by bytes. Nothing can be added after that. */
void sl_key_counts_sort(struct sl_key_counts *c);

/* The host of a URL as it stands there, without user, port and a leading "www.",
 * ASCII letters in lower case; written to out. Empty where there is none. */
struct sl_str sl_url_host(struct sl_str url, char out[SL_KEY_BYTES]);

#endif
