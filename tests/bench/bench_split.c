/* SPDX-License-Identifier: Apache-2.0 */
/* MB/s of pre-tokenizers alone, one core; then the pattern of GPT-2 by PCRE2, on a part. Of a
 * made-up English text, or of files: bench_split FILE... */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "token/split.h"

enum { TEXT_BYTES = 8 << 20, FILE_MAX = 64 << 20, ENDS = 4096 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Best of 3 runs; *pieces: of one run. 0: it failed. */
static double speed(const struct sl_split *s, struct sl_str text, size_t *pieces)
{
    static uint32_t ends[ENDS];
    struct sl_split_worker *w;
    double best = 0;
    if (sl_split_worker_new(&w, s, NULL) != SL_OK)
        return 0;
    for (int run = 0; run < 3; run++) {
        double start = now(), took;
        size_t at = 0, n;
        *pieces = 0;
        do {
            if (sl_split_next(s, w, text, &at, ends, NULL, ENDS, &n, NULL) != SL_OK)
                return 0;
            *pieces += n;
        } while (n);
        took = now() - start;
        best = (double)text.n / took > best ? (double)text.n / took : best;
    }
    sl_split_worker_free(w);
    return best * 1e-6;
}

static void row(const char *name, struct sl_split *s, struct sl_str text)
{
    size_t pieces = 0;
    double mb = speed(s, text, &pieces);
    printf("%-12s %8.0f MB/s %10zu pieces of %.2f bytes\n", name, mb, pieces,
           (double)text.n / (double)(pieces ? pieces : 1));
    sl_split_free(s);
}

static void bench(const char *name, struct sl_str text)
{
    static const struct sl_split_step step = {
        .pattern = { "(?:'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|"
                     "\\s+(?!\\S)|\\s+)",
                     78 },
    };
    struct sl_split *s;
    printf("%s, %zu bytes\n", name, text.n);
    for (int kind = SL_SPLIT_GPT2; kind < SL_N_SPLITS; kind++)
        if (sl_split_new(&s, (enum sl_split_kind)kind, NULL) == SL_OK)
            row(sl_split_name((enum sl_split_kind)kind), s, text);
    struct sl_str some = { text.p, text.n < 1 << 20 ? text.n : 1 << 20 };
    while (some.n && some.n < text.n && ((unsigned char)some.p[some.n] & 0xc0) == 0x80)
        some.n--;
    if (sl_split_new_steps(&s, &step, 1, NULL) == SL_OK)
        row("by PCRE2", s, some);
}

/* Words of 1 to 10 letters between the signs of prose, by a fixed sequence. */
static size_t prose(char *p, size_t n)
{
    static const char *const between[] = { " ",  " ", " ",  " ", " ",   " ",      " ", " ",
                                           ", ", " ", ". ", " ", "'s ", " 1987 ", " ", ".\n\n" };
    uint32_t state = 1;
    size_t at = 0;
    while (at + 32 < n) {
        state = state * 1664525 + 1013904223;
        size_t letters = 1 + ((state >> 28) + (state >> 24 & 15)) / 3;
        for (size_t i = 0; i < letters; i++)
            p[at++] = (char)((i == 0 && (state >> 8 & 15) == 0 ? 'A' : 'a') +
                             (char)((state >> 4) * (i + 7) % 26));
        const char *sign = between[state >> 12 & 15];
        while (*sign)
            p[at++] = *sign++;
    }
    return at;
}

int main(int argc, char **argv)
{
    char *p = malloc(FILE_MAX);
    if (!p)
        return 1;
    if (argc < 2)
        bench("made-up prose", (struct sl_str){ p, prose(p, TEXT_BYTES) });
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (!f)
            return 1;
        bench(argv[i], (struct sl_str){ p, fread(p, 1, FILE_MAX, f) });
        fclose(f);
    }
    free(p);
    return 0;
}
