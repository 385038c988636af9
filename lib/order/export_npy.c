/* SPDX-License-Identifier: Apache-2.0 */
/* npy: NumPy's own format 1.0. Sequences are an array of two dimensions, of which
 * the first is the rows; documents one of one dimension.
 *
 * The header says how many there are before the first of them is written. A full
 * file of sequences has the number that was announced; in any other the header is
 * overwritten before the file gets its name. It always has 128 bytes. */
#include <stdio.h>
#include <string.h>

#include "order/export_form.h"

enum { HEADER_BYTES = 128, FRONT_BYTES = 10 };

static void make_header(const struct sl_export_manifest *m, int64_t rows, int64_t tokens,
                        char out[HEADER_BYTES])
{
    char shape[64];
    const char *type = m->dtype == SL_EXPORT_U16 ? "<u2" : "<u4";
    if (m->documents)
        snprintf(shape, sizeof shape, "%lld,", (long long)tokens);
    else
        snprintf(shape, sizeof shape, "%lld, %lld", (long long)rows, (long long)m->length);
    memset(out, ' ', HEADER_BYTES);
    memcpy(out, "\x93NUMPY\x01\x00\x76\x00", FRONT_BYTES);
    int n = snprintf(out + FRONT_BYTES, HEADER_BYTES - FRONT_BYTES,
                     "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type, shape);
    out[FRONT_BYTES + n] = ' ';
    out[HEADER_BYTES - 1] = '\n';
}

static enum sl_status open_file(struct sl_export_writer *w, struct sl_err *err)
{
    char header[HEADER_BYTES];
    make_header(&w->manifest, w->manifest.per_file, 0, header);
    SL_TRY(sl_export_open_plain(w, err));
    return sl_sink_write(sl_keep_sink(w->keep), header, sizeof header, err);
}

static enum sl_status close_file(struct sl_export_writer *w, struct sl_err *err)
{
    char header[HEADER_BYTES];
    const struct sl_export_file *f = sl_export_open_file(w);
    if (w->manifest.documents || f->rows != w->manifest.per_file) {
        make_header(&w->manifest, f->rows, f->tokens, header);
        SL_TRY(sl_keep_patch(w->keep, 0, header, sizeof header, err));
    }
    return sl_export_close_plain(w, err);
}

static enum sl_status check(struct sl_export_checker *k, struct sl_err *err)
{
    char header[HEADER_BYTES];
    const struct sl_export_manifest *m = &k->manifest;
    const struct sl_export_file *f = sl_export_file(m, k->file);
    if (k->bytes != HEADER_BYTES + f->tokens * sl_export_width(m->dtype))
        return sl_err_set(err, SL_E_DATA, "%lld bytes, which are not a header and %lld tokens",
                          (long long)k->bytes, (long long)f->tokens);
    make_header(m, f->rows, f->tokens, header);
    SL_TRY(sl_export_expect(k, 0, (struct sl_str){ header, sizeof header }, "header", err));
    return m->documents ? sl_export_check_rows(k, HEADER_BYTES, 1, f->tokens, err)
                        : sl_export_check_rows(k, HEADER_BYTES, f->rows, m->length, err);
}

const struct sl_export_form sl_export_npy = {
    .name = "npy",
    .prefix = "part-",
    .suffix = ".npy",
    .max_rows = INT64_MAX,
    .max_file_bytes = INT64_MAX,
    .order_kept = true,
    .order = "np.load gives the rows in this order; OLMo-core takes the 128 bytes of the header "
             "for tokens: it needs bin",
    .dtype = sl_export_dtype_plain,
    .row_bytes = sl_export_row_plain,
    .open = open_file,
    .add = sl_export_add_plain,
    .close = close_file,
    .check = check,
};
