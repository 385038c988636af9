/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a rule file with a value of every type; what is read must be
 * written, and be read from that again to the same text. */
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct item {
    int64_t size;
    const char *path;
};

struct conf {
    bool on;
    uint64_t count;
    double share;
    struct sl_yaml_strs words;
    struct item one;
    struct sl_yaml_items list, named;
    struct sl_yaml_picked picked;
};

static const struct sl_yaml_key item_keys[] = {
    { .key = "size", .type = SL_YAML_INT, .offset = offsetof(struct item, size), .def = "-7" },
    { .key = "path", .type = SL_YAML_STR, .offset = offsetof(struct item, path) },
    { .key = NULL },
};

static const struct sl_yaml_pick picks[] = {
    { "a", item_keys, sizeof(struct item) },
    { "b", item_keys, sizeof(struct item) },
    { NULL, NULL, 0 },
};

#define AT(member) .offset = offsetof(struct conf, member)
static const struct sl_yaml_key keys[] = {
    { .key = "on", .type = SL_YAML_BOOL, AT(on) },
    { .key = "count", .type = SL_YAML_UINT, AT(count), .flags = SL_YAML_OFF },
    { .key = "share", .type = SL_YAML_REAL, AT(share), .flags = SL_YAML_OFF },
    { .key = "words", .type = SL_YAML_STRS, AT(words), .def = "[x, y]" },
    { .key = "one", .type = SL_YAML_STRUCT, AT(one), .keys = item_keys },
    { .key = "list",
      .type = SL_YAML_LIST,
      AT(list),
      .keys = item_keys,
      .size = sizeof(struct item) },
    { .key = "named",
      .type = SL_YAML_NAMED,
      AT(named),
      .keys = item_keys,
      .size = sizeof(struct item) },
    { .key = "picked", .type = SL_YAML_PICKS, AT(picked), .picks = picks },
    { .key = NULL },
};

static enum sl_status read_text(struct sl_str text, struct sl_buf *out, struct sl_err *err)
{
    struct conf conf;
    struct sl_arena arena;
    memset(&conf, 0, sizeof conf);
    sl_arena_init(&arena, 0);
    enum sl_status st = sl_yaml_read(text, "x.yaml", keys, &conf, &arena, err);
    if (st == SL_OK && sl_yaml_write(keys, &conf, out, err) != SL_OK)
        abort();
    sl_arena_release(&arena);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sl_err err = SL_ERR_INIT;
    struct sl_buf one, two;
    sl_buf_init(&one, 64 << 20);
    sl_buf_init(&two, 64 << 20);
    enum sl_status st = read_text((struct sl_str){ (const char *)data, n }, &one, &err);
    if (st != SL_OK && (st != SL_E_DATA || strncmp(err.msg, "x.yaml:", 7) != 0))
        abort();
    if (st == SL_OK && one.n <= SL_YAML_MAX_BYTES &&
        (read_text(sl_buf_str(&one), &two, &err) != SL_OK ||
         !sl_str_eq(sl_buf_str(&one), sl_buf_str(&two))))
        abort();
    sl_buf_release(&one);
    sl_buf_release(&two);
    return 0;
}
