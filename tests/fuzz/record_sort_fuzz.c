/* SPDX-License-Identifier: Apache-2.0 */
/* Any records, each a length byte and so many bytes, come out in order and are as
 * many as went in. */
#include <stdlib.h>

#include "io/record_sort.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_order(struct sl_record_sort *s, int64_t n_records, uint64_t sum)
{
    struct sl_str r, before = { NULL, 0 };
    while (sl_record_sort_next(s, &r, NULL) == SL_OK) {
        if (sl_str_cmp(before, r) > 0)
            abort();
        before = r; /* in memory a record stays where it is */
        n_records--;
        sum -= r.n;
    }
    if (n_records || sum)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sl_record_sort *s;
    uint64_t sum = 0;
    int64_t n_records = 0;
    if (sl_record_sort_new(&s, SL_RECORD_SORT_MIN_BYTES, "/nosuch", NULL) != SL_OK)
        abort();
    for (size_t i = 0; i < n && i < 100000;) {
        size_t length = data[i] % 64;
        i++;
        if (length > n - i)
            length = n - i;
        if (sl_record_sort_add(s, (struct sl_str){ (const char *)data + i, length }, NULL) != SL_OK)
            abort();
        i += length;
        sum += length;
        n_records++;
    }
    if (sl_record_sort_end(s, NULL) != SL_OK)
        abort();
    check_order(s, n_records, sum);
    sl_record_sort_free(s);
    return 0;
}
