/* SPDX-License-Identifier: Apache-2.0 */
/* Looking ahead to the first page. The page itself is not copied, since the
 * reader's strings live until its next call; losses are, and are few. */
#include "web/warc_ahead.h"

enum sl_status sl_warc_ahead_open(struct sl_warc_ahead *a, const char *path,
                                  size_t max_record_bytes, struct sl_err *err)
{
    *a = (struct sl_warc_ahead){ 0 };
    sl_arena_init(&a->kept, 0);
    SL_TRY(sl_source_open(&a->source, path, SL_SOURCE_PLAIN, err));
    return sl_warc_new(&a->reader, a->source, max_record_bytes, err);
}

void sl_warc_ahead_close(struct sl_warc_ahead *a)
{
    sl_warc_free(a->reader);
    sl_source_free(a->source);
    sl_arena_release(&a->kept);
    *a = (struct sl_warc_ahead){ 0 };
}

static enum sl_status keep_loss(struct sl_warc_ahead *a, const struct sl_warc_record *rec,
                                struct sl_err *err)
{
    struct sl_warc_record *copy = &a->losses[a->n_losses++];
    *copy = (struct sl_warc_record){ .kind = rec->kind,
                                     .type = rec->type,
                                     .flags = rec->flags,
                                     .off = rec->off,
                                     .why = rec->why,
                                     .lost_bytes = rec->lost_bytes,
                                     .reason = rec->reason };
    copy->block = (struct sl_str){ sl_arena_str(&a->kept, rec->block), rec->block.n };
    copy->id = (struct sl_str){ sl_arena_str(&a->kept, rec->id), rec->id.n };
    copy->refers_to = (struct sl_str){ sl_arena_str(&a->kept, rec->refers_to), rec->refers_to.n };
    if (!copy->block.p || !copy->id.p || !copy->refers_to.p)
        return sl_err_nomem(err, rec->block.n);
    return SL_OK;
}

bool sl_warc_is_page(enum sl_warc_type t)
{
    return t == SL_WARC_RESPONSE || t == SL_WARC_RESOURCE || t == SL_WARC_REVISIT ||
           t == SL_WARC_CONVERSION;
}

enum sl_status sl_warc_ahead_sort(struct sl_warc_ahead *a, bool *wet, struct sl_err *err)
{
    *wet = false;
    while (a->n_losses < SL_AHEAD_LOSSES_MAX) {
        enum sl_status st = sl_warc_next(a->reader, &a->first, err);
        if (st != SL_OK)
            return st == SL_END ? SL_OK : st;
        if (a->first.kind == SL_WARC_LOST) {
            SL_TRY(keep_loss(a, &a->first, err));
        } else if (sl_warc_is_page(a->first.type)) {
            a->has_first = true;
            *wet = a->first.type == SL_WARC_CONVERSION;
            return SL_OK;
        } else {
            a->n_passed++;
        }
    }
    return SL_OK;
}

enum sl_status sl_warc_ahead_next(struct sl_warc_ahead *a, struct sl_warc_record *rec,
                                  struct sl_err *err)
{
    if (a->n_told < a->n_losses) {
        *rec = a->losses[a->n_told++];
        return SL_OK;
    }
    if (a->has_first) {
        a->has_first = false;
        *rec = a->first;
        return SL_OK;
    }
    return sl_warc_next(a->reader, rec, err);
}
