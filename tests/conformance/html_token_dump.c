/* SPDX-License-Identifier: Apache-2.0 */
/* Print the tokens of HTML cases for html5lib_test.py.
 *
 * Standard input holds cases: a line "STATE LAST N" (a state's number, the last
 * start tag or "-", the bytes of the page), then the page. For each case one
 * line a token is printed, then the line ".". Strings are in hex with "=" before
 * them, a missing one is "-":
 *   C text | ! comment | E name | S name self-closing (attribute value)*
 *   D name public system correct
 * Text that comes in several tokens is joined by the reader. */
#include <stdio.h>
#include <stdlib.h>

#include "web/html_token.h"

static void put_str(struct sl_str s)
{
    fputs("\t=", stdout);
    for (size_t i = 0; i < s.n; i++)
        printf("%02x", (unsigned)(unsigned char)s.p[i]);
}

static void put_optional(struct sl_str s, bool stands)
{
    if (stands)
        put_str(s);
    else
        fputs("\t-", stdout);
}

static void put_token(struct sl_html *t, const struct sl_html_token *tok)
{
    static const char marks[] = { '.', 'C', 'S', 'E', '!', 'D' };
    putchar(marks[tok->kind]);
    switch (tok->kind) {
    case SL_HTML_EOF:
        break;
    case SL_HTML_TEXT:
    case SL_HTML_COMMENT:
        put_str(tok->text);
        break;
    case SL_HTML_START:
        put_str(tok->name);
        printf("\t%d", tok->self_closing);
        for (size_t i = 0; i < tok->n_attrs; i++) {
            put_str(tok->attrs[i].name);
            put_str(sl_html_attr_value(t, &tok->attrs[i]));
        }
        break;
    case SL_HTML_END:
        put_str(tok->name);
        break;
    case SL_HTML_DOCTYPE:
        put_optional(tok->name, tok->name.p != NULL);
        put_optional(tok->public_id, tok->has_public);
        put_optional(tok->system_id, tok->has_system);
        printf("\t%d", !tok->quirks);
        break;
    }
    putchar('\n');
}

static bool run_case(struct sl_html *t, const char *line)
{
    unsigned state;
    size_t n;
    char last[64];
    if (sscanf(line, "%u %63s %zu", &state, last, &n) != 3 || state > SL_HTML_CDATA)
        return false;
    char *page = malloc(n + 1);
    if (!page || fread(page, 1, n, stdin) != n ||
        sl_html_start(t, (struct sl_str){ page, n }, NULL) != SL_OK) {
        free(page);
        return false;
    }
    sl_html_set_state(t, (enum sl_html_state)state);
    if (last[0] != '-')
        sl_html_set_last_start(t, sl_str_of(last));
    const struct sl_html_token *tok;
    do {
        tok = sl_html_next(t);
        put_token(t, tok);
    } while (tok->kind != SL_HTML_EOF);
    free(page);
    return true;
}

int main(void)
{
    struct sl_html *t = sl_html_new();
    char line[128];
    bool good = t != NULL;
    while (good && fgets(line, sizeof line, stdin))
        good = run_case(t, line);
    sl_html_free(t);
    if (!good)
        fputs("html_token_dump: bad case\n", stderr);
    return good ? 0 : 1;
}
