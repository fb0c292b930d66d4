import Logging
import ProxyManagement
import ProxyRelay
import ProxySettings
import ProxyWire
import Synchronization

/// The providers as they are now, and what the relay is told of them.
struct ProviderTable: Sendable {
    let providers: Providers
    /// Rules by provider, made once: what is remembered about paths hangs on their identity.
    let rules: [String: EndpointRules]
    /// What they say together.
    let overview: ProviderOverview

    /// - Parameters:
    ///   - metricsPath: where the metrics are shown. A provider that has the name of its first segment is not reached by its path.
    ///   - pages: for providers that name no pages.
    init(_ providers: Providers, metricsPath: String, pages: PageSettings) {
        self.providers = providers
        let own = metricsPath.split(separator: "/").first.map(String.init)
        overview = ProviderOverview(
            origins: OriginPolicy(of: providers.all.values, pages),
            names: providers.all.keys.filter { $0 != own })
        rules = providers.all.mapValues { provider in
            EndpointRules(
                methods: provider.allowedMethods, origins: OriginPolicy(of: [provider], pages),
                requiredFields: provider.requiredHeaders, parameters: ParameterRules(provider.allowedValues)
            ) { provider.allows(path: $0) }
        }
    }
}

/// Keeps the providers, and reads their file again when it has changed or when somebody asks for it. What is wrong in it changes
/// nothing.
final class ProviderKeeper: Sendable {
    private struct State {
        var table: ProviderTable
        var source: ProviderSource
        var reloads = 0
        var failures = 0
    }

    private let file: String
    private let metricsPath: String
    private let pages: PageSettings
    private let readFile: @Sendable (String) throws -> String?
    private let changed: @Sendable () -> Void
    private let logger: Logger
    private let state: Mutex<State>
    private let watch: FileWatch

    /// - Parameter changed: called when other providers are in force, for what remembers those before.
    init(
        _ settings: ServerSettings, readFile: @escaping @Sendable (String) throws -> String?, logger: Logger,
        changed: @escaping @Sendable () -> Void
    ) {
        file = settings.providerSource.file
        metricsPath = settings.metrics.path
        pages = settings.pages
        self.readFile = readFile
        self.changed = changed
        self.logger = logger
        // Read here once more: since the settings were read, a database may have been waited for.
        watch = FileWatch([file])
        let providers = (try? settings.providerSource.read(readFile)) ?? settings.providers
        state = Mutex(
            State(
                table: ProviderTable(providers, metricsPath: settings.metrics.path, pages: settings.pages),
                source: watch.areAllThere ? settings.providerSource.expectingFile() : settings.providerSource))
    }

    var table: ProviderTable { state.withLock { $0.table } }

    /// Looks at the file once a second, and tries again what could not be used.
    func start() { watch.start { [self] in reload() } }

    func stop() async { await watch.stop() }

    /// Reads the file again.
    func reload() {
        watch.reading { () throws(SettingsError) in
            let isThere = watch.areAllThere
            let providers = try state.withLock({ $0.source }).read(readFile)
            state.withLock { state in
                if state.table.providers != providers {
                    state.table = ProviderTable(providers, metricsPath: metricsPath, pages: pages)
                }
                if isThere { state.source = state.source.expectingFile() }
                state.reloads += 1
            }
            changed()
            logger.notice("the providers file was read again", metadata: ["file": "\(file)"])
        } refuse: { error in
            state.withLock { $0.failures += 1 }
            logger.error(
                "the providers file can't be used; what was read before stays in force",
                metadata: ["detail": "\(error.faults.map(\.description).joined(separator: "; "))"])
        }
    }

    var families: [MetricFamily] {
        let (reloads, failures) = state.withLock { ($0.reloads, $0.failures) }
        func family(_ name: String, _ help: String, _ kind: MetricFamily.Kind, _ value: Int) -> MetricFamily {
            MetricFamily(
                name: "llm_proxy_providers_\(name)", help: help, kind: kind,
                samples: [.init(labels: [:], value: .number(Double(value)))])
        }
        return [
            family("reloads_total", "Times the providers file was read again.", .counter, reloads),
            family("reload_failures_total", "Times it could not be used.", .counter, failures),
            family(
                "file_usable", "Whether the providers file as it is now is in force.", .gauge, watch.isRefusing ? 0 : 1),
        ]
    }
}

extension OriginPolicy {
    /// What providers allow together; `nil` when no origin is named, by any of them or for all.
    init?(of providers: some Collection<Provider>, _ pages: PageSettings) {
        let naming = providers.filter { !$0.allowedOrigins.isEmpty || !pages.allowedOrigins.isEmpty }
        guard !naming.isEmpty else { return nil }
        let methods = naming.flatMap { provider in
            let isNamed = pages.allowedMethods.isEmpty || !provider.allowedOrigins.isEmpty
            return provider.allowedMethods.filter { isNamed || pages.allowedMethods.contains($0) }
        }
        self.init(
            naming.flatMap { $0.allowedOrigins.isEmpty ? pages.allowedOrigins : $0.allowedOrigins },
            methods: methods, headers: pages.allowedHeaders, maxAge: Int(pages.maxAge.components.seconds))
    }
}
