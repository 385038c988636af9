/* SPDX-License-Identifier: Apache-2.0 */
/* A join by id, out of core: one sorter holds the rows of the sources and the keys of the
 * order before, the rows of an id in front of its keys; what comes out is sorted back by
 * position. Rows that the order before has not are looked at once and forgotten.
 *
 * Which of several sources a key came from is known where the order before is a record: it
 * names them. Else it is the first source that has the id. */
#include "order/plan_continue.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "io/record_sort.h"
#include "order/plan_keys.h"

enum {
    ID_BYTES = 16,
    ROW_BYTES = ID_BYTES + 9,  /* 0, source, unit */
    KEY_BYTES = ID_BYTES + 15, /* 1, position, copy, stage, source + 1 */
    PLACE_BYTES = 20,          /* position, source, unit, copy, stage */
    MOST_RUNS = 1024
};

/* Positions with one stage, by its number and by what the manifest says. */
struct run {
    uint64_t begin, end;
    uint16_t stage;
    size_t told; /* which of the manifest's stages */
};

struct sl_plan_continue {
    const struct sl_plan *plan;
    struct sl_plan_keys keys;
    uint64_t begin;
    int *named; /* source of the plan by number of the record's; -1: none of that name */
    struct sl_record_sort *join, *places;
    uint64_t mem_bytes;
    const char *tmpdir;

    struct run runs[MOST_RUNS];
    size_t n_runs, told;
    bool many_runs;
    uint64_t *counts; /* [run][source] */

    uint16_t **given;
    uint64_t *capacity;
    struct sl_plan_past past;

    /* The id at hand: its unit in each source. */
    uint8_t id[ID_BYTES];
    uint64_t *unit_of; /* [source], valid where its stamp is of this id */
    uint64_t *stamp, now;
    bool *twice;
    int first; /* the first source that has it; -1 */
    uint64_t n_missing, missing_at;
    uint8_t missing[ID_BYTES];
};

/* ---- opening ---- */

static enum sl_status get_memory(struct sl_plan_continue *k, struct sl_err *err)
{
    size_t n = k->plan->n_sources;
    k->named = calloc(k->keys.n_sources + 1, sizeof *k->named);
    k->counts = calloc(MOST_RUNS * (n + 1), sizeof *k->counts);
    k->given = calloc(n, sizeof *k->given);
    k->capacity = calloc(n, sizeof *k->capacity);
    k->unit_of = calloc(n, sizeof *k->unit_of);
    k->stamp = calloc(n, sizeof *k->stamp);
    k->twice = calloc(n, sizeof *k->twice);
    bool all =
        k->named && k->counts && k->given && k->capacity && k->unit_of && k->stamp && k->twice;
    return all ? SL_OK : sl_err_nomem(err, MOST_RUNS * n * sizeof *k->counts);
}

static void find_names(struct sl_plan_continue *k)
{
    for (size_t i = 0; i < k->keys.n_sources; i++) {
        k->named[i] = -1;
        for (size_t s = 0; s < k->plan->n_sources; s++)
            if (sl_str_eq(k->keys.sources[i], sl_str_of(k->plan->sources[s].name)))
                k->named[i] = (int)s;
    }
}

static enum sl_status set_begin(struct sl_plan_continue *k, double at_tokens, struct sl_err *err)
{
    double at = at_tokens / (double)k->keys.length;
    if (!(at_tokens >= 0))
        return sl_err_set(err, SL_E_USAGE, "--at %.17g: tokens are counted from 0", at_tokens);
    if (at >= (double)k->keys.sequences + 1)
        return sl_err_set(err, SL_E_USAGE,
                          "--at %.17g tokens is behind the end of '%s': %llu sequences of %llu",
                          at_tokens, k->keys.path, (unsigned long long)k->keys.sequences,
                          (unsigned long long)k->keys.length);
    k->begin = (uint64_t)at;
    return SL_OK;
}

enum sl_status sl_plan_continue_open(struct sl_plan_continue **out, const char *path,
                                     double at_tokens, const struct sl_plan *plan,
                                     struct sl_err *err)
{
    struct sl_plan_continue *k = *out = calloc(1, sizeof *k);
    if (!k)
        return sl_err_nomem(err, sizeof *k);
    k->plan = plan;
    SL_TRY(sl_plan_keys_open(&k->keys, path, err));
    SL_TRY(get_memory(k, err));
    find_names(k);
    return set_begin(k, at_tokens, err);
}

