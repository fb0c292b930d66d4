import ProxyDomain
import ProxyStorage

/// A history under way: a storage and the model, going the same way step by step.
struct HistoryRun {
    private let site: any StorageSite
    private let isDurable: Bool
    private var storage: any Storage
    private var model = LedgerModel()
    private var now = Timestamp.noon
    private var projects: [ProjectID] = []
    private var tokens: [Token] = []
    private var asked: [Admission] = []
    private var instance = 1
    private var sequence: Int64 = 0
    private var lastBatch: LedgerBatch?

    /// The storage said something else than the model.
    struct Difference: Error, CustomStringConvertible {
        let description: String
    }

    init(site: any StorageSite, isDurable: Bool) async throws {
        self.site = site
        self.isDurable = isDurable
        storage = try await site.open()
    }

    func close() async { await storage.close() }

    mutating func take(_ step: HistoryStep) async throws {
        switch step {
        case .createProject: try await createProject()
        case .createToken(let project, let cap, let limits, let lifetime):
            try await createToken(project, cap, limits, lifetime)
        case .revoke(let number): try await revoke(number)
        case .revokeAll(let number): try await revokeAll(number)
        case .setActive(let number, let isActive): try await change(number, TokenChange(isActive: isActive))
        case .expire(let number, let seconds):
            let expiry = seconds.map { TokenChange.Expiry.at(now + .seconds($0)) } ?? .never
            try await change(number, TokenChange(expiry: expiry))
        case .setCap(let number, let cap): try await change(number, TokenChange(maxRequests: cap))
        case .setLimits(let number, let limits): try await change(number, TokenChange(limits: limits))
        case .setBudget(let number, let limits): try await change(number, ProjectChange(limits: limits))
        case .setProjectActive(let number, let isActive): try await change(number, ProjectChange(isActive: isActive))
        case .pass(let seconds): now = now + .seconds(seconds)
        case .commit(let requests, let ending, let wasLost): try await commit(requests, ending, wasLost)
        case .retry: try await retry()
        case .changeInstance: (instance, sequence, lastBatch) = (instance + 1, 0, nil)
        case .restart: try await restart()
        case .abandon: try await abandon()
        }
    }

    private mutating func createProject() async throws {
        let project = Project.sample(projects.count + 1, createdAt: now)
        try await storage.create(project)
        model.create(project)
        projects.append(project.id)
    }

    private mutating func createToken(
        _ number: Int, _ cap: Int64, _ limits: TokenLimits, _ lifetime: Int64?
    ) async throws {
        guard !projects.isEmpty else { return }
        let expiry = lifetime.map { now + .seconds($0) }
        let token = Token.sample(
            tokens.count + 1, of: projects[number % projects.count], expiresAt: expiry, cap: cap, limits: limits,
            createdAt: now)
        try await storage.create(token, digest: .sample(tokens.count + 1))
        model.create(token)
        tokens.append(token)
    }

    private mutating func revoke(_ number: Int) async throws {
        guard !tokens.isEmpty else { return }
        let id = tokens[number % tokens.count].id
        try differ(try await storage.revoke(id, at: now), model.revoke(id, at: now), "revoked by this call")
    }

    private mutating func revokeAll(_ number: Int) async throws {
        guard !projects.isEmpty else { return }
        let id = projects[number % projects.count]
        try differ(try await storage.revokeTokens(of: id, at: now), model.revokeTokens(of: id, at: now), "summary")
    }

    private mutating func change(_ number: Int, _ change: TokenChange) async throws {
        guard !tokens.isEmpty else { return }
        let id = tokens[number % tokens.count].id
        let changed = try await storage.update(id, change, at: now)
        try differ(changed.withoutWindows, model.update(id, change, at: now), "token")
    }

    private mutating func change(_ number: Int, _ change: ProjectChange) async throws {
        guard !projects.isEmpty else { return }
        let id = projects[number % projects.count]
        try differ(try await storage.update(id, change, at: now), model.update(id, change, at: now), "project")
    }

