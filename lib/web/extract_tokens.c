/* SPDX-License-Identifier: Apache-2.0 */
/* From tokens to blocks.
 *
 * One pass. A start tag ends blocks, closes what it implies, is pushed, and
 * tells the tokenizer how to read what follows; an end tag pops. Text goes to the
 * current block unless something open is dropped. html and body are never
 * pushed: nothing depends on them. */
#include "web/extract_impl.h"

enum { META_MAX = 1024, TITLE_MAX = 4096 };

static enum sl_status copy_fact(struct sl_buf *to, struct sl_str s, struct sl_err *err)
{
    struct text_run run = { .out = to, .from = to->n };
    s = sl_str_trim(s);
    if (s.n == 0 || s.n + to->n > META_MAX)
        return SL_OK;
    return sl_text_add(&run, s, err);
}

static enum sl_status on_meta(struct sl_extractor *x, struct sl_err *err)
{
    struct sl_str name = sl_html_attr_find(x->html, SL_STR("name"));
    if (!sl_str_eq_nocase(sl_str_trim(name), SL_STR("robots")))
        return SL_OK;
    size_t n = x->robots.n;
    if (n)
        SL_TRY(sl_buf_add(&x->robots, ", ", 2, err));
    size_t joined = x->robots.n;
    SL_TRY(copy_fact(&x->robots, sl_html_attr_find(x->html, SL_STR("content")), err));
    if (x->robots.n == joined)
        x->robots.n = n;
    return SL_OK;
}

static enum sl_status on_html(struct sl_extractor *x, struct sl_err *err)
{
    if (x->has_lang)
        return SL_OK;
    x->has_lang = true;
    struct sl_str lang = sl_html_attr_find(x->html, SL_STR("lang"));
    if (sl_str_trim(lang).n == 0)
        lang = sl_html_attr_find(x->html, SL_STR("xml:lang"));
    return copy_fact(&x->lang, lang, err);
}

static size_t skip_blanks(struct sl_str s, size_t i)
{
    while (i < s.n && (s.p[i] == ' ' || (s.p[i] >= '\t' && s.p[i] <= '\r')))
        i++;
    return i;
}

/* Whether the CSS declarations hold property: value, blanks and case aside. */
static bool style_has(struct sl_str style, struct sl_str property, struct sl_str value)
{
    for (size_t i = 0; i + property.n < style.n; i++) {
        struct sl_str rest = { style.p + i, style.n - i };
        if ((*rest.p | 0x20) != property.p[0] || !sl_str_starts_nocase(rest, property))
            continue;
        size_t at = skip_blanks(style, i + property.n);
        if (at == style.n || style.p[at] != ':')
            continue;
        at = skip_blanks(style, at + 1);
        rest = (struct sl_str){ style.p + at, style.n - at };
        if (sl_str_starts_nocase(rest, value))
            return true;
    }
    return false;
}

static bool is_hiding_style(struct sl_str style)
{
    return style_has(style, SL_STR("display"), SL_STR("none")) ||
           style_has(style, SL_STR("visibility"), SL_STR("hidden"));
}

/* Whether the attributes of the current tag hide the element. React streams
 * parts of a page as <div hidden id="S:0">, for a script to move into place. */
static bool is_hidden(struct sl_extractor *x, const struct sl_html_token *tok)
{
    bool hidden = false, streamed = false;
    for (size_t i = 0; i < tok->n_attrs; i++) {
        struct sl_html_attr *a = &tok->attrs[i];
        if (a->name.n == 2 && sl_str_eq(a->name, SL_STR("id")))
            streamed = sl_str_starts(a->value, SL_STR("S:"));
        else if (a->name.n == 5 && sl_str_eq(a->name, SL_STR("style")))
            hidden |= is_hiding_style(sl_html_attr_value(x->html, a));
        else if (a->name.n == 6 && sl_str_eq(a->name, SL_STR("hidden")))
            hidden = true;
        else if (a->name.n == 11 && sl_str_eq(a->name, SL_STR("aria-hidden")))
            hidden |= sl_str_eq_nocase(sl_html_attr_value(x->html, a), SL_STR("true"));
    }
    return hidden && !streamed;
}

