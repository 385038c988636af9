/* SPDX-License-Identifier: Apache-2.0 */
/* Packed buffers: both ways, cut at every byte, with false lengths. */
#include "arrow/zstd_buf.h"

#include "arrow/test_model.h"
#include "base/num.h"

enum { BYTES = 5000 };

static void both_ways(void **state)
{
    (void)state;
    struct sl_zpack *pack = sl_zpack_new(3);
    struct sl_zunpack *unpack = sl_zunpack_new();
    struct sl_buf packed, out;
    uint8_t text[BYTES];
    for (size_t i = 0; i < BYTES; i++)
        text[i] = (uint8_t)(i % 97 * (i % 7));
    sl_buf_init(&packed, 1 << 20);
    sl_buf_init(&out, 1 << 20);
    OK(sl_buf_add(&out, "x", 1, &err));
    OK(sl_zstd_pack(pack, text, BYTES, &packed, &err));
    assert_int_equal(sl_load64(packed.p), BYTES);
    assert_true(packed.n < BYTES);
    OK(sl_zstd_unpack(unpack, sl_buf_str(&packed), &out, &err));
    assert_int_equal(out.n, 1 + BYTES);
    assert_memory_equal(out.p + 1, text, BYTES);
    /* a maximum that fits exactly, and one that does not */
    sl_buf_reset(&out);
    out.max = BYTES;
    OK(sl_zstd_unpack(unpack, sl_buf_str(&packed), &out, &err));
    sl_buf_reset(&out);
    out.max = BYTES - 1;
    FAILS(SL_E_DATA, sl_zstd_unpack(unpack, sl_buf_str(&packed), &out, &err));
    out.max = 1 << 20;
    for (size_t n = 0; n < packed.n; n++) {
        FAILS(SL_E_DATA,
              sl_zstd_unpack(unpack, (struct sl_str){ (char *)packed.p, n }, &out, &err));
        assert_int_equal(out.n, 0);
    }
    static const int64_t lies[] = { 0, 1, BYTES - 1, BYTES + 1, 1 << 21, INT64_MAX, -2, INT64_MIN };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        sl_store64(packed.p, (uint64_t)lies[i]);
        FAILS(SL_E_DATA, sl_zstd_unpack(unpack, sl_buf_str(&packed), &out, &err));
        assert_int_equal(out.n, 0);
        assert_int_equal(out.max, 1 << 20);
    }
    sl_store64(packed.p, BYTES);
    OK(sl_buf_add_byte(&packed, 0, &err));
    FAILS(SL_E_DATA, sl_zstd_unpack(unpack, sl_buf_str(&packed), &out, &err));
    OK(sl_zstd_unpack(unpack, SL_STR("\xff\xff\xff\xff\xff\xff\xff\xffplain"), &out, &err));
    assert_true(sl_str_eq(sl_buf_str(&out), SL_STR("plain")));
    sl_buf_release(&packed);
    sl_buf_release(&out);
    sl_zpack_free(pack);
    sl_zunpack_free(unpack);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(both_ways) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
