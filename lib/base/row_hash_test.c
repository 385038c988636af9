/* SPDX-License-Identifier: Apache-2.0 */
/* Row hashes against values of the Python package xxhash. */
#include "base/row_hash.h"

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void known_values(void **state)
{
    (void)state;
    uint8_t id[16];
    for (uint8_t i = 0; i < 16; i++)
        id[i] = i;
    uint64_t seed = sl_row_seed("sluice-shuffle/order", 7);
    assert_int_equal(seed, 0x4b1b03dcf9bcc9e2);
    assert_int_equal(sl_row_hash(id, 0x0102, seed), 0xa0bdfbea6799427a);
    assert_true(sl_row_hash(id, 0, seed) != sl_row_hash(id, 1, seed));
    assert_true(sl_row_seed("sluice-sample/share", 7) != seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
