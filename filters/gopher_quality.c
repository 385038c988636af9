/* SPDX-License-Identifier: Apache-2.0 */
/* The quality rules of Gopher (Rae et al. 2021, table A1), over words between
 * blanks. docs/filtering.md has every definition; text/text_stats.h counts.
 *
 * The words are those between blanks, not a tokenizer's: the same in every
 * language, and what the paper's own thresholds were set for. */
#include <math.h>

#include "text/filter.h"
#include "text/text_stats.h"

struct params {
    uint64_t min_words, max_words, min_stop_words;
    double min_mean_word_length, max_mean_word_length, max_hash_ratio, max_ellipsis_ratio;
    double max_bullet_ratio, max_end_ellipsis_ratio, min_alpha_ratio;
    struct sl_yaml_strs stop_words;
};

#define COUNT(name, d, about)                                                                  \
    {                                                                                          \
        .key = #name, .type = SL_YAML_UINT, .offset = offsetof(struct params, name), .def = d, \
        .flags = SL_YAML_OFF, .max = 4294967295.0, .help = about                               \
    }
#define RATIO(name, d, about)                                                                  \
    {                                                                                          \
        .key = #name, .type = SL_YAML_REAL, .offset = offsetof(struct params, name), .def = d, \
        .flags = SL_YAML_OFF, .max = 1e9, .help = about                                        \
    }

static const struct sl_yaml_key params[] = {
    COUNT(min_words, "50", "fewest words that are not mere punctuation and symbols"),
    COUNT(max_words, "100000", "most of them"),
    RATIO(min_mean_word_length, "3", "least mean length of these words, in code points"),
    RATIO(max_mean_word_length, "10", "greatest mean length"),
    RATIO(max_hash_ratio, "0.1", "most '#' a word"),
    RATIO(max_ellipsis_ratio, "0.1", "most ellipses a word"),
    RATIO(max_bullet_ratio, "0.9", "greatest share of lines that begin with a bullet"),
    RATIO(max_end_ellipsis_ratio, "0.3", "greatest share of lines that end in an ellipsis"),
    RATIO(min_alpha_ratio, "0.8", "least share of words with a letter"),
    COUNT(min_stop_words, "2", "fewest different stop words"),
    { .key = "stop_words",
      .type = SL_YAML_STRS,
      .offset = offsetof(struct params, stop_words),
      .def = "[the, be, to, of, and, that, have, with]",
      .help = "the stop words, as they stand in a text: case counts" },
    { .key = NULL },
};

enum { WORDS, MEAN_LENGTH, HASHES, ELLIPSES, BULLETS, END_ELLIPSES, ALPHA, STOP_WORDS };
static const struct sl_filter_value values[] = {
    { "gopher_n_words", SL_FILTER_UINT32, "words with a character that is no punctuation or symbol",
      0, 2048, 1 },
    { "gopher_mean_word_length", SL_FILTER_FLOAT32, "mean length of these words in code points", 0,
      16, 1 },
    { "gopher_hash_ratio", SL_FILTER_FLOAT32, "'#' a word", 0, 64, 128 },
    { "gopher_ellipsis_ratio", SL_FILTER_FLOAT32, "ellipses a word", 0, 64, 128 },
    { "gopher_bullet_ratio", SL_FILTER_FLOAT32, "share of lines that begin with a bullet", 0, 64,
      63 },
    { "gopher_end_ellipsis_ratio", SL_FILTER_FLOAT32, "share of lines that end in an ellipsis", 0,
      64, 63 },
    { "gopher_alpha_ratio", SL_FILTER_FLOAT32, "share of words with a letter", 0, 64, 63 },
    { "gopher_n_stop_words", SL_FILTER_UINT32, "different stop words", 0, 64, 1 },
    { NULL, 0, NULL, 0, 0, 0 },
};

#define RULE(reason, value, side, name)                    \
    {                                                      \
        reason, value, side, offsetof(struct params, name) \
    }
static const struct sl_filter_rule rules[] = {
    RULE("gopher_short_doc", WORDS, SL_FILTER_BELOW, min_words),
    RULE("gopher_long_doc", WORDS, SL_FILTER_ABOVE, max_words),
    RULE("gopher_below_avg_threshold", MEAN_LENGTH, SL_FILTER_BELOW, min_mean_word_length),
    RULE("gopher_above_avg_threshold", MEAN_LENGTH, SL_FILTER_ABOVE, max_mean_word_length),
    RULE("gopher_too_many_hashes", HASHES, SL_FILTER_ABOVE, max_hash_ratio),
    RULE("gopher_too_many_ellipsis", ELLIPSES, SL_FILTER_ABOVE, max_ellipsis_ratio),
    RULE("gopher_too_many_bullets", BULLETS, SL_FILTER_ABOVE, max_bullet_ratio),
    RULE("gopher_too_many_end_ellipsis", END_ELLIPSES, SL_FILTER_ABOVE, max_end_ellipsis_ratio),
    RULE("gopher_below_alpha_threshold", ALPHA, SL_FILTER_BELOW, min_alpha_ratio),
    RULE("gopher_few_stop_words", STOP_WORDS, SL_FILTER_BELOW, min_stop_words),
    { NULL, 0, 0, 0 },
};

static enum sl_status prepare(const void *conf, struct sl_arena *arena, const void **plan,
                              struct sl_err *err)
{
    const struct params *p = conf;
    struct sl_word_set *set = sl_arena_zeros(arena, 1, sizeof *set);
    if (!set)
        return sl_err_nomem(err, sizeof *set);
    *plan = set;
    return sl_word_set_make(set, p->stop_words.v, p->stop_words.n, arena, err);
}

static double ratio(uint64_t a, uint64_t b)
{
    return b ? (double)a / (double)b : (double)NAN;
}

static void measure(struct sl_str text, const void *plan, double *v)
{
    struct sl_text_stats s;
    sl_text_stats(text, plan, &s);
    v[WORDS] = (double)s.n_solid_words;
    v[MEAN_LENGTH] = ratio(s.n_solid_chars, s.n_solid_words);
    v[HASHES] = ratio(s.n_hashes, s.n_words);
    v[ELLIPSES] = ratio(s.n_ellipses, s.n_words);
    v[BULLETS] = ratio(s.n_bullet_lines, s.n_lines);
    v[END_ELLIPSES] = ratio(s.n_ellipsis_lines, s.n_lines);
    v[ALPHA] = ratio(s.n_letter_words, s.n_words);
    v[STOP_WORDS] = (double)s.n_found;
}

const struct sl_filter sl_filter_gopher_quality = {
    .name = "gopher_quality",
    .version = "1",
    .about = "length of text and words, symbols, bullets, ellipses, letters, stop words",
    .params = params,
    .params_size = sizeof(struct params),
    .values = values,
    .rules = rules,
    .prepare = prepare,
    .measure = measure,
};
