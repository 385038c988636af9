/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_WEB_EXTRACT_H
#define SL_WEB_EXTRACT_H

/* A web page's text, title and a few facts.
 *
 * What      The page is decoded (web/charset.h), tokenized (web/html_token.h)
 *           and cut into blocks: runs of inline text between block elements. A
 *           decision marks the blocks to keep, today all of them; the kept ones
 *           are written as text.
 * Text      Visible text: not script, style, template, iframe, textarea, select,
 *           svg, object, media, or what is hidden by the attributes hidden,
 *           aria-hidden or an inline style; but a hidden element that holds more
 *           than half of the page's text outside links is what a script would
 *           show, and stays, as does the content that React streams into hidden
 *           elements. noscript counts, as for a reader without scripts. Blank lines stand between
 * paragraphs; list items and table rows have lines of their own; tabs stand between cells. Blanks
 * collapse but in pre. No-break spaces become spaces; control characters, soft hyphens, zero-width
 * spaces and byte order marks go; joiners stay. Promise   text, title, html_lang and meta_robots
 * are valid UTF-8 without NULs. Limits    512 open elements (deeper ones are flattened), 256
 * attributes a tag, 2^20 blocks (the rest joins the last one): memory is a small multiple of the
 *           page, time is linear in it.
 * Lifetime  everything in the result dies at the extractor's next page.
 * Threads   one thread an extractor. */

#include "base/buf.h"
#include "web/charset.h"
#include "web/html_tag.h"

enum { SL_EXTRACT_DEPTH_MAX = 512, SL_EXTRACT_BLOCKS_MAX = 1 << 20 };

enum sl_page_kind { SL_PAGE_HTML, SL_PAGE_TEXT, SL_PAGE_OTHER };

/* What a body is, by its Content-Type; where that is empty, by its first bytes. */
enum sl_page_kind sl_page_kind_of(struct sl_str content_type, struct sl_str body);

/* What stands before a block. */
enum sl_block_sep { SL_SEP_NONE, SL_SEP_CELL, SL_SEP_LINE, SL_SEP_PARA };

enum sl_block_flag {
    SL_BLOCK_KEEP = 1, /* set by the decision */
    SL_BLOCK_PRE = 2,
    SL_BLOCK_HEADING = 4,
    SL_BLOCK_LIST = 8,
    SL_BLOCK_TABLE = 16,
    SL_BLOCK_HIDDEN = 32 /* in a block element that an attribute hides */
};

/* One run of inline text. */
struct sl_block {
    uint32_t off;         /* in sl_extract_result.block_text */
    uint32_t n;           /* bytes, never 0 */
    uint32_t link_bytes;  /* of n, inside links */
    uint32_t hidden_root; /* number of the outermost hidden element around it, 0: none */
    uint16_t depth;       /* open elements */
    uint8_t tag;          /* enum sl_tag of the innermost block element */
    uint8_t sep;          /* enum sl_block_sep */
    uint8_t flags;        /* or-ed enum sl_block_flag */
};

struct sl_extract_input {
    struct sl_str body;
    enum sl_page_kind kind;     /* SL_PAGE_OTHER is read as HTML */
    struct sl_str content_type; /* the header's value; only its charset is used */
};

struct sl_extract_result {
    struct sl_str text;
    struct sl_str title;       /* of the first title element, at most 4 KiB */
    struct sl_str html_lang;   /* of the html element */
    struct sl_str meta_robots; /* contents of meta robots, joined by ", " */
    enum sl_charset charset;
    enum sl_charset_source charset_source;
    uint64_t n_replaced;   /* U+FFFD written by decoding */
    uint64_t n_text_bytes; /* of the kept blocks, without separators */
    uint64_t n_link_bytes; /* of these, inside links */
    struct sl_block *blocks;
    size_t n_blocks;
    struct sl_str block_text; /* every block's text, end to end */
};

struct sl_extractor;

/* NULL where memory is out. free takes NULL. */
struct sl_extractor *sl_extractor_new(void);
void sl_extractor_free(struct sl_extractor *x);

/* Extract one page.
 *
 * Returns  SL_OK, also for a page without text; SL_E_DATA where the body is over
 *          256 MiB; SL_E_SYSTEM where memory is out or iconv lacks an encoding. */
SL_MUST_USE enum sl_status sl_extract(struct sl_extractor *x, const struct sl_extract_input *in,
                                      struct sl_extract_result *out, struct sl_err *err);

#endif
