/* SPDX-License-Identifier: Apache-2.0 */
/* Sinks: files that appear only when whole, short and failing writes. */
#include "io/sink.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"

/* Stands in front of the C library's: a file system without O_TMPFILE. */
static bool no_nameless;

int open(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    if (no_nameless && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return openat(AT_FDCWD, path, flags, mode);
}

static char folder[64];

static const char *in_folder(const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", folder, name);
    return out;
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s/sluice-test-XXXXXX", P_tmpdir);
    return mkdtemp(folder) ? 0 : -1;
}

/* Removes all files; returns how many there were. */
static int empty_folder(void)
{
    DIR *d = opendir(folder);
    int count = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        char path[512];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        assert_int_equal(unlink(path), 0);
        count++;
    }
    closedir(d);
    return count;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)empty_folder();
    return rmdir(folder);
}

static void assert_file(const char *path, const void *want, size_t n)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *got = malloc(n + 1);
    assert_non_null(got);
    assert_int_equal(fread(got, 1, n + 1, f), n);
    assert_memory_equal(got, want, n);
    free(got);
    fclose(f);
}

static struct sl_sink *open_ok(const char *path, bool force)
{
    struct sl_sink *s;
    assert_int_equal(sl_sink_open(&s, path, force, NULL), SL_OK);
    return s;
}

static void write_file(const char *path, const char *text, bool force)
{
    struct sl_sink *s = open_ok(path, force);
    assert_int_equal(sl_sink_write(s, text, strlen(text), NULL), SL_OK);
    assert_int_equal(sl_sink_commit(s, NULL), SL_OK);
    sl_sink_free(s);
}

static void test_appears_at_commit(void **state)
{
    (void)state;
    char path[128];
    struct stat info;
    mode_t mask = umask(027);
    struct sl_sink *s = open_ok(in_folder("a", path), false);
    assert_true(sl_sink_is_file(s));
    assert_string_equal(sl_sink_name(s), path);
    assert_int_equal(sl_sink_write(s, "hello", 5, NULL), SL_OK);
    assert_int_equal(sl_sink_off(s), 5);
    assert_int_equal(sl_sink_flush(s, NULL), SL_OK);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(sl_sink_commit(s, NULL), SL_OK);
    assert_int_equal(sl_sink_write(s, "x", 1, NULL), SL_E_BUG);
    sl_sink_free(s);
    umask(mask);
    assert_file(path, "hello", 5);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    assert_int_equal(empty_folder(), 1);
}

static void test_nothing_left_without_commit(void **state)
{
    (void)state;
    char path[128];
    for (int force = 0; force < 2; force++) {
        struct sl_sink *s = open_ok(in_folder("a", path), force);
        assert_int_equal(sl_sink_write(s, path, sizeof path, NULL), SL_OK);
        assert_int_equal(sl_sink_flush(s, NULL), SL_OK);
        sl_sink_free(s);
        assert_int_equal(empty_folder(), 0);
    }
    sl_sink_free(NULL);
}

static void test_refuses_existing(void **state)
{
    (void)state;
    char path[128];
    struct sl_sink *s, *late;
    struct sl_err err = SL_ERR_INIT;
    late = open_ok(in_folder("a", path), false);
    write_file(path, "old", false);
    assert_int_equal(sl_sink_open(&s, path, false, &err), SL_E_USAGE);
    assert_null(s);
    assert_string_equal(err.where, path);
    /* It came into being after the late one was opened. */
    assert_int_equal(sl_sink_write(late, "new", 3, NULL), SL_OK);
    assert_int_equal(sl_sink_commit(late, NULL), SL_E_USAGE);
    sl_sink_free(late);
    assert_file(path, "old", 3);
    assert_int_equal(empty_folder(), 1);
    /* A link that leads nowhere is something too. */
    assert_int_equal(symlink("nowhere", path), 0);
    assert_int_equal(sl_sink_open(&s, path, false, NULL), SL_E_USAGE);
    assert_int_equal(empty_folder(), 1);
}

static void test_force_replaces(void **state)
{
    (void)state;
    char path[128], link[128];
    write_file(in_folder("a", path), "old", true);
    struct sl_sink *s = open_ok(path, true);
    assert_int_equal(sl_sink_write(s, "newer", 5, NULL), SL_OK);
    assert_int_equal(sl_sink_flush(s, NULL), SL_OK);
    assert_file(path, "old", 3); /* until the commit */
    assert_int_equal(sl_sink_commit(s, NULL), SL_OK);
    sl_sink_free(s);
    assert_file(path, "newer", 5);
    /* Through a link, its target is replaced. */
    assert_int_equal(symlink("a", in_folder("link", link)), 0);
    write_file(link, "newest", true);
    assert_file(path, "newest", 6);
    struct stat info;
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(empty_folder(), 2);
}

