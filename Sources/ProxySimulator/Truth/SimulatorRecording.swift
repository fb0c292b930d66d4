/// Which requests the simulator keeps to be looked at.
public enum SimulatorRecording: Hashable, Sendable {
    /// None; counts are kept all the same. For load.
    case off
    /// The last so many.
    case last(Int)
    /// All of them: memory grows with traffic. For tests.
    case all
}
