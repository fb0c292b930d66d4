import CLinux

/// How Linux shares a core among the calling thread and others. It makes no difference while a core is free.
///
/// What is asked for is a matter of speed only: a system that refuses it, or has no word for it, goes on as before.
public enum ThreadSchedule: Hashable, Sendable {
    /// Short turns, and soon: when woken, the thread takes the core from one that has asked for longer turns. From Linux 6.12 on; before,
    /// as for any other thread (docs.kernel.org/scheduler/sched-eevdf.html).
    case prompt
    /// When woken, the thread takes the core from nobody (`SCHED_BATCH`, sched(7)): for work that is better done late and together.
    case patient

    /// The shortest turn that can be asked for, in nanoseconds (sched_setattr(2), of `sched_runtime`).
    static let shortTurn: UInt64 = 100_000

    /// Asks for it, for the calling thread. Its nice value stays as it is; and so does everything, if somebody gave it another policy than
    /// these two (chrt(1)).
    /// - Returns: whether the system agreed.
    @discardableResult
    public func apply() -> Bool {
        guard var attributes = Self.current(), Self.ours.contains(attributes.sched_policy) else { return false }
        switch self {
        case .prompt:
            attributes.sched_policy = Self.other
            attributes.sched_runtime = Self.shortTurn
            // Threads that it starts are none of those that go ahead; but they would lose a negative nice value by it too.
            if attributes.sched_nice >= 0 { attributes.sched_flags |= UInt64(clinux_reset_on_fork) }
        case .patient:
            attributes.sched_policy = Self.batch
            // The system's own choice.
            attributes.sched_runtime = 0
        }
        return clinux_set_schedule(&attributes) == 0
    }

    /// Whether it holds for the calling thread.
    public var holds: Bool {
        guard let attributes = Self.current() else { return false }
        switch self {
        case .prompt:
            return attributes.sched_policy == Self.other && attributes.sched_runtime == Self.shortTurn
        case .patient: return attributes.sched_policy == Self.batch
        }
    }

    private static let other = UInt32(clinux_sched_other)
    private static let batch = UInt32(clinux_sched_batch)
    private static let ours = [other, batch]

    private static func current() -> clinux_sched_attr? {
        var attributes = clinux_sched_attr()
        return clinux_get_schedule(&attributes) == 0 ? attributes : nil
    }
}
