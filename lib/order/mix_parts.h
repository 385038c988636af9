/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SL_ORDER_MIX_PARTS_H
#define SL_ORDER_MIX_PARTS_H

/* What the command line of a mix says: its sources with their files, the part of each, and
 * what happens where one has no more.
 *
 * Operands  FILE, a source without a name, or NAME=FILE[,FILE...], whose files are read one
 *           after another. A name begins with a letter or '_' and goes on with letters,
 *           digits, '_', '-' and '.'; so ./a=b is a file without a name.
 * Parts     equal; --shares, which sum to one; --weights; --alpha, the sources without a share
 *           by size^alpha; --unimax. By place, one for each source, or by name.
 * Errors    SL_E_USAGE names the option, the word, and the nearest name; SL_E_SYSTEM.
 * Lifetime  everything lives as long as the struct; texts of the command line are borrowed.
 * Threads   one thread; then const.
 * Source    docs/mixing.md, docs/orders.md ("Mixtures"). */

#include "base/arena.h"
#include "order/mix.h"

enum sl_mix_how { SL_MIX_EQUAL, SL_MIX_SHARES, SL_MIX_WEIGHTS, SL_MIX_ALPHA, SL_MIX_UNIMAX };

struct sl_mix_parts {
    size_t n;
    const char **names; /* NULL where a source has none */
    bool has_names;     /* one of them has */
    const char **shown; /* in messages: "source 'web'", "'web.arrows'" */
    int *n_files;       /* of each */
    const char **paths; /* of all, source by source */
    int n_paths;

    enum sl_mix_how how;
    double *parts; /* of each, as given; 0 for those that --alpha divides among */
    bool *given;
    double alpha, epochs;
    enum sl_mix_when_empty *when_empty;
    struct sl_arena arena;
};

/* The options, as text; NULL where one is not given. */
struct sl_mix_options {
    const char *shares, *weights, *alpha, *of, *unimax, *when_empty;
    uint64_t rows; /* -n; 0: none */
};

/* p is initialised by the call and needs a release in any case. No operands: one source,
 * standard input. */
SL_MUST_USE enum sl_status sl_mix_parts_read(struct sl_mix_parts *p,
                                             const struct sl_mix_options *options,
                                             const char *const *operands, int n_operands,
                                             struct sl_err *err);
void sl_mix_parts_release(struct sl_mix_parts *p);

/* The parts are by size. */
bool sl_mix_parts_need_sizes(const struct sl_mix_parts *p);

/* The parts as shares, in units of 2^-36. sizes: of each source; NULL where they are not
 * needed. */
SL_MUST_USE enum sl_status sl_mix_parts_shares(const struct sl_mix_parts *p, const uint64_t *sizes,
                                               uint64_t rows, uint64_t *shares, struct sl_err *err);

/* As on the command line. */
const char *sl_mix_when_empty_name(enum sl_mix_when_empty w);

#endif
