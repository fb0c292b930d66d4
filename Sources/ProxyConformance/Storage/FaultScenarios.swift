import ProxyDomain
import ProxyStorage

extension StorageScenario {
    /// What the ledger promises when the wire to its engine breaks.
    static let faults: [StorageScenario] = [
        StorageScenario(
            "fault.wire.cut-at-each-byte-of-an-answer",
            "A batch whose answer breaks off at any byte is written once, and its retry is told the truth.",
            needs: .wire, tags: [.slow, .fault]
        ) { site, check in
            try await cutEverywhere(site, check, speaker: .engine, step: 1)
        },
        StorageScenario(
            "fault.wire.cut-at-bytes-of-a-question",
            "A batch that breaks off on its way is written by its retry, once.", needs: .wire, tags: [.slow, .fault]
        ) { site, check in
            try await cutEverywhere(site, check, speaker: .storage, step: 11)
        },
    ]

    /// Cuts the wire at the first byte of what `speaker` says about a batch, then ever later, until all of it was said.
    private static func cutEverywhere(
        _ site: any StorageSite, _ check: Check, speaker: WireSpeaker, step: Int
    ) async throws {
        let tenancy = try await Tenancy(site)
        let (storage, wire) = try await site.openOverWire()
        var cutter = BatchCutter(storage: storage, clerk: Clerk(storage, instance: 2), wire: wire)
        for shape in BatchShape.allCases {
            cutter.tokens = try await shape.tokens(of: tenancy)
            var offset = 0
            while try await cutter.round(shape, speaker, offset, check) {
                offset += step
                guard offset < 100_000 else { throw StepFailed(description: "the wire is cut without end") }
            }
            check.that(offset > 20 * step, "\(shape): only \(offset / step) cuts")
            for token in cutter.tokens { try await cutter.audit(token, of: tenancy, check) }
        }
        FaultFigures.note(.rounds, cutter.rounds)
        check.that(cutter.rounds >= 200, "only \(cutter.rounds) rounds")
        check.equal(try await tenancy.storage.verify().filter { !$0.holds }, [], "broken invariants")
        await storage.close()
        wire.stop()
    }
}

/// Batches that take different ways to the engine.
private enum BatchShape: CaseIterable {
    /// One request alone.
    case lone
    /// Two tokens' requests, and the end of one before.
    case mixed
    /// One of two tokens refuses.
    case refused

    func tokens(of tenancy: Tenancy) async throws -> [Token] {
        switch self {
        case .lone: [try await tenancy.issue(1, cap: 1_000_000)]
        case .mixed: [try await tenancy.issue(2), try await tenancy.issue(3, cap: 1_000_000)]
        case .refused: [try await tenancy.issue(4), try await tenancy.issue(5, expiresAt: .noon)]
        }
    }
}

/// Commits batches over a wire that it cuts meanwhile.
private struct BatchCutter {
    let storage: any Storage
    let clerk: Clerk
    let wire: any CuttableWire
    var tokens: [Token] = []
    private(set) var rounds = 0
    private var lastRequest = 0
    private var open: RequestSettlement?
    private var admitted: [TokenID: Int] = [:]

    init(storage: any Storage, clerk: Clerk, wire: any CuttableWire) {
        self.storage = storage
        self.clerk = clerk
        self.wire = wire
    }

    /// One batch whole, so that the connection knows its statements; then one that is cut.
    /// - Returns: whether the cut was made.
    mutating func round(
        _ shape: BatchShape, _ speaker: WireSpeaker, _ offset: Int, _ check: Check
    ) async throws -> Bool {
        rounds += 1
        try await commit(shape, check, "before the cut at \(offset)")
        wire.cut(afterPassing: offset, from: speaker)
        try await commit(shape, check, "\(shape), cut at \(offset)")
        return wire.heal()
    }

    /// Commits one batch, again and again while the engine is not to be had, as the ledger does.
    private func commit(
        _ admissions: [Admission], _ settlements: [RequestSettlement]
    ) async throws -> [AdmissionVerdict] {
        do throws(StorageError) {
            return try await clerk.commit(admissions, settling: settlements)
        } catch {
            guard error.isTransient else { throw error }
        }
        for _ in 0..<500 {
            do throws(StorageError) {
                return try await clerk.retryLast()
            } catch {
                guard error.isTransient else { throw error }
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw StepFailed(description: "the engine did not come back")
    }

    /// Commits the next batch of a shape, and looks at what is answered.
    private mutating func commit(_ shape: BatchShape, _ check: Check, _ what: String) async throws {
        let admissions = tokens.map { token in
            lastRequest += 1
            return Admission.sample(lastRequest, of: token)
        }
        let settlements = shape == .mixed ? open.map { [$0] } ?? [] : []
        let verdicts = try await commit(admissions, settlements)
        for (admission, token) in zip(admissions, tokens) where token.expiresAt == nil {
            admitted[token.id, default: 0] += 1
            open = RequestSettlement(of: admission, .sample())
        }
        check.equal(verdicts.map(\.isAdmitted), tokens.map { $0.expiresAt == nil }, "verdicts \(what)")
    }

    /// What was answered is what is stored.
    func audit(_ token: Token, of tenancy: Tenancy, _ check: Check) async throws {
        let stored = try await tenancy.storage.token(token.id)
        let difference = Int(stored.requestCount) - (admitted[token.id] ?? 0)
        FaultFigures.note(.answers, admitted[token.id] ?? 0)
        FaultFigures.note(.lost, max(0, -difference))
        FaultFigures.note(.duplicated, max(0, difference))
        check.equal(stored.requestCount, Int64(admitted[token.id] ?? 0), "count of \(token.id)")
    }
}
