/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_RUN_TOOL_H
#define SL_RUN_TOOL_H

/* What a tool is: one table and the functions that it names. sl_tool_main does
 * the rest: options, help, inputs, threads, tallies, lineage, rejects, report,
 * atomic output, messages and exit code.
 *
 * Flows
 *   SL_SOURCE  files in, rows out: read() once an input, rows by sl_run_rows
 *   SL_MAP     batch in, batch out, on any worker: map() marks rows to drop and
 *              fills the added columns
 *   SL_SCAN    batch in, rows or batches out, in order, with state: step(), end()
 *   SL_COLLECT read all, then emit: step(), then end(), which may read all rows
 *              again by sl_run_again
 *   SL_MERGE   several inputs at once: merge(), which takes batches of any of them
 *              by sl_run_merge_next, each to its end
 *   SL_SINK    rows in, files or text out: step(), end(); or map() into what the
 *              workers keep, where the order of the rows does not matter
 *   SL_PLAIN   no stream: plain()
 *
 * Calls, in order: print, check, start (the schemas are known), the flow's own, end,
 * commit, stop (always, when start was called).
 * Threads   map() runs on several threads at once with a task each; everything
 *           else on one thread. */

#include "arrow/batch.h"
#include "arrow/rows.h"
#include "io/sink.h"
#include "io/source.h"
#include "run/opt.h"
#include "run/tally.h"

enum sl_flow { SL_SOURCE, SL_MAP, SL_SCAN, SL_COLLECT, SL_MERGE, SL_SINK, SL_PLAIN };

struct sl_run;  /* one execution of a tool */
struct sl_task; /* one batch on one worker */

/* A column that a tool adds. */
struct sl_add {
    const char *name;
    const char *type;  /* as docs/stream.md writes it; '?' at the end: nullable */
    const char *about; /* a line for the help and the reference pages */
};

struct sl_tool {
    const char *name;     /* "sluice-minlen" */
    const char *about;    /* one sentence, lower case, no full stop */
    const char *group;    /* heading in `sluice`: "ingest", "text", "choose", "tokens",
                             "order", "shards", "look" */
    const char *operands; /* for the usage line; NULL: "[FILE...]" */
    const char *examples; /* at least two lines, a command each */
    const char *notes;    /* further text of --help; may be NULL */

    const struct sl_opt *options; /* may be NULL */
    size_t conf_size;

    const char *in;              /* kinds read, "docs" or "docs,tokens"; "*": any; NULL: none */
    const char *out;             /* kind written; "*": that of the input; NULL: no stream */
    const char *needs;           /* columns that must be there: "text", "text|html,url" */
    const struct sl_add *adds;   /* ended by a NULL name; may be NULL */
    const char *removes;         /* columns that do not go on: "html,charset" */
    const char *const *reasons;  /* of rejected rows, ended by NULL; NULL: never rejects */
    const char *const *counts;   /* other integers of the tally, ended by NULL; may be NULL */
    const struct sl_hist *hists; /* histograms of scores, ended by a NULL name; may be NULL */

    enum sl_flow flow;
    bool text_out;      /* SL_SINK or SL_PLAIN: writes text to sl_run_sink */
    bool folder_out;    /* -o names a folder that the tool itself writes */
    bool reads_files;   /* SL_PLAIN: reads its operands, or standard input without any */
    bool names_inputs;  /* SL_SOURCE: two inputs with one source name are an error */
    bool seeded;        /* takes --seed */
    bool takes_max_doc; /* takes --max-doc */
    bool rest;          /* scan, collect: takes --rest FILE, rejected rows as they came in */
    bool checks_input;  /* compare the input's digests with its trailer */
    bool reads_once;    /* collect: keeps its rows itself; no sl_run_again, no spool */

