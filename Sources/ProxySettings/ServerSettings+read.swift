extension ServerSettings {
    /// Reads all settings: a flag wins over the environment, the environment over `.env`, and that over the default.
    ///
    /// - Parameters:
    ///   - environment: the process's environment. Names that are no settings are left alone.
    ///   - dotEnv: the text of `.env`; `nil` when there is none.
    ///   - flags: what the command line says, under the settings' names (`LISTEN_ADDR`).
    ///   - files: the text of a file that a setting names; `nil` when it does not exist. It throws when the file can't
    ///     be read.
    /// - Throws: all faults at once. An empty text counts as not set.
    public static func read(
        environment: [String: String], dotEnv: String? = nil, flags: [String: String] = [:],
        files: (String) throws -> String? = { _ in nil }
    ) throws(SettingsError) -> ServerSettings {
        var reading = SettingsReading(environment: environment, dotEnv: dotEnv, flags: flags)
        reading.readKeys()
        reading.checkTogether()
        reading.readFiles(files)
        guard reading.faults.isEmpty else { throw SettingsError(faults: reading.faults) }
        reading.settings.providerChoice = ProviderChoice()
        return reading.settings
    }
}

/// One reading of all settings: collects values and faults side by side.
private struct SettingsReading {
    var settings = ServerSettings()
    var faults: [SettingFault]
    private let sources: [[String: String]]
    private let flags: [String: String]

    init(environment: [String: String], dotEnv: String?, flags: [String: String]) {
        let file = dotEnv.map { DotEnv($0) }
        faults = file?.faults ?? []
        sources = [flags, environment, file?.values ?? [:]]
        self.flags = flags
    }

    /// What was said of a setting, by whoever is heard first; `nil` when nobody said anything.
    private func said(_ name: String) -> String? {
        for source in sources {
            if let text = source[name], !text.isEmpty { return text }
        }
        return nil
    }

    mutating func readKeys() {
        let names = Set(ServerSettings.keys.map(\.name))
        for name in flags.keys.sorted() where !names.contains(name) {
            faults.append(
                SettingFault(name, "is not a setting of this version", remedy: "look at llm-proxy server --help"))
        }
        for key in ServerSettings.keys {
            guard let text = said(key.name) ?? key.defaultText else { continue }
            guard let rule = key.apply(text, &settings) else { continue }
            let found = key.isSecret ? nil : text
            faults.append(
                SettingFault(key.name, found: found, rule.isEmpty ? key.rule : rule, remedy: key.remedy))
        }
    }

    /// What one setting asks of another.
    mutating func checkTogether() {
        if settings.database.engine == .postgres, said("DATABASE_URL") == nil {
            faults.append(
                SettingFault(
                    "DATABASE_URL", "must be set with DB_DRIVER=postgres",
                    remedy: "write for instance DATABASE_URL=postgres://user:password@localhost:5432/llmproxy"))
        }
        let isHalf = (settings.certificateFile == nil) != (settings.keyFile == nil)
        if isHalf {
            let (missing, other) =
                settings.keyFile == nil ? ("TLS_KEY_FILE", "TLS_CERT_FILE") : ("TLS_CERT_FILE", "TLS_KEY_FILE")
            faults.append(
                SettingFault(
                    missing, "must be set with \(other)", remedy: "name the PEM files of a certificate and its key"))
        }
        if settings.encryption.isRequired, said("ENCRYPTION_KEY") == nil {
            faults.append(
                SettingFault(
                    "ENCRYPTION_KEY", "must be set with REQUIRE_ENCRYPTION_KEY=true",
                    remedy: "make one with: openssl rand -base64 32"))
        }
    }

    mutating func readFiles(_ files: (String) throws -> String?) {
        if let path = settings.relay.upstreamCAFile, let text = text(of: path, for: "UPSTREAM_CA_FILE", files) {
            let isPEM = text.contains("-----BEGIN CERTIFICATE-----")
            if !isPEM {
                faults.append(
                    SettingFault(
                        "UPSTREAM_CA_FILE", found: path, "must name a PEM file with a certificate",
                        remedy: "name a file with a -----BEGIN CERTIFICATE----- line"))
            }
        }
        let choice = settings.providerChoice
        let isNamed = said("API_CONFIG_PATH") != nil
        let found = text(of: choice.file, for: "API_CONFIG_PATH", mayBeMissing: !isNamed, files)
        if let found {
            readProviders(found, choice)
        } else if said("DEFAULT_API_PROVIDER") != nil, choice.defaultName != "openai", !isNamed {
            faults.append(
                SettingFault(
                    "DEFAULT_API_PROVIDER", found: choice.defaultName, "must be openai without a providers file",
                    remedy: "name the file that has it with API_CONFIG_PATH"))
        } else {
            settings.providers = Providers(only: .openAI(at: choice.openAIURL))
        }
    }

    private mutating func readProviders(_ text: String, _ choice: ProviderChoice) {
        let openAIURL = said("OPENAI_API_URL") == nil ? nil : choice.openAIURL
        let file = ProvidersFile(text, named: choice.file, openAIURL: openAIURL)
        faults += file.faults
        guard file.faults.isEmpty else { return }
        let isNamed = said("DEFAULT_API_PROVIDER") != nil
        let name = isNamed ? choice.defaultName : file.defaultName ?? choice.defaultName
        if let providers = Providers(defaultName: name, file.providers) {
            settings.providers = providers
        } else {
            let names = file.providers.map(\.name).joined(separator: ", ")
            faults.append(
                SettingFault(
                    "DEFAULT_API_PROVIDER", found: name, "must be one of \(names), which \(choice.file) names",
                    remedy: "set it, or default_api in that file"))
        }
    }

    /// A file's text. A missing one is a fault unless it may be missing; one that can't be read always is.
    private mutating func text(
        of path: String, for name: String, mayBeMissing: Bool = false, _ files: (String) throws -> String?
    ) -> String? {
        do {
            if let text = try files(path) { return text }
            guard !mayBeMissing else { return nil }
            faults.append(
                SettingFault(name, found: path, "must name a file that exists", remedy: "create it or correct the path")
            )
        } catch {
            faults.append(
                SettingFault(name, found: path, "must name a file that can be read", remedy: "look at its permissions"))
        }
        return nil
    }
}
