/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "io/record_sort.h"

enum { MIB = 1 << 20 };

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static struct sl_record_sort *sorter(size_t mem_bytes)
{
    struct sl_record_sort *s;
    assert_int_equal(sl_record_sort_new(&s, mem_bytes, "/tmp", NULL), SL_OK);
    return s;
}

static void add(struct sl_record_sort *s, const void *p, size_t n)
{
    struct sl_err err = SL_ERR_INIT;
    if (sl_record_sort_add(s, (struct sl_str){ p, n }, &err) != SL_OK)
        fail_msg("%s", err.msg);
}

/* What went in, in no order. */
struct multiset {
    int64_t n;
    uint64_t sum;
};

static void count(struct multiset *m, const void *p, size_t n)
{
    m->n++;
    m->sum += sl_hash64(p, n);
}

/* All records, twice; they ascend and are those of want. */
static void check_sorted(struct sl_record_sort *s, struct multiset want)
{
    struct sl_err err = SL_ERR_INIT;
    assert_int_equal(sl_record_sort_count(s), want.n);
    if (sl_record_sort_end(s, &err) != SL_OK)
        fail_msg("%s", err.msg);
    for (int pass = 0; pass < 2; pass++) {
        struct multiset have = { 0, 0 };
        struct sl_str r;
        struct sl_buf before;
        enum sl_status st;
        sl_buf_init(&before, MIB);
        while ((st = sl_record_sort_next(s, &r, &err)) == SL_OK) {
            if (sl_str_cmp(sl_buf_str(&before), r) > 0)
                fail_msg("record %lld is below the one before", (long long)have.n);
            count(&have, r.p, r.n);
            sl_buf_reset(&before);
            assert_int_equal(sl_buf_add_str(&before, r, NULL), SL_OK);
        }
        sl_buf_release(&before);
        assert_int_equal(st, SL_END);
        assert_int_equal(have.n, want.n);
        assert_true(have.sum == want.sum);
        assert_int_equal(sl_record_sort_rewind(s, &err), SL_OK);
    }
    sl_record_sort_free(s);
}

static void nothing(void **state)
{
    (void)state;
    struct sl_record_sort *s;
    check_sorted(sorter(2 * MIB), (struct multiset){ 0, 0 });
    sl_record_sort_free(sorter(2 * MIB));
    sl_record_sort_free(NULL);
    assert_int_equal(sl_record_sort_new(&s, 2 * MIB - 1, "/tmp", NULL), SL_E_USAGE);
    s = sorter(2 * MIB);
    add(s, "", 0);
    check_sorted(s, (struct multiset){ 1, sl_hash64("", 0) });
}

static void sort_random(int n, unsigned values, unsigned longest, uint64_t *seed)
{
    struct sl_record_sort *s = sorter(2 * MIB);
    struct multiset m = { 0, 0 };
    for (int i = 0; i < n; i++) {
        uint8_t r[64];
        size_t len = next_random(seed) % (longest + 1);
        for (size_t k = 0; k < len; k++)
            r[k] = (uint8_t)(next_random(seed) % values);
        count(&m, r, len);
        add(s, r, len);
    }
    check_sorted(s, m);
}

/* Few values a byte and lengths from 0 on: equal prefixes, zeros and ends at
 * every place. */
static void short_records_in_memory(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int n = 1; n < 3000; n = n * 3 / 2 + 1)
        for (unsigned values = 1; values <= 256; values *= 4)
            for (unsigned longest = 1; longest <= 64; longest *= 4)
                sort_random(n, values, longest, &seed);
}

/* Every record is the beginning of the next: nothing differs but the length. */
static void beginnings_of_one_another(void **state)
{
    (void)state;
    static uint8_t zeros[700];
    struct sl_record_sort *s = sorter(2 * MIB);
    struct multiset m = { 0, 0 };
    for (int i = 0; i < 1400; i++) {
        size_t n = (size_t)(i * 37 % 700);
        count(&m, zeros, n);
        add(s, zeros, n);
    }
    check_sorted(s, m);
}

/* Hash, number, hash: the records of the tools. */
static void make_record(uint8_t r[40], uint64_t i, uint64_t n_keys)
{
    uint64_t key = i % n_keys;
    for (int k = 0; k < 5; k++) {
        uint64_t v = k < 2 ? next_random(&key) : k == 2 ? __builtin_bswap64(i) : i;
        memcpy(r + 8 * k, &v, 8);
    }
}

static void records_through_a_file(void **state)
{
    (void)state;
    static const uint64_t keys[] = { 1, 7, 100000, UINT64_MAX };
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        struct sl_record_sort *s = sorter(2 * MIB);
        struct multiset m = { 0, 0 };
        for (uint64_t i = 0; i < 100000; i++) {
            uint8_t r[40];
            make_record(r, i * 7919 % 100000, keys[k]);
            count(&m, r, sizeof r);
            add(s, r, sizeof r);
        }
        assert_true(sl_record_sort_temp_bytes(s) > MIB / 4);
        check_sorted(s, m);
    }
}

/* Long records make blocks long, so that few runs are merged at once. */
static void several_passes(void **state)
{
    (void)state;
    uint64_t seed = 3;
    static uint8_t r[60000];
    struct sl_record_sort *s = sorter(2 * MIB);
    struct multiset m = { 0, 0 };
    for (size_t i = 0; i < sizeof r; i++)
        r[i] = (uint8_t)next_random(&seed);
    for (int i = 0; i < 1500; i++) {
        size_t n = 1 + next_random(&seed) % (sizeof r - 8);
        uint64_t v = next_random(&seed) % 1000;
        memcpy(r, &v, 8);
        count(&m, r, n);
        add(s, r, n);
    }
    int64_t runs_bytes = sl_record_sort_temp_bytes(s);
    assert_int_equal(sl_record_sort_end(s, NULL), SL_OK);
    assert_true(sl_record_sort_temp_bytes(s) > runs_bytes + runs_bytes / 2);
    check_sorted(s, m);
}