    /* Everything below may be NULL but for the flow's own. */
    enum sl_status (*check)(void *conf, struct sl_err *err);
    /* For options that ask for text instead of a run: what is put into out is
     * printed on standard output and the run ends; where nothing is, it goes on. */
    enum sl_status (*print)(const void *conf, struct sl_buf *out, struct sl_err *err);
    /* Before anything is opened: a tool whose inputs stand in a file, or which an option
     * makes another tool, says so by sl_run_set_inputs and sl_run_set_tool. */
    enum sl_status (*inputs)(struct sl_run *run, void *conf, struct sl_err *err);
    /* Fill the member "rules" of the stage's lineage entry, an object: what rule
     * files came to, with versions and defaults. */
    enum sl_status (*rules)(const void *conf, struct sl_json *rules, struct sl_err *err);
    /* The output's fields; without it: the input's, minus removes, plus adds.
     * in is NULL for a source. */
    enum sl_status (*schema)(struct sl_run *run, const struct sl_schema *in, struct sl_schema *out,
                             struct sl_err *err);
    enum sl_status (*start)(struct sl_run *run, struct sl_err *err);
    enum sl_status (*read)(struct sl_run *run, const char *path, struct sl_err *err);
    enum sl_status (*map)(struct sl_task *task, struct sl_err *err); /* sink: instead of step */
    enum sl_status (*step)(struct sl_run *run, const struct sl_batch *batch, struct sl_err *err);
    /* Collect, sink: mark the columns, one a field of the input, that step() looks at, where
     * it is not all. Of files only these are then read before end(), and not checked by
     * hashes; sl_run_again reads and checks all. */
    void (*looks_at)(const struct sl_run *run, bool *wanted);
    /* Add to an error of an input where that input is named. */
    void (*blame)(const struct sl_run *run, int input, struct sl_err *err);
    enum sl_status (*merge)(struct sl_run *run, int n_inputs, struct sl_err *err);
    enum sl_status (*plain)(struct sl_run *run, struct sl_err *err);
    enum sl_status (*end)(struct sl_run *run, struct sl_err *err);
    /* Sink with folder_out: make the output final; after report and depfile. */
    enum sl_status (*commit)(struct sl_run *run, struct sl_err *err);
    void (*stop)(struct sl_run *run);
    /* Scratch of one worker of a map; start comes before. */
    enum sl_status (*worker_new)(struct sl_run *run, void **worker, struct sl_err *err);
    void (*worker_free)(void *worker);

    const char *trial; /* arguments with which the contract suite runs the tool */
};

/* Run a tool; returns the exit code. */
int sl_tool_main(const struct sl_tool *tool, int argc, char **argv);

/* ---- a run, for every flow ---- */

/* The options that tools act upon themselves. */
struct sl_common {
    const char *output;  /* -o; NULL: standard output */
    bool force;          /* -f */
    bool quiet, verbose; /* -q -v */
    uint64_t threads;    /* workers, at least 1 */
    uint64_t mem_bytes;  /* --mem */
    const char *tmpdir;  /* --tmpdir */
    uint64_t seed;       /* --seed */
    uint64_t max_doc_bytes;
    uint64_t max_bad; /* UINT64_MAX: any number */
};

const void *sl_run_conf(const struct sl_run *run);
const struct sl_common *sl_run_common(const struct sl_run *run);
const struct sl_tool *sl_run_tool(const struct sl_run *run);
/* A pointer of the tool's own: set in start, freed in stop. */
void sl_run_set_state(struct sl_run *run, void *state);
void *sl_run_state(const struct sl_run *run);
/* In schema(): add the input's columns to out, without those that the tool
 * removes (keep_removed: with them) and those that it adds itself; one of these
 * in the input is SL_E_DATA unless --replace. */
SL_MUST_USE enum sl_status sl_run_keep_columns(struct sl_run *run, const struct sl_schema *in,
                                               bool keep_removed, struct sl_schema *out,
                                               struct sl_err *err);
