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
    puts(sl_charset_name(
        sl_charset_sniff((struct sl_str){ page, n }, SL_CHARSET_NONE, &source)));
    return 0;
}
