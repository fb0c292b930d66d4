import Glibc

/// Locks of whole files (flock(2)).
public enum FileLock {
    /// Takes the lock of an open file, which goes with the last descriptor of it. Blocks for a tenth of a second at most: a child that
    /// another thread has just forked holds all files until it becomes its program.
    /// - Returns: whether it was taken; if not, `errno` says why.
    public static func take(_ descriptor: Int32) -> Bool {
        for _ in 0..<10 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
            guard errno == EWOULDBLOCK else { return false }
            usleep(10_000)
        }
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }
}
