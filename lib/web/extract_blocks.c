/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks: where they end, how far apart they stand, which are kept, and the
 * text that the kept ones make.
 *
 * Separation. An element's edge asks for at least a line or a paragraph; what is
 * asked before the next text adds up to the largest. An item, row or cell knows
 * exactly what must stand before its text (a paragraph in a cell must not tear
 * the row), so it locks the separation until its text comes. Inside items and
 * cells a div is a line, elsewhere a paragraph.
 *
 * A table whose cells hold several blocks is a layout, not data: from the second
 * block on its rows and cells are paragraphs.
 *
 * The decision about main text will work on the flat list between the two halves
 * of this file: it sees every block with its tag, link share and place. */
#include "web/extract_impl.h"

static struct sl_block *block_list(const struct sl_extractor *x)
{
    return (struct sl_block *)(void *)x->blocks.p;
}

/* Nearest open list item, definition or cell; NO_ELEMENT. */
static int open_item(const struct sl_extractor *x)
{
    static const uint8_t items[] = { SL_TAG_LI, SL_TAG_DD, SL_TAG_DT, SL_TAG_TD, SL_TAG_TH };
    int best = NO_ELEMENT;
    for (size_t i = 0; i < sizeof items; i++)
        if (x->top_of[items[i]] > best)
            best = x->top_of[items[i]];
    return best;
}

static bool is_cell(const struct sl_extractor *x, int i)
{
    return i >= 0 && (x->stack[i].tag == SL_TAG_TD || x->stack[i].tag == SL_TAG_TH);
}

static struct open_element *table_of(struct sl_extractor *x)
{
    int i = x->top_of[SL_TAG_TABLE];
    return i >= 0 ? &x->stack[i] : NULL;
}

/* Whether text has come since the element was opened. */
static bool has_blocks(const struct sl_extractor *x, const struct open_element *e)
{
    return block_count(x) > e->first_block;
}

/* The second block in a cell tells that its table is a layout. */
static void judge_table(struct sl_extractor *x)
{
    int item = open_item(x);
    struct open_element *table = table_of(x);
    if (is_cell(x, item) && table && block_count(x) > x->stack[item].first_block + 1)
        table->layout = true;
}

static uint8_t block_flags(const struct sl_extractor *x, enum sl_tag tag)
{
    unsigned flags = (x->n_pre ? SL_BLOCK_PRE : 0) | (x->n_hidden ? SL_BLOCK_HIDDEN : 0);
    if (sl_tag_flags(tag) & SL_TAG_IS_HEADING)
        flags |= SL_BLOCK_HEADING;
    int item = open_item(x);
    if (is_cell(x, item))
        flags |= SL_BLOCK_TABLE;
    else if (item != NO_ELEMENT)
        flags |= SL_BLOCK_LIST;
    return (uint8_t)flags;
}

enum sl_status sl_block_end(struct sl_extractor *x, struct sl_err *err)
{
    struct text_run *run = &x->run;
    if (x->n_drop && !x->at_end)
        return SL_OK;
    run->gap = GAP_NONE;
    struct sl_buf *out = run->out;
    while (text_n(run) && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == ' '))
        out->n--;
    while (text_n(run) && out->p[run->from] == '\n') /* of a pre */
        run->from++;
    size_t n = text_n(run);
    if (n == 0)
        return SL_OK;
    if (x->link_bytes > n)
        x->link_bytes = (uint32_t)n;
    if (block_count(x) == SL_EXTRACT_BLOCKS_MAX - 1 && !x->at_end) {
        run->gap = GAP_LINE; /* the last block stays open */
        return SL_OK;
    }
    int at = x->depth ? x->stack[x->depth - 1].block : NO_ELEMENT;
    enum sl_tag tag = at >= 0 ? x->stack[at].tag : SL_TAG_OTHER;
    struct sl_block b = {
        .off = (uint32_t)run->from,
        .n = (uint32_t)n,
        .link_bytes = x->link_bytes,
        .hidden_root = x->n_hidden ? x->n_hidden_roots : 0,
        .depth = (uint16_t)x->depth,
        .tag = (uint8_t)tag,
        .sep = x->sep,
        .flags = block_flags(x, tag),
    };
    SL_TRY(sl_buf_add(&x->blocks, &b, sizeof b, err));
    judge_table(x);
    run->from = out->n;
    x->link_bytes = 0;
    x->sep = SL_SEP_NONE;
    x->sep_locked = false;
    return SL_OK;
}

enum sl_status sl_block_break(struct sl_extractor *x, enum sl_block_sep sep, struct sl_err *err)
{
    SL_TRY(sl_block_end(x, err));
    if (!x->n_drop && !x->sep_locked && x->sep < sep)
        x->sep = (uint8_t)sep;
    return SL_OK;
}

enum sl_status sl_block_force(struct sl_extractor *x, enum sl_block_sep sep, struct sl_err *err)
{
    SL_TRY(sl_block_end(x, err));
    if (x->n_drop)
        return SL_OK;
    x->sep = (uint8_t)sep;
    x->sep_locked = true;
    return SL_OK;
}

/* What is asked for stays, at least a line, and is not raised any more. */
static enum sl_status first_in_group(struct sl_extractor *x, struct sl_err *err)
{
    SL_TRY(sl_block_break(x, SL_SEP_LINE, err));
    x->sep_locked |= x->n_drop == 0;
    return SL_OK;
}

