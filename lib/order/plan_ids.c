/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the sorter are (id, copy, source, unit): rows of one sequence come together.
 * For every file of an order there is another one, (id, entry), which is merged with it;
 * what they have in common goes to a third, (source, entry, unit), which is the list that
 * a source is drawn from. Rejected: a table of ids in memory, which is 24 bytes a row. */
#include "order/plan_ids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "arrow/reader.h"
#include "base/hash.h"
#include "base/num.h"
#include "io/record_sort.h"

enum {
    ID_BYTES = 16,
    ROW_BYTES = ID_BYTES + 2 + 4 + 4,
    ENTRY_BYTES = ID_BYTES + 8,
    LISTED_BYTES = 4 + 8 + 4
};

struct sl_plan_ids {
    const struct sl_plan *plan;
    const char *tmpdir;
    size_t part_bytes; /* of each sorter */
    int id, copy;      /* columns; copy: -1 where there is none */
    struct sl_record_sort *rows;
    struct sl_record_sort *lists[SL_PLAN_MAX_FILES];
    uint64_t *entries; /* of each source */
    struct sl_plan_twins twins;
    struct sl_plan_twin *twin_rows;
    uint64_t room;
};

/* Big-endian numbers, so that records are in their order. */
static enum sl_status bad_file(const struct sl_plan_ids *p, size_t f, const char *what,
                               struct sl_err *err)
{
    return sl_err_set(err, SL_E_DATA, "%s:%d:%d: the order '%s' %s", p->plan->file,
                      p->plan->file_lines[f], p->plan->file_columns[f], p->plan->order_files[f],
                      what);
}

/* ---- making, and the first pass ---- */

static int find_id(const struct sl_schema *s)
{
    int at = sl_schema_find(s, "id");
    bool fits = at >= 0 && s->fields[at]->type == SL_T_FIXED_BINARY &&
                s->fields[at]->size == ID_BYTES && !s->fields[at]->nullable;
    return fits ? at : -1;
}

static enum sl_status make(struct sl_plan_ids *p, const struct sl_schema *in, struct sl_err *err)
{
    p->id = find_id(in);
    p->copy = sl_schema_find(in, "copy");
    if (p->id < 0)
        return sl_err_set(err, SL_E_DATA, "a plan needs a column 'id' of fixed_size_binary[16]");
    if (p->copy >= 0 && in->fields[p->copy]->type != SL_T_UINT16)
        return sl_err_set(err, SL_E_DATA, "column 'copy' is not uint16");
    p->entries = calloc(p->plan->n_sources, sizeof *p->entries);
    if (!p->entries)
        return sl_err_nomem(err, p->plan->n_sources * sizeof *p->entries);
    return sl_record_sort_new(&p->rows, p->part_bytes, p->tmpdir, err);
}

enum sl_status sl_plan_ids_new(struct sl_plan_ids **out, const struct sl_plan *plan,
                               const struct sl_schema *in, uint64_t mem_bytes, const char *tmpdir,
                               struct sl_err *err)
{
    struct sl_plan_ids *p = *out = calloc(1, sizeof *p);
    uint64_t part = mem_bytes / (2 + plan->n_order_files);
    if (!p)
        return sl_err_nomem(err, sizeof *p);
    p->plan = plan;
    p->tmpdir = tmpdir;
    p->part_bytes = part < SL_RECORD_SORT_MIN_BYTES ? SL_RECORD_SORT_MIN_BYTES : part;
    enum sl_status st = make(p, in, err);
    if (st != SL_OK) {
        sl_plan_ids_free(p);
        *out = NULL;
    }
    return st;
}

void sl_plan_ids_trim(struct sl_plan_ids *p)
{
    for (size_t f = 0; f < SL_PLAN_MAX_FILES; f++) {
        sl_record_sort_free(p->lists[f]);
        p->lists[f] = NULL;
    }
}

void sl_plan_ids_free(struct sl_plan_ids *p)
{
    if (!p)
        return;
    sl_record_sort_free(p->rows);
    sl_plan_ids_trim(p);
    free(p->twin_rows);
    free(p->entries);
    free(p);
}

void sl_plan_ids_mark(const struct sl_plan_ids *p, bool *wanted)
{
    wanted[p->id] = true;
    if (p->copy >= 0)
        wanted[p->copy] = true;
}

