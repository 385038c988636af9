/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_RUN_PRIVATE_H
#define SL_RUN_PRIVATE_H

/* The inside of a run, shared by the files of lib/run and nobody else. */

#include <stdio.h>
#include <time.h>

#include "io/temp_file.h"
#include "run/inputs.h"
#include "run/out.h"
#include "run/tool.h"

/* The common options, with those that only the runtime acts upon. */
struct sl_run_options {
    struct sl_common common;
    bool help_short, help_full, version, describe, man;
    const char *completion;
    bool flush, nul, strict, replace, progress;
    const char *report, *rejects, *rest, *files_from, *depfile, *source;
    uint64_t source_depth;
    uint64_t compress; /* 0: off; UINT64_MAX: on, at its default level */
};

enum { SL_N_GROUPS = 12, SL_NOTES_BYTES = 2048 };

/* What sl_run_keep keeps for sl_run_again. */
struct sl_spool {
    bool keeping, ended;
    int64_t first_seq, rows; /* the first batch kept; rows since */
    struct sl_temp *file;    /* NULL: the input's files are read again */
    struct sl_sink *sink;
    struct sl_writer *writer;
};

struct sl_run {
    const struct sl_tool *tool;
    void *conf;
    void *state;
    struct sl_run_options opt;
    struct sl_opt_group groups[SL_N_GROUPS];
    int n_groups;
    const char **inputs; /* operands, then the names of --files-from */
    int n_inputs;
    struct sl_buf files_text; /* the text of --files-from */

    struct sl_inputs in;
    bool in_open;
    struct sl_inputs *others; /* merge: all inputs but the first, which is in */
    int n_others;
    int *merge_sizes; /* files of each input of the merge; NULL: one each */
    int n_merge;
    struct sl_replay *replays; /* of each input of the merge; NULL: none is kept */
    struct sl_schema out_schema;
    bool has_out_schema;
    struct sl_out out;
    struct sl_schema reject_schema;
    bool has_reject_schema;
    struct sl_out rejects;
    struct sl_schema rest_schema;
    bool has_rest_schema;
    struct sl_out rest;
    bool *copied;         /* output columns whose digest the input's trailer gives */
    struct sl_sink *text; /* text_out */
    struct sl_spool spool;
    struct sl_json *entry;          /* of this stage, without port and tally, as the run began */
    struct sl_json *order;          /* what sl_run_set_order was given */
    const struct sl_batch *in_hand; /* what step() is looking at */
    int64_t n_taken;                /* batches that step() has seen */
    struct sl_rows some;            /* rows gathered by sl_run_pass_rows */
    struct sl_batch some_view;
    bool has_some;

    struct sl_tally tally;
    int64_t bytes_in, n_bad;
    bool reader_left; /* map: the reader thread still runs, on the input and its tasks */
    bool started;
    bool told; /* why it failed */
    struct timespec begun;
    double next_progress;
    bool progress_on, progress_shown;
    char notes[SL_NOTES_BYTES];
    char **source_names;
};

/* options.c */
void sl_run_groups(struct sl_run *run);

/* inputs of --files-from */
SL_MUST_USE enum sl_status sl_run_read_files_from(struct sl_run *run, struct sl_err *err);

/* help.c: print to a stream */
void sl_help_short(const struct sl_run *run, FILE *to);
void sl_help_full(const struct sl_run *run, FILE *to);
void sl_help_man(const struct sl_run *run, FILE *to);
SL_MUST_USE enum sl_status sl_help_completion(const struct sl_run *run, const char *shell, FILE *to,
                                              struct sl_err *err);
/* describe.c */
SL_MUST_USE enum sl_status sl_describe(const struct sl_run *run, FILE *to, struct sl_err *err);

/* flow.c, map.c: run the tool's flow to the end of its input */
SL_MUST_USE enum sl_status sl_run_flow(struct sl_run *run, struct sl_err *err);
SL_MUST_USE enum sl_status sl_run_map(struct sl_run *run, struct sl_err *err);

/* An input could not be read, or does not fit: the tool may say more of it. */
void sl_run_blame(struct sl_run *run, enum sl_status st, int input, struct sl_err *err);

/* merge.c: how many files the first input has; open those behind it; run the tool's merge;
 * close */
int sl_merge_first(const struct sl_run *run);
SL_MUST_USE enum sl_status sl_merge_open(struct sl_run *run, struct sl_err *err);
SL_MUST_USE enum sl_status sl_run_merge(struct sl_run *run, struct sl_err *err);
void sl_merge_close(struct sl_run *run);

/* spool.c: keep a batch where sl_run_keep was called */
SL_MUST_USE enum sl_status sl_spool_add(struct sl_run *run, const struct sl_batch *batch,
                                        struct sl_err *err);
void sl_spool_close(struct sl_spool *s);

/* replay.c: an input of a merge that is read more than once. Keep it from its first batch
 * on; a batch of its first pass; begin it again; the next batch of a later pass. */
struct sl_replay;
SL_MUST_USE enum sl_status sl_replay_keep(struct sl_run *run, int i, struct sl_err *err);
SL_MUST_USE enum sl_status sl_replay_add(struct sl_run *run, int i, const struct sl_batch *batch,
                                         struct sl_err *err);
SL_MUST_USE enum sl_status sl_replay_again(struct sl_run *run, int i, struct sl_err *err);
SL_MUST_USE enum sl_status sl_replay_next(struct sl_run *run, int i, struct sl_batch *batch,
                                          struct sl_err *err);
bool sl_replay_is_on(const struct sl_run *run, int i);
void sl_replay_close(struct sl_run *run);
/* Input i of a merge. */
struct sl_inputs *sl_merge_input(struct sl_run *run, int i);

/* entry.c: the lineage entry of this run's stage; NULL with err set on failure */
struct sl_json *sl_run_entry(struct sl_run *run, const char *port, bool with_tally,
                             struct sl_err *err);

/* open.c: inputs, schemas, outputs */
SL_MUST_USE enum sl_status sl_run_open(struct sl_run *run, struct sl_err *err);
/* finish.c: trailers, report, renames, in their order */
SL_MUST_USE enum sl_status sl_run_finish(struct sl_run *run, struct sl_err *err);
void sl_run_poison(struct sl_run *run, const struct sl_err *why);

/* A row was rejected as bad: SL_E_DATA where --strict or --max-bad forbids it. */
SL_MUST_USE enum sl_status sl_run_count_bad(struct sl_run *run, const char *what,
                                            struct sl_err *err);

/* progress.c */
double sl_run_seconds(const struct sl_run *run);
void sl_progress_start(struct sl_run *run);
void sl_progress_tick(struct sl_run *run);
void sl_progress_end(struct sl_run *run);

/* report.c */
SL_MUST_USE enum sl_status sl_report_write(struct sl_run *run, struct sl_sink **sink,
                                           struct sl_err *err);
void sl_report_line(const struct sl_run *run, FILE *to);

#endif
