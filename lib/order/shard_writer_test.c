/* SPDX-License-Identifier: Apache-2.0 */
/* Shards in folders of the system's place for temporary files: the bytes do not
 * depend on the batches of the input nor on what stood there before. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "arrow/rows.h"
#include "arrow/writer.h"
#include "base/num.h"
#include "order/shard_folder.h"
#include "order/shard_layout.h"
#include "order/shard_writer.h"

enum { SHORT_LENGTH = 8, LENGTH = 40, WIDE_LENGTH = 4000 };

static char dir[4096];

static int make_dir(void **state)
{
    const char *tmp = getenv("TMPDIR");
    (void)state;
    snprintf(dir, sizeof dir, "%s/sl-shards-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    return mkdtemp(dir) ? 0 : -1;
}

static const char *in_dir(const char *name)
{
    static char path[8192];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static int remove_dir(void **state)
{
    (void)state;
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));)
        (void)unlink(in_dir(e->d_name));
    if (d)
        closedir(d);
    return rmdir(dir);
}

static void make_schema(struct sl_schema *s, int length)
{
    char type[64];
    sl_schema_init(s);
    assert_int_equal(sl_schema_add_text(s, "id", "fixed_size_binary[16]", NULL), SL_OK);
    snprintf(type, sizeof type, "fixed_size_list<uint16>[%d]", length);
    assert_int_equal(sl_schema_add_text(s, "tokens", type, NULL), SL_OK);
    assert_int_equal(sl_schema_add_text(s, "source", "utf8?", NULL), SL_OK);
    snprintf(type, sizeof type, "fixed_size_list<uint8>[%d]", length);
    assert_int_equal(sl_schema_add_text(s, "loss_mask", type, NULL), SL_OK);
    assert_int_equal(sl_schema_add_text(s, "even", "bool", NULL), SL_OK);
    assert_int_equal(sl_schema_set_meta(s, "kind", SL_STR("sequences"), NULL), SL_OK);
    assert_int_equal(sl_schema_set_meta(s, "lineage", SL_STR("[1]"), NULL), SL_OK);
}

static void add_row(struct sl_rows *r, int64_t row)
{
    int32_t length = r->schema->fields[1]->size;
    char id[16] = { 0 };
    uint16_t tokens[WIDE_LENGTH];
    uint8_t mask[WIDE_LENGTH];
    sl_store64(id, (uint64_t)row);
    for (int32_t i = 0; i < length; i++) {
        tokens[i] = (uint16_t)(row * 7 + i);
        mask[i] = i % 2;
    }
    assert_int_equal(sl_colbuf_add_str(&r->cols[0], (struct sl_str){ id, 16 }, NULL), SL_OK);
    assert_int_equal(sl_colbuf_add_items(&r->cols[1], tokens, (size_t)length, NULL), SL_OK);
    assert_int_equal(row % 3 ? sl_colbuf_add_str(&r->cols[2], SL_STR("web"), NULL)
                             : sl_colbuf_add_null(&r->cols[2], NULL),
                     SL_OK);
    assert_int_equal(sl_colbuf_add_items(&r->cols[3], mask, (size_t)length, NULL), SL_OK);
    assert_int_equal(sl_colbuf_add_bool(&r->cols[4], row % 2 == 0, NULL), SL_OK);
    assert_int_equal(sl_rows_close_row(r, NULL), SL_OK);
}

struct plan {
    int length;
    int64_t rows, per_batch, per_shard;
    int64_t stop_at; /* rows after which nothing more happens; -1: never */
    bool force;
    const char *begun;
};

static enum sl_status feed(struct sl_shard_writer *w, const struct sl_schema *s,
                           const struct plan *p)
{
    struct sl_rows rows;
    struct sl_batch view;
    sl_batch_init(&view);
    assert_int_equal(sl_rows_init(&rows, s, NULL), SL_OK);
    enum sl_status st = SL_OK;
    for (int64_t row = 0; st == SL_OK && row < p->rows && row != p->stop_at; row++) {
        add_row(&rows, row);
        if (rows.n < p->per_batch && row + 1 < p->rows)
            continue;
        assert_int_equal(sl_rows_lend(&rows, &view, NULL), SL_OK);
        st = sl_shard_writer_add(w, &view, NULL);
        sl_rows_reset(&rows);
    }
    sl_rows_release(&rows);
    sl_batch_release(&view);
    return st;
}

