/* SPDX-License-Identifier: Apache-2.0 */
/* CPU seconds to read a WARC.gz, best of some runs, as one JSON line:
 *
 *   bench_warc inflate|read|decode FILE [RUNS]
 *
 * inflate  its members alone, from memory, each into one buffer: what the
 *          decompressor takes, without files and records
 * read     the file through the WARC reader, block after block
 * decode   the same, and HTTP heads and bodies of responses */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/member.h"
#include "web/http.h"
#include "web/warc.h"

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static enum sl_status load(const char *path, struct sl_buf *all)
{
    struct sl_source *s = NULL;
    size_t got = 1;
    sl_buf_init(all, (size_t)4 << 30);
    SL_TRY(sl_source_open(&s, path, SL_SOURCE_PLAIN, NULL));
    enum sl_status st = SL_OK;
    while (st == SL_OK && got) {
        st = sl_buf_reserve(all, 1 << 24, NULL);
        if (st == SL_OK)
            st = sl_source_read(s, all->p + all->n, 1 << 24, &got, NULL);
        all->n += st == SL_OK ? got : 0;
    }
    sl_source_free(s);
    return st;
}

static enum sl_status inflate_all(struct sl_str in, size_t *bytes, size_t *pieces)
{
    struct sl_inflater *inf = sl_inflater_new();
    struct sl_buf out;
    enum sl_status st = inf ? SL_OK : SL_E_SYSTEM;
    sl_buf_init(&out, 1 << 28);
    while (st == SL_OK && in.n) {
        size_t used;
        sl_buf_reset(&out);
        st = sl_inflate_gzip_member(inf, in, &out, &used, NULL, NULL);
        in = (struct sl_str){ in.p + used, in.n - used };
        *bytes += out.n;
        *pieces += 1;
    }
    sl_buf_release(&out);
    sl_inflater_free(inf);
    return st;
}

static enum sl_status decode_one(struct sl_http_decoder *d, const struct sl_warc_record *rec,
                                 size_t *bytes)
{
    struct sl_http http;
    struct sl_http_body body;
    sl_http_parse(rec->block, &http);
    SL_TRY(sl_http_decode(d, &http, &body, NULL));
    *bytes += body.bytes.n;
    return SL_OK;
}

static enum sl_status read_all(const char *path, bool decode, size_t *bytes, size_t *pieces)
{
    struct sl_source *s = NULL;
    struct sl_warc_reader *r = NULL;
    struct sl_warc_record rec;
    struct sl_http_decoder *d = sl_http_decoder_new(0);
    enum sl_status st = d ? sl_source_open(&s, path, SL_SOURCE_PLAIN, NULL) : SL_E_SYSTEM;
    if (st == SL_OK)
        st = sl_warc_new(&r, s, 0, NULL);
    while (st == SL_OK) {
        st = sl_warc_next(r, &rec, NULL);
        *pieces += st == SL_OK;
        if (st == SL_OK && decode && rec.type == SL_WARC_RESPONSE)
            st = decode_one(d, &rec, bytes);
        else if (st == SL_OK)
            *bytes += rec.block.n;
    }
    sl_warc_free(r);
    sl_source_free(s);
    sl_http_decoder_free(d);
    return st == SL_END ? SL_OK : st;
}

int main(int argc, char **argv)
{
    double best = 1e9;
    size_t bytes = 0, pieces = 0;
    struct sl_buf all;
    if (argc < 3)
        return 2;
    bool inflate = strcmp(argv[1], "inflate") == 0, decode = strcmp(argv[1], "decode") == 0;
    if (inflate && load(argv[2], &all) != SL_OK)
        return 3;
    for (int run = argc > 3 ? atoi(argv[3]) : 5; run > 0; run--) {
        bytes = pieces = 0;
        double start = cpu_now();
        enum sl_status st = inflate ? inflate_all(sl_buf_str(&all), &bytes, &pieces)
                                    : read_all(argv[2], decode, &bytes, &pieces);
        double took = cpu_now() - start;
        if (st != SL_OK)
            return 1;
        best = took < best ? took : best;
    }
    if (inflate)
        sl_buf_release(&all);
    printf("{\"cpu_s\":%.4f,\"bytes\":%zu,\"pieces\":%zu}\n", best, bytes, pieces);
    return 0;
}
