/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical batches are made ugly in every way that Arrow allows (values under
 * nulls, offsets from anywhere, items of nulls, odd addresses, bits behind the
 * end, validity without nulls, rows that nobody refers to) and must come back
 * with the same rows, canonical. */
#include "arrow/foreign.h"

#include "arrow/bits.h"
#include "arrow/canon.h"
#include "arrow/test_model.h"

/* Rows of a column to be; -1 is a row that nothing shows. */
struct list {
    int64_t *v;
    int64_t n;
};

static struct sl_arena mem;
static uint64_t rng;

static int64_t upto(int64_t n) /* 0 to n - 1 */
{
    return (int64_t)(model_random(&rng) % (uint64_t)n);
}

/* So many random bytes, at an odd address one time in three. */
static uint8_t *junk(int64_t n)
{
    uint8_t *p = sl_arena_get(&mem, (size_t)n + 1);
    assert_non_null(p);
    p += upto(3) == 0;
    for (int64_t i = 0; i < n; i++)
        p[i] = (uint8_t)model_random(&rng);
    return p;
}

static struct list new_list(int64_t cap)
{
    struct list l = { sl_arena_get(&mem, (size_t)cap * sizeof *l.v), 0 };
    assert_non_null(l.v);
    return l;
}

static void add(struct list *l, int64_t row, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        l->v[l->n++] = row < 0 ? -1 : row + i;
}

static void ugly_validity(struct sl_column *out, const struct sl_column *c, const struct list *rows)
{
    uint8_t *bits = junk((rows->n + 7) / 8);
    bool shown = false;
    for (int64_t i = 0; i < rows->n; i++) {
        if (rows->v[i] < 0)
            continue;
        bool null = sl_column_is_null(c, rows->v[i]);
        shown = shown || null;
        bits[i >> 3] = (uint8_t)((bits[i >> 3] & ~(1 << (i & 7))) | !null << (i & 7));
    }
    if (!shown && upto(2))
        return; /* none at all; then rows that are not shown are all valid */
    out->validity = bits;
    out->n_nulls = upto(2) || rows->n == 0 ? -1 : 1 + upto(rows->n); /* nobody trusts it */
}

static void ugly(struct sl_column *out, const struct sl_column *c, const struct list *rows);

static void ugly_offsets(struct sl_column *out, const struct sl_column *c, const struct list *rows)
{
    const struct sl_field *f = c->field;
    bool large = sl_type_is_large(f->type), bytes = sl_type_is_bytes(f->type);
    int64_t cap = 8 + 3 * rows->n + (bytes ? c->data_bytes : c->children[0].n);
    struct list items = new_list(cap);
    uint8_t *offsets = junk((rows->n + 1) * 8);
    add(&items, -1, upto(4));
    for (int64_t i = 0; i <= rows->n; i++) {
        if (large)
            memcpy(offsets + i * 8, &(int64_t){ items.n }, 8);
        else
            memcpy(offsets + i * 4, &(int32_t){ (int32_t)items.n }, 4);
        if (i == rows->n)
            break;
        int64_t row = rows->v[i];
        if (row < 0 || sl_column_is_null(c, row))
            add(&items, -1, upto(4));
        else
            add(&items, sl_column_start(c, row),
                sl_column_start(c, row + 1) - sl_column_start(c, row));
    }
    add(&items, -1, upto(4));
    out->offsets = offsets;
    if (!bytes) {
        out->children = sl_arena_zeros(&mem, 1, sizeof *out->children);
        ugly(out->children, &c->children[0], &items);
        return;
    }
    uint8_t *data = junk(items.n);
    for (int64_t i = 0; i < items.n; i++)
        if (items.v[i] >= 0)
            data[i] = c->data[items.v[i]];
    out->data = data;
    out->data_bytes = items.n;
}

