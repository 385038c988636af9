/* SPDX-License-Identifier: Apache-2.0 */
/* An export read again. Everything in its files but the tokens follows from the
 * manifest: headers, indices and descriptions are made once more and compared.
 * The tokens are brought back to what they were in the input's column, so that
 * its digest can be computed; where a form forgets the borders of documents, that
 * of the stored tokens answers for them alone. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arrow/digest.h"
#include "base/num.h"
#include "order/export.h"
#include "order/export_form.h"

enum { BLOCK_TOKENS = 1 << 18, MANIFEST_MAX_BYTES = 1 << 30, HEAD_BYTES = 256 };

struct sl_export_column {
    struct sl_schema schema;
    struct sl_digest *digest;
    struct sl_hasher *stored;
    struct sl_buf file, items; /* tokens as the files and as the column have them */
    int64_t tokens;            /* so far */
    bool can_tell;             /* the column's digest can be computed */
};

/* ---- one file ---- */

enum sl_status sl_export_read(struct sl_export_checker *k, int64_t off, void *p, size_t n,
                              struct sl_err *err)
{
    if (off < 0 || off > k->bytes || (int64_t)n > k->bytes - off)
        return sl_err_set(err, SL_E_DATA, "it ends before byte %lld",
                          (long long)off + (long long)n);
    for (size_t got = 0; got < n;) {
        ssize_t r = pread(k->fd, (uint8_t *)p + got, n - got, off + (int64_t)got);
        if (r > 0)
            got += (size_t)r;
        else if (r == 0 || errno != EINTR)
            return sl_err_sys(err, r == 0 ? EIO : errno, "cannot read");
    }
    return SL_OK;
}

enum sl_status sl_export_expect(struct sl_export_checker *k, int64_t off, struct sl_str bytes,
                                const char *what, struct sl_err *err)
{
    uint8_t block[4096];
    for (size_t at = 0; at < bytes.n; at += sizeof block) {
        size_t n = bytes.n - at < sizeof block ? bytes.n - at : sizeof block;
        SL_TRY(sl_export_read(k, off + (int64_t)at, block, n, err));
        if (memcmp(block, bytes.p + at, n) != 0)
            return sl_err_set(err, SL_E_DATA, "a wrong %s at byte %lld", what,
                              (long long)off + (long long)at);
    }
    return SL_OK;
}

enum sl_status sl_export_reopen(struct sl_export_checker *k, const char *name, struct sl_err *err)
{
    struct stat info;
    const char *path = sl_folder_path(&k->folder, name);
    if (!path)
        return sl_err_nomem(err, 0);
    if (k->fd >= 0)
        (void)close(k->fd);
    k->fd = open(path, O_RDONLY | O_CLOEXEC);
    enum sl_status st = SL_OK;
    if (k->fd < 0 && errno == ENOENT)
        st = sl_err_set(err, SL_E_DATA, "the file is missing");
    else if (k->fd < 0 || fstat(k->fd, &info) != 0)
        st = sl_err_sys(err, errno, "cannot open");
    else if (!S_ISREG(info.st_mode))
        st = sl_err_set(err, SL_E_DATA, "it is no file");
    else
        k->bytes = info.st_size;
    if (st != SL_OK)
        sl_err_at(err, path, -1, -1);
    return st;
}

/* ---- tokens ---- */

/* n stored tokens as items of the column. */
static enum sl_status to_items(struct sl_export_checker *k, const uint8_t *p, size_t n,
                               struct sl_err *err)
{
    const struct sl_export_manifest *m = &k->manifest;
    struct sl_buf *items = &k->column->items;
    unsigned from = sl_export_width(m->dtype), width = m->wide ? 4 : 2;
    SL_TRY(sl_buf_reserve(items, n * width, err));
    uint8_t *to = items->p + items->n;
    if (n && from == width)
        memcpy(to, p, n * width);
    else if (from < width)
        for (size_t i = 0; i < n; i++)
            sl_store32(to + 4 * i, sl_load16(p + 2 * i));
    for (size_t i = 0; width < from && i < n; i++) {
        uint32_t id = sl_load32(p + 4 * i);
        if (id > UINT16_MAX)
            return sl_err_set(err, SL_E_DATA, "token %lu, where the input had uint16",
                              (unsigned long)id);
        sl_store16(to + 2 * i, (uint16_t)id);
    }
    items->n += n * width;
    return SL_OK;
}

/* The last token of a document is the end token, which the column has not. */
static enum sl_status take_eos(struct sl_export_checker *k, struct sl_err *err)
{
    const struct sl_export_manifest *m = &k->manifest;
    struct sl_buf *items = &k->column->items;
    size_t width = m->wide ? 4 : 2;
    int64_t last = -1;
    if (items->n >= width) {
        items->n -= width;
        last = m->wide ? (int64_t)sl_load32(items->p + items->n) : sl_load16(items->p + items->n);
    }
    return last == m->eos
               ? SL_OK
               : sl_err_set(err, SL_E_DATA, "a document that its end token does not end");
}

