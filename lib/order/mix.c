/* SPDX-License-Identifier: Apache-2.0 */
/* A mix asks for rows and never holds any, so that it can be tried without them.
 *
 * What      that a source has ended is found where a row is wanted of it (by weight: where its
 *           next one is weighed, which changes nothing), so a source of unknown size is as
 *           good as a file. When one ends, all others are asked whether they have: what is
 *           known then depends on rows alone, not on where batches end.
 * Invariant given[] counts what sl_mix_next said; shares[] are those in force. */
#include "order/mix.h"

#include <stdlib.h>

#include "order/assign.h"
#include "order/mix_queue.h"

struct sl_mix {
    const struct sl_mix_rules *rules;
    const struct sl_mix_rows *rows;
    uint64_t *shares, *given;
    bool *ended;
    uint64_t position;
    struct sl_schedule *schedule; /* by rows */
    struct sl_assign *assign;
    struct sl_mix_queue *queue; /* by weight */
    int64_t last;               /* by weight: the source whose next row is not weighed yet; or -1 */
};

/* ---- rows ---- */

/* The source has a row, if need be by beginning again. SL_END: it has ended. */
static enum sl_status find_row(struct sl_mix *m, size_t i, uint64_t *weight, struct sl_err *err)
{
    *weight = 0;
    enum sl_status st = m->ended[i] ? SL_END : m->rows->peek(m->rows->ctx, i, weight, err);
    if (st == SL_END && m->rules->sources[i].when_empty == SL_MIX_REPEAT && m->given[i]) {
        SL_TRY(m->rows->again(m->rows->ctx, i, err));
        st = m->rows->peek(m->rows->ctx, i, weight, err);
    }
    m->ended[i] = st == SL_END;
    return st;
}

/* ---- the assignment ---- */

static enum sl_status weigh(struct sl_mix *m, size_t i, struct sl_err *err)
{
    uint64_t weight;
    enum sl_status st = find_row(m, i, &weight, err);
    if (st != SL_OK && st != SL_END)
        return st;
    return sl_mix_queue_push(m->queue, i, weight, err);
}

static enum sl_status begin_by_weight(struct sl_mix *m, struct sl_err *err)
{
    sl_mix_queue_free(m->queue);
    m->last = -1;
    SL_TRY(sl_mix_queue_new(&m->queue, m->shares, m->rules->n, err));
    for (size_t i = 0; i < m->rules->n; i++)
        if (m->shares[i])
            SL_TRY(weigh(m, i, err));
    return SL_OK;
}

/* Begin to assign by the shares as they are now. */
static enum sl_status begin(struct sl_mix *m, struct sl_err *err)
{
    struct sl_schedule *next;
    uint64_t left = m->rules->rows ? m->rules->rows - m->position : SL_SCHEDULE_MAX / 2;
    if (m->rules->by_weight)
        return begin_by_weight(m, err);
    SL_TRY(sl_schedule_new(&next, m->rules->n, err));
    enum sl_status st = sl_schedule_add(next, left, m->shares, NULL, NULL, err);
    if (st == SL_OK)
        st = m->assign ? sl_assign_switch(m->assign, next, err)
                       : sl_assign_new(&m->assign, next, err);
    if (st != SL_OK) {
        sl_schedule_free(next);
        return st;
    }
    sl_schedule_free(m->schedule);
    m->schedule = next;
    return SL_OK;
}

static enum sl_status pick(struct sl_mix *m, uint32_t *i, struct sl_err *err)
{
    if (m->rules->rows && m->position == m->rules->rows)
        return SL_END;
    if (!m->rules->by_weight)
        return sl_assign_next(m->assign, i) ? SL_OK : SL_END;
    if (m->last >= 0)
        SL_TRY(weigh(m, (size_t)m->last, err));
    m->last = -1;
    *i = sl_mix_queue_pop(m->queue);
    return SL_OK;
}

/* ---- ends ---- */

/* What is left in the sources that have a share. */
struct left {
    bool once, repeating; /* of those that do not repeat, of those that do */
};

