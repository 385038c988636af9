/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-import: lines of JSON and text files to documents. Which field goes into
 * which column is ingest/json_docs.h's; here are the inputs, identity, and what
 * becomes of a line that is no row. */
#include <stdio.h>
#include <stdlib.h>

#include "ingest/json_docs.h"
#include "ingest/lines.h"
#include "ingest/text_format.h"
#include "run/identity.h"
#include "run/tool.h"

struct conf {
    const char *format, *map, *columns, *id;
    bool json;
};

static const struct sl_opt options[] = {
    SL_OPT_CHOICE(0, "format", "auto|jsonl|text", struct conf, format,
                  "a document a line of JSON, or a file; auto looks at the first bytes [auto]",
                  SL_OPT_RESULT),
    SL_OPT_STR(0, "map", "COLUMN=FIELD,...", struct conf, map,
               "fields of another name; default: each column's own", SL_OPT_RESULT),
    SL_OPT_STR(0, "columns", "NAME TYPE,...", struct conf, columns,
               "further columns, with types as in docs/stream.md; with '?' they may be null",
               SL_OPT_RESULT),
    SL_OPT_CHOICE(0, "id", "given|hex", struct conf, id,
                  "the id field: any name, or the id itself as sluice-export writes it [given]",
                  SL_OPT_RESULT),
    SL_OPT_BOOL(0, "json", struct conf, json, "keep all other fields in the column json [on]",
                SL_OPT_RESULT),
    SL_OPT_END
};

static const struct sl_add adds[] = {
    { "id", "fixed_size_binary[16]", "identity: XXH3-128 of the given id, else of the place" },
    { "source_id", "utf8?", "the given id" },
    { "url", "utf8?", "field url" },
    { "date", "timestamp[us,UTC]?", "field date: ISO 8601, or seconds since 1970" },
    { "text", "large_utf8", "field text (not where html stands, unless it is mapped too)" },
    { "html", "large_binary", "with --map html=FIELD, or --columns 'html large_binary' (base64)" },
    { "source", "utf8", "field source, else the name of the input" },
    { "offset", "uint64", "where the line begins in the decompressed bytes" },
    { "json", "utf8?", "all other fields: an object as JSON text" },
    { NULL, NULL, NULL },
};

/* The first are enum sl_json_bad. */
static const char *const reasons[] = { "not_json",  "not_object", "duplicate_field",
                                       "missing",   "wrong_type", "bad_value",
                                       "too_large", "no_id",      NULL };
enum { TOO_LARGE = SL_JSON_BAD_SIZE, NO_ID };

static const char *const counts[] = { "lines",     "skipped_blank",  "replaced_characters",
                                      "bad_dates", "dropped_fields", NULL };
enum { LINES, SKIPPED_BLANK, REPLACED, BAD_DATES, DROPPED };

enum { WARNINGS_MAX = 10, LINE_ROOM = 1 << 20, ESCAPED_MOST = 4 };

struct state {
    struct sl_json_docs *docs;
    struct sl_buf given;      /* source NUL id */
    struct sl_source *source; /* the open input */
    const char *path;
    int64_t raw_bytes; /* of it, told to the run so far */
    int64_t n_bad;
};

/* What a row, or a rejected one, is made from. */
struct piece {
    struct sl_str raw;
    int64_t off, line; /* line: -1 in a text file */
};

/* ---- identity ---- */

/* The id of a given id is that of "source NUL id" where --source is set. */
static enum sl_status id_of_given(struct sl_run *run, struct sl_str given, struct sl_hash128 *id,
                                  struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    struct sl_str source = sl_str_of(sl_run_source_name(run, "-")); /* --source, or nothing */
    sl_buf_reset(&s->given);
    if (source.n) {
        SL_TRY(sl_buf_add_str(&s->given, source, err));
        SL_TRY(sl_buf_add_byte(&s->given, 0, err));
    }
    SL_TRY(sl_buf_add_str(&s->given, given, err));
    *id = sl_id_of_given(sl_buf_str(&s->given));
    return SL_OK;
}

static enum sl_status id_of(struct sl_run *run, const struct sl_json_doc *doc, int64_t off,
                            struct sl_hash128 *id, bool *found, struct sl_err *err)
{
    const struct state *s = sl_run_state(run);
    struct sl_str source = sl_str_of(sl_run_source_name(run, s->path));
    *found = true;
    if (doc->has_id)
        *id = doc->id;
    else if (doc->given.n)
        return id_of_given(run, doc->given, id, err);
    else {
        *found = source.n > 0;
        *id = sl_id_of_place(source, off);
    }
    return SL_OK;
}

/* ---- rows and rejects ---- */