/* What the items hold, as rows of the column. */
static enum sl_status add_items(struct sl_export_checker *k, int64_t n_rows, struct sl_err *err)
{
    const struct sl_export_manifest *m = &k->manifest;
    const struct sl_field *f = k->column->schema.fields[0];
    struct sl_buf *b = &k->column->items;
    int64_t n = (int64_t)b->n / (m->wide ? 4 : 2);
    if (n > INT32_MAX)
        return sl_err_set(err, SL_E_DATA, "a document of %lld tokens", (long long)n);
    const int32_t offsets[2] = { 0, (int32_t)n };
    struct sl_column items = {
        .field = &f->children[0], .n = n, .data = b->p, .data_bytes = (int64_t)b->n
    };
    struct sl_column c = { .field = f, .n = n_rows, .children = &items };
    if (m->documents)
        c.offsets = offsets;
    sl_digest_add(k->column->digest, 0, &c);
    sl_buf_reset(b);
    return SL_OK;
}

/* A block of stored tokens: hashed, and added to the items where that helps. */
static enum sl_status add_block(struct sl_export_checker *k, int64_t off, int64_t n,
                                struct sl_err *err)
{
    struct sl_export_column *c = k->column;
    size_t bytes = (size_t)n * sl_export_width(k->manifest.dtype);
    sl_buf_reset(&c->file);
    SL_TRY(sl_buf_reserve(&c->file, bytes, err));
    SL_TRY(sl_export_read(k, off, c->file.p, bytes, err));
    sl_hasher_add128(c->stored, c->file.p, bytes);
    c->tokens += n;
    return c->can_tell ? to_items(k, c->file.p, (size_t)n, err) : SL_OK;
}

enum sl_status sl_export_check_rows(struct sl_export_checker *k, int64_t off, int64_t n_rows,
                                    int64_t n_tokens, struct sl_err *err)
{
    int64_t width = sl_export_width(k->manifest.dtype), left = n_rows * n_tokens;
    while (left > 0) {
        int64_t n = left < BLOCK_TOKENS ? left : BLOCK_TOKENS;
        SL_TRY(add_block(k, off, n, err));
        off += n * width;
        left -= n;
        /* The values of sequences are hashed on their own: where a row ends does
         * not matter, and their number is known. */
        if (k->column->can_tell && !k->manifest.documents)
            SL_TRY(add_items(k, 0, err));
    }
    if (!k->column->can_tell || !k->manifest.documents)
        return SL_OK;
    SL_TRY(take_eos(k, err));
    return add_items(k, 1, err);
}

/* ---- the folder ---- */

static enum sl_status begin(struct sl_export_checker *k, struct sl_err *err)
{
    struct sl_export_column *c = k->column;
    const struct sl_export_manifest *m = &k->manifest;
    SL_TRY(sl_schema_add_text(&c->schema, "tokens", m->column_type, err));
    c->can_tell = !m->documents || m->form->has_lengths;
    c->digest = sl_digest_new(&c->schema);
    c->stored = sl_hasher_new();
    if (!c->digest || !c->stored)
        return sl_err_nomem(err, 0);
    sl_hasher_reset128(c->stored);
    return SL_OK;
}

/* A file of the form that the manifest does not name would be read by a glob. */
static enum sl_status check_strays(struct sl_export_checker *k, struct sl_err *err)
{
    struct sl_arena arena;
    const char *const *names;
    size_t n = 0;
    sl_arena_init(&arena, 0);
    enum sl_status st = sl_folder_list(&k->folder, &arena, &names, &n, err);
    for (size_t i = 0; st == SL_OK && i < n; i++)
        if (sl_export_number(k->manifest.form, names[i]) >= sl_export_n_files(&k->manifest))
            st = sl_err_set(err, SL_E_DATA, "'%s' is a file that the manifest does not name",
                            names[i]);
    sl_arena_release(&arena);
    return st;
}

/* Where an error of the open file is. */
static enum sl_status at_file(struct sl_export_checker *k, enum sl_status st, const char *name,
                              struct sl_err *err)
{
    const char *path = st == SL_OK ? NULL : sl_folder_path(&k->folder, name);
    if (path)
        sl_err_at(err, path, -1, -1);
    return st;
}

