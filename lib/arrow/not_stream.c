/* SPDX-License-Identifier: Apache-2.0 */
/* Other formats by their first bytes. A wrong guess costs a wrong sentence, so
 * a short list and a simple idea of what text is are enough. */
#include "arrow/not_stream.h"

#include <stdint.h>

static const struct {
    const char *magic;
    size_t n;
    const char *says;
} formats[] = {
    { "ARROW1", 6,
      "this is an Arrow file, not a stream: sluice-import takes its rows as JSON lines" },
    { "PAR1", 4,
      "this is a Parquet file, not a stream: sluice-import takes its rows as JSON lines" },
    { "WARC/", 5, "this is a WARC file, not a Sluice stream: read it with sluice-warc" },
    { "\x1f\x8b", 2, "this is gzip data, not a Sluice stream: unpack it first" },
    { "\x28\xb5\x2f\xfd", 4, "this is zstd data, not a Sluice stream: unpack it first" },
    { "BZh", 3, "this is bzip2 data, not a Sluice stream: unpack it first" },
    { "\xfd"
      "7zXZ",
      5, "this is xz data, not a Sluice stream: unpack it first" },
    { "PK\x03\x04", 4, "this is a zip archive, not a Sluice stream" },
    { "FEA1", 4,
      "this is a Feather V1 file, not a stream: sluice-import takes its rows as JSON lines" },
};

const char *sl_not_stream(struct sl_str s)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (s.n >= formats[i].n && memcmp(s.p, formats[i].magic, formats[i].n) == 0)
            return formats[i].says;
    if (s.n > SL_NOT_STREAM_BYTES)
        s.n = SL_NOT_STREAM_BYTES;
    bool text = s.n > 0;
    char first = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = (uint8_t)s.p[i];
        text = text && c != 0x7f && (c >= 0x20 || (c >= 0x09 && c <= 0x0d)) && c < 0xf8;
        if (!first && c > 0x20)
            first = (char)c;
    }
    if (!text)
        return "this is not a Sluice stream";
    if (first == '{' || first == '[')
        return "this is JSON text, not a Sluice stream: import it with sluice-import";
    if (first == '<')
        return "this is HTML or XML text, not a Sluice stream";
    return "this is text, not a Sluice stream";
}
