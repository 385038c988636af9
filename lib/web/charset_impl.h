/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_WEB_CHARSET_IMPL_H
#define SL_WEB_CHARSET_IMPL_H

/* What the decoders share; no one else includes this. */

#include "web/charset.h"

/* Opened when first needed; -1 cast to a pointer: not open. */
struct sl_charset_decoder {
    void *iconv[SL_CHARSET_N];
    struct sl_html *html; /* looks for a late meta element */
};

/* gbk, gb18030, big5, euc-jp, iso-2022-jp, shift_jis, euc-kr, by iconv. */
SL_MUST_USE enum sl_status sl_charset_decode_multi(struct sl_charset_decoder *d, enum sl_charset c,
                                                   struct sl_str bytes, struct sl_buf *out,
                                                   uint64_t *n_replaced, struct sl_err *err);

/* Append cp as UTF-8; room for 4 bytes must be reserved. */
void sl_charset_put(struct sl_buf *out, uint32_t cp);

/* Length of the ASCII run at p. */
size_t sl_charset_ascii_run(const uint8_t *p, const uint8_t *end);

#endif
