/* SPDX-License-Identifier: Apache-2.0 */
/* Dates: known moments, forms that are accepted, forms that are not. */
#include "text/iso_date.h"

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void iso(const char *text, int64_t second, int32_t ns)
{
    struct sl_moment m;
    if (!sl_iso_date(sl_str_of(text), &m))
        fail_msg("refused: %s", text);
    if (m.second != second || m.ns != ns)
        fail_msg("%s: %lld and %d ns", text, (long long)m.second, (int)m.ns);
}

static void epoch(const char *text, int64_t second, int32_t ns)
{
    struct sl_moment m;
    if (!sl_epoch_date(sl_str_of(text), &m))
        fail_msg("refused: %s", text);
    if (m.second != second || m.ns != ns)
        fail_msg("%s: %lld and %d ns", text, (long long)m.second, (int)m.ns);
}

static void test_iso(void **state)
{
    (void)state;
    iso("1970-01-01", 0, 0);
    iso("1970", 0, 0);
    iso("2000-03", 951868800, 0);
    iso("2000-02-29T12:34:56Z", 951827696, 0);
    iso(" 2024-01-02 03:04:05 ", 1704164645, 0);
    iso("2024-01-02T03:04:05.25", 1704164645, 250000000);
    iso("2024-01-02T03:04:05,123456789999Z", 1704164645, 123456789);
    iso("2024-01-02T03:04:05+01:00", 1704161045, 0);
    iso("2024-01-02T03:04-0530", 1704184440, 0);
    iso("2024-01-02T03:04+02", 1704157440, 0);
    iso("2016-12-31T23:59:60Z", 1483228800, 0);
    iso("1969-12-31T23:59:59.5Z", -1, 500000000);
    iso("0000-01-01", -62167219200, 0);
    iso("9999-12-31T23:59:59Z", 253402300799, 0);
}

static void test_epoch(void **state)
{
    (void)state;
    epoch("0", 0, 0);
    epoch("1704164645", 1704164645, 0);
    epoch("1704164645.250", 1704164645, 250000000);
    epoch("-0.5", -1, 500000000);
    epoch("-1.0", -1, 0);
    epoch("1.12345678901234567890123", 1, 123456789);
}

static void test_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "yesterday",
        "24-01-02",
        "2024-13-01",
        "2024-00-01",
        "2024-02-30",
        "2023-02-29",
        "2024-01-02T24:00:00Z",
        "2024-01-02T03",
        "2024-01-02T03:60",
        "2024-01-02T03:04:61",
        "2024-01-02T03:04:05.Z",
        "2024-01-02T03:04:05+25:00",
        "2024-01-02T03:04:05Zx",
        "2024-1-2",
        "2024-01T03:04",
        "2024-01-02T",
        "+2024-01-02",
        "2024-01-02T03:04:05+1:00",
        "9999-12-31T23:59:59-01:00",
        "2024/01/02",
        "1900-02-29",
    };
    static const char *const no_epoch[] = {
        "", "-", "1e9", "1.", ".5", "--1", "1704164645000", "-62167219201", "0x10", "1.x", "1 "
    };
    struct sl_moment m;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (sl_iso_date(sl_str_of(wrong[i]), &m))
            fail_msg("accepted: %s", wrong[i]);
    for (size_t i = 0; i < sizeof no_epoch / sizeof *no_epoch; i++)
        if (sl_epoch_date(sl_str_of(no_epoch[i]), &m))
            fail_msg("accepted: %s", no_epoch[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_iso), cmocka_unit_test(test_epoch),
                                        cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
