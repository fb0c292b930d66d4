import ProxyDomain
import ProxyStorage

/// A random sequence of what can happen to a storage, for comparing it with a model that needs no database.
public struct History: Sendable {
    /// What it was made from; the same seed makes the same history.
    public let seed: UInt64
    private(set) var steps: [HistoryStep]

    /// Makes the history of `seed`.
    public init(seed: UInt64) {
        self.seed = seed
        var random = SeededRandom(seed: seed)
        let count = Int.random(in: 4...28, using: &random)
        steps = [.createProject, .createToken(project: 0, cap: 3, limits: TokenLimits(), lifetime: nil)]
        for _ in 0..<count { steps.append(.random(using: &random)) }
    }

    private init(seed: UInt64, steps: [HistoryStep]) {
        self.seed = seed
        self.steps = steps
    }

    /// Where a storage and the model part.
    public struct Divergence: Error, Sendable, CustomStringConvertible {
        /// The number of the step, from 1; one more than there are steps when it shows only in the end.
        public let step: Int
        public let description: String
    }

    /// Runs the history on an empty site of `backend`, and gives where it parts from the model, if it does.
    public func divergence(on backend: any StorageBackend) async -> Divergence? {
        do {
            try await backend.withSite { site in
                var run = try await HistoryRun(site: site, isDurable: backend.capabilities.contains(.durable))
                for (index, step) in steps.enumerated() {
                    do { try await run.take(step) } catch {
                        throw Divergence(step: index + 1, description: "\(step): \(String(reflecting: error))")
                    }
                }
                do { try await run.compareAll() } catch {
                    throw Divergence(step: steps.count + 1, description: "in the end: \(String(reflecting: error))")
                }
                await run.close()
            }
            return nil
        } catch let divergence as Divergence {
            return divergence
        } catch {
            return Divergence(step: 0, description: String(reflecting: error))
        }
    }

    /// The shortest history found, by leaving out what is not needed, that still parts from the model on `backend`.
    public func shrunk(on backend: any StorageBackend) async -> History {
        var smallest = self
        var chunk = max(1, steps.count / 2)
        while true {
            if let smaller = await smallest.firstFailing(of: smallest.shorter(by: chunk), on: backend) {
                smallest = smaller
            } else if chunk > 1 {
                chunk /= 2
            } else if let simpler = await smallest.firstFailing(of: smallest.simpler, on: backend) {
                smallest = simpler
            } else {
                return smallest
            }
        }
    }

    private func firstFailing(of candidates: [History], on backend: any StorageBackend) async -> History? {
        for candidate in candidates where await candidate.divergence(on: backend) != nil { return candidate }
        return nil
    }

    private func shorter(by count: Int) -> [History] {
        stride(from: 0, to: steps.count, by: count).map { start in
            var fewer = steps
            fewer.removeSubrange(start..<min(start + count, steps.count))
            return History(seed: seed, steps: fewer)
        }
    }

    private var simpler: [History] {
        steps.indices.flatMap { index in
            steps[index].smaller.map { step in
                var changed = steps
                changed[index] = step
                return History(seed: seed, steps: changed)
            }
        }
    }

    /// How many steps it has.
    public var count: Int { steps.count }
}

extension History: CustomStringConvertible {
    /// Every step on a line of its own.
    public var description: String {
        steps.enumerated().map { "  \($0.offset + 1). \($0.element)" }.joined(separator: "\n")
    }
}
