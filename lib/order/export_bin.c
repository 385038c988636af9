/* SPDX-License-Identifier: Apache-2.0 */
/* bin: the tokens back to back, no header, as np.memmap and nanoGPT read them,
 * and OLMo's "npy" files are. Where a document ends is only said by its last
 * token. */
#include "order/export_form.h"

static enum sl_status check(struct sl_export_checker *k, struct sl_err *err)
{
    const struct sl_export_manifest *m = &k->manifest;
    const struct sl_export_file *f = sl_export_file(m, k->file);
    if (k->bytes != f->tokens * sl_export_width(m->dtype))
        return sl_err_set(err, SL_E_DATA, "%lld bytes, which are not %lld tokens",
                          (long long)k->bytes, (long long)f->tokens);
    return m->documents ? sl_export_check_rows(k, 0, 1, f->tokens, err)
                        : sl_export_check_rows(k, 0, f->rows, m->length, err);
}

const struct sl_export_form sl_export_bin = {
    .name = "bin",
    .prefix = "part-",
    .suffix = ".bin",
    .max_rows = INT64_MAX,
    .max_file_bytes = INT64_MAX,
    .order_kept = true,
    .order = "OLMo-core reads the rows in this order with examples/exports/sluice_olmo.py and "
             "shuffles them otherwise; nanoGPT and llm.c draw places at random and keep no order",
    .dtype = sl_export_dtype_plain,
    .row_bytes = sl_export_row_plain,
    .open = sl_export_open_plain,
    .add = sl_export_add_plain,
    .close = sl_export_close_plain,
    .check = check,
};
