/* SPDX-License-Identifier: Apache-2.0 */
/* mds: shards of MosaicML's streaming format, version 2, with one column.
 *
 * shard.NNNNN.mds  u32 n | u32 offset[n + 1], from the start | JSON | n samples
 * index.json       a description and a hash of every shard
 *
 * A sequence is an array of a fixed shape, which has nothing before its values. A
 * document has one of any length: u32 bytes | 1 byte: dimensions << 2 and the
 * width of a size (0, 1, 2 for 1, 2, 4 bytes) | the size | the values.
 *
 * How many samples there are stands first, so a shard is built in memory; 64 MiB
 * is what the streaming library cuts at, too. The hash is XXH3-128, which it calls
 * xxh128. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "order/export_form.h"

enum { SIZE_LIMIT = 1 << 26, TEXT_MAX_BYTES = 1 << 20, BLOCK_BYTES = 1 << 20 };

#define HASH_NAME "xxh128"

/* ---- samples ---- */

/* Bytes before the values of a document: their number, the shape. */
static unsigned front_bytes(int64_t n_tokens)
{
    return 4 + 1 + (n_tokens <= UINT8_MAX ? 1 : n_tokens <= UINT16_MAX ? 2 : 4);
}

static size_t make_front(const struct sl_export_manifest *m, uint32_t n_tokens, uint8_t out[16])
{
    unsigned n = front_bytes(n_tokens), code = n - 5 == 4 ? 2 : n - 6;
    sl_store32(out, n - 4 + n_tokens * sl_export_width(m->dtype));
    out[4] = (uint8_t)(1 << 2 | code);
    sl_store32(out + 5, n_tokens);
    return n;
}

static int64_t row_bytes(const struct sl_export_manifest *m, int64_t n_tokens)
{
    return 4 + sl_export_row_plain(m, n_tokens) + (m->documents ? front_bytes(n_tokens) : 0);
}

/* ---- descriptions ---- */

static struct sl_json *one_of(struct sl_json *value)
{
    struct sl_json *array = sl_json_new_array();
    if (sl_json_push(array, value, NULL) == SL_OK)
        return array;
    sl_json_free(array);
    return NULL;
}

static struct sl_json *one_str(const char *s)
{
    return one_of(sl_json_new_str(sl_str_of(s)));
}

static struct sl_json *null_value(void)
{
    struct sl_json *v = NULL;
    return sl_json_parse(&v, SL_STR("null"), NULL) == SL_OK ? v : NULL;
}

/* What every shard says of itself, keys sorted. */
static enum sl_status describe(const struct sl_export_manifest *m, struct sl_json *o,
                               struct sl_err *err)
{
    char encoding[64];
    int64_t bytes = sl_export_row_plain(m, m->length);
    snprintf(encoding, sizeof encoding, m->documents ? "ndarray:%s" : "ndarray:%s:%lld",
             sl_export_dtype_name(m->dtype), (long long)m->length);
    struct sl_json *size = m->documents ? null_value() : sl_json_new_int(bytes);
    SL_TRY(sl_json_set(o, "column_encodings", one_str(encoding), err));
    SL_TRY(sl_json_set(o, "column_names", one_str("tokens"), err));
    SL_TRY(sl_json_set(o, "column_sizes", one_of(size), err));
    SL_TRY(sl_json_set(o, "compression", null_value(), err));
    SL_TRY(sl_json_set(o, "format", sl_json_new_str(SL_STR("mds")), err));
    SL_TRY(sl_json_set(o, "hashes", one_str(HASH_NAME), err));
    SL_TRY(sl_json_set(o, "size_limit", sl_json_new_int(SIZE_LIMIT), err));
    return sl_json_set(o, "version", sl_json_new_int(2), err);
}

static enum sl_status config_text(const struct sl_export_manifest *m, struct sl_buf *out,
                                  struct sl_err *err)
{
    struct sl_json *o = sl_json_new_object();
    enum sl_status st = describe(m, o, err);
    if (st == SL_OK)
        st = sl_json_dump(o, out, err);
    sl_json_free(o);
    return st;
}

static enum sl_status describe_file(const struct sl_export_manifest *m, int64_t k,
                                    struct sl_json *o, struct sl_err *err)
{
    char name[SL_EXPORT_NAME_BYTES], hex[SL_HASH128_DIGITS];
    const struct sl_export_file *f = sl_export_file(m, k);
    struct sl_json *raw = sl_json_new_object(), *hashes = sl_json_new_object();
    sl_export_name(m->form, k, name);
    sl_hash128_hex(f->xxh3, hex);
    enum sl_status st =
        sl_json_set(hashes, HASH_NAME, sl_json_new_str((struct sl_str){ hex, sizeof hex }), err);
    enum sl_status named = sl_json_set(raw, "basename", sl_json_new_str(sl_str_of(name)), err);
    enum sl_status sized = sl_json_set(raw, "bytes", sl_json_new_int(f->bytes), err);
    enum sl_status hashed = sl_json_set(raw, "hashes", hashes, err);
    if (st == SL_OK)
        st = named != SL_OK ? named : sized != SL_OK ? sized : hashed;
    enum sl_status set = sl_json_set(o, "raw_data", raw, err);
    SL_TRY(st != SL_OK ? st : set);
    SL_TRY(sl_json_set(o, "samples", sl_json_new_int(f->rows), err));
    return sl_json_set(o, "zip_data", null_value(), err);
}