/* Run a plan; the number of shards that were kept. */
static int64_t shard(const struct plan *p, struct sl_err *err)
{
    struct sl_schema s;
    struct sl_shard_writer *w;
    make_schema(&s, p->length);
    struct sl_shard_options o = { dir, p->per_shard, p->force, &s,
                                  sl_str_of(p->begun ? p->begun : "{}") };
    enum sl_status st = sl_shard_writer_new(&w, &o, err);
    int64_t kept = -1;
    if (st == SL_OK) {
        assert_int_equal(feed(w, &s, p), SL_OK);
        if (p->stop_at < 0) {
            assert_int_equal(sl_shard_writer_end(w, err), SL_OK);
            assert_int_equal(sl_shard_writer_commit(w, SL_STR("[]"), err), SL_OK);
        }
        kept = sl_shard_writer_n_kept(w);
    }
    sl_shard_writer_free(w);
    sl_schema_release(&s);
    return kept;
}

/* One hash over names and bytes of all files, in order of the names. */
static uint64_t folder_hash(void)
{
    struct sl_folder f;
    struct sl_arena arena;
    struct sl_buf all;
    const char *const *names;
    size_t n;
    sl_arena_init(&arena, 0);
    sl_buf_init(&all, 1 << 28);
    assert_int_equal(sl_folder_open(&f, dir, false, NULL), SL_OK);
    assert_int_equal(sl_folder_list(&f, &arena, &names, &n, NULL), SL_OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(sl_buf_add(&all, names[i], strlen(names[i]) + 1, NULL), SL_OK);
        assert_int_equal(sl_folder_read(&f, names[i], &all, NULL), SL_OK);
    }
    uint64_t hash = sl_hash64(all.p, all.n);
    sl_folder_release(&f);
    sl_buf_release(&all);
    sl_arena_release(&arena);
    return hash;
}

static void change_byte(const char *name, long off)
{
    FILE *f = fopen(in_dir(name), "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, off, SEEK_SET), 0);
    int c = fgetc(f);
    assert_int_equal(fseek(f, off, SEEK_SET), 0);
    fputc(c ^ 1, f);
    fclose(f);
}

static void test_batches_of_input_do_not_matter(void **state)
{
    static const int64_t sizes[] = { 1, 7, 99, 100, 1000, 20000 };
    uint64_t first = 0;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct plan p = { SHORT_LENGTH, 20000, sizes[i], 17000, -1, i > 0, NULL };
        assert_int_equal(shard(&p, NULL), i ? 2 : 0);
        first = i ? first : folder_hash();
        assert_int_equal(folder_hash(), first);
    }
    struct sl_manifest m;
    assert_int_equal(sl_manifest_read(&m, in_dir(SL_MANIFEST_NAME), NULL), SL_OK);
    assert_int_equal(sl_manifest_n_batches(&m, 0), 2);
    assert_int_equal(sl_manifest_batch(&m, 0, 0).rows, SL_BATCH_MADE_ROWS);
    assert_int_equal(m.targets, 20000 * SHORT_LENGTH / 2);
    sl_manifest_release(&m);
}

/* Wide rows: batches end after the row that brings them to 1 MiB. */
static void test_cut_by_bytes(void **state)
{
    int64_t row_bytes = 16 + WIDE_LENGTH * 3 + 4, due = 0, bits = 0, bytes = 4;
    (void)state;
    while (bytes + (bits + 7) / 8 < SL_BATCH_MADE_BYTES) {
        bytes += row_bytes + (due % 3 ? 3 : 0);
        due++;
        bits++;
    }
    for (int64_t size = 86; size < 90; size++) {
        struct plan p = { WIDE_LENGTH, 200, size, 1000, -1, true, NULL };
        struct sl_manifest m;
        shard(&p, NULL);
        assert_int_equal(sl_manifest_read(&m, in_dir(SL_MANIFEST_NAME), NULL), SL_OK);
        assert_int_equal(sl_manifest_batch(&m, 0, 0).rows, due);
        sl_manifest_release(&m);
    }
}

