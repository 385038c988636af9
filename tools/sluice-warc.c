/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-warc: crawls to documents. What a record is, is web/warc.h's; what a
 * page is, web/warc_page.h's; here is which columns they fill, and the count of
 * everything that was passed over or lost. */
#include <stdlib.h>

#include "base/utf8.h"
#include "run/identity.h"
#include "run/tool.h"
#include "web/warc_ahead.h"
#include "web/warc_date.h"
#include "web/warc_page.h"

struct conf {
    const char *types, *mimes, *statuses, *id;
};

static const struct sl_opt options[] = {
    SL_OPT_STR(0, "type", "TYPE,...", struct conf, types,
               "record types: response, resource, conversion; default: response, or conversion "
               "where the first input is WET",
               SL_OPT_RESULT),
    SL_OPT_STR(0, "mime", "TYPE,...", struct conf, mimes,
               "MIME types, or any [text/html,application/xhtml+xml,text/plain]", SL_OPT_RESULT),
    SL_OPT_STR(0, "status", "CODE,...", struct conf, statuses, "HTTP status codes, or any [200]",
               SL_OPT_RESULT),
    SL_OPT_CHOICE(0, "id", "record|refers-to", struct conf, id,
                  "whose record id makes a WET document's id: its own, or its page's [record]",
                  SL_OPT_RESULT),
    SL_OPT_END
};

static const char *const reasons[] = { "lost_damaged", "lost_cut", "lost_length", "lost_head",
                                       "too_large",    "bomb",     "no_id",       NULL };
enum { LOST_DAMAGED, LOST_CUT, LOST_LENGTH, LOST_HEAD, TOO_LARGE, BOMB, NO_ID };

static const char *const counts[] = {
    "records",        "skipped_type",  "skipped_sort",        "skipped_revisit",
    "skipped_status", "skipped_mime",  "bodies_decoded",      "bodies_cut",
    "bodies_unknown", "headers_lied",  "replaced_characters", "lost",
    "lost_bytes",     "lengths_wrong", "bad_dates",           NULL
};
enum { RECORDS, SKIPPED_TYPE, SKIPPED_SORT, SKIPPED_REVISIT, SKIPPED_STATUS, SKIPPED_MIME };
enum { BODIES_DECODED = SKIPPED_MIME + 1, BODIES_CUT, BODIES_UNKNOWN, HEADERS_LIED, REPLACED };
enum { LOST = REPLACED + 1, LOST_BYTES, LENGTHS_WRONG, BAD_DATES };

