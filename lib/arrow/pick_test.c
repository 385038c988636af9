/* SPDX-License-Identifier: Apache-2.0 */
/* Some columns of a stream: the same values as when all are read, from memory and from a
 * file; cut anywhere it is refused; and a flipped bit never does worse than going unseen. */
#include <stdlib.h>
#include <unistd.h>

#include "arrow/canon.h"
#include "arrow/reader.h"
#include "arrow/stream_model.h"

enum { MOST_FIELDS = 64 };

/* Read a stream; the wanted columns as text go to text, which may be NULL. */
static enum sl_status read_some(struct sl_source *src, const bool *wanted, struct sl_buf *text,
                                struct sl_err *why)
{
    struct sl_reader *r = NULL;
    struct sl_batch b;
    enum sl_status st = sl_reader_open(&r, src, SL_READ_STRICT, why);
    sl_batch_init(&b);
    b.body.max = 1 << 24;
    bool all[MOST_FIELDS];
    memset(all, true, sizeof all);
    if (st == SL_OK && wanted && sl_reader_schema(r)->n_fields <= MOST_FIELDS)
        OK(sl_reader_pick(r, wanted, &err));
    while (st == SL_OK) {
        st = sl_reader_next(r, &b, why);
        for (uint32_t k = 0; st == SL_OK && k < b.schema->n_fields; k++) {
            assert_int_equal(b.columns[k].n, b.n_rows);
            if (wanted && !wanted[k])
                continue;
            for (int64_t i = 0; text && i < b.n_rows; i++) {
                model_text(&b.columns[k], i, text);
                OK(sl_buf_add_byte(text, '\n', &err));
            }
        }
    }
    sl_batch_release(&b);
    sl_reader_free(r);
    return st;
}

static enum sl_status read_mem(struct sl_str bytes, const bool *wanted, struct sl_buf *text,
                               struct sl_err *why)
{
    struct sl_source *src = NULL;
    OK(sl_source_open_mem(&src, bytes, "mem", SL_SOURCE_PLAIN, &err));
    enum sl_status st = read_some(src, wanted, text, why);
    sl_source_free(src);
    return st;
}

static enum sl_status read_file(struct sl_str bytes, const bool *wanted, struct sl_buf *text,
                                struct sl_err *why)
{
    struct sl_source *src = NULL;
    char path[] = P_tmpdir "/sluice-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.p, bytes.n), bytes.n);
    close(fd);
    OK(sl_source_open(&src, path, SL_SOURCE_AUTO, &err));
    enum sl_status st = read_some(src, wanted, text, why);
    assert_int_equal(sl_source_raw_bytes(src), bytes.n);
    sl_source_free(src);
    unlink(path);
    return st;
}

/* What the wanted columns say, when a stream is read as a whole. */
static void reference(struct sl_str bytes, const bool *wanted, struct sl_buf *text)
{
    struct sl_source *src = NULL;
    struct sl_reader *r = NULL;
    struct sl_batch b;
    OK(sl_source_open_mem(&src, bytes, "mem", SL_SOURCE_PLAIN, &err));
    OK(sl_reader_open(&r, src, SL_READ_STRICT, &err));
    sl_batch_init(&b);
    while (sl_reader_next(r, &b, NULL) == SL_OK)
        for (uint32_t k = 0; k < b.schema->n_fields; k++)
            for (int64_t i = 0; wanted[k] && i < b.n_rows; i++) {
                model_text(&b.columns[k], i, text);
                OK(sl_buf_add_byte(text, '\n', &err));
            }
    sl_batch_release(&b);
    sl_reader_free(r);
    sl_source_free(src);
}