static void test_restart(void **state)
{
    struct plan whole = { LENGTH, 1000, 64, 100, -1, false, NULL };
    (void)state;
    shard(&whole, NULL);
    uint64_t hash = folder_hash();
    for (int64_t at = 0; at < 1000; at += 130) {
        struct plan cut = { LENGTH, 1000, 1, 100, at, true, NULL };
        assert_int_equal(remove_dir(NULL), 0);
        assert_int_equal(mkdir(dir, 0700), 0);
        shard(&cut, NULL);
        assert_int_equal(access(in_dir(SL_MANIFEST_NAME), F_OK), -1);
        assert_int_equal(access(in_dir(SL_BEGUN_NAME), F_OK), 0);
        assert_int_equal(shard(&whole, NULL), at / 100);
        assert_int_equal(folder_hash(), hash);
    }
}

/* Files that are damaged, shorter, longer, or of another run are replaced. */
static void test_restart_replaces_what_is_wrong(void **state)
{
    struct plan whole = { LENGTH, 1000, 64, 100, -1, true, NULL };
    struct plan cut = { LENGTH, 1000, 64, 100, 960, true, NULL };
    struct plan again = { LENGTH, 1000, 64, 100, -1, false, NULL };
    (void)state;
    shard(&whole, NULL);
    uint64_t hash = folder_hash();
    shard(&cut, NULL);
    change_byte("shard-00000.arrows", 3);
    change_byte("shard-00001.arrows", 5000);
    assert_int_equal(truncate(in_dir("shard-00002.arrows"), 4096), 0);
    assert_int_equal(truncate(in_dir("shard-00003.arrows"), 0), 0);
    assert_int_equal(truncate(in_dir("shard-00004.arrows"), 1 << 20), 0);
    char other[8192];
    snprintf(other, sizeof other, "%s/shard-00012.arrows", dir);
    assert_int_equal(rename(in_dir("shard-00005.arrows"), other), 0);
    assert_int_equal(close(open(in_dir(".sluice-1-0.tmp"), O_CREAT | O_WRONLY, 0600)), 0);
    assert_int_equal(shard(&again, NULL), 4);
    assert_int_equal(folder_hash(), hash);
}

static void test_other_contents_need_force(void **state)
{
    struct plan one = { LENGTH, 300, 64, 100, -1, false, "{1}" };
    struct plan two = { LENGTH, 150, 64, 100, 120, false, "{2}" };
    struct sl_err err = SL_ERR_INIT;
    (void)state;
    assert_int_equal(shard(&one, NULL), 0);
    assert_int_equal(shard(&two, &err), -1);
    assert_int_equal(err.status, SL_E_USAGE);
    assert_non_null(strstr(err.msg, SL_MANIFEST_NAME));
    two.force = true;
    assert_true(shard(&two, NULL) >= 0); /* stopped: the old manifest is gone */
    assert_int_equal(access(in_dir(SL_MANIFEST_NAME), F_OK), -1);
    sl_err_reset(&err);
    assert_int_equal(shard(&one, &err), -1);
    assert_non_null(strstr(err.msg, SL_BEGUN_NAME));
    two.force = false;
    two.stop_at = -1;
    assert_int_equal(shard(&two, NULL), 1);
    assert_int_equal(access(in_dir("shard-00002.arrows"), F_OK), -1);
    assert_int_equal(unlink(in_dir(SL_MANIFEST_NAME)), 0);
    sl_err_reset(&err);
    assert_int_equal(shard(&two, &err), -1);
    assert_non_null(strstr(err.msg, "no known run"));
    assert_int_equal(close(open(in_dir("notes.txt"), O_CREAT | O_WRONLY, 0600)), 0);
    sl_err_reset(&err);
    assert_int_equal(shard(&two, &err), -1);
    assert_non_null(strstr(err.msg, "notes.txt"));
    two.force = true;
    assert_int_equal(shard(&two, NULL), 2);
    assert_int_equal(access(in_dir("notes.txt"), F_OK), 0);
}

