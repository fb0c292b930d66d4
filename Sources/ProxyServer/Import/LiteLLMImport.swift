import ProxyDomain
import ProxySecrets
public import ProxySettings
import SQLStorage

/// Makes a providers file, and projects, of LiteLLM's `config.yaml`.
public enum LiteLLMImport {
    /// What to import, and how.
    public struct Request: Sendable {
        /// What the file holds.
        public let config: String
        /// What messages call it.
        public let name: String
        /// Where `os.environ/NAME` is looked up.
        public let environment: [String: String]
        public let createsProjects: Bool
        /// Whether to look only.
        public let isDryRun: Bool

        public init(
            config: String, name: String, environment: [String: String], createsProjects: Bool = false,
            isDryRun: Bool = false
        ) {
            self.config = config
            self.name = name
            self.environment = environment
            self.createsProjects = createsProjects
            self.isDryRun = isDryRun
        }
    }

    /// What there is of it here.
    public struct Outcome: Sendable {
        /// The text of a providers file that servers read.
        public let providersFile: String
        /// The names of its entries.
        public let apis: [String]
        public let projects: [ImportedProject]
        /// What was not carried over, or is different, in the order of the file.
        public let remarks: [ImportRemark]
    }

    /// A project for one key.
    public struct ImportedProject: Hashable, Sendable {
        public enum State: String, Hashable, Sendable {
            /// Nobody asked for it to be made.
            case notAsked = "not_asked"
            case written
            /// It was there, and stayed as it is.
            case there
        }

        public let name: String
        /// The entry of the providers file.
        public let api: String
        /// The variable that holds its key; `nil` when the file does, or when it has none.
        public let keyVariable: String?
        public let state: State
    }

    /// Reads the file, and writes projects if it is asked to: all or none.
    /// - Parameter settings: read when projects are to be written.
    public static func run(
        _ request: Request, settings: () throws -> ServerSettings
    ) async throws -> Outcome {
        let config = try LiteLLMConfig(request.config, named: request.name, environment: request.environment)
        let plan = LiteLLMPlan(config)
        guard !plan.apis.isEmpty else {
            let why = plan.remarks.first.map { ": \($0.text)" } ?? ""
            throw TransferError.refused("--config \(request.name) names no model that can be carried over\(why)")
        }
        let text = plan.providersFile(named: request.name)
        try check(text)
        var states: [String: ImportedProject.State] = [:]
        if request.createsProjects { states = try await write(plan, request, try settings()) }
        let projects = plan.accounts.map { account in
            let name = plan.projectName(of: account)
            var variable: String?
            if case .environment(let named) = account.key { variable = named }
            return ImportedProject(
                name: name, api: account.api, keyVariable: variable, state: states[name] ?? .notAsked)
        }
        return Outcome(
            providersFile: text, apis: plan.apis.map(\.name), projects: projects, remarks: plan.remarks)
    }

    /// What is written must be what a server reads.
    private static func check(_ text: String) throws(TransferError) {
        let path = "providers.yaml"
        do throws(SettingsError) {
            _ = try ServerSettings.read(environment: ["API_CONFIG_PATH": path], files: { $0 == path ? text : nil })
        } catch {
            let faults = error.faults.map(\.description).joined(separator: "; ")
            throw .failed("what was made of --config is no providers file: \(faults)")
        }
    }
}

// MARK: - Projects

extension LiteLLMImport {
    private static func write(
        _ plan: LiteLLMPlan, _ request: Request, _ settings: ServerSettings
    ) async throws -> [String: ImportedProject.State] {
        let keys = try keys(of: plan, request)
        return try await ImportTarget.with(settings, isDryRun: request.isDryRun) { target in
            try await write(plan, keys, to: target, request)
        }
    }

    private static func write(
        _ plan: LiteLLMPlan, _ keys: [Secret], to target: ImportTarget, _ request: Request
    ) async throws -> [String: ImportedProject.State] {
        var batch = ImportBatch()
        for (account, key) in zip(plan.accounts, keys) {
            batch.projects.append(project(of: account, key, plan, target))
        }
        let findings = try await target.storage.examine(batch)
        guard findings.clashes.isEmpty else { throw clash(findings.clashes, in: target.place) }
        if !findings.isEmpty, !request.isDryRun {
            let storage = target.recorded(as: .importLiteLLM, findings, ["config": request.name.shown])
            try await storage.write(batch, expecting: findings)
        }
        return states(of: plan, batch, findings)
    }

    private static func states(
        of plan: LiteLLMPlan, _ batch: ImportBatch, _ findings: ImportFindings
    ) -> [String: ImportedProject.State] {
        var states: [String: ImportedProject.State] = [:]
        for (account, project) in zip(plan.accounts, batch.projects) {
            states[plan.projectName(of: account)] = findings.newProjects.contains(project.id) ? .written : .there
        }
        return states
    }

    private static func project(
        of account: LiteLLMPlan.Account, _ key: Secret, _ plan: LiteLLMPlan, _ target: ImportTarget
    ) -> Project {
        let identity =
            switch account.key {
            case .environment(let variable): variable
            case .literal(let secret): TokenDigest.of(foreign: secret.revealed()).text
            case .missing: ""
            }
        let address = plan.apis.first { $0.name == account.api }?.address ?? ""
        let id = ProjectID(Identifier.derived(from: "litellm \(account.api) \(address) \(identity)"))
        let sealed = target.vault.seal(key.revealed(), for: id)
        let now = Timestamp.wallClock
        return Project(
            id: id, name: plan.projectName(of: account), sealedKey: sealed.ciphertext, keyHint: sealed.hint,
            provider: account.api, access: AccessScope(models: plan.narrowedModels(of: account)), createdAt: now,
            updatedAt: now)
    }

    /// The key of each account.
    /// - Throws: `.refused` when one is not in the environment; all of them are named.
    private static func keys(of plan: LiteLLMPlan, _ request: Request) throws(TransferError) -> [Secret] {
        var keys: [Secret] = []
        var missing: [String] = []
        for account in plan.accounts {
            switch account.key {
            case .literal(let secret): keys.append(secret)
            // An upstream without keys takes whatever it is shown.
            case .missing: keys.append(Secret("none"))
            case .environment(let variable):
                let key = request.environment[variable] ?? ""
                if key.isEmpty { missing.append("\(variable.shown), which \(account.place) needs") }
                keys.append(Secret(key))
            }
        }
        guard missing.isEmpty else {
            throw .refused(
                "not in the environment: \(missing.joined(separator: "; ")): set what is missing, or leave "
                    + "--create-projects away")
        }
        return keys
    }

    private static func clash(_ clashes: [ImportClash], in place: DatabasePlace) -> TransferError {
        var names: [String] = []
        for case .projectName(let name, let holder) in clashes {
            names.append("'\(name.shown)' (there it is \(holder))")
        }
        return .refused(
            "\(place.named) has other projects of the same name, and nothing was written: "
                + "\(names.joined(separator: ", ")): rename those, then import again")
    }
}
