/* SPDX-License-Identifier: Apache-2.0 */
/* The words lie one behind another in one array of ids, an id for each byte, with a wall
 * between words. A token of more bytes has its id at its first and at its last place: so
 * its neighbours are found from its length alone, and a merge in a word of any length
 * costs the same. Links in both directions would be three times the memory.
 *
 * Each pair has a list of the places where it may stand, made once, when its younger token
 * is made, in ascending order; a place is looked at when its pair is merged and skipped
 * where it is stale. The words are laid out by falling count, so that the count of a place
 * follows from runs of equal counts while a list is walked: no number of the word is kept.
 *
 * A merge of (a, b) into x changes four counts at each place: (l, a) and (b, r) lose,
 * (l, x) and (x, r) gain the same. What is gained and lost is summed by l and by r in
 * arrays, and the table of pairs is touched once for each different neighbour.
 *
 * One string can come from two pairs (a + bc, ab + c). The second takes the id of the
 * first, and pairs with that id can then be queued twice. Of such a pair whole words are
 * merged, as the reference does; the count of a merged pair is left as it is. */
#include "token/train_bpe.h"

#include <stdlib.h>
#include <string.h>

#include "token/byte_chars.h"
#include "token/train_pairs.h"
#include "token/train_tokens.h"

#define WALL UINT32_MAX
#define INSIDE (UINT32_MAX - 1)
#define MAX_PLACES ((uint64_t)UINT32_MAX - 16)
enum { SMALL_COUNTS = 1 << 16, AHEAD = 16, WORD_MAX_WALK = 4096, MIN_HOLE = 64, HOLE_BINS = 33 };

struct word {
    uint64_t off;
    uint32_t n;
    int64_t count;
};

/* Words of one count. */
struct count_run {
    uint32_t from; /* the first place */
    int64_t count;
};

/* What a merge makes with a neighbour. */
struct side {
    int64_t sum;
    uint64_t at; /* of its list: where the next place is put */
    uint32_t n;
};

struct place {
    uint32_t neighbour, at;
};

struct side_log {
    struct side *by_id;
    uint32_t *touched;
    struct place *places;
    size_t n_touched, cap_touched, n_places, cap_places;
};

struct sl_bpe_trainer {
    struct sl_bpe_conf conf;
    struct sl_train_budget budget;
    struct sl_train_tokens tokens;

    uint8_t *text; /* the words, until they are laid out */
    size_t n_text, cap_text;
    struct word *words;
    size_t n_words, cap_words;

    uint32_t *ids;
    size_t n_ids;
    struct count_run *runs;
    size_t n_runs;

    struct sl_pairs pairs;
    struct sl_pair_queue queue;
    uint32_t *lists; /* each: its length, its places */
    size_t n_lists, cap_lists;
    uint64_t holes[HOLE_BINS]; /* by size, 2^i and more: the first, behind which others are */
    uint64_t open, open_end;   /* the hole in which lists are made now */
    struct side_log left, right;

    struct sl_bpe_merge *merges;
    size_t n_merges;
};

/* Room for n things of size bytes in *p, which has room for *cap. */
static enum sl_status room(struct sl_bpe_trainer *t, void **p, size_t *cap, size_t n, size_t size,
                           struct sl_err *err)
{
    if (n <= *cap)
        return SL_OK;
    size_t more = *cap + *cap / 4 + 1024;
    if (more < n)
        more = n;
    SL_TRY(sl_train_resize(&t->budget, p, *cap * size, more * size, err));
    *cap = more;
    return SL_OK;
}

static void drop(struct sl_bpe_trainer *t, void **p, size_t bytes)
{
    free(*p);
    *p = NULL;
    t->budget.used_bytes -= bytes;
}

/* ---- making ---- */

static enum sl_status add_specials(struct sl_bpe_trainer *t, struct sl_err *err)
{
    const struct sl_bpe_conf *c = &t->conf;
    for (uint32_t i = 0; i < c->n_specials; i++) {
        struct sl_str s = c->specials[i];
        if (!s.n || s.n > 4096)
            return sl_err_set(err, SL_E_USAGE, "a special token is empty or over 4096 bytes");
        for (uint32_t k = 0; k < i; k++)
            if (sl_str_eq(c->specials[k], s))
                return sl_err_set(err, SL_E_USAGE, "special token '%.*s' is there twice", (int)s.n,
                                  s.p);
        SL_TRY(sl_train_tokens_add_special(&t->tokens, s, err));
        if (t->tokens.list[i].n == 1)
            return sl_err_set(err, SL_E_USAGE, "special token '%.*s' stands for a byte already",
                              (int)s.n, s.p);
    }
    return SL_OK;
}

