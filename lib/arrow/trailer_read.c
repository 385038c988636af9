/* SPDX-License-Identifier: Apache-2.0 */
/* The trailer's text. The lineage is handed on as it stands, never printed
 * anew, so that what a stage wrote stays the same bytes down a pipeline. It is
 * found by its key: all values before it are numbers, digits and names, inside
 * which a quotation mark is always escaped, so the first ,"lineage": is it. */
#include "arrow/trailer_read.h"

#include "arrow/digest.h"
#include "base/json.h"

static const char *const keys[] = { "rows", "batches", "schema", "digest", "columns", "lineage" };
enum { N_KEYS = 6, MAX_ERROR_BYTES = 1 << 16 };

static enum sl_status wrong(const char *what, struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA, "the trailer's '%s' is missing or wrong", what);
}

/* Without the place in the text, which would pass for one in the stream. */
static enum sl_status parse(struct sl_json **out, struct sl_str text, const char *what,
                            struct sl_err *err)
{
    struct sl_err why = SL_ERR_INIT;
    enum sl_status st = sl_json_parse(out, text, &why);
    return st == SL_OK ? SL_OK : sl_err_set(err, st, "%s: %s", what, why.msg);
}

static enum sl_status check_keys(const struct sl_json *v, struct sl_err *err)
{
    if (sl_json_type(v) != SL_JSON_OBJECT)
        return sl_err_set(err, SL_E_DATA, "the trailer is no JSON object");
    for (size_t i = 0; i < N_KEYS; i++) {
        const struct sl_json *value = NULL;
        const char *key = i < sl_json_count(v) ? sl_json_key(v, i, &value) : NULL;
        if (!key || strcmp(key, keys[i]) != 0)
            return wrong(keys[i], err);
    }
    return SL_OK;
}

/* Valid JSON has no others outside of its strings. */
static bool has_blanks(struct sl_str text)
{
    bool in_string = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '"')
            in_string = !in_string;
        else if (in_string)
            i += c == '\\';
        else if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
            return true;
    }
    return false;
}

static enum sl_status parse_count(const struct sl_json *v, const char *key, int64_t *out,
                                  struct sl_err *err)
{
    const struct sl_json *n = sl_json_get(v, key);
    *out = sl_json_int(n);
    return sl_json_type(n) == SL_JSON_INT && *out >= 0 ? SL_OK : wrong(key, err);
}

static enum sl_status parse_columns(const struct sl_json *v, const struct sl_schema *schema,
                                    struct sl_hash128 *out, struct sl_err *err)
{
    if (sl_json_type(v) != SL_JSON_ARRAY || sl_json_count(v) != schema->n_fields)
        return wrong("columns", err);
    for (uint32_t i = 0; i < schema->n_fields; i++) {
        const struct sl_json *pair = sl_json_at(v, i);
        if (sl_json_type(pair) != SL_JSON_ARRAY || sl_json_count(pair) != 2 ||
            !sl_str_eq(sl_json_str(sl_json_at(pair, 0)), sl_str_of(schema->fields[i]->name)) ||
            !sl_hash128_parse(sl_json_str(sl_json_at(pair, 1)), &out[i]))
            return wrong("columns", err);
    }
    return SL_OK;
}

static enum sl_status parse_lineage(const struct sl_json *v, struct sl_str text, struct sl_str *out,
                                    struct sl_err *err)
{
    static const char mark[] = ",\"lineage\":";
    const size_t n = sizeof mark - 1;
    const char *at = memmem(text.p, text.n, mark, n);
    if (sl_json_type(v) != SL_JSON_ARRAY || !at || text.p[text.n - 1] != '}')
        return wrong("lineage", err);
    *out = (struct sl_str){ at + n, text.n - (size_t)(at - text.p) - n - 1 };
    return SL_OK;
}

static enum sl_status parse_values(const struct sl_json *v, const struct sl_schema *schema,
                                   struct sl_trailer *out, uint64_t *schema_hash,
                                   struct sl_err *err)
{
    SL_TRY(check_keys(v, err));
    SL_TRY(parse_count(v, "rows", &out->n_rows, err));
    SL_TRY(parse_count(v, "batches", &out->n_batches, err));
    if (!sl_hash64_parse(sl_json_str(sl_json_get(v, "schema")), schema_hash))
        return wrong("schema", err);
    if (!sl_hash128_parse(sl_json_str(sl_json_get(v, "digest")), &out->digest))
        return wrong("digest", err);
    SL_TRY(parse_columns(sl_json_get(v, "columns"), schema, out->columns, err));
    struct sl_hash128 all = sl_digest_stream(out->columns, schema->n_fields);
    if (memcmp(&all, &out->digest, sizeof all) != 0)
        return sl_err_set(err, SL_E_DATA, "the trailer's digest is not that of its columns");
    return SL_OK;
}

enum sl_status sl_trailer_parse(struct sl_str text, const struct sl_schema *schema,
                                struct sl_trailer *out, uint64_t *schema_hash, struct sl_err *err)
{
    struct sl_json *v;
    SL_TRY(parse(&v, text, "the trailer", err));
    enum sl_status st = parse_values(v, schema, out, schema_hash, err);
    if (st == SL_OK && sl_json_count(v) != N_KEYS)
        st = sl_err_set(err, SL_E_DATA, "the trailer has unknown keys");
    if (st == SL_OK && has_blanks(text))
        st = sl_err_set(err, SL_E_DATA, "the trailer has blanks between its values");
    if (st == SL_OK)
        st = parse_lineage(sl_json_get(v, "lineage"), text, &out->lineage, err);
    sl_json_free(v);
    return st;
}

enum sl_status sl_upstream_parse(struct sl_str text, struct sl_buf *out, size_t *tool_bytes,
                                 struct sl_err *err)
{
    struct sl_json *v;
    SL_TRY(parse(&v, text, "sl:error", err));
    struct sl_str tool = sl_json_str(sl_json_get(v, "tool"));
    struct sl_str message = sl_json_str(sl_json_get(v, "message"));
    enum sl_status st = SL_OK;
    if (!tool.n || !message.n || tool.n > MAX_ERROR_BYTES || message.n > MAX_ERROR_BYTES)
        st = sl_err_set(err, SL_E_DATA, "sl:error has no tool or no message");
    if (st == SL_OK)
        st = sl_buf_add_str(out, tool, err);
    if (st == SL_OK)
        st = sl_buf_add_str(out, message, err);
    *tool_bytes = tool.n;
    sl_json_free(v);
    return st;
}
