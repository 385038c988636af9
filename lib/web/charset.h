/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_WEB_CHARSET_H
#define SL_WEB_CHARSET_H

/* Character encodings of the web: labels, sniffing, decoding to UTF-8.
 *
 * Decoding  gives valid UTF-8 always; what cannot be decoded becomes U+FFFD and
 *           is counted. An ASCII byte behind a bad lead byte is never swallowed.
 * Labels    iso-8859-1 and ascii mean windows-1252, gb2312 means gbk, and so on
 *           as in the standard.
 * Threads   functions without a decoder are pure; a decoder belongs to one
 *           thread (it holds open iconv descriptors).
 * Source    WHATWG Encoding standard; WHATWG HTML standard, section 13.2.3.2.
 * Limits    the indexes of the multi-byte encodings are those of the C
 *           library's iconv (cp932, cp949, euc-jp-ms, gb18030, big5-hkscs),
 *           which differ from the standard's in a few rare characters. */

#include <stdint.h>

#include "base/buf.h"
#include "web/html_token.h"

enum sl_charset {
    SL_CHARSET_NONE, /* no encoding, an unknown label */
    SL_CHARSET_UTF_8,
    SL_CHARSET_IBM866,
    SL_CHARSET_ISO_8859_2,
    SL_CHARSET_ISO_8859_3,
    SL_CHARSET_ISO_8859_4,
    SL_CHARSET_ISO_8859_5,
    SL_CHARSET_ISO_8859_6,
    SL_CHARSET_ISO_8859_7,
    SL_CHARSET_ISO_8859_8,
    SL_CHARSET_ISO_8859_8_I,
    SL_CHARSET_ISO_8859_10,
    SL_CHARSET_ISO_8859_13,
    SL_CHARSET_ISO_8859_14,
    SL_CHARSET_ISO_8859_15,
    SL_CHARSET_ISO_8859_16,
    SL_CHARSET_KOI8_R,
    SL_CHARSET_KOI8_U,
    SL_CHARSET_MACINTOSH,
    SL_CHARSET_WINDOWS_874,
    SL_CHARSET_WINDOWS_1250,
    SL_CHARSET_WINDOWS_1251,
    SL_CHARSET_WINDOWS_1252,
    SL_CHARSET_WINDOWS_1253,
    SL_CHARSET_WINDOWS_1254,
    SL_CHARSET_WINDOWS_1255,
    SL_CHARSET_WINDOWS_1256,
    SL_CHARSET_WINDOWS_1257,
    SL_CHARSET_WINDOWS_1258,
    SL_CHARSET_X_MAC_CYRILLIC,
    SL_CHARSET_GBK,
    SL_CHARSET_GB18030,
    SL_CHARSET_BIG5,
    SL_CHARSET_EUC_JP,
    SL_CHARSET_ISO_2022_JP,
    SL_CHARSET_SHIFT_JIS,
    SL_CHARSET_EUC_KR,
    SL_CHARSET_REPLACEMENT,
    SL_CHARSET_UTF_16BE,
    SL_CHARSET_UTF_16LE,
    SL_CHARSET_X_USER_DEFINED,
    SL_CHARSET_N
};

/* What decided. The names are "bom", "utf8", "http", "meta", "default",
 * "utf8_lossy". */
enum sl_charset_source {
    SL_CHARSET_BY_BOM,
    SL_CHARSET_BY_UTF8, /* the page is valid UTF-8, whatever its label says */
    SL_CHARSET_BY_HTTP,
    SL_CHARSET_BY_META,
    SL_CHARSET_BY_DEFAULT,
    SL_CHARSET_BY_UTF8_LOSSY /* UTF-8 with a few bad sequences */
};

/* The standard's window for the prescan. */
enum { SL_CHARSET_WINDOW_BYTES = 1024 };

/* Lower-case name ("utf-8", "shift_jis"); "" of SL_CHARSET_NONE. */
const char *sl_charset_name(enum sl_charset c);
const char *sl_charset_source_name(enum sl_charset_source s);

/* The encoding of a label; blanks around it and case do not matter. */
enum sl_charset sl_charset_label(struct sl_str label);

/* The encoding in a Content-Type header's charset parameter. */
enum sl_charset sl_charset_of_content_type(struct sl_str value);

/* The encoding of a byte order mark; *bom_bytes is its length, 0 where none. */
enum sl_charset sl_charset_bom(struct sl_str page, size_t *bom_bytes);

/* Prescan the first 1,024 bytes for a meta element or an XML declaration. */
enum sl_charset sl_charset_prescan(struct sl_str page);

/* The same; where that finds nothing, the first meta element with an encoding
 * that a parser meets in the whole page, as browsers do. t is used. */
enum sl_charset sl_charset_of_meta(struct sl_html *t, struct sl_str page);

/* The standard's sniffing: byte order mark, then http (SL_CHARSET_NONE where
 * the transport says nothing), then the page's own word, then windows-1252. */
enum sl_charset sl_charset_sniff(struct sl_html *t, struct sl_str page, enum sl_charset http,
                                 enum sl_charset_source *source);

struct sl_charset_decoder;
/* NULL where memory is out. free takes NULL. */
struct sl_charset_decoder *sl_charset_decoder_new(void);
void sl_charset_decoder_free(struct sl_charset_decoder *d);

/* Append bytes (without a byte order mark), decoded as c, to out.
 *
 * n_replaced  U+FFFD written for bytes that could not be decoded; added to.
 * Returns     SL_OK; SL_E_DATA where out's maximum would be passed; SL_E_SYSTEM
 *             where memory is out or iconv lacks the encoding; SL_E_BUG where c
 *             is SL_CHARSET_NONE. */
SL_MUST_USE enum sl_status sl_charset_decode(struct sl_charset_decoder *d, enum sl_charset c,
                                             struct sl_str bytes, struct sl_buf *out,
                                             uint64_t *n_replaced, struct sl_err *err);

struct sl_charset_page {
    struct sl_str text; /* valid UTF-8 */
    enum sl_charset charset;
    enum sl_charset_source source;
    uint64_t n_replaced;
};

/* Decide a page's encoding and decode it.
 *
 * The order: byte order mark; valid UTF-8, which overrules any label (but a
 * seven-bit page with escapes may be iso-2022-jp, and one with NULs utf-16, where
 * so labelled); UTF-8 with 20 good sequences or more and 50 to each bad one, as a
 * page that was cut inside a character; http; meta. A UTF-8 label on a page that
 * is not valid UTF-8 is believed where good sequences outnumber the bad ones.
 * Without a label: UTF-8 where bad sequences are at most one in 1,000 bytes, else
 * windows-1252.
 *
 * room      holds the text where it had to be converted; its old contents die.
 *           Else the text is the page itself, without its byte order mark.
 * Returns   as sl_charset_decode. */
SL_MUST_USE enum sl_status sl_charset_decode_page(struct sl_charset_decoder *d, struct sl_str page,
                                                  enum sl_charset http, struct sl_buf *room,
                                                  struct sl_charset_page *out, struct sl_err *err);

#endif
