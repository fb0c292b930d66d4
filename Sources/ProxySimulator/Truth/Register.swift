import NIOCore
import Synchronization

/// What all connections share: the scripts to come, what was received, and the counts.
final class Register: Sendable {
    private struct State {
        var truth = SimulatorTruth()
        var observed: [ObservedRequest] = []
        var nextNumber = 1
        var begun = 0
        var nextConnection = 1
        var rules: [Rule] = []
        var channels: [Int: any Channel] = [:]
        /// How often requests of a content have failed on purpose.
        var failures: [UInt64: Int] = [:]
    }

    /// A script that waits for requests.
    private struct Rule {
        let script: SimulatorScript
        let path: String?
        var times: Int
    }

    private let state = Mutex(State())
    private let recording: SimulatorRecording
    private let usual: SimulatorScript
    let files = SimulatedFiles()
    let batches = SimulatedBatches()

    init(recording: SimulatorRecording, usual: SimulatorScript) {
        self.recording = recording
        self.usual = usual
    }

    var isRecording: Bool { recording != .off }

    // MARK: Scripts

    func add(_ script: SimulatorScript, path: String?, times: Int) {
        guard times > 0 else { return }
        state.withLock { $0.rules.append(Rule(script: script, path: path, times: times)) }
    }

    /// Counts a request and gives its number, from 1, and its script: that of the first rule for its path, or the
    /// usual one.
    func begin(path: Substring) -> (script: SimulatorScript, number: Int) {
        state.withLock { state in
            state.truth.requestsByPath[String(path), default: 0] += 1
            state.begun += 1
            guard let index = state.rules.firstIndex(where: { $0.path == nil || $0.path.map { $0 == path } == true })
            else { return (usual, state.begun) }
            let script = state.rules[index].script
            state.rules[index].times -= 1
            if state.rules[index].times == 0 { state.rules.remove(at: index) }
            return (script, state.begun)
        }
    }

    /// Whether a request of some content is one of the first `times`, which fail.
    func fails(_ content: UInt64, times: Int) -> Bool {
        state.withLock { state in
            if state.failures.count >= 10_000 { state.failures = [:] }
            state.failures[content, default: 0] += 1
            return state.failures[content, default: 0] <= times
        }
    }

    // MARK: Records

    /// Notes a request; gives its number.
    func note(_ request: ObservedRequest) -> Int {
        state.withLock { state in
            var request = request
            request.number = state.nextNumber
            state.nextNumber += 1
            state.observed.append(request)
            if case .last(let limit) = recording, state.observed.count >= 2 * limit {
                state.observed.removeFirst(state.observed.count - limit)
            }
            return request.number
        }
    }

    /// Notes that the other side left before the answer's end.
    func noteAbandoned(_ number: Int?) {
        state.withLock { state in
            state.truth.abandonedRequests += 1
            guard let number, let first = state.observed.first?.number, number >= first else { return }
            state.observed[number - first].wasAbandoned = true
        }
    }

    func noteCompleted(_ usage: SimulatedUsage, bytes: Int) {
        state.withLock {
            $0.truth.completedAnswers += 1
            $0.truth.usage += usage
            $0.truth.bytesSent += bytes
        }
    }

    func noteSent(_ bytes: Int) { state.withLock { $0.truth.bytesSent += bytes } }

    func noteMalformed() { state.withLock { $0.truth.malformedRequests += 1 } }

    var observed: [ObservedRequest] {
        state.withLock { state in
            guard case .last(let limit) = recording else { return state.observed }
            return Array(state.observed.suffix(limit))
        }
    }

    var truth: SimulatorTruth { state.withLock { $0.truth } }

    /// Forgets requests, scripts and counts; connections stay.
    func clear() {
        state.withLock { state in
            var truth = SimulatorTruth()
            truth.openConnections = state.truth.openConnections
            state.truth = truth
            state.observed = []
            state.rules = []
        }
    }

    // MARK: Connections

    /// Notes a connection; gives its number.
    func opened(_ channel: any Channel) -> Int {
        state.withLock { state in
            state.truth.acceptedConnections += 1
            state.truth.openConnections += 1
            let number = state.nextConnection
            state.nextConnection += 1
            state.channels[number] = channel
            return number
        }
    }

    func closed(_ number: Int) {
        state.withLock { state in
            state.truth.openConnections -= 1
            state.channels[number] = nil
        }
    }

    var channels: [any Channel] { state.withLock { Array($0.channels.values) } }
}