/* Both sorts of streams in one list; a column stands in one or both. */
enum { IN_WARC = 1, IN_WET = 2, IN_BOTH = 3 };
enum { ID, SOURCE_ID, URL, DATE, HTML, TEXT, HTTP_STATUS, CONTENT_TYPE, CHARSET };
enum { CONTENT_LANGUAGE = CHARSET + 1, X_ROBOTS_TAG, TDM_RESERVATION, IP, DIGEST, TRUNCATED };
enum { REFERS_TO = TRUNCATED + 1, SOURCE, OFFSET, N_COLUMNS };
static const struct sl_add adds[] = {
    [ID] = { "id", "fixed_size_binary[16]", "identity: XXH3-128 of the record id" },
    [SOURCE_ID] = { "source_id", "utf8?", "WARC-Record-ID without blanks and angle brackets" },
    [URL] = { "url", "utf8?", "WARC-Target-URI" },
    [DATE] = { "date", "timestamp[us,UTC]?", "WARC-Date" },
    [HTML] = { "html", "large_binary", "the decoded body (not of WET)" },
    [TEXT] = { "text", "large_utf8", "the text (of WET alone)" },
    [HTTP_STATUS] = { "http_status", "uint16?", "HTTP status (not of WET)" },
    [CONTENT_TYPE] = { "content_type", "utf8?", "MIME type, lower case (not of WET)" },
    [CHARSET] = { "charset", "utf8?", "charset parameter, lower case (not of WET)" },
    [CONTENT_LANGUAGE] = { "content_language", "utf8?",
                           "Content-Language; of WET what was identified" },
    [X_ROBOTS_TAG] = { "x_robots_tag", "utf8?", "X-Robots-Tag headers, joined (not of WET)" },
    [TDM_RESERVATION] = { "tdm_reservation", "utf8?", "TDM-Reservation header (not of WET)" },
    [IP] = { "ip", "utf8?", "WARC-IP-Address (not of WET)" },
    [DIGEST] = { "digest", "utf8?", "WARC-Payload-Digest, else WARC-Block-Digest" },
    [TRUNCATED] = { "truncated", "utf8?", "WARC-Truncated; unspecified: the body was found cut" },
    [REFERS_TO] = { "refers_to", "utf8?", "record id of the page (of WET alone)" },
    [SOURCE] = { "source", "utf8", "name of the input" },
    [OFFSET] = { "offset", "uint64",
                 "where the record begins: of its gzip member or zstd frame, "
                 "else in the decompressed bytes" },
    [N_COLUMNS] = { NULL, NULL, NULL },
};
static const uint8_t column_sorts[N_COLUMNS] = {
    IN_BOTH, IN_BOTH, IN_BOTH, IN_BOTH, IN_WARC, IN_WET,  IN_WARC, IN_WARC, IN_WARC,
    IN_BOTH, IN_WARC, IN_WARC, IN_WARC, IN_BOTH, IN_BOTH, IN_WET,  IN_BOTH, IN_BOTH,
};

/* ---- the state of a run ---- */

enum { TEXT_MAX = 1 << 30, HEAD_ROOM = 1 << 20, WARNINGS_MAX = 20 };

struct state {
    bool wet;
    struct sl_pager *pager;
    struct sl_buf text;      /* repaired text */
    int place[N_COLUMNS];    /* of a column in the output; -1: not there */
    struct sl_warc_ahead in; /* the open input; the first one is opened early */
    int64_t raw_bytes;       /* of it, told to the run so far */
    const char *path;        /* NULL: none is open */
    int64_t n_losses;        /* in all inputs */
};

static void close_input(struct state *s)
{
    sl_warc_ahead_close(&s->in);
    s->path = NULL;
    s->raw_bytes = 0;
}

static void warc_stop(struct sl_run *run)
{
    struct state *s = sl_run_state(run);
    close_input(s);
    sl_pager_free(s->pager);
    sl_buf_release(&s->text);
    free(s);
}

static enum sl_status open_input(struct sl_run *run, const char *path, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    size_t most = (size_t)sl_run_common(run)->max_doc_bytes + HEAD_ROOM;
    s->path = path;
    return sl_warc_ahead_open(&s->in, path, most, err);
}

/* ---- lost records ---- */

static int reason_of(enum sl_warc_why why)
{
    static const int of[] = { [SL_WARC_DAMAGED] = LOST_DAMAGED, [SL_WARC_CUT] = LOST_CUT,
                              [SL_WARC_LENGTH] = LOST_LENGTH,   [SL_WARC_HEAD] = LOST_HEAD,
                              [SL_WARC_OVERSIZED] = TOO_LARGE,  [SL_WARC_RATIO] = BOMB };
    return of[why];
}

static struct sl_hash128 id_of(struct sl_run *run, const struct sl_warc_record *rec, bool *found)
{
    const struct state *s = sl_run_state(run);
    const struct conf *conf = sl_run_conf(run);
    struct sl_str source = sl_str_of(sl_run_source_name(run, s->path));
    bool page_id = s->wet && strcmp(conf->id, "refers-to") == 0;
    struct sl_str given = page_id ? rec->refers_to : rec->id;
    *found = given.n || source.n;
    return given.n ? sl_id_of_given(given) : sl_id_of_place(source, rec->off);
}

