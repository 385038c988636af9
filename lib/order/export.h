/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_EXPORT_H
#define SL_ORDER_EXPORT_H

/* Write a stream of sequences or of documents with tokens in a form that a
 * trainer reads, with a manifest that says what was kept and lost.
 *
 * Rows      a sequence goes out as it is; a document gets its end-of-document
 *           token. The order is that of the input, from file to file. A document
 *           without tokens goes nowhere: the caller must leave it out.
 * Bytes     a function of the rows, the form and the number of rows a file.
 * Restart   as of shards: with an equal .begun.json; a file that has the right
 *           bytes is kept, any other is replaced.
 * Memory    a batch; of mds a file (64 MiB); some 100 bytes a file. Lengths of
 *           documents wait in a temporary file.
 * Errors    SL_E_USAGE where the folder holds something else and force is not
 *           set; SL_E_DATA for rows that the form cannot hold, and where there is
 *           no row; SL_E_SYSTEM. After an error only sl_export_free may follow.
 * Threads   one thread an export. Blocks on the file system.
 * Source    docs/exports.md. */

#include "arrow/batch.h"
#include "base/hash.h"

struct sl_export;

/* Everything is borrowed for the call alone. */
struct sl_export_options {
    const char *dir;
    const char *form;               /* "megatron", "npy", "bin" or "mds" */
    int64_t per_file;               /* rows of a file, at least 1; megatron has one file */
    bool force;                     /* replace what the folder holds */
    const struct sl_schema *schema; /* of the input: sequences, or tokens */
    struct sl_str begun;            /* the text of .begun.json */
    const char *tmpdir;             /* for lengths of documents */
    int64_t n_ids;                  /* all ids are below; 0: not known */
    int64_t eos;                    /* closes a document; -1: none is known */
};

/* Check the input's columns and the folder (making it where it is absent). */
SL_MUST_USE enum sl_status
sl_export_new(struct sl_export **out, const struct sl_export_options *options, struct sl_err *err);
void sl_export_free(struct sl_export *x); /* NULL allowed */

/* Add rows [from, from + n) of a batch with the schema's columns. */
SL_MUST_USE enum sl_status sl_export_add(struct sl_export *x, const struct sl_batch *b,
                                         int64_t from, int64_t n, struct sl_err *err);

/* All rows came: the last files get their names, and higher ones go. */
SL_MUST_USE enum sl_status sl_export_end(struct sl_export *x, struct sl_err *err);

/* Write the manifest, which completes the folder. lineage: JSON array. */
SL_MUST_USE enum sl_status sl_export_commit(struct sl_export *x, struct sl_str lineage,
                                            struct sl_err *err);

struct sl_export_counts {
    int64_t rows, files;
    int64_t tokens;   /* stored, end tokens included */
    int64_t targets;  /* of sequences: where loss_mask is 1; else tokens */
    int64_t specials; /* end-of-document tokens added */
    int64_t n_kept;   /* files that stood already */
};
struct sl_export_counts sl_export_counts(const struct sl_export *x);

/* ---- checking ---- */

/* What a folder holds that was read to its end. */
struct sl_export_facts {
    int64_t rows, tokens;
    int64_t targets;          /* what the manifest says: the files cannot */
    const char *form;         /* static */
    struct sl_hash128 column; /* digest of the input's column "tokens" */
    char *lineage;            /* JSON array with tallies; the caller frees it */
};

/* Is there a manifest in the folder, and is it that of an export? */
bool sl_export_is(const char *dir);

/* Read all files and compare them with the manifest: names, sizes, headers,
 * indices, and the tokens by their digests. facts->lineage must be freed in any
 * case. SL_E_DATA names the file and what is wrong with it. */
SL_MUST_USE enum sl_status sl_export_check(const char *dir, struct sl_export_facts *facts,
                                           struct sl_err *err);

#endif
