/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_EXPORT_FORM_H
#define SL_ORDER_EXPORT_FORM_H

/* What a form is: a table of the functions that write and check its files. Only
 * export.c, export_check.c and the forms see this.
 *
 * Writing   open, add once or more, close for every file; then end.
 * Checking  check for every file, which passes all tokens on; then check_end. */

#include "io/temp_file.h"
#include "order/export_manifest.h"
#include "order/keep_sink.h"
#include "order/shard_folder.h"

/* Rows for the open file. */
struct sl_export_rows {
    const uint8_t *tokens; /* back to back, in the files' dtype */
    size_t tokens_bytes;
    const uint32_t *lengths; /* tokens of each row */
    size_t n_rows;
};

struct sl_export_writer {
    struct sl_folder folder;
    struct sl_export_manifest manifest;
    struct sl_keep *keep;                 /* the open file; NULL: none */
    struct sl_temp *lengths;              /* uint32 a row; NULL: not needed */
    struct sl_buf samples, offsets, text; /* scratch of the forms */
    int64_t n_kept;
};

struct sl_export_checker {
    struct sl_folder folder;
    struct sl_export_manifest manifest;
    int64_t file; /* being read */
    int fd;
    int64_t bytes;      /* of the file */
    struct sl_buf text; /* scratch of the forms */
    struct sl_export_column *column;
};

struct sl_export_form {
    const char *name;
    const char *prefix, *suffix; /* of file names; the number stands between */
    bool one_file;               /* its name has no number */
    const char *index;           /* a further file; NULL: none */
    bool has_lengths;            /* documents can be told apart */
    bool spools_lengths;         /* documents: the writer's lengths must be filled */
    int64_t max_rows;            /* of all files */
    int64_t max_file_bytes;      /* what a file does not pass with two rows or more */
    const char *order;           /* who reads sequences in this order, and who does not */
    bool order_kept;
    const char *documents; /* the same of documents; NULL: as of sequences */
    bool documents_kept;
    enum sl_export_dtype (*dtype)(bool wide, int64_t n_ids);
    /* Bytes that a row takes in a file; what max_file_bytes counts. */
    int64_t (*row_bytes)(const struct sl_export_manifest *m, int64_t n_tokens);
    enum sl_status (*open)(struct sl_export_writer *w, struct sl_err *err);
    enum sl_status (*add)(struct sl_export_writer *w, const struct sl_export_rows *r,
                          struct sl_err *err);
    enum sl_status (*close)(struct sl_export_writer *w, struct sl_err *err);
    enum sl_status (*end)(struct sl_export_writer *w, struct sl_err *err); /* may be NULL */
    enum sl_status (*check)(struct sl_export_checker *k, struct sl_err *err);
    enum sl_status (*check_end)(struct sl_export_checker *k, struct sl_err *err); /* or NULL */
};

extern const struct sl_export_form sl_export_megatron, sl_export_npy, sl_export_bin, sl_export_mds;

bool sl_export_order_kept(const struct sl_export_manifest *m);
const char *sl_export_order(const struct sl_export_manifest *m);

/* The form of that name; NULL where there is none. */
const struct sl_export_form *sl_export_form_find(struct sl_str name);

/* The narrowest of uint16 and uint32 that holds the column. */
enum sl_export_dtype sl_export_dtype_plain(bool wide, int64_t n_ids);
int64_t sl_export_row_plain(const struct sl_export_manifest *m, int64_t n_tokens);

/* ---- for writing ---- */

/* The last file of the manifest, which is open. */
struct sl_export_file *sl_export_open_file(struct sl_export_writer *w);
/* open, add, close: a file that holds the tokens and nothing else. */
SL_MUST_USE enum sl_status sl_export_open_plain(struct sl_export_writer *w, struct sl_err *err);
SL_MUST_USE enum sl_status sl_export_add_plain(struct sl_export_writer *w,
                                               const struct sl_export_rows *r, struct sl_err *err);
SL_MUST_USE enum sl_status sl_export_close_plain(struct sl_export_writer *w, struct sl_err *err);
/* Begin and complete the file of that name. */
SL_MUST_USE enum sl_status sl_export_begin(struct sl_export_writer *w, const char *name,
                                           struct sl_err *err);
SL_MUST_USE enum sl_status sl_export_complete(struct sl_export_writer *w, int64_t *bytes,
                                              struct sl_err *err);

/* ---- for checking ---- */

/* Exactly n bytes at off of the file. */
SL_MUST_USE enum sl_status sl_export_read(struct sl_export_checker *k, int64_t off, void *p,
                                          size_t n, struct sl_err *err);
/* The file has these bytes at off; what names them. */
SL_MUST_USE enum sl_status sl_export_expect(struct sl_export_checker *k, int64_t off,
                                            struct sl_str bytes, const char *what,
                                            struct sl_err *err);
/* Rows whose tokens lie back to back from off on: all of a length, or without
 * borders that could be told (n_rows 1, whatever the rows are). */
SL_MUST_USE enum sl_status sl_export_check_rows(struct sl_export_checker *k, int64_t off,
                                                int64_t n_rows, int64_t n_tokens,
                                                struct sl_err *err);
/* Open another file of the folder in place of the one that is being read. */
SL_MUST_USE enum sl_status sl_export_reopen(struct sl_export_checker *k, const char *name,
                                            struct sl_err *err);

#endif
