/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a tokenizer.json: its model and its added tokens.
 *
 * In byte-level files words are written in a byte alphabet of printable characters. They are
 * turned back into bytes here, once, so that encoding sees bytes alone. A word with a character
 * outside of that alphabet can never come of a text; it is kept aside, for the ids of added
 * tokens and for merges that name it. Where characters matter (a suffix of words, byte
 * fallback), words stay as they are written and pieces are written the same way instead.
 *
 * Ids of added tokens are given as the library gives them: that of the model's word where there
 * is one, else one more than the largest, whatever the file says. */
#include "token/hf_file.h"

#include "base/utf8.h"
#include "token/bpe_tokenizer.h"
#include "token/hf_json.h"
#include "token/hf_steps.h"

enum { MAX_WORD_BYTES = 1 << 26 };

enum { T_VERSION, T_ADDED, T_NORMALIZER, T_PRE, T_MODEL, T_NAMES };
static const char *const top_names[] = { "version", "added_tokens", "normalizer", "pre_tokenizer",
                                         "model" };
enum {
    M_TYPE,
    M_DROPOUT,
    M_UNK,
    M_PREFIX,
    M_SUFFIX,
    M_FUSE,
    M_FALLBACK,
    M_IGNORE,
    M_VOCAB,
    M_MERGES,
    M_NAMES
};
static const char *const model_names[] = { "type",
                                           "dropout",
                                           "unk_token",
                                           "continuing_subword_prefix",
                                           "end_of_word_suffix",
                                           "fuse_unk",
                                           "byte_fallback",
                                           "ignore_merges",
                                           "vocab",
                                           "merges" };
enum { A_ID, A_CONTENT, A_SINGLE, A_LSTRIP, A_RSTRIP, A_NORMALIZED, A_SPECIAL, A_NAMES };
static const char *const added_names[] = { "id",     "content",    "single_word", "lstrip",
                                           "rstrip", "normalized", "special" };

struct reader {
    struct sl_bpe_parts parts;
    bool bytes;              /* words are turned into bytes */
    int16_t byte_of[0x180];  /* of characters of the byte alphabet, or -1 */
    struct sl_bpe_vocab odd; /* words outside of it, as they are written */
    struct sl_buf left, right, a, b;
    uint32_t n_words, max_added;
    bool any_added;
};

static void reader_init(struct reader *r)
{
    memset(r, 0, sizeof *r);
    sl_bpe_parts_init(&r->parts);
    sl_bpe_vocab_init(&r->odd);
    sl_buf_init(&r->left, MAX_WORD_BYTES);
    sl_buf_init(&r->right, MAX_WORD_BYTES);
    sl_buf_init(&r->a, MAX_WORD_BYTES);
    sl_buf_init(&r->b, MAX_WORD_BYTES);
    for (uint32_t cp = 0; cp < 0x180; cp++)
        r->byte_of[cp] = (int16_t)sl_bpe_char_byte(cp);
}

static void reader_release(struct reader *r)
{
    sl_bpe_parts_release(&r->parts);
    sl_bpe_vocab_release(&r->odd);
    sl_buf_release(&r->left);
    sl_buf_release(&r->right);
    sl_buf_release(&r->a);
    sl_buf_release(&r->b);
}

/* ---- words ---- */

/* The word as the model has it; false where it is odd (*out is then as written). */
static enum sl_status word_of(struct reader *r, struct sl_str s, struct sl_buf *buf,
                              struct sl_str *out, bool *odd, struct sl_err *err)
{
    *odd = false;
    *out = s;
    if (!r->bytes || !s.n)
        return SL_OK;
    sl_buf_reset(buf);
    SL_TRY(sl_buf_reserve(buf, s.n, err));
    const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;
    while (p < end) {
        uint32_t cp = sl_utf8_next(&p, end);
        if (cp >= 0x180 || r->byte_of[cp] < 0) {
            *odd = true;
            return SL_OK;
        }
        buf->p[buf->n++] = (uint8_t)r->byte_of[cp];
    }
    *out = sl_buf_str(buf);
    return SL_OK;
}

