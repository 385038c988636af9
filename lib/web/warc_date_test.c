/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "web/warc_date.h"

static int64_t date_of(const char *s)
{
    int64_t us = INT64_MIN;
    return sl_warc_date(sl_str_of(s), &us) ? us : INT64_MIN;
}

static void accepts(void **state)
{
    (void)state;
    assert_true(date_of("1970-01-01T00:00:00Z") == 0);
    assert_true(date_of("2024-02-29T12:34:56Z") == 1709210096000000);
    assert_true(date_of("2024-05-19T01:02:03.5Z") == 1716080523500000);
    assert_true(date_of("2024-05-19T01:02:03.123456789Z") == 1716080523123456);
    assert_true(date_of("2016-12") == 1480550400000000);
    assert_true(date_of(" 1969-12-31T23:59Z ") == -60000000);
}

static void refuses(void **state)
{
    static const char *const bad[] = {
        "",
        "x",
        "2024-13-01",
        "2023-02-29",
        "2024-00-01",
        "2024-1-1",
        "2024-01-32",
        "20240101",
        "2024-01-01T00:00:00",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:00+01:00",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00.1234567890Z",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_true(date_of(bad[i]) == INT64_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