static void test_two_at_once(void **state)
{
    (void)state;
    char a[128], b[128];
    struct sl_sink *one = open_ok(in_folder("a", a), true), *two = open_ok(in_folder("b", b), true);
    assert_int_equal(sl_sink_write(one, "1", 1, NULL), SL_OK);
    assert_int_equal(sl_sink_write(two, "2", 1, NULL), SL_OK);
    assert_int_equal(sl_sink_commit(two, NULL), SL_OK);
    assert_int_equal(sl_sink_commit(one, NULL), SL_OK);
    sl_sink_free(one);
    sl_sink_free(two);
    assert_file(a, "1", 1);
    assert_file(b, "2", 1);
    assert_int_equal(empty_folder(), 2);
}

static void test_bad_places(void **state)
{
    (void)state;
    struct sl_sink *s;
    char path[128];
    struct sl_err err = SL_ERR_INIT;
    assert_int_equal(sl_sink_open(&s, "/no/such/folder/a", false, &err), SL_E_SYSTEM);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_int_equal(sl_sink_open(&s, "", false, NULL), SL_E_SYSTEM);
    assert_int_equal(sl_sink_open(&s, in_folder("x/", path), true, NULL), SL_E_SYSTEM);
    assert_int_equal(sl_sink_open(&s, folder, true, NULL), SL_E_SYSTEM);
    assert_int_equal(sl_sink_open(&s, "/proc/a", false, NULL), SL_E_SYSTEM);
    assert_int_equal(empty_folder(), 0);
}

static void test_full_disk(void **state)
{
    (void)state;
    struct sl_sink *s = open_ok("/dev/full", false);
    struct sl_err err = SL_ERR_INIT;
    char *big = calloc(1, 100000);
    assert_non_null(big);
    assert_false(sl_sink_is_file(s));
    assert_int_equal(sl_sink_write(s, "x", 1, &err), SL_OK);
    assert_int_equal(sl_sink_commit(s, &err), SL_E_SYSTEM);
    assert_int_equal(err.sys_errno, ENOSPC);
    assert_string_equal(err.where, "/dev/full");
    assert_int_equal(sl_sink_flush(s, NULL), SL_E_SYSTEM); /* sticky */
    sl_sink_free(s);
    s = open_ok("/dev/full", true);
    assert_int_equal(sl_sink_write(s, big, 100000, NULL), SL_E_SYSTEM);
    assert_int_equal(sl_sink_write(s, "x", 1, NULL), SL_E_SYSTEM);
    sl_sink_free(s);
    free(big);
}

static void test_fifo(void **state)
{
    (void)state;
    char path[128], got[8];
    assert_int_equal(mkfifo(in_folder("fifo", path), 0600), 0);
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(fd >= 0);
    struct sl_sink *s = open_ok(path, false);
    assert_int_equal(sl_sink_write(s, "hello", 5, NULL), SL_OK);
    assert_int_equal(sl_sink_commit(s, NULL), SL_OK);
    sl_sink_free(s);
    assert_int_equal(read(fd, got, sizeof got), 5);
    close(fd);
    assert_int_equal(empty_folder(), 1);
}

/* A backend that writes a few bytes at a time and fails in the end. */
struct drop {
    struct sl_buf got;
    size_t step, fail_at;
    bool interrupt, interrupted, zero;
    int close_result, closed;
};

static ssize_t drop_write(void *ctx, const void *p, size_t n)
{
    struct drop *d = ctx;
    d->interrupted = d->interrupt && !d->interrupted;
    if (d->interrupted) {
        errno = EINTR;
        return -1;
    }
    if (d->zero)
        return 0;
    if (d->fail_at && d->got.n >= d->fail_at) {
        errno = ENOSPC;
        return -1;
    }
    n = n < d->step ? n : d->step;
    assert_int_equal(sl_buf_add(&d->got, p, n, NULL), SL_OK);
    return (ssize_t)n;
}

static int drop_close(void *ctx)
{
    struct drop *d = ctx;
    d->closed++;
    errno = EIO;
    return d->close_result;
}

static struct sl_sink *open_drop(struct drop *d)
{
    struct sl_sink *s;
    struct sl_sink_backend b = { drop_write, drop_close, d };
    sl_buf_init(&d->got, 8 << 20);
    assert_int_equal(sl_sink_open_backend(&s, b, "drop", NULL), SL_OK);
    return s;
}