static enum sl_status reject(struct sl_run *run, const struct sl_warc_record *rec, int reason,
                             struct sl_str detail, struct sl_err *err)
{
    const struct state *s = sl_run_state(run);
    bool found;
    struct sl_raw_reject r = {
        .id = id_of(run, rec, &found),
        .source = sl_str_of(sl_run_source_name(run, s->path)),
        .off = rec->off,
        .line = -1,
        .raw = rec->block,
        .detail = detail,
        .reason = reason,
        .bad = reason != TOO_LARGE,
    };
    return sl_run_reject_raw(run, &r, err);
}

/* Tell of a loss; of many losses the first ones. */
static void warn_loss(struct sl_run *run, const struct sl_warc_record *rec)
{
    struct state *s = sl_run_state(run);
    if (s->n_losses++ < WARNINGS_MAX)
        sl_run_warn(run, "'%s': lost a record at byte %lld: %s (%lld bytes)",
                    sl_source_name(s->in.source), (long long)rec->off, rec->reason,
                    (long long)rec->lost_bytes);
    if (s->n_losses == WARNINGS_MAX)
        sl_run_warn(run, "further lost records are counted and not told one by one: see --report "
                         "and --rejects");
}

/* A record that was not had. One that is over --max-doc is sound: it counts as
 * any other large document, or is passed over where its type is no page's. */
static enum sl_status take_loss(struct sl_run *run, const struct sl_warc_record *rec,
                                struct sl_err *err)
{
    bool sound = rec->why == SL_WARC_OVERSIZED;
    sl_run_count(run, RECORDS, sound);
    if (sound && rec->type != SL_WARC_OTHER && !sl_warc_is_page(rec->type)) {
        sl_run_count(run, SKIPPED_TYPE, 1);
        return SL_OK;
    }
    if (!sound) {
        sl_run_count(run, LOST, 1);
        sl_run_count(run, LOST_BYTES, rec->lost_bytes);
        warn_loss(run, rec);
    }
    return reject(run, rec, reason_of(rec->why), sl_str_of(rec->reason), err);
}

/* ---- rows ---- */

static struct sl_colbuf *column(struct sl_run *run, int c)
{
    const struct state *s = sl_run_state(run);
    return s->place[c] < 0 ? NULL : &sl_run_rows(run)->cols[s->place[c]];
}

/* Header values are bytes; what is no UTF-8 in them is replaced. */
static enum sl_status add_str(struct sl_run *run, int c, struct sl_str v, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    struct sl_colbuf *to = column(run, c);
    uint64_t n_bad = 0;
    if (!v.n && to->field->nullable)
        return sl_colbuf_add_null(to, err);
    if (c == ID || c == HTML || sl_utf8_valid(v.p, v.n))
        return sl_colbuf_add_str(to, v, err);
    sl_buf_reset(&s->text);
    SL_TRY(sl_utf8_repair(&s->text, v.p, v.n, &n_bad, err));
    sl_run_count(run, REPLACED, (int64_t)n_bad);
    return sl_colbuf_add_str(to, sl_buf_str(&s->text), err);
}

static enum sl_status add_numbers(struct sl_run *run, const struct sl_warc_record *rec,
                                  const struct sl_page *page, struct sl_err *err)
{
    struct sl_colbuf *date = column(run, DATE), *status = column(run, HTTP_STATUS);
    int64_t us;
    bool has_date = sl_warc_date(rec->date, &us);
    sl_run_count(run, BAD_DATES, !has_date);
    SL_TRY(has_date ? sl_colbuf_add_int(date, us, err) : sl_colbuf_add_null(date, err));
    if (status)
        SL_TRY(page->status > 0 ? sl_colbuf_add_int(status, page->status, err)
                                : sl_colbuf_add_null(status, err));
    return sl_colbuf_add_int(column(run, OFFSET), rec->off, err);
}

