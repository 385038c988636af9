/* SPDX-License-Identifier: Apache-2.0 */
/* Type texts: whatever is accepted is written in a form that is accepted again
 * as the same type. */
#include <stdlib.h>

#include "arrow/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096)
        return 0;
    char text[4097];
    memcpy(text, data, size);
    text[size] = 0;
    struct sl_schema s;
    struct sl_buf out;
    sl_schema_init(&s);
    sl_buf_init(&out, SL_MAX_META_BYTES);
    if (sl_schema_add_text(&s, "a", text, NULL) == SL_OK) {
        if (sl_type_format(s.fields[0], &out, NULL) != SL_OK)
            abort();
        if (sl_schema_add_text(&s, "b", sl_buf_cstr(&out), NULL) != SL_OK ||
            !sl_type_same(s.fields[0], s.fields[1]))
            abort();
    }
    sl_schema_release(&s);
    sl_buf_release(&out);
    return 0;
}