static void ordered_records_are_a_run(void **state)
{
    (void)state;
    struct sl_record_sort *s = sorter(2 * MIB);
    struct multiset m = { 0, 0 };
    char r[32];
    for (int i = 0; i < 50000; i++) {
        int n = snprintf(r, sizeof r, "record %08d", i / 2);
        count(&m, r, (size_t)n);
        assert_int_equal(sl_record_sort_add_ordered(s, (struct sl_str){ r, (size_t)n }, NULL),
                         SL_OK);
    }
    for (int i = 0; i < 50000; i++) {
        int n = snprintf(r, sizeof r, "record %08d", i * 7919 % 50000);
        count(&m, r, (size_t)n);
        add(s, r, (size_t)n);
    }
    check_sorted(s, m);

    s = sorter(2 * MIB);
    assert_int_equal(sl_record_sort_add_ordered(s, SL_STR("b"), NULL), SL_OK);
    assert_int_equal(sl_record_sort_add_ordered(s, SL_STR("a"), NULL), SL_E_BUG);
    sl_record_sort_free(s);
    s = sorter(2 * MIB);
    add(s, "a", 1);
    assert_int_equal(sl_record_sort_add_ordered(s, SL_STR("b"), NULL), SL_E_BUG);
    sl_record_sort_free(s);
    s = sorter(2 * MIB);
    assert_int_equal(sl_record_sort_add_ordered(s, SL_STR("b"), NULL), SL_OK);
    check_sorted(s, (struct multiset){ 1, sl_hash64("b", 1) });
}

static void records_that_are_too_long(void **state)
{
    (void)state;
    static char r[MIB / 16 + 1];
    struct sl_record_sort *s = sorter(2 * MIB);
    struct sl_err err = SL_ERR_INIT;
    add(s, r, sizeof r - 1);
    assert_int_equal(sl_record_sort_add(s, (struct sl_str){ r, sizeof r }, &err), SL_E_SYSTEM);
    assert_non_null(strstr(err.msg, "65537 bytes"));
    sl_record_sort_free(s);
}

/* Adds records until that fails; the status of it. */
static enum sl_status fill(struct sl_record_sort *s, struct sl_err *err)
{
    uint8_t r[40];
    enum sl_status st = SL_OK;
    for (uint64_t i = 0; i < 200000 && st == SL_OK; i++) {
        make_record(r, i, UINT64_MAX);
        st = sl_record_sort_add(s, (struct sl_str){ (const char *)r, sizeof r }, err);
    }
    return st;
}

static void a_full_disk(void **state)
{
    (void)state;
    struct rlimit before, small;
    struct sl_err err = SL_ERR_INIT;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 100000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct sl_record_sort *s = sorter(2 * MIB);
    enum sl_status st = fill(s, &err);
    sl_record_sort_free(s);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(st, SL_E_SYSTEM);
    assert_non_null(strstr(err.msg, "/tmp"));
}

static void no_such_folder(void **state)
{
    (void)state;
    struct sl_record_sort *s;
    struct sl_err err = SL_ERR_INIT;
    assert_int_equal(sl_record_sort_new(&s, 2 * MIB, "/nosuch/folder", NULL), SL_OK);
    assert_int_equal(fill(s, &err), SL_E_SYSTEM);
    assert_non_null(strstr(err.msg, "/nosuch/folder"));
    sl_record_sort_free(s);
}

/* The descriptor of the only unnamed file; -1: there is none. */
static int unnamed_file(void)
{
    char path[300], target[256];
    int found = -1;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        snprintf(path, sizeof path, "/proc/self/fd/%s", e->d_name);
        ssize_t n = readlink(path, target, sizeof target - 1);
        if (n < 0)
            continue;
        target[n] = 0;
        if (strstr(target, "(deleted)") && strncmp(target, "/tmp/", 5) == 0 &&
            (fcntl(atoi(e->d_name), F_GETFL) & O_ACCMODE) == O_RDWR)
            found = atoi(e->d_name);
    }
    closedir(d);
    return found;
}

static void damage_on_the_disk(void **state)
{
    (void)state;
    static const int64_t places[] = { 0, 5, 9, 16, 1000, 700000 };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct sl_record_sort *s = sorter(2 * MIB);
        struct sl_str r;
        struct sl_err err = SL_ERR_INIT;
        enum sl_status st = fill(s, &err);
        uint8_t c;
        assert_int_equal(st, SL_OK);
        int fd = unnamed_file();
        if (fd < 0) {
            print_message("skipped: cannot find the temporary file\n");
            sl_record_sort_free(s);
            return;
        }
        assert_int_equal(pread(fd, &c, 1, places[i]), 1);
        c ^= 0x10;
        assert_int_equal(pwrite(fd, &c, 1, places[i]), 1);
        st = sl_record_sort_end(s, &err);
        while (st == SL_OK)
            st = sl_record_sort_next(s, &r, &err);
        assert_int_equal(st, SL_E_DATA);
        sl_record_sort_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing),
        cmocka_unit_test(short_records_in_memory),
        cmocka_unit_test(beginnings_of_one_another),
        cmocka_unit_test(records_through_a_file),
        cmocka_unit_test(several_passes),
        cmocka_unit_test(ordered_records_are_a_run),
        cmocka_unit_test(records_that_are_too_long),
        cmocka_unit_test(a_full_disk),
        cmocka_unit_test(no_such_folder),
        cmocka_unit_test(damage_on_the_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
