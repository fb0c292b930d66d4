"""What the disk makes a request wait for that is answered when a write and its `fdatasync` are done, and nothing else."""

import os
import pathlib
import time

ALONE = "the disk alone"  # What tables and figures call it.
COMMIT = 16 << 10  # Bytes: about what a commit of few requests writes.
SLOTS = 512


def waits(folder, rate, seconds):
    """Open loop: requests come `rate` a second, and all that came while the disk was busy share the next write and its `fdatasync`, within
    a file that is there already. Returns how long they waited, in milliseconds.
    """
    path = pathlib.Path(folder, "disk-waits")
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        os.write(file, bytes(SLOTS * COMMIT))
        os.fsync(file)
        return shares(commits(file, rate, int(rate * seconds)))
    finally:
        os.close(file)
        path.unlink()


def commits(file, rate, count):
    block, waited, served, number = os.urandom(COMMIT), [], 0, 0
    start = time.perf_counter()
    while served < count:
        time.sleep(max(0, served / rate - (time.perf_counter() - start)))
        came = min(count, int((time.perf_counter() - start) * rate) + 1)
        os.pwrite(file, block, number % SLOTS * COMMIT)
        os.fdatasync(file)
        end = time.perf_counter() - start
        waited += ((end - each / rate) * 1e3 for each in range(served, came))
        served, number = came, number + 1
    return sorted(waited)


def shares(waited):
    return {"p50_ms": waited[len(waited) // 2], "p99_ms": waited[len(waited) * 99 // 100], "worst_ms": waited[-1]}