static void warn_bad(struct sl_run *run, const struct piece *piece, const char *why)
{
    struct state *s = sl_run_state(run);
    if (s->n_bad++ < WARNINGS_MAX)
        sl_run_warn(run, "'%s': line %lld at byte %lld is no row: %s", sl_source_name(s->source),
                    (long long)piece->line, (long long)piece->off, why);
    if (s->n_bad == WARNINGS_MAX)
        sl_run_warn(run, "further bad lines are counted and not told one by one: see --report and "
                         "--rejects");
}

static enum sl_status reject(struct sl_run *run, const struct piece *piece, int reason,
                             const struct sl_json_doc *doc, struct sl_err *err)
{
    const struct state *s = sl_run_state(run);
    bool found;
    struct sl_raw_reject r = {
        .source = sl_str_of(sl_run_source_name(run, s->path)),
        .off = piece->off,
        .line = piece->line,
        .raw = piece->raw,
        .detail = sl_str_of(doc->detail),
        .reason = reason,
        .bad = reason != TOO_LARGE,
    };
    SL_TRY(id_of(run, doc, piece->off, &r.id, &found, err));
    if (r.bad)
        warn_bad(run, piece, doc->detail);
    enum sl_status st = sl_run_reject_raw(run, &r, err);
    if (st == SL_E_DATA)
        sl_err_at(err, sl_source_name(s->source), piece->off, piece->line);
    return st;
}

/* What was read is a row, or is rejected. */
static enum sl_status take(struct sl_run *run, const struct piece *piece, struct sl_json_doc *doc,
                           struct sl_err *err)
{
    static const char no_id[] = "no id, and standard input has no name: --source gives it one";
    const struct state *s = sl_run_state(run);
    struct sl_json_place place = { .source = sl_str_of(sl_run_source_name(run, s->path)),
                                   .off = piece->off };
    bool found;
    if (doc->bad != SL_JSON_BAD_NONE)
        return reject(run, piece, (int)doc->bad, doc, err);
    SL_TRY(id_of(run, doc, piece->off, &place.id, &found, err));
    if (!found) {
        memcpy(doc->detail, no_id, sizeof no_id);
        return reject(run, piece, NO_ID, doc, err);
    }
    SL_TRY(sl_json_docs_add(s->docs, doc, &place, sl_run_rows(run), err));
    sl_run_count(run, REPLACED, (int64_t)doc->n_replaced);
    sl_run_count(run, BAD_DATES, doc->bad_date);
    sl_run_count(run, DROPPED, doc->n_dropped);
    return sl_run_close_row(run, err);
}

static void too_large(struct sl_json_doc *doc, const char *what)
{
    *doc = (struct sl_json_doc){ .bad = SL_JSON_BAD_SIZE };
    snprintf(doc->detail, sizeof doc->detail, "%s", what);
}

static void tell_bytes(struct sl_run *run)
{
    struct state *s = sl_run_state(run);
    int64_t raw = sl_source_raw_bytes(s->source);
    if (raw == s->raw_bytes)
        return;
    sl_run_add_bytes_in(run, raw - s->raw_bytes);
    s->raw_bytes = raw;
}

/* ---- the two formats ---- */

static bool is_blank(struct sl_str s)
{
    return sl_str_trim(s).n == 0;
}

static enum sl_status take_line(struct sl_run *run, const struct sl_line *line, struct sl_err *err)
{
    const struct state *s = sl_run_state(run);
    const struct piece piece = { line->text, line->off, line->number };
    struct sl_json_doc doc;
    sl_run_count(run, LINES, 1);
    if (!line->cut && is_blank(line->text)) {
        sl_run_count(run, SKIPPED_BLANK, 1);
        return SL_OK;
    }
    if (line->cut)
        too_large(&doc, "the line is longer than four times --max-doc");
    else
        SL_TRY(sl_json_docs_read(s->docs, line->text, &doc, err));
    return take(run, &piece, &doc, err);
}

static enum sl_status read_lines(struct sl_run *run, struct sl_err *err)
{
    const struct state *s = sl_run_state(run);
    size_t most = (size_t)sl_run_common(run)->max_doc_bytes * ESCAPED_MOST + LINE_ROOM;
    struct sl_lines lines;
    struct sl_line line;
    enum sl_status st = SL_OK;
    sl_lines_init(&lines, s->source, most);
    while (st == SL_OK) {
        st = sl_lines_next(&lines, &line, err);
        if (st == SL_OK)
            st = take_line(run, &line, err);
        tell_bytes(run);
    }
    return st == SL_END ? SL_OK : st;
}

/* Skip to the end, so that a damaged rest is found. */
static enum sl_status skip_all(struct sl_source *source, struct sl_err *err)
{
    const uint8_t *p;
    size_t n;
    do {
        SL_TRY(sl_source_peek(source, 1, &p, &n, err));
        sl_source_consume(source, n);
    } while (n);
    return SL_OK;
}

