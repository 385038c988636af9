/* SPDX-License-Identifier: Apache-2.0 */
/* Exports of a few documents and sequences: the golden index, what is refused, and
 * that a check notices every byte. tests/pipeline/export_test.py reads all forms. */
#include "order/export.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "arrow/rows.h"
#include "base/num.h"
#include "order/export_form.h"

static char dir[4096];

static const char *in_dir(const char *name)
{
    static char path[8192];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static int make_dir(void **state)
{
    const char *tmp = getenv("TMPDIR");
    (void)state;
    snprintf(dir, sizeof dir, "%s/sl-export-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    return mkdtemp(dir) ? 0 : -1;
}

static void empty_dir(void)
{
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));)
        (void)unlink(in_dir(e->d_name));
    if (d)
        closedir(d);
}

static int remove_dir(void **state)
{
    (void)state;
    empty_dir();
    return rmdir(dir);
}

/* ---- input ---- */

struct input {
    struct sl_schema schema;
    struct sl_rows rows;
    struct sl_batch batch;
};

static void begin_input(struct input *in, const char *kind, const char *tokens, const char *mask)
{
    sl_schema_init(&in->schema);
    assert_int_equal(sl_schema_add_text(&in->schema, "tokens", tokens, NULL), SL_OK);
    if (mask)
        assert_int_equal(sl_schema_add_text(&in->schema, "loss_mask", mask, NULL), SL_OK);
    assert_int_equal(sl_schema_set_meta(&in->schema, "kind", sl_str_of(kind), NULL), SL_OK);
    assert_int_equal(sl_rows_init(&in->rows, &in->schema, NULL), SL_OK);
    sl_batch_init(&in->batch);
}