static void test_no_rows(void **state)
{
    struct plan none = { LENGTH, 0, 64, 100, -1, false, NULL };
    struct sl_manifest m;
    (void)state;
    assert_int_equal(shard(&none, NULL), 0);
    assert_int_equal(sl_manifest_read(&m, in_dir(SL_MANIFEST_NAME), NULL), SL_OK);
    assert_int_equal(m.n_shards, 0);
    assert_int_equal(m.sequences, 0);
    sl_manifest_release(&m);
}

static void test_schema_is_checked(void **state)
{
    static const char *const types[] = { "list<uint16>", "fixed_size_list<uint16>[8]?",
                                         "fixed_size_list<int16>[8]",
                                         "fixed_size_list<uint16>[9]" };
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct sl_schema s;
        struct sl_err err = SL_ERR_INIT;
        struct sl_shard_writer *w;
        sl_schema_init(&s);
        assert_int_equal(sl_schema_add_text(&s, "tokens", types[i], NULL), SL_OK);
        assert_int_equal(sl_schema_add_text(&s, "loss_mask", "fixed_size_list<uint8>[8]", NULL),
                         SL_OK);
        struct sl_shard_options o = { dir, 10, false, &s, SL_STR("{}") };
        assert_int_equal(sl_shard_writer_new(&w, &o, &err), SL_E_DATA);
        sl_schema_release(&s);
    }
}

/* The places that the layout computes are those that the writer used. */
static void test_layout_is_the_writers(void **state)
{
    struct sl_schema s;
    struct sl_rows rows;
    struct sl_batch view;
    struct sl_sink *sink;
    struct sl_writer *w;
    int64_t offs[64];
    (void)state;
    make_schema(&s, LENGTH);
    sl_batch_init(&view);
    assert_int_equal(sl_rows_init(&rows, &s, NULL), SL_OK);
    for (int64_t row = 0; row < 37; row++)
        add_row(&rows, row);
    assert_int_equal(sl_rows_lend(&rows, &view, NULL), SL_OK);
    assert_int_equal(sl_sink_open(&sink, in_dir("x"), true, NULL), SL_OK);
    assert_int_equal(sl_writer_open(&w, sink, &s, NULL, NULL), SL_OK);
    assert_int_equal(sl_writer_add(w, &view, NULL), SL_OK);
    struct sl_written done = sl_writer_written(w);
    assert_int_equal(sl_layout_count(&s), done.n_buffers);
    int64_t body = sl_layout_offsets(&view, done.body_off, offs);
    assert_int_equal(sl_sink_off(sink), done.body_off + body);
    int n_empty = 0;
    for (uint32_t i = 0; i < done.n_buffers; i++) {
        n_empty += offs[i] == -1;
        assert_true(offs[i] == -1 || offs[i] == done.body_off + done.buffer_off[i]);
    }
    assert_int_equal(n_empty, 6); /* validity of all nodes but source's */
    sl_writer_free(w);
    sl_sink_free(sink);
    sl_rows_release(&rows);
    sl_batch_release(&view);
    sl_schema_release(&s);
}

static void test_shard_names(void **state)
{
    (void)state;
    assert_int_equal(sl_shard_number("shard-00000.arrows"), 0);
    assert_int_equal(sl_shard_number("shard-99999.arrows"), 99999);
    assert_int_equal(sl_shard_number("shard-100000.arrows"), 100000);
    assert_int_equal(sl_shard_number("shard-000001.arrows"), -1);
    assert_int_equal(sl_shard_number("shard-0001.arrows"), -1);
    assert_int_equal(sl_shard_number("shard-.arrows"), -1);
    assert_int_equal(sl_shard_number("shard-00-1.arrows"), -1);
    assert_int_equal(sl_shard_number("shard-00000.arrow"), -1);
    assert_int_equal(sl_shard_number("shard-99999999999999999999.arrows"), -1);
    assert_true(sl_folder_is_temp(".sluice-12-0.tmp"));
    assert_false(sl_folder_is_temp("manifest.json"));
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(test_batches_of_input_do_not_matter),
        IN_DIR(test_cut_by_bytes),
        IN_DIR(test_restart),
        IN_DIR(test_restart_replaces_what_is_wrong),
        IN_DIR(test_other_contents_need_force),
        IN_DIR(test_no_rows),
        IN_DIR(test_schema_is_checked),
        IN_DIR(test_layout_is_the_writers),
        cmocka_unit_test(test_shard_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