static enum sl_status read_text(struct sl_run *run, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    size_t most = (size_t)sl_run_common(run)->max_doc_bytes, n;
    const uint8_t *p;
    struct sl_json_doc doc;
    SL_TRY(sl_source_peek(s->source, most + 1, &p, &n, err));
    const struct piece piece = { { (const char *)p, n }, 0, -1 };
    if (n > most)
        too_large(&doc, "the file is over --max-doc");
    else
        SL_TRY(sl_json_docs_read_text(s->docs, piece.raw, &doc, err));
    SL_TRY(take(run, &piece, &doc, err));
    sl_source_consume(s->source, n);
    enum sl_status st = skip_all(s->source, err);
    tell_bytes(run);
    return st;
}

/* ---- the flow ---- */

static enum sl_status find_format(struct sl_run *run, enum sl_text_format *format,
                                  struct sl_err *err)
{
    const struct conf *conf = sl_run_conf(run);
    const struct state *s = sl_run_state(run);
    const char *says;
    const uint8_t *p;
    size_t n;
    SL_TRY(sl_source_peek(s->source, SL_FORMAT_BYTES, &p, &n, err));
    if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        sl_source_consume(s->source, 3);
        SL_TRY(sl_source_peek(s->source, SL_FORMAT_BYTES, &p, &n, err));
    }
    *format = strcmp(conf->format, "text") == 0 ? SL_FORMAT_TEXT : SL_FORMAT_JSONL;
    if (strcmp(conf->format, "auto") == 0)
        *format = sl_text_format((struct sl_str){ (const char *)p, n }, &says);
    if (*format != SL_FORMAT_REFUSED)
        return SL_OK;
    enum sl_status st = sl_err_set(err, SL_E_DATA, "%s", says);
    sl_err_at(err, sl_source_name(s->source), -1, -1);
    return st;
}

static void close_input(struct state *s)
{
    sl_source_free(s->source);
    s->source = NULL;
    s->raw_bytes = 0;
}

static enum sl_status read_input(struct sl_run *run, const char *path, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    enum sl_text_format format = SL_FORMAT_JSONL;
    s->path = path;
    SL_TRY(sl_source_open(&s->source, path, SL_SOURCE_AUTO, err));
    enum sl_status st = find_format(run, &format, err);
    if (st == SL_OK)
        st = format == SL_FORMAT_TEXT ? read_text(run, err) : read_lines(run, err);
    close_input(s);
    return st;
}

static enum sl_status import_schema(struct sl_run *run, const struct sl_schema *in,
                                    struct sl_schema *out, struct sl_err *err)
{
    (void)in;
    const struct conf *conf = sl_run_conf(run);
    const struct sl_json_docs_options o = {
        .map = conf->map,
        .columns = conf->columns,
        .id_hex = strcmp(conf->id, "hex") == 0,
        .keep_json = conf->json,
        .max_doc_bytes = (size_t)sl_run_common(run)->max_doc_bytes,
    };
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    sl_buf_init(&s->given, 1 << 30);
    sl_run_set_state(run, s);
    SL_TRY(sl_json_docs_new(&s->docs, &o, err));
    return sl_json_docs_schema(s->docs, out, err);
}

static void import_stop(struct sl_run *run)
{
    struct state *s = sl_run_state(run);
    if (!s)
        return;
    close_input(s);
    sl_json_docs_free(s->docs);
    sl_buf_release(&s->given);
    free(s);
}

static const struct sl_tool tool = {
    .name = "sluice-import",
    .about = "read lines of JSON and text files into documents",
    .group = "ingest",
    .examples = "sluice-import docs.jsonl.zst | sluice-tokenize > tokens.arrows\n"
                "sluice-import --map text=content,url=link --columns 'score float32?' a.jsonl\n"
                "sluice-import --id hex exported.jsonl -o docs.arrows",
    .notes =
        "Plain, gzip or zstd, found by content. The columns depend on the options alone.\n"
        "A line that is no row (no JSON object, a name in it twice, no text, a value that its\n"
        "column cannot hold) is counted under its reason, told (the first ten), and kept in\n"
        "--rejects with its number and offset; --strict makes it an error. Ill-formed UTF-8\n"
        "and lone surrogates become U+FFFD and are counted; a date that is none becomes null\n"
        "and is counted; blank lines are skipped and counted. The id of a line without one\n"
        "is made of the input's name and the offset. See docs/importing.md.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .out = "docs",
    .adds = adds,
    .reasons = reasons,
    .counts = counts,
    .flow = SL_SOURCE,
    .names_inputs = true,
    .takes_max_doc = true,
    .schema = import_schema,
    .read = read_input,
    .stop = import_stop,
    .trial = "",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
