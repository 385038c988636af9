/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of WARC records.
 *
 * One pass over the lines with memchr; values are slices of the input. Only
 * folded heads are copied, since a slice cannot leave out a line end. A line
 * without a colon is passed over (crawlers wrote them), but a second version
 * line ends the attempt: a search that tries every "WARC/" of its input then
 * never looks at a byte more than twice. */
#include "web/warc_head.h"

#include "base/num.h"

struct field {
    struct sl_str name;
    size_t at;   /* offset of a struct sl_str in struct sl_warc_record */
    bool angles; /* <...> is taken off */
};

#define FIELD(header, member, strip)                                                   \
    {                                                                                  \
        { header, sizeof(header) - 1 }, offsetof(struct sl_warc_record, member), strip \
    }

static const struct field fields[] = {
    FIELD("WARC-Type", type_name, false),
    FIELD("WARC-Record-ID", id, true),
    FIELD("WARC-Target-URI", uri, true),
    FIELD("WARC-Date", date, false),
    FIELD("Content-Type", content_type, false),
    FIELD("WARC-IP-Address", ip, false),
    FIELD("WARC-Payload-Digest", payload_digest, false),
    FIELD("WARC-Block-Digest", block_digest, false),
    FIELD("WARC-Truncated", truncated, false),
    FIELD("WARC-Refers-To", refers_to, true),
    FIELD("WARC-Identified-Payload-Type", payload_type, false),
    FIELD("WARC-Identified-Content-Language", language, false),
};
enum { N_FIELDS = sizeof(fields) / sizeof(fields[0]) };

static const char *const type_names[] = {
    [SL_WARC_OTHER] = "other",
    [SL_WARC_WARCINFO] = "warcinfo",
    [SL_WARC_RESPONSE] = "response",
    [SL_WARC_RESOURCE] = "resource",
    [SL_WARC_REQUEST] = "request",
    [SL_WARC_METADATA] = "metadata",
    [SL_WARC_REVISIT] = "revisit",
    [SL_WARC_CONVERSION] = "conversion",
    [SL_WARC_CONTINUATION] = "continuation",
};
enum { N_TYPES = sizeof(type_names) / sizeof(type_names[0]) };

const char *sl_warc_type_name(enum sl_warc_type type)
{
    return (unsigned)type < N_TYPES ? type_names[type] : type_names[SL_WARC_OTHER];
}