static enum sl_status id_of(struct reader *r, struct sl_str s, uint32_t *id, struct sl_err *err)
{
    struct sl_str word;
    bool odd;
    SL_TRY(word_of(r, s, &r->a, &word, &odd, err));
    *id = sl_bpe_vocab_find(odd ? &r->odd : sl_bpe_vocab(r->parts.bpe), word);
    return SL_OK;
}

static enum sl_status read_vocab(struct reader *r, const struct sl_json_piece *v,
                                 struct sl_err *err)
{
    struct sl_json_scan s;
    struct sl_json_piece key, value;
    uint32_t id;
    sl_json_scan_init(&s, v->raw);
    if (!sl_json_scan_open(&s, '{'))
        return sl_err_set(err, SL_E_DATA, "model: 'vocab' is no object");
    while (sl_json_scan_member(&s, &key, &value) == SL_JSON_STEP_ONE) {
        struct sl_str word;
        bool odd;
        SL_TRY(sl_hf_str(&key, "vocab", &r->left, err));
        SL_TRY(sl_hf_id(&value, "vocab", &id, err));
        SL_TRY(word_of(r, sl_buf_str(&r->left), &r->a, &word, &odd, err));
        SL_TRY(sl_bpe_vocab_add(odd ? &r->odd : sl_bpe_vocab(r->parts.bpe), word, id, err));
        r->n_words++;
    }
    if (!r->n_words)
        return sl_err_set(err, SL_E_DATA, "model: 'vocab' is empty");
    SL_TRY(sl_bpe_vocab_index(&r->odd, err));
    return sl_bpe_words_done(r->parts.bpe, err);
}

/* ---- merges ---- */

/* "a b", as older files have it, or ["a", "b"]. */
static enum sl_status merge_parts(struct reader *r, const struct sl_json_piece *v,
                                  struct sl_str *left, struct sl_str *right, struct sl_err *err)
{
    struct sl_json_scan s;
    struct sl_json_piece item[3];
    if (v->kind == SL_JSON_PIECE_STRING) {
        SL_TRY(sl_hf_str(v, "merges", &r->left, err));
        struct sl_str both = sl_buf_str(&r->left);
        size_t at = sl_str_find(both, 0, ' ');
        if (at == both.n || sl_str_find(both, at + 1, ' ') != both.n)
            return sl_err_set(err, SL_E_DATA, "a merge is not two words with a blank between");
        *left = (struct sl_str){ both.p, at };
        *right = (struct sl_str){ both.p + at + 1, both.n - at - 1 };
        return SL_OK;
    }
    sl_json_scan_init(&s, v->raw);
    if (!sl_json_scan_open(&s, '[') || sl_json_scan_item(&s, &item[0]) != SL_JSON_STEP_ONE ||
        sl_json_scan_item(&s, &item[1]) != SL_JSON_STEP_ONE ||
        sl_json_scan_item(&s, &item[2]) == SL_JSON_STEP_ONE)
        return sl_err_set(err, SL_E_DATA, "a merge is not two words");
    SL_TRY(sl_hf_str(&item[0], "merges", &r->left, err));
    SL_TRY(sl_hf_str(&item[1], "merges", &r->right, err));
    *left = sl_buf_str(&r->left);
    *right = sl_buf_str(&r->right);
    return SL_OK;
}

/* A merge of an odd word never happens, but must be right. */
static enum sl_status odd_merge(struct reader *r, struct sl_str left, struct sl_str right,
                                struct sl_err *err)
{
    uint32_t a, b, both;
    SL_TRY(id_of(r, left, &a, err));
    SL_TRY(id_of(r, right, &b, err));
    sl_buf_reset(&r->b);
    SL_TRY(sl_buf_add_str(&r->b, left, err));
    SL_TRY(sl_buf_add_str(&r->b, right, err));
    SL_TRY(id_of(r, sl_buf_str(&r->b), &both, err));
    if (a == SL_BPE_NONE || b == SL_BPE_NONE || both == SL_BPE_NONE)
        return sl_err_set(err, SL_E_DATA, "a part is not in the vocabulary");
    return SL_OK;
}

