/* SPDX-License-Identifier: Apache-2.0 */
/* The external sort of records of 40 bytes (a hash, a number, a hash): records a CPU
 * second, adding and reading them included, in memory and through a file.
 *
 *   bench_records [MILLIONS] */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/num.h"
#include "io/record_sort.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return z ^ z >> 27;
}

static void must(enum sl_status st)
{
    if (st != SL_OK)
        abort();
}

static void sort_with(size_t mem_bytes, uint64_t n)
{
    const char *tmpdir = getenv("TMPDIR");
    struct sl_record_sort *s;
    struct sl_str r;
    uint64_t seed = 1, count = 0;
    double begin = now();
    must(sl_record_sort_new(&s, mem_bytes, tmpdir ? tmpdir : "/tmp", NULL));
    for (uint64_t i = 0; i < n; i++) {
        char record[40];
        for (size_t k = 0; k < sizeof record; k += 8)
            sl_store64(record + k, k == 16 ? __builtin_bswap64(i) : random_next(&seed));
        must(sl_record_sort_add(s, (struct sl_str){ record, sizeof record }, NULL));
    }
    must(sl_record_sort_end(s, NULL));
    while (sl_record_sort_next(s, &r, NULL) == SL_OK)
        count++;
    double seconds = now() - begin;
    printf("%6zu MiB of memory: %5.2f million records a CPU second, %lld MB of temporary files%s\n",
           mem_bytes >> 20, (double)n / seconds / 1e6,
           (long long)(sl_record_sort_temp_bytes(s) / 1000000), count == n ? "" : ", WRONG");
    sl_record_sort_free(s);
}

int main(int argc, char **argv)
{
    uint64_t millions = argc > 1 ? strtoull(argv[1], NULL, 10) : 5;
    static const size_t mebibytes[] = { 2, 4, 16, 64, 1024 };
    for (size_t i = 0; i < sizeof mebibytes / sizeof mebibytes[0]; i++)
        sort_with(mebibytes[i] << 20, millions * 1000000);
    return 0;
}
