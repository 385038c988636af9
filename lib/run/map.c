/* SPDX-License-Identifier: Apache-2.0 */
/* The map flow: reader, workers, writer.
 *
 * Tasks live in a ring. The reader fills the next one, any worker takes the
 * oldest filled one, and the writer (the main thread) finishes them in input
 * order, so the output does not know how many workers there were. An error
 * travels in its task: the first one in input order wins, whatever came first
 * in time. With one worker everything happens on the main thread: in a pipe of
 * many processes further threads would only fight for the same processors.
 *
 * Memory: the reader waits while more than RING_BYTES of bodies are in flight
 * (one batch is always let in), and a task gives unusually large buffers back,
 * those of what it built too: there are two tasks a worker.
 *
 * Rejected: one queue a worker (needs stealing to be balanced, and documents
 * differ by orders of magnitude), and a lock-free ring (a lock per megabyte
 * costs nothing). */
#include <pthread.h>
#include <stdlib.h>

#include "base/num.h"
#include "run/map.h"
#include "run/run_private.h"

enum { READER_GRACE_NS = 100000000 };
enum { TASK_KEEP_BYTES = 4 << 20, RING_BYTES = 64 << 20 };

enum task_state { TASK_FREE, TASK_FILLED, TASK_DONE };

struct ring {
    struct sl_run *run;
    struct sl_task **tasks;
    int n;
    enum task_state *states;
    int64_t read, taken; /* sequence numbers: next to fill, next to work on */
    int64_t bytes;       /* bodies in flight */
    bool ended;          /* the reader is done: read is final */
    bool stop;           /* the writer gave up */
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

/* Read the next batch into a task; its status and error become the task's. */
static void fill(struct sl_run *run, struct sl_task *t)
{
    sl_err_reset(&t->err);
    t->status = sl_inputs_next(&run->in, &t->in, &t->err);
}

static enum sl_status finish(struct sl_run *run, struct sl_task *t, struct sl_err *err)
{
    if (t->status != SL_OK) {
        sl_err_keep(err, &t->err);
        return t->status;
    }
    if (t->n_drops && run->opt.rejects)
        SL_TRY(sl_out_pass(&run->rejects, &t->reject_view, err));
    if (run->has_out_schema)
        SL_TRY(sl_out_pass(&run->out, t->result, err));
    sl_tally_add(&run->tally, &t->tally);
    run->bytes_in += (int64_t)t->in.body.n;
    sl_progress_tick(run);
    return SL_OK;
}

static enum sl_status map_alone(struct sl_run *run, struct sl_err *err)
{
    struct sl_task *t;
    SL_TRY(sl_task_new(&t, run, err));
    enum sl_status st = sl_task_start_worker(t, err);
    while (st == SL_OK) {
        fill(run, t);
        if (t->status == SL_OK)
            sl_task_work(t);
        st = finish(run, t, err);
        sl_task_recycle(t, TASK_KEEP_BYTES);
    }
    sl_task_free(t);
    return st == SL_END ? SL_OK : st;
}

static void wait_change(struct ring *r)
{
    pthread_cond_wait(&r->changed, &r->lock);
}

static void *reader_main(void *arg)
{
    struct ring *r = arg;
    pthread_mutex_lock(&r->lock);
    while (!r->ended && !r->stop) {
        int at = (int)(r->read % r->n);
        if (r->states[at] != TASK_FREE || (r->bytes > RING_BYTES)) {
            wait_change(r);
            continue;
        }
        struct sl_task *t = r->tasks[at];
        pthread_mutex_unlock(&r->lock);
        fill(r->run, t);
        pthread_mutex_lock(&r->lock);
        r->bytes += (int64_t)t->in.body.n;
        r->ended = t->status != SL_OK;
        r->states[at] = r->ended ? TASK_DONE : TASK_FILLED;
        r->read++;
        pthread_cond_broadcast(&r->changed);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* The oldest filled task, NULL where none will come. Called with the lock. */
static struct sl_task *take(struct ring *r, int *at)
{
    for (;;) {
        if (r->stop)
            return NULL;
        *at = (int)(r->taken % r->n);
        if (r->taken < r->read && r->states[*at] == TASK_FILLED) {
            r->taken++;
            return r->tasks[*at];
        }
        if (r->ended)
            return NULL;
        wait_change(r);
    }
}

struct worker {
    struct ring *ring;
    void *scratch; /* of the tool's worker_new */
    pthread_t thread;
    bool running;
};

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct ring *r = w->ring;
    int at;
    pthread_mutex_lock(&r->lock);
    for (struct sl_task *t; (t = take(r, &at));) {
        pthread_mutex_unlock(&r->lock);
        sl_task_set_worker(t, w->scratch);
        sl_task_work(t);
        pthread_mutex_lock(&r->lock);
        r->states[at] = TASK_DONE;
        pthread_cond_broadcast(&r->changed);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static enum sl_status write_in_order(struct ring *r, struct sl_err *err)
{
    enum sl_status st = SL_OK;
    for (int64_t next = 0; st == SL_OK; next++) {
        int at = (int)(next % r->n);
        pthread_mutex_lock(&r->lock);
        while (next >= r->read || r->states[at] != TASK_DONE)
            wait_change(r);
        pthread_mutex_unlock(&r->lock);
        struct sl_task *t = r->tasks[at];
        int64_t bytes = (int64_t)t->in.body.n;
        st = finish(r->run, t, err);
        sl_task_recycle(t, TASK_KEEP_BYTES);
        pthread_mutex_lock(&r->lock);
        r->bytes -= bytes;
        r->states[at] = TASK_FREE;
        r->stop = st != SL_OK;
        pthread_cond_broadcast(&r->changed);
        pthread_mutex_unlock(&r->lock);
    }
    return st == SL_END ? SL_OK : st;
}

static enum sl_status ring_init(struct ring *r, struct sl_run *run, struct sl_err *err)
{
    *r = (struct ring){ .run = run, .n = (int)run->opt.common.threads * 2 + 2 };
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    r->tasks = calloc((size_t)r->n, sizeof *r->tasks);
    r->states = calloc((size_t)r->n, sizeof *r->states);
    if (!r->tasks || !r->states)
        return sl_err_nomem(err, (uint64_t)r->n * sizeof *r->tasks);
    for (int i = 0; i < r->n; i++)
        SL_TRY(sl_task_new(&r->tasks[i], run, err));
    return SL_OK;
}

static void ring_release(struct ring *r)
{
    for (int i = 0; r->tasks && i < r->n; i++)
        sl_task_free(r->tasks[i]);
    free(r->tasks);
    free(r->states);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->changed);
}

static enum sl_status start_workers(struct ring *r, struct worker *workers, int n,
                                    struct sl_err *err)
{
    const struct sl_tool *tool = r->run->tool;
    for (int i = 0; i < n; i++) {
        workers[i].ring = r;
        if (tool->worker_new)
            SL_TRY(tool->worker_new(r->run, &workers[i].scratch, err));
        int rc = pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]);
        if (rc)
            return sl_err_sys(err, rc, "cannot start worker %d of %d", i + 1, n);
        workers[i].running = true;
    }
    return SL_OK;
}

static void stop_ring(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static void join_workers(struct ring *r, struct worker *workers, int n)
{
    const struct sl_tool *tool = r->run->tool;
    for (int i = 0; i < n; i++) {
        if (workers[i].running)
            pthread_join(workers[i].thread, NULL);
        if (workers[i].scratch && tool->worker_free)
            tool->worker_free(workers[i].scratch);
    }
}

/* After an error of ours the reader may sit in read(2) on a pipe that stays
 * open. It is then left to the end of the process, which is near, and so is all
 * that it uses (run->reader_left). Rejected: cancelling it, which unwinds a
 * stack that the sanitizers watch, and needs care at every call below. */
static void end_reader(struct ring *r, pthread_t reader, bool failed)
{
    struct timespec until;
    if (!failed) {
        pthread_join(reader, NULL);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += READER_GRACE_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    r->run->reader_left = pthread_timedjoin_np(reader, NULL, &until) != 0;
}

static enum sl_status map_threads(struct sl_run *run, struct ring *r, struct worker *workers,
                                  struct sl_err *err)
{
    int n = (int)run->opt.common.threads;
    pthread_t reader;
    enum sl_status st = start_workers(r, workers, n, err);
    int rc = st == SL_OK ? pthread_create(&reader, NULL, reader_main, r) : 0;
    if (rc)
        st = sl_err_sys(err, rc, "cannot start the reader thread");
    bool reading = st == SL_OK;
    if (reading)
        st = write_in_order(r, err);
    stop_ring(r);
    join_workers(r, workers, n);
    if (reading)
        end_reader(r, reader, st != SL_OK);
    return st;
}

enum sl_status sl_run_map(struct sl_run *run, struct sl_err *err)
{
    if (run->opt.common.threads <= 1)
        return map_alone(run, err);
    struct ring *r = calloc(1, sizeof *r);
    struct worker *workers = calloc((size_t)run->opt.common.threads, sizeof *workers);
    enum sl_status st = r && workers ? ring_init(r, run, err) : sl_err_nomem(err, sizeof *r);
    if (st == SL_OK)
        st = map_threads(run, r, workers, err);
    free(workers);
    if (run->reader_left)
        return st;
    if (r)
        ring_release(r);
    free(r);
    return st;
}
