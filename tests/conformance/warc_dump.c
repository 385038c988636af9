/* SPDX-License-Identifier: Apache-2.0 */
/* Print what lib/web reads out of WARC files, one JSON line a record or loss,
 * for tests that compare it with other readers.
 *
 *   warc_dump [--null] [--bytes] [--names] [--max-record BYTES] [--max-body BYTES] FILE...
 *
 * --null   read and count only: one line a file, for timing.
 * --bytes  blocks and bodies too, as strings.
 * --names  a line with the name before those of each file.
 * Exit    0; 1 where a file is no WARC (its error stands in a JSON line); 3
 *         where reading fails. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/num.h"
#include "io/source.h"
#include "web/http.h"
#include "web/warc.h"

struct conf {
    bool null, bytes, names;
    uint64_t max_record, max_body;
};

struct flag_name {
    unsigned flag;
    const char *name;
};

static const struct flag_name flag_names[] = {
    { SL_WARC_OWN, "own" },
    { SL_WARC_LENGTH_WRONG, "length_wrong" },
    { SL_WARC_LENGTH_ABSENT, "length_absent" },
    { SL_WARC_JOINED, "joined" },
    { SL_WARC_FOLDED, "folded" },
    { SL_WARC_UNVERIFIED, "unverified" },
    { 0, NULL },
};

static const struct flag_name note_names[] = {
    { SL_HTTP_WAS_CHUNKED, "was_chunked" }, { SL_HTTP_WAS_ENCODED, "was_encoded" },
    { SL_HTTP_HEADER_LIED, "header_lied" }, { SL_HTTP_BODY_TRUNCATED, "body_truncated" },
    { SL_HTTP_OVER_LIMIT, "over_limit" },   { SL_HTTP_UNKNOWN_CODING, "unknown_coding" },
    { SL_HTTP_EXTRA_LINE, "extra_line" },   { 0, NULL },
};

/* Bytes over 0x7e become \u00xx: the reader of this takes them as latin-1. */
static void put_str(const char *key, struct sl_str s)
{
    printf(",\"%s\":\"", key);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void put_flags(const char *key, const struct flag_name *names, unsigned flags)
{
    const char *sep = "";
    printf(",\"%s\":[", key);
    for (; names->name; names++) {
        if (!(flags & names->flag))
            continue;
        printf("%s\"%s\"", sep, names->name);
        sep = ",";
    }
    putchar(']');
}

static void put_bytes(const struct conf *conf, const char *key, struct sl_str s)
{
    char hex[SL_HASH64_DIGITS];
    sl_hash64_hex(sl_hash64(s.p, s.n), hex);
    printf(",\"%s_bytes\":%zu,\"%s_xxh3\":\"%.*s\"", key, s.n, key, SL_HASH64_DIGITS, hex);
    if (conf->bytes)
        put_str(key, s);
}

static enum sl_status put_http(const struct conf *conf, struct sl_http_decoder *d,
                               const struct sl_warc_record *rec, struct sl_err *err)
{
    struct sl_http http;
    struct sl_http_body body;
    struct sl_str mime, charset;
    sl_http_parse(rec->block, &http);
    SL_TRY(sl_http_decode(d, &http, &body, err));
    sl_http_content_type(sl_http_header(&http, SL_STR("Content-Type")), &mime, &charset);
    printf(",\"http\":%s,\"status\":%d", http.is_http ? "true" : "false", http.status);
    put_str("mime", mime);
    put_str("charset", charset);
    put_bytes(conf, "body", body.bytes);
    put_flags("notes", note_names, body.notes);
    return SL_OK;
}

static enum sl_status put_record(const struct conf *conf, struct sl_http_decoder *d,
                                 const struct sl_warc_record *rec, struct sl_err *err)
{
    if (rec->kind == SL_WARC_LOST) {
        printf("{\"lost\":\"%s\"", sl_warc_why_name(rec->why));
        put_str("reason", sl_str_of(rec->reason));
        printf(",\"lost_bytes\":%" PRId64, rec->lost_bytes);
    } else {
        printf("{\"type\":\"%s\"", sl_warc_type_name(rec->type));
    }
    printf(",\"off\":%" PRId64 ",\"declared\":%" PRId64, rec->off, rec->declared_bytes);
    put_flags("flags", flag_names, rec->flags);
    put_str("version", rec->version);
    put_str("id", rec->id);
    put_str("uri", rec->uri);
    put_str("date", rec->date);
    put_str("content_type", rec->content_type);
    put_str("truncated", rec->truncated);
    put_bytes(conf, "block", rec->block);
    enum sl_status st = SL_OK;
    if (rec->kind == SL_WARC_RECORD && rec->type == SL_WARC_RESPONSE)
        st = put_http(conf, d, rec, err);
    puts("}");
    return st;
}

static enum sl_status dump(const struct conf *conf, struct sl_source *s, struct sl_err *err)
{
    struct sl_warc_reader *r = NULL;
    struct sl_warc_record rec;
    struct sl_http_decoder *d = sl_http_decoder_new((size_t)conf->max_body);
    uint64_t n = 0, n_lost = 0, n_bytes = 0;
    enum sl_status st =
        d ? sl_warc_new(&r, s, (size_t)conf->max_record, err) : sl_err_nomem(err, 1 << 16);
    while (st == SL_OK) {
        st = sl_warc_next(r, &rec, err);
        if (st != SL_OK)
            break;
        n += rec.kind == SL_WARC_RECORD;
        n_lost += rec.kind == SL_WARC_LOST;
        n_bytes += rec.block.n;
        if (!conf->null)
            st = put_record(conf, d, &rec, err);
    }
    if (conf->null)
        printf("{\"records\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n", n, n_lost,
               n_bytes);
    sl_warc_free(r);
    sl_http_decoder_free(d);
    return st == SL_END ? SL_OK : st;
}

static int dump_file(const struct conf *conf, const char *path)
{
    struct sl_err err = SL_ERR_INIT;
    struct sl_source *s = NULL;
    char text[1200];
    if (conf->names) {
        printf("{\"names\":true");
        put_str("file", sl_str_of(path));
        puts("}");
    }
    enum sl_status st = sl_source_open(&s, path, SL_SOURCE_PLAIN, &err);
    if (st == SL_OK)
        st = dump(conf, s, &err);
    sl_source_free(s);
    if (st == SL_OK)
        return 0;
    printf("{\"error\":%d", (int)st);
    put_str("message", sl_str_of(sl_err_text(&err, text, sizeof(text))));
    puts("}");
    return st == SL_E_DATA ? 1 : 3;
}

int main(int argc, char **argv)
{
    struct conf conf = { 0 };
    int i = 1, worst = 0;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        uint64_t *size = strcmp(argv[i], "--max-record") == 0 ? &conf.max_record
                         : strcmp(argv[i], "--max-body") == 0 ? &conf.max_body
                                                              : NULL;
        if (strcmp(argv[i], "--null") == 0)
            conf.null = true;
        else if (strcmp(argv[i], "--bytes") == 0)
            conf.bytes = true;
        else if (strcmp(argv[i], "--names") == 0)
            conf.names = true;
        else if (!size || i + 1 == argc || !sl_parse_size(sl_str_of(argv[++i]), size))
            return 2;
    }
    for (; i < argc; i++) {
        int rc = dump_file(&conf, argv[i]);
        worst = rc > worst ? rc : worst;
    }
    return worst;
}