void sl_plan_continue_free(struct sl_plan_continue *k)
{
    if (!k)
        return;
    for (size_t i = 0; k->given && i < k->plan->n_sources; i++)
        free(k->given[i]);
    sl_plan_keys_release(&k->keys);
    sl_record_sort_free(k->join);
    sl_record_sort_free(k->places);
    free(k->named);
    free(k->counts);
    free(k->given);
    free(k->capacity);
    free(k->unit_of);
    free(k->stamp);
    free(k->twice);
    free(k);
}

uint64_t sl_plan_continue_begin(const struct sl_plan_continue *k)
{
    return k->begin;
}

/* ---- keys and rows ---- */

static enum sl_status check_schema(const struct sl_plan_continue *k, const struct sl_schema *in,
                                   struct sl_err *err)
{
    int at = sl_schema_find(in, "tokens");
    bool fixed = at >= 0 && in->fields[at]->type == SL_T_FIXED_LIST;
    uint64_t length = fixed ? (uint64_t)in->fields[at]->size : 1;
    struct sl_json *tokens = NULL;
    if (length != k->keys.length)
        return sl_err_set(
            err, SL_E_DATA, "'%s' has sequences of %llu tokens, and the sources have %llu",
            k->keys.path, (unsigned long long)k->keys.length, (unsigned long long)length);
    if (in->tokenizer)
        SL_TRY(sl_json_parse(&tokens, sl_str_of(in->tokenizer), err));
    struct sl_str digest = sl_json_str(sl_json_get(tokens, "digest"));
    bool same = !digest.n || !k->keys.tokenizer.n || sl_str_eq(digest, k->keys.tokenizer);
    sl_json_free(tokens);
    return same ? SL_OK
                : sl_err_set(err, SL_E_DATA, "'%s' was made with another tokenizer (%.*s)",
                             k->keys.path, (int)k->keys.tokenizer.n, k->keys.tokenizer.p);
}

static void add_run(struct sl_plan_continue *k, const struct sl_plan_key *key)
{
    struct run *last = k->n_runs ? &k->runs[k->n_runs - 1] : NULL;
    while (k->told < k->keys.n_stages && key->position >= k->keys.stages[k->told].end)
        k->told++;
    bool same = last && (k->many_runs || (last->stage == key->stage && last->told == k->told));
    if (same) {
        last->end = key->position + 1;
    } else if (k->n_runs < MOST_RUNS) {
        k->runs[k->n_runs++] =
            (struct run){ key->position, key->position + 1, key->stage, k->told };
    } else { /* stages that change all the time are no stages */
        k->many_runs = true;
        k->n_runs = 1;
        k->runs[0].end = key->position + 1;
    }
}

static enum sl_status add_key(void *ctx, const struct sl_plan_key *key, struct sl_err *err)
{
    struct sl_plan_continue *k = ctx;
    uint8_t r[KEY_BYTES];
    memcpy(r, key->id, ID_BYTES);
    r[ID_BYTES] = 1;
    sl_store_big(r + ID_BYTES + 1, key->position, 8);
    sl_store_big(r + ID_BYTES + 9, key->copy, 2);
    sl_store_big(r + ID_BYTES + 11, key->stage, 2);
    sl_store_big(r + ID_BYTES + 13, (uint64_t)(key->source + 1), 2);
    add_run(k, key);
    return sl_record_sort_add(k->join, (struct sl_str){ (const char *)r, sizeof r }, err);
}

enum sl_status sl_plan_continue_start(struct sl_plan_continue *k, const struct sl_schema *in,
                                      uint64_t mem_bytes, const char *tmpdir, struct sl_err *err)
{
    k->mem_bytes = mem_bytes < SL_RECORD_SORT_MIN_BYTES ? SL_RECORD_SORT_MIN_BYTES : mem_bytes;
    k->tmpdir = tmpdir;
    SL_TRY(check_schema(k, in, err));
    SL_TRY(sl_record_sort_new(&k->join, k->mem_bytes, tmpdir, err));
    return sl_plan_keys_read(&k->keys, k->begin, add_key, k, err);
}

