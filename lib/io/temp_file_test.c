/* SPDX-License-Identifier: Apache-2.0 */
/* Unnamed files: nothing in the folder, what was written comes back, ends are
 * errors. */
#include "io/temp_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s/sluice-test-XXXXXX", P_tmpdir);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* fails where something was left */
}

static void assert_empty(void)
{
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        assert_int_equal(e->d_name[0], '.');
    closedir(d);
}

static void round_trip(void)
{
    struct sl_err err = SL_ERR_INIT;
    struct sl_temp *t;
    struct sl_sink *sink;
    struct sl_source *source;
    const uint8_t *p;
    size_t n;
    char got[8];
    assert_int_equal(sl_temp_new(&t, folder, &err), SL_OK);
    assert_empty();
    assert_int_equal(sl_temp_append(t, "0123", 4, &err), SL_OK);
    assert_int_equal(sl_temp_sink(t, &sink, &err), SL_OK);
    assert_int_equal(sl_sink_write(sink, "456789", 6, &err), SL_OK);
    assert_int_equal(sl_sink_flush(sink, &err), SL_OK);
    sl_sink_free(sink);
    assert_int_equal(sl_temp_bytes(t), 10);
    assert_int_equal(sl_temp_read(t, 3, got, 4, &err), SL_OK);
    assert_memory_equal(got, "3456", 4);
    assert_int_equal(sl_temp_source(t, 2, 5, &source, &err), SL_OK);
    assert_int_equal(sl_source_peek(source, 100, &p, &n, &err), SL_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(p, "234", 3);
    sl_source_free(source);
    assert_int_equal(sl_temp_read(t, 8, got, 4, &err), SL_E_DATA);
    sl_temp_free(t);
}

static void what_is_written_comes_back(void **state)
{
    (void)state;
    round_trip();
}

static void without_nameless_files_too(void **state)
{
    (void)state;
    no_nameless = true;
    round_trip();
    no_nameless = false;
}

static void a_missing_folder_is_named(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    struct sl_temp *t;
    assert_int_equal(sl_temp_new(&t, "/nowhere/at/all", &err), SL_E_SYSTEM);
    assert_null(t);
    assert_non_null(strstr(err.msg, "/nowhere/at/all"));
}

static void a_failed_write_is_sticky(void **state)
{
    (void)state;
    struct sl_err err = SL_ERR_INIT;
    struct sl_temp *t;
    struct rlimit had, small = { 4, RLIM_INFINITY };
    assert_int_equal(sl_temp_new(&t, folder, &err), SL_OK);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &had), 0);
    small.rlim_max = had.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum sl_status first = sl_temp_append(t, "01234567", 8, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &had), 0);
    assert_int_equal(first, SL_E_SYSTEM);
    assert_int_equal(err.sys_errno, EFBIG);
    assert_int_equal(sl_temp_append(t, "x", 1, &err), SL_E_SYSTEM);
    sl_temp_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_comes_back),
        cmocka_unit_test(without_nameless_files_too),
        cmocka_unit_test(a_missing_folder_is_named),
        cmocka_unit_test(a_failed_write_is_sticky),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
