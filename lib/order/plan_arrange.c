/* SPDX-License-Identifier: Apache-2.0 */
/* Lengths: a row of L tokens is read as L / l samples, so that a stage of shorter samples
 * needs no rows of its own. With sluice-pack --extra-token a row holds one token more; only the
 * lineage says so, since a list of L + 1 tokens looks like any other. */
#include "order/plan_arrange.h"

#include <string.h>

#include "base/json.h"

/* ---- lengths and tokenizers ---- */

static uint64_t row_tokens(const struct sl_schema *in)
{
    int at = sl_schema_find(in, "tokens");
    bool fixed = at >= 0 && in->fields[at]->type == SL_T_FIXED_LIST;
    return fixed ? (uint64_t)in->fields[at]->size : 1;
}

/* Did the last stage that packed store the next row's first token too? */
static enum sl_status has_extra(const struct sl_schema *in, bool *extra, struct sl_err *err)
{
    struct sl_json *lineage;
    *extra = false;
    if (!in->lineage)
        return SL_OK;
    SL_TRY(sl_json_parse(&lineage, sl_str_of(in->lineage), err));
    for (size_t i = sl_json_count(lineage); i--;) {
        const struct sl_json *stage = sl_json_at(lineage, i);
        if (!sl_str_eq(sl_json_str(sl_json_get(stage, "tool")), SL_STR("sluice-pack")))
            continue;
        *extra = sl_json_bool(sl_json_get(sl_json_get(stage, "options"), "extra-token"));
        break;
    }
    sl_json_free(lineage);
    return SL_OK;
}

static enum sl_status check_length(const struct sl_plan *plan, const struct sl_plan_stage *s,
                                   const struct sl_schema *in, struct sl_err *err)
{
    bool extra;
    SL_TRY(has_extra(in, &extra, err));
    uint64_t length = row_tokens(in) - extra;
    if (length % s->length == 0)
        return SL_OK;
    return sl_err_set(err, SL_E_DATA,
                      "%s:%d:%d: stage '%s': a length of %llu does not divide the %llu tokens of a "
                      "sequence%s",
                      plan->file, s->length_at.line, s->length_at.column, s->name,
                      (unsigned long long)s->length, (unsigned long long)length,
                      extra ? " (without its extra token)" : "");
}

/* name: room for n bytes; empty where the rows have no tokenizer. */
static enum sl_status tokenizer_of(const struct sl_schema *in, char *name, size_t n,
                                   struct sl_err *err)
{
    struct sl_json *tokenizer;
    *name = 0;
    if (!in->tokenizer)
        return SL_OK;
    SL_TRY(sl_json_parse(&tokenizer, sl_str_of(in->tokenizer), err));
    struct sl_str s = sl_json_str(sl_json_get(tokenizer, "name"));
    s.n = s.n < n - 1 ? s.n : n - 1;
    if (s.n)
        memcpy(name, s.p, s.n);
    name[s.n] = 0;
    sl_json_free(tokenizer);
    return SL_OK;
}

static enum sl_status check_tokenizer(const struct sl_plan *plan, const struct sl_plan_stage *s,
                                      const char *name, struct sl_err *err)
{
    bool bytes = strcmp(s->tokenizer, "bytes") == 0;
    if (bytes && strcmp(name, "bytes") == 0)
        return SL_OK;
    return sl_err_set(
        err, SL_E_DATA, "%s:%d:%d: stage '%s': the sequences are of the tokenizer '%s'%s",
        plan->file, s->tokenizer_at.line, s->tokenizer_at.column, s->name, name,
        bytes ? ", not of 'bytes'" : "; another one for a stage is not there yet ('bytes' is)");
}

static enum sl_status check_bytes(const struct sl_plan *plan, struct sl_plan_at at,
                                  const char *name, struct sl_err *err)
{
    if (strcmp(name, "bytes") == 0)
        return SL_OK;
    return sl_err_set(err, SL_E_DATA,
                      "%s:%d:%d: bytes are counted where a token is a byte, for the tokenizer "
                      "'bytes'; the sequences are of '%s'",
                      plan->file, at.line, at.column, name);
}

enum sl_status sl_plan_check_rows(const struct sl_plan *plan, const struct sl_schema *in,
                                  struct sl_err *err)
{
    char name[200];
    SL_TRY(tokenizer_of(in, name, sizeof name, err));
    if (plan->budget_in == SL_UNTIL_BYTES)
        SL_TRY(check_bytes(plan, plan->budget_at, name, err));
    for (size_t i = 0; i < plan->n_stages; i++) {
        const struct sl_plan_stage *s = &plan->stages[i];
        if (s->unit == SL_UNTIL_BYTES)
            SL_TRY(check_bytes(plan, s->until_at, name, err));
        if (s->length)
            SL_TRY(check_length(plan, s, in, err));
        if (s->tokenizer)
            SL_TRY(check_tokenizer(plan, s, name, err));
    }
    return SL_OK;
}
