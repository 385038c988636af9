/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the manifest of an order that was made before: what is taken has stages in
 * order, and rows by source that are whole numbers of a bounded size. */
#include <stdlib.h>

#include "order/plan_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_stage(const struct sl_plan_key_stage *s, uint64_t from)
{
    const struct sl_json *v;
    if (s->begin < from || s->end < s->begin || s->end > (uint64_t)1 << 40)
        abort();
    for (const char *key = NULL; (key = sl_json_after(s->placed, key, &v));)
        if (sl_json_int(v) < 0 || sl_json_int(v) > (int64_t)1 << 40)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_plan_keys k;
    struct sl_str text = { (const char *)data, size };
    if (sl_plan_keys_parse(&k, "fuzz", text, NULL) == SL_OK) {
        uint64_t at = 0;
        for (size_t i = 0; i < k.n_stages; i++) {
            check_stage(&k.stages[i], at);
            at = k.stages[i].end;
        }
        if (!k.length || k.sequences > (uint64_t)1 << 40)
            abort();
    }
    sl_plan_keys_release(&k);
    return 0;
}