static enum sl_status init(struct sl_bpe_trainer *t, struct sl_err *err)
{
    SL_TRY(sl_train_tokens_init(&t->tokens, t->conf.vocab, err));
    SL_TRY(add_specials(t, err));
    for (unsigned k = 0; k < SL_BPE_BYTES; k++) {
        const char byte = (char)sl_byte_in_order(k);
        SL_TRY(sl_train_tokens_add(&t->tokens, (struct sl_str){ &byte, 1 }, err));
    }
    t->conf.specials = NULL; /* the caller's */
    t->merges = calloc(t->conf.vocab, sizeof *t->merges);
    return t->merges ? SL_OK : sl_err_nomem(err, t->conf.vocab * sizeof *t->merges);
}

enum sl_status sl_bpe_trainer_new(struct sl_bpe_trainer **out, const struct sl_bpe_conf *conf,
                                  struct sl_err *err)
{
    *out = NULL;
    if (conf->vocab > SL_BPE_MAX_VOCAB || conf->n_specials > conf->vocab ||
        conf->vocab - conf->n_specials < SL_BPE_BYTES)
        return sl_err_set(err, SL_E_USAGE,
                          "a vocabulary of %u is not from %d to %d with %u special tokens",
                          conf->vocab, SL_BPE_BYTES, SL_BPE_MAX_VOCAB, conf->n_specials);
    struct sl_bpe_trainer *t = calloc(1, sizeof *t);
    if (!t)
        return sl_err_nomem(err, sizeof *t);
    t->conf = *conf;
    t->budget.max_bytes = conf->mem_bytes;
    enum sl_status st = init(t, err);
    if (st != SL_OK) {
        sl_bpe_trainer_free(t);
        return st;
    }
    *out = t;
    return SL_OK;
}

static void side_release(struct side_log *s)
{
    free(s->by_id);
    free(s->touched);
    free(s->places);
}

void sl_bpe_trainer_free(struct sl_bpe_trainer *t)
{
    if (!t)
        return;
    sl_train_tokens_release(&t->tokens);
    free(t->text);
    free(t->words);
    free(t->ids);
    free(t->runs);
    sl_pairs_release(&t->pairs);
    sl_pair_queue_release(&t->queue);
    free(t->lists);
    side_release(&t->left);
    side_release(&t->right);
    free(t->merges);
    free(t);
}

enum sl_status sl_bpe_trainer_add(struct sl_bpe_trainer *t, struct sl_str word, int64_t count,
                                  struct sl_err *err)
{
    if (word.n < 2 || count <= 0 || t->tokens.n >= t->conf.vocab)
        return SL_OK; /* has no pair, or none is looked for */
    if (word.n > INT32_MAX || t->n_text + word.n + t->n_words + 2 > MAX_PLACES)
        return sl_err_set(err, SL_E_SYSTEM, "the words have more than 2^32 bytes together");
    void *p = t->text;
    SL_TRY(room(t, &p, &t->cap_text, t->n_text + word.n, 1, err));
    t->text = p;
    p = t->words;
    SL_TRY(room(t, &p, &t->cap_words, t->n_words + 1, sizeof *t->words, err));
    t->words = p;
    memcpy(t->text + t->n_text, word.p, word.n);
    t->words[t->n_words++] = (struct word){ t->n_text, (uint32_t)word.n, count };
    t->n_text += word.n;
    return SL_OK;
}

/* ---- layout ---- */

static int by_falling_count(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->off < y->off ? -1 : 1;
}