static void ugly_fixed(struct sl_column *out, const struct sl_column *c, const struct list *rows)
{
    int64_t width = sl_type_width(c->field);
    uint8_t *data = junk(width ? rows->n * width : (rows->n + 7) / 8);
    for (int64_t i = 0; i < rows->n; i++) {
        int64_t row = rows->v[i];
        if (row < 0 || sl_column_is_null(c, row))
            continue;
        if (width)
            memcpy(data + i * width, c->data + row * width, (size_t)width);
        else
            data[i >> 3] =
                (uint8_t)((data[i >> 3] & ~(1 << (i & 7))) | sl_bit(c->data, row) << (i & 7));
    }
    out->data = data;
    out->data_bytes = width ? rows->n * width : (rows->n + 7) / 8;
}

static void ugly(struct sl_column *out, const struct sl_column *c, const struct list *rows)
{
    const struct sl_field *f = c->field;
    *out = (struct sl_column){ .field = f, .n = rows->n };
    ugly_validity(out, c, rows);
    if (sl_type_has_offsets(f->type)) {
        ugly_offsets(out, c, rows);
        return;
    }
    if (f->n_children == 0) {
        ugly_fixed(out, c, rows);
        return;
    }
    int64_t size = f->type == SL_T_FIXED_LIST ? f->size : 1;
    struct list below = new_list(rows->n * size + 4);
    for (int64_t i = 0; i < rows->n; i++)
        add(&below, rows->v[i] < 0 || sl_column_is_null(c, rows->v[i]) ? -1 : rows->v[i] * size,
            size);
    add(&below, -1, upto(4));
    out->children = sl_arena_zeros(&mem, f->n_children, sizeof *out->children);
    for (uint32_t i = 0; i < f->n_children; i++)
        ugly(&out->children[i], &c->children[i], &below);
}

static void compare(const struct sl_batch *a, const struct sl_batch *b)
{
    struct sl_buf x, y;
    sl_buf_init(&x, 1 << 24);
    sl_buf_init(&y, 1 << 24);
    for (uint32_t k = 0; k < a->schema->n_fields; k++)
        for (int64_t i = 0; i < a->n_rows; i++) {
            sl_buf_reset(&x);
            sl_buf_reset(&y);
            model_text(&a->columns[k], i, &x);
            model_text(&b->columns[k], i, &y);
            if (x.n != y.n || memcmp(x.p, y.p, x.n) != 0)
                fail_msg("%s row %d: %.*s, not %.*s", model_types[k], (int)i, (int)x.n, x.p,
                         (int)y.n, y.p);
        }
    sl_buf_release(&x);
    sl_buf_release(&y);
}

static void test_ugly(void **state)
{
    (void)state;
    struct sl_schema s;
    struct sl_rows r;
    struct sl_batch b, out;
    struct sl_arena scratch;
    rng = 3;
    model_schema(&s);
    sl_arena_init(&mem, 1 << 20);
    sl_arena_init(&scratch, 1 << 20);
    sl_batch_init(&b);
    sl_batch_init(&out);
    OK(sl_rows_init(&r, &s, &err));
    for (int round = 0; round < 120; round++) {
        sl_rows_reset(&r);
        sl_arena_reset(&mem);
        sl_batch_reset(&out);
        model_fill(&r, round == 0 ? 0 : 1 + (int)upto(round), &rng,
                   (unsigned[]){ 0, 5, 50, 100 }[round % 4]);
        OK(sl_rows_lend(&r, &b, &err));
        struct list all = new_list(b.n_rows + 1);
        add(&all, 0, b.n_rows);
        out.schema = &s;
        out.n_rows = b.n_rows;
        out.columns = sl_arena_zeros(&mem, s.n_fields, sizeof *out.columns);
        for (uint32_t k = 0; k < s.n_fields; k++)
            ugly(&out.columns[k], &b.columns[k], &all);
        OK(sl_foreign_batch(&out, &scratch, &err));
        OK(sl_batch_canonical(&out, SL_E_DATA, &err));
        compare(&out, &b);
    }
    sl_arena_release(&mem);
    sl_arena_release(&scratch);
    sl_batch_release(&b);
    sl_batch_release(&out);
    sl_rows_release(&r);
    sl_schema_release(&s);
}

