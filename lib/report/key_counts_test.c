/* SPDX-License-Identifier: Apache-2.0 */
/* Keys are counted exactly up to the maximum, and nothing is lost behind it; hosts
 * of URLs, well-formed or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "report/key_counts.h"

static void add(struct sl_key_counts *c, const char *key, int64_t amount)
{
    assert_int_equal(sl_key_counts_add(c, sl_str_of(key), amount, NULL), SL_OK);
}

static void test_order(void **state)
{
    struct sl_key_counts c;
    (void)state;
    sl_key_counts_init(&c);
    sl_key_counts_sort(&c);
    assert_int_equal(c.n_keys, 0);
    add(&c, "b", 5);
    add(&c, "a", 2);
    add(&c, "", 7);
    add(&c, "c", 5);
    add(&c, "a", 3);
    sl_key_counts_sort(&c);
    assert_int_equal(c.n_keys, 3);
    /* a has two rows, b and c are equal but for their names */
    assert_true(sl_str_eq(c.keys[0].key, SL_STR("a")));
    assert_true(sl_str_eq(c.keys[1].key, SL_STR("b")));
    assert_int_equal(c.keys[0].rows, 2);
    assert_int_equal(c.keys[0].amount, 5);
    assert_int_equal(c.none.amount, 7);
    assert_int_equal(c.all.rows, 5);
    assert_int_equal(c.all.amount, 22);
    sl_key_counts_release(&c);
}

static void test_maximum(void **state)
{
    struct sl_key_counts c;
    char key[32];
    int64_t sum = 0;
    (void)state;
    sl_key_counts_init(&c);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < SL_KEYS_MAX + 1000; i++) {
            snprintf(key, sizeof key, "k%d", i);
            add(&c, key, i);
        }
    assert_int_equal(c.n_keys, SL_KEYS_MAX);
    assert_int_equal(c.others.rows, 2000);
    for (uint32_t i = 0; i < c.n_keys; i++) {
        assert_int_equal(c.keys[i].rows, 2);
        sum += c.keys[i].amount;
    }
    assert_int_equal(sum + c.others.amount, c.all.amount);
    sl_key_counts_release(&c);
}

static void check_host(const char *url, const char *host)
{
    char out[SL_KEY_BYTES];
    struct sl_str got = sl_url_host(sl_str_of(url), out);
    if (!sl_str_eq(got, sl_str_of(host)))
        fail_msg("%s: '%.*s', not '%s'", url, (int)got.n, got.p, host);
}

static void test_hosts(void **state)
{
    char out[SL_KEY_BYTES], url[1000];
    (void)state;
    check_host("https://Example.ORG/a:b@c", "example.org");
    check_host("http://www.example.org:80", "example.org");
    check_host("http://user:pw@example.org?q=1", "example.org");
    check_host("http://[::1]:80/", "[::1]");
    check_host("http://example.org#x", "example.org");
    check_host("http://www.", "www.");
    check_host("http://", "");
    check_host("http:/", "");
    check_host("http:", "");
    check_host("mailto:x@example.org", "");
    check_host("", "");
    check_host(":", "");
    memset(url, 'x', sizeof url);
    memcpy(url, "http://", 7);
    assert_int_equal(sl_url_host((struct sl_str){ url, sizeof url }, out).n, SL_KEY_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