/* Nearly all counts are small: those are sorted by counting. */
static enum sl_status sort_words(struct sl_bpe_trainer *t, struct sl_err *err)
{
    size_t *starts = calloc(SMALL_COUNTS + 1, sizeof *starts), n_large = 0;
    void *p = NULL;
    enum sl_status st = starts ? SL_OK : sl_err_nomem(err, SMALL_COUNTS * sizeof *starts);
    if (st == SL_OK)
        st = sl_train_resize(&t->budget, &p, 0, (t->n_words + 1) * sizeof *t->words, err);
    if (st != SL_OK) {
        free(starts);
        return st;
    }
    struct word *sorted = p;
    for (size_t i = 0; i < t->n_words; i++)
        if (t->words[i].count < SMALL_COUNTS)
            starts[t->words[i].count]++;
        else
            sorted[n_large++] = t->words[i];
    qsort(sorted, n_large, sizeof *sorted, by_falling_count);
    for (size_t c = SMALL_COUNTS, at = n_large; c-- > 0;) {
        size_t n = starts[c];
        starts[c] = at;
        at += n;
    }
    for (size_t i = 0; i < t->n_words; i++)
        if (t->words[i].count < SMALL_COUNTS)
            sorted[starts[t->words[i].count]++] = t->words[i];
    free(starts);
    p = t->words;
    drop(t, &p, t->cap_words * sizeof *t->words);
    t->words = sorted;
    t->cap_words = t->n_words + 1;
    return SL_OK;
}

static enum sl_status add_run(struct sl_bpe_trainer *t, size_t *cap, uint32_t from, int64_t count,
                              struct sl_err *err)
{
    if (t->n_runs && t->runs[t->n_runs - 1].count == count)
        return SL_OK;
    void *p = t->runs;
    SL_TRY(room(t, &p, cap, t->n_runs + 1, sizeof *t->runs, err));
    t->runs = p;
    t->runs[t->n_runs++] = (struct count_run){ from, count };
    return SL_OK;
}

static enum sl_status lay_out(struct sl_bpe_trainer *t, struct sl_err *err)
{
    uint32_t id_of[256];
    size_t cap_runs = 0;
    void *p = NULL;
    SL_TRY(sort_words(t, err));
    for (unsigned k = 0; k < 256; k++)
        id_of[sl_byte_in_order(k)] = t->conf.n_specials + k;
    SL_TRY(sl_train_resize(&t->budget, &p, 0, (t->n_text + t->n_words + 1) * sizeof *t->ids, err));
    t->ids = p;
    uint32_t *at = t->ids;
    *at++ = WALL;
    for (size_t i = 0; i < t->n_words; i++) {
        const struct word *w = &t->words[i];
        SL_TRY(add_run(t, &cap_runs, (uint32_t)(at - t->ids), w->count, err));
        for (uint32_t k = 0; k < w->n; k++)
            *at++ = id_of[t->text[w->off + k]];
        *at++ = WALL;
    }
    t->n_ids = (size_t)(at - t->ids);
    p = t->text;
    drop(t, &p, t->cap_text);
    t->text = NULL;
    p = t->words;
    drop(t, &p, t->cap_words * sizeof *t->words);
    t->words = NULL;
    return SL_OK;
}

/* ---- first pairs ---- */

/* Lists that are done with are used again: a hole holds its size and the place of the next
 * hole of its bin, plus 1. */
static void hole_add(struct sl_bpe_trainer *t, uint64_t at, uint64_t n)
{
    if (n < MIN_HOLE)
        return;
    int bin = 63 - __builtin_clzll(n);
    memcpy(t->lists + at, &n, sizeof n);
    memcpy(t->lists + at + 2, &t->holes[bin], sizeof t->holes[bin]);
    t->holes[bin] = at + 1;
}

/* Open a hole with room for n; false where there is none that surely has it. */
static bool hole_open(struct sl_bpe_trainer *t, uint64_t n)
{
    int bin = 64 - __builtin_clzll(n);
    while (bin < HOLE_BINS && !t->holes[bin])
        bin++;
    if (bin >= HOLE_BINS)
        return false;
    hole_add(t, t->open, t->open_end - t->open);
    t->open = t->holes[bin] - 1;
    uint64_t size;
    memcpy(&size, t->lists + t->open, sizeof size);
    memcpy(&t->holes[bin], t->lists + t->open + 2, sizeof t->holes[bin]);
    t->open_end = t->open + size;
    return true;
}

