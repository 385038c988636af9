/* SPDX-License-Identifier: Apache-2.0 */
/* Pre-tokenizers of steps. A step sees a piece as a text of its own: what stands around it
 * is neither looked at nor behind. Its matches and the gaps between them become pieces by
 * the step's behaviour, worked out from left to right:
 *
 *   merged with previous  a match joins the gap before it; of two matches in a row, the
 *                         second stands alone
 *   merged with next      a match joins the gap behind it, likewise
 *   contiguous            matches in a row are one piece
 *
 * With invert, gaps are the matches and matches the gaps. A piece that was removed is
 * kept as a piece, so that ends still tell where the others begin, but no step cuts it.
 *
 * The pieces are 32-bit ends whose top bit says "removed": a text has less than 2^31
 * bytes. Two arrays, for the pieces of the last step and of this one, change places. */
#include "token/split_steps.h"

#include <stdlib.h>

#include "token/split_regex.h"

#define REMOVED (UINT32_C(1) << 31)

struct step {
    sl_scan_fn *scan;       /* or */
    struct sl_regex *regex; /* or */
    char *literal;
    size_t literal_bytes;
    bool invert;
    enum sl_split_behaviour behaviour;
};

struct sl_steps {
    size_t n;
    struct step step[];
};

struct sl_steps_worker {
    struct sl_buf old, new;
    struct sl_matcher *matcher;
};

enum { N_PATTERNS = 3 };

/* Spellings of the kinds; each is equal to its scanner. rust_only: the other engine reads
 * it in another way. The first of a kind that is not is the one that we write. That of
 * cl100k is our own: Oniguruma reads tiktoken's counted possessive repetition in another
 * way, and its $ matches at every line's end. */
static const struct known {
    enum sl_split_kind kind;
    bool rust_only;
    const char *patterns[N_PATTERNS];
} known[] = {
#define TAIL3 "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define ENDS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define BEFORE "[^\\r\\n\\p{L}\\p{N}]?"
#define SIGNS "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define DEEP "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?"
    { SL_SPLIT_GPT2,
      false,
      { "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+" } },
    { SL_SPLIT_GPT2,
      false,
      { "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+" } },
    { SL_SPLIT_GPT2,
      true,
      { "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|\\s++$|\\s+(?!\\S)|"
        "\\s" } },
    { SL_SPLIT_CL100K,
      true,
      { "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+|"
        " ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s" } },
    { SL_SPLIT_CL100K,
      true,
      { "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+|"
        " ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+" } },
    { SL_SPLIT_CL100K,
      false,
      { "'(?i:[sdmt]|ll|ve|re)|" BEFORE "\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
        "\\s+\\z|\\s*[\\r\\n]|\\s+(?!\\S)|\\s" } },
    { SL_SPLIT_LLAMA3, false, { ENDS "|" BEFORE "\\p{L}+" TAIL3 } },
    { SL_SPLIT_LLAMA3,
      false,
      { "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}|"
        " ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+" } },
    { SL_SPLIT_QWEN2,
      false,
      { ENDS "|" BEFORE "\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|"
             "\\s+(?!\\S)|\\s+" } },
    { SL_SPLIT_QWEN35,
      false,
      { ENDS "|" BEFORE "[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|"
             "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+" } },
    { SL_SPLIT_O200K,
      false,
      { BEFORE UPPER "*" LOWER "+" ENDS "?|" BEFORE UPPER "+" LOWER "*" ENDS
                     "?|\\p{N}{1,3}" SIGNS } },
    { SL_SPLIT_TEKKEN,
      false,
      { BEFORE UPPER "*" LOWER "+|" BEFORE UPPER "+" LOWER "*|\\p{N}" SIGNS } },
    { SL_SPLIT_DEEPSEEK3,
      false,
      { "\\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+",
        DEEP "[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+" } },
};

/* All of a text is matched but by DeepSeek's, so that to remove what is not changes nothing. */
static bool is_plain(const struct sl_split_step *step, bool covers)
{
    return !step->literal && ((step->behaviour == SL_SPLIT_ISOLATED && !step->invert) ||
                              (covers && step->behaviour == SL_SPLIT_REMOVED && step->invert));
}

