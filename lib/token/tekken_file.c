/* SPDX-License-Identifier: Apache-2.0 */
/* Reading tekken.json: the config, the ranks that the vocabulary has room for, and, in newer
 * files, the list of special tokens. Older ones have the first three by convention: unknown,
 * begin, end. */
#include "token/tekken_file.h"

#include "base/num.h"
#include "token/hf_json.h"
#include "token/tiktoken_file.h"

enum { MAX_TOKEN_BYTES = 1 << 16, BOS = 1, EOS = 2 };

struct reader {
    struct sl_bpe_parts parts;
    struct sl_buf text, bytes;
    uint32_t n_special, n_ids;
};

static enum sl_status read_config(struct reader *r, const struct sl_json_piece *v,
                                  struct sl_err *err)
{
    static const char *const names[] = { "pattern", "default_vocab_size",
                                         "default_num_special_tokens" };
    struct sl_json_piece m[3];
    if (!sl_hf_has(v))
        return sl_err_set(err, SL_E_DATA, "no 'config'");
    SL_TRY(sl_hf_members(v->raw, "config", names, m, 3, err));
    if (!sl_hf_has(&m[0]))
        return sl_err_set(err, SL_E_DATA, "config: no 'pattern'");
    SL_TRY(sl_hf_id(&m[1], "default_vocab_size", &r->n_ids, err));
    SL_TRY(sl_hf_id(&m[2], "default_num_special_tokens", &r->n_special, err));
    if (r->n_ids > SL_BPE_MAX_ID || r->n_special >= r->n_ids)
        return sl_err_set(err, SL_E_DATA, "config: default_vocab_size %u of which %u special",
                          r->n_ids, r->n_special);
    SL_TRY(sl_hf_str(&m[0], "pattern", &r->text, err));
    return sl_tiktoken_split(&r->parts.split, NULL, sl_buf_str(&r->text), err);
}

static enum sl_status read_rank(struct reader *r, const struct sl_json_piece *v, struct sl_err *err)
{
    static const char *const names[] = { "rank", "token_bytes" };
    struct sl_json_piece m[2];
    uint32_t rank;
    SL_TRY(sl_hf_members(v->raw, "vocab", names, m, 2, err));
    SL_TRY(sl_hf_id(&m[0], "rank", &rank, err));
    if (rank >= r->n_ids - r->n_special)
        return SL_OK;
    SL_TRY(sl_hf_str(&m[1], "token_bytes", &r->text, err));
    sl_buf_reset(&r->bytes);
    if (!sl_base64_decode(&r->bytes, sl_buf_str(&r->text)))
        return sl_err_set(err, SL_E_DATA, "'token_bytes' is no base64");
    return sl_bpe_vocab_add(sl_bpe_vocab(r->parts.bpe), sl_buf_str(&r->bytes), rank + r->n_special,
                            err);
}

static enum sl_status read_special(struct reader *r, const struct sl_json_piece *v,
                                   struct sl_err *err)
{
    static const char *const names[] = { "rank", "token_str" };
    struct sl_json_piece m[2];
    struct sl_added_token token = { .special = true };
    SL_TRY(sl_hf_members(v->raw, "special_tokens", names, m, 2, err));
    SL_TRY(sl_hf_id(&m[0], "rank", &token.id, err));
    SL_TRY(sl_hf_str(&m[1], "token_str", &r->text, err));
    if (token.id >= r->n_special)
        return sl_err_set(err, SL_E_DATA, "the rank %u is none of the special tokens", token.id);
    if (sl_str_eq(sl_buf_str(&r->text), SL_STR("<pad>")))
        r->parts.info.pad = token.id;
    return sl_added_add(&r->parts.raw, sl_buf_str(&r->text), &token, err);
}

static enum sl_status
read_list(struct reader *r, const struct sl_json_piece *v, const char *name,
          enum sl_status (*read)(struct reader *, const struct sl_json_piece *, struct sl_err *),
          struct sl_err *err)
{
    struct sl_json_scan s;
    struct sl_json_piece item;
    struct sl_err why = SL_ERR_INIT;
    sl_json_scan_init(&s, v->raw);
    if (!sl_json_scan_open(&s, '['))
        return sl_err_set(err, SL_E_DATA, "'%s' is no array", name);
    for (long n = 1; sl_json_scan_item(&s, &item) == SL_JSON_STEP_ONE; n++) {
        enum sl_status st = read(r, &item, &why);
        if (st != SL_OK)
            return sl_err_set(err, st, "%s: number %ld: %s", name, n, why.msg);
    }
    return SL_OK;
}

static enum sl_status read_parts(struct reader *r, struct sl_str json, struct sl_err *err)
{
    static const char *const names[] = { "config", "vocab", "special_tokens" };
    static const struct sl_bpe_conf conf = { .byte_level = true, .ignore_merges = true };
    struct sl_json_piece m[3];
    SL_TRY(sl_hf_members(json, "tekken.json", names, m, 3, err));
    SL_TRY(read_config(r, &m[0], err));
    if (!sl_hf_has(&m[1]))
        return sl_err_set(err, SL_E_DATA, "no 'vocab'");
    SL_TRY(sl_bpe_new(&r->parts.bpe, &conf, err));
    SL_TRY(read_list(r, &m[1], "vocab", read_rank, err));
    SL_TRY(sl_bpe_words_done(r->parts.bpe, err));
    SL_TRY(sl_bpe_add_ranks(r->parts.bpe, r->n_special, err));
    SL_TRY(sl_bpe_done(r->parts.bpe, err));
    struct sl_token_info *info = &r->parts.info;
    info->vocab_size = r->n_ids;
    info->max_id = r->n_ids - 1;
    if (r->n_special > EOS) {
        info->bos = BOS;
        info->eos = EOS;
    }
    return sl_hf_has(&m[2]) ? read_list(r, &m[2], "special_tokens", read_special, err) : SL_OK;
}

enum sl_status sl_tekken_file_read(struct sl_tokenizer **out, struct sl_str json,
                                   bool allow_special, struct sl_err *err)
{
    struct reader r = { .n_ids = 0 };
    sl_bpe_parts_init(&r.parts);
    r.parts.allow_special = allow_special;
    sl_buf_init(&r.text, MAX_TOKEN_BYTES * 2);
    sl_buf_init(&r.bytes, MAX_TOKEN_BYTES * 2);
    enum sl_status st = read_parts(&r, json, err);
    if (st == SL_OK)
        st = sl_bpe_tokenizer_new(out, &r.parts, err);
    sl_bpe_parts_release(&r.parts);
    sl_buf_release(&r.text);
    sl_buf_release(&r.bytes);
    return st;
}