static enum sl_status list_new(struct sl_bpe_trainer *t, uint32_t n, uint64_t *at,
                               struct sl_err *err)
{
    uint64_t size = (uint64_t)n + 1;
    if (size <= t->open_end - t->open || hole_open(t, size)) {
        *at = t->open;
        t->lists[*at] = n;
        t->open += size;
        return SL_OK;
    }
    void *p = t->lists;
    SL_TRY(room(t, &p, &t->cap_lists, t->n_lists + n + 1, sizeof *t->lists, err));
    t->lists = p;
    *at = t->n_lists;
    t->lists[*at] = n;
    t->n_lists += n + 1;
    return SL_OK;
}

static enum sl_status queue_first(struct sl_bpe_trainer *t, struct side *cells, struct sl_err *err)
{
    uint32_t base = t->conf.n_specials;
    SL_TRY(sl_pairs_reserve(&t->pairs, 256 * 256, err));
    for (uint32_t k = 0; k < 256 * 256; k++) {
        struct sl_queued x = { cells[k].sum, base + (k >> 8), base + (k & 255), 0 };
        bool was;
        if (!cells[k].n)
            continue;
        SL_TRY(list_new(t, cells[k].n, &x.list, err));
        cells[k].at = x.list + 1;
        sl_pairs_get(&t->pairs, x.left, x.right, &was)->count2 = x.count * 2;
        SL_TRY(sl_pair_queue_add(&t->queue, &x, err));
    }
    return SL_OK;
}

static enum sl_status first_pairs(struct sl_bpe_trainer *t, struct side *cells, struct sl_err *err)
{
    const uint32_t *ids = t->ids, base = t->conf.n_specials;
    for (size_t r = 0; r < t->n_runs; r++) {
        size_t end = r + 1 < t->n_runs ? t->runs[r + 1].from : t->n_ids;
        for (size_t i = t->runs[r].from; i + 1 < end; i++)
            if (ids[i] != WALL && ids[i + 1] != WALL) {
                struct side *c = &cells[(ids[i] - base) << 8 | (ids[i + 1] - base)];
                c->sum += t->runs[r].count;
                c->n++;
            }
    }
    SL_TRY(queue_first(t, cells, err));
    for (size_t i = 1; i + 1 < t->n_ids; i++)
        if (ids[i] != WALL && ids[i + 1] != WALL)
            t->lists[cells[(ids[i] - base) << 8 | (ids[i + 1] - base)].at++] = (uint32_t)i;
    return SL_OK;
}

/* ---- one merge ---- */

struct step {
    uint32_t left, right, id, left_n, right_n;
};

static void note(struct side_log *s, uint32_t neighbour, int64_t count, uint32_t at)
{
    struct side *side = &s->by_id[neighbour];
    if (!side->n++)
        s->touched[s->n_touched++] = neighbour;
    side->sum += count;
    s->places[s->n_places++] = (struct place){ neighbour, at };
}

static bool stands(const uint32_t *ids, const struct step *m, uint32_t at)
{
    return ids[at] == m->left && ids[at + m->left_n] == m->right;
}

static void merge_at(struct sl_bpe_trainer *t, const struct step *m, uint32_t at, int64_t count)
{
    uint32_t *ids = t->ids, second = at + m->left_n, end = second + m->right_n;
    uint32_t left = ids[at - 1], right = ids[end];
    ids[second] = INSIDE;
    ids[at] = ids[end - 1] = m->id;
    if (left != WALL)
        note(&t->left, left, count, at - t->tokens.list[left].n);
    if (right != WALL)
        note(&t->right, right, count, at);
}

