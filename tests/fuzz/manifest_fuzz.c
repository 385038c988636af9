/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a manifest: what is taken is written and read again, equal; and
 * its lineage goes through the law of conservation. */
#include <stdlib.h>

#include "order/manifest.h"
#include "run/conserve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ssize_t to_buf(void *ctx, const void *p, size_t n)
{
    return sl_buf_add(ctx, p, n, NULL) == SL_OK ? (ssize_t)n : -1;
}

static void dump(const struct sl_manifest *m, struct sl_buf *out)
{
    struct sl_sink *sink = NULL;
    struct sl_sink_backend backend = { to_buf, NULL, out };
    if (sl_sink_open_backend(&sink, backend, "fuzz", NULL) != SL_OK ||
        sl_manifest_write(m, sink, NULL) != SL_OK || sl_sink_commit(sink, NULL) != SL_OK)
        abort();
    sl_sink_free(sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_manifest m, again;
    struct sl_str text = { (const char *)data, size };
    struct sl_hash128 ids = { { 0 } };
    (void)!sl_conserve_check_end(text, 0, ids, NULL);
    if (sl_manifest_parse(&m, text, NULL) == SL_OK) {
        struct sl_buf first, second;
        sl_buf_init(&first, (size_t)1 << 30);
        sl_buf_init(&second, (size_t)1 << 30);
        dump(&m, &first);
        if (sl_manifest_parse(&again, sl_buf_str(&first), NULL) != SL_OK)
            abort();
        dump(&again, &second);
        if (!sl_str_eq(sl_buf_str(&first), sl_buf_str(&second)))
            abort();
        (void)!sl_conserve_check_end(sl_str_of(m.lineage), 0, ids, NULL);
        sl_manifest_release(&again);
        sl_buf_release(&first);
        sl_buf_release(&second);
    }
    sl_manifest_release(&m);
    return 0;
}