enum sl_status sl_plan_continue_see(struct sl_plan_continue *k, const struct sl_batch *b,
                                    uint32_t source, uint64_t first, struct sl_err *err)
{
    const struct sl_column *id = sl_batch_column(b, "id");
    for (int64_t row = 0; row < b->n_rows; row++) {
        uint8_t r[ROW_BYTES];
        memcpy(r, id->data + row * ID_BYTES, ID_BYTES);
        r[ID_BYTES] = 0;
        sl_store_big(r + ID_BYTES + 1, source, 4);
        sl_store_big(r + ID_BYTES + 5, first + (uint64_t)row, 4);
        SL_TRY(sl_record_sort_add(k->join, (struct sl_str){ (const char *)r, sizeof r }, err));
    }
    return SL_OK;
}

/* ---- the join ---- */

static void hex_of(const uint8_t id[ID_BYTES], char out[SL_HASH128_DIGITS])
{
    struct sl_hash128 h;
    memcpy(h.b, id, ID_BYTES);
    sl_hash128_hex(h, out);
}

static void join_row(struct sl_plan_continue *k, const uint8_t *r)
{
    uint32_t source = (uint32_t)sl_load_big(r + ID_BYTES + 1, 4);
    k->twice[source] = k->stamp[source] == k->now;
    if (!k->twice[source])
        k->unit_of[source] = sl_load_big(r + ID_BYTES + 5, 4);
    k->stamp[source] = k->now;
    k->first = k->first < 0 ? (int)source : k->first;
}

static void count_run(struct sl_plan_continue *k, uint64_t position, uint32_t source)
{
    size_t low = 0, high = k->n_runs - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (position < k->runs[middle].end)
            high = middle;
        else
            low = middle + 1;
    }
    k->counts[low * (k->plan->n_sources + 1) + source]++;
}

static enum sl_status join_key(struct sl_plan_continue *k, const uint8_t *r, struct sl_err *err)
{
    uint64_t position = sl_load_big(r + ID_BYTES + 1, 8), named = sl_load_big(r + ID_BYTES + 13, 2);
    int source = named ? k->named[named - 1] : -1;
    if (source < 0 || k->stamp[source] != k->now)
        source = k->first;
    if (source < 0) {
        if (!k->n_missing++ || position < k->missing_at) {
            k->missing_at = position;
            memcpy(k->missing, r, ID_BYTES);
        }
        return SL_OK;
    }
    if (k->twice[source]) {
        char hex[SL_HASH128_DIGITS];
        hex_of(r, hex);
        return sl_err_set(err, SL_E_DATA,
                          "source '%s' has two sequences with the id %.32s, which stands in the "
                          "order before: nobody can tell which it was",
                          k->plan->sources[source].name, hex);
    }
    uint8_t place[PLACE_BYTES];
    uint64_t unit = k->unit_of[source];
    memcpy(place, r + ID_BYTES + 1, 8);
    sl_store_big(place + 8, (uint64_t)source, 4);
    sl_store_big(place + 12, unit, 4);
    memcpy(place + 16, r + ID_BYTES + 9, 4);
    if (k->given[source][unit] == UINT16_MAX)
        return sl_err_set(err, SL_E_DATA, "source '%s': a sequence is repeated 65535 times",
                          k->plan->sources[source].name);
    k->given[source][unit]++;
    count_run(k, position, (uint32_t)source);
    return sl_record_sort_add(k->places, (struct sl_str){ (const char *)place, sizeof place }, err);
}

static enum sl_status join_all(struct sl_plan_continue *k, struct sl_err *err)
{
    struct sl_str r;
    enum sl_status st;
    while ((st = sl_record_sort_next(k->join, &r, err)) == SL_OK) {
        const uint8_t *p = (const uint8_t *)r.p;
        if (!k->now || memcmp(p, k->id, ID_BYTES) != 0) {
            memcpy(k->id, p, ID_BYTES);
            k->now++;
            k->first = -1;
        }
        if (p[ID_BYTES] == 0)
            join_row(k, p);
        else
            SL_TRY(join_key(k, p, err));
    }
    return st == SL_END ? SL_OK : st;
}

