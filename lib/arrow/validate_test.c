/* SPDX-License-Identifier: Apache-2.0 */
/* The fast verdict against the plain one, on batches with one thing changed;
 * and the search for bits against the simplest loop. */
#include "arrow/validate.h"

#include "arrow/bits.h"
#include "arrow/canon.h"
#include "arrow/test_model.h"

static void test_find(void **state)
{
    (void)state;
    uint64_t rng = 1;
    for (int n = 0; n <= 200; n++) {
        uint8_t *bits = malloc((size_t)(n + 7) / 8 + 1);
        assert_non_null(bits);
        for (int i = 0; i < (n + 7) / 8; i++)
            bits[i] = n % 3 == 0 ? 0 : n % 3 == 1 ? 0xff : (uint8_t)model_random(&rng);
        bits = realloc(bits, n ? (size_t)(n + 7) / 8 : 1);
        assert_non_null(bits);
        for (int from = 0; from <= n; from++)
            for (int want = 0; want <= 1; want++) {
                int i = from;
                while (i < n && sl_bit(bits, i) != want)
                    i++;
                assert_int_equal(sl_bits_find(bits, from, n, want), i);
            }
        free(bits);
    }
}

/* A deep copy whose buffers are exactly as large as their columns say. */
static void copy_column(struct sl_column *out, const struct sl_column *c, struct sl_arena *a)
{
    *out = *c;
    const size_t bits = (size_t)(c->n + 7) / 8;
    if (c->validity)
        out->validity = memcpy(sl_arena_get(a, bits), c->validity, bits);
    if (c->offsets) {
        size_t n = (size_t)(c->n + 1) * (sl_type_is_large(c->field->type) ? 8 : 4);
        out->offsets = memcpy(sl_arena_get(a, n), c->offsets, n);
    }
    if (c->data && c->data_bytes)
        out->data = memcpy(sl_arena_get(a, (size_t)c->data_bytes), c->data, (size_t)c->data_bytes);
    if (c->field->n_children == 0)
        return;
    out->children = sl_arena_zeros(a, c->field->n_children, sizeof *out->children);
    for (uint32_t i = 0; i < c->field->n_children; i++)
        copy_column(&out->children[i], &c->children[i], a);
}

static const struct sl_column *any_below(const struct sl_column *c, uint64_t *rng)
{
    while (c->field->n_children && model_random(rng) % 3)
        c = &c->children[model_random(rng) % c->field->n_children];
    return c;
}

/* Change one thing of a column, or of one below it. */
static void change(const struct sl_column *top, uint64_t *rng)
{
    struct sl_column *c = (struct sl_column *)(uintptr_t)any_below(top, rng);
    const uint64_t v = model_random(rng);
    const int64_t row = c->n ? (int64_t)(model_random(rng) % (uint64_t)c->n) : 0;
    uint8_t *validity = (uint8_t *)(uintptr_t)c->validity;
    uint8_t *data = (uint8_t *)(uintptr_t)c->data;
    switch (v % 7) {
    case 0:
        if (validity) /* also behind the last row */
            validity[row >> 3] ^= (uint8_t)(1 << (v >> 8) % 8);
        break;
    case 1:
        if (validity && c->n_nulls < c->n) { /* and say so */
            c->n_nulls += sl_bit(validity, row) ? 1 : -1;
            validity[row >> 3] ^= (uint8_t)(1 << (row & 7));
            if (c->n_nulls == 0)
                c->validity = NULL;
        }
        break;
    case 2:
        if (c->offsets && sl_type_is_large(c->field->type))
            ((int64_t *)(uintptr_t)c->offsets)[row + (v >> 8) % 2] += (int64_t)(v >> 9) % 5 - 2;
        else if (c->offsets)
            ((int32_t *)(uintptr_t)c->offsets)[row + (v >> 8) % 2] += (int32_t)(v >> 9) % 5 - 2;
        break;
    case 3:
    case 4:
        if (data && c->data_bytes)
            data[(v >> 8) % (uint64_t)c->data_bytes] ^= (uint8_t)(1 << v % 8);
        break;
    case 5:
        c->n_nulls += (int64_t)(v >> 8) % 3 - 1;
        break;
    default:
        if (c->field->n_children == 0 && c->data_bytes)
            c->data_bytes--;
    }
}

static void test_verdicts(void **state)
{
    (void)state;
    struct sl_schema s;
    struct sl_rows rows;
    struct sl_batch b;
    struct sl_arena arena;
    uint64_t rng = 5;
    int counts[2] = { 0, 0 };
    model_schema(&s);
    sl_batch_init(&b);
    sl_arena_init(&arena, 1 << 20);
    OK(sl_rows_init(&rows, &s, &err));
    for (int round = 0; round < 400; round++) {
        if (round % 20 == 0) {
            sl_rows_reset(&rows);
            model_fill(&rows, 1 + (int)(model_random(&rng) % 150), &rng,
                       (unsigned[]){ 0, 10, 90 }[round / 20 % 3]);
            OK(sl_rows_lend(&rows, &b, &err));
            OK(sl_batch_validate(&b, &err));
        }
        for (uint32_t i = 0; i < s.n_fields; i++) {
            struct sl_column c;
            struct sl_field *f = s.fields[i];
            struct sl_schema one = { .n_fields = 1, .fields = &f };
            sl_arena_reset(&arena);
            copy_column(&c, &b.columns[i], &arena);
            change(&c, &rng);
            struct sl_batch single = { .schema = &one, .n_rows = c.n, .columns = &c };
            struct sl_err fast = SL_ERR_INIT, plain = SL_ERR_INIT;
            bool ok = sl_batch_canonical(&single, SL_E_DATA, &plain) == SL_OK;
            if ((sl_batch_validate(&single, &fast) == SL_OK) != ok)
                fail_msg("%s: '%s' but '%s'", model_types[i], fast.msg, plain.msg);
            counts[ok]++;
        }
    }
    assert_true(counts[0] > 2000 && counts[1] > 2000); /* both kinds were seen */
    b.n_rows++;
    FAILS(SL_E_DATA, sl_batch_validate(&b, &err));
    sl_arena_release(&arena);
    sl_batch_release(&b);
    sl_rows_release(&rows);
    sl_schema_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
