import ProxyDomain
public import ProxySettings
import ProxyStorage
import SQLDatabase
import SQLStorage

/// Carries projects and tokens over from the Go proxy (github.com/sofatutor/llm-proxy).
public enum GoProxyImport {
    /// What to import, and how.
    public struct Request: Sendable {
        /// `postgres://…`, `sqlite:PATH`, or a SQLite file's path.
        public let source: String
        /// The `ENCRYPTION_KEY` of the Go proxy: base64 of 32 bytes. `nil` where it had none.
        public let sourceKey: Secret?
        /// The provider of all projects; `nil` for the settings' default.
        public let provider: String?
        /// Whether tokens that this program's servers don't take get another secret.
        public let reissues: Bool
        /// Whether to look only.
        public let isDryRun: Bool

        public init(
            source: String, sourceKey: Secret? = nil, provider: String? = nil, reissues: Bool = false,
            isDryRun: Bool = false
        ) {
            self.source = source
            self.sourceKey = sourceKey
            self.provider = provider
            self.reissues = reissues
            self.isDryRun = isDryRun
        }
    }

    /// What was done, or would be.
    public struct Outcome: Sendable {
        /// Both databases, without passwords.
        public let source: String
        public let target: String
        public let projects: ImportTally
        public let tokens: ImportTally
        /// Requests that the tokens had counted that were written.
        public let requests: Int64
        /// Tokens that got another secret.
        public let reissued: [ReissuedToken]
        /// Tokens whose clients are refused as things are.
        public let refused: [RefusedToken]
        /// What was not carried over, one sentence each.
        public let remarks: [String]

        /// Whether everything was there already.
        public var changedNothing: Bool { projects.written == 0 && tokens.written == 0 && reissued.isEmpty }
    }

    /// Imports all, or nothing.
    ///
    /// Run again, it finds what is there already and leaves it alone.
    /// - Parameters:
    ///   - settings: name the database that is written to, and the key that seals there.
    ///   - keep: keeps secrets that are shown only now, before anything is written.
    ///   - forget: told when nothing was written after all.
    public static func run(
        _ request: Request, settings: ServerSettings,
        keep: @escaping @Sendable ([ReissuedToken]) throws(TransferError) -> Void,
        forget: @escaping @Sendable () -> Void
    ) async throws(TransferError) -> Outcome {
        let provider = try provider(request, settings)
        let source = try place(request.source)
        if let target = try? DatabasePlace(settings.database), source.isSame(as: target) {
            throw .usage("--from is the database of the settings: name the Go proxy's")
        }
        let contents = try await contents(of: source, settings)
        let keys = try GoProxyKeys(contents.projects, sourceKey: request.sourceKey)
        return try await ImportTarget.with(settings, isDryRun: request.isDryRun) { target in
            var mapping = GoProxyMapping(provider: provider, reissues: request.reissues, now: .wallClock)
            mapping.add(contents, keys, sealedBy: target.vault)
            return try await write(mapping, from: source, to: target, request, keep, forget)
        }
    }

    private static func write(
        _ mapping: GoProxyMapping, from source: DatabasePlace, to target: ImportTarget, _ request: Request,
        _ keep: @Sendable ([ReissuedToken]) throws(TransferError) -> Void, _ forget: @Sendable () -> Void
    ) async throws -> Outcome {
        if let fault = mapping.fault { throw TransferError.refused(fault) }
        let findings = try await target.storage.examine(mapping.batch)
        guard findings.clashes.isEmpty else { throw TransferError(findings.clashes, in: target.place) }
        let changed = findings.newTokens.union(findings.renewedTokens)
        let reissued = mapping.reissued.filter { changed.contains($0.id) }
        let requests = mapping.batch.tokens.filter { findings.newTokens.contains($0.token.id) }
            .reduce(Int64(0)) { $0 + $1.token.requestCount }
        if !request.isDryRun, !findings.isEmpty {
            if !reissued.isEmpty { try keep(reissued) }
            let facts = ["source": source.address, "requests": "\(requests)", "reissued": "\(reissued.count)"]
            let storage = target.recorded(as: .importGoProxy, findings, facts)
            do {
                try await storage.write(mapping.batch, expecting: findings)
            } catch {
                // Otherwise it may have been written, and then this file is the only place where the new tokens are.
                if error.kind == .changedMeanwhile, !reissued.isEmpty { forget() }
                throw error
            }
        }
        return Outcome(
            source: source.address, target: target.place.address,
            projects: ImportTally(found: mapping.batch.projects.count, written: findings.newProjects.count),
            tokens: ImportTally(found: mapping.batch.tokens.count, written: findings.newTokens.count),
            requests: requests, reissued: reissued,
            refused: mapping.refused.filter { !findings.otherSecrets.contains($0.id) }, remarks: mapping.remarks)
    }

    private static func provider(
        _ request: Request, _ settings: ServerSettings
    ) throws(TransferError) -> String {
        guard let name = request.provider else { return settings.providers.defaultName }
        guard settings.providers[name] != nil else {
            let known = settings.providers.all.keys.sorted().joined(separator: ", ")
            throw .usage("--provider is '\(name.shown)', which the providers file does not name: write one of \(known)")
        }
        return name
    }

    private static func place(_ url: String) throws(TransferError) -> DatabasePlace {
        do {
            return try DatabasePlace(url: url, option: "--from")
        } catch {
            throw .usage(error.description)
        }
    }

    private static func contents(
        of place: DatabasePlace, _ settings: ServerSettings
    ) async throws(TransferError) -> GoProxyContents {
        do {
            let pool = try await place.connect(settings.database, for: .looking)
            return try await pool.closing { try await GoProxyDatabase.read(pool) }
        } catch {
            switch error as? GoProxyDatabaseError {
            case .ours: throw .refused("--from \(place.address) is a database of this program: use llm-proxy db copy")
            case .another:
                throw .refused(
                    "--from \(place.address) holds no projects and tokens of the Go proxy: name its database")
            case nil: throw TransferError(wrapping: error, at: place)
            }
        }
    }
}

extension TransferError {
    /// Names everything that stands in the way, in one line.
    fileprivate init(_ clashes: [ImportClash], in place: DatabasePlace) {
        let told = clashes.map { clash in
            switch clash {
            case .projectName(let name, let holder): "project '\(name.shown)' (there it is \(holder))"
            case .tokenSecret(let id, let holder): "token \(id) (there it is \(holder))"
            }
        }
        self = .refused(
            "\(place.named) has others of the same name or secret, and nothing was written: "
                + "\(told.joined(separator: ", ")): rename those projects, or delete what is there twice, then import again"
        )
    }
}
