/* SPDX-License-Identifier: Apache-2.0 */
/* Print the sniffed encoding of the page on standard input, as the standard's
 * algorithm says without a transport label. For html5lib_test.py. */
#include <stdio.h>

#include "web/charset.h"

int main(void)
{
    static char page[1 << 20];
    size_t n = fread(page, 1, sizeof page, stdin);
    enum sl_charset_source source;
    struct sl_html *t = sl_html_new();
    if (!t)
        return 3;
    puts(
        sl_charset_name(sl_charset_sniff(t, (struct sl_str){ page, n }, SL_CHARSET_NONE, &source)));
    sl_html_free(t);
    return 0;
}
