/* SPDX-License-Identifier: Apache-2.0 */
/* Encodes texts for a second implementation to compare with.
 *
 * Usage  encode_dump [-s] [-t] [-p PATTERN] [-b BESIDE] FILE < TEXTS > IDS
 * TEXTS  one behind the other: a length of 32 bits, little-endian, then the bytes.
 * IDS    the same with numbers of 32 bits; the length is of how many.
 *   -s  recognise special tokens   -t  print the seconds that encoding took, nothing else
 * Exits with 1 and a message where the file or a text is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "io/source.h"
#include "token/tokenizer.h"

static void must(enum sl_status status, const struct sl_err *err)
{
    if (status == SL_OK)
        return;
    fprintf(stderr, "%s\n", err->msg);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_ids(const struct sl_tokenizer *t, const struct sl_buf *ids)
{
    unsigned width = sl_token_width(&t->info);
    uint32_t n = (uint32_t)(ids->n / width);
    fwrite(&n, sizeof n, 1, stdout);
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *p = ids->p + (size_t)i * width;
        uint32_t id = width == 2 ? sl_load16(p) : sl_load32(p);
        fwrite(&id, sizeof id, 1, stdout);
    }
}

static void run(const struct sl_tokenizer *t, const struct sl_buf *in, bool timed)
{
    struct sl_err err = SL_ERR_INIT;
    struct sl_buf ids;
    void *worker = NULL;
    double seconds = 0;
    sl_buf_init(&ids, (size_t)1 << 40);
    must(sl_tokenizer_worker_new(t, &worker, &err), &err);
    for (size_t at = 0; at + 4 <= in->n;) {
        struct sl_str text = { (const char *)in->p + at + 4, sl_load32(in->p + at) };
        at += 4 + text.n;
        sl_buf_reset(&ids);
        double began = now();
        must(sl_tokenizer_encode(t, worker, text, &ids, &err), &err);
        seconds += now() - began;
        if (!timed)
            print_ids(t, &ids);
    }
    if (timed)
        printf("%.6f\n", seconds);
    sl_tokenizer_worker_free(t, worker);
    sl_buf_release(&ids);
}

int main(int argc, char **argv)
{
    struct sl_err err = SL_ERR_INIT;
    struct sl_tokenizer_file file = { .pattern = NULL };
    struct sl_tokenizer *t = NULL;
    struct sl_buf bytes, beside, texts;
    bool timed = false;
    sl_buf_init(&bytes, SL_MAX_TOKENIZER_BYTES);
    sl_buf_init(&beside, SL_MAX_TOKENIZER_BYTES);
    sl_buf_init(&texts, (size_t)1 << 40);
    for (int c; (c = getopt(argc, argv, "stp:b:")) != -1;) {
        file.allow_special |= c == 's';
        timed |= c == 't';
        if (c == 'p')
            file.pattern = optarg;
        if (c == 'b')
            must(sl_file_read(optarg, &beside, &err), &err);
    }
    if (optind + 1 != argc)
        return 2;
    must(sl_file_read(argv[optind], &bytes, &err), &err);
    file.name = argv[optind];
    file.bytes = sl_buf_str(&bytes);
    file.beside = sl_buf_str(&beside);
    must(sl_tokenizer_open_file(&t, &file, &err), &err);
    must(sl_file_read("/dev/stdin", &texts, &err), &err);
    run(t, &texts, timed);
    sl_tokenizer_free(t);
    sl_buf_release(&bytes);
    sl_buf_release(&beside);
    sl_buf_release(&texts);
    return 0;
}