static enum sl_warc_type type_of(struct sl_str name)
{
    for (unsigned t = SL_WARC_OTHER + 1; t < N_TYPES; t++)
        if (sl_str_eq_nocase(name, sl_str_of(type_names[t])))
            return (enum sl_warc_type)t;
    return SL_WARC_OTHER;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

size_t sl_warc_version_line(struct sl_str in)
{
    size_t i = 5;
    if (!sl_str_starts(in, SL_STR("WARC/")))
        return 0;
    size_t major = i;
    while (i < in.n && i < 16 && is_digit(in.p[i]))
        i++;
    if (i == major || i >= in.n || in.p[i] != '.')
        return 0;
    size_t minor = ++i;
    while (i < in.n && i < 16 && is_digit(in.p[i]))
        i++;
    if (i == minor)
        return 0;
    while (i < in.n && i < 32 && (in.p[i] == ' ' || in.p[i] == '\t' || in.p[i] == '\r'))
        i++;
    return i < in.n && in.p[i] == '\n' ? i + 1 : 0;
}

static struct sl_str strip_angles(struct sl_str s)
{
    if (s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
        s = sl_str_trim((struct sl_str){ s.p + 1, s.n - 2 });
    return s;
}

static void set_field(struct sl_warc_record *rec, struct sl_str name, struct sl_str value)
{
    if (sl_str_eq_nocase(name, SL_STR("Content-Length"))) {
        uint64_t v;
        if (rec->declared_bytes < 0 && sl_parse_u64(value, &v) && v <= INT64_MAX)
            rec->declared_bytes = (int64_t)v;
        return;
    }
    for (unsigned i = 0; i < N_FIELDS; i++) {
        if (fields[i].name.n != name.n || !sl_str_eq_nocase(fields[i].name, name))
            continue;
        struct sl_str *at = (struct sl_str *)(void *)((char *)rec + fields[i].at);
        if (at->n == 0)
            *at = fields[i].angles ? strip_angles(value) : value;
        return;
    }
}

/* Split "name: value"; false where there is no colon. */
static bool split_line(struct sl_str line, struct sl_str *name, struct sl_str *value)
{
    size_t colon = sl_str_find(line, 0, ':');
    if (colon == line.n || colon == 0)
        return false;
    *name = sl_str_trim((struct sl_str){ line.p, colon });
    *value = sl_str_trim((struct sl_str){ line.p + colon + 1, line.n - colon - 1 });
    return true;
}

static void clear_fields(struct sl_warc_record *rec)
{
    for (unsigned i = 0; i < N_FIELDS; i++)
        *(struct sl_str *)(void *)((char *)rec + fields[i].at) = (struct sl_str){ NULL, 0 };
    rec->type = SL_WARC_OTHER;
    rec->declared_bytes = -1;
    rec->version = rec->head = (struct sl_str){ NULL, 0 };
}

/* The header lines from `from` on. */
static enum sl_warc_head_end parse_lines(struct sl_str in, size_t from, struct sl_warc_record *rec,
                                         size_t *n_head, bool *folded)
{
    size_t at = from;
    for (;;) {
        const char *nl = at < in.n ? memchr(in.p + at, '\n', in.n - at) : NULL;
        if (!nl)
            return in.n >= SL_WARC_HEAD_MAX ? SL_WARC_HEAD_LONG : SL_WARC_HEAD_MORE;
        size_t next = (size_t)(nl - in.p) + 1;
        struct sl_str line = { in.p + at, next - 1 - at };
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (line.n == 0) {
            rec->head = (struct sl_str){ in.p + from, at - from };
            *n_head = next;
            return SL_WARC_HEAD_OK;
        }
        struct sl_str name, value;
        if (line.p[0] == ' ' || line.p[0] == '\t')
            *folded = true;
        else if (sl_warc_version_line((struct sl_str){ in.p + at, next - at }))
            return SL_WARC_HEAD_BAD;
        else if (split_line(line, &name, &value))
            set_field(rec, name, value);
        at = next;
    }
}

/* Copy a head with every line end before a blank replaced by blanks. */
static enum sl_status unfold(struct sl_str in, struct sl_buf *scratch, struct sl_err *err)
{
    sl_buf_reset(scratch);
    SL_TRY(sl_buf_add_str(scratch, in, err));
    char *p = (char *)scratch->p;
    for (size_t i = 0; i + 1 < in.n; i++) {
        if (p[i] != '\n' || (p[i + 1] != ' ' && p[i + 1] != '\t'))
            continue;
        p[i] = ' ';
        if (i && p[i - 1] == '\r')
            p[i - 1] = ' ';
    }
    return SL_OK;
}

enum sl_status sl_warc_head_parse(struct sl_str in, struct sl_warc_record *rec,
                                  struct sl_buf *scratch, size_t *n_head,
                                  enum sl_warc_head_end *end, struct sl_err *err)
{
    if (in.n > SL_WARC_HEAD_MAX)
        in.n = SL_WARC_HEAD_MAX;
    clear_fields(rec);
    rec->flags &= ~(unsigned)SL_WARC_FOLDED;
    *n_head = 0;
    size_t first = sl_warc_version_line(in);
    if (first == 0) {
        struct sl_str magic = SL_STR("WARC/");
        bool cut = in.n < magic.n ? sl_str_starts(magic, in)
                                  : sl_str_starts(in, magic) && !memchr(in.p, '\n', in.n);
        *end = cut && in.n < 64 ? SL_WARC_HEAD_MORE : SL_WARC_HEAD_BAD;
        return SL_OK;
    }
    bool folded = false;
    *end = parse_lines(in, first, rec, n_head, &folded);
    if (folded && *end == SL_WARC_HEAD_OK) {
        size_t ignored;
        SL_TRY(unfold((struct sl_str){ in.p, *n_head }, scratch, err));
        clear_fields(rec);
        *end = parse_lines(sl_buf_str(scratch), first, rec, &ignored, &folded);
        rec->flags |= SL_WARC_FOLDED;
    }
    rec->version = sl_str_trim((struct sl_str){ in.p + 5, first - 5 });
    rec->type = type_of(rec->type_name);
    return SL_OK;
}

struct sl_str sl_warc_header(const struct sl_warc_record *rec, struct sl_str name)
{
    struct sl_str rest = rec->head;
    while (rest.n) {
        size_t nl = sl_str_find(rest, 0, '\n');
        struct sl_str line = { rest.p, nl }, key, value;
        if (split_line(line, &key, &value) && sl_str_eq_nocase(key, name))
            return value;
        size_t used = nl < rest.n ? nl + 1 : nl;
        rest = (struct sl_str){ rest.p + used, rest.n - used };
    }
    return (struct sl_str){ NULL, 0 };
}