/* Schemas of the input (NULL for a source) and of the output (NULL for a sink). */
const struct sl_schema *sl_run_in_schema(const struct sl_run *run);
const struct sl_schema *sl_run_out_schema(const struct sl_run *run);
/* The operands (and --files-from), after the options. */
int sl_run_n_inputs(const struct sl_run *run);
const char *sl_run_input(const struct sl_run *run, int i);
/* In inputs(): read these files instead of the operands; the array is copied, the names
 * must live as long as the run. */
SL_MUST_USE enum sl_status sl_run_set_inputs(struct sl_run *run, const char *const *paths, int n,
                                             struct sl_err *err);
/* In inputs(): go on as another tool with the same options, such as one that writes text. */
void sl_run_set_tool(struct sl_run *run, const struct sl_tool *tool);
/* Scan, collect, sink, in step(): which input the batch in hand comes from. */
int sl_run_at_input(const struct sl_run *run);
/* Add n to the tool's counts[k]. Not from map(): see sl_task_count. */
void sl_run_count(struct sl_run *run, int k, int64_t n);
/* Count a value into the tool's hists[k]. Not from map(): see sl_task_hist. */
void sl_run_hist(struct sl_run *run, int k, double value);
struct sl_tally *sl_run_tally(struct sl_run *run);
/* Print a warning line on stderr, at once (not with -q). */
void sl_run_warn(struct sl_run *run, const char *fmt, ...) SL_PRINTF(2, 3);
/* Print an error line on stderr, at once, where the run goes on to look at more;
 * the run must still return an error in the end. */
void sl_run_error(struct sl_run *run, const struct sl_err *err);
/* A note for the one human line of -v and the report's "notes". */
void sl_run_note(struct sl_run *run, const char *fmt, ...) SL_PRINTF(2, 3);

/* ---- source, scan, collect, merge: rows out ---- */

/* The builder of the output row: add one value to every column, then close. */
struct sl_rows *sl_run_rows(struct sl_run *run);
/* The row is complete: it is counted, and written when its batch is full. */
SL_MUST_USE enum sl_status sl_run_close_row(struct sl_run *run, struct sl_err *err);
/* n rows of the output as bytes (arrow/row_bytes.h), in order: the same batches as
 * sl_run_close_row for each of them would make. The strings are used up. */
SL_MUST_USE enum sl_status sl_run_emit_rows(struct sl_run *run, struct sl_str *rows, size_t n,
                                            struct sl_err *err);
/* Scan, collect: pass a batch of the output's schema on, whole or some of its
 * rows, in order, as rows of the output. */
SL_MUST_USE enum sl_status sl_run_pass(struct sl_run *run, const struct sl_batch *batch,
                                       struct sl_err *err);
SL_MUST_USE enum sl_status sl_run_pass_rows(struct sl_run *run, const struct sl_batch *batch,
                                            const uint32_t *rows, size_t n_rows,
                                            struct sl_err *err);
/* Write what is built as a batch now, whatever its size (shard's cut). */
SL_MUST_USE enum sl_status sl_run_cut(struct sl_run *run, struct sl_err *err);
/* Scan, collect, sink: row of the current batch is rejected. */
SL_MUST_USE enum sl_status sl_run_reject(struct sl_run *run, const struct sl_batch *batch,
                                         int64_t row, int reason, struct sl_str detail,
                                         struct sl_err *err);
/* Source: what was read and not made a row. id may be zero where there is none. */
struct sl_raw_reject {
    struct sl_hash128 id;
    struct sl_str source;
    int64_t off;       /* -1: unknown */
    int64_t line;      /* -1: none */
    struct sl_str raw; /* cut at 64 KiB by the call */
    struct sl_str detail;
    int reason;
    bool bad; /* counts for --max-bad and --strict */
};
SL_MUST_USE enum sl_status sl_run_reject_raw(struct sl_run *run, const struct sl_raw_reject *r,
                                             struct sl_err *err);
/* Source: the name of an input (--source-depth last parts of its path, or
 * --source). "" for standard input without --source. Valid for the run. */
