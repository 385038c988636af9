/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_TOKEN_SPLIT_H
#define SL_TOKEN_SPLIT_H

/* Pre-tokenizers: where a text is cut before a model looks for merges. Pieces cover the
 * text: their ends are the borders, and nothing is lost between them.
 *
 * Kinds     the patterns of today's models by hand-written scanners, equal to the regular
 *           expressions of docs/tokenizers.md as the engine that each was written for reads
 *           them; any other expression by PCRE2 with the same classes, or refused.
 * Classes   those of Unicode 16.0: letters, numbers, marks, punctuation, symbols; white space
 *           is 25 code points.
 * Time      linear in the text, whatever it is.
 * Threads   const once it is made; a worker belongs to one thread.
 * Source    docs/tokenizers.md, "Pre-tokenizers". */

#include "base/buf.h"

enum sl_split_kind {
    SL_SPLIT_NONE,   /* the whole text is one piece */
    SL_SPLIT_GPT2,   /* also r50k, p50k and ByteLevel with its own expression */
    SL_SPLIT_CL100K, /* as tiktoken writes it */
    SL_SPLIT_LLAMA3, /* the same spelt for Hugging Face */
    SL_SPLIT_QWEN2,  /* one digit a piece */
    SL_SPLIT_QWEN35, /* and marks among the letters */
    SL_SPLIT_O200K,
    SL_SPLIT_TEKKEN,
    SL_SPLIT_DEEPSEEK3, /* three expressions one after another */
    SL_N_SPLITS
};

/* Which engine a regular expression was written for: they differ in what possessive
 * counted repetition means. */
enum sl_regex_engine { SL_REGEX_ONIGURUMA, SL_REGEX_RUST };

/* What becomes of the matches of an expression (Hugging Face's Split). */
enum sl_split_behaviour {
    SL_SPLIT_ISOLATED,
    SL_SPLIT_REMOVED,
    SL_SPLIT_MERGED_WITH_PREVIOUS,
    SL_SPLIT_MERGED_WITH_NEXT,
    SL_SPLIT_CONTIGUOUS
};

/* One step; several are applied one after another, each to the pieces of the last. */
struct sl_split_step {
    struct sl_str pattern;
    bool literal; /* a string, not an expression */
    bool invert;
    enum sl_split_behaviour behaviour;
    enum sl_regex_engine engine;
};

struct sl_split;

const char *sl_split_name(enum sl_split_kind kind); /* "gpt2", ... */
/* SL_N_SPLITS: there is none of that name. */
enum sl_split_kind sl_split_find(struct sl_str name);

/* n names of the scanners there are, ended by NULL, for messages. */
const char *const *sl_split_names(void);

/* Expression i of a kind, from 0, as Hugging Face's engine reads it; NULL behind the last. */
const char *sl_split_expression(enum sl_split_kind kind, size_t i);

SL_MUST_USE enum sl_status sl_split_new(struct sl_split **out, enum sl_split_kind kind,
                                        struct sl_err *err);
/* Steps that are one of the kinds become its scanner; others run by PCRE2.
 *
 * Errors  SL_E_DATA with the pattern and the place where it cannot be honoured exactly;
 *         SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_split_new_steps(struct sl_split **out,
                                              const struct sl_split_step *steps, size_t n,
                                              struct sl_err *err);
void sl_split_free(struct sl_split *s); /* NULL allowed */
/* SL_N_SPLITS: it runs by PCRE2. */
enum sl_split_kind sl_split_kind_of(const struct sl_split *s);

/* Scratch of one thread. */
struct sl_split_worker;
SL_MUST_USE enum sl_status sl_split_worker_new(struct sl_split_worker **out,
                                               const struct sl_split *s, struct sl_err *err);
void sl_split_worker_free(struct sl_split_worker *w); /* NULL allowed */

/* What sl_split_take is asked for and tells.
 *
 * at       where to go on, 0 at first; moved behind the last piece that is told.
 * ends     room for most (1 or more) ends of pieces, byte offsets in the text; piece i is
 *          from the end before it (the first: from *at as it was) to ends[i].
 * removed  bit i: that piece was removed and stands for nothing; may be NULL where no step
 *          removes. (most + 63) / 64 words.
 * n        how many were told; 0 at the end of the text. */
struct sl_split_ask {
    size_t *at;
    uint32_t *ends;
    uint64_t *removed;
    size_t most;
    size_t *n;
};

/* The next pieces of a text, which is valid UTF-8 of less than 2^31 bytes.
 *
 * w        belongs to s; may be NULL where sl_split_kind_of(s) is one of the kinds.
 * Returns  SL_OK; SL_E_DATA: the text is too long, or an expression takes too long on it;
 *          SL_E_SYSTEM. */
SL_MUST_USE enum sl_status sl_split_take(const struct sl_split *s, struct sl_split_worker *w,
                                         struct sl_str text, const struct sl_split_ask *ask,
                                         struct sl_err *err);

/* The same with the members of ask one by one. */
#define sl_split_next(s, w, text, at, ends, removed, most, n, err) \
    sl_split_take((s), (w), (text),                                \
                  &(struct sl_split_ask){ (at), (ends), (removed), (most), (n) }, (err))

#endif
