/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP responses on any bytes: every slice must lie where it should, and the
 * decoded body must keep its limits. */
#include <stdlib.h>

#include "base/buf.h"
#include "web/http.h"

static void inside(struct sl_str s, const uint8_t *data, size_t size)
{
    if (s.n && ((const uint8_t *)s.p < data || (const uint8_t *)s.p + s.n > data + size))
        abort();
}

static void touch(struct sl_str s)
{
    volatile char sum = 0;
    for (size_t i = 0; i < s.n; i++)
        sum = (char)(sum + s.p[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { BODY_MAX = 1 << 16 };
    static struct sl_http_decoder *d;
    if (!d && !(d = sl_http_decoder_new(BODY_MAX)))
        abort();
    struct sl_http http;
    struct sl_http_body body;
    struct sl_buf joined;
    sl_http_parse((struct sl_str){ (const char *)data, size }, &http);
    inside(http.version, data, size);
    inside(http.reason, data, size);
    inside(http.fields, data, size);
    inside(http.body, data, size);
    if (http.status < 0 || http.status > 999)
        abort();
    struct sl_str rest = http.fields, name, value, mime, charset;
    while (sl_http_next(&rest, &name, &value)) {
        inside(name, data, size);
        inside(value, data, size);
        sl_http_content_type(value, &mime, &charset);
        inside(mime, data, size);
        inside(charset, data, size);
    }
    sl_buf_init(&joined, 2 * size + 2);
    if (sl_http_join(&http, SL_STR("a"), &joined, NULL) != SL_OK)
        abort();
    sl_buf_release(&joined);
    if (sl_http_decode(d, &http, &body, NULL) != SL_OK)
        abort();
    touch(body.bytes);
    bool changed = body.notes & (SL_HTTP_WAS_CHUNKED | SL_HTTP_WAS_ENCODED);
    if (changed ? body.bytes.n > BODY_MAX : body.bytes.p != http.body.p)
        abort();
    return 0;
}
