import Glibc
import ProxyFleet

/// Memory that an idle server can do without.
enum IdleMemory {
    /// How long a server must have had next to nothing to do.
    private static let patience = Duration.seconds(10)
    /// What it may have computed for in that time.
    private static let nothing = Duration.milliseconds(250)

    /// How much of what was given back must have come back to be worth another time.
    private static let worthwhile = 2 << 20

    /// Gives back the pages of the program's own code once they are not used: after the start, and each time the server has become
    /// idle. Returns when the task is cancelled.
    static func release() async {
        releaseCode()
        var least = mappedBytes
        var before = processorTime
        while (try? await Task.sleep(for: patience)) != nil {
            let now = processorTime
            let isIdle = now - before < nothing
            before = now
            guard isIdle, mappedBytes > least + worthwhile else { continue }
            releaseCode()
            least = mappedBytes
        }
    }

    /// Resident bytes of files, such as code (proc(5), statm).
    private static var mappedBytes: Int {
        let fields = ((try? TextFile.read("/proc/self/statm")) ?? nil)?.split(separator: " ") ?? []
        return fields.count > 2 ? (Int(fields[2]) ?? 0) * Int(getpagesize()) : 0
    }

    /// What this process has computed for.
    private static var processorTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// What is called again comes back from the page cache as it is called; what only the start has called does not, and that is
    /// most of it. Nothing is lost: code is mapped from its file and never written to (madvise(2), MADV_DONTNEED).
    private static func releaseCode() {
        guard let maps = (try? TextFile.read("/proc/self/maps")) ?? nil, let program = try? FleetPlan.ownProgram else {
            return
        }
        for line in maps.split(separator: "\n") where line.hasSuffix(program) {
            let fields = line.split(separator: " ", maxSplits: 2)
            let ends = fields.first?.split(separator: "-").compactMap { UInt($0, radix: 16) } ?? []
            guard fields.count == 3, fields[1] == "r-xp", ends.count == 2, ends[0] < ends[1] else { continue }
            madvise(UnsafeMutableRawPointer(bitPattern: ends[0]), Int(ends[1] - ends[0]), Int32(MADV_DONTNEED))
        }
    }
}