enum sl_status sl_plan_ids_see(struct sl_plan_ids *p, const struct sl_batch *b, size_t source,
                               uint64_t first, struct sl_err *err)
{
    uint8_t r[ROW_BYTES];
    for (int64_t row = 0; row < b->n_rows; row++) {
        const struct sl_column *copy = p->copy < 0 ? NULL : &b->columns[p->copy];
        memcpy(r, sl_column_str(&b->columns[p->id], row).p, ID_BYTES);
        sl_store_big(r + 16, copy ? (uint64_t)sl_column_int(copy, row) : 0, 2);
        sl_store_big(r + 18, source, 4);
        sl_store_big(r + 22, first + (uint64_t)row, 4);
        SL_TRY(sl_record_sort_add(p->rows, (struct sl_str){ (char *)r, sizeof r }, err));
    }
    return SL_OK;
}

/* ---- what stands twice ---- */

static enum sl_status add_twin(struct sl_plan_ids *p, const uint8_t *r, struct sl_err *err)
{
    struct sl_plan_twins *t = &p->twins;
    if (t->n == p->room) {
        uint64_t room = 2 * p->room + 64;
        struct sl_plan_twin *rows = realloc(p->twin_rows, room * sizeof *rows);
        if (!rows)
            return sl_err_nomem(err, room * sizeof *rows);
        p->twin_rows = rows;
        p->room = room;
    }
    p->twin_rows[t->n++] =
        (struct sl_plan_twin){ sl_load_big(r + 18, 4) << 32 | sl_load_big(r + 22, 4),
                               t->n_groups - 1 };
    return SL_OK;
}

