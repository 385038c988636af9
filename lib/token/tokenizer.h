/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_TOKENIZER_H
#define SL_TOKEN_TOKENIZER_H

/* Tokenizers: text to ids, behind one interface.
 *
 * Ids stand in buffers as little-endian numbers of sl_token_width bytes. An
 * encoder adds no begin or end marks: packing does (docs/packing.md).
 *
 * Ownership  a tokenizer is made by sl_tokenizer_open and belongs to the caller.
 * Threads    const once it is open: any number of threads encode with it, each
 *            with a worker of its own.
 * Source     docs/stream.md section 2 (sl:tokenizer). */

#include "base/buf.h"
#include "base/hash.h"

#define SL_TOKEN_NONE (-1)
#define SL_MAX_TOKENIZER_NAME 255 /* bytes */

/* What a stream of tokens says of the tokenizer that made it. */
struct sl_token_info {
    char name[SL_MAX_TOKENIZER_NAME + 1];
    uint32_t vocab_size;
    uint32_t max_id;          /* the largest id that may ever stand, added ones included */
    int64_t eos, bos, pad;    /* ids, or SL_TOKEN_NONE */
    struct sl_hash128 digest; /* of what defines the tokenizer */
};

/* Bytes of an id: 2 where all ids fit into uint16, else 4. */
static inline unsigned sl_token_width(const struct sl_token_info *info)
{
    return info->max_id <= UINT16_MAX ? 2 : 4;
}

/* Append the value of sl:tokenizer: JSON, keys in the order of docs/stream.md. */
SL_MUST_USE enum sl_status sl_token_info_dump(const struct sl_token_info *info, struct sl_buf *out,
                                              struct sl_err *err);

/* Parse it. SL_E_DATA where a key is missing or of another type, an id is over
 * max_id, or the digest is not 32 hex digits. */
SL_MUST_USE enum sl_status sl_token_info_parse(struct sl_token_info *info, struct sl_str json,
                                               struct sl_err *err);

struct sl_tokenizer;

/* What a kind of tokenizer provides. worker is what worker_new gave, or NULL. */
struct sl_tokenizer_ops {
    SL_MUST_USE enum sl_status (*encode)(const struct sl_tokenizer *t, void *worker,
                                         struct sl_str text, struct sl_buf *ids,
                                         struct sl_err *err);
    /* Scratch of one thread; both NULL where none is needed. */
    SL_MUST_USE enum sl_status (*worker_new)(const struct sl_tokenizer *t, void **worker,
                                             struct sl_err *err);
    void (*worker_free)(void *worker);
    void (*free)(struct sl_tokenizer *t);
};

/* The first member of every kind's own struct. */
struct sl_tokenizer {
    const struct sl_tokenizer_ops *ops;
    struct sl_token_info info;
};

/* Make the tokenizer of that name. SL_E_USAGE names the ones there are. */
SL_MUST_USE enum sl_status sl_tokenizer_open(struct sl_tokenizer **out, const char *name,
                                             struct sl_err *err);

/* A file that defines a tokenizer, in memory. */
struct sl_tokenizer_file {
    const char *name; /* of the file, for the info: "qwen3.tokenizer.json" */
    struct sl_str bytes;
    struct sl_str beside; /* of rank files: NAME.tiktoken.json; n is 0 where there is none */
    const char *pattern;  /* of rank files: the name of their pre-tokenizer, or NULL */
    bool allow_special;   /* special tokens inside a text are recognised */
};

#define SL_MAX_TOKENIZER_BYTES ((size_t)64 << 20)

/* Make the tokenizer that a file defines: tokenizer.json of Hugging Face, a tekken.json, or a
 * rank file of tiktoken; which one, its contents say. The info's name is the file's without
 * folders and endings, its digest that of the bytes (and those beside, and the pattern).
 *
 * Errors  SL_E_DATA where the file is damaged or asks for what cannot be honoured exactly, which
 *         is named; SL_E_USAGE where ranks have no pattern. */
SL_MUST_USE enum sl_status sl_tokenizer_open_file(struct sl_tokenizer **out,
                                                  const struct sl_tokenizer_file *file,
                                                  struct sl_err *err);
void sl_tokenizer_free(struct sl_tokenizer *t); /* NULL allowed */

SL_MUST_USE enum sl_status sl_tokenizer_worker_new(const struct sl_tokenizer *t, void **worker,
                                                   struct sl_err *err);
void sl_tokenizer_worker_free(const struct sl_tokenizer *t, void *worker);

/* Append the ids of text (valid UTF-8) to ids. Linear time. SL_E_DATA where
 * the buffer's maximum would be passed; ids is then as before. */
SL_MUST_USE enum sl_status sl_tokenizer_encode(const struct sl_tokenizer *t, void *worker,
                                               struct sl_str text, struct sl_buf *ids,
                                               struct sl_err *err);

/* The kinds. bytes: every byte is its own id, 256 ends a document, 257 pads. */
SL_MUST_USE enum sl_status sl_bytes_tokenizer_new(struct sl_tokenizer **out, struct sl_err *err);

#endif