const char *sl_run_source_name(struct sl_run *run, const char *path);
/* Source: tell how many bytes of input were read, for progress and report. */
void sl_run_add_bytes_in(struct sl_run *run, int64_t n);
/* Scan, collect: from the batch in hand on (in start(): from the first) keep what
 * comes in for sl_run_again. Regular files are read again, what comes by a pipe is
 * kept, compressed, in an unnamed file of --tmpdir. Collect has called it. */
SL_MUST_USE enum sl_status sl_run_keep(struct sl_run *run, struct sl_err *err);
/* In end(): read all kept batches again, with the seq that they had; may be
 * called several times. The batch dies at the next call. */
SL_MUST_USE enum sl_status sl_run_again(struct sl_run *run,
                                        enum sl_status (*each)(struct sl_run *run,
                                                               const struct sl_batch *batch,
                                                               struct sl_err *err),
                                        struct sl_err *err);
/* Merge, in inputs(): the files (operands, or those of sl_run_set_inputs) make n inputs of
 * the merge, of so many files each; those of one are read one after another. */
SL_MUST_USE enum sl_status sl_run_set_merge(struct sl_run *run, const int *sizes, int n,
                                            struct sl_err *err);
/* Merge: the next batch of input i; it dies at the next call with that batch.
 * SL_END after its last one. merge() must read every input to SL_END. */
SL_MUST_USE enum sl_status sl_run_merge_next(struct sl_run *run, int i, struct sl_batch *batch,
                                             struct sl_err *err);
/* Merge, in start(): input i can be begun again. Regular files are read again, others are
 * kept, compressed, in an unnamed file of --tmpdir. */
SL_MUST_USE enum sl_status sl_run_merge_keep(struct sl_run *run, int i, struct sl_err *err);
/* Merge, after SL_END of input i: begin it again, as often as is liked; its rows are not
 * counted again as rows in. SL_E_DATA, now or later: it is no longer what it was. */
SL_MUST_USE enum sl_status sl_run_merge_again(struct sl_run *run, int i, struct sl_err *err);
/* Sink or plain with text_out: where the text goes. */
struct sl_sink *sl_run_sink(struct sl_run *run);
/* Sink with folder_out: the lineage with this stage's entry and tally as it is
 * now, a JSON array, appended to out. */
SL_MUST_USE enum sl_status sl_run_lineage(struct sl_run *run, bool with_tally, struct sl_buf *out,
                                          struct sl_err *err);

/* Say which stages and sources the rows that are made stand in: an object, which the
 * call takes, also when it fails. It becomes "order" in the stage's entry of lineages
 * with tallies (docs/stream.md, section 6); so it must come before the output ends. */
SL_MUST_USE enum sl_status sl_run_set_order(struct sl_run *run, struct sl_json *order,
                                            struct sl_err *err);

/* ---- map: one batch on one worker ---- */

const void *sl_task_conf(const struct sl_task *t);
struct sl_run *sl_task_run(const struct sl_task *t); /* const use alone */
void *sl_task_worker(const struct sl_task *t);
const struct sl_batch *sl_task_batch(const struct sl_task *t);
/* The input column of that name, NULL where there is none. */
const struct sl_column *sl_task_column(const struct sl_task *t, const char *name);
/* The builder of the tool's adds[k]: one value for every input row, dropped or
 * not. NULL where the output's schema has no such column. */
struct sl_colbuf *sl_task_add(struct sl_task *t, int k);
/* Reject a row, once, with one of the tool's reasons; detail is copied. */
SL_MUST_USE enum sl_status sl_task_drop(struct sl_task *t, int64_t row, int reason,
                                        struct sl_str detail, struct sl_err *err);
bool sl_task_dropped(const struct sl_task *t, int64_t row);
void sl_task_count(struct sl_task *t, int k, int64_t n);
void sl_task_hist(struct sl_task *t, int k, double value);

#endif