static bool is_known(const struct known *k, const struct sl_split_step *steps, size_t n,
                     size_t n_patterns)
{
    if (n < n_patterns)
        return false;
    for (size_t i = 0; i < n_patterns; i++)
        if (!is_plain(&steps[i], n_patterns == 1) ||
            (k->rust_only && steps[i].engine != SL_REGEX_RUST) ||
            !sl_str_eq(steps[i].pattern, sl_str_of(k->patterns[i])))
            return false;
    return true;
}

enum sl_split_kind sl_split_known(const struct sl_split_step *steps, size_t n, size_t *used)
{
    *used = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n_patterns = known[i].patterns[1] ? 3 : 1;
        if (is_known(&known[i], steps, n, n_patterns)) {
            *used = n_patterns;
            return known[i].kind;
        }
    }
    return SL_N_SPLITS;
}

const char *sl_split_expression(enum sl_split_kind kind, size_t i)
{
    for (size_t k = 0; i < N_PATTERNS && k < sizeof known / sizeof *known; k++)
        if (known[k].kind == kind && !known[k].rust_only)
            return known[k].patterns[i];
    return NULL;
}

static enum sl_status step_new(struct step *to, const struct sl_split_step *from,
                               struct sl_err *err)
{
    to->invert = from->invert;
    to->behaviour = from->behaviour;
    if (!from->literal)
        return sl_regex_new(&to->regex, from->pattern, from->engine, err);
    to->literal_bytes = from->pattern.n;
    to->literal = malloc(from->pattern.n + 1);
    if (!to->literal)
        return sl_err_nomem(err, from->pattern.n);
    if (from->pattern.n)
        memcpy(to->literal, from->pattern.p, from->pattern.n);
    return SL_OK;
}

enum sl_status sl_steps_new(struct sl_steps **out, const struct sl_split_step *steps, size_t n,
                            struct sl_err *err)
{
    struct sl_steps *s = n < 1000 ? calloc(1, sizeof *s + n * sizeof s->step[0]) : NULL;
    *out = NULL;
    if (!s)
        return sl_err_nomem(err, n * sizeof s->step[0]);
    for (size_t i = 0, used; i < n; i += used ? used : 1) {
        struct step *to = &s->step[s->n++];
        enum sl_split_kind kind = sl_split_known(&steps[i], n - i, &used);
        if (used) {
            to->scan = sl_split_scan(kind);
            continue;
        }
        enum sl_status st = step_new(to, &steps[i], err);
        if (st != SL_OK) {
            sl_steps_free(s);
            return st;
        }
    }
    *out = s;
    return SL_OK;
}

void sl_steps_free(struct sl_steps *s)
{
    for (size_t i = 0; s && i < s->n; i++) {
        sl_regex_free(s->step[i].regex);
        free(s->step[i].literal);
    }
    free(s);
}

enum sl_status sl_steps_worker_new(struct sl_steps_worker **out, struct sl_err *err)
{
    struct sl_steps_worker *w = calloc(1, sizeof *w);
    *out = NULL;
    if (!w)
        return sl_err_nomem(err, sizeof *w);
    sl_buf_init(&w->old, SIZE_MAX / 2);
    sl_buf_init(&w->new, SIZE_MAX / 2);
    enum sl_status st = sl_matcher_new(&w->matcher, err);
    if (st == SL_OK)
        *out = w;
    else
        free(w);
    return st;
}

void sl_steps_worker_free(struct sl_steps_worker *w)
{
    if (!w)
        return;
    sl_buf_release(&w->old);
    sl_buf_release(&w->new);
    sl_matcher_free(w->matcher);
    free(w);
}

/* One step's way through one piece. */
struct cut {
    const struct step *step;
    struct sl_buf *out;
    size_t first;   /* bytes of out before this piece's pieces */
    bool was_match; /* the part before was one */
    size_t base;    /* where the piece begins in the text */
};

