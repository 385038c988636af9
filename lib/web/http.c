/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of HTTP responses.
 *
 * Slices of the block, found in one pass. Tolerant where browsers are, since
 * what is refused here is a lost page; a block without a status line is taken
 * for a bare page (ClueWeb22 stores such). Header values are looked up by
 * walking the lines: a head has some twenty, and most of them nobody asks for. */
#include "web/http.h"

#include "base/buf.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The line at `at` without its line end; *next is behind it. */
static struct sl_str line_at(struct sl_str s, size_t at, size_t *next)
{
    size_t nl = sl_str_find(s, at, '\n');
    *next = nl < s.n ? nl + 1 : s.n;
    struct sl_str line = { s.p + at, nl - at };
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

/* "HTTP/1.1 200 OK"; false where it is no status line. */
static bool parse_status(struct sl_str line, struct sl_http *http)
{
    if (!sl_str_starts_nocase(line, SL_STR("HTTP/")))
        return false;
    size_t i = 5;
    while (i < line.n && (is_digit(line.p[i]) || line.p[i] == '.'))
        i++;
    http->version = (struct sl_str){ line.p + 5, i - 5 };
    size_t blank = i;
    while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'))
        i++;
    if (http->version.n == 0 || (i == blank && i < line.n))
        return false;
    size_t digits = i;
    int status = 0;
    while (i < line.n && i < digits + 3 && is_digit(line.p[i]))
        status = status * 10 + (line.p[i++] - '0');
    if (i == digits + 3 && (i == line.n || !is_digit(line.p[i])))
        http->status = status;
    http->reason = sl_str_trim((struct sl_str){ line.p + i, line.n - i });
    return true;
}

void sl_http_parse(struct sl_str block, struct sl_http *http)
{
    *http = (struct sl_http){ .body = block };
    size_t at = 0, next;
    if (block.n == 0 || !parse_status(line_at(block, 0, &next), http))
        return;
    http->is_http = true;
    size_t begin = next;
    for (at = next; at < block.n; at = next) {
        struct sl_str line = line_at(block, at, &next);
        if (line.n == 0 || line.p[0] == '<')
            break;
    }
    /* At the end of the block the last line may be whole or not; both are cut. */
    http->head_cut = at >= block.n;
    http->fields = (struct sl_str){ block.p + begin, at - begin };
    size_t body = at < block.n && block.p[at] == '<' ? at : http->head_cut ? block.n : next;
    http->body = (struct sl_str){ block.p + body, block.n - body };
}

bool sl_http_next(struct sl_str *rest, struct sl_str *name, struct sl_str *value)
{
    while (rest->n) {
        size_t next;
        struct sl_str line = line_at(*rest, 0, &next);
        while (next < rest->n && (rest->p[next] == ' ' || rest->p[next] == '\t')) {
            size_t from = next;
            struct sl_str more = line_at(*rest, from, &next);
            line.n = (size_t)(more.p + more.n - line.p);
        }
        *rest = (struct sl_str){ rest->p + next, rest->n - next };
        size_t colon = sl_str_find(line, 0, ':');
        if (colon == line.n || colon == 0)
            continue;
        *name = sl_str_trim((struct sl_str){ line.p, colon });
        *value = sl_str_trim((struct sl_str){ line.p + colon + 1, line.n - colon - 1 });
        return true;
    }
    return false;
}

struct sl_str sl_http_header(const struct sl_http *http, struct sl_str name)
{
    struct sl_str rest = http->fields, key, value;
    while (sl_http_next(&rest, &key, &value))
        if (sl_str_eq_nocase(key, name))
            return value;
    return (struct sl_str){ NULL, 0 };
}

enum sl_status sl_http_join(const struct sl_http *http, struct sl_str name, struct sl_buf *out,
                            struct sl_err *err)
{
    struct sl_str rest = http->fields, key, value;
    bool any = false;
    while (sl_http_next(&rest, &key, &value)) {
        if (!sl_str_eq_nocase(key, name) || value.n == 0)
            continue;
        if (any)
            SL_TRY(sl_buf_add(out, ", ", 2, err));
        size_t from = out->n;
        SL_TRY(sl_buf_add_str(out, value, err));
        for (size_t i = from; i < out->n; i++)
            if (out->p[i] < 0x20 || out->p[i] == 0x7f)
                out->p[i] = ' ';
        any = true;
    }
    return SL_OK;
}

void sl_http_content_type(struct sl_str value, struct sl_str *mime, struct sl_str *charset)
{
    *charset = (struct sl_str){ NULL, 0 };
    size_t at = sl_str_find(value, 0, ';');
    *mime = sl_str_trim((struct sl_str){ value.p, at });
    /* Some servers send "text/html, text/html" or "text/html charset=x". */
    for (size_t i = 0; i < mime->n; i++)
        if (mime->p[i] == ',' || mime->p[i] == ' ' || mime->p[i] == '\t')
            mime->n = i;
    static const struct sl_str key = { "charset", 7 };
    for (size_t i = mime->n; i + key.n < value.n; i++) {
        struct sl_str rest = { value.p + i, value.n - i };
        if (!sl_str_starts_nocase(rest, key))
            continue;
        size_t j = key.n;
        while (j < rest.n && (rest.p[j] == ' ' || rest.p[j] == '\t'))
            j++;
        if (j == rest.n || rest.p[j] != '=')
            continue;
        rest = sl_str_trim((struct sl_str){ rest.p + j + 1, rest.n - j - 1 });
        char quote = rest.n && (rest.p[0] == '"' || rest.p[0] == '\'') ? rest.p[0] : 0;
        if (quote)
            rest = (struct sl_str){ rest.p + 1, rest.n - 1 };
        size_t n = 0;
        while (n < rest.n && rest.p[n] != ';' && rest.p[n] != ',' && rest.p[n] != '"' &&
               rest.p[n] != '\'' && (quote || (rest.p[n] != ' ' && rest.p[n] != '\t')))
            n++;
        *charset = sl_str_trim((struct sl_str){ rest.p, n });
        return;
    }
}
