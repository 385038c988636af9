/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_EXPORT_MANIFEST_H
#define SL_ORDER_EXPORT_MANIFEST_H

/* manifest.json of an export, and what the forms have in common.
 *
 * Reading   every value is checked: types, ranges, sums, file names. Keys that
 *           are not known are ignored.
 * Ownership everything that a manifest points to is its own, or static.
 * Threads   one thread at a time; const after it was built or read.
 * Source    schemas/export.schema.json, docs/exports.md. */

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "io/sink.h"

enum { SL_EXPORT_NAME_BYTES = 48 };

/* Tokens in files, little-endian. */
enum sl_export_dtype { SL_EXPORT_U16, SL_EXPORT_U32, SL_EXPORT_I32 };

struct sl_export_file {
    int64_t rows, tokens, bytes;
    struct sl_hash128 xxh3; /* of the whole file; only where the form's index has it */
};

struct sl_export_form;

struct sl_export_manifest {
    const struct sl_export_form *form;
    bool documents;   /* rows are documents, closed by eos; else sequences */
    int64_t rows;     /* of all files */
    int64_t length;   /* tokens of a sequence; 0 with documents */
    int64_t per_file; /* rows of a file at most */
    int64_t tokens;   /* stored */
    int64_t targets;  /* of them targets */
    int64_t eos;      /* -1 with sequences */
    bool wide;        /* the column's items are uint32, else uint16 */
    const char *column_type;
    enum sl_export_dtype dtype; /* of the files */
    struct sl_hash128 column;   /* docs/stream.md, section 7: of the column "tokens" */
    struct sl_hash128 stored;   /* XXH3-128 of all tokens as the files have them */
    const char *tokenizer;      /* JSON object; NULL where none was given */
    const char *const *lost;    /* names of the columns that were left behind */
    uint32_t n_lost;
    struct sl_buf files; /* of struct sl_export_file */
    const char *lineage; /* JSON array with tallies */
    struct sl_arena arena;
};

void sl_export_manifest_init(struct sl_export_manifest *m);
void sl_export_manifest_release(struct sl_export_manifest *m);

struct sl_export_file *sl_export_file(const struct sl_export_manifest *m, int64_t k);
int64_t sl_export_n_files(const struct sl_export_manifest *m);

/* The name of file k; the number of a name, -1 where it is none of the form's. */
void sl_export_name(const struct sl_export_form *f, int64_t k, char out[SL_EXPORT_NAME_BYTES]);
int64_t sl_export_number(const struct sl_export_form *f, const char *name);

unsigned sl_export_width(enum sl_export_dtype t);
const char *sl_export_dtype_name(enum sl_export_dtype t);

/* Write it as JSON. The same bytes for the same manifest. */
SL_MUST_USE enum sl_status sl_export_manifest_write(const struct sl_export_manifest *m,
                                                    struct sl_sink *to, struct sl_err *err);

/* Parse a manifest; m is initialised by the call and needs a release in any
 * case. SL_E_DATA names what is wrong with which key. */
SL_MUST_USE enum sl_status sl_export_manifest_parse(struct sl_export_manifest *m,
                                                    struct sl_str text, struct sl_err *err);

#endif
