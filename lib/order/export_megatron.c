/* SPDX-License-Identifier: Apache-2.0 */
/* megatron: the indexed dataset of Megatron-LM and NeMo, one pair of files.
 *
 * .bin  the tokens back to back
 * .idx  0   9   "MMIDIDX\0\0"
 *       9   8   version, 1
 *       17  1   type code: 4 int32, 8 uint16
 *       18  8   S, rows
 *       26  8   D = S + 1
 *       34  4S  int32, tokens of each row
 *           8S  int64, byte offset of each row in .bin
 *           8D  int64, the first row of each document, and S: a row is a document
 *
 * One pair, since several are read as a mixture that Megatron shuffles. Lengths
 * come first in the index, offsets behind all of them: so lengths of documents
 * wait in a temporary file, which is read twice; those of sequences are all one. */
#include <string.h>

#include "base/num.h"
#include "order/export_form.h"

enum { HEADER_BYTES = 34, VERSION = 1, CODE_I32 = 4, CODE_U16 = 8, N_IDS_U16 = 65500 };
enum { BLOCK_ROWS = 4096 };

static enum sl_export_dtype dtype(bool wide, int64_t n_ids)
{
    (void)wide;
    return n_ids && n_ids < N_IDS_U16 ? SL_EXPORT_U16 : SL_EXPORT_I32;
}

static void make_header(const struct sl_export_manifest *m, uint8_t out[HEADER_BYTES])
{
    memset(out, 0, HEADER_BYTES);
    memcpy(out, "MMIDIDX", 7);
    sl_store64(out + 9, VERSION);
    out[17] = m->dtype == SL_EXPORT_U16 ? CODE_U16 : CODE_I32;
    sl_store64(out + 18, (uint64_t)m->rows);
    sl_store64(out + 26, (uint64_t)m->rows + 1);
}

/* ---- writing ---- */

/* Lengths of the n rows from row on. */
static enum sl_status get_lengths(struct sl_export_writer *w, int64_t row, size_t n,
                                  uint32_t out[BLOCK_ROWS], struct sl_err *err)
{
    if (w->lengths)
        return sl_temp_read(w->lengths, row * 4, out, n * 4, err);
    for (size_t i = 0; i < n; i++)
        out[i] = (uint32_t)w->manifest.length;
    return SL_OK;
}

static size_t block(int64_t rows, int64_t row)
{
    return rows - row < BLOCK_ROWS ? (size_t)(rows - row) : BLOCK_ROWS;
}

static enum sl_status write_lengths(struct sl_export_writer *w, struct sl_sink *to,
                                    struct sl_err *err)
{
    uint32_t lengths[BLOCK_ROWS];
    for (int64_t row = 0; row < w->manifest.rows; row += BLOCK_ROWS) {
        size_t n = block(w->manifest.rows, row);
        SL_TRY(get_lengths(w, row, n, lengths, err));
        SL_TRY(sl_sink_write(to, lengths, n * sizeof *lengths, err));
    }
    return SL_OK;
}

static enum sl_status write_offsets(struct sl_export_writer *w, struct sl_sink *to,
                                    struct sl_err *err)
{
    uint32_t lengths[BLOCK_ROWS];
    uint64_t offs[BLOCK_ROWS], off = 0;
    for (int64_t row = 0; row < w->manifest.rows; row += BLOCK_ROWS) {
        size_t n = block(w->manifest.rows, row);
        SL_TRY(get_lengths(w, row, n, lengths, err));
        for (size_t i = 0; i < n; i++) {
            offs[i] = off;
            off += (uint64_t)lengths[i] * sl_export_width(w->manifest.dtype);
        }
        SL_TRY(sl_sink_write(to, offs, n * sizeof *offs, err));
    }
    return SL_OK;
}

static enum sl_status write_index(struct sl_export_writer *w, struct sl_sink *to,
                                  struct sl_err *err)
{
    uint8_t header[HEADER_BYTES];
    make_header(&w->manifest, header);
    SL_TRY(sl_sink_write(to, header, sizeof header, err));
    SL_TRY(write_lengths(w, to, err));
    SL_TRY(write_offsets(w, to, err));
    for (uint64_t i = 0; i <= (uint64_t)w->manifest.rows; i++)
        SL_TRY(sl_sink_write(to, &i, sizeof i, err));
    return SL_OK;
}

static enum sl_status end(struct sl_export_writer *w, struct sl_err *err)
{
    int64_t bytes;
    SL_TRY(sl_export_begin(w, sl_export_megatron.index, err));
    SL_TRY(write_index(w, sl_keep_sink(w->keep), err));
    return sl_export_complete(w, &bytes, err);
}

/* ---- checking ---- */

