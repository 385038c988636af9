/* SPDX-License-Identifier: Apache-2.0 */
/* Counts by bit masks, 64 bytes at a time.
 *
 * The question "how many words have a letter" is one addition a block: to the
 * bits of the words without their letters, add a bit at the start of each word.
 * It runs up through the word until it falls on the first letter, or on the blank
 * behind the word where there is none; a carry out of bit 63 says that the word
 * goes on and has had none so far, and is added at bit 0 of the next block.
 *
 * What is left is rare or once a line: words without a solid character, whose
 * length is taken off the sum of all; runs of dots; the two ends of lines; the
 * set's words, until all of them were seen.
 *
 * The loop is compiled twice, with and without the instructions that count and
 * find bits. Rejected: a table-driven state machine, a byte at a time, which is
 * simpler and about five times slower. */
#include "text/text_stats.h"

#include <string.h>

#include "text/class_mask.h"
#include "text/words.h"

enum { BLOCK = 64, BLOCKS = 32 };
#define INLINE static inline __attribute__((always_inline))

struct counter {
    struct sl_text_stats *out;
    const uint8_t *text;
    size_t n, at;                  /* bytes; of the block in hand */
    uint64_t in_word;              /* 1: the block before ended in a word */
    uint64_t no_letter;            /* 1: and no letter was in it so far */
    uint64_t no_solid;             /* 1: the same of solid characters */
    uint64_t n_chars;              /* code points before this block */
    uint64_t open_char;            /* of the word with no_solid: code points before it */
    uint64_t dots;                 /* '.' at the end of the block before, modulo 3 */
    size_t line_from;              /* where the line in hand begins */
    const struct sl_word_set *set; /* NULL once all its words were seen */
    size_t open_at;                /* where the word in hand begins, while set is there */
    uint64_t seen[SL_WORD_SET_MAX / 64];
};

INLINE uint64_t bits(uint64_t m)
{
    return (uint64_t)__builtin_popcountll(m);
}

INLINE uint64_t below(unsigned i)
{
    return ((uint64_t)1 << i) - 1;
}

/* Where the bits that start at starts end up: at the first mark of their word, or
 * behind it. pending: see no_letter; in and out. */
INLINE uint64_t fall(uint64_t words, uint64_t marks, uint64_t starts, uint64_t *pending)
{
    uint64_t way = words & ~marks, sum;
    bool over = __builtin_add_overflow(way, starts, &sum);
    over |= __builtin_add_overflow(sum, *pending, &sum);
    *pending = over;
    return sum & ~way;
}

/* Words without a solid character: their code points were counted, and are taken
 * off. ends: the blanks behind them. */
INLINE void take_off(struct counter *c, uint64_t ends, uint64_t starts, uint64_t cont)
{
    for (; ends; ends &= ends - 1) {
        unsigned end = (unsigned)__builtin_ctzll(ends);
        uint64_t before = starts & below(end), from = c->open_char;
        if (before)
            from = c->n_chars + bits(~cont & below(63 - (unsigned)__builtin_clzll(before)));
        c->out->n_solid_chars -= c->n_chars + bits(~cont & below(end)) - from;
    }
}

INLINE void count_words(struct counter *c, const struct sl_class_mask *m)
{
    uint64_t words = ~m->blank, starts = words & ~(words << 1 | c->in_word);
    uint64_t pending = c->no_solid;
    c->out->n_words += bits(starts);
    c->out->n_letter_words += bits(fall(words, m->letter, starts, &c->no_letter) & m->letter);
    uint64_t fell = fall(words, m->solid, starts, &pending);
    c->out->n_solid_words += bits(fell & m->solid);
    c->out->n_solid_chars += bits(words & ~m->cont);
    if (fell & m->blank)
        take_off(c, fell & m->blank, starts, m->cont);
    if (pending && starts)
        c->open_char = c->n_chars + bits(~m->cont & below(63 - (unsigned)__builtin_clzll(starts)));
    c->no_solid = pending;
}

/* Runs of dots; a run goes on in the next block. */
INLINE void count_dots(struct counter *c, uint64_t dots)
{
    if (!(dots & dots >> 1) && !(c->dots && (dots & 1))) {
        c->dots = dots >> 63;
        return;
    }
    uint64_t had = dots & 1 ? c->dots : 0;
    c->dots = 0;
    for (unsigned at = 0; dots >> at; had = 0) {
        at += (unsigned)__builtin_ctzll(dots >> at);
        uint64_t rest = ~(dots >> at);
        unsigned n = rest ? (unsigned)__builtin_ctzll(rest) : BLOCK;
        c->out->n_ellipses += (had + n) / 3;
        at += n;
        if (at == BLOCK) {
            c->dots = (had + n) % 3;
            break;
        }
    }
}