/* The run of a place at or behind run k. */
static size_t run_of(const struct sl_bpe_trainer *t, size_t k, uint32_t at)
{
    size_t step = 1, lo = k, hi;
    while (lo + step < t->n_runs && t->runs[lo + step].from <= at) {
        lo += step;
        step *= 2;
    }
    hi = lo + step < t->n_runs ? lo + step : t->n_runs;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (t->runs[mid].from <= at)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

static enum sl_status side_room(struct sl_bpe_trainer *t, struct side_log *s, size_t n,
                                struct sl_err *err)
{
    void *p = s->places;
    SL_TRY(room(t, &p, &s->cap_places, n, sizeof *s->places, err));
    s->places = p;
    return SL_OK;
}

/* Merge all occurrences in the whole words in which a list has places. */
static enum sl_status merge_words(struct sl_bpe_trainer *t, const struct step *m, uint64_t list,
                                  struct sl_err *err)
{
    uint32_t n = t->lists[list];
    for (uint32_t i = 0; i < n; i++) {
        uint32_t p = t->lists[list + 1 + i], at = p;
        while (p - at < WORD_MAX_WALK && t->ids[at - 1] != WALL)
            at--;
        bool whole = t->ids[at - 1] == WALL;
        int64_t count = t->runs[run_of(t, 0, p)].count;
        for (at = whole ? at : p; t->ids[at] != WALL; at += t->tokens.list[t->ids[at]].n) {
            if (stands(t->ids, m, at)) {
                SL_TRY(side_room(t, &t->left, t->left.n_places + 1, err));
                SL_TRY(side_room(t, &t->right, t->right.n_places + 1, err));
                merge_at(t, m, at, count);
            }
            if (!whole)
                break;
        }
    }
    return SL_OK;
}

static enum sl_status merge_places(struct sl_bpe_trainer *t, const struct step *m, uint64_t list,
                                   struct sl_err *err)
{
    const uint32_t *places = t->lists + list + 1, n = t->lists[list];
    size_t run = 0;
    SL_TRY(side_room(t, &t->left, n, err));
    SL_TRY(side_room(t, &t->right, n, err));
    for (uint32_t i = 0; i < n; i++) {
        if (i + AHEAD < n)
            __builtin_prefetch(&t->ids[places[i + AHEAD]], 1);
        if (!stands(t->ids, m, places[i]))
            continue;
        run = run_of(t, run, places[i]);
        merge_at(t, m, places[i], t->runs[run].count);
    }
    return SL_OK;
}

/* The pairs that a merge made: counts up, and lists. */
static enum sl_status gain(struct sl_bpe_trainer *t, struct side_log *s, uint32_t id, bool on_left,
                           struct sl_err *err)
{
    SL_TRY(sl_pairs_reserve(&t->pairs, s->n_touched, err));
    for (size_t i = 0; i < s->n_touched; i++) {
        uint32_t k = s->touched[i];
        struct side *side = &s->by_id[k];
        bool was;
        struct sl_pair_slot *slot =
            on_left ? sl_pairs_get(&t->pairs, k, id, &was) : sl_pairs_get(&t->pairs, id, k, &was);
        slot->count2 = (slot->count2 + side->sum * 2) | was;
        SL_TRY(list_new(t, side->n, &side->at, err));
        side->at++;
    }
    for (size_t i = 0; i < s->n_places; i++)
        t->lists[s->by_id[s->places[i].neighbour].at++] = s->places[i].at;
    return SL_OK;
}

static void lose(struct sl_bpe_trainer *t, const struct side_log *s, const struct step *m,
                 bool on_left)
{
    for (size_t i = 0; i < s->n_touched; i++) {
        uint32_t k = s->touched[i];
        struct sl_pair_slot *slot =
            on_left ? sl_pairs_find(&t->pairs, k, m->left) : sl_pairs_find(&t->pairs, m->right, k);
        if (slot)
            slot->count2 -= s->by_id[k].sum * 2;
    }
}

static enum sl_status enqueue(struct sl_bpe_trainer *t, struct side_log *s, uint32_t id,
                              bool on_left, struct sl_err *err)
{
    for (size_t i = 0; i < s->n_touched; i++) {
        uint32_t k = s->touched[i];
        struct side *side = &s->by_id[k];
        struct sl_queued x = { 0, on_left ? k : id, on_left ? id : k, side->at - side->n - 1 };
        const struct sl_pair_slot *slot = sl_pairs_find(&t->pairs, x.left, x.right);
        x.count = slot ? slot->count2 >> 1 : 0;
        if (x.count > 0)
            SL_TRY(sl_pair_queue_add(&t->queue, &x, err));
        else
            hole_add(t, x.list, (uint64_t)side->n + 1);
        *side = (struct side){ 0 };
    }
    s->n_touched = s->n_places = 0;
    return SL_OK;
}

/* Of two equal merges the later one counts. */
static void add_merge(struct sl_bpe_trainer *t, const struct sl_bpe_merge *m, bool id_was)
{
    for (size_t i = t->n_merges; id_was && i-- > 0;)
        if (t->merges[i].left == m->left && t->merges[i].right == m->right) {
            memmove(t->merges + i, t->merges + i + 1, (t->n_merges - i - 1) * sizeof *m);
            t->n_merges--;
            break;
        }
    t->merges[t->n_merges++] = *m;
}

static enum sl_status merge(struct sl_bpe_trainer *t, const struct sl_queued *x, struct sl_err *err)
{
    bool was;
    struct step m = { .left = x->left, .right = x->right };
    SL_TRY(sl_train_tokens_join(&t->tokens, m.left, m.right, &m.id, &was, err));
    m.left_n = t->tokens.list[m.left].n;
    m.right_n = t->tokens.list[m.right].n;
    add_merge(t, &(struct sl_bpe_merge){ m.left, m.right, m.id, x->count }, was);
    const struct sl_pair_slot *slot = sl_pairs_find(&t->pairs, m.left, m.right);
    if (slot && slot->count2 & 1)
        SL_TRY(merge_words(t, &m, x->list, err));
    else
        SL_TRY(merge_places(t, &m, x->list, err));
    hole_add(t, x->list, (uint64_t)t->lists[x->list] + 1);
    SL_TRY(gain(t, &t->left, m.id, true, err));
    SL_TRY(gain(t, &t->right, m.id, false, err));
    lose(t, &t->left, &m, true);
    lose(t, &t->right, &m, false);
    SL_TRY(enqueue(t, &t->left, m.id, true, err));
    return enqueue(t, &t->right, m.id, false, err);
}

/* ---- the whole ---- */

static enum sl_status side_init(struct sl_bpe_trainer *t, struct side_log *s, struct sl_err *err)
{
    void *p = NULL, *q = NULL;
    size_t n = t->conf.vocab;
    SL_TRY(sl_train_resize(&t->budget, &p, 0, n * sizeof *s->by_id, err));
    s->by_id = memset(p, 0, n * sizeof *s->by_id);
    SL_TRY(sl_train_resize(&t->budget, &q, 0, n * sizeof *s->touched, err));
    s->touched = q;
    return SL_OK;
}

static enum sl_status prepare(struct sl_bpe_trainer *t, struct sl_err *err)
{
    SL_TRY(lay_out(t, err));
    SL_TRY(side_init(t, &t->left, err));
    SL_TRY(side_init(t, &t->right, err));
    SL_TRY(sl_pairs_init(&t->pairs, &t->budget, err));
    sl_pair_queue_init(&t->queue, &t->pairs, &t->budget);
    struct side *cells = calloc(256 * 256, sizeof *cells);
    if (!cells)
        return sl_err_nomem(err, 256 * 256 * sizeof *cells);
    enum sl_status st = first_pairs(t, cells, err);
    free(cells);
    return st;
}

enum sl_status sl_bpe_trainer_run(struct sl_bpe_trainer *t, struct sl_err *err)
{
    if (t->tokens.n < t->conf.vocab)
        SL_TRY(prepare(t, err));
    while (t->tokens.n < t->conf.vocab) {
        struct sl_queued x;
        enum sl_status st = sl_pair_queue_next(&t->queue, &x, err);
        if (st == SL_END || (st == SL_OK && x.count < t->conf.min_frequency))
            break;
        SL_TRY(st);
        SL_TRY(merge(t, &x, err));
    }
    return SL_OK;
}

size_t sl_bpe_trainer_merges(const struct sl_bpe_trainer *t, const struct sl_bpe_merge **merges)
{
    *merges = t->merges;
    return t->n_merges;
}

uint32_t sl_bpe_trainer_vocab(const struct sl_bpe_trainer *t)
{
    return t->tokens.n;
}

struct sl_str sl_bpe_trainer_token(const struct sl_bpe_trainer *t, uint32_t id)
{
    return sl_train_tokens_text(&t->tokens, id);
}

size_t sl_bpe_trainer_peak_bytes(const struct sl_bpe_trainer *t)
{
    return t->budget.peak_bytes;
}