/* The whole of index.json, a shard at a time: there may be many. */
static enum sl_status index_text(const struct sl_export_manifest *m, struct sl_buf *out,
                                 struct sl_err *err)
{
    sl_buf_reset(out);
    SL_TRY(sl_buf_add_str(out, SL_STR("{\"shards\":["), err));
    for (int64_t k = 0; k < sl_export_n_files(m); k++) {
        struct sl_json *o = sl_json_new_object();
        enum sl_status st = describe(m, o, err);
        if (st == SL_OK)
            st = describe_file(m, k, o, err);
        if (st == SL_OK && k)
            st = sl_buf_add_byte(out, ',', err);
        if (st == SL_OK)
            st = sl_json_dump(o, out, err);
        sl_json_free(o);
        SL_TRY(st);
    }
    return sl_buf_add_str(out, SL_STR("],\"version\":2}\n"), err);
}

/* ---- writing ---- */

static enum sl_status open_file(struct sl_export_writer *w, struct sl_err *err)
{
    sl_buf_reset(&w->samples);
    sl_buf_reset(&w->offsets);
    return sl_export_open_plain(w, err);
}

/* offsets gets the end of each sample from the first on; close makes them places
 * in the file. */
static enum sl_status add(struct sl_export_writer *w, const struct sl_export_rows *r,
                          struct sl_err *err)
{
    const struct sl_export_manifest *m = &w->manifest;
    const uint8_t *at = r->tokens;
    for (size_t i = 0; i < r->n_rows; i++) {
        uint8_t front[16];
        size_t n = (size_t)r->lengths[i] * sl_export_width(m->dtype);
        if (m->documents)
            SL_TRY(sl_buf_add(&w->samples, front, make_front(m, r->lengths[i], front), err));
        SL_TRY(sl_buf_add(&w->samples, at, n, err));
        uint32_t end = (uint32_t)w->samples.n;
        SL_TRY(sl_buf_add(&w->offsets, &end, sizeof end, err));
        if (w->samples.n > (size_t)1 << 31)
            return sl_err_set(err, SL_E_DATA, "a sample of more than 2 GiB, which mds cannot hold");
        at += n;
    }
    return SL_OK;
}

static enum sl_status close_file(struct sl_export_writer *w, struct sl_err *err)
{
    struct sl_export_file *f = sl_export_open_file(w);
    struct sl_sink *to = sl_keep_sink(w->keep);
    struct sl_hasher *h;
    sl_buf_reset(&w->text);
    uint32_t n = (uint32_t)f->rows;
    SL_TRY(sl_buf_add(&w->text, &n, sizeof n, err));
    SL_TRY(sl_buf_add_zeros(&w->text, ((size_t)n + 1) * 4, err));
    SL_TRY(config_text(&w->manifest, &w->text, err));
    uint32_t first = (uint32_t)w->text.n;
    sl_store32(w->text.p + 4, first);
    for (uint32_t i = 0; i < n; i++)
        sl_store32(w->text.p + 8 + (size_t)i * 4, first + sl_load32(w->offsets.p + (size_t)i * 4));
    if (!(h = sl_hasher_new()))
        return sl_err_nomem(err, 0);
    sl_hasher_reset128(h);
    sl_hasher_add128(h, w->text.p, w->text.n);
    sl_hasher_add128(h, w->samples.p, w->samples.n);
    f->xxh3 = sl_hasher_end128(h);
    sl_hasher_free(h);
    SL_TRY(sl_sink_write(to, w->text.p, w->text.n, err));
    SL_TRY(sl_sink_write(to, w->samples.p, w->samples.n, err));
    return sl_export_close_plain(w, err);
}

static enum sl_status end(struct sl_export_writer *w, struct sl_err *err)
{
    int64_t bytes;
    SL_TRY(index_text(&w->manifest, &w->text, err));
    SL_TRY(sl_export_begin(w, sl_export_mds.index, err));
    SL_TRY(sl_sink_write(sl_keep_sink(w->keep), w->text.p, w->text.n, err));
    return sl_export_complete(w, &bytes, err);
}

/* ---- checking ---- */

