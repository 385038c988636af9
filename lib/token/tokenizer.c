/* SPDX-License-Identifier: Apache-2.0 */
/* The interface of tokenizers, their names, and the sl:tokenizer value.
 *
 * A table of functions rather than a switch: pre-tokenizers and merge tables of
 * later kinds have state of quite different shapes, and tools must not know.
 * Encoding is a call a document, so the indirection costs nothing. */
#include "token/tokenizer.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "text/json_scan.h"
#include "token/hf_file.h"
#include "token/tekken_file.h"
#include "token/tiktoken_file.h"

static struct sl_json *id_json(int64_t id)
{
    if (id != SL_TOKEN_NONE)
        return sl_json_new_int(id);
    struct sl_json *null = NULL;
    return sl_json_parse(&null, SL_STR("null"), NULL) == SL_OK ? null : NULL;
}

enum sl_status sl_token_info_dump(const struct sl_token_info *info, struct sl_buf *out,
                                  struct sl_err *err)
{
    char hex[SL_HASH128_DIGITS];
    sl_hash128_hex(info->digest, hex);
    struct sl_json *o = sl_json_new_object();
    enum sl_status st = sl_json_set(o, "name", sl_json_new_str(sl_str_of(info->name)), err);
    if (st == SL_OK)
        st = sl_json_set(o, "vocab_size", sl_json_new_int(info->vocab_size), err);
    if (st == SL_OK)
        st = sl_json_set(o, "max_id", sl_json_new_int(info->max_id), err);
    if (st == SL_OK)
        st = sl_json_set(o, "eos", id_json(info->eos), err);
    if (st == SL_OK)
        st = sl_json_set(o, "bos", id_json(info->bos), err);
    if (st == SL_OK)
        st = sl_json_set(o, "pad", id_json(info->pad), err);
    if (st == SL_OK)
        st = sl_json_set(o, "digest", sl_json_new_str((struct sl_str){ hex, sizeof hex }), err);
    if (st == SL_OK)
        st = sl_json_dump(o, out, err);
    sl_json_free(o);
    return st;
}

static enum sl_status bad_key(const char *key, const char *what, struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA, "sl:tokenizer: '%s' %s", key, what);
}

static enum sl_status get_number(const struct sl_json *o, const char *key, uint32_t *out,
                                 struct sl_err *err)
{
    const struct sl_json *v = sl_json_get(o, key);
    int64_t n = sl_json_int(v);
    if (sl_json_type(v) != SL_JSON_INT || n < 0 || n > (int64_t)UINT32_MAX)
        return bad_key(key, "is no number of 32 bits", err);
    *out = (uint32_t)n;
    return SL_OK;
}

static enum sl_status get_id(const struct sl_json *o, const char *key, uint32_t max_id,
                             int64_t *out, struct sl_err *err)
{
    const struct sl_json *v = sl_json_get(o, key);
    *out = SL_TOKEN_NONE;
    if (sl_json_type(v) == SL_JSON_NULL)
        return SL_OK;
    if (sl_json_type(v) != SL_JSON_INT)
        return bad_key(key, "is neither an id nor null", err);
    *out = sl_json_int(v);
    return *out < 0 || *out > (int64_t)max_id ? bad_key(key, "is over max_id", err) : SL_OK;
}

static enum sl_status from_json(struct sl_token_info *info, const struct sl_json *o,
                                struct sl_err *err)
{
    struct sl_str name = sl_json_str(sl_json_get(o, "name"));
    if (!name.n || name.n > SL_MAX_TOKENIZER_NAME || memchr(name.p, 0, name.n))
        return bad_key("name", "is missing, too long or has a NUL", err);
    memcpy(info->name, name.p, name.n);
    info->name[name.n] = 0;
    SL_TRY(get_number(o, "vocab_size", &info->vocab_size, err));
    SL_TRY(get_number(o, "max_id", &info->max_id, err));
    SL_TRY(get_id(o, "eos", info->max_id, &info->eos, err));
    SL_TRY(get_id(o, "bos", info->max_id, &info->bos, err));
    SL_TRY(get_id(o, "pad", info->max_id, &info->pad, err));
    if (!sl_hash128_parse(sl_json_str(sl_json_get(o, "digest")), &info->digest))
        return bad_key("digest", "is not 32 hex digits", err);
    return SL_OK;
}

enum sl_status sl_token_info_parse(struct sl_token_info *info, struct sl_str json,
                                   struct sl_err *err)
{
    struct sl_json *o = NULL;
    *info = (struct sl_token_info){ .vocab_size = 0 };
    SL_TRY(sl_json_parse(&o, json, err));
    enum sl_status st = from_json(info, o, err);
    sl_json_free(o);
    return st;
}

/* ---- the kinds by name ---- */

static const struct {
    const char *name;
    enum sl_status (*make)(struct sl_tokenizer **out, struct sl_err *err);
} kinds[] = {
    { "bytes", sl_bytes_tokenizer_new },
};

enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

enum sl_status sl_tokenizer_open(struct sl_tokenizer **out, const char *name, struct sl_err *err)
{
    char there[256] = "";
    for (int i = 0; i < N_KINDS; i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return kinds[i].make(out, err);
        size_t used = strlen(there);
        snprintf(there + used, sizeof there - used, "%s'%s'", i ? ", " : "", kinds[i].name);
    }
    return sl_err_set(err, SL_E_USAGE, "no tokenizer '%s' (there is %s)", name, there);
}

/* ---- the kinds by file ---- */