static enum sl_status look(struct sl_mix *m, struct left *left, struct sl_err *err)
{
    *left = (struct left){ 0 };
    for (size_t i = 0; i < m->rules->n; i++) {
        uint64_t weight;
        enum sl_status st = m->shares[i] ? find_row(m, i, &weight, err) : SL_END;
        if (st != SL_OK && st != SL_END)
            return st;
        bool repeats = m->rules->sources[i].when_empty == SL_MIX_REPEAT;
        left->once |= st == SL_OK && !repeats;
        left->repeating |= st == SL_OK && repeats;
    }
    return SL_OK;
}

static enum sl_status too_small(const struct sl_mix *m, size_t i, const struct left *left,
                                struct sl_err *err)
{
    const struct sl_mix_source *s = &m->rules->sources[i];
    if (!m->given[i])
        return sl_err_set(
            err, SL_E_DATA, "%s has no rows, and row %llu of the output is to be one of them%s",
            s->shown, (unsigned long long)m->position + 1,
            s->when_empty == SL_MIX_ERROR ? " (--when-empty says what else to do)" : "");
    return sl_err_set(err, SL_E_DATA,
                      "%s ended after %llu rows, and row %llu of the output is to be one more of "
                      "it%s",
                      s->shown, (unsigned long long)m->given[i],
                      (unsigned long long)m->position + 1,
                      left->once || left->repeating ? " (--when-empty says what else to do)"
                                                    : "; no source has any left");
}

/* All that ended and may give their shares away do so at once, or each would be a change. */
static enum sl_status redistribute(struct sl_mix *m, struct sl_err *err)
{
    size_t n = m->rules->n;
    uint64_t *was = malloc(n * sizeof *was);
    if (!was)
        return sl_err_nomem(err, n * sizeof *was);
    for (size_t i = 0; i < n; i++) {
        bool gives = m->ended[i] && m->rules->sources[i].when_empty == SL_MIX_REDISTRIBUTE;
        was[i] = gives ? 0 : m->shares[i];
        if (gives && m->shares[i] && m->rows->ended)
            m->rows->ended(m->rows->ctx, i, m->given[i], m->position);
    }
    enum sl_status st = sl_shares_divide_units(was, n, SL_SHARE_ONE, m->shares, err);
    free(was);
    return st == SL_OK ? begin(m, err) : st;
}

/* Source i was to give a row and has none. SL_END where the mix ends. */
static enum sl_status run_out(struct sl_mix *m, size_t i, struct sl_err *err)
{
    enum sl_mix_when_empty what = m->rules->sources[i].when_empty;
    struct left left;
    if (what == SL_MIX_STOP)
        return SL_END;
    SL_TRY(look(m, &left, err));
    if (!left.once && !m->rules->rows && what != SL_MIX_REPEAT)
        return SL_END;
    if (what != SL_MIX_REDISTRIBUTE || (!left.once && !left.repeating))
        return too_small(m, i, &left, err);
    return redistribute(m, err);
}

enum sl_status sl_mix_next(struct sl_mix *m, uint32_t *source, struct sl_err *err)
{
    for (;;) {
        uint64_t weight;
        uint32_t i = 0;
        SL_TRY(pick(m, &i, err));
        enum sl_status st = find_row(m, i, &weight, err);
        if (st == SL_END) {
            SL_TRY(run_out(m, i, err));
            continue;
        }
        SL_TRY(st);
        m->given[i]++;
        m->position++;
        m->last = i;
        *source = i;
        return SL_OK;
    }
}

/* ---- making ---- */

static enum sl_status check(const struct sl_mix_rules *rules, struct sl_err *err)
{
    bool ends = rules->rows > 0;
    for (size_t i = 0; i < rules->n; i++)
        ends |= rules->sources[i].share && rules->sources[i].when_empty != SL_MIX_REPEAT;
    if (!ends)
        return sl_err_set(err, SL_E_USAGE,
                          "every source repeats, so the output has no end: -n "
                          "gives it one");
    return SL_OK;
}