/* The sample at off, which must have n bytes. */
static enum sl_status check_document(struct sl_export_checker *k, int64_t off, int64_t n,
                                     struct sl_err *err)
{
    const struct sl_export_manifest *m = &k->manifest;
    unsigned width = sl_export_width(m->dtype);
    uint8_t front[16];
    for (unsigned shape = 6; shape <= 9; shape += shape == 6 ? 1 : 2) {
        int64_t tokens = (n - shape) / width;
        if (n < shape || (n - shape) % width || tokens > INT32_MAX || front_bytes(tokens) != shape)
            continue;
        (void)make_front(m, (uint32_t)tokens, front);
        SL_TRY(sl_export_expect(k, off, (struct sl_str){ (const char *)front, shape },
                                "head of a sample", err));
        return sl_export_check_rows(k, off + shape, 1, tokens, err);
    }
    return sl_err_set(err, SL_E_DATA, "a sample of %lld bytes, which is no document", (long long)n);
}

/* The offsets of all samples: first, then without a gap to the end of the file. */
static enum sl_status check_offsets(struct sl_export_checker *k, int64_t rows, int64_t first,
                                    struct sl_err *err)
{
    const struct sl_export_manifest *m = &k->manifest;
    int64_t before = first, row_size = sl_export_row_plain(m, m->length);
    for (int64_t i = 0; i <= rows; i++) {
        uint8_t raw[4];
        SL_TRY(sl_export_read(k, 4 + i * 4, raw, sizeof raw, err));
        int64_t off = sl_load32(raw);
        bool fits = m->documents ? off >= before && off <= k->bytes : off == first + i * row_size;
        if (!fits || (i == 0 && off != first) || (i == rows && off != k->bytes))
            return sl_err_set(err, SL_E_DATA, "the offset of sample %lld is wrong", (long long)i);
        if (i && m->documents)
            SL_TRY(check_document(k, before, off - before, err));
        before = off;
    }
    return SL_OK;
}

static enum sl_status hash_file(struct sl_export_checker *k, struct sl_hash128 *out,
                                struct sl_err *err)
{
    struct sl_hasher *h = sl_hasher_new();
    enum sl_status st = h ? SL_OK : sl_err_nomem(err, 0);
    sl_buf_reset(&k->text);
    if (st == SL_OK)
        st = sl_buf_reserve(&k->text, BLOCK_BYTES, err);
    if (st == SL_OK)
        sl_hasher_reset128(h);
    for (int64_t at = 0; st == SL_OK && at < k->bytes; at += BLOCK_BYTES) {
        size_t n = k->bytes - at < BLOCK_BYTES ? (size_t)(k->bytes - at) : BLOCK_BYTES;
        st = sl_export_read(k, at, k->text.p, n, err);
        if (st == SL_OK)
            sl_hasher_add128(h, k->text.p, n);
    }
    if (st == SL_OK)
        *out = sl_hasher_end128(h);
    if (h)
        sl_hasher_free(h);
    return st;
}

static enum sl_status check(struct sl_export_checker *k, struct sl_err *err)
{
    const struct sl_export_manifest *m = &k->manifest;
    struct sl_export_file *f = sl_export_file(m, k->file);
    uint8_t n[4];
    SL_TRY(hash_file(k, &f->xxh3, err));
    sl_store32(n, (uint32_t)f->rows);
    SL_TRY(sl_export_expect(k, 0, (struct sl_str){ (const char *)n, 4 }, "number of samples", err));
    sl_buf_reset(&k->text);
    SL_TRY(config_text(m, &k->text, err));
    int64_t at = 4 + (f->rows + 1) * 4, first = at + (int64_t)k->text.n;
    SL_TRY(sl_export_expect(k, at, sl_buf_str(&k->text), "description", err));
    SL_TRY(check_offsets(k, f->rows, first, err));
    return m->documents ? SL_OK : sl_export_check_rows(k, first, f->rows, m->length, err);
}

static enum sl_status check_end(struct sl_export_checker *k, struct sl_err *err)
{
    SL_TRY(sl_export_reopen(k, k->manifest.form->index, err));
    SL_TRY(index_text(&k->manifest, &k->text, err));
    if (k->bytes != (int64_t)k->text.n)
        return sl_err_set(err, SL_E_DATA, "%lld bytes, where the files need %lld",
                          (long long)k->bytes, (long long)k->text.n);
    return sl_export_expect(k, 0, sl_buf_str(&k->text), "description or hash of a file", err);
}

const struct sl_export_form sl_export_mds = {
    .name = "mds",
    .prefix = "shard.",
    .suffix = ".mds",
    .index = "index.json",
    .has_lengths = true,
    .max_rows = INT64_MAX,
    .max_file_bytes = SIZE_LIMIT,
    .order_kept = true,
    .order = "StreamingDataset reads the rows in this order with "
             "examples/exports/sluice_mds.py and shuffles them otherwise",
    .dtype = sl_export_dtype_plain,
    .row_bytes = row_bytes,
    .open = open_file,
    .add = add,
    .close = close_file,
    .end = end,
    .check = check,
    .check_end = check_end,
};
