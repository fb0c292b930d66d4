/// How a scenario ended on one backend or world.
public enum Verdict: Sendable {
    /// Every expectation held.
    case kept
    /// Some expectations did not hold, or the steps stopped with an error.
    case broken([Check.Finding])
    /// The backend lacks what the scenario needs: the names of what is missing.
    case notApplicable(missing: String)
    /// No expectation was reached: the scenario proves nothing. Counts as a failure.
    case vacuous
}

/// What a scenario is besides its promise, for choosing which to run.
public struct ScenarioTags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Takes seconds, not milliseconds.
    public static let slow = Self(rawValue: 1 << 0)
    /// Hands in what no honest client or upstream would send.
    public static let hostile = Self(rawValue: 1 << 1)
    /// Must have the machine to itself: it measures memory or time.
    public static let alone = Self(rawValue: 1 << 2)
    /// Something breaks, and the books must be right afterwards.
    public static let fault = Self(rawValue: 1 << 3)
}

extension Verdict {
    /// Of a scenario that did not end in time.
    public static func unfinished(after time: Duration, at place: Check.Line) -> Verdict {
        .broken([Check.Finding(message: "did not end within \(time)", place: place)])
    }
}
