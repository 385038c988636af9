/* SPDX-License-Identifier: Apache-2.0 */
/* Speed of the HTML tokenizer and of text extraction over a folder of pages.
 *
 * Usage  bench_html FOLDER [SECONDS]
 * FOLDER holds pages, plain or as .gz files that were unpacked before (files
 * named *.gz are passed over). Every page is read first; then the whole set is
 * run again and again for about SECONDS [3], on one core, and the best round
 * counts. MB are 10^6 bytes of page. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "web/extract.h"
#include "web/html_token.h"

struct pages {
    struct sl_str *list;
    size_t n, cap, bytes;
};

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static bool read_page(struct pages *pages, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    rewind(f);
    char *p = n >= 0 ? malloc((size_t)n + 1) : NULL;
    bool good = p && fread(p, 1, (size_t)n, f) == (size_t)n;
    fclose(f);
    if (good && pages->n == pages->cap) {
        pages->cap = pages->cap ? 2 * pages->cap : 1024;
        pages->list = realloc(pages->list, pages->cap * sizeof *pages->list);
        good = pages->list != NULL;
    }
    if (!good) {
        free(p);
        return false;
    }
    pages->list[pages->n++] = (struct sl_str){ p, (size_t)n };
    pages->bytes += (size_t)n;
    return true;
}

static bool read_folder(struct pages *pages, const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return false;
    bool good = true;
    for (struct dirent *e; good && (e = readdir(dir)) != NULL;) {
        size_t n = strlen(e->d_name);
        if (e->d_name[0] == '.' || (n > 3 && strcmp(e->d_name + n - 3, ".gz") == 0))
            continue;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        good = read_page(pages, path);
    }
    closedir(dir);
    return good;
}

static size_t n_tokens, n_text_bytes, n_out_bytes;

/* The states are set as a tree builder would; else scripts would be markup. */
static bool tokenize(void *tokenizer, struct sl_str page)
{
    struct sl_html *t = tokenizer;
    if (sl_html_start(t, page, NULL) != SL_OK)
        return false;
    const struct sl_html_token *tok;
    while ((tok = sl_html_next(t))->kind != SL_HTML_EOF) {
        n_tokens++;
        if (tok->kind == SL_HTML_TEXT)
            n_text_bytes += tok->text.n;
        else if (tok->kind == SL_HTML_START)
            sl_html_set_state(t, sl_tag_content_state(sl_tag_of(tok->name)));
    }
    return true;
}

static bool extract(void *extractor, struct sl_str page)
{
    struct sl_extract_input in = { .body = page, .kind = SL_PAGE_HTML };
    struct sl_extract_result out;
    if (sl_extract(extractor, &in, &out, NULL) != SL_OK)
        return false;
    n_out_bytes += out.text.n;
    return true;
}

static double best_round(bool (*work)(void *tool, struct sl_str page), void *tool,
                         const struct pages *pages, double seconds)
{
    double best = 1e9, stop = now() + seconds;
    do {
        n_tokens = n_text_bytes = n_out_bytes = 0;
        double start = now();
        for (size_t i = 0; i < pages->n; i++)
            if (!work(tool, pages->list[i]))
                return -1;
        double took = now() - start;
        if (took < best)
            best = took;
    } while (now() < stop);
    return best;
}

int main(int argc, char **argv)
{
    struct pages pages = { 0 };
    if (argc < 2 || !read_folder(&pages, argv[1]) || pages.n == 0) {
        fputs("usage: bench_html FOLDER [SECONDS], a folder with pages\n", stderr);
        return 2;
    }
    struct sl_html *t = sl_html_new();
    struct sl_extractor *x = sl_extractor_new();
    if (!t || !x)
        return 3;
    double seconds = argc > 2 ? atof(argv[2]) : 3, mb = (double)pages.bytes * 1e-6;
    double best = best_round(tokenize, t, &pages, seconds);
    printf("%zu pages, %.1f MB, %zu tokens, %.1f MB in text tokens\n", pages.n, mb, n_tokens,
           (double)n_text_bytes * 1e-6);
    printf("tokenizer  %.0f MB/s, %.0f pages/s, %.1f ns a token\n", mb / best,
           (double)pages.n / best, best / (double)n_tokens * 1e9);
    best = best_round(extract, x, &pages, seconds);
    printf("sl_extract %.0f MB/s, %.0f pages/s, %.1f MB of text\n", mb / best,
           (double)pages.n / best, (double)n_out_bytes * 1e-6);
    sl_html_free(t);
    sl_extractor_free(x);
    for (size_t i = 0; i < pages.n; i++)
        free((void *)(uintptr_t)pages.list[i].p);
    free(pages.list);
    return 0;
}