static enum sl_status read_merge(struct reader *r, const struct sl_json_piece *v,
                                 struct sl_err *err)
{
    struct sl_str left, right, a, b;
    bool odd_a, odd_b;
    SL_TRY(merge_parts(r, v, &left, &right, err));
    SL_TRY(word_of(r, left, &r->a, &a, &odd_a, err));
    SL_TRY(word_of(r, right, &r->b, &b, &odd_b, err));
    if (odd_a || odd_b)
        return odd_merge(r, left, right, err);
    return sl_bpe_add_merge(r->parts.bpe, a, b, err);
}

static enum sl_status read_merges(struct reader *r, const struct sl_json_piece *v,
                                  struct sl_err *err)
{
    struct sl_json_scan s;
    struct sl_json_piece item;
    struct sl_err why = SL_ERR_INIT;
    sl_json_scan_init(&s, v->raw);
    if (!sl_json_scan_open(&s, '['))
        return sl_err_set(err, SL_E_DATA, "model: 'merges' is no array");
    for (long n = 1; sl_json_scan_item(&s, &item) == SL_JSON_STEP_ONE; n++) {
        enum sl_status st = read_merge(r, &item, &why);
        if (st != SL_OK)
            return sl_err_set(err, st, "model: merge %ld: %s", n, why.msg);
    }
    return sl_bpe_done(r->parts.bpe, err);
}

/* ---- the model ---- */

static enum sl_status check_type(const struct sl_json_piece *m, struct sl_err *err)
{
    const struct sl_json_piece *type = &m[M_TYPE];
    if (sl_hf_is(type, "Unigram"))
        return sl_err_set(err, SL_E_DATA, "model 'Unigram' is not there yet");
    if (sl_hf_has(type) && !sl_hf_is(type, "BPE"))
        return sl_err_set(err, SL_E_DATA, "model '%.*s' is not supported (BPE is)",
                          type->raw.n > 64 ? 64 : (int)type->raw.n, type->raw.p);
    if (!sl_hf_has(&m[M_VOCAB]))
        return sl_err_set(err, SL_E_DATA, "model: no 'vocab'");
    if (!sl_hf_has(&m[M_MERGES]))
        return sl_err_set(err, SL_E_DATA, "model: no 'merges'");
    const struct sl_json_piece *d = &m[M_DROPOUT];
    if (sl_hf_has(d) && !sl_str_eq(d->raw, SL_STR("0")) && !sl_str_eq(d->raw, SL_STR("0.0")))
        return sl_err_set(err, SL_E_DATA, "model: 'dropout' makes ids random: not supported");
    return SL_OK;
}

/* The strings of the conf stand in the reader's buffers until sl_bpe_new copies them. */
static enum sl_status model_conf(struct reader *r, const struct sl_json_piece *m, bool byte_level,
                                 struct sl_bpe_conf *conf, struct sl_err *err)
{
    SL_TRY(sl_hf_bool(&m[M_FUSE], "fuse_unk", 0, &conf->fuse_unk, err));
    SL_TRY(sl_hf_bool(&m[M_FALLBACK], "byte_fallback", 0, &conf->byte_fallback, err));
    SL_TRY(sl_hf_bool(&m[M_IGNORE], "ignore_merges", 0, &conf->ignore_merges, err));
    SL_TRY(sl_hf_str(&m[M_UNK], "unk_token", &r->left, err));
    SL_TRY(sl_hf_str(&m[M_PREFIX], "continuing_subword_prefix", &r->right, err));
    SL_TRY(sl_hf_str(&m[M_SUFFIX], "end_of_word_suffix", &r->b, err));
    conf->prefix = sl_buf_str(&r->right);
    conf->suffix = sl_buf_str(&r->b);
    for (size_t i = 0; i < conf->prefix.n; i++)
        if ((uint8_t)conf->prefix.p[i] >= 0x80)
            return sl_err_set(err, SL_E_DATA,
                              "model: a 'continuing_subword_prefix' beyond ASCII "
                              "is not supported");
    if (conf->prefix.n > 64 || conf->suffix.n > 64)
        return sl_err_set(err, SL_E_DATA, "model: a prefix or suffix of more than 64 bytes");
    bool chars = conf->prefix.n || conf->suffix.n || conf->byte_fallback;
    r->bytes = conf->byte_level = byte_level && !chars;
    conf->byte_chars = byte_level && chars;
    bool odd = false;
    SL_TRY(word_of(r, sl_buf_str(&r->left), &r->a, &conf->unk, &odd, err));
    if (odd)
        return sl_err_set(err, SL_E_DATA,
                          "model: an 'unk_token' outside of the byte alphabet is "
                          "not supported");
    return SL_OK;
}