/* Are these three bytes there, at p? Cheaper than a call of memcmp. */
INLINE bool is3(const char *p, const char three[4])
{
    return p[0] == three[0] && p[1] == three[1] && p[2] == three[2];
}

static void end_line(struct counter *c, size_t to)
{
    struct sl_str line = { (const char *)c->text + c->line_from, to - c->line_from };
    c->out->n_lines++;
    line = sl_blank_rstrip(sl_blank_lstrip(line));
    if (!line.n)
        return;
    const char *end = line.p + line.n;
    c->out->n_bullet_lines += line.p[0] == '-' || (line.n > 2 && is3(line.p, "\xe2\x80\xa2"));
    c->out->n_ellipsis_lines += line.n > 2 && (is3(end - 3, "...") || is3(end - 3, "\xe2\x80\xa6"));
}

INLINE void count_lines(struct counter *c, uint64_t breaks)
{
    for (; breaks; breaks &= breaks - 1) {
        size_t last = c->at + (unsigned)__builtin_ctzll(breaks);
        uint8_t b = c->text[last];
        /* CR LF: the CR is blank. U+0085 has two bytes, U+2028 and U+2029 three. */
        end_line(c, b < 0x80 ? last : b == 0x85 ? last - 1 : last - 2);
        c->line_from = last + 1;
    }
}

static void look_up(struct counter *c, struct sl_str word)
{
    int32_t i = sl_word_set_find(c->set, word, c->n - c->open_at);
    if (i < 0 || (c->seen[i / 64] >> i % 64 & 1))
        return;
    c->seen[i / 64] |= (uint64_t)1 << i % 64;
    c->out->n_found++;
}

INLINE void end_word(struct counter *c, size_t end)
{
    struct sl_str word = { (const char *)c->text + c->open_at, end - c->open_at };
    if (sl_word_set_may_have(c->set, word))
        look_up(c, word);
}

INLINE void open_next(struct counter *c, uint64_t *starts)
{
    if (!*starts)
        return;
    c->open_at = c->at + (unsigned)__builtin_ctzll(*starts);
    *starts &= *starts - 1;
}

INLINE void count_found(struct counter *c, uint64_t blank)
{
    uint64_t words = ~blank, starts = words & ~(words << 1 | c->in_word);
    uint64_t ends = blank & (words << 1 | c->in_word);
    if (!c->in_word)
        open_next(c, &starts);
    for (; ends; ends &= ends - 1) {
        end_word(c, c->at + (unsigned)__builtin_ctzll(ends));
        open_next(c, &starts);
    }
    if (c->out->n_found == c->set->n)
        c->set = NULL;
}

INLINE void count_block(struct counter *c, const struct sl_class_mask *m)
{
    count_words(c, m);
    c->out->n_hashes += bits(m->hash);
    c->out->n_ellipses += bits(m->ellipsis);
    count_dots(c, m->dot);
    count_lines(c, m->brk);
    if (c->set)
        count_found(c, m->blank);
    c->in_word = ~m->blank >> 63;
    c->n_chars += BLOCK - bits(m->cont);
    c->at += BLOCK;
}

INLINE void count_all(struct counter *c, struct sl_class_scan *s)
{
    struct sl_class_mask masks[BLOCKS];
    for (size_t n; (n = sl_class_scan_next(s, masks, BLOCKS));)
        for (size_t i = 0; i < n; i++)
            count_block(c, &masks[i]);
    if (c->line_from < c->n)
        end_line(c, c->n);
}

static void count_plain(struct counter *c, struct sl_class_scan *s)
{
    count_all(c, s);
}

#if defined(__x86_64__)
__attribute__((target("popcnt,bmi"))) static void count_fast(struct counter *c,
                                                             struct sl_class_scan *s)
{
    count_all(c, s);
}
#endif

static void begin(struct counter *c, struct sl_str text, const struct sl_word_set *set,
                  struct sl_text_stats *out)
{
    memset(out, 0, sizeof *out);
    memset(c, 0, offsetof(struct counter, seen));
    c->out = out;
    c->text = (const uint8_t *)text.p;
    c->n = text.n;
    if (!set || !set->n)
        return;
    c->set = set;
    memset(c->seen, 0, (set->n + 63) / 64 * sizeof *c->seen);
}

void sl_text_stats_plain(struct sl_str text, const struct sl_word_set *set,
                         struct sl_text_stats *out)
{
    struct counter c;
    struct sl_class_scan s;
    begin(&c, text, set, out);
    sl_class_scan_plain(&s, text);
    count_plain(&c, &s);
}

void sl_text_stats(struct sl_str text, const struct sl_word_set *set, struct sl_text_stats *out)
{
    struct counter c;
    struct sl_class_scan s;
    begin(&c, text, set, out);
    sl_class_scan_init(&s, text);
#if defined(__x86_64__)
    if (__builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi")) {
        count_fast(&c, &s);
        return;
    }
#endif
    count_plain(&c, &s);
}
