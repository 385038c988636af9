/* SPDX-License-Identifier: Apache-2.0 */
/* Reading rank files: lines of base64 and a number, then the small JSON beside them. */
#include "token/tiktoken_file.h"

#include <stdio.h>

#include "base/num.h"
#include "token/hf_json.h"

enum { MAX_TOKEN_BYTES = 1 << 16, MAX_PATTERN_BYTES = 1 << 16 };

/* ---- base64 ---- */

static int digit_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool sl_base64_decode(struct sl_buf *out, struct sl_str s)
{
    size_t pad = 0;
    while (pad < 2 && pad < s.n && s.p[s.n - 1 - pad] == '=')
        pad++;
    if (s.n % 4 || !s.n || sl_buf_reserve(out, s.n / 4 * 3, NULL) != SL_OK)
        return false;
    for (size_t i = 0; i < s.n; i += 4) {
        uint32_t v = 0;
        for (size_t k = 0; k < 4; k++) {
            int d = i + k >= s.n - pad ? 0 : digit_of((uint8_t)s.p[i + k]);
            if (d < 0)
                return false;
            v = v << 6 | (uint32_t)d;
        }
        out->p[out->n++] = (uint8_t)(v >> 16);
        out->p[out->n++] = (uint8_t)(v >> 8);
        out->p[out->n++] = (uint8_t)v;
    }
    out->n -= pad;
    return true;
}

/* ---- ranks ---- */

static enum sl_status read_line(struct sl_bpe_vocab *v, struct sl_str line, struct sl_buf *token,
                                struct sl_err *err)
{
    uint64_t rank;
    size_t at = sl_str_find(line, 0, ' ');
    struct sl_str number = { line.p + at + 1, at < line.n ? line.n - at - 1 : 0 };
    sl_buf_reset(token);
    if (!sl_parse_u64(number, &rank) || rank >= SL_BPE_MAX_ID ||
        !sl_base64_decode(token, (struct sl_str){ line.p, at }))
        return sl_err_set(err, SL_E_DATA, "is not base64, a blank and a rank");
    return sl_bpe_vocab_add(v, sl_buf_str(token), (uint32_t)rank, err);
}

static enum sl_status read_ranks(struct sl_bpe *b, struct sl_str text, struct sl_err *err)
{
    struct sl_err why = SL_ERR_INIT;
    struct sl_buf token;
    enum sl_status st = SL_OK;
    long n = 0;
    sl_buf_init(&token, MAX_TOKEN_BYTES);
    for (size_t at = 0; st == SL_OK && at < text.n;) {
        size_t end = sl_str_find(text, at, '\n');
        struct sl_str line = { text.p + at, end - at };
        at = end + 1;
        n++;
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (line.n)
            st = read_line(sl_bpe_vocab(b), line, &token, &why);
    }
    sl_buf_release(&token);
    if (st != SL_OK)
        return sl_err_set(err, st, "line %ld of the ranks %s", n, why.msg);
    SL_TRY(sl_bpe_words_done(b, err));
    SL_TRY(sl_bpe_add_ranks(b, 0, err));
    return sl_bpe_done(b, err);
}

/* ---- what stands beside them ---- */

static enum sl_status no_pattern(const char *name, struct sl_err *err)
{
    char there[256] = "";
    size_t used = 0;
    for (const char *const *n = sl_split_names() + 1; *n && used + 32 < sizeof there; n++)
        used += (size_t)snprintf(there + used, sizeof there - used, "%s%s", used ? ", " : "", *n);
    if (!name)
        return sl_err_set(err, SL_E_USAGE,
                          "ranks need a pattern: a file NAME.tiktoken.json beside them, or "
                          "--pattern (%s)",
                          there);
    return sl_err_set(err, SL_E_USAGE, "no pattern '%s' (there are %s)", name, there);
}

enum sl_status sl_tiktoken_split(struct sl_split **out, const char *name, struct sl_str pattern,
                                 struct sl_err *err)
{
    struct sl_split_step step = {
        .pattern = pattern, .invert = true, .behaviour = SL_SPLIT_REMOVED, .engine = SL_REGEX_RUST
    };
    if (!name)
        return sl_split_new_steps(out, &step, 1, err);
    enum sl_split_kind kind = sl_split_find(sl_str_of(name));
    return kind == SL_N_SPLITS ? no_pattern(name, err) : sl_split_new(out, kind, err);
}