/* What the attributes of the current tag say about the element. */
static void read_attributes(struct sl_extractor *x, const struct sl_html_token *tok,
                            struct open_element *e)
{
    struct sl_str value;
    if (tok->n_attrs == 0)
        return;
    switch (e->tag) {
    case SL_TAG_A:
        e->link = sl_html_attr_find(x->html, SL_STR("href")).p != NULL;
        break;
    case SL_TAG_TABLE:
        value = sl_html_attr_find(x->html, SL_STR("role"));
        e->layout = sl_str_eq_nocase(value, SL_STR("presentation"));
        break;
    case SL_TAG_DIALOG:
        e->drop = sl_html_attr_find(x->html, SL_STR("open")).p == NULL;
        break;
    case SL_TAG_ANNOTATION_XML:
        value = sl_html_attr_find(x->html, SL_STR("encoding"));
        e->integration = sl_str_eq_nocase(value, SL_STR("text/html"));
        break;
    default:
        break;
    }
    if (e->drop || !is_hidden(x, tok))
        return;
    /* A block's text is set apart and may come back; a part of a line cannot. */
    if (e->ns == NS_HTML && (sl_tag_flags(e->tag) & SL_TAG_IS_BLOCK))
        e->hidden = true;
    else
        e->drop = true;
}

/* An element that has no content. */
static enum sl_status on_void(struct sl_extractor *x, enum sl_tag tag, struct sl_err *err)
{
    switch (tag) {
    case SL_TAG_META:
        return on_meta(x, err);
    case SL_TAG_HR:
        return sl_block_break(x, SL_SEP_PARA, err);
    case SL_TAG_BR:
        break;
    default:
        return SL_OK;
    }
    if (x->n_drop || text_n(&x->run) == 0)
        return SL_OK;
    if (x->n_pre)
        return sl_text_add_pre(&x->run, SL_STR("\n"), err);
    if (x->run.gap == GAP_LINE)
        return sl_block_break(x, SL_SEP_PARA, err);
    x->run.gap = GAP_LINE;
    return SL_OK;
}

/* The head ends where something stands that may not be in it. */
static void leave_head(struct sl_extractor *x, enum sl_tag tag)
{
    int head = x->top_of[SL_TAG_HEAD];
    if (head == NO_ELEMENT)
        return;
    enum sl_tag top = x->stack[x->depth - 1].tag;
    if ((top == SL_TAG_HEAD || top == SL_TAG_NOSCRIPT) && !(sl_tag_flags(tag) & SL_TAG_IS_HEAD))
        sl_tree_pop_to(x, head);
}

static void begin_title(struct sl_extractor *x)
{
    unsigned own = x->top_of[SL_TAG_HEAD] == NO_ELEMENT ? 1 : 2; /* it and the head are dropped */
    if (x->has_title || x->n_drop > own)
        return;
    x->has_title = x->in_title = true;
    x->title_run = (struct text_run){ .out = &x->title };
}

