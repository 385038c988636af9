/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "order/waiting.h"

static void rows_wait_in_their_slots(void **state)
{
    (void)state;
    struct sl_schema schema;
    struct sl_rows made;
    struct sl_batch batch;
    struct sl_waiting w;
    sl_schema_init(&schema);
    assert_int_equal(sl_schema_add_text(&schema, "n", "int32", NULL), SL_OK);
    assert_int_equal(sl_rows_init(&made, &schema, NULL), SL_OK);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(sl_colbuf_add_int(&made.cols[0], i, NULL), SL_OK);
        assert_int_equal(sl_rows_close_row(&made, NULL), SL_OK);
    }
    sl_batch_init(&batch);
    assert_int_equal(sl_rows_lend(&made, &batch, NULL), SL_OK);

    sl_waiting_init(&w, &schema);
    assert_null(sl_waiting_rows(&w, 0));
    sl_waiting_forget(&w, 7);
    for (int i = 0; i < 100; i++)
        assert_int_equal(sl_waiting_add(&w, (uint32_t)(i % 3 * 1000), &batch, i, NULL), SL_OK);
    assert_null(sl_waiting_rows(&w, 1));
    assert_null(sl_waiting_rows(&w, UINT32_MAX));
    const struct sl_rows *r = sl_waiting_rows(&w, 1000);
    assert_int_equal(r->n, 33);
    for (int i = 0; i < 33; i++)
        assert_int_equal(((const int32_t *)(const void *)r->cols[0].data.p)[i], 3 * i + 1);
    sl_waiting_forget(&w, 1000);
    assert_int_equal(sl_waiting_rows(&w, 1000)->n, 0);
    assert_int_equal(sl_waiting_rows(&w, 2000)->n, 33);
    assert_int_equal(sl_waiting_add(&w, 1000, &batch, 100, NULL), SL_E_BUG);

    sl_waiting_release(&w);
    sl_batch_release(&batch);
    sl_rows_release(&made);
    sl_schema_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rows_wait_in_their_slots) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