static enum sl_status add_row(struct sl_run *run, const struct sl_warc_record *rec,
                              const struct sl_page *page, const struct sl_hash128 *id,
                              struct sl_err *err)
{
    const struct state *s = sl_run_state(run);
    bool cut = page->body_notes & SL_HTTP_BODY_TRUNCATED;
    const struct sl_str values[N_COLUMNS] = {
        [ID] = { (const char *)id->b, sizeof id->b },
        [SOURCE_ID] = rec->id,
        [URL] = rec->uri,
        [HTML] = page->body,
        [TEXT] = page->body,
        [CONTENT_TYPE] = page->mime,
        [CHARSET] = page->charset,
        [CONTENT_LANGUAGE] = page->content_language,
        [X_ROBOTS_TAG] = page->x_robots_tag,
        [TDM_RESERVATION] = page->tdm_reservation,
        [IP] = rec->ip,
        [DIGEST] = rec->payload_digest.n ? rec->payload_digest : rec->block_digest,
        [TRUNCATED] = rec->truncated.n || !cut ? rec->truncated : SL_STR("unspecified"),
        [REFERS_TO] = rec->refers_to,
        [SOURCE] = sl_str_of(sl_run_source_name(run, s->path)),
    };
    for (int c = 0; c < N_COLUMNS; c++)
        if (s->place[c] >= 0 && c != DATE && c != HTTP_STATUS && c != OFFSET)
            SL_TRY(add_str(run, c, values[c], err));
    SL_TRY(add_numbers(run, rec, page, err));
    return sl_run_close_row(run, err);
}

static enum sl_status take_page(struct sl_run *run, const struct sl_warc_record *rec,
                                const struct sl_page *page, struct sl_err *err)
{
    bool found;
    struct sl_hash128 id = id_of(run, rec, &found);
    if (!found)
        return reject(run, rec, NO_ID, SL_STR("no WARC-Record-ID, and no --source"), err);
    sl_run_count(run, BODIES_DECODED,
                 (page->body_notes & (SL_HTTP_WAS_CHUNKED | SL_HTTP_WAS_ENCODED)) != 0);
    sl_run_count(run, BODIES_CUT, (page->body_notes & SL_HTTP_BODY_TRUNCATED) != 0);
    sl_run_count(run, HEADERS_LIED, (page->body_notes & SL_HTTP_HEADER_LIED) != 0);
    sl_run_count(run, BODIES_UNKNOWN, (page->body_notes & SL_HTTP_UNKNOWN_CODING) != 0);
    return add_row(run, rec, page, &id, err);
}

static enum sl_status take_record(struct sl_run *run, const struct sl_warc_record *rec,
                                  struct sl_err *err)
{
    static const int skipped[] = { [SL_PAGE_OTHER_TYPE] = SKIPPED_TYPE,
                                   [SL_PAGE_OTHER_SORT] = SKIPPED_SORT,
                                   [SL_PAGE_REVISIT] = SKIPPED_REVISIT,
                                   [SL_PAGE_OTHER_STATUS] = SKIPPED_STATUS,
                                   [SL_PAGE_OTHER_MIME] = SKIPPED_MIME };
    const struct state *s = sl_run_state(run);
    struct sl_page page;
    enum sl_page_verdict verdict;
    if (rec->kind == SL_WARC_LOST)
        return take_loss(run, rec, err);
    sl_run_count(run, RECORDS, 1);
    sl_run_count(run, LENGTHS_WRONG,
                 (rec->flags & (SL_WARC_LENGTH_WRONG | SL_WARC_LENGTH_ABSENT)) != 0);
    SL_TRY(sl_pager_judge(s->pager, rec, &page, &verdict, err));
    if (verdict == SL_PAGE_TAKEN)
        return take_page(run, rec, &page, err);
    if (verdict == SL_PAGE_TOO_LARGE)
        return reject(run, rec, TOO_LARGE, SL_STR("the body is over --max-doc"), err);
    if (verdict == SL_PAGE_BOMB)
        return reject(run, rec, BOMB, SL_STR("the body inflates beyond the limit"), err);
    if (verdict == SL_PAGE_HEAD)
        return reject(run, rec, LOST_HEAD, SL_STR("an HTTP head over the limit of 1 MiB"), err);
    sl_run_count(run, skipped[verdict], 1);
    return SL_OK;
}

