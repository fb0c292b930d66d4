import Glibc

/// What a process has used so far (proc(5)).
public struct ProcessUsage: Hashable, Sendable {
    /// In user space and in the kernel, all threads.
    public let processorTime: Duration
    public let residentBytes: Int

    /// - Returns: `nil` when there is no such process.
    public init?(of pid: Int32) {
        guard let stat = try? TextFile.read("/proc/\(pid)/stat"), let statm = try? TextFile.read("/proc/\(pid)/statm")
        else {
            return nil
        }
        // The name is in brackets and may hold anything.
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Int(fields[12]), let system = Int(fields[13]),
            let pages = statm.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return nil }
        let ticks = sysconf(Int32(_SC_CLK_TCK))
        processorTime = .milliseconds((user + system) * 1000 / max(1, ticks))
        residentBytes = pages * Int(getpagesize())
    }

    /// Of several processes together.
    public init(of pids: [Int32]) {
        let all = pids.compactMap { ProcessUsage(of: $0) }
        processorTime = all.reduce(.zero) { $0 + $1.processorTime }
        residentBytes = all.reduce(0) { $0 + $1.residentBytes }
    }

    /// A process and, if asked for, all that it has started, as far as they live.
    public static func family(of pid: Int32, isWhole: Bool) -> [Int32] {
        var found = [pid]
        guard isWhole else { return found }
        var next = 0
        while next < found.count {
            let parent = found[next]
            next += 1
            let children = (try? TextFile.read("/proc/\(parent)/task/\(parent)/children")) ?? nil
            found += (children ?? "").split(separator: " ").compactMap { Int32($0) }
        }
        return found
    }
}