static int by_row(const void *a, const void *b)
{
    const struct sl_plan_twin *x = a, *y = b;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* r follows before, and has the same id. */
static enum sl_status see_twin(struct sl_plan_ids *p, const uint8_t *before, const uint8_t *r,
                               bool *in_group, struct sl_err *err)
{
    if (!*in_group) {
        p->twins.n_groups++;
        SL_TRY(add_twin(p, before, err));
    }
    *in_group = true;
    if (memcmp(before + ID_BYTES, r + ID_BYTES, 2) == 0 && !p->twins.n_twice++) {
        struct sl_hash128 id;
        memcpy(id.b, r, sizeof id.b);
        sl_hash128_hex(id, p->twins.example);
    }
    return add_twin(p, r, err);
}

static enum sl_status find_twins(struct sl_plan_ids *p, struct sl_err *err)
{
    uint8_t before[ROW_BYTES] = { 0 };
    bool in_group = false, any = false;
    struct sl_str r;
    enum sl_status st;
    while ((st = sl_record_sort_next(p->rows, &r, err)) == SL_OK) {
        const uint8_t *now = (const uint8_t *)r.p;
        if (any && memcmp(before, now, ID_BYTES) == 0)
            SL_TRY(see_twin(p, before, now, &in_group, err));
        else
            in_group = false;
        memcpy(before, now, sizeof before);
        any = true;
    }
    if (st != SL_END)
        return st;
    if (p->twins.n)
        qsort(p->twin_rows, p->twins.n, sizeof *p->twin_rows, by_row);
    p->twins.rows = p->twin_rows;
    return SL_OK;
}

/* ---- files of orders ---- */

/* Beside the plan, where its path is relative. */
static char *path_of(const struct sl_plan *plan, size_t file)
{
    const char *name = plan->order_files[file], *slash = strrchr(plan->file, '/');
    size_t n = *name != '/' && slash ? (size_t)(slash - plan->file) + 1 : 0, m = strlen(name);
    char *path = malloc(n + m + 1);
    if (!path)
        return NULL;
    memcpy(path, plan->file, n);
    memcpy(path + n, name, m + 1);
    return path;
}

static enum sl_status open_file(const struct sl_plan *plan, size_t f, struct sl_source **out,
                                struct sl_err *err)
{
    struct sl_err why = SL_ERR_INIT;
    struct stat info;
    char *path = path_of(plan, f);
    *out = NULL;
    if (!path)
        return sl_err_nomem(err, strlen(plan->order_files[f]));
    bool odd = stat(path, &info) == 0 && !S_ISREG(info.st_mode); /* it is read twice */
    enum sl_status st = odd ? sl_err_set(&why, SL_E_USAGE, "it is no regular file")
                            : sl_source_open(out, path, SL_SOURCE_PLAIN, &why);
    free(path);
    return st == SL_OK ? st
                       : sl_err_set(err, st, "%s:%d:%d: the order '%s': %.300s", plan->file,
                                    plan->file_lines[f], plan->file_columns[f],
                                    plan->order_files[f], why.msg);
}

enum sl_status sl_plan_order_digest(const struct sl_plan *plan, size_t file, char hex[32],
                                    struct sl_err *err)
{
    struct sl_source *src;
    const uint8_t *p;
    size_t n = 1;
    SL_TRY(open_file(plan, file, &src, err));
    struct sl_hasher *h = sl_hasher_new();
    enum sl_status st = h ? SL_OK : sl_err_nomem(err, 1024);
    if (h)
        sl_hasher_reset128(h);
    while (st == SL_OK && n) {
        st = sl_source_peek(src, 1, &p, &n, err);
        if (st == SL_OK) {
            sl_hasher_add128(h, p, n);
            sl_source_consume(src, n);
        }
    }
    if (st == SL_OK)
        sl_hash128_hex(sl_hasher_end128(h), hex);
    sl_hasher_free(h);
    sl_source_free(src);
    return st;
}

static enum sl_status add_entries(struct sl_record_sort *to, struct sl_reader *reader, int id,
                                  struct sl_err *err)
{
    struct sl_batch b;
    uint8_t r[ENTRY_BYTES];
    uint64_t entry = 0;
    enum sl_status st;
    sl_batch_init(&b);
    while ((st = sl_reader_next(reader, &b, err)) == SL_OK) {
        for (int64_t row = 0; st == SL_OK && row < b.n_rows; row++) {
            memcpy(r, sl_column_str(&b.columns[id], row).p, ID_BYTES);
            sl_store_big(r + 16, entry++, 8);
            st = sl_record_sort_add(to, (struct sl_str){ (char *)r, sizeof r }, err);
        }
        if (st != SL_OK)
            break;
    }
    sl_batch_release(&b);
    return st == SL_END ? sl_record_sort_end(to, err) : st;
}

static enum sl_status read_file(struct sl_plan_ids *p, size_t f, struct sl_record_sort *to,
                                struct sl_err *err)
{
    struct sl_source *src;
    struct sl_reader *reader = NULL;
    SL_TRY(open_file(p->plan, f, &src, err));
    enum sl_status st = sl_reader_open(&reader, src, SL_READ_STRICT, err);
    int id = st == SL_OK ? find_id(sl_reader_schema(reader)) : -1;
    if (st == SL_OK && id < 0)
        st = bad_file(p, f, "has no column 'id' of fixed_size_binary[16]", err);
    if (st == SL_OK)
        st = add_entries(to, reader, id, err);
    sl_reader_free(reader);
    sl_source_free(src);
    return st;
}

/* The merge of rows and entries. */
struct join {
    struct sl_plan_ids *p;
    size_t file;
    struct sl_record_sort *entries;
    uint8_t row[ROW_BYTES]; /* the next one */
    bool has_row;
    uint64_t n_group; /* of one id: the rows of sources that the file orders */
    uint64_t *group;  /* source << 32 | unit; room for one a source */
    bool twice;       /* a source has two */
    uint64_t bad;     /* the first entry that cannot be joined, its id, and why */
    uint8_t bad_id[ID_BYTES];
    bool bad_is_twice;
};

static enum sl_status next_row(struct join *j, struct sl_err *err)
{
    struct sl_str r;
    enum sl_status st = sl_record_sort_next(j->p->rows, &r, err);
    j->has_row = st == SL_OK;
    if (j->has_row)
        memcpy(j->row, r.p, sizeof j->row);
    return st == SL_END ? SL_OK : st;
}

/* Take the rows of the id; found: there is one in some source. */
static enum sl_status take_group(struct join *j, const uint8_t *id, bool *found, struct sl_err *err)
{
    const struct sl_plan *plan = j->p->plan;
    j->n_group = 0;
    *found = j->twice = false;
    while (j->has_row && memcmp(j->row, id, ID_BYTES) < 0)
        SL_TRY(next_row(j, err));
    while (j->has_row && memcmp(j->row, id, ID_BYTES) == 0) {
        uint64_t source = sl_load_big(j->row + 18, 4),
                 row = source << 32 | sl_load_big(j->row + 22, 4);
        *found = true;
        if (sl_plan_order_file(plan, source) == (int)j->file) {
            bool same = false; /* rows are by copy first, so any may be of the source */
            for (uint64_t i = 0; i < j->n_group; i++)
                same |= j->group[i] >> 32 == source;
            j->twice |= same;
            if (!same)
                j->group[j->n_group++] = row;
        }
        SL_TRY(next_row(j, err));
    }
    return SL_OK;
}

static enum sl_status add_listed(struct join *j, uint64_t entry, struct sl_err *err)
{
    uint8_t r[LISTED_BYTES];
    for (uint64_t i = 0; i < j->n_group; i++) {
        uint64_t source = j->group[i] >> 32;
        sl_store_big(r, source, 4);
        sl_store_big(r + 4, entry, 8);
        sl_store_big(r + 12, j->group[i] & UINT32_MAX, 4);
        j->p->entries[source]++;
        SL_TRY(
            sl_record_sort_add(j->p->lists[j->file], (struct sl_str){ (char *)r, sizeof r }, err));
    }
    return SL_OK;
}

static enum sl_status bad_entry(const struct join *j, struct sl_err *err)
{
    struct sl_hash128 h;
    char hex[SL_HASH128_DIGITS], text[200];
    memcpy(h.b, j->bad_id, sizeof h.b);
    sl_hash128_hex(h, hex);
    snprintf(text, sizeof text, "names in row %llu (from 0) the id %.32s, which %s",
             (unsigned long long)j->bad, hex,
             j->bad_is_twice ? "stands twice in a source that it orders" : "no source has");
    return bad_file(j->p, j->file, text, err);
}

static enum sl_status join_all(struct join *j, struct sl_err *err)
{
    uint8_t id[ID_BYTES] = { 0 };
    bool any = false, found = false;
    struct sl_str r;
    enum sl_status st;
    SL_TRY(next_row(j, err));
    while ((st = sl_record_sort_next(j->entries, &r, err)) == SL_OK) {
        const uint8_t *e = (const uint8_t *)r.p;
        uint64_t entry = sl_load_big(e + 16, 8);
        if (!any || memcmp(id, e, ID_BYTES) != 0) {
            memcpy(id, e, sizeof id);
            any = true;
            SL_TRY(take_group(j, id, &found, err));
        }
        if ((!found || j->twice) && entry < j->bad) {
            j->bad = entry;
            j->bad_is_twice = j->twice;
            memcpy(j->bad_id, id, sizeof id);
        }
        SL_TRY(add_listed(j, entry, err));
    }
    if (st != SL_END)
        return st;
    if (j->bad < UINT64_MAX)
        return bad_entry(j, err);
    return sl_record_sort_end(j->p->lists[j->file], err);
}

static enum sl_status join_file(struct sl_plan_ids *p, size_t f, struct sl_err *err)
{
    struct join j = { .p = p, .file = f, .bad = UINT64_MAX };
    j.group = calloc(p->plan->n_sources, sizeof *j.group);
    enum sl_status st = j.group ? SL_OK : sl_err_nomem(err, p->plan->n_sources * sizeof *j.group);
    if (st == SL_OK)
        st = sl_record_sort_new(&j.entries, p->part_bytes, p->tmpdir, err);
    if (st == SL_OK)
        st = sl_record_sort_new(&p->lists[f], p->part_bytes, p->tmpdir, err);
    if (st == SL_OK)
        st = read_file(p, f, j.entries, err);
    if (st == SL_OK)
        st = sl_record_sort_rewind(p->rows, err);
    if (st == SL_OK)
        st = join_all(&j, err);
    sl_record_sort_free(j.entries);
    free(j.group);
    return st;
}

enum sl_status sl_plan_ids_end(struct sl_plan_ids *p, struct sl_err *err)
{
    SL_TRY(sl_record_sort_end(p->rows, err));
    SL_TRY(find_twins(p, err));
    for (size_t f = 0; f < p->plan->n_order_files; f++)
        SL_TRY(join_file(p, f, err));
    sl_record_sort_free(p->rows);
    p->rows = NULL;
    for (size_t i = 0; i < p->plan->n_sources; i++)
        if (p->entries[i] > UINT32_MAX)
            return sl_err_set(err, SL_E_DATA, "source '%s' has more than 2^32 entries in its order",
                              p->plan->sources[i].name);
    return SL_OK;
}

/* ---- afterwards ---- */

const struct sl_plan_twins *sl_plan_ids_twins(const struct sl_plan_ids *p)
{
    return &p->twins;
}

uint64_t sl_plan_ids_entries(const struct sl_plan_ids *p, size_t source)
{
    return p->entries[source];
}

enum sl_status sl_plan_ids_list(struct sl_plan_ids *p, size_t source, uint32_t *list, uint64_t n,
                                struct sl_err *err)
{
    struct sl_record_sort *from = p->lists[sl_plan_order_file(p->plan, source)];
    for (uint64_t i = 0; i < n;) {
        struct sl_str r;
        enum sl_status st = sl_record_sort_next(from, &r, err);
        if (st == SL_END)
            return sl_err_set(err, SL_E_BUG, "entries of an order are missing");
        SL_TRY(st);
        if (sl_load_big((const uint8_t *)r.p, 4) == source)
            list[i++] = (uint32_t)sl_load_big((const uint8_t *)r.p + 12, 4);
    }
    return SL_OK;
}

enum sl_status sl_plan_ids_rewind(struct sl_plan_ids *p, struct sl_err *err)
{
    for (size_t f = 0; f < p->plan->n_order_files; f++)
        SL_TRY(sl_record_sort_rewind(p->lists[f], err));
    return SL_OK;
}