    private mutating func commit(_ requests: [AskedRequest], _ ending: [Int], _ wasLost: Bool) async throws {
        let admissions = requests.map { request in
            // One more than there are: now and then a token that nobody has.
            let place = request.token % (tokens.count + 1)
            let token = place < tokens.count ? tokens[place] : .sample(999)
            let number = asked.count + 1
            let admission = Admission.sample(
                number, of: token, at: now,
                reservation: Reservation(
                    promptTokens: request.aside, completionTokens: request.aside, cost: NanoDollars(request.aside * 5)),
                settlement: request.endedWith.map(end))
            asked.append(admission)
            return admission
        }
        let earlier = asked.dropLast(admissions.count)
        let settlements: [RequestSettlement] =
            earlier.isEmpty
            ? []
            : ending.map { place in
                RequestSettlement(of: earlier[place % earlier.count], end(usingTokens: Int64(place)))
            }
        sequence += 1
        let batch = LedgerBatch(
            instance: .sample(instance), sequence: sequence, isRetry: wasLost, now: now, admissions: admissions,
            settlements: settlements)
        lastBatch = batch
        try differ(try await storage.commit(batch), model.commit(batch), "verdicts")
    }

    private func end(usingTokens count: Int64) -> Settlement {
        let usage = count == 0 ? nil : TokenUsage(promptTokens: count, completionTokens: count * 2)
        return .sample(at: now, usage: usage, cost: count * 3)
    }

    private func retry() async throws {
        guard var batch = lastBatch else { return }
        batch.isRetry = true
        let verdicts = try await storage.commit(batch)
        try differ(verdicts.map(\.isAdmitted), model.admittedBefore(batch), "admitted before")
    }

    private mutating func restart() async throws {
        guard isDurable else { return }
        await storage.close()
        storage = try await site.open()
    }

    private mutating func abandon() async throws {
        let settled = try await storage.settleAbandoned(at: now)
        let rows = try await allRows()
        for row in rows.values where row.settlement == nil { throw Difference(description: "still open: \(row)") }
        let open = model.requests.values.filter { $0.settlement == nil }
        for row in open {
            let end = rows[row.requestID]?.settlement
            try differ(end?.outcome, .inDoubt, "outcome of \(row.requestID)")
            try differ(end?.usage, model.estimate(of: row)?.0, "estimated usage of \(row.requestID)")
            try differ(end?.cost, model.estimate(of: row)?.1, "estimated cost of \(row.requestID)")
        }
        try differ(settled, model.settleAbandoned(at: now) { rows[$0]?.settlement }, "put in doubt")
    }

    private func allRows() async throws -> [RequestID: Admission] {
        var rows: [RequestID: Admission] = [:]
        for token in tokens {
            for record in try await storage.requests(of: token.id, after: nil, limit: 1000) {
                rows[record.admission.requestID] = record.admission
            }
        }
        return rows
    }

    /// Compares everything that can be read.
    func compareAll() async throws {
        let projects = try await storage.projects(after: nil, limit: 1000)
        try differ(projects, model.projects.values.sorted { $0.id < $1.id }, "projects")
        let tokens = try await storage.tokens(TokenFilter(now: now), after: nil, limit: 1000)
        try differ(tokens.map(\.withoutWindows), model.tokens.values.sorted { $0.id < $1.id }, "tokens")
        for token in tokens {
            let used = [token.requestWindow.used(at: now), token.tokenWindow.used(at: now)]
            try differ(used, model.used(of: token.id, at: now), "used in the last minute by \(token.id)")
        }
        try differ(try await allRows(), model.requests, "requests")
        for (index, token) in tokens.enumerated() {
            try differ(try await storage.grant(for: .sample(index + 1))?.token, token, "token by digest")
        }
        let broken = try await storage.verify().filter { !$0.holds }
        try differ(broken, [], "broken invariants")
    }

    private func differ<Value: Equatable>(_ found: Value, _ wanted: Value?, _ what: String) throws {
        guard found != wanted else { return }
        let expected = wanted.map { "\($0)" } ?? "nothing"
        throw Difference(description: "\(what): the storage says \(found), the model \(expected)")
    }
}

extension Token {
    /// All that the model has in the same form: its windows are other values, though they must count the same.
    fileprivate var withoutWindows: Token {
        var token = self
        (token.requestWindow, token.tokenWindow) = (MinuteWindow(), MinuteWindow())
        return token
    }
}
