/* SPDX-License-Identifier: Apache-2.0 */
/* The form of a lineage from outside. It is checked once, where it is parsed, so
 * that what joins and sums lineages may rely on it. Depth is bounded by the JSON
 * parser, size by the metadata; every value is looked at once. */
#include <string.h>

#include "run/lineage.h"

#define NUMBER_MAX ((int64_t)1 << 60)
enum { COUNT_MAX = 1 << 30 };

SL_MUST_USE static enum sl_status broken(const char *what, struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA, "the lineage has a stage %s", what);
}

/* Integers alone, beside the texts of ids and law. */
static bool tally_ok(const struct sl_json *v)
{
    const struct sl_json *value;
    switch (sl_json_type(v)) {
    case SL_JSON_INT:
        return sl_json_int(v) >= 0 && sl_json_int(v) < NUMBER_MAX;
    case SL_JSON_STR:
        return true;
    case SL_JSON_ARRAY:
        for (size_t i = 0; i < sl_json_count(v); i++)
            if (!tally_ok(sl_json_at(v, i)))
                return false;
        return true;
    case SL_JSON_OBJECT:
        for (const char *key = NULL; (key = sl_json_after(v, key, &value));)
            if (!tally_ok(value))
                return false;
        return true;
    default:
        return false;
    }
}

static bool count_ok(const struct sl_json *count)
{
    return !count || (sl_json_type(count) == SL_JSON_INT && sl_json_int(count) >= 2 &&
                      sl_json_int(count) < COUNT_MAX);
}

static bool object_or_none(const struct sl_json *v)
{
    return !v || sl_json_type(v) == SL_JSON_OBJECT;
}

enum sl_status sl_lineage_check_stage(const struct sl_json *stage, struct sl_err *err)
{
    const struct sl_json *tally = sl_json_get(stage, "tally");
    const struct sl_json *port = sl_json_get(stage, "port");
    if (sl_json_type(stage) != SL_JSON_OBJECT)
        return broken("that is no object", err);
    if (!sl_json_str(sl_json_get(stage, "tool")).n ||
        sl_json_type(sl_json_get(stage, "version")) != SL_JSON_STR ||
        sl_json_type(sl_json_get(stage, "options")) != SL_JSON_OBJECT)
        return broken("without 'tool', 'version' or 'options'", err);
    static const char *const objects[] = { "rules", "bins", "order" };
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++)
        if (!object_or_none(sl_json_get(stage, objects[i])))
            return broken("whose 'rules', 'bins' or 'order' is no object", err);
    if (!count_ok(sl_json_get(stage, "count")))
        return broken("with a wrong 'count'", err);
    if (port && !sl_str_eq(sl_json_str(port), SL_STR("rejects")) &&
        !sl_str_eq(sl_json_str(port), SL_STR("rest")))
        return broken("with an unknown port", err);
    if (tally && (sl_json_type(tally) != SL_JSON_OBJECT || !tally_ok(tally)))
        return broken("with a tally of more than integers from 0 to 2^60", err);
    return SL_OK;
}

static enum sl_status check_stages(const struct sl_json *stages, struct sl_err *err)
{
    if (sl_json_type(stages) != SL_JSON_ARRAY)
        return sl_err_set(err, SL_E_DATA, "the lineage is no array");
    for (size_t i = 0; i < sl_json_count(stages); i++) {
        const struct sl_json *stage = sl_json_at(stages, i);
        SL_TRY(sl_lineage_check_stage(stage, err));
        const struct sl_json *inputs = sl_json_get(stage, "inputs");
        if (inputs && (i || sl_json_type(inputs) != SL_JSON_ARRAY || !sl_json_count(inputs)))
            return broken("whose 'inputs' are no array of lineages, or not at the first stage",
                          err);
        for (size_t k = 0; k < sl_json_count(inputs); k++)
            SL_TRY(check_stages(sl_json_at(inputs, k), err));
    }
    return SL_OK;
}

/* Without the place in the text, which would pass for one in the stream. */
enum sl_status sl_lineage_parse(struct sl_json **out, struct sl_str text, struct sl_err *err)
{
    struct sl_err why = SL_ERR_INIT;
    enum sl_status st = sl_json_parse(out, text, &why);
    if (st != SL_OK)
        return sl_err_set(err, st, "the lineage: %s", why.msg);
    st = check_stages(*out, err);
    if (st != SL_OK) {
        sl_json_free(*out);
        *out = NULL;
    }
    return st;
}
