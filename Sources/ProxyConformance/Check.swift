import ProxyStorage
import Synchronization

/// Collects what a scenario found, with the line that found it.
public final class Check: Sendable {
    /// A line of the catalogue.
    public struct Line: Hashable, Sendable {
        public let file: String
        public let line: Int
    }

    /// One expectation that did not hold.
    public struct Finding: Hashable, Sendable, CustomStringConvertible {
        public let message: String
        public let place: Line
        public var description: String { "\(place.file):\(place.line): \(message)" }
    }

    private let state = Mutex((findings: [Finding](), expectations: 0))

    /// Whether errors must have our codes, or only a status and a shape that OpenAI's clients understand.
    let wantsOurCodes: Bool

    init(wantsOurCodes: Bool = true) { self.wantsOurCodes = wantsOurCodes }

    /// What did not hold so far.
    var findings: [Finding] { state.withLock { $0.findings } }
    /// How many expectations were reached so far, held or not.
    var expectations: Int { state.withLock { $0.expectations } }

    /// Notes a finding.
    func note(_ message: String, at place: Line) {
        state.withLock { $0.findings.append(Finding(message: message, place: place)) }
    }

    /// Notes a finding unless `found` equals `wanted`. The scenario goes on either way.
    func equal<Value: Equatable>(
        _ found: Value, _ wanted: Value, _ what: String, file: String = #fileID, line: Int = #line
    ) {
        that(found == wanted, "\(what): found \(found), wanted \(wanted)", file: file, line: line)
    }

    /// Notes `otherwise` as a finding unless `condition` holds.
    func that(
        _ condition: Bool, _ otherwise: @autoclosure () -> String, file: String = #fileID, line: Int = #line
    ) {
        state.withLock { $0.expectations += 1 }
        if !condition { note(otherwise(), at: Line(file: file, line: line)) }
    }

    /// Notes a finding unless `call` throws a ``StorageError`` of kind `wanted`.
    func fails<Value>(
        _ wanted: StorageError.Kind, _ what: String, file: String = #fileID, line: Int = #line,
        _ call: () async throws -> Value
    ) async {
        state.withLock { $0.expectations += 1 }
        let place = Line(file: file, line: line)
        do {
            note("\(what): gave \(try await call()), wanted failure \(wanted)", at: place)
        } catch let error as StorageError where error.kind == wanted {
            return
        } catch {
            note("\(what): failed with \(String(reflecting: error)), wanted \(wanted)", at: place)
        }
    }

    /// The verdict on a scenario at `place` whose steps have ended.
    func verdict(stoppedBy error: (any Error)?, at place: Line) -> Verdict {
        if let error { note("stopped by \(String(reflecting: error))", at: place) }
        if findings.isEmpty { return expectations == 0 ? .vacuous : .kept }
        return .broken(findings)
    }
}