/* ---- the flow ---- */

static enum sl_status read_input(struct sl_run *run, const char *path, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    struct sl_warc_record rec;
    if (!s->path)
        SL_TRY(open_input(run, path, err));
    sl_run_count(run, RECORDS, s->in.n_passed);
    sl_run_count(run, SKIPPED_TYPE, s->in.n_passed);
    enum sl_status st = SL_OK;
    while (st == SL_OK) {
        st = sl_warc_ahead_next(&s->in, &rec, err);
        if (st == SL_OK)
            st = take_record(run, &rec, err);
        int64_t raw = sl_source_raw_bytes(s->in.source);
        sl_run_add_bytes_in(run, raw - s->raw_bytes);
        s->raw_bytes = raw;
    }
    close_input(s);
    return st == SL_END ? SL_OK : st;
}

/* The first input's first page decides the columns. */
static enum sl_status warc_schema(struct sl_run *run, const struct sl_schema *in,
                                  struct sl_schema *out, struct sl_err *err)
{
    (void)in;
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return sl_err_nomem(err, sizeof *s);
    sl_buf_init(&s->text, TEXT_MAX);
    sl_run_set_state(run, s);
    SL_TRY(open_input(run, sl_run_n_inputs(run) ? sl_run_input(run, 0) : "-", err));
    SL_TRY(sl_warc_ahead_sort(&s->in, &s->wet, err));
    const struct conf *conf = sl_run_conf(run);
    sl_page_choice_sort(conf->types, &s->wet);
    int sort = s->wet ? IN_WET : IN_WARC;
    for (int c = 0; c < N_COLUMNS; c++) {
        s->place[c] = column_sorts[c] & sort ? (int)out->n_fields : -1;
        if (s->place[c] >= 0)
            SL_TRY(sl_schema_add_text(out, adds[c].name, adds[c].type, err));
    }
    return SL_OK;
}

static enum sl_status warc_check(void *conf_, struct sl_err *err)
{
    const struct conf *conf = conf_;
    struct sl_page_choice choice = { conf->types, conf->mimes, conf->statuses, 0, false };
    return sl_page_choice_check(&choice, err);
}

static enum sl_status warc_start(struct sl_run *run, struct sl_err *err)
{
    struct state *s = sl_run_state(run);
    const struct conf *conf = sl_run_conf(run);
    struct sl_page_choice choice = { conf->types, conf->mimes, conf->statuses,
                                     sl_run_common(run)->max_doc_bytes, s->wet };
    s->pager = sl_pager_new(&choice);
    return s->pager ? SL_OK : sl_err_nomem(err, 0);
}

static const struct sl_tool tool = {
    .name = "sluice-warc",
    .about = "read WARC and WET files into documents",
    .group = "ingest",
    .examples = "sluice-warc CC-MAIN-*.warc.gz | sluice-extract > docs.arrows\n"
                "sluice-warc --status any --rejects lost.arrows crawl.warc.zst -o pages.arrows",
    .notes = "Reads WARC 0.17 to 1.1: plain, gzip (a member a record, or one for the file) and\n"
             "zstd (with or without a dictionary frame), found by content. Bodies that really are\n"
             "chunked or compressed are decoded. The first input decides the columns: pages\n"
             "(html) or WET (text); records of the other sort are skipped and counted. A damaged\n"
             "record is lost, reported with its offset and kept in --rejects; the next one is\n"
             "found by its own head. Limits: 64 KiB for a record's head, 1 MiB for an HTTP head,\n"
             "512 times for what inflates to more than 1 MiB; over them a record is lost.",
    .options = options,
    .conf_size = sizeof(struct conf),
    .out = "docs",
    .adds = adds,
    .reasons = reasons,
    .counts = counts,
    .flow = SL_SOURCE,
    .names_inputs = true,
    .takes_max_doc = true,
    .check = warc_check,
    .schema = warc_schema,
    .start = warc_start,
    .read = read_input,
    .stop = warc_stop,
    .trial = "",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
