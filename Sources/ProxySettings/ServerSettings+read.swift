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
        reading.readKeys(files)
        reading.checkTogether()
        reading.readFiles(files)
        guard reading.faults.isEmpty else { throw SettingsError(faults: reading.faults) }
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

    /// Whether anything was said of a secret, right or wrong, in a file or without.
    private func isSaid(_ name: String) -> Bool { said(name) != nil || said(name + Self.fileSuffix) != nil }

    mutating func readKeys(_ files: (String) throws -> String?) {
        let secrets = ServerSettings.keys.filter(\.isSecret).map { $0.name + Self.fileSuffix }
        let names = Set(ServerSettings.keys.map(\.name) + secrets)
        for name in flags.keys.sorted() where !names.contains(name) {
            faults.append(
                SettingFault(name, "is not a setting of this version", remedy: "look at llm-proxy server --help"))
        }
        for key in ServerSettings.keys {
            let kept: String?
            do throws(SettingsError) {
                kept = key.isSecret ? try fromFile(key.name, files) : nil
            } catch {
                faults += error.faults
                continue
            }
            guard let text = kept ?? said(key.name) ?? key.defaultText else { continue }
            guard let rule = key.apply(text, &settings) else { continue }
            let found = key.isSecret ? nil : text
            faults.append(
                SettingFault(key.name, found: found, rule.isEmpty ? key.rule : rule, remedy: key.remedy))
        }
    }

    /// What names a file that a secret is in: as Docker and Kubernetes hand them over.
    private static let fileSuffix = "_FILE"

    /// A secret that is in a file: its first line.
    private func fromFile(
        _ name: String, _ files: (String) throws -> String?
    ) throws(SettingsError) -> String? {
        let fileName = name + Self.fileSuffix
        guard let path = said(fileName) else { return nil }
        guard said(name) == nil else {
            throw SettingsError(faults: [
                SettingFault(fileName, found: path, "must not be set beside \(name)", remedy: "unset one of the two")
            ])
        }
        let line = try SettingFile.text(of: path, for: fileName, files).map { String($0.prefix { !$0.isNewline }) }
        guard let line, !line.isEmpty else {
            throw SettingsError(faults: [
                SettingFault(
                    fileName, found: path, "must name a file with the secret in its first line",
                    remedy: "write it there, or unset \(fileName)")
            ])
        }
        return line
    }

    /// What one setting asks of another.
    mutating func checkTogether() {
        if settings.database.engine == .postgres, !isSaid("DATABASE_URL") {
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
        if said("REQUEST_RETENTION_DAYS") != nil, let found = said("USAGE_RETENTION") {
            faults.append(
                SettingFault(
                    "USAGE_RETENTION", found: found, "must not be set beside REQUEST_RETENTION_DAYS",
                    remedy: "unset one of the two"))
        }
        if settings.encryption.isRequired, !isSaid("ENCRYPTION_KEY") {
            faults.append(
                SettingFault(
                    "ENCRYPTION_KEY", "must be set with REQUIRE_ENCRYPTION_KEY=true",
                    remedy: "make one with: openssl rand -base64 32"))
        }
    }

    mutating func readFiles(_ files: (String) throws -> String?) {
        do throws(SettingsError) {
            try checkAuthority(files)
        } catch {
            faults += error.faults
        }
        settings.providerSource.isNamed = said("API_CONFIG_PATH") != nil
        // What nobody has said, the file may say.
        if said("DEFAULT_API_PROVIDER") == nil { settings.providerSource.defaultName = nil }
        if said("OPENAI_API_URL") == nil { settings.providerSource.openAIURL = nil }
        do throws(SettingsError) {
            settings.providers = try settings.providerSource.read(files)
        } catch {
            faults += error.faults
        }
    }

    private func checkAuthority(_ files: (String) throws -> String?) throws(SettingsError) {
        guard let path = settings.relay.upstreamCAFile,
            let text = try SettingFile.text(of: path, for: "UPSTREAM_CA_FILE", files),
            !text.contains("-----BEGIN CERTIFICATE-----")
        else { return }
        throw SettingsError(faults: [
            SettingFault(
                "UPSTREAM_CA_FILE", found: path, "must name a PEM file with a certificate",
                remedy: "name a file with a -----BEGIN CERTIFICATE----- line")
        ])
    }
}
