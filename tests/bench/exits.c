/* Threads that exit at a steady rate, for the test that measures exit records:
 *
 *     exits PER_SECOND SECONDS
 *
 * Every millisecond it starts as many threads as are due, which exit at once. Prints how many have exited, and the nanoseconds that it took.
 * It prints "ready" first and starts with a line on stdin.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND 1000000000L
#define MILLISECOND 1000000L
#define MOST 1000

static long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static void *nothing(void *unused)
{
    return unused;
}

int main(int argc, char **argv)
{
    long rate = argc == 3 ? atol(argv[1]) : 0, seconds = argc == 3 ? atol(argv[2]) : 0;
    if (rate < 1 || rate > MOST * 1000L || seconds < 1) {
        fprintf(stderr, "usage: exits PER_SECOND SECONDS\n");
        return 2;
    }
    static pthread_t threads[MOST];
    char line[16];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 32 * 1024);
    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        return 1;

    long start = now(), end = start + seconds * SECOND, exited = 0, time;
    while ((time = now()) < end) {
        /* What it could not do in time it makes up for later. */
        long due = (time - start) / MILLISECOND * rate / 1000 - exited;
        if (due > MOST)
            due = MOST;
        for (long i = 0; i < due; i++) {
            int error = pthread_create(&threads[i], &attributes, nothing, NULL);
            if (error) {
                fprintf(stderr, "exits: cannot start a thread: %s\n", strerror(error));
                return 1;
            }
        }
        for (long i = 0; i < due; i++)
            pthread_join(threads[i], NULL);
        exited += due > 0 ? due : 0;
        struct timespec pause = { 0, MILLISECOND };
        nanosleep(&pause, NULL);
    }
    printf("%ld %ld\n", exited, now() - start);
    return 0;
}