/* A row that a past has given is given so much less often. */
static uint64_t capacity_behind(const uint16_t *given, uint64_t n, uint64_t epochs)
{
    uint64_t sum = 0;
    for (uint64_t u = 0; u < n; u++)
        sum += given[u] < epochs ? epochs - given[u] : 0;
    return sum;
}

/* An entry of a file is one time that its row is given. */
void sl_plan_continue_listed(struct sl_plan_continue *k, size_t source, const uint32_t *times,
                             uint64_t n_rows)
{
    uint64_t sum = 0, epochs = k->plan->sources[source].epochs;
    for (uint64_t u = 0; u < n_rows; u++)
        if (times[u] * epochs > k->given[source][u])
            sum += times[u] * epochs - k->given[source][u];
    k->capacity[source] = sum;
}

enum sl_status sl_plan_continue_join(struct sl_plan_continue *k, const uint64_t *units,
                                     const struct sl_plan_past **past, struct sl_err *err)
{
    for (size_t i = 0; i < k->plan->n_sources; i++) {
        k->given[i] = calloc(units[i] + 1, sizeof **k->given);
        if (!k->given[i])
            return sl_err_nomem(err, units[i] * sizeof **k->given);
    }
    SL_TRY(sl_record_sort_end(k->join, err));
    SL_TRY(sl_record_sort_new(&k->places, k->mem_bytes, k->tmpdir, err));
    SL_TRY(join_all(k, err));
    sl_record_sort_free(k->join);
    k->join = NULL;
    if (k->n_missing) {
        char hex[SL_HASH128_DIGITS];
        hex_of(k->missing, hex);
        return sl_err_set(err, SL_E_DATA,
                          "%s: %llu sequences of the order before are in none of its sources, the "
                          "first at position %llu: %.32s",
                          k->plan->file, (unsigned long long)k->n_missing,
                          (unsigned long long)k->missing_at, hex);
    }
    for (size_t i = 0; i < k->plan->n_sources; i++)
        k->capacity[i] = capacity_behind(k->given[i], units[i], k->plan->sources[i].epochs);
    k->past = (struct sl_plan_past){ k->begin, (const uint16_t **)k->given, k->capacity };
    *past = &k->past;
    return sl_record_sort_end(k->places, err);
}

/* ---- what came before ---- */

enum sl_status sl_plan_continue_stretches(const struct sl_plan_continue *k,
                                          struct sl_plan_stretches *to, struct sl_err *err)
{
    size_t n = k->plan->n_sources + 1;
    for (size_t i = 0; i < k->n_runs; i++) {
        const struct run *run = &k->runs[i];
        bool told = !k->many_runs && run->told < k->keys.n_stages;
        struct sl_str name = told ? k->keys.stages[run->told].name : SL_STR("before");
        char text[256] = "";
        memcpy(text, name.p, name.n < sizeof text - 1 ? name.n : sizeof text - 1);
        const struct sl_plan_stretch s = { .name = text,
                                           .number = run->stage,
                                           .stage = -1,
                                           .begin = run->begin,
                                           .end = run->end,
                                           .length = told ? k->keys.stages[run->told].length : 0 };
        SL_TRY(sl_plan_stretches_add(to, &s, err));
        memcpy(to->of[to->n - 1].counts, k->counts + i * n, n * sizeof *k->counts);
    }
    return SL_OK;
}

enum sl_status sl_plan_continue_next(struct sl_plan_continue *k, struct sl_plan_place *out,
                                     struct sl_err *err)
{
    struct sl_str r;
    enum sl_status st = sl_record_sort_next(k->places, &r, err);
    if (st != SL_OK)
        return st;
    const uint8_t *p = (const uint8_t *)r.p;
    *out = (struct sl_plan_place){ .source = (uint32_t)sl_load_big(p + 8, 4),
                                   .unit = sl_load_big(p + 12, 4),
                                   .copy = (uint16_t)sl_load_big(p + 16, 2),
                                   .stage = (uint16_t)sl_load_big(p + 18, 2) };
    return SL_OK;
}