static enum sl_status check_file(struct sl_export_checker *k, struct sl_err *err)
{
    const struct sl_export_manifest *m = &k->manifest;
    const struct sl_export_file *f = sl_export_file(m, k->file);
    char name[SL_EXPORT_NAME_BYTES];
    sl_export_name(m->form, k->file, name);
    SL_TRY(sl_export_reopen(k, name, err));
    enum sl_status st = SL_OK;
    if (k->bytes != f->bytes)
        st = sl_err_set(err, SL_E_DATA, "%lld bytes, where the manifest says %lld",
                        (long long)k->bytes, (long long)f->bytes);
    if (st == SL_OK)
        st = m->form->check(k, err);
    return at_file(k, st, name, err);
}

static bool same(struct sl_hash128 a, struct sl_hash128 b)
{
    return memcmp(a.b, b.b, sizeof a.b) == 0;
}

static enum sl_status check_digests(struct sl_export_checker *k, struct sl_err *err)
{
    const struct sl_export_manifest *m = &k->manifest;
    const struct sl_export_column *c = k->column;
    if (c->tokens != m->tokens)
        return sl_err_set(err, SL_E_DATA, "%lld tokens, where the manifest says %lld",
                          (long long)c->tokens, (long long)m->tokens);
    if (!same(sl_hasher_end128(c->stored), m->stored))
        return sl_err_set(err, SL_E_DATA, "the hash of the tokens is not the manifest's");
    if (c->can_tell && !same(sl_digest_column(c->digest, 0), m->column))
        return sl_err_set(err, SL_E_DATA, "the digest of column 'tokens' is not the manifest's");
    return SL_OK;
}

static enum sl_status read_manifest(struct sl_export_checker *k, struct sl_err *err)
{
    sl_buf_reset(&k->text);
    SL_TRY(sl_folder_read(&k->folder, SL_MANIFEST_NAME, &k->text, err));
    sl_export_manifest_release(&k->manifest);
    enum sl_status st = sl_export_manifest_parse(&k->manifest, sl_buf_str(&k->text), err);
    return at_file(k, st, SL_MANIFEST_NAME, err);
}

static enum sl_status check_folder(struct sl_export_checker *k, const char *dir, struct sl_err *err)
{
    SL_TRY(sl_folder_open(&k->folder, dir, false, err));
    SL_TRY(read_manifest(k, err));
    SL_TRY(begin(k, err));
    SL_TRY(check_strays(k, err));
    for (; k->file < sl_export_n_files(&k->manifest); k->file++)
        SL_TRY(check_file(k, err));
    const struct sl_export_form *f = k->manifest.form;
    if (f->check_end)
        SL_TRY(at_file(k, f->check_end(k, err), f->index, err));
    return check_digests(k, err);
}

enum sl_status sl_export_check(const char *dir, struct sl_export_facts *facts, struct sl_err *err)
{
    struct sl_export_column c = { 0 };
    struct sl_export_checker k = { .column = &c, .fd = -1 };
    *facts = (struct sl_export_facts){ 0 };
    k.folder.fd = -1;
    sl_schema_init(&c.schema);
    sl_buf_init(&c.file, (size_t)1 << 34);
    sl_buf_init(&c.items, (size_t)1 << 34);
    sl_buf_init(&k.text, MANIFEST_MAX_BYTES);
    sl_export_manifest_init(&k.manifest);
    enum sl_status st = check_folder(&k, dir, err);
    const struct sl_export_manifest *m = &k.manifest;
    if (st == SL_OK) {
        *facts = (struct sl_export_facts){ .rows = m->rows,
                                           .tokens = m->tokens,
                                           .targets = m->targets,
                                           .form = m->form->name,
                                           .column = m->column,
                                           .lineage = strdup(m->lineage) };
        st = facts->lineage ? SL_OK : sl_err_nomem(err, 0);
    }
    if (k.fd >= 0)
        (void)close(k.fd);
    sl_digest_free(c.digest);
    if (c.stored)
        sl_hasher_free(c.stored);
    sl_buf_release(&c.file);
    sl_buf_release(&c.items);
    sl_buf_release(&k.text);
    sl_schema_release(&c.schema);
    sl_export_manifest_release(&k.manifest);
    sl_folder_release(&k.folder);
    if (st != SL_OK)
        sl_err_at(err, dir, -1, -1);
    return st;
}

/* The format is the first key that a manifest has; those of shards may be large. */
bool sl_export_is(const char *dir)
{
    struct sl_folder f = { .fd = -1 };
    char head[HEAD_BYTES];
    bool is = false;
    if (sl_folder_open(&f, dir, false, NULL) == SL_OK) {
        int fd = openat(f.fd, SL_MANIFEST_NAME, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : pread(fd, head, sizeof head, 0);
        is = n > 0 && memmem(head, (size_t)n, "\"sluice-export\"", 15);
        if (fd >= 0)
            (void)close(fd);
    }
    sl_folder_release(&f);
    return is;
}
