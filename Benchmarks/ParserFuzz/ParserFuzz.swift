import Dispatch
import Foundation
import FuzzFixtures
import Synchronization

/// Feeds each parser of ours with so many spoiled inputs, and fails when anything that must hold doesn't.
@main
struct ParserFuzz {
    static func main() {
        var arguments = Array(CommandLine.arguments.dropFirst())
        let count = arguments.first.flatMap { Int($0) } ?? 1_000_000
        if !arguments.isEmpty { arguments.removeFirst() }
        let seed = arguments.first.flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
        let names = arguments.filter { UInt64($0) == nil }
        let targets = FuzzTarget.all.filter { names.isEmpty || names.contains($0.name) }
        var failed = targets.isEmpty
        for target in targets {
            let start = Date()
            let findings = run(target, count, seed: seed)
            print(
                "\(target.name): \(count) inputs, seed \(seed), \(Int(Date().timeIntervalSince(start))) s, "
                    + "\(findings.count) findings")
            for finding in findings { print("  \(finding)") }
            failed = failed || !findings.isEmpty
        }
        exit(failed ? 1 : 0)
    }

    private static func run(_ target: FuzzTarget, _ count: Int, seed: UInt64) -> [String] {
        let threads = ProcessInfo.processInfo.activeProcessorCount
        let found = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            let findings = target.run(
                count / threads + (thread < count % threads ? 1 : 0), seed: seed &+ UInt64(thread) &* 0x9E37_79B9)
            found.withLock { $0 += findings }
        }
        return found.withLock { $0 }
    }
}
