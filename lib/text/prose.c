/* SPDX-License-Identifier: Apache-2.0 */
/* Characters, words and sentences in one pass over the text.
 *
 * Every code point is of one of seven kinds, and a state of a few integers is moved
 * by it; runs of ASCII letters and digits, most of most texts, are skipped at once.
 * Kinds of ASCII are a table here, the rest is asked of text/chars.h.
 *
 * Rejected: sentence breaks of Unicode's annex 29, which do not end at abbreviations
 * either unless a lower-case letter follows, and cost a look ahead of any length; a
 * list of abbreviations, which is of one language. The means only rank texts. */
#include "text/prose.h"

#include "base/utf8.h"
#include "text/chars.h"

enum kind { OTHER, ALNUM, BLANK, LINE, MARK, WIDE, CLOSER };

/* Columns: 16 code points a row, from NUL on. */
static const uint8_t ascii_kinds[128] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 2, 2, 2, 0, 0, /* controls: tab, LF, VT, FF, CR */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, /* the four separators */
    2, 4, 6, 0, 0, 0, 0, 6, 0, 6, 0, 0, 0, 0, 4, 0, /* blank ! " ' ) . */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 4, /* digits ? */
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* letters */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 6, 0, 0, /* ] */
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* letters */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 6, 0, 0, /* } */
};

bool sl_prose_is_wide_mark(uint32_t cp)
{
    return cp == 0x3002 || cp == 0xff01 || cp == 0xff1f || cp == 0xff61;
}

/* In rising order. */
static const uint16_t marks[] = {
    '!',    '.',    '?',    0x0589, 0x061d, /* Armenian, Arabic */
    0x061e, 0x061f, 0x06d4,                 /* Arabic */
    0x0700, 0x0701, 0x0702, 0x07f9,         /* Syriac, N'Ko */
    0x0964, 0x0965, 0x0f0d, 0x0f0e,         /* dandas of the Indic scripts, Tibetan */
    0x104a, 0x104b, 0x1362, 0x1367, 0x1368, /* Myanmar, Ethiopic */
    0x166e, 0x17d4, 0x17d5, 0x1803, 0x1809, /* Canadian, Khmer, Mongolian */
    0x1c7e, 0x1c7f,                         /* Ol Chiki */
    0x2026, 0x203c, 0x203d, 0x2047, 0x2048, /* three dots, doubled marks */
    0x2049, 0xa4ff, 0xa60e, 0xa60f, 0xabeb, /* Lisu, Vai, Meetei Mayek */
    0xff0e,                                 /* full-width full stop: a decimal point too */
};

/* The quotes 201c and 2019 close in some languages and open in others. */
static const uint16_t closers[] = {
    '"',    '\'',   ')',    ']',    '}',    0x00bb, 0x2019, 0x201c, 0x201d, 0x203a, 0x3009,
    0x300b, 0x300d, 0x300f, 0x3011, 0x3015, 0x3017, 0xff09, 0xff3d, 0xff5d, 0xff63,
};

static bool is_in(const uint16_t *list, size_t n, uint32_t cp)
{
    while (n > 0) {
        size_t half = n / 2;
        if (list[half] == cp)
            return true;
        if (list[half] < cp)
            list += half + 1, n -= half + 1;
        else
            n = half;
    }
    return false;
}

bool sl_prose_is_mark(uint32_t cp)
{
    return is_in(marks, sizeof marks / sizeof *marks, cp);
}

bool sl_prose_is_closer(uint32_t cp)
{
    return is_in(closers, sizeof closers / sizeof *closers, cp);
}

static enum kind kind_beyond(uint32_t cp)
{
    unsigned flags = sl_char_class_beyond(cp);
    if (flags & (SL_CHAR_LETTER | SL_CHAR_DIGIT))
        return ALNUM;
    if (flags & SL_CHAR_SPACE)
        return BLANK;
    if (!(flags & SL_CHAR_PUNCT))
        return OTHER;
    if (sl_prose_is_wide_mark(cp))
        return WIDE;
    if (sl_prose_is_mark(cp))
        return MARK;
    return sl_prose_is_closer(cp) ? CLOSER : OTHER;
}

struct state {
    uint64_t n_chars, n_words, word_chars, n_sentences;
    uint64_t begin;          /* n_chars where the run in hand begins */
    uint64_t sentence_words; /* words of the sentence in hand */
    uint32_t lines;          /* LF since the last run */
    enum kind tail;          /* OTHER, or what the run in hand ends in: MARK, WIDE */
    bool in_run, counts;
};

static inline void end_sentence(struct state *s)
{
    s->n_sentences += s->sentence_words > 0;
    s->sentence_words = 0;
}

static inline void end_run(struct state *s)
{
    if (s->counts) {
        s->n_words++;
        s->word_chars += s->n_chars - s->begin;
        s->sentence_words++;
    }
    if (s->tail != OTHER)
        end_sentence(s);
    s->in_run = s->counts = false;
    s->tail = OTHER;
}

/* Go on with the run in hand, or begin one. */
static inline void go_on(struct state *s)
{
    if (s->in_run)
        return;
    s->in_run = true;
    s->begin = s->n_chars;
    s->lines = 0;
}

/* n code points of a kind that is no blank, mark or closer. */
static inline void plain(struct state *s, size_t n, bool counts)
{
    if (s->tail == WIDE)
        end_run(s);
    go_on(s);
    s->tail = OTHER;
    s->counts |= counts;
    s->n_chars += n;
}

static inline void one(struct state *s, enum kind kind)
{
    switch (kind) {
    case LINE:
        if (++s->lines == 2 && !s->in_run)
            end_sentence(s);
        break;
    case BLANK:
        break;
    case MARK:
    case WIDE:
        go_on(s);
        s->tail = s->tail == WIDE ? WIDE : kind;
        break;
    case CLOSER:
        go_on(s);
        break;
    default:
        plain(s, 1, kind == ALNUM);
        return;
    }
    if (s->in_run && (kind == LINE || kind == BLANK))
        end_run(s);
    s->n_chars++;
}

void sl_prose_count(struct sl_prose *out, const void *p, size_t n)
{
    const uint8_t *at = p, *end = at + n;
    struct state s = { 0 };
    while (at < end) {
        if (*at >= 128) {
            one(&s, kind_beyond(sl_utf8_next(&at, end)));
            continue;
        }
        const uint8_t *from = at;
        while (at < end && *at < 128 && ascii_kinds[*at] == ALNUM)
            at++;
        if (at > from)
            plain(&s, (size_t)(at - from), true);
        else
            one(&s, ascii_kinds[*at++]);
    }
    end_run(&s);
    end_sentence(&s);
    *out = (struct sl_prose){ s.n_chars, s.n_words, s.word_chars, s.n_sentences };
}
