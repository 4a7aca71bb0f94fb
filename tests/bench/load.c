/* The process that is watched during the benchmark:
 *
 *     load THREADS BUSY DUTY_PERCENT CHURN_PER_SECOND
 *
 * THREADS in total, including the main thread and those that churn; BUSY of them use DUTY_PERCENT of a core each, in periods of
 * 100 ms that start one after the other; CHURN_PER_SECOND threads start each second and live for 20 ms. Prints "ready" when all have started.
 * "spawn N" on stdin starts N more threads that exit again, BATCH at a time, and prints "ok". Ends at the end of stdin.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000L
#define PERIOD (SECOND / 10)
#define CHURN_LIFE (SECOND / 50)
#define BATCH 500

static pthread_attr_t attributes;
static pthread_barrier_t batch;
static int busy, duty, churn;

static void fail(const char *what, int error)
{
    fprintf(stderr, "load: %s: %s (threads-max, pid_max, ulimit -u, pids.max or max_map_count may be the limit)\n", what, strerror(error));
    exit(1);
}

static pthread_t start(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    int error = pthread_create(&thread, &attributes, body, argument);
    if (error)
        fail("cannot start a thread", error);
    return thread;
}

static long now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static void sleep_until(long when)
{
    struct timespec t = { when / SECOND, when % SECOND };
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
        ;
}

static void *idle(void *unused)
{
    (void)unused;
    pthread_setname_np(pthread_self(), "idle");
    while (pause())
        ;
    return NULL;
}

static void *work(void *number)
{
    pthread_setname_np(pthread_self(), "busy");
    long burn = PERIOD * duty / 100;
    for (long next = now(CLOCK_MONOTONIC) + PERIOD * (long)number / busy;; next += PERIOD) {
        sleep_until(next);
        for (long end = now(CLOCK_THREAD_CPUTIME_ID) + burn; now(CLOCK_THREAD_CPUTIME_ID) < end;)
            ;
        /* On an overloaded machine it does less work instead of catching up. */
        if (now(CLOCK_MONOTONIC) > next + PERIOD)
            next = now(CLOCK_MONOTONIC);
    }
    return NULL;
}

static void *short_lived(void *unused)
{
    (void)unused;
    sleep_until(now(CLOCK_MONOTONIC) + CHURN_LIFE);
    return NULL;
}

static void *start_short_lived(void *unused)
{
    (void)unused;
    pthread_setname_np(pthread_self(), "churn");
    int alive = churn * CHURN_LIFE / SECOND + 1;
    pthread_t *threads = calloc(alive, sizeof *threads);
    long next = now(CLOCK_MONOTONIC);
    for (long started = 0;; started++) {
        if (started >= alive)
            pthread_join(threads[started % alive], NULL);
        threads[started % alive] = start(short_lived, NULL);
        sleep_until(next += SECOND / churn);
    }
    return NULL;
}

static void *wait_for_batch(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&batch);
    return NULL;
}

static void spawn(long count)
{
    pthread_t threads[BATCH];
    for (long done = 0; done < count; done += BATCH) {
        for (int i = 0; i < BATCH; i++)
            threads[i] = start(wait_for_batch, NULL);
        pthread_barrier_wait(&batch);
        for (int i = 0; i < BATCH; i++)
            pthread_join(threads[i], NULL);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: load THREADS BUSY DUTY_PERCENT CHURN_PER_SECOND\n");
        return 2;
    }
    int threads = atoi(argv[1]);
    busy = atoi(argv[2]);
    duty = atoi(argv[3]);
    churn = atoi(argv[4]);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 32 * 1024);
    pthread_barrier_init(&batch, NULL, BATCH + 1);
    int started = 1;
    for (long i = 0; i < busy; i++, started++)
        start(work, (void *)i);
    if (churn) {
        start(start_short_lived, NULL);
        started += 2 + churn * CHURN_LIFE / SECOND;
    }
    for (; started < threads; started++)
        start(idle, NULL);
    puts("ready");
    fflush(stdout);

    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        long count;
        if (sscanf(line, "spawn %ld", &count) == 1)
            spawn(count);
        puts("ok");
        fflush(stdout);
    }
    return 0;
}
