public import ProxySettings

/// Looks at what a server needs, without serving, also beside a server that does. Changes nothing.
public struct ServerDoctor: Sendable {
    let settings: ServerSettings
    let surroundings: Surroundings
    /// Whether nothing outside this machine but the database is asked.
    let isOffline: Bool

    public init(_ settings: ServerSettings, isOffline: Bool, surroundings: Surroundings = .system) {
        self.settings = settings
        self.isOffline = isOffline
        self.surroundings = surroundings
    }

    /// Looks at everything, one after the other; what fails keeps nothing else from being looked at.
    public func examine() async -> [DoctorFinding] {
        var findings = [providersFile()]
        findings += await databaseAndKey()
        findings.append(await listenAddress())
        if !isOffline { findings.append(await upstream()) }
        return findings
    }

    /// What is wrong in the file has been said when the settings were read.
    private func providersFile() -> DoctorFinding {
        let (file, providers) = (settings.providerSource.file, settings.providers)
        let isThere = (try? surroundings.readFile(file)) != nil
        let names = providers.all.keys.sorted().joined(separator: ", ")
        let place = providers[providers.defaultName].map { " at \($0.baseURL)" } ?? ""
        return .ok(
            "providers",
            isThere
                ? "\(file) has \(names); projects that name none get \(providers.defaultName)\(place)"
                : "there is no \(file): \(providers.defaultName)\(place) alone")
    }
}
