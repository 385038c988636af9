/* SPDX-License-Identifier: Apache-2.0 */
/* Formats by their first bytes. A text may begin with any character, so only what
 * no text has is refused: known magic numbers, and control characters. JSON lines
 * begin with '{'; a text that does so as well needs --format text. */
#include "ingest/text_format.h"

#include <stdint.h>

static const struct {
    struct sl_str magic;
    const char *says;
} refused[] = {
    { { "PAR1", 4 }, "this is a Parquet file: write it as JSON lines, which DuckDB and polars do" },
    { { "ARROW1", 6 }, "this is an Arrow file: write it as JSON lines first" },
    { { "FEA1", 4 }, "this is a Feather file: write it as JSON lines first" },
    { { "\xff\xff\xff\xff", 4 }, "this is an Arrow stream: Sluice's own need no import" },
    { { "WARC/", 5 }, "this is a WARC file: read it with sluice-warc" },
    { { "PK\x03\x04", 4 }, "this is a zip archive: unpack it first" },
    { { "BZh", 3 }, "this is bzip2 data: unpack it first" },
    { { "\xfd"
        "7zXZ",
        5 },
      "this is xz data: unpack it first" },
    { { "%PDF-", 5 }, "this is a PDF file: its text must be taken out first" },
    { { "\xff\xfe", 2 }, "this is UTF-16 text: convert it to UTF-8 first" },
    { { "\xfe\xff", 2 }, "this is UTF-16 text: convert it to UTF-8 first" },
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Behind '[': does an array of objects begin, not a text? */
static bool array_of_objects(struct sl_str s, size_t i)
{
    while (++i < s.n && is_blank((uint8_t)s.p[i])) {
    }
    return i < s.n && (s.p[i] == '{' || s.p[i] == ']');
}

enum sl_text_format sl_text_format(struct sl_str s, const char **says)
{
    size_t first = 0;
    if (s.n > SL_FORMAT_BYTES)
        s.n = SL_FORMAT_BYTES;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (sl_str_starts(s, refused[i].magic)) {
            *says = refused[i].says;
            return SL_FORMAT_REFUSED;
        }
    while (first < s.n && is_blank((uint8_t)s.p[first]))
        first++;
    if (first == s.n || s.p[first] == '{')
        return SL_FORMAT_JSONL;
    *says = "this is one JSON array: jq -c '.[]' makes lines of it";
    if (s.p[first] == '[' && array_of_objects(s, first))
        return SL_FORMAT_REFUSED;
    *says = "this is no text: --format says what it is all the same";
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = (uint8_t)s.p[i];
        if ((c < 0x20 && !is_blank(c) && c != 0x1b && c != '\b') || c == 0x7f)
            return SL_FORMAT_REFUSED;
    }
    return SL_FORMAT_TEXT;
}
