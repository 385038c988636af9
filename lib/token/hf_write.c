/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions are written as Hugging Face's files of the same models have them (cl100k's:
 * split_steps.c). Keys and their order are those of tokenizers 0.23, so that a file is also
 * equal, byte for byte, to what it would have written. */
#include "token/hf_write.h"

#include "base/json.h"
#include "token/byte_chars.h"

enum { MAX_STEPS = 3 };

/* The expressions, one after another; the number of them. */
static int steps_of(const struct sl_hf_split *how, struct sl_str steps[MAX_STEPS])
{
    int n = 0;
    if (how->kind == SL_N_SPLITS) {
        steps[0] = how->regex;
        return 1;
    }
    const char *text;
    while (n < MAX_STEPS && (text = sl_split_expression(how->kind, (size_t)n)))
        steps[n++] = sl_str_of(text);
    return n;
}

enum sl_status sl_hf_split_new(struct sl_split **out, const struct sl_hf_split *how,
                               struct sl_err *err)
{
    if (how->kind != SL_N_SPLITS)
        return sl_split_new(out, how->kind, err);
    const struct sl_split_step step = { .pattern = how->regex,
                                        .behaviour = SL_SPLIT_ISOLATED,
                                        .engine = SL_REGEX_ONIGURUMA };
    return sl_split_new_steps(out, &step, 1, err);
}

/* ---- JSON ---- */

static enum sl_status add_text(struct sl_buf *out, const char *text, struct sl_err *err)
{
    return sl_buf_add_str(out, sl_str_of(text), err);
}

static enum sl_status add_json_str(struct sl_buf *out, struct sl_str s, struct sl_err *err)
{
    struct sl_json *v = sl_json_new_str(s);
    enum sl_status st = v ? sl_json_dump(v, out, err) : sl_err_nomem(err, s.n);
    sl_json_free(v);
    return st;
}

/* The characters of the bytes in quotes: none needs an escape but two. */
static enum sl_status add_byte_chars(struct sl_buf *out, struct sl_str bytes, struct sl_err *err)
{
    size_t from = 0;
    SL_TRY(sl_buf_add_byte(out, '"', err));
    for (size_t i = 0; i < bytes.n; i++)
        if (bytes.p[i] == '"' || bytes.p[i] == '\\') {
            SL_TRY(sl_byte_chars_add(out, (struct sl_str){ bytes.p + from, i - from }, err));
            SL_TRY(sl_buf_add_byte(out, '\\', err));
            from = i;
        }
    SL_TRY(sl_byte_chars_add(out, (struct sl_str){ bytes.p + from, bytes.n - from }, err));
    return sl_buf_add_byte(out, '"', err);
}

static enum sl_status add_token(struct sl_buf *out, const struct sl_bpe_trainer *t, uint32_t id,
                                uint32_t n_specials, struct sl_err *err)
{
    struct sl_str s = sl_bpe_trainer_token(t, id);
    return id < n_specials ? add_json_str(out, s, err) : add_byte_chars(out, s, err);
}

static enum sl_status add_specials(struct sl_buf *out, const struct sl_bpe_trainer *t,
                                   uint32_t n_specials, struct sl_err *err)
{
    for (uint32_t id = 0; id < n_specials; id++) {
        SL_TRY(sl_buf_addf(out, err, "%s{\"id\":%u,\"content\":", id ? "," : "", id));
        SL_TRY(add_token(out, t, id, n_specials, err));
        SL_TRY(add_text(out,
                        ",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
                        "\"normalized\":false,\"special\":true}",
                        err));
    }
    return SL_OK;
}

#define BYTE_LEVEL(regex)                                                       \
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true," \
    "\"use_regex\":" regex "}"

static enum sl_status add_pre_tokenizer(struct sl_buf *out, const struct sl_hf_split *how,
                                        struct sl_err *err)
{
    struct sl_str steps[MAX_STEPS];
    int n = steps_of(how, steps);
    if (how->kind == SL_SPLIT_GPT2)
        return add_text(out, BYTE_LEVEL("true"), err);
    if (n == 0)
        return add_text(out, BYTE_LEVEL("false"), err);
    SL_TRY(add_text(out, "{\"type\":\"Sequence\",\"pretokenizers\":[", err));
    for (int i = 0; i < n; i++) {
        SL_TRY(add_text(out, "{\"type\":\"Split\",\"pattern\":{\"Regex\":", err));
        SL_TRY(add_json_str(out, steps[i], err));
        SL_TRY(add_text(out, "},\"behavior\":\"Isolated\",\"invert\":false},", err));
    }
    return add_text(out, BYTE_LEVEL("false") "]}", err);
}

