/* Brings about what a machine does to a program and a test cannot: a disk that is full, a sync that fails, a clock
   that is wrong. Loaded before the program's own libraries (LD_PRELOAD), so that the program itself holds no seam.

   FAULTS_CLOCK_S    seconds that this machine's wall clock is ahead; the monotonic one is right
   FAULTS_FILE       a file whose first word says what fails now: `full` (ENOSPC at writes), `sync` (EIO at syncs),
                     `fine`; absent means fine
   FAULTS_UNDER      only files whose path holds this text are touched */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_pwrite64)(int, const void *, size_t, off64_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static const char *fault_file, *under;
static long ahead_s;

__attribute__((constructor)) static void begin(void) {
    real_pwrite = dlsym(RTLD_NEXT, "pwrite");
    real_pwrite64 = dlsym(RTLD_NEXT, "pwrite64");
    real_write = dlsym(RTLD_NEXT, "write");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    fault_file = getenv("FAULTS_FILE");
    under = getenv("FAULTS_UNDER");
    const char *ahead = getenv("FAULTS_CLOCK_S");
    ahead_s = ahead ? atol(ahead) : 0;
}

/* Does `what` fail now, for this file? */
static int fails(const char *what, int fd) {
    if (!fault_file || !under) return 0;
    char link[64], path[512], word[16] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    if (!strstr(path, under)) return 0;
    FILE *told = fopen(fault_file, "re");
    if (!told) return 0;
    if (fscanf(told, "%15s", word) != 1) word[0] = 0;
    fclose(told);
    return strcmp(word, what) == 0;
}

static int full(int fd) {
    if (!fails("full", fd)) return 0;
    errno = ENOSPC;
    return 1;
}

static int unsynced(int fd) {
    if (!fails("sync", fd)) return 0;
    errno = EIO;
    return 1;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) { return full(fd) ? -1 : real_pwrite(fd, bytes, n, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) {
    return full(fd) ? -1 : real_pwrite64(fd, bytes, n, at);
}
ssize_t write(int fd, const void *bytes, size_t n) { return full(fd) ? -1 : real_write(fd, bytes, n); }
int fsync(int fd) { return unsynced(fd) ? -1 : real_fsync(fd); }
int fdatasync(int fd) { return unsynced(fd) ? -1 : real_fdatasync(fd); }

int clock_gettime(clockid_t which, struct timespec *now) {
    int done = real_clock_gettime(which, now);
    if (done == 0 && which == CLOCK_REALTIME) now->tv_sec += ahead_s;
    return done;
}
