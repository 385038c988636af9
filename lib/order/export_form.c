/* SPDX-License-Identifier: Apache-2.0 */
/* What the forms share: names of files, types, and files that hold tokens and
 * nothing else. */
#include "order/export_form.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"

static const struct sl_export_form *const forms[] = { &sl_export_megatron, &sl_export_npy,
                                                      &sl_export_bin, &sl_export_mds };

const struct sl_export_form *sl_export_form_find(struct sl_str name)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (sl_str_eq(name, sl_str_of(forms[i]->name)))
            return forms[i];
    return NULL;
}

/* ---- names and types ---- */

void sl_export_name(const struct sl_export_form *f, int64_t k, char out[SL_EXPORT_NAME_BYTES])
{
    if (f->one_file)
        snprintf(out, SL_EXPORT_NAME_BYTES, "%s%s", f->prefix, f->suffix);
    else
        snprintf(out, SL_EXPORT_NAME_BYTES, "%s%05lld%s", f->prefix, (long long)k, f->suffix);
}

int64_t sl_export_number(const struct sl_export_form *f, const char *name)
{
    char again[SL_EXPORT_NAME_BYTES];
    struct sl_str s = sl_str_of(name);
    size_t fixed = strlen(f->prefix) + strlen(f->suffix);
    int64_t k = 0;
    if (s.n < fixed || !sl_str_starts(s, sl_str_of(f->prefix)))
        return -1;
    s = (struct sl_str){ s.p + strlen(f->prefix), s.n - fixed };
    if (!f->one_file && (!sl_parse_i64(s, &k) || k < 0))
        return -1;
    sl_export_name(f, k, again);
    return strcmp(again, name) == 0 ? k : -1;
}

unsigned sl_export_width(enum sl_export_dtype t)
{
    return t == SL_EXPORT_U16 ? 2 : 4;
}

const char *sl_export_dtype_name(enum sl_export_dtype t)
{
    return t == SL_EXPORT_U16 ? "uint16" : t == SL_EXPORT_U32 ? "uint32" : "int32";
}

enum sl_export_dtype sl_export_dtype_plain(bool wide, int64_t n_ids)
{
    (void)n_ids;
    return wide ? SL_EXPORT_U32 : SL_EXPORT_U16;
}

int64_t sl_export_row_plain(const struct sl_export_manifest *m, int64_t n_tokens)
{
    return n_tokens * sl_export_width(m->dtype);
}

bool sl_export_order_kept(const struct sl_export_manifest *m)
{
    const struct sl_export_form *f = m->form;
    return m->documents && f->documents ? f->documents_kept : f->order_kept;
}

const char *sl_export_order(const struct sl_export_manifest *m)
{
    return m->documents && m->form->documents ? m->form->documents : m->form->order;
}

/* ---- writing ---- */

struct sl_export_file *sl_export_open_file(struct sl_export_writer *w)
{
    return sl_export_file(&w->manifest, sl_export_n_files(&w->manifest) - 1);
}

enum sl_status sl_export_begin(struct sl_export_writer *w, const char *name, struct sl_err *err)
{
    const char *path = sl_folder_path(&w->folder, name);
    return path ? sl_keep_open(&w->keep, path, err) : sl_err_nomem(err, 0);
}

enum sl_status sl_export_complete(struct sl_export_writer *w, int64_t *bytes, struct sl_err *err)
{
    bool kept;
    *bytes = sl_sink_off(sl_keep_sink(w->keep));
    SL_TRY(sl_keep_commit(w->keep, &kept, err));
    sl_keep_free(w->keep);
    w->keep = NULL;
    w->n_kept += kept;
    return SL_OK;
}

enum sl_status sl_export_open_plain(struct sl_export_writer *w, struct sl_err *err)
{
    char name[SL_EXPORT_NAME_BYTES];
    sl_export_name(w->manifest.form, sl_export_n_files(&w->manifest) - 1, name);
    return sl_export_begin(w, name, err);
}

enum sl_status sl_export_add_plain(struct sl_export_writer *w, const struct sl_export_rows *r,
                                   struct sl_err *err)
{
    return sl_sink_write(sl_keep_sink(w->keep), r->tokens, r->tokens_bytes, err);
}

enum sl_status sl_export_close_plain(struct sl_export_writer *w, struct sl_err *err)
{
    return sl_export_complete(w, &sl_export_open_file(w)->bytes, err);
}
