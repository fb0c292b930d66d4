import ProxyDomain

/// The providers file as it stands: YAML into values, with everything that is wrong in it.
struct ProvidersFile {
    /// What the file's `default_api` says; `nil` when it says nothing.
    private(set) var defaultName: String?
    private(set) var providers: [Provider] = []
    private(set) var faults: [SettingFault] = []
    private let name: String

    /// `name` is what faults call the file. An address in `openAIURL` takes the place of the file's for `openai`.
    init(_ text: String, named name: String, openAIURL: BaseURL?) {
        self.name = name
        do throws(YAMLFault) {
            if let root = try YAMLReader.read(text) {
                readRoot(root, openAIURL: openAIURL)
            } else {
                fault(1, "the file is empty", "name at least one provider under apis:")
            }
        } catch {
            faults.append(SettingFault("\(name) line \(error.line)", error.rule, remedy: "correct the YAML"))
        }
    }

    mutating func fault(_ line: Int, _ rule: String, _ remedy: String, found: String? = nil) {
        faults.append(SettingFault("\(name) line \(line):", found: found, rule, remedy: remedy))
    }

    private mutating func readRoot(_ root: YAMLNode, openAIURL: BaseURL?) {
        guard let entries = mapping(root, "the file") else { return }
        for entry in entries {
            switch entry.key {
            case "default_api": defaultName = text(entry.value, "default_api")
            case "apis":
                for api in mapping(entry.value, "apis") ?? [] {
                    readProvider(api, replacing: api.key == "openai" ? openAIURL : nil)
                }
            default: refuse(entry, in: nil)
            }
        }
        guard faults.isEmpty else { return }
        if providers.isEmpty {
            fault(root.line, "the file names no provider", "add one under apis:")
        } else if let defaultName, !providers.contains(where: { $0.name == defaultName }) {
            let line = entries.first { $0.key == "default_api" }?.line ?? root.line
            fault(
                line, "default_api must be one of \(providers.map(\.name).joined(separator: ", "))",
                "name a provider that stands under apis:", found: defaultName)
        }
    }

    private mutating func readProvider(_ api: YAMLEntry, replacing address: BaseURL?) {
        let place = "apis.\(SettingFault.printable(api.key))"
        guard Self.isName(api.key) else {
            return fault(
                api.line, "\(place) must be 1…64 letters, digits, _, - or .", "give the provider a plain name")
        }
        guard !Providers.ownPaths.contains(api.key) else {
            return fault(
                api.line, "\(place) could not be reached by its path: /\(api.key) is the server's own",
                "give the provider another name")
        }
        guard let entries = mapping(api.value, place) else { return }
        var baseURL: BaseURL?
        var endpoints = Provider.usualEndpoints
        var methods = Provider.usualMethods
        var prices = PriceList()
        var auth = ProviderAuth.bearer
        var origins: [String] = []
        var headers: [String] = []
        var values: [String: [String]] = [:]
        var retry = RetryRules()
        var timeouts = ProviderTimeouts()
        var mostIdle: Int?
        var hasAddress = false
        for entry in entries {
            let key = "\(place).\(entry.key)"
            switch entry.key {
            case "base_url":
                hasAddress = true
                baseURL = readAddress(entry.value, key)
            case "allowed_endpoints": endpoints = list(entry.value, key, Self.endpoint)
            case "allowed_origins": origins = list(entry.value, key, Self.origin)
            case "required_headers": headers = list(entry.value, key, Self.header)
            case "param_whitelist": values = readValues(entry.value, key)
            case "retry": readRetry(entry.value, key, into: &retry)
            case "fallback": readFallback(entry.value, key, into: &retry)
            case "breaker": readBreaker(entry.value, key, into: &retry)
            case "timeouts": timeouts = readTimeouts(entry.value, key)
            case "connection": mostIdle = readConnection(entry.value, key)
            case "auth": auth = readAuth(entry.value, key)
            case "prices": prices = readPrices(entry.value, key)
            case "allowed_methods": methods = list(entry.value, key, Self.method)
            default: refuse(entry, in: place)
            }
        }
        if !hasAddress, address == nil {
            fault(api.line, "\(place) has no base_url", "add base_url: https://…")
        }
        if let url = address ?? baseURL {
            providers.append(
                Provider(
                    name: api.key, baseURL: url, allowedEndpoints: endpoints, allowedMethods: methods,
                    prices: prices, auth: auth, allowedOrigins: origins, requiredHeaders: headers,
                    allowedValues: values,
                    retry: retry, timeouts: timeouts, mostIdleConnections: mostIdle))
        }
    }