enum sl_status sl_mix_new(struct sl_mix **out, const struct sl_mix_rules *rules,
                          const struct sl_mix_rows *rows, struct sl_err *err)
{
    *out = NULL;
    SL_TRY(check(rules, err));
    struct sl_mix *m = calloc(1, sizeof *m);
    if (!m)
        return sl_err_nomem(err, sizeof *m);
    *m = (struct sl_mix){ .rules = rules, .rows = rows, .last = -1 };
    m->shares = calloc(rules->n, sizeof *m->shares);
    m->given = calloc(rules->n, sizeof *m->given);
    m->ended = calloc(rules->n, sizeof *m->ended);
    enum sl_status st = SL_OK;
    if (!m->shares || !m->given || !m->ended)
        st = sl_err_nomem(err, rules->n * sizeof *m->shares);
    for (size_t i = 0; st == SL_OK && i < rules->n; i++)
        m->shares[i] = rules->sources[i].share;
    if (st == SL_OK)
        st = begin(m, err);
    if (st != SL_OK) {
        sl_mix_free(m);
        return st;
    }
    *out = m;
    return SL_OK;
}

void sl_mix_free(struct sl_mix *m)
{
    if (!m)
        return;
    sl_mix_queue_free(m->queue);
    sl_assign_free(m->assign);
    sl_schedule_free(m->schedule);
    free(m->shares);
    free(m->given);
    free(m->ended);
    free(m);
}

uint64_t sl_mix_position(const struct sl_mix *m)
{
    return m->position;
}

uint64_t sl_mix_given(const struct sl_mix *m, size_t source)
{
    return m->given[source];
}

/* ---- without rows ---- */

struct counted {
    const uint64_t *sizes;
    uint64_t *left;
};

static enum sl_status count_peek(void *ctx, size_t i, uint64_t *weight, struct sl_err *err)
{
    const struct counted *c = ctx;
    (void)err;
    *weight = 1;
    return c->left[i] ? SL_OK : SL_END;
}

static enum sl_status count_again(void *ctx, size_t i, struct sl_err *err)
{
    const struct counted *c = ctx;
    (void)err;
    c->left[i] = c->sizes[i];
    return SL_OK;
}

/* Whether a source may be too small, by what the bound lets it be asked for at most. */
static bool may_run_out(const struct sl_mix_rules *rules, const uint64_t *sizes)
{
    for (size_t i = 0; i < rules->n; i++) {
        const struct sl_mix_source *s = &rules->sources[i];
        unsigned __int128 target = (unsigned __int128)s->share * rules->rows;
        bool enough = rules->rows && sizes[i] > (uint64_t)(target / SL_SHARE_ONE);
        bool repeats = s->when_empty == SL_MIX_REPEAT && sizes[i];
        if (s->share && !enough && !repeats)
            return true;
    }
    return false;
}

enum sl_status sl_mix_foresee(const struct sl_mix_rules *rules, const uint64_t *sizes,
                              struct sl_err *err)
{
    struct counted c = { sizes, malloc(rules->n * sizeof *c.left) };
    struct sl_mix_rows rows = { .ctx = &c, .peek = count_peek, .again = count_again };
    struct sl_mix *m = NULL;
    if (!c.left)
        return sl_err_nomem(err, rules->n * sizeof *c.left);
    for (size_t i = 0; i < rules->n; i++)
        c.left[i] = sizes[i];
    enum sl_status st = check(rules, err);
    if (st == SL_OK && !may_run_out(rules, sizes))
        st = SL_END;
    if (st == SL_OK)
        st = sl_mix_new(&m, rules, &rows, err);
    for (uint32_t i; st == SL_OK;) {
        st = sl_mix_next(m, &i, err);
        if (st == SL_OK)
            c.left[i]--;
    }
    sl_mix_free(m);
    free(c.left);
    return st == SL_END ? SL_OK : st;
}
