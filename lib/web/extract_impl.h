/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_WEB_EXTRACT_IMPL_H
#define SL_WEB_EXTRACT_IMPL_H

/* What the extractor's files share; no one else includes this. */

#include "web/extract.h"

/* What blanks before the next character amount to; the higher one wins. */
enum text_gap {
    GAP_NONE,
    GAP_SPACE,
    GAP_BREAK, /* blanks with a line feed: nothing between two ideographs */
    GAP_LINE   /* a br element */
};

/* Text under construction. */
struct text_run {
    struct sl_buf *out;
    size_t from; /* where the current block begins in out */
    uint8_t gap; /* enum text_gap */
};

/* Append text with blanks collapsed, or as it is written (pre). The bytes are
 * valid UTF-8; characters that no text should have are left out. */
SL_MUST_USE enum sl_status sl_text_add(struct text_run *run, struct sl_str s, struct sl_err *err);
SL_MUST_USE enum sl_status sl_text_add_pre(struct text_run *run, struct sl_str s,
                                           struct sl_err *err);

/* Bytes of the current block. */
static inline size_t text_n(const struct text_run *run)
{
    return run->out->n - run->from;
}

static inline void text_gap_at_least(struct text_run *run, enum text_gap gap)
{
    if (run->gap < gap)
        run->gap = (uint8_t)gap;
}

enum name_space { NS_HTML, NS_SVG, NS_MATH };

enum { NO_ELEMENT = -1, STACK_MAX = SL_EXTRACT_DEPTH_MAX + 8 };

struct open_element {
    uint32_t name_hash; /* of SL_TAG_OTHER: tells two apart */
    uint8_t tag;        /* enum sl_tag */
    uint8_t ns;         /* enum name_space */
    bool dead;          /* its end tag came while a block in it was open */
    bool link, drop, pre;
    bool hidden;          /* its blocks are marked so */
    bool integration;     /* foreign, but its content is HTML */
    bool layout;          /* table: its cells hold more than a line each */
    int16_t prev_same;    /* next lower element of the same tag */
    int16_t barrier;      /* nearest barrier at or below */
    int16_t block;        /* nearest block element at or below */
    uint32_t first_block; /* number of blocks when it was opened */
};

struct sl_extractor {
    struct sl_html *html;
    struct sl_charset_decoder *decoder;
    struct sl_buf decoded, block_text, blocks, text, title, lang, robots;

    struct open_element stack[STACK_MAX];
    int depth;
    unsigned n_over; /* elements open beyond the stack */
    int16_t top_of[SL_TAG_N];
    unsigned n_link, n_drop, n_pre, n_hidden; /* open elements that are one */
    uint32_t n_hidden_roots;

    struct text_run run, title_run;
    uint32_t link_bytes; /* of the current block */
    uint8_t sep;         /* enum sl_block_sep of the current or next block */
    bool sep_locked;     /* no element may raise it before text comes */
    bool skip_lf;        /* a line feed right behind <pre> is no text */
    bool in_title, has_title, has_lang, body_seen, at_end;
};

/* The stack of open elements. */
void sl_tree_reset(struct sl_extractor *x);
/* Push an element; false where the stack is full and the element is flattened. */
bool sl_tree_push(struct sl_extractor *x, struct open_element e);
/* Pop the element at index i and all above it. */
void sl_tree_pop_to(struct sl_extractor *x, int i);
/* Neutralise the element at index i, which stays on the stack. */
void sl_tree_kill(struct sl_extractor *x, int i);
uint32_t sl_tree_name_hash(struct sl_str name);
/* The open element that an end tag closes; NO_ELEMENT where it is stray. */
int sl_tree_find_end(const struct sl_extractor *x, enum sl_tag tag, uint32_t name_hash);
/* Close what a start tag ends without a word: p, li, td, ... */
void sl_tree_imply_ends(struct sl_extractor *x, enum sl_tag tag);
/* True where the current element's content is foreign. */
bool sl_tree_in_foreign(const struct sl_extractor *x);
bool sl_tree_is_foreign_element(const struct sl_extractor *x);

static inline int tree_barrier(const struct sl_extractor *x)
{
    return x->depth ? x->stack[x->depth - 1].barrier : NO_ELEMENT;
}

/* Blocks so far. */
static inline uint32_t block_count(const struct sl_extractor *x)
{
    return (uint32_t)(x->blocks.n / sizeof(struct sl_block));
}

/* End the current block, if it has text. What is dropped ends none. */
SL_MUST_USE enum sl_status sl_block_end(struct sl_extractor *x, struct sl_err *err);
/* The same, and what follows is at least sep away (block_force: exactly, and
 * nothing before its text changes that). */
SL_MUST_USE enum sl_status sl_block_break(struct sl_extractor *x, enum sl_block_sep sep,
                                          struct sl_err *err);
SL_MUST_USE enum sl_status sl_block_force(struct sl_extractor *x, enum sl_block_sep sep,
                                          struct sl_err *err);
/* The separation that the beginning or end of a block element makes. */
SL_MUST_USE enum sl_status sl_block_edge(struct sl_extractor *x, enum sl_tag tag, bool start,
                                         struct sl_err *err);

/* Which blocks are the page's text. */
void sl_extract_decide(struct sl_block *blocks, size_t n_blocks);
SL_MUST_USE enum sl_status sl_extract_write(struct sl_extractor *x, struct sl_extract_result *out,
                                            struct sl_err *err);

/* Feed the tokens of the page that x->html was started with. */
SL_MUST_USE enum sl_status sl_extract_tokens(struct sl_extractor *x, struct sl_err *err);

#endif
