/* SPDX-License-Identifier: Apache-2.0 */
/* Identities: the bytes are XXH3-128 of what docs say, and a source's end
 * cannot be taken for the beginning of an offset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/identity.h"

static void same(struct sl_hash128 a, struct sl_hash128 b)
{
    assert_memory_equal(a.b, b.b, sizeof a.b);
}

static void differ(struct sl_hash128 a, struct sl_hash128 b)
{
    assert_memory_not_equal(a.b, b.b, sizeof a.b);
}

static void given(void **state)
{
    (void)state;
    same(sl_id_of_given(SL_STR("urn:uuid:1")), sl_hash128("urn:uuid:1", 10));
    differ(sl_id_of_given(SL_STR("urn:uuid:1")), sl_id_of_given(SL_STR("urn:uuid:2")));
}

static void place(void **state)
{
    (void)state;
    same(sl_id_of_place(SL_STR("a.warc"), 120), sl_hash128("a.warc\0"
                                                           "120",
                                                           10));
    same(sl_id_of_place(SL_STR(""), 0), sl_hash128("\0"
                                                   "0",
                                                   2));
    differ(sl_id_of_place(SL_STR("a1"), 2), sl_id_of_place(SL_STR("a"), 12));
    char *long_name = malloc(10000);
    memset(long_name, 'x', 10000);
    differ(sl_id_of_place((struct sl_str){ long_name, 10000 }, 1),
           sl_id_of_place((struct sl_str){ long_name, 10000 }, 2));
    free(long_name);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(given), cmocka_unit_test(place) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