static enum sl_status add_model(struct sl_buf *out, const struct sl_bpe_trainer *t,
                                uint32_t n_specials, struct sl_err *err)
{
    const struct sl_bpe_merge *merges;
    size_t n_merges = sl_bpe_trainer_merges(t, &merges);
    SL_TRY(add_text(out,
                    "{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,"
                    "\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,"
                    "\"fuse_unk\":false,\"byte_fallback\":false,\"ignore_merges\":false,"
                    "\"vocab\":{",
                    err));
    for (uint32_t id = 0; id < sl_bpe_trainer_vocab(t); id++) {
        SL_TRY(id ? sl_buf_add_byte(out, ',', err) : SL_OK);
        SL_TRY(add_token(out, t, id, n_specials, err));
        SL_TRY(sl_buf_addf(out, err, ":%u", id));
    }
    SL_TRY(add_text(out, "},\"merges\":[", err));
    for (size_t i = 0; i < n_merges; i++) {
        SL_TRY(add_text(out, i ? ",[" : "[", err));
        SL_TRY(add_token(out, t, merges[i].left, n_specials, err));
        SL_TRY(sl_buf_add_byte(out, ',', err));
        SL_TRY(add_token(out, t, merges[i].right, n_specials, err));
        SL_TRY(sl_buf_add_byte(out, ']', err));
    }
    return add_text(out, "]}", err);
}

enum sl_status sl_hf_write_bpe(struct sl_buf *out, const struct sl_bpe_trainer *t,
                               uint32_t n_specials, const struct sl_hf_split *how,
                               struct sl_err *err)
{
    SL_TRY(add_text(out,
                    "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,"
                    "\"added_tokens\":[",
                    err));
    SL_TRY(add_specials(out, t, n_specials, err));
    SL_TRY(add_text(out, "],\"normalizer\":null,\"pre_tokenizer\":", err));
    SL_TRY(add_pre_tokenizer(out, how, err));
    SL_TRY(add_text(out,
                    ",\"post_processor\":null,\"decoder\":{\"type\":\"ByteLevel\","
                    "\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true},"
                    "\"model\":",
                    err));
    SL_TRY(add_model(out, t, n_specials, err));
    return sl_buf_add_byte(out, '}', err);
}

/* ---- ranks ---- */

static enum sl_status add_base64(struct sl_buf *out, struct sl_str s, struct sl_err *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = (const uint8_t *)s.p;
    SL_TRY(sl_buf_reserve(out, (s.n + 2) / 3 * 4, err));
    for (size_t i = 0; i < s.n; i += 3) {
        size_t left = s.n - i;
        uint32_t v = (uint32_t)p[i] << 16;
        v |= left > 1 ? (uint32_t)p[i + 1] << 8 : 0;
        v |= left > 2 ? p[i + 2] : 0;
        uint8_t *to = out->p + out->n;
        to[0] = (uint8_t)digits[v >> 18];
        to[1] = (uint8_t)digits[v >> 12 & 63];
        to[2] = left > 1 ? (uint8_t)digits[v >> 6 & 63] : '=';
        to[3] = left > 2 ? (uint8_t)digits[v & 63] : '=';
        out->n += 4;
    }
    return SL_OK;
}

enum sl_status sl_tiktoken_write(struct sl_buf *out, const struct sl_bpe_trainer *t,
                                 uint32_t n_specials, struct sl_err *err)
{
    for (uint32_t id = n_specials; id < sl_bpe_trainer_vocab(t); id++) {
        SL_TRY(add_base64(out, sl_bpe_trainer_token(t, id), err));
        SL_TRY(sl_buf_addf(out, err, " %u\n", id));
    }
    return SL_OK;
}

enum sl_status sl_tiktoken_write_info(struct sl_buf *out, const struct sl_bpe_trainer *t,
                                      uint32_t n_specials, const struct sl_hf_split *how,
                                      struct sl_err *err)
{
    struct sl_str steps[MAX_STEPS];
    int n = steps_of(how, steps);
    if (n > 1)
        return sl_err_set(err, SL_E_USAGE, "ranks have one expression, the pattern '%s' is %d",
                          sl_split_name(how->kind), n);
    SL_TRY(add_text(out, "{\n \"pat_str\": ", err));
    SL_TRY(add_json_str(out, n ? steps[0] : SL_STR("(?s:.+)"), err));
    SL_TRY(add_text(out, ",\n \"special_tokens\": {", err));
    for (uint32_t id = 0; id < n_specials; id++) {
        SL_TRY(add_text(out, id ? ",\n  " : "\n  ", err));
        SL_TRY(add_token(out, t, id, n_specials, err));
        SL_TRY(sl_buf_addf(out, err, ": %u", id));
    }
    return add_text(out, n_specials ? "\n }\n}\n" : "}\n}\n", err);
}