static void add_row(struct input *in, const void *tokens, size_t n)
{
    static const uint8_t ones[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    assert_int_equal(sl_colbuf_add_items(&in->rows.cols[0], tokens, n, NULL), SL_OK);
    if (in->schema.n_fields > 1)
        assert_int_equal(sl_colbuf_add_items(&in->rows.cols[1], ones, n, NULL), SL_OK);
    assert_int_equal(sl_rows_close_row(&in->rows, NULL), SL_OK);
}

static void release_input(struct input *in)
{
    sl_batch_release(&in->batch);
    sl_rows_release(&in->rows);
    sl_schema_release(&in->schema);
}

/* The whole input to the folder; force on. */
static enum sl_status export_all(struct input *in, const char *form, int64_t n_ids, int64_t eos,
                                 struct sl_err *err)
{
    struct sl_export *x;
    struct sl_export_options o = { .dir = dir,
                                   .form = form,
                                   .per_file = 2,
                                   .force = true,
                                   .schema = &in->schema,
                                   .begun = SL_STR("x"),
                                   .tmpdir = dir,
                                   .n_ids = n_ids,
                                   .eos = eos };
    SL_TRY(sl_export_new(&x, &o, err));
    enum sl_status st = sl_rows_lend(&in->rows, &in->batch, err);
    if (st == SL_OK)
        st = sl_export_add(x, &in->batch, 0, in->batch.n_rows, err);
    if (st == SL_OK)
        st = sl_export_end(x, err);
    if (st == SL_OK)
        st = sl_export_commit(x, SL_STR("[]"), err);
    sl_export_free(x);
    return st;
}

static size_t read_file(const char *name, uint8_t *out, size_t max)
{
    FILE *f = fopen(in_dir(name), "rb");
    assert_non_null(f);
    size_t n = fread(out, 1, max, f);
    fclose(f);
    assert_true(n < max);
    return n;
}

static void write_file(const char *name, const uint8_t *p, size_t n)
{
    FILE *f = fopen(in_dir(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static enum sl_status check_dir(struct sl_err *err)
{
    struct sl_export_facts f;
    enum sl_status st = sl_export_check(dir, &f, err);
    free(f.lineage);
    return st;
}

/* ---- tests ---- */

/* Documents of 3 and 2 tokens with their end tokens, as uint16. */
static void make_documents(struct input *in)
{
    const uint16_t first[] = { 1, 2 }, second[] = { 4 };
    begin_input(in, "tokens", "list<uint16>", NULL);
    add_row(in, first, 2);
    add_row(in, second, 1);
}

static void golden_index(void **state)
{
    static const uint8_t golden[] = {
        0x4d, 0x4d, 0x49, 0x44, 0x49, 0x44, 0x58, 0, 0,                      /* magic */
        1,    0,    0,    0,    0,    0,    0,    0,                         /* version */
        8,                                                                   /* uint16 */
        2,    0,    0,    0,    0,    0,    0,    0,                         /* sequences */
        3,    0,    0,    0,    0,    0,    0,    0,                         /* documents + 1 */
        3,    0,    0,    0,    2,    0,    0,    0,                         /* lengths */
        0,    0,    0,    0,    0,    0,    0,    0, 6, 0, 0, 0, 0, 0, 0, 0, /* offsets */
        0,    0,    0,    0,    0,    0,    0,    0, 1, 0, 0, 0, 0, 0, 0, 0, /* documents */
        2,    0,    0,    0,    0,    0,    0,    0
    };
    static const uint8_t tokens[] = { 1, 0, 2, 0, 9, 0, 4, 0, 9, 0 };
    uint8_t file[256];
    struct input in;
    (void)state;
    make_documents(&in);
    assert_int_equal(export_all(&in, "megatron", 65499, 9, NULL), SL_OK);
    assert_int_equal(sizeof golden, 82);
    assert_int_equal(read_file("text_document.idx", file, sizeof file), sizeof golden);
    assert_memory_equal(file, golden, sizeof golden);
    assert_int_equal(read_file("text_document.bin", file, sizeof file), sizeof tokens);
    assert_memory_equal(file, tokens, sizeof tokens);
    assert_int_equal(check_dir(NULL), SL_OK);
    assert_true(sl_export_is(dir));
    release_input(&in);
    empty_dir();
    assert_false(sl_export_is(dir));
    assert_int_equal(check_dir(NULL), SL_E_SYSTEM);
}

static void types_of_ids(void **state)
{
    (void)state;
    assert_int_equal(sl_export_megatron.dtype(false, 65499), SL_EXPORT_U16);
    assert_int_equal(sl_export_megatron.dtype(false, 65500), SL_EXPORT_I32);
    assert_int_equal(sl_export_megatron.dtype(true, 65499), SL_EXPORT_U16);
    assert_int_equal(sl_export_megatron.dtype(false, 0), SL_EXPORT_I32);
    assert_int_equal(sl_export_bin.dtype(false, 65536), SL_EXPORT_U16);
    assert_int_equal(sl_export_bin.dtype(true, 10), SL_EXPORT_U32);
}

static void names(void **state)
{
    char name[SL_EXPORT_NAME_BYTES];
    (void)state;
    sl_export_name(&sl_export_npy, 123456, name);
    assert_string_equal(name, "part-123456.npy");
    assert_int_equal(sl_export_number(&sl_export_npy, name), 123456);
    sl_export_name(&sl_export_mds, 7, name);
    assert_string_equal(name, "shard.00007.mds");
    assert_int_equal(sl_export_number(&sl_export_megatron, "text_document.bin"), 0);
    static const char *const none[] = { "part-1.npy",
                                        "part-00001.bin",
                                        "part--0001.npy",
                                        "part-000001.npy",
                                        "part-.npy",
                                        "part.npy",
                                        "",
                                        "part-0000a.npy",
                                        "part-00001.npy " };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(sl_export_number(&sl_export_npy, none[i]), -1);
    assert_int_equal(sl_export_number(&sl_export_megatron, "text_document0.bin"), -1);
    assert_null(sl_export_form_find(SL_STR("npz")));
}

static void refused(void **state)
{
    struct sl_err err = SL_ERR_INIT;
    const uint32_t wide[] = { 65536, 1, 0x80000000U };
    struct input in;
    (void)state;
    begin_input(&in, "tokens", "list<uint32>", NULL);
    assert_int_equal(export_all(&in, "bin", 10, 0, &err), SL_E_DATA); /* no rows */
    assert_non_null(strstr(err.msg, "no rows"));
    add_row(&in, wide, 1);
    sl_err_reset(&err);
    assert_int_equal(export_all(&in, "megatron", 100, 0, &err), SL_E_DATA);
    assert_non_null(strstr(err.msg, "token 65536"));
    assert_int_equal(export_all(&in, "bin", 100000, -1, NULL), SL_E_DATA); /* no end token */
    assert_int_equal(export_all(&in, "megatron", 100000, 0, NULL), SL_OK);
    add_row(&in, wide + 2, 1);
    assert_int_equal(export_all(&in, "megatron", 0, 0, NULL), SL_E_DATA);
    assert_int_equal(export_all(&in, "mds", 0, 0, NULL), SL_OK);
    assert_int_equal(check_dir(NULL), SL_OK);
    release_input(&in);
    begin_input(&in, "tokens", "list<uint16>", NULL);
    add_row(&in, wide, 0); /* no tokens: not for exports */
    assert_int_equal(export_all(&in, "bin", 100, 0, NULL), SL_E_BUG);
    release_input(&in);
    begin_input(&in, "sequences", "fixed_size_list<uint16>[4]", "fixed_size_list<uint8>[5]");
    assert_int_equal(export_all(&in, "bin", 100, 0, NULL), SL_E_DATA);
    release_input(&in);
    begin_input(&in, "sequences", "fixed_size_list<uint16?>[4]", "fixed_size_list<uint8>[4]");
    assert_int_equal(export_all(&in, "bin", 100, 0, NULL), SL_E_DATA);
    release_input(&in);
    empty_dir();
}

/* Each file cut at every byte and with every byte changed. The manifest has keys
 * that nothing can be compared with, and is long: there cuts here and there. */
static void damage_file(const char *name)
{
    static uint8_t file[1 << 14];
    size_t n = read_file(name, file, sizeof file);
    bool manifest = strcmp(name, SL_MANIFEST_NAME) == 0;
    for (size_t i = 0; i < n - manifest; i += manifest ? 13 : 1) {
        write_file(name, file, i);
        assert_int_equal(check_dir(NULL), SL_E_DATA);
        file[i] ^= 0x20;
        write_file(name, file, n);
        assert_true(manifest ? check_dir(NULL) != SL_E_BUG : check_dir(NULL) == SL_E_DATA);
        file[i] ^= 0x20;
    }
    write_file(name, file, n);
    assert_int_equal(check_dir(NULL), SL_OK);
}

static void every_byte(void **state)
{
    static const char *const files[][4] = {
        { "megatron", "text_document.bin", "text_document.idx", SL_MANIFEST_NAME },
        { "npy", "part-00000.npy", "part-00001.npy", SL_MANIFEST_NAME },
        { "bin", "part-00000.bin", "part-00001.bin", SL_MANIFEST_NAME },
        { "mds", "shard.00001.mds", "index.json", SL_MANIFEST_NAME },
    };
    static const uint16_t rows[3][4] = { { 1, 2, 3, 4 }, { 5, 6, 7, 8 }, { 9, 10, 11, 12 } };
    (void)state;
    for (int documents = 0; documents < 2; documents++)
        for (size_t f = 0; f < 4; f++) {
            struct input in;
            begin_input(&in, documents ? "tokens" : "sequences",
                        documents ? "list<uint16>" : "fixed_size_list<uint16>[4]",
                        documents ? NULL : "fixed_size_list<uint8>[4]");
            for (size_t i = 0; i < 3; i++)
                add_row(&in, rows[i], 4);
            assert_int_equal(export_all(&in, files[f][0], 100, 0, NULL), SL_OK);
            assert_int_equal(check_dir(NULL), SL_OK);
            for (size_t i = 1; i < 4; i++)
                damage_file(files[f][i]);
            release_input(&in);
            empty_dir();
        }
}

/* Bytes overwritten before the file has its name, over an old file of equal bytes
 * and over none. */
static void patched(void **state)
{
    static const char text[] = "0123456789";
    (void)state;
    for (int again = 0; again < 3; again++) {
        struct sl_keep *k;
        uint8_t file[32];
        bool kept;
        if (again == 2)
            write_file("patched", (const uint8_t *)text, 10);
        assert_int_equal(sl_keep_open(&k, in_dir("patched"), NULL), SL_OK);
        assert_int_equal(sl_sink_write(sl_keep_sink(k), text, 8, NULL), SL_OK);
        assert_int_equal(sl_keep_patch(k, 2, "xy", 2, NULL), SL_OK);
        assert_int_equal(sl_sink_write(sl_keep_sink(k), text + 8, 2, NULL), SL_OK);
        assert_int_equal(sl_keep_commit(k, &kept, NULL), SL_OK);
        assert_false(kept);
        sl_keep_free(k);
        assert_int_equal(read_file("patched", file, sizeof file), 10);
        assert_memory_equal(file, "01xy456789", 10);
    }
    struct sl_sink *s;
    assert_int_equal(sl_sink_open(&s, in_dir("other"), true, NULL), SL_OK);
    assert_int_equal(sl_sink_write(s, text, 3, NULL), SL_OK);
    assert_int_equal(sl_sink_patch(s, 2, "xy", 2, NULL), SL_E_BUG);
    sl_sink_free(s);
    empty_dir();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_index), cmocka_unit_test(types_of_ids), cmocka_unit_test(names),
        cmocka_unit_test(refused),      cmocka_unit_test(every_byte),   cmocka_unit_test(patched),
    };
    return cmocka_run_group_tests_name("export", tests, make_dir, remove_dir);
}
