/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_INGEST_JSON_DOCS_H
#define SL_INGEST_JSON_DOCS_H

/* Lines of JSON as rows of documents: which field goes into which column.
 *
 * The columns depend on the options alone, never on the data:
 *
 *   id source_id url date [text] [html] source offset [json] and those of columns
 *
 * `html` stands where it is mapped, as the characters of a string, or where it is
 * among columns, as base64; `text` where html does not or where it is mapped too.
 * Both are required where they stand. A field without a column goes into `json`,
 * the object of all such fields as JSON text. A name in columns takes the place
 * of the column of that name.
 *
 *     sl_json_docs_read(d, line, &doc, err)     is it a row? its given id?
 *     sl_json_docs_add(d, &doc, &place, rows, err)
 *
 * Ownership what doc points to dies at the next read; the line must live as long.
 * Errors    a line that is no row is doc->bad, not an error.
 * Threads   one thread at a time. */

#include "arrow/rows.h"
#include "base/hash.h"

struct sl_json_docs;

struct sl_json_docs_options {
    const char *map;     /* "text=content,url=link"; may be NULL */
    const char *columns; /* "score float32, tags list<utf8>?"; may be NULL */
    bool id_hex;         /* the id field is the id itself, as 32 hex digits */
    bool keep_json;      /* the json column */
    size_t max_doc_bytes;
};

/* Why a line is no row. */
enum sl_json_bad {
    SL_JSON_BAD_NONE = -1,
    SL_JSON_BAD_SYNTAX,    /* not JSON */
    SL_JSON_BAD_NO_OBJECT, /* JSON, but no object */
    SL_JSON_BAD_TWICE,     /* two fields of one name */
    SL_JSON_BAD_MISSING,   /* no value where one must be */
    SL_JSON_BAD_TYPE,      /* a value of another type */
    SL_JSON_BAD_VALUE_,    /* a value that its column cannot hold */
    SL_JSON_BAD_SIZE       /* text or html over max_doc_bytes */
};

struct sl_json_doc {
    enum sl_json_bad bad;
    char detail[512];     /* of a bad line: UTF-8, in words */
    struct sl_str given;  /* the given id; n is 0 where there is none */
    bool has_id;          /* id_hex: */
    struct sl_hash128 id; /*   the id as given */
    uint64_t n_replaced;  /* characters that became U+FFFD */
    bool bad_date;        /* the date was none; it is null */
    int64_t n_dropped;    /* fields without a place, where keep_json is off */
};

/* Where a row comes from. */
struct sl_json_place {
    struct sl_hash128 id;
    struct sl_str source;
    int64_t off;
};

/* SL_E_USAGE where map or columns is wrong. */
SL_MUST_USE enum sl_status sl_json_docs_new(struct sl_json_docs **out,
                                            const struct sl_json_docs_options *options,
                                            struct sl_err *err);
void sl_json_docs_free(struct sl_json_docs *d);

/* Add the columns to a schema without any. */
SL_MUST_USE enum sl_status sl_json_docs_schema(const struct sl_json_docs *d, struct sl_schema *out,
                                               struct sl_err *err);

/* Look at a line. */
SL_MUST_USE enum sl_status sl_json_docs_read(struct sl_json_docs *d, struct sl_str line,
                                             struct sl_json_doc *doc, struct sl_err *err);
/* The same of a document that is plain text (or HTML, where only html stands). */
SL_MUST_USE enum sl_status sl_json_docs_read_text(struct sl_json_docs *d, struct sl_str text,
                                                  struct sl_json_doc *doc, struct sl_err *err);

/* Add the row that was last read, a good one, to the columns of rows, whose
 * schema came from sl_json_docs_schema; the caller closes it. doc's counts are
 * only now complete. */
SL_MUST_USE enum sl_status sl_json_docs_add(struct sl_json_docs *d, struct sl_json_doc *doc,
                                            const struct sl_json_place *place, struct sl_rows *rows,
                                            struct sl_err *err);

#endif
