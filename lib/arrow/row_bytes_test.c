/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of every type to bytes and back, in another order, compared by the text of
 * their values with what was there; then bytes that are cut. */
#include "arrow/canon.h"
#include "arrow/row_bytes.h"
#include "arrow/test_model.h"

enum { N_ROWS = 200 };

struct world {
    struct sl_schema schema;
    struct sl_rows rows;
    struct sl_batch batch;
    uint64_t sizes[N_ROWS];
    uint8_t *bytes;
    struct sl_str strings[N_ROWS];
};

static void make(struct world *w, unsigned null_percent)
{
    uint64_t rng = 5, all = 0;
    uint8_t *to[N_ROWS];
    model_schema(&w->schema);
    OK(sl_rows_init(&w->rows, &w->schema, &err));
    model_fill(&w->rows, N_ROWS, &rng, null_percent);
    sl_batch_init(&w->batch);
    OK(sl_rows_lend(&w->rows, &w->batch, &err));
    sl_row_bytes_sizes(&w->batch, 0, 70, w->sizes);
    sl_row_bytes_sizes(&w->batch, 70, N_ROWS - 70, w->sizes + 70);
    for (int i = 0; i < N_ROWS; i++)
        all += w->sizes[i];
    w->bytes = malloc(all);
    assert_non_null(w->bytes);
    for (int i = 0; i < N_ROWS; i++) {
        to[i] = i ? to[i - 1] + w->sizes[i - 1] : w->bytes;
        w->strings[i] = (struct sl_str){ (char *)to[i], w->sizes[i] };
    }
    sl_row_bytes_write(&w->batch, 0, 33, to);
    sl_row_bytes_write(&w->batch, 33, N_ROWS - 33, to + 33);
    for (int i = 0; i < N_ROWS; i++)
        assert_ptr_equal(to[i], w->strings[i].p + w->sizes[i]);
}

static void drop(struct world *w)
{
    free(w->bytes);
    sl_batch_release(&w->batch);
    sl_rows_release(&w->rows);
    sl_schema_release(&w->schema);
}

static void add_text(const struct sl_batch *b, int64_t row, struct sl_buf *out)
{
    for (uint32_t k = 0; k < b->schema->n_fields; k++)
        model_text(&b->columns[k], row, out);
    OK(sl_buf_add_byte(out, '\n', &err));
}

/* Backwards, in pieces of growing size. */
static void test_round(void **state)
{
    (void)state;
    static const unsigned nulls[] = { 0, 30, 100 };
    for (int round = 0; round < 3; round++) {
        struct world w;
        struct sl_rows back;
        struct sl_batch view;
        struct sl_buf want, got;
        struct sl_str turned[N_ROWS];
        make(&w, nulls[round]);
        OK(sl_rows_init(&back, &w.schema, &err));
        for (int i = 0; i < N_ROWS; i++)
            turned[i] = w.strings[N_ROWS - 1 - i];
        for (size_t at = 0, n = 1; at < N_ROWS;
             at += n, n = n * 2 < N_ROWS - at ? n * 2 : N_ROWS - at) {
            int64_t before = sl_rows_bytes(&back), most = 0;
            for (size_t i = 0; i < n; i++)
                most += (int64_t)turned[at + i].n;
            OK(sl_row_bytes_read(&back, turned + at, n, &err));
            back.n += (int64_t)n;
            assert_true(sl_rows_bytes(&back) - before <= most); /* the promise of the header */
        }
        sl_batch_init(&view);
        OK(sl_rows_lend(&back, &view, &err));
        OK(sl_batch_canonical(&view, SL_E_DATA, &err));
        sl_buf_init(&want, 1 << 24);
        sl_buf_init(&got, 1 << 24);
        for (int i = 0; i < N_ROWS; i++) {
            add_text(&w.batch, N_ROWS - 1 - i, &want);
            add_text(&view, i, &got);
        }
        assert_int_equal(want.n, got.n);
        assert_memory_equal(want.p, got.p, want.n);
        sl_buf_release(&want);
        sl_buf_release(&got);
        sl_batch_release(&view);
        sl_rows_release(&back);
        drop(&w);
    }
}

/* A row cut at every byte, or with a byte too many, is an error. */
static void test_cut(void **state)
{
    (void)state;
    struct world w;
    make(&w, 20);
    for (int row = 0; row < 4; row++)
        for (size_t n = 0; n <= w.strings[row].n + 1; n++) {
            struct sl_rows back;
            char *copy = malloc(n ? n : 1); /* its end is the end of what may be read */
            assert_non_null(copy);
            memcpy(copy, w.strings[row].p, n);
            struct sl_str s = { copy, n };
            OK(sl_rows_init(&back, &w.schema, &err));
            if (n == w.strings[row].n)
                OK(sl_row_bytes_read(&back, &s, 1, &err));
            else
                FAILS(SL_E_DATA, sl_row_bytes_read(&back, &s, 1, &err));
            sl_rows_release(&back);
            free(copy);
        }
    drop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