static enum sl_status read_model(struct reader *r, const struct sl_json_piece *v, bool byte_level,
                                 struct sl_err *err)
{
    struct sl_json_piece m[M_NAMES];
    struct sl_bpe_conf conf = { .byte_level = false };
    if (!sl_hf_has(v))
        return sl_err_set(err, SL_E_DATA, "no 'model'");
    SL_TRY(sl_hf_members(v->raw, "model", model_names, m, M_NAMES, err));
    SL_TRY(check_type(m, err));
    SL_TRY(model_conf(r, m, byte_level, &conf, err));
    SL_TRY(sl_bpe_new(&r->parts.bpe, &conf, err));
    SL_TRY(read_vocab(r, &m[M_VOCAB], err));
    return read_merges(r, &m[M_MERGES], err);
}

/* ---- added tokens ---- */

static uint32_t next_id(const struct reader *r)
{
    return r->any_added && r->max_added >= r->n_words ? r->max_added + 1 : r->n_words;
}

/* What ends, begins and pads documents, by the names that models give them. */
static void note_marks(struct sl_token_info *info, struct sl_str s, uint32_t id)
{
    static const char *const eos[] = { "<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>",
                                       "<\xef\xbd\x9c"
                                       "end\xe2\x96\x81of\xe2\x96\x81sentence"
                                       "\xef\xbd\x9c>" };
    static const char *const bos[] = { "<|begin_of_text|>", "<s>", "<bos>", "<|startoftext|>",
                                       "<\xef\xbd\x9c"
                                       "begin\xe2\x96\x81of\xe2\x96\x81sentence"
                                       "\xef\xbd\x9c>" };
    static const char *const pad[] = { "<pad>", "<|pad|>", "[PAD]", "<|finetune_right_pad_id|>",
                                       "<\xef\xbd\x9c\xe2\x96\x81pad\xe2\x96\x81\xef\xbd\x9c>" };
    for (int i = 0; i < 5; i++) {
        if (info->eos == SL_TOKEN_NONE && sl_str_eq(s, sl_str_of(eos[i])))
            info->eos = id;
        if (info->bos == SL_TOKEN_NONE && sl_str_eq(s, sl_str_of(bos[i])))
            info->bos = id;
        if (info->pad == SL_TOKEN_NONE && sl_str_eq(s, sl_str_of(pad[i])))
            info->pad = id;
    }
}

static enum sl_status give_id(struct reader *r, struct sl_str content, uint32_t *id,
                              struct sl_err *err)
{
    SL_TRY(id_of(r, content, id, err));
    if (*id == SL_BPE_NONE) {
        *id = next_id(r);
        r->parts.info.vocab_size++;
    }
    if (*id >= SL_BPE_MAX_ID)
        return sl_err_set(err, SL_E_DATA, "the id %u is over %u", *id, SL_BPE_MAX_ID - 1);
    if (!r->any_added || *id > r->max_added)
        r->max_added = *id;
    r->any_added = true;
    note_marks(&r->parts.info, content, *id);
    return SL_OK;
}

static enum sl_status add_normal(struct reader *r, struct sl_str content,
                                 const struct sl_added_token *token, struct sl_err *err)
{
    struct sl_buf buf[2];
    sl_buf_init(&buf[0], MAX_WORD_BYTES);
    sl_buf_init(&buf[1], MAX_WORD_BYTES);
    enum sl_status st = sl_normalise(&r->parts.normaliser, content, buf, &content, err);
    if (st == SL_OK)
        st = sl_added_add(&r->parts.normal, content, token, err);
    sl_buf_release(&buf[0]);
    sl_buf_release(&buf[1]);
    return st;
}

