/* SPDX-License-Identifier: Apache-2.0 */
/* Pre-tokenizers: the kinds by name and by pattern, and the way through a text.
 *
 * A kind is a scanner (split_scan.h), which is asked for one piece after another and keeps
 * no state, so a text of any length is cut in place. Other steps are worked out for a
 * whole text at once (split_steps.h) and then told from the worker.
 *
 * A pattern is one of the kinds only in a spelling that stands in the list below, each
 * proved equal by tests; a pattern that merely looks alike runs by PCRE2. */
#include "token/split.h"

#include <stdlib.h>

#include "token/split_block.h"
#include "token/split_scan.h"
#include "token/split_steps.h"

static const char *const names[SL_N_SPLITS + 1] = {
    "none", "gpt2", "cl100k", "llama3", "qwen2", "qwen35", "o200k", "tekken", "deepseek3", NULL,
};

static sl_scan_fn *const scans[SL_N_SPLITS] = {
    NULL,           sl_scan_gpt2,  sl_scan_cl100k, sl_scan_llama3,    sl_scan_qwen2,
    sl_scan_qwen35, sl_scan_o200k, sl_scan_tekken, sl_scan_deepseek3,
};

struct sl_split {
    enum sl_split_kind kind;
    sl_block_fn *block;     /* NULL: the scanner alone */
    struct sl_steps *steps; /* NULL where it is a kind */
};

struct sl_split_worker {
    struct sl_steps_worker *steps; /* NULL where it is a kind */
    struct sl_str text;            /* what the pieces are of */
    size_t at;                     /* the end of the last piece that was told */
    size_t next;                   /* the piece to tell next */
};

const char *sl_split_name(enum sl_split_kind kind)
{
    return kind < SL_N_SPLITS ? names[kind] : "steps";
}

enum sl_split_kind sl_split_find(struct sl_str name)
{
    unsigned kind = 0;
    while (kind < SL_N_SPLITS && !sl_str_eq(name, sl_str_of(names[kind])))
        kind++;
    return (enum sl_split_kind)kind;
}

const char *const *sl_split_names(void)
{
    return names;
}

sl_scan_fn *sl_split_scan(enum sl_split_kind kind)
{
    return kind < SL_N_SPLITS ? scans[kind] : NULL;
}

enum sl_status sl_split_new(struct sl_split **out, enum sl_split_kind kind, struct sl_err *err)
{
    *out = NULL;
    if (kind >= SL_N_SPLITS)
        return sl_err_set(err, SL_E_BUG, "there is no pre-tokenizer %d", (int)kind);
    struct sl_split *s = calloc(1, sizeof *s);
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    s->kind = kind;
    s->block = sl_block_best(kind);
    *out = s;
    return SL_OK;
}

enum sl_status sl_split_new_steps(struct sl_split **out, const struct sl_split_step *steps,
                                  size_t n, struct sl_err *err)
{
    size_t used = 0;
    enum sl_split_kind kind = n == 0 ? SL_SPLIT_NONE : sl_split_known(steps, n, &used);
    SL_TRY(sl_split_new(out, used == n ? kind : SL_SPLIT_NONE, err));
    if (used == n)
        return SL_OK;
    (*out)->kind = SL_N_SPLITS;
    enum sl_status st = sl_steps_new(&(*out)->steps, steps, n, err);
    if (st != SL_OK) {
        sl_split_free(*out);
        *out = NULL;
    }
    return st;
}

void sl_split_free(struct sl_split *s)
{
    if (s)
        sl_steps_free(s->steps);
    free(s);
}

enum sl_split_kind sl_split_kind_of(const struct sl_split *s)
{
    return s->kind;
}

enum sl_status sl_split_worker_new(struct sl_split_worker **out, const struct sl_split *s,
                                   struct sl_err *err)
{
    struct sl_split_worker *w = calloc(1, sizeof *w);
    *out = NULL;
    if (!w)
        return sl_err_nomem(err, sizeof *w);
    enum sl_status st = s->steps ? sl_steps_worker_new(&w->steps, err) : SL_OK;
    if (st == SL_OK)
        *out = w;
    else
        free(w);
    return st;
}

void sl_split_worker_free(struct sl_split_worker *w)
{
    if (w)
        sl_steps_worker_free(w->steps);
    free(w);
}

/* The pieces of a text by steps, from those that stand in the worker. */
static enum sl_status next_by_steps(const struct sl_split *s, struct sl_split_worker *w,
                                    struct sl_str text, const struct sl_split_ask *ask,
                                    struct sl_err *err)
{
    size_t *at = ask->at;
    if (*at == 0 || w->text.p != text.p || w->text.n != text.n || w->at != *at) {
        w->text = (struct sl_str){ NULL, 0 };
        SL_TRY(sl_steps_run(s->steps, w->steps, text, err));
        w->text = text;
        w->next = sl_steps_find(w->steps, *at);
    }
    *ask->n = sl_steps_tell(w->steps, w->next, ask);
    w->next += *ask->n;
    if (*ask->n)
        *at = ask->ends[*ask->n - 1];
    w->at = *at;
    return SL_OK;
}

/* The pieces of a text by a scanner, and by blocks where these tell something: after a block
 * that does not, they are left alone for a while, up to PAUSE pieces. */
static size_t next_by_scan(const struct sl_split *s, struct sl_str text, size_t *at, uint32_t *ends,
                           size_t most)
{
    enum { PAUSE = 16 };
    const uint8_t *p = (const uint8_t *)text.p;
    size_t i = 0, done = *at, pause = 1, wait = 0;
    sl_scan_fn *scan = scans[s->kind];
    while (i < most && done < text.n) {
        uint64_t borders = 0;
        if (wait == 0 && s->block && text.n - done >= SL_BLOCK_BYTES) {
            borders = p[done] < 0x80 ? s->block(p + done) : 0;
            pause = borders ? 1 : pause < PAUSE ? pause * 2 : PAUSE;
            wait = borders ? 0 : pause;
        }
        if (borders) {
            size_t base = done;
            for (; borders && i < most; borders &= borders - 1)
                ends[i++] = (uint32_t)(done = base + (size_t)__builtin_ctzll(borders));
            continue;
        }
        ends[i++] = (uint32_t)(done = scan(p, done, text.n));
        wait -= wait > 0;
    }
    *at = done;
    return i;
}

enum sl_status sl_split_take(const struct sl_split *s, struct sl_split_worker *w,
                             struct sl_str text, const struct sl_split_ask *ask, struct sl_err *err)
{
    *ask->n = 0;
    if (text.n > INT32_MAX)
        return sl_err_set(err, SL_E_DATA, "a text of %zu bytes is too long to be cut", text.n);
    if (ask->removed)
        memset(ask->removed, 0, (ask->most + 63) / 64 * sizeof *ask->removed);
    if (*ask->at >= text.n)
        return SL_OK;
    if (s->steps)
        return next_by_steps(s, w, text, ask, err);
    if (scans[s->kind]) {
        *ask->n = next_by_scan(s, text, ask->at, ask->ends, ask->most);
    } else {
        ask->ends[0] = (uint32_t)(*ask->at = text.n);
        *ask->n = 1;
    }
    return SL_OK;
}