/* Sequences: their borders are known. Documents wait for the index. */
static enum sl_status check(struct sl_export_checker *k, struct sl_err *err)
{
    const struct sl_export_manifest *m = &k->manifest;
    if (k->bytes != m->tokens * sl_export_width(m->dtype))
        return sl_err_set(err, SL_E_DATA, "%lld bytes, which are not %lld tokens",
                          (long long)k->bytes, (long long)m->tokens);
    return m->documents ? SL_OK : sl_export_check_rows(k, 0, m->rows, m->length, err);
}

/* A block of the index: lengths, offsets and documents of n rows. off: of the
 * first row in .bin; moves behind the last. */
static enum sl_status check_block(struct sl_export_checker *k, int64_t row, size_t n, uint64_t *off,
                                  uint32_t lengths[BLOCK_ROWS], struct sl_err *err)
{
    const struct sl_export_manifest *m = &k->manifest;
    uint64_t offs[BLOCK_ROWS], docs[BLOCK_ROWS];
    int64_t at = HEADER_BYTES;
    SL_TRY(sl_export_read(k, at + row * 4, lengths, n * 4, err));
    at += m->rows * 4;
    SL_TRY(sl_export_read(k, at + row * 8, offs, n * 8, err));
    at += m->rows * 8;
    SL_TRY(sl_export_read(k, at + row * 8, docs, n * 8, err));
    for (size_t i = 0; i < n; i++) {
        bool fits = m->documents ? lengths[i] > 1 && lengths[i] <= INT32_MAX
                                 : lengths[i] == (uint64_t)m->length;
        if (!fits || offs[i] != *off || docs[i] != (uint64_t)row + i)
            return sl_err_set(err, SL_E_DATA, "row %lld has a wrong length, offset or document",
                              (long long)row + (long long)i);
        *off += (uint64_t)lengths[i] * sl_export_width(m->dtype);
    }
    return SL_OK;
}

/* The tokens of documents, once their lengths are known. */
static enum sl_status check_documents(struct sl_export_checker *k, int64_t off,
                                      const uint32_t *lengths, size_t n, struct sl_err *err)
{
    char bin[SL_EXPORT_NAME_BYTES];
    sl_export_name(k->manifest.form, 0, bin);
    SL_TRY(sl_export_reopen(k, bin, err));
    for (size_t i = 0; i < n; i++) {
        SL_TRY(sl_export_check_rows(k, off, 1, lengths[i], err));
        off += (int64_t)lengths[i] * sl_export_width(k->manifest.dtype);
    }
    return sl_export_reopen(k, k->manifest.form->index, err);
}

static enum sl_status check_end(struct sl_export_checker *k, struct sl_err *err)
{
    const struct sl_export_manifest *m = &k->manifest;
    uint8_t header[HEADER_BYTES], last[8];
    uint32_t lengths[BLOCK_ROWS];
    uint64_t off = 0;
    SL_TRY(sl_export_reopen(k, m->form->index, err));
    if (k->bytes != HEADER_BYTES + m->rows * 20 + 8)
        return sl_err_set(err, SL_E_DATA, "%lld bytes, which are not the index of %lld rows",
                          (long long)k->bytes, (long long)m->rows);
    make_header(m, header);
    struct sl_str front = { (const char *)header, sizeof header };
    SL_TRY(sl_export_expect(k, 0, front, "header", err));
    for (int64_t row = 0; row < m->rows; row += BLOCK_ROWS) {
        size_t n = block(m->rows, row);
        int64_t from = (int64_t)off;
        SL_TRY(check_block(k, row, n, &off, lengths, err));
        if (m->documents)
            SL_TRY(check_documents(k, from, lengths, n, err));
    }
    sl_store64(last, (uint64_t)m->rows);
    return sl_export_expect(k, k->bytes - 8, (struct sl_str){ (const char *)last, 8 },
                            "number of documents", err);
}

const struct sl_export_form sl_export_megatron = {
    .name = "megatron",
    .prefix = "text_document",
    .suffix = ".bin",
    .one_file = true,
    .index = "text_document.idx",
    .has_lengths = true,
    .spools_lengths = true,
    .max_rows = INT32_MAX,
    .max_file_bytes = INT64_MAX,
    .order_kept = true,
    .order = "GPTDataset shuffles documents and samples; with examples/exports/sluice_megatron.py "
             "it reads the rows in this order",
    .documents = "GPTDataset shuffles documents, joins them and shuffles the pieces; packed "
                 "sequences keep their order, with examples/exports/sluice_megatron.py",
    .documents_kept = false,
    .dtype = dtype,
    .row_bytes = sl_export_row_plain,
    .open = sl_export_open_plain,
    .add = sl_export_add_plain,
    .close = sl_export_close_plain,
    .end = end,
    .check = check,
    .check_end = check_end,
};
