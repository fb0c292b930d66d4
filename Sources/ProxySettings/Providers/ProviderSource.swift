/// Where the providers come from: read at start, and again while the server runs.
public struct ProviderSource: Hashable, Sendable {
    /// The providers file.
    public internal(set) var file = ""
    /// Whether somebody has named the file, so that it must be there.
    var isNamed = false
    /// The provider of projects that name none, if somebody has said which.
    var defaultName: String?
    /// Where the provider `openai` is, if somebody has said where.
    var openAIURL: BaseURL?

    /// Reads the file as it is now.
    ///
    /// - Parameter files: the text of a file; `nil` when it does not exist. It throws when the file can't be read.
    /// - Throws: all that is wrong with it at once.
    public func read(_ files: (String) throws -> String?) throws(SettingsError) -> Providers {
        guard let text = try SettingFile.text(of: file, for: "API_CONFIG_PATH", mayBeMissing: !isNamed, files) else {
            return try withoutFile()
        }
        let read = ProvidersFile(text, named: file, openAIURL: openAIURL)
        guard read.faults.isEmpty else { throw SettingsError(faults: read.faults) }
        let name = defaultName ?? read.defaultName ?? "openai"
        if let providers = Providers(defaultName: name, read.providers) { return providers }
        let names = read.providers.map(\.name).joined(separator: ", ")
        throw SettingsError(faults: [
            SettingFault(
                "DEFAULT_API_PROVIDER", found: name, "must be one of \(names), which \(file) names",
                remedy: "set it, or default_api in that file")
        ])
    }

    /// The same where the file is known to be there: then a missing one is a fault, not the end of all it says.
    public func expectingFile() -> Self {
        var source = self
        source.isNamed = true
        return source
    }

    private func withoutFile() throws(SettingsError) -> Providers {
        guard let defaultName, defaultName != "openai" else {
            return Providers(only: .openAI(at: openAIURL ?? .publicOpenAI))
        }
        throw SettingsError(faults: [
            SettingFault(
                "DEFAULT_API_PROVIDER", found: defaultName, "must be openai without a providers file",
                remedy: "name the file that has it with API_CONFIG_PATH")
        ])
    }
}

/// A file that a setting names.
enum SettingFile {
    /// Its text. A missing one is a fault unless it may be missing, and then `nil`; one that can't be read always is.
    static func text(
        of path: String, for name: String, mayBeMissing: Bool = false, _ files: (String) throws -> String?
    ) throws(SettingsError) -> String? {
        let found: String?
        do {
            found = try files(path)
        } catch {
            throw SettingsError(faults: [
                SettingFault(name, found: path, "must name a file that can be read", remedy: "look at its permissions")
            ])
        }
        guard found == nil, !mayBeMissing else { return found }
        throw SettingsError(faults: [
            SettingFault(name, found: path, "must name a file that exists", remedy: "create it or correct the path")
        ])
    }
}
