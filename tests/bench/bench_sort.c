/* SPDX-License-Identifier: Apache-2.0 */
/* The same rows as a stream and as lines of text, for sort_bench.py.
 *
 * usage: bench_sort stream|lines ROWS TEXT_BYTES
 *        bench_sort sequences ROWS LENGTH
 *
 * stream     id, text (TEXT_BYTES of common words), score uint32
 * lines      score with ten digits, tab, id in hex, tab, text
 * sequences  the columns of packed sequences, of one document each
 * Row i is a function of i. */
#include <stdio.h>
#include <stdlib.h>

#include "arrow/rows.h"
#include "arrow/writer.h"
#include "base/hash.h"
#include "base/num.h"

enum { WORDS = 4096, WORD_MAX = 12 };
static char words[WORDS][WORD_MAX];

static uint64_t draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 32;
}

/* Small numbers are common, about as words are. */
static uint32_t common(uint64_t *state, uint32_t most)
{
    uint64_t a = draw(state) % most, b = draw(state) % most, c = draw(state) % most;
    return (uint32_t)(a * b / most * c / most);
}

static void make_words(void)
{
    uint64_t state = 1;
    for (int i = 0; i < WORDS; i++) {
        size_t n = 2 + draw(&state) % (WORD_MAX - 3);
        for (size_t k = 0; k < n; k++)
            words[i][k] = (char)('a' + draw(&state) % 26);
    }
}

static size_t make_text(uint64_t *state, char *text, size_t most)
{
    size_t n = 0;
    for (;;) {
        const char *word = words[common(state, WORDS)];
        size_t len = strlen(word);
        if (n + len + 1 > most)
            return n;
        memcpy(text + n, word, len);
        text[n + len] = ' ';
        n += len + 1;
    }
}

static struct sl_hash128 id_of(uint64_t row)
{
    return sl_hash128(&row, sizeof row);
}

static void write_lines(uint64_t n, char *text, size_t text_bytes)
{
    char digits[SL_HASH128_DIGITS];
    for (uint64_t i = 0; i < n; i++) {
        uint64_t state = i;
        uint32_t score = (uint32_t)(draw(&state) % 1000000);
        sl_hash128_hex(id_of(i), digits);
        printf("%010u\t%.32s\t", score, digits);
        fwrite(text, 1, make_text(&state, text, text_bytes), stdout);
        putchar('\n');
    }
}

static const char *const doc_columns[][2] = {
    { "id", "fixed_size_binary[16]" },
    { "text", "large_utf8" },
    { "score", "uint32" },
};
static const char *const sequence_columns[][2] = {
    { "id", "fixed_size_binary[16]" },
    { "tokens", "fixed_size_list<uint16>" },
    { "doc_ids", "list<fixed_size_binary[16]>" },
    { "doc_starts", "list<uint32>" },
    { "doc_offsets", "list<uint32>" },
    { "loss_mask", "fixed_size_list<uint8>" },
};

static enum sl_status add_sequence(struct sl_rows *r, uint64_t *state, struct sl_str id,
                                   char *scratch, size_t length, struct sl_err *err)
{
    const uint32_t zero = 0;
    struct sl_colbuf *c = r->cols;
    for (size_t k = 0; k < length; k++)
        sl_store16(scratch + 2 * k, (uint16_t)common(state, 50000));
    SL_TRY(sl_colbuf_add_items(&c[1], scratch, length, err));
    SL_TRY(sl_colbuf_add_items(&c[2], id.p, 1, err));
    SL_TRY(sl_colbuf_add_items(&c[3], &zero, 1, err));
    SL_TRY(sl_colbuf_add_items(&c[4], &zero, 1, err));
    memset(scratch, 1, length);
    return sl_colbuf_add_items(&c[5], scratch, length, err);
}

static enum sl_status add_row(struct sl_rows *r, uint64_t i, bool sequences, char *text,
                              size_t size, struct sl_err *err)
{
    uint64_t state = i;
    uint32_t score = (uint32_t)(draw(&state) % 1000000);
    struct sl_hash128 id = id_of(i);
    struct sl_str bytes = { (const char *)id.b, sizeof id.b };
    SL_TRY(sl_colbuf_add_str(&r->cols[0], bytes, err));
    if (sequences) {
        SL_TRY(add_sequence(r, &state, bytes, text, size, err));
    } else {
        size_t n = make_text(&state, text, size);
        SL_TRY(sl_colbuf_add_str(&r->cols[1], (struct sl_str){ text, n }, err));
        SL_TRY(sl_colbuf_add_int(&r->cols[2], score, err));
    }
    return sl_rows_close_row(r, err);
}

static enum sl_status make_schema(struct sl_schema *s, bool sequences, size_t length,
                                  struct sl_err *err)
{
    char type[64];
    sl_schema_init(s);
    SL_TRY(sl_schema_set_meta(s, "kind", sequences ? SL_STR("sequences") : SL_STR("docs"), err));
    SL_TRY(sl_schema_set_meta(s, "lineage", SL_STR("[]"), err));
    for (size_t i = 0; i < (sequences ? 6 : 3); i++) {
        const char *const *c = sequences ? sequence_columns[i] : doc_columns[i];
        snprintf(type, sizeof type, "%s", c[1]);
        if (strncmp(type, "fixed_size_list", 15) == 0)
            snprintf(type, sizeof type, "%s[%zu]", c[1], length);
        SL_TRY(sl_schema_add_text(s, c[0], type, err));
    }
    return SL_OK;
}

static enum sl_status write_stream(uint64_t n, bool sequences, char *text, size_t size,
                                   struct sl_err *err)
{
    struct sl_schema schema;
    struct sl_rows rows;
    struct sl_batch view;
    struct sl_sink *sink;
    struct sl_writer *w;
    const struct sl_write_options options = { 0 };
    sl_batch_init(&view);
    SL_TRY(make_schema(&schema, sequences, size, err));
    SL_TRY(sl_rows_init(&rows, &schema, err));
    SL_TRY(sl_sink_open(&sink, "-", false, err));
    SL_TRY(sl_writer_open(&w, sink, &schema, &options, err));
    for (uint64_t i = 0; i < n; i++) {
        SL_TRY(add_row(&rows, i, sequences, text, size, err));
        if (i + 1 < n && rows.n < SL_BATCH_MADE_ROWS && sl_rows_bytes(&rows) < SL_BATCH_MADE_BYTES)
            continue;
        SL_TRY(sl_rows_lend(&rows, &view, err));
        SL_TRY(sl_writer_add(w, &view, err));
        sl_rows_reset(&rows);
    }
    SL_TRY(sl_writer_end(w, SL_STR("[]"), NULL, err));
    return sl_sink_commit(sink, err);
}

int main(int argc, char **argv)
{
    struct sl_err err = SL_ERR_INIT;
    if (argc != 4)
        return 2;
    uint64_t n = strtoull(argv[2], NULL, 10);
    size_t size = strtoull(argv[3], NULL, 10);
    char *text = malloc(2 * size + 1), line[1200];
    if (!text)
        return 3;
    make_words();
    if (strcmp(argv[1], "lines") == 0)
        write_lines(n, text, size);
    else if (write_stream(n, strcmp(argv[1], "sequences") == 0, text, size, &err) != SL_OK)
        fprintf(stderr, "bench_sort: %s\n", sl_err_text(&err, line, sizeof line));
    free(text);
    return err.status == SL_OK ? 0 : 3;
}
