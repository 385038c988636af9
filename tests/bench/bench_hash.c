/* SPDX-License-Identifier: Apache-2.0 */
/* What the two hash passes of a stage cost: the 64-bit hash of each message as it
 * is checked or written, and the 128-bit digest of its columns.
 *
 * Usage  bench_hash [BATCH_BYTES [ROUNDS]]
 * Hashes BATCH_BYTES [524288] again and again, both ways by turns as a stage
 * does, and prints the best of ROUNDS [20] as one JSON line: CPU seconds for a
 * gigabyte (10^9 bytes) of each pass. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/hash.h"

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

enum { BATCHES = 200 };

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? (size_t)atol(argv[1]) : 524288;
    double best64 = 1e9, best128 = 1e9;
    struct sl_hasher *each = sl_hasher_new(), *all = sl_hasher_new();
    size_t cap = n;
    uint8_t *p = sl_big_alloc(&cap);
    if (!n || !each || !all || !p)
        return 2;
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(i * 2654435761U >> 13);
    uint64_t sum = 0;
    for (int round = argc > 2 ? atoi(argv[2]) : 20; round > 0; round--) {
        double pass64 = 0, pass128 = 0;
        sl_hasher_reset128(all);
        for (int i = 0; i < BATCHES; i++) {
            double t0 = cpu_now();
            sl_hasher_reset64(each);
            sl_hasher_add64(each, p, n);
            sum += sl_hasher_end64(each);
            double t1 = cpu_now();
            sl_hasher_add128(all, p, n);
            pass64 += t1 - t0;
            pass128 += cpu_now() - t1;
        }
        best64 = pass64 < best64 ? pass64 : best64;
        best128 = pass128 < best128 ? pass128 : best128;
    }
    double gb = (double)n * BATCHES / 1e9;
    printf("{\"message_s_per_gb\":%.5f,\"digest_s_per_gb\":%.5f,\"sum\":%u}\n", best64 / gb,
           best128 / gb, (unsigned)(sum & 0xff));
    sl_hasher_free(each);
    sl_hasher_free(all);
    free(p);
    return 0;
}
