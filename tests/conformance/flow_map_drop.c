/* SPDX-License-Identifier: Apache-2.0 */
/* A map for the contract suite: drops rows by their id, adds a column, counts,
 * and has scratch on every worker. */
#include <stdlib.h>

#include "run/tool.h"

struct conf {
    uint64_t modulus;
};

static const struct sl_opt options[] = {
    SL_OPT_RANGE('m', "modulus", "N", SL_OPT_T_UINT, struct conf, modulus, 1, 256,
                 "drop one row in N, by its id [4]", SL_OPT_RESULT),
    SL_OPT_END
};

enum { CHOSEN, EMPTY };
static const char *const reasons[] = { "chosen", "empty", NULL };
static const char *const counts[] = { "text_bytes", NULL };
static const struct sl_add adds[] = {
    { "text_length", "uint64", "bytes of the text" },
    { "first_byte", "utf8?", "its first character, null where it is not ASCII" },
    { NULL, NULL, NULL },
};

static enum sl_status worker_new(struct sl_run *run, void **worker, struct sl_err *err)
{
    (void)run;
    *worker = calloc(1, 64);
    return *worker ? SL_OK : sl_err_nomem(err, 64);
}

static enum sl_status add_first(struct sl_task *t, struct sl_str text, struct sl_err *err)
{
    char *scratch = sl_task_worker(t);
    struct sl_colbuf *to = sl_task_add(t, 1);
    if (!text.n || (text.p[0] & 0x80))
        return sl_colbuf_add_null(to, err);
    scratch[0] = text.p[0];
    return sl_colbuf_add_str(to, (struct sl_str){ scratch, 1 }, err);
}

static enum sl_status drop_row(struct sl_task *t, int64_t row, struct sl_str text,
                               struct sl_err *err)
{
    const struct conf *conf = sl_task_conf(t);
    uint8_t last = (uint8_t)sl_column_str(sl_task_column(t, "id"), row).p[15];
    if (!text.n)
        return sl_task_drop(t, row, EMPTY, SL_STR(""), err);
    if (last % conf->modulus == 0)
        return sl_task_drop(t, row, CHOSEN, SL_STR("by its id"), err);
    return SL_OK;
}

static enum sl_status map(struct sl_task *t, struct sl_err *err)
{
    const struct sl_column *texts = sl_task_column(t, "text");
    for (int64_t row = 0; row < texts->n; row++) {
        struct sl_str text = sl_column_str(texts, row);
        sl_task_count(t, 0, (int64_t)text.n);
        SL_TRY(sl_colbuf_add_int(sl_task_add(t, 0), (int64_t)text.n, err));
        SL_TRY(add_first(t, text, err));
        SL_TRY(drop_row(t, row, text, err));
    }
    return SL_OK;
}

static const struct sl_tool tool = {
    .name = "flow_map_drop",
    .about = "drop rows by their id, and measure the others",
    .group = "choose",
    .examples = "flow_map_drop docs.arrows > some.arrows\n"
                "flow_map_drop -m 2 --rejects others.arrows docs.arrows -o some.arrows",
    .options = options,
    .conf_size = sizeof(struct conf),
    .in = "docs",
    .out = "docs",
    .needs = "text",
    .adds = adds,
    .reasons = reasons,
    .counts = counts,
    .flow = SL_MAP,
    .map = map,
    .worker_new = worker_new,
    .worker_free = free,
    .trial = "--modulus 3",
};

int main(int argc, char **argv)
{
    return sl_tool_main(&tool, argc, argv);
}
