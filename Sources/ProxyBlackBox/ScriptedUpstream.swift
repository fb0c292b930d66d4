import Dispatch
import Glibc
package import ProxyConformance

/// An upstream on plain sockets that does what its scripts say, byte for byte.
package final class ScriptedUpstream: UpstreamDouble {
    private struct State {
        var scripts: [[UpstreamStep]] = []
        var received: [ReceivedRequest] = []
        /// By the number of their connection.
        var frames: [Int: [HTTP2Frame]] = [:]
        var connections = 0
        var closedByProxy = 0
        var gates: Set<String> = []
        var waiting: [Waiting] = []
        var open: Set<Int32> = []
        var isStopped = false
        /// Counts ``clear()``: what began before one belongs to nobody any more.
        var generation = 0
        /// Ports of connections that wait to be accepted after all that came before them.
        var fences: [Int: DispatchSemaphore] = [:]
        var listens = true
    }

    /// A script that waits for a gate.
    private struct Waiting {
        let gate: String
        let semaphore: DispatchSemaphore
    }

    package let port: Int
    private let listener: Int32
    private let state = Shared(State())

    /// - Parameters:
    ///   - address: of this machine, IPv4.
    ///   - port: 0 for any that is free.
    /// - Throws: ``ConnectionFailure/refused`` when it is somebody else's.
    package init(address: String = Socket.loopback, port: Int = 0) throws {
        guard let (listener, port) = Socket.listen(on: address, port: port) else { throw ConnectionFailure.refused }
        (self.listener, self.port) = (listener, port)
        BlockingThreads.shared.start { [self] in acceptAll() }
    }

    package var received: [ReceivedRequest] { state.value.received }
    package var connectionCount: Int { state.value.connections }
    package var closedByProxy: Int { state.value.closedByProxy }
    package func frames(of connection: Int) -> [HTTP2Frame] { state.value.frames[connection] ?? [] }

    package func script(_ steps: [UpstreamStep]) { state.change { $0.scripts.append(steps) } }
    package func unscript() { state.change { $0.scripts = [] } }

    package func release(_ gate: String) {
        state.change { state in
            state.gates.insert(gate)
            for one in state.waiting where one.gate == gate { one.semaphore.signal() }
            state.waiting.removeAll { $0.gate == gate }
        }
    }

    /// Forgets scripts, requests and counts, and closes every connection, also those that nobody has accepted yet.
    package func clear() {
        acceptWaiting()
        state.change { state in
            for descriptor in state.open { shutdown(descriptor, Int32(SHUT_RDWR)) }
            state.generation += 1
            for one in state.waiting { one.semaphore.signal() }
            state.waiting = []
            state.scripts = []
            state.received = []
            state.frames = [:]
            state.gates = []
            (state.connections, state.closedByProxy) = (0, 0)
        }
    }

    package func stop() {
        state.change { [listener] state in
            state.isStopped = true
            for one in state.waiting { one.semaphore.signal() }
            state.waiting = []
            for descriptor in state.open { shutdown(descriptor, Int32(SHUT_RDWR)) }
            // Wakes the thread that accepts, which then closes. Once it has, the number may be another's.
            if state.listens { shutdown(listener, Int32(SHUT_RDWR)) }
        }
    }

    /// Waits until every connection made before now is accepted, so that none counts as one of the next scenario: they
    /// are accepted in the order in which they were made.
    private func acceptWaiting() {
        guard let (descriptor, own) = Socket.bound() else { return }
        defer { close(descriptor) }
        let accepted = DispatchSemaphore(value: 0)
        state.change { $0.fences[own] = accepted }
        if Socket.withAddress(port: port, { connect(descriptor, $0, $1) }) == 0 {
            _ = accepted.wait(timeout: .now() + .seconds(5))
        }
        _ = state.change { $0.fences.removeValue(forKey: own) }
    }

    private func acceptAll() {
        while true {
            let descriptor = accept(listener, nil, nil)
            guard descriptor >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                break
            }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            if let fence = state.change({ $0.fences.removeValue(forKey: Socket.peerPort(of: descriptor)) }) {
                close(descriptor)
                fence.signal()
                continue
            }
            let accepted: (number: Int, generation: Int)? = state.change { state in
                guard !state.isStopped else { return nil }
                state.connections += 1
                state.open.insert(descriptor)
                return (state.connections, state.generation)
            }
            guard let accepted else {
                close(descriptor)
                break
            }
            Socket.setNoDelay(descriptor)
            BlockingThreads.shared.start { [self] in
                serve(descriptor, number: accepted.number, of: accepted.generation)
            }
        }
        state.change { [listener] state in
            state.listens = false
            close(listener)
        }
    }

    private func serve(_ descriptor: Int32, number: Int, of generation: Int) {
        var reader = UpstreamReader(descriptor: descriptor)
        var wasReset = false
        while reader.hasMore() {
            let steps = state.change { $0.scripts.isEmpty ? nil : $0.scripts.removeFirst() } ?? Self.usual
            var play = Play(reader: reader, number: number, generation: generation)
            let outcome = perform(steps, &play)
            if let request = play.request { note(request, of: generation) }
            reader = play.reader
            wasReset = outcome == .reset
            guard outcome == .goOn else { break }
        }
        _ = state.change { $0.open.remove(descriptor) }
        if wasReset { Socket.reset(descriptor) } else { close(descriptor) }
    }

    private static let usual: [UpstreamStep] = [.readHead, .readBody, .send(HTTPAnswer.usual)]

    private enum Outcome { case goOn, end, reset }

    /// One script under way: the request it reads, until that is noted.
    private struct Play {
        var reader: UpstreamReader
        let number: Int
        let generation: Int
        var request: ReceivedRequest?
        var frames = UpstreamFrames()
    }

    private func note(_ request: ReceivedRequest, of generation: Int) {
        state.change { if $0.generation == generation { $0.received.append(request) } }
    }

    private func perform(_ steps: [UpstreamStep], _ play: inout Play) -> Outcome {
        for step in steps {
            switch step {
            case .readHead:
                guard let request = play.reader.readHead(connection: play.number) else { return .end }
                play.request = request
            case .readBody:
                guard var request = play.request else { return .end }
                play.reader.readBody(of: &request)
                play.request = nil
                note(request, of: play.generation)
                if !request.isComplete { return .end }
            case .readBytes(let count): play.request?.body += play.reader.take(count)
            case .readFrames(let isEnough):
                while !isEnough(play.frames.received) { guard readFrame(&play) else { return .end } }
            case .sendContent(let stream, let count):
                guard sendContent(of: stream, count, &play) else { return .end }
            case .send(let bytes): guard Socket.sendAll(bytes, to: play.reader.descriptor) else { return .end }
            case .sendTimes(let bytes, let count):
                for _ in 0..<count { guard Socket.sendAll(bytes, to: play.reader.descriptor) else { return .end } }
            case .sendBytewise(let bytes):
                for byte in bytes { guard Socket.sendAll([byte], to: play.reader.descriptor) else { return .end } }
            case .await(let gate): guard wait(for: gate, in: play.generation) else { return .end }
            case .awaitClose:
                play.reader.readToEnd()
                state.change { [generation = play.generation] in
                    if $0.generation == generation { $0.closedByProxy += 1 }
                }
                return .end
            case .close: return .end
            case .reset: return .reset
            }
        }
        return .goOn
    }

    /// Reads and notes a frame; `false` at the end of the stream.
    private func readFrame(_ play: inout Play) -> Bool {
        guard let frame = play.frames.read(from: &play.reader) else { return false }
        state.change { [number = play.number, generation = play.generation] state in
            if state.generation == generation { state.frames[number, default: []].append(frame) }
        }
        return true
    }

    /// Sends content as the windows open; `false` when the proxy goes before all of it is sent.
    private func sendContent(of stream: UInt32, _ count: Int, _ play: inout Play) -> Bool {
        var left = count
        while left > 0 {
            // 16,384 bytes is the largest payload that needs nobody's leave (RFC 9113 section 4.2).
            let part = min(left, play.frames.room(of: stream), 16_384)
            guard part > 0 else {
                guard readFrame(&play) else { return false }
                continue
            }
            let frame = HTTP2Frame(kind: 0, stream: stream, [UInt8](repeating: 0x78, count: part))
            guard Socket.sendAll(frame.bytes, to: play.reader.descriptor) else { return false }
            play.frames.send(part, on: stream)
            left -= part
        }
        return true
    }

    /// Waits until a gate is released; `false` when this upstream stops before, or nobody does for a minute.
    private func wait(for gate: String, in generation: Int) -> Bool {
        let semaphore = DispatchSemaphore(value: 0)
        let mayGoOn: Bool? = state.change { state in
            if state.gates.contains(gate) { return true }
            if state.isStopped || state.generation != generation { return false }
            state.waiting.append(Waiting(gate: gate, semaphore: semaphore))
            return nil
        }
        if let mayGoOn { return mayGoOn }
        guard semaphore.wait(timeout: .now() + .seconds(60)) == .success else { return false }
        return state.change { !$0.isStopped && $0.generation == generation && $0.gates.contains(gate) }
    }
}