static void same(struct sl_str bytes, const bool *wanted)
{
    struct sl_buf want, got, from_file;
    struct sl_err why = SL_ERR_INIT;
    sl_buf_init(&want, 1 << 28);
    sl_buf_init(&got, 1 << 28);
    sl_buf_init(&from_file, 1 << 28);
    reference(bytes, wanted, &want);
    if (read_mem(bytes, wanted, &got, &why) != SL_END)
        fail_msg("%s", why.msg);
    assert_int_equal(read_file(bytes, wanted, &from_file, NULL), SL_END);
    assert_int_equal(got.n, want.n);
    assert_int_equal(from_file.n, want.n);
    if (want.n) {
        assert_memory_equal(got.p, want.p, want.n);
        assert_memory_equal(from_file.p, want.p, want.n);
    }
    sl_buf_release(&want);
    sl_buf_release(&got);
    sl_buf_release(&from_file);
}

/* Each column of the model alone, then random choices. */
static void test_same(void **state)
{
    (void)state;
    for (int zstd = 0; zstd <= 1; zstd++) {
        struct sl_buf s = stream_make(
            &(struct stream_options){
                .rows = 120, .batches = 3, .nulls = 30, .zstd = zstd, .seed = 3 },
            NULL);
        bool wanted[MOST_FIELDS] = { false };
        same(sl_buf_str(&s), wanted);
        for (int i = 0; i < 32; i++) {
            memset(wanted, false, sizeof wanted);
            wanted[i] = true;
            same(sl_buf_str(&s), wanted);
        }
        srand(5);
        for (int i = 0; i < 15; i++) {
            for (int k = 0; k < MOST_FIELDS; k++)
                wanted[k] = rand() & 1;
            same(sl_buf_str(&s), wanted);
        }
        sl_buf_release(&s);
    }
}

static const char *const few[] = { "uint32?", "large_utf8", "list<uint16>", "float32?", NULL };
static const bool second_and_last[] = { false, true, false, true };

static void test_cut(void **state)
{
    (void)state;
    struct sl_buf s = stream_make(
        &(struct stream_options){ .rows = 3, .batches = 2, .nulls = 40, .seed = 1, .types = few },
        NULL);
    for (size_t n = 0; n < s.n; n++) {
        struct sl_err why = SL_ERR_INIT;
        char *copy = malloc(n + 1);
        assert_non_null(copy);
        memcpy(copy, s.p, n);
        enum sl_status st = read_mem((struct sl_str){ copy, n }, second_and_last, NULL, &why);
        assert_int_equal(st, SL_E_DATA);
        assert_true(why.off >= 0 && why.off <= (int64_t)n);
        free(copy);
    }
    sl_buf_release(&s);
}

/* A file that ends in a gap which is not read: the place that is told is in the file. */
static void test_cut_in_gap(void **state)
{
    (void)state;
    static const char *const types[] = {
        "uint64", "uint64", "fixed_size_binary[16]", "fixed_size_binary[16]", "uint32", NULL
    };
    static const bool last[] = { false, false, false, false, true };
    struct sl_buf s = stream_make(
        &(struct stream_options){ .rows = 4000, .batches = 2, .seed = 1, .types = types }, NULL);
    for (size_t n = 1000; n < s.n; n += 9973) {
        struct sl_err why = SL_ERR_INIT;
        struct sl_str bytes = { (const char *)s.p, n };
        assert_int_equal(read_file(bytes, last, NULL, &why), SL_E_DATA);
        assert_true(why.off >= 0 && why.off <= (int64_t)n);
    }
    sl_buf_release(&s);
}

static void test_bits(void **state)
{
    (void)state;
    struct sl_buf s = stream_make(
        &(struct stream_options){ .rows = 3, .batches = 2, .nulls = 40, .seed = 1, .types = few },
        NULL);
    int refused = 0;
    for (size_t bit = 0; bit < s.n * 8; bit++) {
        s.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        enum sl_status st = read_mem(sl_buf_str(&s), second_and_last, NULL, NULL);
        assert_true(st == SL_END || st == SL_E_DATA);
        refused += st == SL_E_DATA;
        s.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(refused > (int)s.n); /* fronts, trailer and offsets are still looked at */
    sl_buf_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_cut_in_gap),
        cmocka_unit_test(test_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
