/* SPDX-License-Identifier: Apache-2.0 */
/* GB/s of UTF-8 validation: each twin on ASCII and on multilingual text, in
 * 64 KiB and in pieces of 300 bytes. Or on a file: bench_utf8 FILE. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/utf8.h"
#include "base/utf8_simd.h"

enum { TEXT_BYTES = 1 << 16, FILE_MAX = 64 << 20 };

static bool by_avx2(const void *p, size_t n)
{
    bool valid = true;
    return sl_utf8_valid_avx2(p, n, &valid) && valid;
}

static bool by_avx512(const void *p, size_t n)
{
    bool valid = true;
    return sl_utf8_valid_avx512(p, n, &valid) && valid;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Best of 5 runs of 0.1 s. 0: this processor does not have it. */
static double speed(bool (*valid)(const void *, size_t), const uint8_t *p, size_t n, size_t piece)
{
    double best = 0;
    for (int run = 0; run < 5; run++) {
        double start = now(), took;
        size_t bytes = 0;
        do {
            for (size_t at = 0; at + piece <= n; at += piece, bytes += piece)
                if (!valid(p + at, piece))
                    return 0;
            took = now() - start;
        } while (took < 0.1);
        if ((double)bytes / took > best)
            best = (double)bytes / took;
    }
    return best * 1e-9;
}

static void row(const char *name, const uint8_t *p, size_t n, size_t piece)
{
    printf("%-24s %7zu %8.1f %8.1f %8.1f %8.1f\n", name, piece, speed(sl_utf8_valid, p, n, piece),
           speed(by_avx512, p, n, piece), speed(by_avx2, p, n, piece),
           speed(sl_utf8_valid_plain, p, n, piece));
}

/* Cycles through the code points given; every piece of 12 bytes is whole. */
static void fill(uint8_t *p, size_t n, const uint32_t *cps, size_t n_cps)
{
    size_t at = 0;
    for (size_t i = 0; at + 4 <= n; i++)
        at += sl_utf8_put(p + at, cps[i % n_cps] + (uint32_t)(i * 7 % 19));
    while (at < n)
        p[at++] = ' ';
}

static int bench_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *p = malloc(FILE_MAX);
    if (!f || !p)
        return 1;
    size_t n = fread(p, 1, FILE_MAX, f);
    row(path, p, n, n);
    free(p);
    fclose(f);
    return 0;
}

int main(int argc, char **argv)
{
    static uint8_t text[TEXT_BYTES];
    static const uint32_t ascii[] = { 'a', 'A', '0' }, cyrillic[] = { 0x430, 0x440, 0x450 };
    static const uint32_t chinese[] = { 0x4e00, 0x6200, 0x7500 };
    static const uint32_t mixed[] = { 'a', 0xe0, 'b', 0x430, 0x4e00, 'c', 0x1f600, 'd' };
    printf("%-24s %7s %8s %8s %8s %8s  GB/s\n", "text", "piece", "chosen", "avx512", "avx2",
           "plain");
    if (argc > 1)
        return bench_file(argv[1]);
    fill(text, TEXT_BYTES, ascii, 3);
    row("ascii", text, TEXT_BYTES, TEXT_BYTES);
    row("ascii", text, TEXT_BYTES, 300);
    row("ascii", text, TEXT_BYTES, 40);
    fill(text, TEXT_BYTES, cyrillic, 3);
    row("two bytes", text, TEXT_BYTES, TEXT_BYTES);
    row("two bytes", text, TEXT_BYTES, 300);
    fill(text, TEXT_BYTES, chinese, 3);
    row("three bytes", text, TEXT_BYTES, TEXT_BYTES);
    row("three bytes", text, TEXT_BYTES, 300);
    fill(text, TEXT_BYTES, mixed, 8);
    row("mixed", text, TEXT_BYTES, TEXT_BYTES);
    return 0;
}