static enum sl_status read_added(struct reader *r, const struct sl_json_piece *v,
                                 struct sl_err *err)
{
    struct sl_json_piece m[A_NAMES];
    struct sl_added_token t = { .id = 0 };
    bool normalized, single_word;
    SL_TRY(sl_hf_members(v->raw, "added_tokens", added_names, m, A_NAMES, err));
    SL_TRY(sl_hf_id(&m[A_ID], "id", &t.id, err));
    SL_TRY(sl_hf_bool(&m[A_SINGLE], "single_word", -1, &single_word, err));
    SL_TRY(sl_hf_bool(&m[A_LSTRIP], "lstrip", -1, &t.lstrip, err));
    SL_TRY(sl_hf_bool(&m[A_RSTRIP], "rstrip", -1, &t.rstrip, err));
    SL_TRY(sl_hf_bool(&m[A_NORMALIZED], "normalized", -1, &normalized, err));
    SL_TRY(sl_hf_bool(&m[A_SPECIAL], "special", -1, &t.special, err));
    if (!sl_hf_has(&m[A_CONTENT]))
        return sl_err_set(err, SL_E_DATA, "'content' is missing");
    SL_TRY(sl_hf_str(&m[A_CONTENT], "content", &r->left, err));
    struct sl_str content = sl_buf_str(&r->left);
    if (!content.n)
        return SL_OK;
    if (single_word)
        return sl_err_set(err, SL_E_DATA, "'single_word' is not supported");
    SL_TRY(give_id(r, content, &t.id, err));
    return normalized ? add_normal(r, content, &t, err)
                      : sl_added_add(&r->parts.raw, content, &t, err);
}

static enum sl_status read_all_added(struct reader *r, const struct sl_json_piece *v,
                                     struct sl_err *err)
{
    struct sl_json_scan s;
    struct sl_json_piece item;
    struct sl_err why = SL_ERR_INIT;
    if (!sl_hf_has(v))
        return SL_OK;
    sl_json_scan_init(&s, v->raw);
    if (!sl_json_scan_open(&s, '['))
        return sl_err_set(err, SL_E_DATA, "'added_tokens' is no array");
    for (long n = 1; sl_json_scan_item(&s, &item) == SL_JSON_STEP_ONE; n++) {
        enum sl_status st = read_added(r, &item, &why);
        if (st != SL_OK)
            return sl_err_set(err, st, "added_tokens: number %ld: %s", n, why.msg);
    }
    return SL_OK;
}

static enum sl_status read_parts(struct reader *r, struct sl_str json, struct sl_err *err)
{
    struct sl_json_piece top[T_NAMES];
    bool byte_level = false;
    SL_TRY(sl_hf_members(json, "tokenizer.json", top_names, top, T_NAMES, err));
    if (sl_hf_has(&top[T_VERSION]) && !sl_hf_is(&top[T_VERSION], "1.0"))
        return sl_err_set(err, SL_E_DATA, "the version of the file is not 1.0");
    SL_TRY(sl_hf_normaliser(&r->parts, &top[T_NORMALIZER], err));
    SL_TRY(sl_hf_pre_tokenizer(&r->parts, &top[T_PRE], &byte_level, err));
    SL_TRY(read_model(r, &top[T_MODEL], byte_level, err));
    const struct sl_bpe_vocab *vocab = sl_bpe_vocab(r->parts.bpe);
    struct sl_token_info *info = &r->parts.info;
    info->max_id = vocab->max_id > r->odd.max_id ? vocab->max_id : r->odd.max_id;
    info->vocab_size = r->n_words;
    SL_TRY(read_all_added(r, &top[T_ADDED], err));
    if (r->any_added && r->max_added > info->max_id)
        info->max_id = r->max_added;
    return SL_OK;
}

enum sl_status sl_hf_file_read(struct sl_tokenizer **out, struct sl_str json, bool allow_special,
                               struct sl_err *err)
{
    struct reader r;
    reader_init(&r);
    r.parts.allow_special = allow_special;
    enum sl_status st = read_parts(&r, json, err);
    if (st == SL_OK)
        st = sl_bpe_tokenizer_new(out, &r.parts, err);
    reader_release(&r);
    return st;
}