/* ---- what is refused, and what stays where it is ---- */

static void one(const char *type, struct sl_column c, const char *says)
{
    struct sl_schema s;
    struct sl_batch b;
    struct sl_arena scratch;
    struct sl_err why = SL_ERR_INIT;
    sl_schema_init(&s);
    sl_arena_init(&scratch, 0);
    OK(sl_schema_add_text(&s, "x", type, &err));
    sl_batch_init(&b);
    b.schema = &s;
    b.n_rows = 2;
    c.field = s.fields[0];
    for (uint32_t i = 0; i < c.field->n_children; i++)
        c.children[i].field = &c.field->children[i];
    b.columns = &c;
    const void *data = c.data;
    enum sl_status st = sl_foreign_batch(&b, &scratch, &why);
    if (says && (st != SL_E_DATA || !strstr(why.msg, says)))
        fail_msg("not '%s' but %d %s", says, st, why.msg);
    if (!says && (st != SL_OK || c.data != data))
        fail_msg("%s: copied, or %s", type, why.msg);
    b.columns = NULL;
    sl_batch_release(&b);
    sl_schema_release(&s);
    sl_arena_release(&scratch);
}

static void test_refused(void **state)
{
    (void)state;
    static const int32_t good[] = { 0, 1, 3 }, falls[] = { 0, 3, 1 }, below[] = { -1, 0, 1 },
                         far[] = { 0, 1, 9 }, splits[] = { 0, 1, 2 };
    static const int64_t large[] = { 0, 3, INT64_MAX };
    const uint8_t *text = (const uint8_t *)"abc", *odd = (const uint8_t *)"a\xff"
                                                                          "b";
    const uint8_t *e = (const uint8_t *)"\xc3\xa9";
    static const uint8_t half = 1;
    static const uint16_t numbers[] = { 7, 8, 9 };
    const uint8_t *n16 = (const uint8_t *)numbers;
    struct sl_column child = { .n = 1, .data = n16, .data_bytes = 2 };

    one("utf8", (struct sl_column){ .n = 2, .offsets = good, .data = text, .data_bytes = 3 }, NULL);
    one("uint16", (struct sl_column){ .n = 2, .data = n16, .data_bytes = 4 }, NULL);
    one("utf8", (struct sl_column){ .n = 2, .offsets = falls, .data = text, .data_bytes = 3 },
        "fall");
    one("utf8", (struct sl_column){ .n = 2, .offsets = below, .data = text, .data_bytes = 3 },
        "below 0");
    one("binary", (struct sl_column){ .n = 2, .offsets = far, .data = text, .data_bytes = 3 },
        "outside");
    one("large_utf8", (struct sl_column){ .n = 2, .offsets = large, .data = text, .data_bytes = 3 },
        "outside");
    one("utf8", (struct sl_column){ .n = 2, .offsets = good, .data = odd, .data_bytes = 3 },
        "UTF-8");
    one("utf8", (struct sl_column){ .n = 2, .offsets = splits, .data = e, .data_bytes = 2 },
        "inside a character");
    one("uint16",
        (struct sl_column){ .n = 2, .n_nulls = 1, .validity = &half, .data = n16, .data_bytes = 4 },
        "nulls in a column");
    one("uint16", (struct sl_column){ .n = 3, .data = n16, .data_bytes = 6 }, "rows of 2");
    one("list<uint16>", (struct sl_column){ .n = 2, .offsets = good, .children = &child },
        "outside");
    one("fixed_size_list<uint16>[1]", (struct sl_column){ .n = 2, .children = &child },
        "fewer rows");
    one("struct<a:uint16>", (struct sl_column){ .n = 2, .children = &child }, "fewer rows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ugly),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
