/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the manifest of an export. What is accepted is written, and what was
 * written is read as the same. */
#include <stdlib.h>
#include <string.h>

#include "io/sink.h"
#include "order/export_form.h"
#include "order/export_manifest.h"

static ssize_t keep(void *ctx, const void *p, size_t n)
{
    return sl_buf_add(ctx, p, n, NULL) == SL_OK ? (ssize_t)n : -1;
}

static void write_text(const struct sl_export_manifest *m, struct sl_buf *out)
{
    struct sl_sink *sink;
    struct sl_sink_backend backend = { keep, NULL, out };
    if (sl_sink_open_backend(&sink, backend, "fuzz", NULL) != SL_OK ||
        sl_export_manifest_write(m, sink, NULL) != SL_OK || sl_sink_commit(sink, NULL) != SL_OK)
        abort();
    sl_sink_free(sink);
}

static void again(const struct sl_export_manifest *m)
{
    struct sl_export_manifest n;
    struct sl_buf first, second;
    sl_buf_init(&first, (size_t)1 << 30);
    sl_buf_init(&second, (size_t)1 << 30);
    write_text(m, &first);
    if (sl_export_manifest_parse(&n, sl_buf_str(&first), NULL) != SL_OK)
        abort();
    n.lost = m->lost; /* not read: nothing depends on it */
    n.n_lost = m->n_lost;
    write_text(&n, &second);
    if (!sl_str_eq(sl_buf_str(&first), sl_buf_str(&second)))
        abort();
    sl_export_manifest_release(&n);
    sl_buf_release(&first);
    sl_buf_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_export_manifest m;
    if (sl_export_manifest_parse(&m, (struct sl_str){ (const char *)data, size }, NULL) == SL_OK)
        again(&m);
    sl_export_manifest_release(&m);
    return 0;
}