/* The next part of the piece, a match or a gap, ends at end. */
static enum sl_status part(struct cut *c, size_t end, bool is_match, struct sl_err *err)
{
    uint32_t value = (uint32_t)(c->base + end);
    bool joins = false;
    is_match ^= c->step->invert;
    switch (c->step->behaviour) {
    case SL_SPLIT_ISOLATED:
        break;
    case SL_SPLIT_REMOVED:
        value |= is_match ? REMOVED : 0;
        break;
    case SL_SPLIT_MERGED_WITH_PREVIOUS:
        joins = is_match && !c->was_match;
        break;
    case SL_SPLIT_MERGED_WITH_NEXT:
        joins = !is_match && c->was_match;
        break;
    case SL_SPLIT_CONTIGUOUS:
        joins = is_match == c->was_match;
        break;
    }
    c->was_match = is_match;
    if (joins && c->out->n > c->first)
        c->out->n -= sizeof value;
    return sl_buf_add(c->out, &value, sizeof value, err);
}

/* The next match of a step in a text: SL_END where there is none. */
static enum sl_status find(const struct step *step, struct sl_steps_worker *w, struct sl_str text,
                           size_t from, size_t found[2], struct sl_err *err)
{
    if (from >= text.n)
        return SL_END;
    if (step->regex)
        return sl_regex_find(step->regex, w->matcher, text, from, found, err);
    if (step->scan) {
        found[0] = from;
        found[1] = step->scan((const uint8_t *)text.p, from, text.n);
        return SL_OK;
    }
    const char *hit = step->literal_bytes
                          ? memmem(text.p + from, text.n - from, step->literal, step->literal_bytes)
                          : NULL;
    if (!hit)
        return SL_END;
    found[0] = (size_t)(hit - text.p);
    found[1] = found[0] + step->literal_bytes;
    return SL_OK;
}

static enum sl_status cut_piece(const struct step *step, struct sl_steps_worker *w,
                                struct sl_str text, size_t base, struct sl_err *err)
{
    struct cut c = { step, &w->new, w->new.n, false, base };
    size_t at = 0, found[2] = { 0, 0 };
    enum sl_status st;
    while ((st = find(step, w, text, at, found, err)) == SL_OK) {
        if (found[0] > at)
            SL_TRY(part(&c, found[0], false, err));
        SL_TRY(part(&c, found[1], true, err));
        at = found[1];
    }
    if (st == SL_END)
        st = SL_OK;
    if (st == SL_OK && at < text.n)
        st = part(&c, text.n, false, err);
    return st;
}

static const uint32_t *pieces(const struct sl_steps_worker *w, size_t *n)
{
    *n = w->old.n / sizeof(uint32_t);
    return (const uint32_t *)(const void *)w->old.p;
}

enum sl_status sl_steps_run(const struct sl_steps *s, struct sl_steps_worker *w, struct sl_str text,
                            struct sl_err *err)
{
    uint32_t whole = (uint32_t)text.n;
    sl_buf_reset(&w->old);
    SL_TRY(sl_buf_add(&w->old, &whole, text.n ? sizeof whole : 0, err));
    for (size_t i = 0; i < s->n; i++) {
        size_t n, at = 0;
        const uint32_t *ends = pieces(w, &n);
        sl_buf_reset(&w->new);
        sl_matcher_budget(w->matcher, text.n);
        for (size_t k = 0; k < n; k++) {
            size_t end = ends[k] & ~REMOVED;
            struct sl_str piece = { text.p + at, end - at };
            if (ends[k] & REMOVED)
                SL_TRY(sl_buf_add(&w->new, &ends[k], sizeof ends[k], err));
            else
                SL_TRY(cut_piece(&s->step[i], w, piece, at, err));
            at = end;
        }
        struct sl_buf t = w->old;
        w->old = w->new;
        w->new = t;
    }
    return SL_OK;
}

size_t sl_steps_find(const struct sl_steps_worker *w, size_t at)
{
    size_t low = 0, high;
    const uint32_t *ends = pieces(w, &high);
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if ((ends[mid] & ~REMOVED) > at)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

size_t sl_steps_tell(const struct sl_steps_worker *w, size_t first, const struct sl_split_ask *ask)
{
    size_t n, told = 0;
    const uint32_t *ends = pieces(w, &n);
    for (; told < ask->most && first + told < n; told++) {
        uint32_t end = ends[first + told];
        ask->ends[told] = end & ~REMOVED;
        if (ask->removed && end & REMOVED)
            ask->removed[told / 64] |= UINT64_C(1) << (told % 64);
    }
    return told;
}
