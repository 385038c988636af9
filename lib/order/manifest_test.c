/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest written, read and written again is the same bytes; one with any
 * value out of place is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "order/manifest.h"

static struct sl_buf written;

static ssize_t to_buf(void *ctx, const void *p, size_t n)
{
    return sl_buf_add(ctx, p, n, NULL) == SL_OK ? (ssize_t)n : -1;
}

static struct sl_str dump(const struct sl_manifest *m)
{
    struct sl_sink *sink;
    struct sl_sink_backend backend = { to_buf, NULL, &written };
    sl_buf_release(&written);
    sl_buf_init(&written, 1 << 24);
    assert_int_equal(sl_sink_open_backend(&sink, backend, "test", NULL), SL_OK);
    assert_int_equal(sl_manifest_write(m, sink, NULL), SL_OK);
    assert_int_equal(sl_sink_commit(sink, NULL), SL_OK);
    sl_sink_free(sink);
    assert_non_null(sl_buf_cstr(&written));
    return sl_buf_str(&written);
}

/* Three shards of 2, 2 and 1 sequences of 4 tokens. */
static void make(struct sl_manifest *m)
{
    static const char *const buffers[] = { "id.values", "tokens.validity", "tokens.item.values" };
    static const int64_t offs[] = { 128, -1, 192 };
    sl_manifest_init(m);
    m->sequences = 5;
    m->length = 4;
    m->per_shard = 2;
    m->tokens = 20;
    m->targets = 15;
    m->tokenizer = "{\"name\":\"a \\\"b\\\" \\n\",\"eos\":null}";
    m->lineage = "[{\"tool\":\"x\",\"tally\":{\"in\":{\"rows\":5}}}]";
    m->n_columns = 2;
    m->columns = sl_arena_zeros(&m->arena, 2, sizeof *m->columns);
    m->columns[0].name = "id";
    m->columns[1].name = "tok\"ens";
    m->columns[1].digest.b[3] = 0xab;
    m->buffers = buffers;
    m->n_buffers = 3;
    for (int k = 0; k < 3; k++) {
        assert_int_equal(sl_manifest_add_shard(m, NULL), SL_OK);
        sl_manifest_shard(m, k)->bytes = 1024;
        for (int i = 0; i < (k == 2 ? 1 : 2); i++)
            assert_int_equal(sl_manifest_add_batch(m, 1, offs, NULL), SL_OK);
    }
}

static void test_round_trip(void **state)
{
    struct sl_manifest m, again;
    (void)state;
    make(&m);
    struct sl_str text = dump(&m);
    char *copy = strndup(text.p, text.n);
    assert_int_equal(sl_manifest_parse(&again, sl_str_of(copy), NULL), SL_OK);
    assert_int_equal(again.n_shards, 3);
    assert_int_equal(sl_manifest_n_batches(&again, 1), 2);
    assert_int_equal(sl_manifest_batch(&again, 1, 1).tokens_off, 192);
    assert_int_equal(sl_manifest_batch(&again, 1, 1).buffer_offs[1], -1);
    assert_string_equal(again.tokenizer, m.tokenizer);
    assert_string_equal(again.lineage, m.lineage);
    text = dump(&again);
    assert_string_equal(copy, (const char *)written.p);
    assert_int_equal(text.n, strlen(copy));
    free(copy);
    sl_manifest_release(&again);
    sl_manifest_release(&m);
}

static void test_every_cut_is_refused(void **state)
{
    struct sl_manifest m, again;
    (void)state;
    make(&m);
    struct sl_str text = dump(&m);
    for (size_t n = 0; n + 2 < text.n; n++) {
        assert_int_equal(sl_manifest_parse(&again, (struct sl_str){ text.p, n }, NULL), SL_E_DATA);
        sl_manifest_release(&again);
    }
    sl_manifest_release(&m);
}

static void test_wrong_values_are_refused(void **state)
{
    static const char *const changes[][2] = {
        { "\"sluice-shards\"", "\"other\"" },
        { "\"version\": 1", "\"version\": 2" },
        { "\"kind\": \"sequences\"", "\"kind\": \"docs\"" },
        { "\"sequences\": 5", "\"sequences\": 6" },
        { "\"sequences\": 5", "\"sequences\": -5" },
        { "\"sequences\": 5", "\"sequences\": 5.0" },
        { "\"length\": 4", "\"length\": 0" },
        { "\"length\": 4", "\"length\": 9223372036854775807" },
        { "\"uint16\"", "\"int16\"" },
        { "\"sequences_per_shard\": 2", "\"sequences_per_shard\": 3" },
        { "\"sequences_per_shard\": 2", "\"sequences_per_shard\": 0" },
        { "\"tokens\": 20", "\"tokens\": 21" },
        { "\"targets\": 15", "\"targets\": 21" },
        { "\"digest\": \"0000", "\"digest\": \"000G" },
        { "[\"id\", ", "[7, " },
        { "\"tokens.item.values\"", "\"tokens.values\"" },
        { "\"id.values\",", "\"id.values\", \"more\"," },
        { "shard-00001.arrows", "shard-00002.arrows" },
        { "shard-00001.arrows", "../shard-00001.arrows" },
        { "\"sequences\": 2", "\"sequences\": 1" },
        { "\"bytes\": 1024", "\"bytes\": 192" },
        { "\"rows\": 1", "\"rows\": 2" },
        { "\"rows\": 1", "\"rows\": 0" },
        { "\"rows\": 1", "\"rows\": 9223372036854775807" },
        { "\"tokens\": 192", "\"tokens\": 256" },
        { "[128, -1, 192]", "[128, -2, 192]" },
        { "[128, -1, 192]", "[129, -1, 192]" },
        { "[128, -1, 192]", "[1024, -1, 192]" },
        { "[128, -1, 192]", "[128, -1, 192, 256]" },
        { "[128, -1, 192]", "[128, null, 192]" },
        { "\"lineage\": [", "\"lineagE\": [" },
        { "\"tokenizer\": {", "\"tokenizer\": 3, \"x\": {" },
    };
    struct sl_manifest m, again;
    (void)state;
    make(&m);
    struct sl_str text = dump(&m);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char changed[8192];
        const char *at = strstr(text.p, changes[i][0]);
        if (!at)
            fail_msg("no '%s'", changes[i][0]);
        snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text.p), text.p, changes[i][1],
                 at + strlen(changes[i][0]));
        if (sl_manifest_parse(&again, sl_str_of(changed), NULL) != SL_E_DATA)
            fail_msg("'%s' was taken", changes[i][1]);
        sl_manifest_release(&again);
    }
    sl_manifest_release(&m);
}

static int release(void **state)
{
    (void)state;
    sl_buf_release(&written);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_round_trip, release),
        cmocka_unit_test_teardown(test_every_cut_is_refused, release),
        cmocka_unit_test_teardown(test_wrong_values_are_refused, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
