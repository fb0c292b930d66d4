import Dispatch
import Foundation
import NIOHTTP1
import ProxyWire
import Synchronization
import WireFixtures

/// Random messages, sound and spoiled, read whole and split at every byte by our parser, and by swift-nio's: whatever differs, and
/// is no known difference, is printed and fails.
@main
struct WireFuzz {
    /// What came of some inputs.
    private struct Tally: Sendable {
        var inputs = 0
        var accepted = 0
        var known: [KnownDifference: Int] = [:]
        var findings: [String] = []
    }

    private static let usual = 1_000_000

    static func main() {
        let arguments = CommandLine.arguments.dropFirst().compactMap { UInt64($0) }
        let wanted = arguments.first.map { Int($0) } ?? usual
        let seed = arguments.dropFirst().first ?? UInt64.random(in: 0...UInt64.max)
        let threads = ProcessInfo.processInfo.activeProcessorCount
        let tallies = Mutex<[Tally]>([])
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            let tally = run(wanted / threads, seed: seed &+ UInt64(thread) &* 0x9E37_79B9)
            tallies.withLock { $0.append(tally) }
        }
        exit(report(tallies.withLock { $0 }, seed: seed) ? 0 : 1)
    }

    private static func run(_ count: Int, seed: UInt64) -> Tally {
        var maker = MessageMaker(seed: seed)
        var tally = Tally()
        let memory = GuardedBytes(capacity: 65_536)
        for round in 0..<count {
            tally.inputs += 1
            if round % 2 == 0 {
                request(&maker, &tally, memory)
            } else {
                response(&maker, &tally, memory)
            }
            if tally.findings.count > 20 { break }
        }
        return tally
    }

    private static func request(_ maker: inout MessageMaker, _ tally: inout Tally, _ memory: GuardedBytes) {
        let sound = maker.requests()
        let bytes = maker.chance(70) ? maker.spoiled(sound) : sound
        let (verdict, accepted) = Differential.compareRequests(bytes)
        note(verdict, accepted, bytes, &tally)
        let whole = readRequest(bytes, guarded: memory)
        if readRequest(bytes, cuts: Array(0..<bytes.count), guarded: memory) != whole {
            tally.findings.append("a request split at every byte reads differently: \(text(bytes).debugDescription)")
        }
        if !Differential.readsCutBodiesAlike(bytes, answering: nil) {
            tally.findings.append("a request's body, byte by byte, reads differently: \(text(bytes).debugDescription)")
        }
    }

    private static func response(_ maker: inout MessageMaker, _ tally: inout Tally, _ memory: GuardedBytes) {
        let sound = maker.response()
        let bytes = maker.chance(70) ? maker.spoiled(sound) : sound
        let methods = [(RequestMethod.get, HTTPMethod.GET), (.post, .POST), (.head, .HEAD)]
        let (method, theirs) = maker.pick(methods)
        let (verdict, accepted) = Differential.compareResponses(bytes, to: method, theirs)
        note(verdict, accepted, bytes, &tally)
        let whole = readResponse(bytes, answering: method, guarded: memory)
        if readResponse(bytes, answering: method, cuts: Array(0..<bytes.count), guarded: memory) != whole {
            tally.findings.append("a response split at every byte reads differently: \(text(bytes).debugDescription)")
        }
        if !Differential.readsCutBodiesAlike(bytes, answering: method) {
            tally.findings.append("a response's body, byte by byte, reads differently: \(text(bytes).debugDescription)")
        }
    }

    private static func note(_ verdict: Differential.Verdict, _ accepted: Int, _ bytes: [UInt8], _ tally: inout Tally) {
        tally.accepted += accepted
        switch verdict {
        case .alike: break
        case .known(let difference): tally.known[difference, default: 0] += 1
        case .differs(let found): tally.findings.append("\(text(bytes).debugDescription)\n\(found)")
        }
    }

    /// - Returns: whether nothing was found.
    private static func report(_ tallies: [Tally], seed: UInt64) -> Bool {
        let inputs = tallies.reduce(0) { $0 + $1.inputs }
        let accepted = tallies.reduce(0) { $0 + $1.accepted }
        print("\(inputs) inputs, seed \(seed): \(accepted) messages accepted by both")
        for difference in KnownDifference.allCases {
            print(
                "  \(difference.rawValue): \(tallies.reduce(0) { $0 + ($1.known[difference] ?? 0) }) times, on purpose")
        }
        let findings = tallies.flatMap(\.findings)
        for finding in findings { print(finding) }
        print("\(findings.count) unexplained")
        return findings.isEmpty && accepted > 0
    }
}
