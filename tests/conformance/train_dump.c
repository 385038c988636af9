/* SPDX-License-Identifier: Apache-2.0 */
/* Trains from words on standard input, each as its length (4 bytes), its count (8 bytes,
 * both little-endian) and its bytes, and prints the merges, "left right id count".
 *
 *     train_dump VOCAB MIN_FREQUENCY [SPECIAL...] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "token/train_bpe.h"

enum { MAX_SPECIALS = 16, MAX_WORD = 1 << 24 };

static enum sl_status read_words(struct sl_bpe_trainer *t, struct sl_err *err)
{
    char *word = malloc(MAX_WORD);
    enum sl_status st = word ? SL_OK : sl_err_nomem(err, MAX_WORD);
    uint32_t n;
    int64_t count;
    while (st == SL_OK && fread(&n, sizeof n, 1, stdin) == 1 &&
           fread(&count, sizeof count, 1, stdin) == 1 && n <= MAX_WORD &&
           fread(word, 1, n, stdin) == n)
        st = sl_bpe_trainer_add(t, (struct sl_str){ word, n }, count, err);
    free(word);
    return st;
}

static void print(const struct sl_bpe_trainer *t)
{
    const struct sl_bpe_merge *m;
    size_t n = sl_bpe_trainer_merges(t, &m);
    for (size_t i = 0; i < n; i++)
        printf("%" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRId64 "\n", m[i].left, m[i].right, m[i].id,
               m[i].count);
}

int main(int argc, char **argv)
{
    struct sl_err err = SL_ERR_INIT;
    struct sl_str specials[MAX_SPECIALS];
    struct sl_bpe_trainer *t = NULL;
    if (argc < 3 || argc > MAX_SPECIALS + 3)
        return 2;
    for (int i = 3; i < argc; i++)
        specials[i - 3] = sl_str_of(argv[i]);
    struct sl_bpe_conf conf = { .vocab = (uint32_t)strtoul(argv[1], NULL, 10),
                                .min_frequency = strtoll(argv[2], NULL, 10),
                                .specials = specials,
                                .n_specials = (uint32_t)argc - 3,
                                .mem_bytes = (size_t)2 << 30 };
    enum sl_status st = sl_bpe_trainer_new(&t, &conf, &err);
    if (st == SL_OK)
        st = read_words(t, &err);
    if (st == SL_OK)
        st = sl_bpe_trainer_run(t, &err);
    if (st == SL_OK)
        print(t);
    else
        fprintf(stderr, "%s\n", err.msg);
    if (st == SL_OK)
        fprintf(stderr, "peak %zu bytes\n", sl_bpe_trainer_peak_bytes(t));
    sl_bpe_trainer_free(t);
    return st == SL_OK ? 0 : 1;
}