static enum sl_status item_start(struct sl_extractor *x, struct sl_err *err)
{
    static const uint8_t lists[] = { SL_TAG_UL, SL_TAG_OL, SL_TAG_MENU, SL_TAG_DIR, SL_TAG_DL };
    int list = NO_ELEMENT;
    for (size_t i = 0; i < sizeof lists; i++)
        if (x->top_of[lists[i]] > list)
            list = x->top_of[lists[i]];
    if (list != NO_ELEMENT && !has_blocks(x, &x->stack[list]))
        return first_in_group(x, err);
    return sl_block_force(x, SL_SEP_LINE, err);
}

static enum sl_status row_start(struct sl_extractor *x, struct sl_err *err)
{
    struct open_element *table = table_of(x);
    if (!table || !has_blocks(x, table))
        return first_in_group(x, err);
    return sl_block_force(x, table->layout ? SL_SEP_PARA : SL_SEP_LINE, err);
}

static enum sl_status cell_start(struct sl_extractor *x, struct sl_err *err)
{
    struct open_element *table = table_of(x);
    int row = x->top_of[SL_TAG_TR];
    if (row > x->top_of[SL_TAG_TABLE] && has_blocks(x, &x->stack[row]))
        return sl_block_force(x, table && table->layout ? SL_SEP_PARA : SL_SEP_CELL, err);
    SL_TRY(sl_block_end(x, err));
    x->sep_locked |= x->n_drop == 0;
    return SL_OK;
}

/* Lines or paragraphs for a div and its like at this place. */
static enum sl_block_sep box_sep(struct sl_extractor *x)
{
    int item = open_item(x);
    if (x->n_pre)
        return SL_SEP_LINE;
    if (item == NO_ELEMENT)
        return SL_SEP_PARA;
    struct open_element *table = table_of(x);
    return is_cell(x, item) && table && table->layout ? SL_SEP_PARA : SL_SEP_LINE;
}

enum sl_status sl_block_edge(struct sl_extractor *x, enum sl_tag tag, bool start,
                             struct sl_err *err)
{
    switch (tag) {
    case SL_TAG_LI:
    case SL_TAG_DD:
    case SL_TAG_DT:
        return start ? item_start(x, err) : sl_block_break(x, SL_SEP_LINE, err);
    case SL_TAG_TR:
        return start ? row_start(x, err) : sl_block_break(x, SL_SEP_LINE, err);
    case SL_TAG_TD:
    case SL_TAG_TH:
        return start ? cell_start(x, err) : sl_block_end(x, err);
    case SL_TAG_TABLE:
        if (start && is_cell(x, open_item(x)) && table_of(x)) {
            table_of(x)->layout = true; /* the outer table */
            x->sep = x->sep == SL_SEP_CELL ? SL_SEP_PARA : x->sep;
        }
        return sl_block_break(x, box_sep(x), err);
    case SL_TAG_P:
    case SL_TAG_BLOCKQUOTE:
    case SL_TAG_PRE:
    case SL_TAG_H1:
    case SL_TAG_H2:
    case SL_TAG_H3:
    case SL_TAG_H4:
    case SL_TAG_H5:
    case SL_TAG_H6:
        return sl_block_break(x, SL_SEP_PARA, err);
    default:
        return sl_block_break(x, box_sep(x), err);
    }
}

static uint64_t text_outside_links(const struct sl_block *blocks, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += blocks[i].n - blocks[i].link_bytes;
    return sum;
}

/* Blocks of one hidden element stand next to each other. */
void sl_extract_decide(struct sl_block *blocks, size_t n)
{
    uint64_t all = text_outside_links(blocks, n);
    for (size_t i = 0, end; i < n; i = end) {
        uint32_t root = blocks[i].hidden_root;
        for (end = i + 1; end < n && blocks[end].hidden_root == root; end++)
            continue;
        bool keep = root == 0 || text_outside_links(blocks + i, end - i) > all / 2;
        for (size_t k = i; keep && k < end; k++)
            blocks[k].flags |= SL_BLOCK_KEEP;
    }
}

static struct sl_str sep_text(uint8_t sep)
{
    switch (sep) {
    case SL_SEP_CELL:
        return SL_STR("\t");
    case SL_SEP_LINE:
        return SL_STR("\n");
    default:
        return SL_STR("\n\n");
    }
}

enum sl_status sl_extract_write(struct sl_extractor *x, struct sl_extract_result *out,
                                struct sl_err *err)
{
    struct sl_block *blocks = block_list(x);
    size_t n = block_count(x);
    out->blocks = blocks;
    out->n_blocks = n;
    out->block_text = sl_buf_str(&x->block_text);
    SL_TRY(sl_buf_reserve(&x->text, x->block_text.n + 2 * n, err));
    uint8_t sep = SL_SEP_NONE;
    for (size_t i = 0; i < n; i++) {
        /* A block that goes leaves its separation to the next one. */
        if (sep < blocks[i].sep)
            sep = blocks[i].sep;
        if (!(blocks[i].flags & SL_BLOCK_KEEP))
            continue;
        if (x->text.n)
            SL_TRY(sl_buf_add_str(&x->text, sep_text(sep), err));
        SL_TRY(sl_buf_add(&x->text, x->block_text.p + blocks[i].off, blocks[i].n, err));
        out->n_text_bytes += blocks[i].n;
        out->n_link_bytes += blocks[i].link_bytes;
        sep = SL_SEP_NONE;
    }
    out->text = sl_buf_str(&x->text);
    return SL_OK;
}
