/* SPDX-License-Identifier: Apache-2.0 */
/* A special token is kept as its text and, behind it, the bytes for which its characters
 * stand where they all do: two pairs whose bytes together are those take its id, as in the
 * trainer that ours is equal to. */
#include "token/train_tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "token/byte_chars.h"

#define NONE UINT32_MAX
#define TEXT_MAX ((size_t)1 << 30)

enum sl_status sl_train_tokens_init(struct sl_train_tokens *t, uint32_t most, struct sl_err *err)
{
    *t = (struct sl_train_tokens){ .cap = most, .bits = 9 };
    sl_buf_init(&t->text, TEXT_MAX);
    while ((size_t)1 << t->bits < (size_t)most * 2)
        t->bits++;
    t->list = calloc(most, sizeof *t->list);
    t->index = malloc(sizeof *t->index << t->bits);
    if (!t->list || !t->index)
        return sl_err_nomem(err, sizeof *t->index << t->bits);
    memset(t->index, 0xff, sizeof *t->index << t->bits);
    return SL_OK;
}

void sl_train_tokens_release(struct sl_train_tokens *t)
{
    free(t->list);
    free(t->index);
    sl_buf_release(&t->text);
}

static struct sl_str bytes_of(const struct sl_train_tokens *t, uint32_t id)
{
    const struct sl_train_token *k = &t->list[id];
    return (struct sl_str){ (const char *)t->text.p + k->off, k->n };
}

static uint32_t *probe(const struct sl_train_tokens *t, struct sl_str bytes)
{
    size_t mask = ((size_t)1 << t->bits) - 1, at = sl_hash64(bytes.p, bytes.n) & mask;
    while (t->index[at] != NONE && !sl_str_eq(bytes_of(t, t->index[at]), bytes))
        at = (at + 1) & mask;
    return &t->index[at];
}

uint32_t sl_train_tokens_find(const struct sl_train_tokens *t, struct sl_str bytes)
{
    return *probe(t, bytes);
}

/* The text that was just added becomes a token. */
static enum sl_status place(struct sl_train_tokens *t, size_t off, bool found, struct sl_err *err)
{
    if (t->n == t->cap)
        return sl_err_set(err, SL_E_BUG, "more tokens than there is room for");
    uint32_t n = (uint32_t)(t->text.n - off);
    t->list[t->n] = (struct sl_train_token){ off, n, 0 };
    if (found)
        *probe(t, bytes_of(t, t->n)) = t->n;
    t->n++;
    return SL_OK;
}

enum sl_status sl_train_tokens_add(struct sl_train_tokens *t, struct sl_str bytes,
                                   struct sl_err *err)
{
    size_t off = t->text.n;
    SL_TRY(sl_buf_add_str(&t->text, bytes, err));
    return place(t, off, true, err);
}

/* Append the bytes that the characters stand for; false where one stands for none. */
static bool add_stood_for(struct sl_buf *out, struct sl_str text)
{
    const uint8_t *p = (const uint8_t *)text.p, *end = p + text.n;
    while (p < end) {
        int byte = sl_byte_of_char(sl_utf8_next(&p, end));
        if (byte < 0 || sl_buf_add_byte(out, (uint8_t)byte, NULL) != SL_OK)
            return false;
    }
    return true;
}

enum sl_status sl_train_tokens_add_special(struct sl_train_tokens *t, struct sl_str text,
                                           struct sl_err *err)
{
    SL_TRY(sl_buf_add_str(&t->text, text, err));
    size_t off = t->text.n;
    bool all = add_stood_for(&t->text, text);
    if (!all)
        t->text.n = off;
    if (all && *probe(t, (struct sl_str){ (const char *)t->text.p + off, t->text.n - off }) != NONE)
        return sl_err_set(err, SL_E_USAGE, "special token '%.*s' is there twice", (int)text.n,
                          text.p);
    SL_TRY(place(t, off, all, err));
    t->list[t->n - 1].shown = (uint32_t)text.n;
    return SL_OK;
}

enum sl_status sl_train_tokens_join(struct sl_train_tokens *t, uint32_t left, uint32_t right,
                                    uint32_t *id, bool *was, struct sl_err *err)
{
    size_t off = t->text.n, n_left = t->list[left].n, n_right = t->list[right].n;
    SL_TRY(sl_buf_reserve(&t->text, n_left + n_right, err));
    SL_TRY(sl_buf_add_str(&t->text, bytes_of(t, left), err));
    SL_TRY(sl_buf_add_str(&t->text, bytes_of(t, right), err));
    *id = *probe(t, (struct sl_str){ (const char *)t->text.p + off, n_left + n_right });
    *was = *id != NONE;
    if (*was) {
        t->text.n = off;
        return SL_OK;
    }
    *id = t->n;
    return place(t, off, true, err);
}

struct sl_str sl_train_tokens_text(const struct sl_train_tokens *t, uint32_t id)
{
    const struct sl_train_token *k = &t->list[id];
    struct sl_str s = bytes_of(t, id);
    return k->shown ? (struct sl_str){ s.p - k->shown, k->shown } : s;
}
