/* SPDX-License-Identifier: Apache-2.0 */
/* Lines out of the source's window. Where a line is not whole in the window, one
 * byte more is asked for, which brings as many as there are; only these are
 * searched, so that a long line costs linear time. */
#include "ingest/lines.h"

#include <string.h>

void sl_lines_init(struct sl_lines *l, struct sl_source *source, size_t max_bytes)
{
    size_t most = SL_SOURCE_PEEK_MAX / 2;
    *l = (struct sl_lines){ .source = source, .max_bytes = max_bytes < most ? max_bytes : most };
}

/* The window's bytes up to the line's end or the limit. *n: bytes there are,
 * *end: offset of LF, or *n where there is none among them. */
static enum sl_status find_end(struct sl_lines *l, const uint8_t **p, size_t *n, size_t *end,
                               struct sl_err *err)
{
    size_t seen = 0;
    for (;;) {
        SL_TRY(sl_source_peek(l->source, seen + 1, p, n, err));
        if (*n <= seen) {
            *end = *n;
            return SL_OK;
        }
        const uint8_t *lf = memchr(*p + seen, '\n', *n - seen);
        *end = lf ? (size_t)(lf - *p) : *n;
        if (lf || *n > l->max_bytes + 1)
            return SL_OK;
        seen = *n;
    }
}

static enum sl_status skip_rest(struct sl_lines *l, struct sl_err *err)
{
    while (l->skip) {
        const uint8_t *p;
        size_t n;
        SL_TRY(sl_source_peek(l->source, 1, &p, &n, err));
        const uint8_t *lf = n ? memchr(p, '\n', n) : NULL;
        l->skip = n && !lf;
        sl_source_consume(l->source, lf ? (size_t)(lf - p) + 1 : n);
    }
    return SL_OK;
}

enum sl_status sl_lines_next(struct sl_lines *l, struct sl_line *line, struct sl_err *err)
{
    const uint8_t *p;
    size_t n, end;
    sl_source_consume(l->source, l->held);
    l->held = 0;
    SL_TRY(skip_rest(l, err));
    SL_TRY(find_end(l, &p, &n, &end, err));
    if (n == 0)
        return SL_END;
    *line = (struct sl_line){ .off = sl_source_off(l->source), .number = ++l->number };
    l->held = end + (end < n);
    l->skip = end == n && n > l->max_bytes + 1;
    end -= end && p[end - 1] == '\r';
    line->cut = end > l->max_bytes;
    if (line->cut && end > SL_LINE_CUT_BYTES)
        end = SL_LINE_CUT_BYTES;
    line->text = (struct sl_str){ (const char *)p, end };
    return SL_OK;
}
