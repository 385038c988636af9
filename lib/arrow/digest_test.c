/* SPDX-License-Identifier: Apache-2.0 */
/* Digests: by the page's words for small columns, and the same for any borders. */
#include "arrow/digest.h"

#include "arrow/test_model.h"

static void add_hash(struct sl_buf *b, const void *p, size_t n)
{
    struct sl_hash128 h = sl_hash128(p, n);
    OK(sl_buf_add(b, h.b, sizeof h.b, &err));
}

/* The digest of the only column of r against name, type and three byte strings a node. */
static void check_column(struct sl_rows *r, const char *type, const struct sl_str *parts,
                         size_t n_parts)
{
    struct sl_batch b;
    struct sl_buf want;
    sl_batch_init(&b);
    sl_buf_init(&want, 4096);
    OK(sl_rows_lend(r, &b, &err));
    struct sl_digest *d = sl_digest_new(r->schema);
    assert_non_null(d);
    sl_digest_add_batch(d, &b);
    OK(sl_buf_add(&want, "col", 4, &err));
    OK(sl_buf_add(&want, type, strlen(type) + 1, &err));
    for (size_t i = 0; i < n_parts; i++)
        add_hash(&want, parts[i].p, parts[i].n);
    struct sl_hash128 h = sl_hash128(want.p, want.n), got = sl_digest_column(d, 0);
    assert_memory_equal(h.b, got.b, 16);
    struct sl_hash128 all = sl_hash128(h.b, 16), stream = sl_digest_stream(&got, 1);
    assert_memory_equal(all.b, stream.b, 16);
    sl_digest_free(d);
    sl_buf_release(&want);
    sl_batch_release(&b);
}

static void start(struct sl_schema *s, struct sl_rows *r, const char *type)
{
    sl_schema_init(s);
    OK(sl_schema_add_text(s, "col", type, &err));
    OK(sl_rows_init(r, s, &err));
}

static void by_the_page(void **state)
{
    (void)state;
    struct sl_schema s;
    struct sl_rows r;
    start(&s, &r, "utf8?");
    OK(sl_colbuf_add_str(&r.cols[0], SL_STR("hi"), &err));
    OK(sl_colbuf_add_null(&r.cols[0], &err));
    OK(sl_colbuf_add_str(&r.cols[0], SL_STR("abc"), &err));
    r.n = 3;
    check_column(&r, "utf8",
                 (struct sl_str[]){ SL_STR("\1\0\1"),
                                    SL_STR("\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0"),
                                    SL_STR("hiabc") },
                 3);
    sl_rows_release(&r);
    sl_schema_release(&s);

    /* no byte of validity where the field is not nullable, one a row where it is */
    start(&s, &r, "bool");
    OK(sl_colbuf_add_bool(&r.cols[0], true, &err));
    OK(sl_colbuf_add_bool(&r.cols[0], false, &err));
    r.n = 2;
    check_column(&r, "bool", (struct sl_str[]){ SL_STR(""), SL_STR(""), SL_STR("\1\0") }, 3);
    sl_rows_release(&r);
    sl_schema_release(&s);

    start(&s, &r, "list<int16?>?");
    OK(sl_colbuf_add_int(&r.cols[0].children[0], -1, &err));
    OK(sl_colbuf_add_int(&r.cols[0].children[0], 2, &err));
    OK(sl_colbuf_close(&r.cols[0], &err));
    r.n = 1;
    check_column(&r, "list<int16?>",
                 (struct sl_str[]){ SL_STR("\1"), SL_STR("\2\0\0\0\0\0\0\0"), SL_STR(""),
                                    SL_STR("\1\1"), SL_STR(""), SL_STR("\xff\xff\2\0") },
                 6);
    sl_rows_release(&r);
    sl_schema_release(&s);

    start(&s, &r, "struct<a:large_binary,b:fixed_size_list<uint8>[2]>?");
    OK(sl_colbuf_add_null(&r.cols[0], &err));
    OK(sl_colbuf_add_str(&r.cols[0].children[0], SL_STR("z"), &err));
    OK(sl_colbuf_add_items(&r.cols[0].children[1], "xy", 2, &err));
    OK(sl_colbuf_close(&r.cols[0], &err));
    r.n = 2;
    check_column(&r, "struct<a:large_binary,b:fixed_size_list<uint8>[2]>",
                 (struct sl_str[]){ SL_STR("\0\1"), SL_STR(""), SL_STR(""), SL_STR(""),
                                    SL_STR("\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0"), SL_STR("z"),
                                    SL_STR(""), SL_STR(""), SL_STR(""), SL_STR(""), SL_STR(""),
                                    SL_STR("\0\0xy") },
                 12);
    sl_rows_release(&r);
    sl_schema_release(&s);
}

/* More rows than the blocks have, cut anywhere. */
static void borders(void **state)
{
    (void)state;
    enum { ROWS = 5000 };
    struct sl_schema s;
    struct sl_rows r, part;
    struct sl_batch b, p;
    uint64_t rng = 5;
    sl_schema_init(&s);
    OK(sl_schema_add_text(&s, "a", "bool?", &err));
    OK(sl_schema_add_text(&s, "b", "large_list<utf8?>?", &err));
    OK(sl_schema_add_text(&s, "c", "uint32?", &err));
    OK(sl_schema_add_text(&s, "d", "fixed_size_list<bool>[3]", &err));
    sl_batch_init(&b);
    sl_batch_init(&p);
    OK(sl_rows_init(&r, &s, &err));
    OK(sl_rows_init(&part, &s, &err));
    model_fill(&r, ROWS, &rng, 10);
    OK(sl_rows_lend(&r, &b, &err));
    struct sl_digest *whole = sl_digest_new(&s), *cut = sl_digest_new(&s);
    sl_digest_add_batch(whole, &b);
    for (int64_t at = 0, n; at < ROWS; at += n) {
        n = (int64_t)(model_random(&rng) % (at % 3 ? 4500 : 40));
        n = n > ROWS - at ? ROWS - at : n;
        sl_rows_reset(&part);
        OK(sl_rows_take_range(&part, &b, at, n, &err));
        OK(sl_rows_lend(&part, &p, &err));
        sl_digest_add_batch(cut, &p);
    }
    for (uint32_t i = 0; i < s.n_fields; i++) {
        struct sl_hash128 x = sl_digest_column(whole, i), y = sl_digest_column(cut, i);
        assert_memory_equal(x.b, y.b, 16);
    }
    /* one row more, or another order, is another digest */
    struct sl_hash128 before = sl_digest_column(cut, 2);
    sl_digest_add_batch(cut, &p);
    struct sl_hash128 after = sl_digest_column(cut, 2);
    assert_memory_not_equal(before.b, after.b, 16);
    sl_digest_free(whole);
    sl_digest_free(cut);
    sl_batch_release(&b);
    sl_batch_release(&p);
    sl_rows_release(&r);
    sl_rows_release(&part);
    sl_schema_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(by_the_page), cmocka_unit_test(borders) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