/* Writes of every kind of size, one by one or as vectors with empty entries. */
static void write_mixture(struct sl_sink *s, struct sl_buf *all)
{
    static uint8_t bytes[300000];
    struct iovec iov[200];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    for (size_t n = 1; n < 200000; n = n * 3 + 1) {
        assert_int_equal(sl_sink_write(s, bytes + n, n, NULL), SL_OK);
        assert_int_equal(sl_buf_add(all, bytes + n, n, NULL), SL_OK);
        for (size_t i = 0; i < 200; i++) {
            size_t len = i % 3 ? (i * n / 40) % 3000 : 0;
            iov[i] = (struct iovec){ bytes + i * 7, len };
            assert_int_equal(sl_buf_add(all, bytes + i * 7, len, NULL), SL_OK);
        }
        assert_int_equal(sl_sink_writev(s, iov, 200, NULL), SL_OK);
        assert_int_equal(sl_sink_off(s), all->n);
    }
    assert_int_equal(sl_sink_write(s, NULL, 0, NULL), SL_OK);
}

static void test_short_writes(void **state)
{
    (void)state;
    const size_t steps[] = { 5, 1000, 1 << 20 };
    for (size_t i = 0; i < 6; i++) {
        struct drop d = { .step = steps[i / 2], .interrupt = i % 2 };
        struct sl_buf all;
        struct sl_sink *s = open_drop(&d);
        sl_buf_init(&all, 8 << 20);
        write_mixture(s, &all);
        assert_int_equal(sl_sink_commit(s, NULL), SL_OK);
        assert_int_equal(d.closed, 1);
        assert_int_equal(d.got.n, all.n);
        assert_memory_equal(d.got.p, all.p, all.n);
        sl_sink_free(s);
        assert_int_equal(d.closed, 1);
        sl_buf_release(&all);
        sl_buf_release(&d.got);
    }
}

static void test_mixture_to_file(void **state)
{
    (void)state;
    char path[128];
    struct sl_buf all;
    struct sl_sink *s = open_ok(in_folder("a", path), false);
    sl_buf_init(&all, 8 << 20);
    write_mixture(s, &all);
    assert_int_equal(sl_sink_commit(s, NULL), SL_OK);
    sl_sink_free(s);
    assert_file(path, all.p, all.n);
    sl_buf_release(&all);
    assert_int_equal(empty_folder(), 1);
}

static void test_late_errors(void **state)
{
    (void)state;
    struct drop d = { .step = 10, .fail_at = 20 };
    struct sl_err err = SL_ERR_INIT;
    struct sl_sink *s = open_drop(&d);
    assert_int_equal(sl_sink_write(s, "twenty-five bytes it is..", 25, &err), SL_OK);
    assert_int_equal(sl_sink_commit(s, &err), SL_E_SYSTEM);
    assert_int_equal(err.sys_errno, ENOSPC);
    sl_sink_free(s);
    assert_int_equal(d.closed, 1);
    sl_buf_release(&d.got);

    d = (struct drop){ .step = 10, .close_result = -1 };
    s = open_drop(&d);
    assert_int_equal(sl_sink_commit(s, NULL), SL_E_SYSTEM);
    sl_sink_free(s);
    sl_buf_release(&d.got);

    /* A write that gives 0 for ever must not be waited for. */
    d = (struct drop){ .zero = true };
    s = open_drop(&d);
    assert_int_equal(sl_sink_write(s, "x", 1, NULL), SL_OK);
    assert_int_equal(sl_sink_flush(s, NULL), SL_E_SYSTEM);
    sl_sink_free(s);
}

static int forbid_nameless(void **state)
{
    (void)state;
    no_nameless = true;
    return 0;
}

static void test_hidden_name_is_seen(void **state)
{
    (void)state;
    char path[128];
    struct sl_sink *s = open_ok(in_folder("a", path), false);
    assert_int_equal(empty_folder(), 1); /* so it is this way that is tested */
    sl_sink_free(s);
    assert_int_equal(empty_folder(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appears_at_commit),
        cmocka_unit_test(test_nothing_left_without_commit),
        cmocka_unit_test(test_refuses_existing),
        cmocka_unit_test(test_force_replaces),
        cmocka_unit_test(test_two_at_once),
        cmocka_unit_test(test_bad_places),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_fifo),
        cmocka_unit_test(test_short_writes),
        cmocka_unit_test(test_mixture_to_file),
        cmocka_unit_test(test_late_errors),
    };
    const struct CMUnitTest hidden[] = {
        cmocka_unit_test_setup(test_hidden_name_is_seen, forbid_nameless),
        cmocka_unit_test(test_appears_at_commit),
        cmocka_unit_test(test_nothing_left_without_commit),
        cmocka_unit_test(test_refuses_existing),
        cmocka_unit_test(test_force_replaces),
        cmocka_unit_test(test_two_at_once),
        cmocka_unit_test(test_bad_places),
        cmocka_unit_test(test_mixture_to_file),
    };
    int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
    return failed + cmocka_run_group_tests(hidden, make_folder, remove_folder);
}
