/* SPDX-License-Identifier: Apache-2.0 */
/* Selection by digits. The k-th smallest hash of a stratum is found one byte at a
 * time, the highest first: a histogram of that byte over the rows that agree with
 * what was found so far says which one comes next. Eight passes over a file of 12
 * bytes a row, all strata at once, are little beside one pass over the rows
 * themselves, and need no memory for k.
 *
 * Rejected: a heap of k rows (k may be nearly all), an external sort of the hashes
 * (more disk and more work for an order that nobody needs). */
#include "order/quota.h"

#include <stdlib.h>

#include "base/num.h"

enum { RECORD = 12, BLOCK = RECORD * 8192 };

struct stratum {
    uint64_t n;     /* rows */
    uint64_t left;  /* of the rows that agree with found, so many are wanted */
    uint64_t found; /* the bytes of the last wanted hash that are known */
    bool all;       /* every row is wanted */
    bool none;
    uint64_t bins[256];
};

struct sl_quota {
    struct sl_temp *file;
    struct stratum *strata;
    uint32_t n_strata, cap;
    uint64_t n_rows;
    uint8_t *block; /* records waiting to be written, or read ahead */
    size_t block_n, at;
    int64_t off;
};

enum sl_status sl_quota_new(struct sl_quota **out, const char *tmpdir, struct sl_err *err)
{
    struct sl_quota *q = calloc(1, sizeof *q);
    *out = q;
    if (!q)
        return sl_err_nomem(err, sizeof *q);
    q->block = malloc(BLOCK);
    enum sl_status st = q->block ? sl_temp_new(&q->file, tmpdir, err) : sl_err_nomem(err, BLOCK);
    if (st != SL_OK) {
        sl_quota_free(q);
        *out = NULL;
    }
    return st;
}

void sl_quota_free(struct sl_quota *q)
{
    if (!q)
        return;
    sl_temp_free(q->file);
    free(q->strata);
    free(q->block);
    free(q);
}

static enum sl_status flush(struct sl_quota *q, struct sl_err *err)
{
    size_t n = q->block_n;
    q->block_n = 0;
    return n ? sl_temp_append(q->file, q->block, n, err) : SL_OK;
}

static enum sl_status grow(struct sl_quota *q, struct sl_err *err)
{
    uint32_t cap = q->cap ? 2 * q->cap : 16;
    struct stratum *strata = realloc(q->strata, cap * sizeof *strata);
    if (!strata)
        return sl_err_nomem(err, cap * sizeof *strata);
    q->strata = strata;
    q->cap = cap;
    return SL_OK;
}

enum sl_status sl_quota_add(struct sl_quota *q, uint32_t stratum, uint64_t hash, struct sl_err *err)
{
    if (stratum >= q->n_strata) {
        if (stratum > q->n_strata || stratum > UINT32_MAX / 4)
            return sl_err_set(err, SL_E_BUG, "stratum %u of %u", stratum, q->n_strata);
        if (stratum == q->cap)
            SL_TRY(grow(q, err));
        q->strata[q->n_strata++] = (struct stratum){ .n = 0 };
    }
    q->strata[stratum].n++;
    q->n_rows++;
    sl_store32(q->block + q->block_n, stratum);
    sl_store64(q->block + q->block_n + 4, hash);
    q->block_n += RECORD;
    return q->block_n == BLOCK ? flush(q, err) : SL_OK;
}

/* ---- reading the file of hashes ---- */

static void rewind_file(struct sl_quota *q)
{
    q->off = 0;
    q->at = q->block_n = 0;
}

static enum sl_status next_record(struct sl_quota *q, uint32_t *stratum, uint64_t *hash,
                                  struct sl_err *err)
{
    if (q->at == q->block_n) {
        int64_t left = sl_temp_bytes(q->file) - q->off;
        size_t n = left < BLOCK ? (size_t)left : BLOCK;
        if (n == 0)
            return sl_err_set(err, SL_E_BUG, "more rows in the second pass than in the first");
        SL_TRY(sl_temp_read(q->file, q->off, q->block, n, err));
        q->off += (int64_t)n;
        q->block_n = n;
        q->at = 0;
    }
    *stratum = sl_load32(q->block + q->at);
    *hash = sl_load64(q->block + q->at + 4);
    q->at += RECORD;
    if (*stratum >= q->n_strata)
        return sl_err_set(err, SL_E_SYSTEM, "a temporary file was changed");
    return SL_OK;
}

/* ---- selection ---- */

static enum sl_status count_byte(struct sl_quota *q, int byte, struct sl_err *err)
{
    rewind_file(q);
    for (uint64_t i = 0; i < q->n_rows; i++) {
        uint32_t s;
        uint64_t hash;
        SL_TRY(next_record(q, &s, &hash, err));
        uint64_t above = byte == 7 ? 0 : hash >> (8 * (byte + 1));
        struct stratum *t = &q->strata[s];
        t->bins[hash >> (8 * byte) & 255] += above == t->found;
    }
    return SL_OK;
}

static void find_byte(struct stratum *t)
{
    unsigned b = 0;
    while (b < 255 && t->left > t->bins[b])
        t->left -= t->bins[b++];
    t->found = t->found << 8 | b;
    memset(t->bins, 0, sizeof t->bins);
}

enum sl_status sl_quota_close(struct sl_quota *q, uint64_t (*wanted)(const void *ctx, uint64_t n),
                              const void *ctx, struct sl_err *err)
{
    bool some = false;
    SL_TRY(flush(q, err));
    for (uint32_t i = 0; i < q->n_strata; i++) {
        struct stratum *t = &q->strata[i];
        t->left = wanted(ctx, t->n);
        t->all = t->left >= t->n;
        t->none = t->left == 0;
        some = some || !(t->all || t->none);
    }
    for (int byte = 7; some && byte >= 0; byte--) {
        SL_TRY(count_byte(q, byte, err));
        for (uint32_t i = 0; i < q->n_strata; i++)
            find_byte(&q->strata[i]);
    }
    rewind_file(q);
    return SL_OK;
}

enum sl_status sl_quota_next(struct sl_quota *q, bool *taken, struct sl_err *err)
{
    uint32_t s;
    uint64_t hash;
    SL_TRY(next_record(q, &s, &hash, err));
    struct stratum *t = &q->strata[s];
    *taken = t->all || (!t->none && hash < t->found);
    if (!t->all && !t->none && hash == t->found && t->left) {
        t->left--;
        *taken = true;
    }
    return SL_OK;
}
