/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of normalisers. Each looks first whether it changes anything, since most texts
 * pass most steps as they are; only then is a byte copied. */
#include "token/normalise.h"

enum { MAX_STRINGS = 1 << 16 };

void sl_normaliser_init(struct sl_normaliser *s)
{
    *s = (struct sl_normaliser){ .n = 0 };
    sl_buf_init(&s->strings, MAX_STRINGS);
}

void sl_normaliser_release(struct sl_normaliser *s)
{
    sl_buf_release(&s->strings);
}

enum sl_status sl_normaliser_add(struct sl_normaliser *s, enum sl_normal_kind kind,
                                 struct sl_str from, struct sl_str to, struct sl_err *err)
{
    if (s->n == SL_MAX_NORMAL_STEPS)
        return sl_err_set(err, SL_E_DATA, "normalizer: more than %d steps", SL_MAX_NORMAL_STEPS);
    if (kind == SL_NORMAL_REPLACE && !from.n)
        return sl_err_set(err, SL_E_DATA, "normalizer: Replace of an empty pattern");
    s->steps[s->n].kind = kind;
    s->steps[s->n].off = s->strings.n;
    s->steps[s->n].n_from = from.n;
    s->steps[s->n].n_to = to.n;
    s->n++;
    SL_TRY(sl_buf_add_str(&s->strings, from, err));
    return sl_buf_add_str(&s->strings, to, err);
}

static const char *find(struct sl_str text, size_t at, struct sl_str what)
{
    return at < text.n ? memmem(text.p + at, text.n - at, what.p, what.n) : NULL;
}

static enum sl_status replace(struct sl_str text, struct sl_str from, struct sl_str to,
                              struct sl_buf *buf, struct sl_str *out, struct sl_err *err)
{
    size_t at = 0;
    const char *hit = find(text, 0, from);
    *out = text;
    if (!hit)
        return SL_OK;
    sl_buf_reset(buf);
    SL_TRY(sl_buf_reserve(buf, text.n, err));
    for (; hit; hit = find(text, at, from)) {
        SL_TRY(sl_buf_add(buf, text.p + at, (size_t)(hit - text.p) - at, err));
        SL_TRY(sl_buf_add_str(buf, to, err));
        at = (size_t)(hit - text.p) + from.n;
    }
    SL_TRY(sl_buf_add(buf, text.p + at, text.n - at, err));
    *out = sl_buf_str(buf);
    return SL_OK;
}

static enum sl_status step(const struct sl_normaliser *s, size_t i, struct sl_str text,
                           struct sl_buf *buf, struct sl_str *out, struct sl_err *err)
{
    const char *strings = (const char *)s->strings.p;
    struct sl_str from = { strings + s->steps[i].off, s->steps[i].n_from };
    struct sl_str to = { from.p + from.n, s->steps[i].n_to };
    *out = text;
    switch (s->steps[i].kind) {
    case SL_NORMAL_REPLACE:
        return replace(text, from, to, buf, out, err);
    case SL_NORMAL_PREPEND:
        sl_buf_reset(buf);
        SL_TRY(sl_buf_add_str(buf, to, err));
        SL_TRY(sl_buf_add_str(buf, text, err));
        break;
    case SL_NORMAL_NFC:
        if (sl_nfc_quick(text))
            return SL_OK;
        sl_buf_reset(buf);
        SL_TRY(sl_nfc(buf, text, err));
        break;
    }
    *out = sl_buf_str(buf);
    return SL_OK;
}

enum sl_status sl_normalise(const struct sl_normaliser *s, struct sl_str text, struct sl_buf buf[2],
                            struct sl_str *out, struct sl_err *err)
{
    *out = text;
    for (size_t i = 0; i < s->n && out->n; i++) {
        struct sl_str was = *out;
        /* Not into the buffer that the text stands in. */
        struct sl_buf *to = was.p == (const char *)buf[0].p ? &buf[1] : &buf[0];
        SL_TRY(step(s, i, was, to, out, err));
    }
    return SL_OK;
}
