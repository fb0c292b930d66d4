#include <stdint.h>
#include <sys/syscall.h>

/// As unistd.h has it, which is not included: its types would be this module's in one build and another's in the next.
long syscall(long number, ...);

/// What sched_setattr(2) takes, in its first version; C libraries before glibc 2.41 offer neither.
struct clinux_sched_attr {
    uint32_t size;
    uint32_t sched_policy;
    uint64_t sched_flags;
    int32_t sched_nice;
    uint32_t sched_priority;
    uint64_t sched_runtime;
    uint64_t sched_deadline;
    uint64_t sched_period;
};

/// Variadic functions can't be called from Swift. Both are of the calling thread; 0, or -1 and `errno`.
static inline long clinux_get_schedule(struct clinux_sched_attr *attributes) {
    return syscall(SYS_sched_getattr, 0, attributes, sizeof *attributes, 0);
}

static inline long clinux_set_schedule(const struct clinux_sched_attr *attributes) {
    return syscall(SYS_sched_setattr, 0, attributes, 0);
}

enum { clinux_sched_other = 0, clinux_sched_batch = 3 };
enum { clinux_reset_on_fork = 1 };
