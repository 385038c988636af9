/* SPDX-License-Identifier: Apache-2.0 */
/* usage: json_check FILE...
 *
 * Whether each file is one JSON text, for tests/pipeline/import_test.py: a line a
 * file, "yes" or "no". */
#include <stdio.h>

#include "io/source.h"
#include "text/json_scan.h"

int main(int argc, char **argv)
{
    struct sl_buf text;
    struct sl_err err = SL_ERR_INIT;
    char message[1024];
    sl_buf_init(&text, 1 << 24);
    for (int i = 1; i < argc; i++) {
        sl_buf_reset(&text);
        if (sl_file_read(argv[i], &text, &err) != SL_OK) {
            fprintf(stderr, "json_check: %s\n", sl_err_text(&err, message, sizeof message));
            return 1;
        }
        puts(sl_json_scan_check(sl_buf_str(&text)) ? "yes" : "no");
    }
    sl_buf_release(&text);
    return 0;
}
