// Makes files fail and the clock step, in a program it is preloaded into (ld.so(8), LD_PRELOAD).
//
// FAULT_CONTROL names a file of 16 bytes that says how, at any moment: byte 0 is what befalls writes to files whose path holds
// FAULT_FILES, bytes 8 to 15 are how many seconds CLOCK_REALTIME runs ahead.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { NONE, FULL, FAILING, UNSYNCED, SHORT, READ_ONLY };

static const volatile struct { unsigned char fault; unsigned char unused[7]; int64_t ahead; } *control;
static const char *meant;
static ssize_t (*next_pwrite64)(int, const void *, size_t, off64_t);
static ssize_t (*next_write)(int, const void *, size_t);
static int (*next_fsync)(int), (*next_fdatasync)(int), (*next_ftruncate64)(int, off64_t);
static int (*next_fallocate64)(int, off64_t, off64_t), (*next_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    next_pwrite64 = dlsym(RTLD_NEXT, "pwrite64");
    next_write = dlsym(RTLD_NEXT, "write");
    next_fsync = dlsym(RTLD_NEXT, "fsync");
    next_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    next_ftruncate64 = dlsym(RTLD_NEXT, "ftruncate64");
    next_fallocate64 = dlsym(RTLD_NEXT, "posix_fallocate64");
    next_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    const char *path = getenv("FAULT_CONTROL");
    meant = getenv("FAULT_FILES");
    if (!path || !meant) return;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    void *at = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *control, PROT_READ, MAP_SHARED, file, 0);
    if (file >= 0) close(file);
    if (at != MAP_FAILED) control = at;
}

static int fault_of(int file) {
    if (!control || !control->fault) return NONE;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return NONE;
    path[length] = 0;
    return strstr(path, meant) ? control->fault : NONE;
}

/// Sets errno for faults that no write survives.
static int refuses(int fault) {
    switch (fault) {
    case FULL: errno = ENOSPC; return 1;
    case FAILING: errno = EIO; return 1;
    case READ_ONLY: errno = EROFS; return 1;
    default: return 0;
    }
}

static size_t shortened(int fault, size_t count) { return fault == SHORT && count > 1 ? count / 2 : count; }

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
    int fault = fault_of(file);
    return refuses(fault) ? -1 : next_pwrite64(file, bytes, shortened(fault, count), offset);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) { return pwrite64(file, bytes, count, offset); }

ssize_t write(int file, const void *bytes, size_t count) {
    int fault = fault_of(file);
    return refuses(fault) ? -1 : next_write(file, bytes, shortened(fault, count));
}

static int syncs(int file) {
    int fault = fault_of(file);
    if (fault != FAILING && fault != UNSYNCED) return 1;
    errno = EIO;
    return 0;
}

int fsync(int file) { return syncs(file) ? next_fsync(file) : -1; }
int fdatasync(int file) { return syncs(file) ? next_fdatasync(file) : -1; }
int ftruncate64(int file, off64_t length) { return refuses(fault_of(file)) ? -1 : next_ftruncate64(file, length); }
int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

int posix_fallocate64(int file, off64_t offset, off64_t length) {
    return refuses(fault_of(file)) ? errno : next_fallocate64(file, offset, length);
}

int posix_fallocate(int file, off_t offset, off_t length) { return posix_fallocate64(file, offset, length); }

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = next_clock_gettime(clock, now);
    if (!result && control && clock == CLOCK_REALTIME) now->tv_sec += control->ahead;
    return result;
}
