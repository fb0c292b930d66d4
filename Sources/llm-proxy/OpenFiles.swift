import Glibc

/// How many files and connections this process may have open.
enum OpenFiles {
    /// Takes all that it may have without being asked: each client is a connection, and so is its upstream (getrlimit(2)).
    static func raiseLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max
        else { return }
        // Some systems have no bound here, and tables that are as large as the bound.
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 1 << 20))
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