/* A start tag of the HTML name space whose element has content. */
static enum sl_status open_html(struct sl_extractor *x, const struct sl_html_token *tok,
                                struct open_element e, struct sl_err *err)
{
    unsigned flags = sl_tag_flags(e.tag);
    if (flags & SL_TAG_IS_BLOCK) {
        bool after_p = x->top_of[SL_TAG_P] > tree_barrier(x);
        SL_TRY(sl_block_break(x, after_p ? SL_SEP_PARA : SL_SEP_NONE, err));
        sl_tree_imply_ends(x, e.tag);
        SL_TRY(sl_block_edge(x, e.tag, true, err));
    } else {
        sl_tree_imply_ends(x, e.tag);
    }
    if (e.tag == SL_TAG_BUTTON)
        text_gap_at_least(&x->run, GAP_SPACE);
    e.drop = (flags & SL_TAG_IS_DROP) || e.tag == SL_TAG_DIALOG;
    e.pre = (flags & SL_TAG_IS_PRE) != 0;
    x->skip_lf = e.tag == SL_TAG_PRE || e.tag == SL_TAG_LISTING;
    if (e.tag == SL_TAG_SVG || e.tag == SL_TAG_MATH)
        e.ns = e.tag == SL_TAG_SVG ? NS_SVG : NS_MATH;
    read_attributes(x, tok, &e);
    if (e.ns != NS_HTML && tok->self_closing)
        return SL_OK;
    e.first_block = block_count(x);
    bool pushed = sl_tree_push(x, e);
    sl_html_set_state(x->html, sl_tag_content_state(e.tag));
    if (pushed && e.tag == SL_TAG_TITLE)
        begin_title(x);
    return SL_OK;
}

static enum sl_status on_html_start(struct sl_extractor *x, const struct sl_html_token *tok,
                                    struct open_element e, struct sl_err *err)
{
    leave_head(x, e.tag);
    if (sl_tag_flags(e.tag) & SL_TAG_IS_VOID) {
        sl_tree_imply_ends(x, e.tag);
        return on_void(x, e.tag, err);
    }
    switch (e.tag) {
    case SL_TAG_HTML:
        return on_html(x, err);
    case SL_TAG_HEAD:
        if (x->body_seen || x->depth)
            return SL_OK;
        e.drop = true;
        sl_tree_push(x, e);
        return SL_OK;
    case SL_TAG_BODY:
        x->body_seen = true;
        return sl_block_break(x, SL_SEP_PARA, err);
    default:
        break;
    }
    if (!(sl_tag_flags(e.tag) & SL_TAG_IS_HEAD))
        x->body_seen = true;
    return open_html(x, tok, e, err);
}

static bool leaves_foreign(struct sl_extractor *x, enum sl_tag tag)
{
    if (sl_tag_flags(tag) & SL_TAG_IS_BREAKOUT)
        return true;
    return tag == SL_TAG_FONT && (sl_html_attr_find(x->html, SL_STR("color")).p ||
                                  sl_html_attr_find(x->html, SL_STR("face")).p ||
                                  sl_html_attr_find(x->html, SL_STR("size")).p);
}

static void open_foreign(struct sl_extractor *x, const struct sl_html_token *tok,
                         struct open_element e)
{
    bool svg = x->stack[x->depth - 1].ns == NS_SVG;
    bool svg_point = e.tag == SL_TAG_FOREIGNOBJECT || e.tag == SL_TAG_DESC || e.tag == SL_TAG_TITLE;
    e.ns = svg ? NS_SVG : NS_MATH;
    e.integration = (sl_tag_flags(e.tag) & SL_TAG_IS_INTEGRATION) && svg == svg_point &&
                    e.tag != SL_TAG_ANNOTATION_XML;
    e.drop = e.tag == SL_TAG_ANNOTATION || e.tag == SL_TAG_ANNOTATION_XML ||
             e.tag == SL_TAG_SCRIPT || e.tag == SL_TAG_STYLE;
    read_attributes(x, tok, &e);
    if (!tok->self_closing)
        sl_tree_push(x, e);
}

static enum sl_status on_start(struct sl_extractor *x, const struct sl_html_token *tok,
                               struct sl_err *err)
{
    struct open_element e = { .tag = (uint8_t)sl_tag_of(tok->name) };
    x->skip_lf = false;
    if (e.tag == SL_TAG_OTHER)
        e.name_hash = sl_tree_name_hash(tok->name);
    else if (e.tag == SL_TAG_IMAGE)
        e.tag = SL_TAG_IMG;
    while (sl_tree_in_foreign(x)) {
        if (!leaves_foreign(x, e.tag)) {
            open_foreign(x, tok, e);
            return SL_OK;
        }
        sl_tree_pop_to(x, x->depth - 1);
    }
    return on_html_start(x, tok, e, err);
}

