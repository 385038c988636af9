/* SPDX-License-Identifier: Apache-2.0 */
/* Elements by number, found by one multiplication and one comparison. The key
 * is made of loads that stay inside the name, as in gen/html_tag.py. */
#include "web/html_tag.h"

#include <string.h>

#include "base/num.h"
#include "web/html_tag_index_table.h"

enum sl_tag sl_tag_of(struct sl_str name)
{
    size_t n = name.n;
    uint64_t key;
    if (n >= 8)
        key = sl_load64(name.p) ^ (sl_load64(name.p + n - 8) << 1);
    else if (n >= 4)
        key = sl_load32(name.p) | (uint64_t)sl_load32(name.p + n - 4) << 32;
    else if (n >= 1)
        key = (uint64_t)(uint8_t)name.p[0] | (uint64_t)(uint8_t)name.p[n / 2] << 8 |
              (uint64_t)(uint8_t)name.p[n - 1] << 16;
    else
        return SL_TAG_OTHER;
    unsigned tag = tag_slots[(key + n) * TAG_MAGIC >> 53];
    if (tags[tag].n != n || memcmp(tags[tag].name, name.p, n) != 0)
        return SL_TAG_OTHER;
    return (enum sl_tag)tag;
}

unsigned sl_tag_flags(enum sl_tag tag)
{
    return tags[tag].flags;
}

const char *sl_tag_name(enum sl_tag tag)
{
    return tags[tag].name;
}

enum sl_html_state sl_tag_content_state(enum sl_tag tag)
{
    if (tag == SL_TAG_SCRIPT)
        return SL_HTML_SCRIPT;
    if (tag == SL_TAG_PLAINTEXT)
        return SL_HTML_PLAINTEXT;
    unsigned flags = tags[tag].flags;
    if (flags & SL_TAG_IS_RCDATA)
        return SL_HTML_RCDATA;
    return flags & SL_TAG_IS_RAWTEXT ? SL_HTML_RAWTEXT : SL_HTML_DATA;
}
