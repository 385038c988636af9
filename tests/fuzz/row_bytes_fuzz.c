/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as bytes that nobody wrote, and orders that nobody meant: neither may do
 * more than fail; rows that are read are canonical and give their bytes again. */
#include <stdlib.h>

#include "arrow/row_bytes.h"
#include "order/row_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const types[] = {
    "uint16",
    "float32?",
    "bool?",
    "utf8?",
    "large_binary",
    "fixed_size_binary[3]?",
    "list<uint16>",
    "list<struct<a:utf8?,b:bool>>?",
    "fixed_size_list<int8?>[2]?",
};
enum { N_TYPES = sizeof types / sizeof *types };

static void must(bool fine)
{
    if (!fine)
        abort();
}

static void read_back(struct sl_rows *rows, const uint8_t *data, size_t size)
{
    struct sl_batch b;
    uint64_t bytes;
    rows->n = 1;
    sl_batch_init(&b);
    must(sl_rows_lend(rows, &b, NULL) == SL_OK);
    sl_row_bytes_sizes(&b, 0, 1, &bytes);
    must(bytes == size);
    uint8_t *copy = malloc(size + 1), *to = copy;
    must(copy != NULL);
    sl_row_bytes_write(&b, 0, 1, &to);
    must(to == copy + size);
    (void)data; /* marks may be any number but 0, so the bytes may differ */
    free(copy);
    sl_batch_release(&b);
}

static void try_order(const struct sl_schema *schema, const uint8_t *data, size_t size)
{
    struct sl_row_keys *k;
    char *by = malloc(size + 1);
    must(by != NULL);
    if (size)
        memcpy(by, data, size);
    by[size] = 0;
    if (sl_row_keys_parse(&k, by, schema, NULL) == SL_OK)
        sl_row_keys_free(k);
    free(by);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_schema schema;
    struct sl_rows rows;
    char name[2] = "a";
    sl_schema_init(&schema);
    for (int i = 0; i < N_TYPES; i++, name[0]++)
        must(sl_schema_add_text(&schema, name, types[i], NULL) == SL_OK);
    try_order(&schema, data, size);
    must(sl_rows_init(&rows, &schema, NULL) == SL_OK);
    struct sl_str row = { (const char *)data, size };
    if (sl_row_bytes_read(&rows, &row, 1, NULL) == SL_OK)
        read_back(&rows, data, size);
    sl_rows_release(&rows);
    sl_schema_release(&schema);
    return 0;
}
