/* The cost of only sleeping and reading a process's CPU clock ten times a second, for fifteen seconds:
 *
 *     cc -O2 -o clock tests/bench/clock.c && ./clock PID      (PID 0: only sleep)
 *
 * The kernel adds up all threads each time. Prints the CPU of one round in microseconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 150
#define INTERVAL 100000000L
#define SECOND 1000000000L

static double own_cpu(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
    int pid = argc == 2 ? atoi(argv[1]) : 0;
    struct timespec next, clock;
    clock_gettime(CLOCK_MONOTONIC, &next);
    double before = own_cpu();
    for (int i = 0; i < ROUNDS; i++) {
        next.tv_nsec += INTERVAL;
        if (next.tv_nsec >= SECOND) {
            next.tv_nsec -= SECOND;
            next.tv_sec++;
        }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
        if (pid > 0)
            clock_gettime((clockid_t)((~(unsigned)pid << 3) | 2), &clock);
    }
    printf("%.1f us\n", (own_cpu() - before) / ROUNDS);
    return 0;
}