static enum sl_status add_special(struct sl_bpe_parts *p, struct sl_str s, uint32_t id,
                                  struct sl_err *err)
{
    struct sl_added_token token = { .id = id, .special = true };
    if (id >= SL_BPE_MAX_ID)
        return sl_err_set(err, SL_E_DATA, "special_tokens: the id %u is too large", id);
    if (id > p->info.max_id)
        p->info.max_id = id;
    p->info.vocab_size++;
    if (sl_str_eq(s, SL_STR("<|endoftext|>")) || sl_str_eq(s, SL_STR("<|end_of_text|>")))
        p->info.eos = id;
    if (sl_str_eq(s, SL_STR("<|begin_of_text|>")) || sl_str_eq(s, SL_STR("<|startoftext|>")))
        p->info.bos = id;
    return sl_added_add(&p->raw, s, &token, err);
}

static enum sl_status read_specials(struct sl_bpe_parts *p, const struct sl_json_piece *v,
                                    struct sl_buf *text, struct sl_err *err)
{
    struct sl_json_scan s;
    struct sl_json_piece key, value;
    uint32_t id;
    if (!sl_hf_has(v))
        return SL_OK;
    sl_json_scan_init(&s, v->raw);
    if (!sl_json_scan_open(&s, '{'))
        return sl_err_set(err, SL_E_DATA, "'special_tokens' is no object");
    while (sl_json_scan_member(&s, &key, &value) == SL_JSON_STEP_ONE) {
        SL_TRY(sl_hf_str(&key, "special_tokens", text, err));
        SL_TRY(sl_hf_id(&value, "special_tokens", &id, err));
        SL_TRY(add_special(p, sl_buf_str(text), id, err));
    }
    return SL_OK;
}

static enum sl_status read_beside(struct sl_bpe_parts *p, struct sl_str json, const char *pattern,
                                  struct sl_buf *text, struct sl_err *err)
{
    static const char *const names[] = { "pat_str", "special_tokens" };
    struct sl_json_piece m[2] = { { .raw = { NULL, 0 } }, { .raw = { NULL, 0 } } };
    if (json.n)
        SL_TRY(sl_hf_members(json, "tiktoken.json", names, m, 2, err));
    if (!sl_hf_has(&m[0]) && !pattern)
        return no_pattern(NULL, err);
    SL_TRY(read_specials(p, &m[1], text, err));
    SL_TRY(sl_hf_str(&m[0], "pat_str", text, err));
    return sl_tiktoken_split(&p->split, pattern, sl_buf_str(text), err);
}

static enum sl_status read_parts(struct sl_bpe_parts *p, struct sl_str ranks, struct sl_str beside,
                                 const char *pattern, struct sl_err *err)
{
    static const struct sl_bpe_conf conf = { .byte_level = true, .ignore_merges = true };
    struct sl_buf text;
    SL_TRY(sl_bpe_new(&p->bpe, &conf, err));
    SL_TRY(read_ranks(p->bpe, ranks, err));
    p->info.max_id = sl_bpe_vocab(p->bpe)->max_id;
    p->info.vocab_size = (uint32_t)sl_bpe_vocab_count(sl_bpe_vocab(p->bpe));
    sl_buf_init(&text, MAX_PATTERN_BYTES);
    enum sl_status st = read_beside(p, beside, pattern, &text, err);
    sl_buf_release(&text);
    return st;
}

enum sl_status sl_tiktoken_file_read(struct sl_tokenizer **out, struct sl_str ranks,
                                     struct sl_str beside, const char *pattern, bool allow_special,
                                     struct sl_err *err)
{
    struct sl_bpe_parts p;
    sl_bpe_parts_init(&p);
    p.allow_special = allow_special;
    enum sl_status st = read_parts(&p, ranks, beside, pattern, err);
    if (st == SL_OK)
        st = sl_bpe_tokenizer_new(out, &p, err);
    sl_bpe_parts_release(&p);
    return st;
}