    private mutating func readValues(_ node: YAMLNode, _ place: String) -> [String: [String]] {
        var values: [String: [String]] = [:]
        for parameter in mapping(node, place) ?? [] {
            let key = "\(place).\(SettingFault.printable(parameter.key))"
            guard Self.isName(parameter.key) else {
                fault(
                    parameter.line, "\(key) must be 1…64 letters, digits, _, - or .", "name a parameter, such as model")
                continue
            }
            values[parameter.key] = list(parameter.value, key, Self.pattern)
        }
        return values
    }

    private mutating func readAddress(_ node: YAMLNode, _ key: String) -> BaseURL? {
        guard let text = text(node, key) else { return nil }
        if let rule = BaseURLRule.broken(by: text) {
            fault(node.line, "\(key) \(rule)", BaseURLRule.remedy, found: text)
        }
        return BaseURL(text)
    }

    mutating func refuse(_ entry: YAMLEntry, in place: String?) {
        let path = (place.map { "\($0)." } ?? "") + SettingFault.printable(entry.key)
        fault(entry.line, "\(path) is not known to this version", "remove it, or use a version that knows it")
    }

    // MARK: Shapes

    mutating func mapping(_ node: YAMLNode, _ place: String) -> [YAMLEntry]? {
        if case .mapping(let entries) = node.content { return entries }
        fault(node.line, "\(place) must hold \"key: value\" lines", "indent them below it")
        return nil
    }

    mutating func text(_ node: YAMLNode, _ place: String) -> String? {
        if case .scalar(let text, _) = node.content, !text.isEmpty { return text }
        fault(node.line, "\(place) must be a text", "give it one value")
        return nil
    }

    /// Reads a list whose items `parse` accepts; what it gives `nil` for is a fault with `rule`.
    mutating func list(_ node: YAMLNode, _ place: String, _ item: Item) -> [String] {
        guard case .sequence(let nodes) = node.content, !nodes.isEmpty else {
            fault(node.line, "\(place) must be a list of at least one item", "write one \"- item\" per line")
            return []
        }
        var items: [String] = []
        for node in nodes {
            guard let found = text(node, "each item of \(place)") else { continue }
            guard let value = item.parse(found) else {
                fault(node.line, "\(place) \(item.rule)", item.remedy, found: found)
                continue
            }
            if items.contains(value) {
                fault(node.line, "\(place) names \(value) twice", "keep one of the two")
            } else {
                items.append(value)
            }
        }
        return items
    }

    struct Item {
        let rule: String
        let remedy: String
        let parse: @Sendable (String) -> String?
    }

    private static let endpoint = Item(
        rule: "must hold plain path prefixes", remedy: "write the first segments, such as /v1/chat, without wildcards"
    ) { text in
        guard RequestPath.isPlain(text.utf8), !text.contains(where: { "*?{}".contains($0) }) else { return nil }
        return text.count > 1 && text.last == "/" ? String(text.dropLast()) : text
    }

    static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    private static let method = Item(
        rule: "must hold methods of HTTP in capital letters",
        remedy: "write GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS, each once"
    ) { text in
        // No other passes: a proxy can't forward CONNECT and TRACE, and what HTTP doesn't define has no effect that it would know of.
        methods.contains(text) ? text : nil
    }

    private static let origin = Item(
        rule: "must hold origins of web pages", remedy: "write for instance https://app.example, or * for all"
    ) { PageOrigin.normalised($0) }

    private static let pattern = Item(
        rule: "must hold values", remedy: "write a value, with * for any text: gpt-4o*"
    ) { $0.utf8.count <= 256 ? $0 : nil }

    private static let header = Item(
        rule: "must hold names of header fields", remedy: "write for instance X-Tenant, each once"
    ) { isName($0) ? $0 : nil }

    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}

/// What an upstream's address must be, wherever it is set.
enum BaseURLRule {
    static let remedy = "write for instance https://api.openai.com or http://127.0.0.1:9000"

    /// The rule that `text` breaks; `nil` when it is a good address.
    static func broken(by text: String) -> String? {
        guard let url = BaseURL(text) else {
            return "must be an http or https address without user name, query or fragment"
        }
        // Requests bring their /v1 along; an address that ends in it would give /v1/v1.
        return url.pathPrefix.hasSuffix("/v1")
            ? "must be an address without the /v1 that requests bring themselves" : nil
    }
}
