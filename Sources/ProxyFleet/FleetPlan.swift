import Glibc

/// What a fleet consists of.
public struct FleetPlan: Sendable {
    /// Where the servers keep their data.
    public enum Backend: String, CaseIterable, Sendable {
        case sqlite
        case sqliteMemory = "sqlite-memory"
        case postgres

        /// Whether several servers may share it.
        public var isShared: Bool { self == .postgres }
    }

    public var backend: Backend
    /// Server processes: 1, unless the backend is shared.
    public var instances: Int
    /// Settings of every server by name, stronger than ours.
    public var settings: [String: String]
    /// How many tokens requests are sent under.
    public var tokens: Int
    /// Cap of each token; 0 for none.
    public var cap: Int
    /// The program itself: server, and simulated upstream.
    public var program: String
    /// Told of all that is started and made.
    public var remains: FleetRemains

    public init(
        backend: Backend, instances: Int = 1, settings: [String: String] = [:], tokens: Int = 1, cap: Int = 0,
        program: String, remains: FleetRemains = FleetRemains()
    ) {
        self.backend = backend
        self.instances = instances
        self.settings = settings
        self.tokens = tokens
        self.cap = cap
        self.program = program
        self.remains = remains
    }

    /// The program that we are.
    public static var ownProgram: String {
        get throws(FleetError) {
            var buffer = [CChar](repeating: 0, count: 4097)
            let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
            guard count > 0 else { throw FleetError("can't find the program that this is") }
            return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}