/* "folder/qwen3.tokenizer.json" is "qwen3"; "tokenizer.json" is "tokenizer". */
static void name_of(const char *file, char name[SL_MAX_TOKENIZER_NAME + 1])
{
    static const char *const endings[] = { ".tokenizer.json", ".tiktoken", ".json" };
    const char *slash = strrchr(file, '/');
    struct sl_str s = sl_str_of(slash ? slash + 1 : file);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        struct sl_str ending = sl_str_of(endings[i]);
        if (s.n > ending.n && sl_str_ends(s, ending)) {
            s.n -= ending.n;
            break;
        }
    }
    if (s.n > SL_MAX_TOKENIZER_NAME || !s.n || !sl_utf8_valid(s.p, s.n))
        s = SL_STR("tokenizer");
    memcpy(name, s.p, s.n);
    name[s.n] = 0;
}

static enum sl_status digest_of(const struct sl_tokenizer_file *f, struct sl_hash128 *out,
                                struct sl_err *err)
{
    struct sl_str pattern = sl_str_of(f->pattern);
    if (!f->beside.n && !pattern.n) {
        *out = sl_hash128(f->bytes.p, f->bytes.n);
        return SL_OK;
    }
    struct sl_hasher *h = sl_hasher_new();
    if (!h)
        return sl_err_nomem(err, sizeof(struct sl_hash128));
    sl_hasher_reset128(h);
    sl_hasher_add128(h, f->bytes.p, f->bytes.n);
    sl_hasher_add128(h, "", 1);
    sl_hasher_add128(h, f->beside.p, f->beside.n);
    sl_hasher_add128(h, "", 1);
    sl_hasher_add128(h, pattern.p, pattern.n);
    *out = sl_hasher_end128(h);
    sl_hasher_free(h);
    return SL_OK;
}

static bool is_json(struct sl_str s)
{
    struct sl_str t = sl_str_trim((struct sl_str){ s.p, s.n < 4096 ? s.n : 4096 });
    return t.n && t.p[0] == '{';
}

/* A first line of base64, a blank and digits. */
static bool is_ranks(struct sl_str s)
{
    size_t at = 0;
    while (at < s.n && at < 4096 && s.p[at] > ' ' && s.p[at] < 127)
        at++;
    return at && at + 1 < s.n && s.p[at] == ' ' && s.p[at + 1] >= '0' && s.p[at + 1] <= '9';
}

static enum sl_status read_json(struct sl_tokenizer **out, const struct sl_tokenizer_file *f,
                                struct sl_err *err)
{
    struct sl_json_scan s;
    struct sl_json_piece key, value;
    bool config = false, model = false;
    if (!sl_utf8_valid(f->bytes.p, f->bytes.n))
        return sl_err_set(err, SL_E_DATA, "is not UTF-8");
    sl_json_scan_init(&s, f->bytes);
    if (sl_json_scan_open(&s, '{')) {
        while (sl_json_scan_member(&s, &key, &value) == SL_JSON_STEP_ONE) {
            config |= sl_str_eq(key.raw, SL_STR("config"));
            model |= sl_str_eq(key.raw, SL_STR("model"));
        }
    }
    if (s.wrong)
        return sl_err_set(err, SL_E_DATA, "is no JSON: %s at byte %zu", s.wrong, s.at);
    if (config && !model)
        return sl_tekken_file_read(out, f->bytes, f->allow_special, err);
    return sl_hf_file_read(out, f->bytes, f->allow_special, err);
}

static enum sl_status read_file(struct sl_tokenizer **out, const struct sl_tokenizer_file *f,
                                struct sl_err *err)
{
    if (f->bytes.n > SL_MAX_TOKENIZER_BYTES)
        return sl_err_set(err, SL_E_DATA, "is larger than %zu bytes", SL_MAX_TOKENIZER_BYTES);
    bool json = is_json(f->bytes);
    if ((json || !is_ranks(f->bytes)) && f->pattern)
        return sl_err_set(err, SL_E_USAGE, "a pattern is for files of ranks, which this is not");
    if (json)
        return read_json(out, f, err);
    if (is_ranks(f->bytes))
        return sl_tiktoken_file_read(out, f->bytes, f->beside, f->pattern, f->allow_special, err);
    return sl_err_set(err, SL_E_DATA,
                      "is neither a tokenizer.json, a tekken.json nor a rank file "
                      "(SentencePiece models are not there yet)");
}

enum sl_status sl_tokenizer_open_file(struct sl_tokenizer **out,
                                      const struct sl_tokenizer_file *file, struct sl_err *err)
{
    *out = NULL;
    SL_TRY(read_file(out, file, err));
    name_of(file->name, (*out)->info.name);
    enum sl_status st = digest_of(file, &(*out)->info.digest, err);
    if (st != SL_OK) {
        sl_tokenizer_free(*out);
        *out = NULL;
    }
    return st;
}

void sl_tokenizer_free(struct sl_tokenizer *t)
{
    if (t)
        t->ops->free(t);
}

enum sl_status sl_tokenizer_worker_new(const struct sl_tokenizer *t, void **worker,
                                       struct sl_err *err)
{
    *worker = NULL;
    return t->ops->worker_new ? t->ops->worker_new(t, worker, err) : SL_OK;
}

void sl_tokenizer_worker_free(const struct sl_tokenizer *t, void *worker)
{
    if (worker && t->ops->worker_free)
        t->ops->worker_free(worker);
}

enum sl_status sl_tokenizer_encode(const struct sl_tokenizer *t, void *worker, struct sl_str text,
                                   struct sl_buf *ids, struct sl_err *err)
{
    return t->ops->encode(t, worker, text, ids, err);
}
