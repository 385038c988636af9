/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_PLAN_H
#define SL_ORDER_PLAN_H

/* A plan of a curriculum: sources, stages, orders and mixtures, as docs/curriculum.md
 * describes the YAML of it.
 *
 * Errors    SL_E_DATA with "plan.yaml:line:column: ..." for all that stands in the text;
 *           an unknown key or name comes with the nearest one. What is not built yet is
 *           refused by its name and never left out. What depends on the data (sizes,
 *           columns) is checked by order/plan_order.h.
 * Lifetime  everything lives in the plan.
 * Threads   const after it was read. */

#include "base/arena.h"
#include "order/pacing.h"
#include "order/permute.h"
#include "order/plan_expr.h"

enum {
    SL_PLAN_MAX_SOURCES = 1024,
    SL_PLAN_MAX_STAGES = 1024,
    SL_PLAN_MAX_SCORES = 16,
    SL_PLAN_MAX_FILES = 16, /* that orders name */
    SL_PLAN_MAX_STRATA = 64,
    SL_PLAN_MAX_STEPS = 4096,
    SL_PLAN_MAX_BLOCK = 1 << 20, /* rows */
    SL_PLAN_MAX_VALUES = 65536   /* of a column that blocks are made by */
};

/* Where something stands in the text; line 0: nowhere. */
struct sl_plan_at {
    int line, column;
};

/* What happens when a source has given all its epochs. */
enum sl_plan_empty {
    SL_EMPTY_ERROR,
    SL_EMPTY_STOP,        /* the order ends there */
    SL_EMPTY_REPEAT,      /* it begins again, as often as it is asked */
    SL_EMPTY_REDISTRIBUTE /* its share goes to the others, in proportion */
};

enum sl_plan_draw {
    SL_DRAW_SHUFFLE,
    SL_DRAW_GIVEN,   /* as the rows come */
    SL_DRAW_PERMUTE, /* ranks by a function of the position */
    SL_DRAW_POOL,    /* from a growing pool of the easiest */
    SL_DRAW_STRATA,  /* by shares of the quantiles of a score */
    SL_DRAW_MOVING,  /* sorted by a score whose parameters move */
    SL_DRAW_FILE     /* as a file lists them */
};

/* Shares of equal quantiles of a score, the easiest first. */
struct sl_plan_strata {
    size_t n;
    const uint64_t *from, *to; /* to: NULL where they stand still; of SL_SHARE_ONE */
    struct sl_pacing pacing;
};

struct sl_plan_way {
    enum sl_plan_draw draw;
    int line, column;
    int score;                      /* which of the plan's scores; -1: none */
    bool nulls_last;                /* or an error */
    struct sl_permute_conf permute; /* n and seed are to be filled; unset shares are usual */
    struct sl_pacing pacing;        /* of a pool */
    double background;
    const struct sl_plan_strata *strata;
    uint64_t steps; /* in which strata or parameters move */
    int file;       /* which of the plan's order_files; -1: none */
};

struct sl_plan_source {
    const char *name;
    int line, column;
    size_t n_paths;
    const char *const *paths; /* as written: patterns, relative to the plan */
    uint64_t epochs;
    enum sl_plan_empty when_empty;
    const struct sl_plan_way *own; /* its own order in every stage; NULL: the stage's */
    const char *group; /* a column: rows with one value of it stay together; NULL: none */
    struct sl_plan_at group_at;
};

/* The shares of a mixture: those given, and what is left of one by size^alpha. */
struct sl_plan_mix {
    int line, column;
    const double *given; /* one a source, 0 where none is named */
    bool by_size;        /* alpha and of */
    double alpha;
    const bool *of; /* one a source */
};

enum sl_plan_unit {
    SL_UNTIL_END,
    SL_UNTIL_PERCENT,
    SL_UNTIL_TOKENS,
    SL_UNTIL_BYTES, /* of text, a token each for the tokenizer 'bytes' */
    SL_UNTIL_SEQUENCES,
    SL_UNTIL_DOCUMENTS,
    SL_UNTIL_LR /* where the learning rate has come down to this part of its peak */
};

struct sl_plan_stage {
    const char *name;
    int line, column;
    enum sl_plan_unit unit;
    double until;
    struct sl_plan_at until_at;
    struct sl_plan_way way;
    const struct sl_plan_mix *from; /* NULL: sources by their size, times epochs */
    const struct sl_plan_mix *to;   /* NULL: the shares stand still */
    struct sl_pacing pacing;        /* of the mixture */
    double replay;                  /* share of what earlier stages placed */
    uint64_t length;                /* a row is read as samples of that many tokens; 0: as one */
    const char *tokenizer;          /* its name; NULL: that of the rows */
    struct sl_plan_at length_at, tokenizer_at;
    const char *batch_by; /* a column: blocks of rows with one value; NULL: none */
    uint64_t batch_size;  /* rows of a block */
    struct sl_plan_at batch_at;
};

enum sl_plan_shape { SL_LR_NONE, SL_LR_CONSTANT, SL_LR_LINEAR, SL_LR_SQRT, SL_LR_COSINE };

/* The learning rate, as a part of its peak: up from 0 in the warm-up, then flat, then
 * down to end in the last `decay` of the run. */
struct sl_plan_lr {
    enum sl_plan_shape shape;
    double warmup, decay, end;
};

struct sl_plan {
    const char *file; /* its name in messages */
    uint64_t seed;
    bool of_documents;           /* positions are of documents, not of packed sequences */
    double budget;               /* 0: all that the sources hold */
    enum sl_plan_unit budget_in; /* SL_UNTIL_TOKENS to SL_UNTIL_DOCUMENTS */
    struct sl_plan_at budget_at;
    struct sl_plan_lr lr;
    size_t n_sources, n_stages, n_scores;
    struct sl_plan_source *sources;
    struct sl_plan_stage *stages;
    const char *scores[SL_PLAN_MAX_SCORES]; /* different orders of columns (order/row_key.h) */
    int score_lines[SL_PLAN_MAX_SCORES];    /* where each is named first */
    int score_columns[SL_PLAN_MAX_SCORES];
    const struct sl_expr *exprs[SL_PLAN_MAX_SCORES]; /* NULL, or the score is an expression */
    size_t n_order_files;
    const char *order_files[SL_PLAN_MAX_FILES]; /* as written: relative to the plan */
    int file_lines[SL_PLAN_MAX_FILES], file_columns[SL_PLAN_MAX_FILES];
    struct sl_arena arena;
};

/* Read a plan. file is its name in messages. plan is initialised by the call and needs a
 * release in any case. */
SL_MUST_USE enum sl_status sl_plan_read(struct sl_plan *plan, struct sl_str text, const char *file,
                                        struct sl_err *err);
void sl_plan_release(struct sl_plan *plan);

/* "sequences" or "documents": what the plan's positions are of. */
static inline const char *sl_plan_units(const struct sl_plan *plan)
{
    return plan->of_documents ? "documents" : "sequences";
}

/* How a stage draws from a source. */
static inline const struct sl_plan_way *sl_plan_way(const struct sl_plan *plan, size_t source,
                                                    size_t stage)
{
    const struct sl_plan_way *own = plan->sources[source].own;
    return own ? own : &plan->stages[stage].way;
}

/* May any stage order this source by the plan's score of that number? */
bool sl_plan_uses(const struct sl_plan *plan, size_t source, size_t score);

/* The file that orders a source, in every stage; -1: none does. */
int sl_plan_order_file(const struct sl_plan *plan, size_t source);

#endif
