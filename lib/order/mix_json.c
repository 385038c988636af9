/* SPDX-License-Identifier: Apache-2.0 */
/* Lists in the order of the sources. Names are the user's words for them; those of files stand in
 * no lineage. */
#include "order/mix_json.h"

enum what { NAMES, ENDS, SHARES };

static struct sl_json *item(const struct sl_mix_parts *p, const uint64_t *shares, enum what what,
                            size_t i)
{
    if (what == SHARES)
        return sl_json_new_int((int64_t)shares[i]);
    const char *name = p->names[i] ? p->names[i] : "";
    return sl_json_new_str(
        sl_str_of(what == NAMES ? name : sl_mix_when_empty_name(p->when_empty[i])));
}

enum sl_status sl_mix_rules_json(const struct sl_mix_parts *parts, const uint64_t *shares,
                                 struct sl_json *out, struct sl_err *err)
{
    static const char *const keys[] = { "sources", "when_empty", "shares_per_2_36" };
    for (enum what what = NAMES; what <= SHARES; what++) {
        if (what == SHARES ? parts->how == SL_MIX_EQUAL : !parts->has_names)
            continue;
        struct sl_json *list = sl_json_new_array();
        enum sl_status st = SL_OK;
        for (size_t i = 0; st == SL_OK && i < parts->n; i++)
            st = sl_json_push(list, item(parts, shares, what, i), err);
        enum sl_status set = sl_json_set(out, keys[what], list, err);
        SL_TRY(st != SL_OK ? st : set);
    }
    return SL_OK;
}
