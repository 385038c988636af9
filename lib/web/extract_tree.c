/* SPDX-License-Identifier: Apache-2.0 */
/* The stack of open elements: as much of a tree builder as text needs.
 *
 * It must know which element's end makes text visible again, where links end,
 * and which names are foreign (there the tokenizer must not switch to RAWTEXT).
 * Foster parenting and the adoption agency move text of few pages and hide
 * none, so they are left out: an inline element whose end tag comes while a
 * block in it is open is marked dead instead of taking the block along.
 *
 * Every search is one step: for each tag the highest open element is known, each
 * element knows the next lower one of its tag and the nearest scope barrier. So
 * no page can make an end tag cost more than the pops that its start tags paid
 * for. */
#include "web/extract_impl.h"

void sl_tree_reset(struct sl_extractor *x)
{
    x->depth = 0;
    x->n_over = x->n_link = x->n_drop = x->n_pre = x->n_hidden = 0;
    x->n_hidden_roots = 0;
    for (int i = 0; i < SL_TAG_N; i++)
        x->top_of[i] = NO_ELEMENT;
}

uint32_t sl_tree_name_hash(struct sl_str name)
{
    uint32_t h = (uint32_t)name.n;
    size_t n = name.n < 32 ? name.n : 32;
    for (size_t i = 0; i < n; i++)
        h = h * 31 + (uint8_t)name.p[i];
    return h;
}

bool sl_tree_push(struct sl_extractor *x, struct open_element e)
{
    /* The last places are for elements whose text must not be read as markup. */
    unsigned flags = sl_tag_flags(e.tag);
    bool raw = e.ns == NS_HTML && sl_tag_content_state(e.tag) != SL_HTML_DATA;
    if (x->depth >= (raw ? STACK_MAX : SL_EXTRACT_DEPTH_MAX)) {
        x->n_over++;
        return false;
    }
    int16_t i = (int16_t)x->depth++;
    e.prev_same = x->top_of[e.tag];
    e.barrier = i;
    if (!(flags & SL_TAG_IS_BARRIER))
        e.barrier = i ? x->stack[i - 1].barrier : NO_ELEMENT;
    e.block = i;
    if (!(flags & SL_TAG_IS_BLOCK))
        e.block = i ? x->stack[i - 1].block : NO_ELEMENT;
    x->top_of[e.tag] = i;
    x->n_link += e.link;
    x->n_drop += e.drop;
    x->n_pre += e.pre;
    x->n_hidden_roots += e.hidden && x->n_hidden == 0;
    x->n_hidden += e.hidden;
    x->stack[i] = e;
    return true;
}

void sl_tree_pop_to(struct sl_extractor *x, int i)
{
    while (x->depth > i) {
        const struct open_element *e = &x->stack[--x->depth];
        if (!e->dead)
            x->top_of[e->tag] = e->prev_same;
        x->n_link -= e->link;
        x->n_drop -= e->drop;
        x->n_pre -= e->pre;
        x->n_hidden -= e->hidden;
    }
}

void sl_tree_kill(struct sl_extractor *x, int i)
{
    struct open_element *e = &x->stack[i];
    x->top_of[e->tag] = e->prev_same;
    e->dead = true;
    x->n_link -= e->link;
    e->link = false;
}

static bool is_table_part(enum sl_tag tag)
{
    switch (tag) {
    case SL_TAG_TR:
    case SL_TAG_TD:
    case SL_TAG_TH:
    case SL_TAG_TBODY:
    case SL_TAG_THEAD:
    case SL_TAG_TFOOT:
    case SL_TAG_CAPTION:
        return true;
    default:
        return false;
    }
}

int sl_tree_find_end(const struct sl_extractor *x, enum sl_tag tag, uint32_t name_hash)
{
    int limit = tree_barrier(x), i = x->top_of[tag];
    if (is_table_part(tag))
        limit = x->top_of[SL_TAG_TABLE];
    else if (sl_tag_flags(tag) & SL_TAG_IS_BARRIER)
        limit = NO_ELEMENT;
    /* Names that we do not know share a number; a few steps find the right one. */
    for (int steps = 0; tag == SL_TAG_OTHER && i > limit && steps < 8; steps++) {
        if (x->stack[i].name_hash == name_hash)
            return i;
        i = x->stack[i].prev_same;
    }
    return i > limit && tag != SL_TAG_OTHER ? i : NO_ELEMENT;
}

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

/* Close the highest element of tag that stands above limit. */
static void close_above(struct sl_extractor *x, enum sl_tag tag, int limit)
{
    if (x->top_of[tag] > limit)
        sl_tree_pop_to(x, x->top_of[tag]);
}

static void close_items(struct sl_extractor *x, enum sl_tag tag)
{
    const int16_t *top = x->top_of;
    int limit = tree_barrier(x);
    if (tag == SL_TAG_LI) {
        int list = max_int(max_int(top[SL_TAG_UL], top[SL_TAG_OL]),
                           max_int(top[SL_TAG_MENU], top[SL_TAG_DIR]));
        close_above(x, SL_TAG_LI, max_int(limit, list));
        return;
    }
    limit = max_int(limit, top[SL_TAG_DL]);
    close_above(x, SL_TAG_DD, limit);
    close_above(x, SL_TAG_DT, limit);
}

static void close_table_parts(struct sl_extractor *x, enum sl_tag tag)
{
    int table = x->top_of[SL_TAG_TABLE];
    if (tag == SL_TAG_TD || tag == SL_TAG_TH) {
        int row = max_int(table, x->top_of[SL_TAG_TR]);
        close_above(x, SL_TAG_TD, row);
        close_above(x, SL_TAG_TH, row);
        return;
    }
    close_above(x, SL_TAG_TR, table);
    close_above(x, SL_TAG_CAPTION, table);
    if (tag == SL_TAG_TR)
        return;
    close_above(x, SL_TAG_TBODY, table);
    close_above(x, SL_TAG_THEAD, table);
    close_above(x, SL_TAG_TFOOT, table);
}

void sl_tree_imply_ends(struct sl_extractor *x, enum sl_tag tag)
{
    unsigned flags = sl_tag_flags(tag);
    if (is_table_part(tag)) {
        close_table_parts(x, tag);
        return;
    }
    if (tag == SL_TAG_LI || tag == SL_TAG_DD || tag == SL_TAG_DT)
        close_items(x, tag);
    if (tag == SL_TAG_SELECT || tag == SL_TAG_INPUT || tag == SL_TAG_TEXTAREA)
        close_above(x, SL_TAG_SELECT, tree_barrier(x));
    if (flags & SL_TAG_IS_BLOCK)
        close_above(x, SL_TAG_P, tree_barrier(x));
    if ((flags & SL_TAG_IS_HEADING) && x->depth &&
        (sl_tag_flags(x->stack[x->depth - 1].tag) & SL_TAG_IS_HEADING))
        sl_tree_pop_to(x, x->depth - 1);
    if (tag == SL_TAG_A && x->top_of[SL_TAG_A] > tree_barrier(x))
        sl_tree_kill(x, x->top_of[SL_TAG_A]);
}

bool sl_tree_is_foreign_element(const struct sl_extractor *x)
{
    return x->depth && x->stack[x->depth - 1].ns != NS_HTML;
}

bool sl_tree_in_foreign(const struct sl_extractor *x)
{
    return sl_tree_is_foreign_element(x) && !x->stack[x->depth - 1].integration;
}
