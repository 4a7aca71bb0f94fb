/* The lowest possible cost of opening, reading and closing one file per thread:
 *
 *     floor PID
 *
 * For each line on stdin it reads task/TID/stat of every thread and prints how many it read. It neither parses nor keeps anything.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct entry {
    unsigned long inode;
    long offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

static int read_all(int task)
{
    static char names[64 * 1024] __attribute__((aligned(8)));
    static char text[4096];
    char path[64];
    int count = 0;
    long filled;
    lseek(task, 0, SEEK_SET);
    while ((filled = syscall(SYS_getdents64, task, names, sizeof names)) > 0) {
        for (long at = 0; at < filled; at += ((struct entry *)(names + at))->length) {
            const char *name = ((struct entry *)(names + at))->name;
            if (name[0] == '.')
                continue;
            strcpy(stpcpy(path, name), "/stat");
            int fd = openat(task, path, O_RDONLY | O_CLOEXEC);
            if (fd < 0)
                continue;
            if (read(fd, text, sizeof text) > 0)
                count++;
            close(fd);
        }
    }
    return count;
}

int main(int argc, char **argv)
{
    char path[64], line[16];
    snprintf(path, sizeof path, "/proc/%s/task", argc == 2 ? argv[1] : "");
    int task = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (task < 0) {
        perror(path);
        return 1;
    }
    while (fgets(line, sizeof line, stdin)) {
        printf("%d\n", read_all(task));
        fflush(stdout);
    }
    return 0;
}
