/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes tokenizer: ids 0 to 255 are the bytes of the text, 256 ends a
 * document, 257 pads. It needs no training and no file, loses nothing, and its
 * ids can be turned back to text by eye: the tokenizer of tests, of first runs,
 * and of byte-level models.
 *
 * Encoding is a widening copy. It goes in blocks of a constant size, which the
 * compiler turns into unpack instructions at any optimisation level; run-time
 * dispatch to wider vectors would gain nothing, since two bytes written for one
 * read saturate memory already. */
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "token/tokenizer.h"

enum { BYTES_EOS = 256, BYTES_PAD = 257, BYTES_VOCAB = 258, BLOCK_BYTES = 64 };

/* The digest of a tokenizer is that of what defines it; here that is this line. */
static const char definition[] =
    "{\"name\":\"bytes\",\"vocab_size\":258,\"max_id\":257,\"eos\":256,\"bos\":null,\"pad\":257}";

static void widen_block(uint16_t *restrict to, const uint8_t *restrict from)
{
    for (int i = 0; i < BLOCK_BYTES; i++)
        to[i] = from[i];
}

static enum sl_status bytes_encode(const struct sl_tokenizer *t, void *worker, struct sl_str text,
                                   struct sl_buf *ids, struct sl_err *err)
{
    (void)t;
    (void)worker;
    uint64_t n_bytes;
    if (!sl_mul_ok(text.n, sizeof(uint16_t), &n_bytes))
        return sl_err_set(err, SL_E_DATA, "a text of %zu bytes", text.n);
    SL_TRY(sl_buf_reserve(ids, n_bytes, err));
    const uint8_t *from = (const uint8_t *)text.p;
    uint16_t *to = (uint16_t *)(void *)(ids->p + ids->n);
    size_t i = 0;
    for (; text.n - i >= BLOCK_BYTES; i += BLOCK_BYTES)
        widen_block(to + i, from + i);
    for (; i < text.n; i++)
        to[i] = from[i];
    ids->n += n_bytes;
    return SL_OK;
}

static void bytes_free(struct sl_tokenizer *t)
{
    free(t);
}

static const struct sl_tokenizer_ops bytes_ops = { .encode = bytes_encode, .free = bytes_free };

enum sl_status sl_bytes_tokenizer_new(struct sl_tokenizer **out, struct sl_err *err)
{
    struct sl_tokenizer *t = calloc(1, sizeof *t);
    if (!t)
        return sl_err_nomem(err, sizeof *t);
    t->ops = &bytes_ops;
    t->info = (struct sl_token_info){
        .name = "bytes",
        .vocab_size = BYTES_VOCAB,
        .max_id = BYTES_PAD,
        .eos = BYTES_EOS,
        .bos = SL_TOKEN_NONE,
        .pad = BYTES_PAD,
        .digest = sl_hash128(definition, sizeof definition - 1),
    };
    *out = t;
    return SL_OK;
}
