/* SPDX-License-Identifier: Apache-2.0 */
/* By id and row, then back to the order of the rows:
 *
 *   first sort   id (16), number of the row (8), how often (8)
 *   second sort  number of the row (8), number of its first repetition (8)
 *
 * all big-endian, so that memcmp orders them. */
#include "order/copy_number.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "io/record_sort.h"

enum { ID_BYTES = 16, RECORD_BYTES = ID_BYTES + 16, ANSWER_BYTES = 16 };

struct sl_copy_numbers {
    struct sl_record_sort *by_id, *by_row;
    uint64_t n;
};

enum sl_status sl_copy_numbers_new(struct sl_copy_numbers **out, size_t mem_bytes,
                                   const char *tmpdir, struct sl_err *err)
{
    struct sl_copy_numbers *c = calloc(1, sizeof *c);
    *out = NULL;
    if (!c)
        return sl_err_nomem(err, sizeof *c);
    enum sl_status st = sl_record_sort_new(&c->by_id, mem_bytes / 2, tmpdir, err);
    if (st == SL_OK)
        st = sl_record_sort_new(&c->by_row, mem_bytes / 2, tmpdir, err);
    if (st == SL_OK)
        *out = c;
    else
        sl_copy_numbers_free(c);
    return st;
}

void sl_copy_numbers_free(struct sl_copy_numbers *c)
{
    if (!c)
        return;
    sl_record_sort_free(c->by_id);
    sl_record_sort_free(c->by_row);
    free(c);
}

enum sl_status sl_copy_numbers_add(struct sl_copy_numbers *c, const uint8_t id[16], uint64_t n,
                                   struct sl_err *err)
{
    uint8_t record[RECORD_BYTES];
    memcpy(record, id, ID_BYTES);
    sl_store_big(record + ID_BYTES, c->n++, 8);
    sl_store_big(record + ID_BYTES + 8, n, 8);
    return sl_record_sort_add(c->by_id, (struct sl_str){ (const char *)record, sizeof record },
                              err);
}

enum sl_status sl_copy_numbers_end(struct sl_copy_numbers *c, struct sl_err *err)
{
    uint8_t id[ID_BYTES], answer[ANSWER_BYTES];
    struct sl_str r;
    enum sl_status st;
    uint64_t first = 0;
    memset(id, 0, sizeof id);
    SL_TRY(sl_record_sort_end(c->by_id, err));
    while ((st = sl_record_sort_next(c->by_id, &r, err)) == SL_OK) {
        if (memcmp(id, r.p, ID_BYTES) != 0)
            first = 0;
        memcpy(id, r.p, ID_BYTES);
        memcpy(answer, r.p + ID_BYTES, 8);
        sl_store_big(answer + 8, first, 8);
        first += sl_load_big(r.p + ID_BYTES + 8, 8);
        if (first > SL_COPIES_MAX) {
            char hex[SL_HASH128_DIGITS];
            struct sl_hash128 h;
            memcpy(h.b, id, ID_BYTES);
            sl_hash128_hex(h, hex);
            return sl_err_set(err, SL_E_DATA, "the id %.32s would be there more than %d times", hex,
                              SL_COPIES_MAX);
        }
        SL_TRY(sl_record_sort_add(c->by_row, (struct sl_str){ (const char *)answer, sizeof answer },
                                  err));
    }
    if (st != SL_END)
        return st;
    sl_record_sort_free(c->by_id);
    c->by_id = NULL;
    return sl_record_sort_end(c->by_row, err);
}

enum sl_status sl_copy_numbers_next(struct sl_copy_numbers *c, uint64_t *first, struct sl_err *err)
{
    struct sl_str r;
    enum sl_status st = sl_record_sort_next(c->by_row, &r, err);
    if (st == SL_END)
        return sl_err_set(err, SL_E_BUG, "more rows than were numbered");
    SL_TRY(st);
    *first = sl_load_big(r.p + 8, 8);
    return SL_OK;
}
