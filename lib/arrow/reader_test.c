/* SPDX-License-Identifier: Apache-2.0 */
/* Streams written and read back; what is refused, and in which words. */
#include "arrow/reader.h"

#include "arrow/canon.h"
#include "arrow/stream_model.h"
#include "arrow/validate.h"

/* Read all of a stream; the rows as text are appended to text (may be NULL). */
static enum sl_status read_all(struct sl_str bytes, enum sl_read_mode mode, struct sl_buf *text,
                               struct sl_err *why)
{
    struct sl_source *src = NULL;
    struct sl_reader *r = NULL;
    struct sl_batch b;
    OK(sl_source_open_mem(&src, bytes, "mem", SL_SOURCE_PLAIN, &err));
    enum sl_status st = sl_reader_open(&r, src, mode, why);
    sl_batch_init(&b);
    while (st == SL_OK) {
        st = sl_reader_next(r, &b, why);
        if (st != SL_OK)
            break;
        assert_true(b.n_rows > 0);
        OK(sl_batch_canonical(&b, SL_E_BUG, &err));
        for (int64_t i = 0; text && i < b.n_rows; i++)
            for (uint32_t k = 0; k < b.schema->n_fields; k++) {
                model_text(&b.columns[k], i, text);
                OK(sl_buf_add_byte(text, '\n', &err));
            }
    }
    if (r) { /* dead, or at its end, for good */
        struct sl_err again = SL_ERR_INIT;
        assert_int_equal(sl_reader_next(r, &b, &again), st);
        assert_true(st == SL_END || strcmp(again.msg, why->msg) == 0);
    }
    sl_batch_release(&b);
    sl_reader_free(r);
    sl_source_free(src);
    return st;
}

static void same_rows(const struct stream_options *o, enum sl_read_mode mode)
{
    struct sl_buf text, want;
    struct sl_err err = SL_ERR_INIT;
    sl_buf_init(&text, 1 << 26);
    sl_buf_init(&want, 1 << 26);
    struct sl_buf bytes = stream_make(o, &want);
    enum sl_status st = read_all(sl_buf_str(&bytes), mode, &text, &err);
    if (st != SL_END)
        fail_msg("%s", err.msg);
    assert_int_equal(text.n, want.n);
    assert_memory_equal(text.p, want.p, want.n);
    sl_buf_release(&bytes);
    sl_buf_release(&text);
    sl_buf_release(&want);
}

static void test_round_trip(void **state)
{
    (void)state;
    for (int mode = SL_READ_STRICT; mode <= SL_READ_FOREIGN; mode++)
        for (unsigned nulls = 0; nulls <= 100; nulls += 50)
            for (int zstd = 0; zstd <= 3; zstd += 3) {
                same_rows(
                    &(struct stream_options){
                        .rows = 37, .batches = 3, .nulls = nulls, .zstd = zstd, .seed = 7 + nulls },
                    (enum sl_read_mode)mode);
                same_rows(&(struct stream_options){ .rows = 300,
                                                    .batches = 1,
                                                    .nulls = nulls,
                                                    .zstd = zstd,
                                                    .seed = 9 + nulls },
                          (enum sl_read_mode)mode);
                same_rows(&(struct stream_options){ .rows = 1, .batches = 0, .zstd = zstd },
                          (enum sl_read_mode)mode);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