/* End tags of elements that are not on the stack. */
static enum sl_status on_stray_end(struct sl_extractor *x, enum sl_tag tag, struct sl_err *err)
{
    if (tag == SL_TAG_BR)
        return on_void(x, tag, err);
    if (tag == SL_TAG_P || tag == SL_TAG_BODY)
        return sl_block_break(x, SL_SEP_PARA, err);
    return SL_OK;
}

static enum sl_status on_end(struct sl_extractor *x, struct sl_str name, struct sl_err *err)
{
    enum sl_tag tag = sl_tag_of(name);
    unsigned flags = sl_tag_flags(tag);
    x->skip_lf = false;
    if (x->n_over && !(flags & SL_TAG_IS_VOID) && sl_tag_content_state(tag) == SL_HTML_DATA) {
        x->n_over--;
        return flags & SL_TAG_IS_BLOCK ? sl_block_break(x, SL_SEP_LINE, err) : SL_OK;
    }
    int i = sl_tree_find_end(x, tag, tag == SL_TAG_OTHER ? sl_tree_name_hash(name) : 0);
    if (i == NO_ELEMENT)
        return on_stray_end(x, tag, err);
    if (flags & SL_TAG_IS_BLOCK)
        SL_TRY(sl_block_end(x, err));
    else if (tag == SL_TAG_BUTTON)
        text_gap_at_least(&x->run, GAP_SPACE);
    bool inline_over_block = !(flags & (SL_TAG_IS_BLOCK | SL_TAG_IS_BARRIER)) &&
                             x->stack[i].ns == NS_HTML && x->stack[x->depth - 1].block > i &&
                             !x->stack[i].drop;
    if (inline_over_block)
        sl_tree_kill(x, i);
    else
        sl_tree_pop_to(x, i);
    if (tag == SL_TAG_TITLE)
        x->in_title = false;
    return flags & SL_TAG_IS_BLOCK ? sl_block_edge(x, tag, false, err) : SL_OK;
}

static bool is_all_blank(struct sl_str s)
{
    return sl_str_trim(s).n == 0;
}

static enum sl_status on_text(struct sl_extractor *x, struct sl_str s, struct sl_err *err)
{
    if (x->in_title)
        return x->title.n < TITLE_MAX ? sl_text_add(&x->title_run, s, err) : SL_OK;
    if (x->depth && x->stack[x->depth - 1].tag == SL_TAG_HEAD && !is_all_blank(s))
        sl_tree_pop_to(x, x->depth - 1);
    if (x->n_drop)
        return SL_OK;
    if (x->skip_lf && s.n && s.p[0] == '\n') {
        s.p++;
        s.n--;
    }
    x->skip_lf = false;
    size_t before = x->run.out->n;
    if (x->n_pre)
        SL_TRY(sl_text_add_pre(&x->run, s, err));
    else
        SL_TRY(sl_text_add(&x->run, s, err));
    if (x->n_link && x->run.out->n > before)
        x->link_bytes += (uint32_t)(x->run.out->n - before);
    return SL_OK;
}

enum sl_status sl_extract_tokens(struct sl_extractor *x, struct sl_err *err)
{
    const struct sl_html_token *tok;
    while ((tok = sl_html_next(x->html))->kind != SL_HTML_EOF) {
        switch (tok->kind) {
        case SL_HTML_TEXT:
            SL_TRY(on_text(x, tok->text, err));
            break;
        case SL_HTML_START:
            SL_TRY(on_start(x, tok, err));
            sl_html_set_foreign(x->html, sl_tree_is_foreign_element(x));
            break;
        case SL_HTML_END:
            SL_TRY(on_end(x, tok->name, err));
            sl_html_set_foreign(x->html, sl_tree_is_foreign_element(x));
            break;
        default:
            break;
        }
    }
    x->at_end = true;
    return sl_block_end(x, err);
}
