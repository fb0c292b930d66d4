import ProxyDomain
import ProxySettings
import Testing

/// What `ProxySettings` promises of the providers file.
@Suite struct SettingsProvidersTests {
    private func read(
        _ yaml: String?, _ environment: [String: String] = [:]
    ) throws(SettingsError) -> Providers {
        try ServerSettings.read(environment: environment) { $0 == "./config/api_providers.yaml" ? yaml : nil }.providers
    }

    private func faults(_ yaml: String?, _ environment: [String: String] = [:]) -> [String] {
        do throws(SettingsError) {
            _ = try read(yaml, environment)
            return []
        } catch {
            return error.faults.map(\.description)
        }
    }

    private let two = """
        # providers
        default_api: other
        apis:
          openai:
            base_url: "https://api.openai.com"
            allowed_endpoints: [/v1/chat, /v1/models/]
            allowed_methods:
            - GET
            - POST
          other:
            base_url: http://[::1]:9000/openai/
        """

    @Test func withoutAFileThereIsOpenAIAlone() throws {
        let provider = try #require(try read(nil)["openai"])
        #expect(provider.origin == UpstreamOrigin(isTLS: true, host: "api.openai.com", port: 443))
        #expect(provider.pathPrefix.isEmpty && provider.allowedMethods == ["GET", "POST", "DELETE", "HEAD"])
        #expect(provider.allows(path: "/v1/chat/completions") && !provider.allows(path: "/v2"))
        let moved = try #require(try read(nil, ["OPENAI_API_URL": "http://127.0.0.1:9000/"])["openai"])
        #expect(moved.origin == UpstreamOrigin(isTLS: false, host: "127.0.0.1", port: 9000))
    }

    @Test func aFileNamesProvidersWithAddressesEndpointsAndMethods() throws {
        let providers = try read(two)
        #expect(providers.defaultName == "other" && providers.all.count == 2)
        let openai = try #require(providers["openai"])
        #expect(openai.allowedEndpoints == ["/v1/chat", "/v1/models"] && openai.allowedMethods == ["GET", "POST"])
        let other = try #require(providers["other"])
        #expect(other.origin == UpstreamOrigin(isTLS: false, host: "::1", port: 9000) && other.pathPrefix == "/openai")
        #expect(other.origin.authority == "[::1]:9000" && other.baseURL.description == "http://[::1]:9000/openai")
    }

    @Test(arguments: [
        ("bearer", ProviderAuth.bearer), ("{header: x-api-key}", .header("x-api-key")),
        ("\n      query: key", .query("key")),
    ])
    func aProviderSaysWhereItWantsItsKey(text: String, auth: ProviderAuth) throws {
        let yaml = "apis:\n  openai:\n    base_url: https://x\n    auth: \(text)"
        #expect(try read(yaml)["openai"]?.auth == auth)
    }

    @Test func openAIsAddressIsReplacedOnlyWhenItIsSet() throws {
        #expect(try read(two)["openai"]?.origin.host == "api.openai.com")
        let moved = try read(two, ["OPENAI_API_URL": "http://localhost:1"])
        #expect(moved["openai"]?.origin.port == 1 && moved["other"]?.origin.port == 9000)
    }

    @Test func theDefaultIsTheSettingThenTheFilesThenOpenAI() throws {
        #expect(try read(two, ["DEFAULT_API_PROVIDER": "openai"]).defaultName == "openai")
        #expect(try read("apis:\n  openai:\n    base_url: https://x").defaultName == "openai")
        #expect(faults("apis:\n  other:\n    base_url: https://x").first?.contains("other") == true)
        #expect(faults(two, ["DEFAULT_API_PROVIDER": "third"]).first?.contains("openai, other") == true)
        #expect(faults(nil, ["DEFAULT_API_PROVIDER": "third"]).count == 1)
    }

    @Test func aNamedFileMustExist() {
        #expect(faults(nil, ["API_CONFIG_PATH": "gone.yaml"]).first?.hasPrefix("API_CONFIG_PATH must name") == true)
        #expect(faults(nil, ["API_CONFIG_PATH": "./config/api_providers.yaml"]).count == 1)
    }

    @Test(arguments: [
        ("timeout", "{request: 5s}"), ("retries", "3"), ("base_urls", "https://x"),
    ])
    func aKeyOfALaterVersionIsRefusedByNameAndLine(key: String, value: String) {
        let found = faults("apis:\n  openai:\n    base_url: https://x\n    \(key): \(value)\n")
        #expect(
            found == [
                "./config/api_providers.yaml line 4: apis.openai.\(key) is not known to this version; "
                    + "remove it, or use a version that knows it"
            ])
    }

    @Test(arguments: [
        ("default_api: openai", "names no provider"), ("", "is empty"), ("- a\n- b", "key: value"),
        (provider("retry: 3"), "apis.openai.retry must hold"), (provider("retry: {attempts: 0}"), "from 1 to 10"),
        (provider("retry: {backoff: 10s, max_backoff: 1s}"), "must not be longer than max_backoff"),
        (provider("retry: {on: [429, slow]}"), "connect, reset, timeout, 4xx, 5xx or statuses"),
        (provider("retry: {on: [200]}"), "statuses from 400 to 599"),
        (provider("retry: {budget_percent: 101}"), "from 0 to 100"),
        (provider("retry: {times: 3}"), "retry.times is not known"),
        (provider("fallback: {to: x}"), "fallback.to is not known"),
        (provider("breaker: {failures: -1}"), "from 0 to 1000"), (provider("breaker: {open_for: soon}"), "a duration"),
        (provider("timeouts: {request: 0}"), "a duration from 1ms to 1d"),
        (provider("timeouts: {read: 1s}"), "not known"),
        (provider("connection: {max_idle_conns: many}"), "from 0 to 100000"),
        ("apis: openai", "key: value"), ("apis:\n  openai:", "key: value"), ("apis:\n  openai: {}", "no base_url"),
        ("apis:\n  a b:\n    base_url: https://x", "letters, digits"),
        ("apis:\n  manage:\n    base_url: https://x", "apis.manage could not be reached by its path"),
        ("version: 1\napis: {}", "version is not known"),
        ("default_api: x\napis:\n  openai:\n    base_url: https://x", "default_api must be one of openai"),
        ("default_api: [x]\napis:\n  openai:\n    base_url: https://x", "default_api must be a text"),
        ("apis:\n  openai:\n    base_url: https://x\n  openai:\n    base_url: https://x", "again"),
        ("apis:\n  openai:\n    base_url: api.openai.com", "http or https"),
        ("apis:\n  openai:\n    base_url: https://u:p@x", "http or https"),
        ("apis:\n  openai:\n    base_url: https://x?y", "http or https"),
        ("apis:\n  openai:\n    base_url: https://x/../y", "http or https"),
        ("apis:\n  openai:\n    base_url: https://x:0", "http or https"),
        ("apis:\n  openai:\n    base_url: https://api.openai.com/v1", "/v1"),
        ("apis:\n  openai:\n    base_url: https://x\n    allowed_endpoints: /v1", "list"),
        ("apis:\n  openai:\n    base_url: https://x\n    allowed_endpoints: []", "list"),
        ("apis:\n  openai:\n    base_url: https://x\n    allowed_endpoints: [v1]", "path prefixes"),
        ("apis:\n  openai:\n    base_url: https://x\n    allowed_endpoints: [/v1/*]", "path prefixes"),
        ("apis:\n  openai:\n    base_url: https://x\n    allowed_endpoints: [[/v1]]", "must be a text"),
        ("apis:\n  openai:\n    base_url: https://x\n    allowed_methods: [get]", "capital"),
        ("apis:\n  openai:\n    base_url: https://x\n    allowed_origins: [https://a/]", "origins of web pages"),
        ("apis:\n  openai:\n    base_url: https://x\n    allowed_origins: [a.example]", "origins of web pages"),
        ("apis:\n  openai:\n    base_url: https://x\n    allowed_origins: [https://a, 'https://A:443']", "twice"),
        ("apis:\n  openai:\n    base_url: https://x\n    required_headers: ['a b']", "names of header fields"),
        ("apis:\n  openai:\n    base_url: https://x\n    param_whitelist: [a]", "key: value"),
        ("apis:\n  openai:\n    base_url: https://x\n    param_whitelist: {model: a}", "list"),
        ("apis:\n  openai:\n    base_url: https://x\n    param_whitelist: {'a b': [a]}", "letters, digits"),
        ("apis:\n  openai:\n    base_url: https://x\n    auth: basic", "must be bearer"),
        ("apis:\n  openai:\n    base_url: https://x\n    auth: {}", "must be bearer"),
        ("apis:\n  openai:\n    base_url: https://x\n    auth: {header: a, query: b}", "one header or one query"),
        ("apis:\n  openai:\n    base_url: https://x\n    auth: {cookie: a}", "cookie is not known"),
        ("apis:\n  openai:\n    base_url: https://x\n    auth: {header: Content-Length}", "frames a message"),
        ("apis:\n  openai:\n    base_url: https://x\n    auth: {header: 'a b'}", "letters, digits"),
        ("apis:\n  openai:\n    base_url: https://x\n    auth: {query: 'a&b'}", "letters, digits"),
        ("apis:\n  openai:\n    base_url: https://x\n    auth: {query: [a]}", "must be a text"),
        ("apis:\n  openai:\n    base_url: https://x\n    allowed_methods: [GET, GET]", "twice"),
    ])
    func whatIsWrongIsAFaultWithItsLine(yaml: String, words: String) {
        let found = faults(yaml)
        #expect(found.count == 1 && found[0].hasPrefix("./config/api_providers.yaml line "))
        #expect(found[0].contains(words), "\(found)")
    }

    @Test func addressesAreSplitExactly() {
        let address = BaseURL("HTTPS://API.Example.com:8443/a/b//")
        #expect(
            address
                == BaseURL(origin: UpstreamOrigin(isTLS: true, host: "api.example.com", port: 8443), pathPrefix: "/a/b")
        )
        for wrong in [
            "", "https://", "https:/x", "https://x:", "https://x:99999", "https://x y", "https://x/a#b", "//x",
            "https://[::1", "https://x/%2e",
        ] {
            #expect(BaseURL(wrong) == nil, "\(wrong)")
        }
    }

    // MARK: Paths

    @Test(arguments: [
        "/v1/chat", "/v1/chat/", "/v1/chat/completions", "/v1/chat?x=/../", "/v1/chat/a%20b", "/v1/chat/..a",
        "/v1/chat/a..", "/v1/chat/...",
    ])
    func pathsBelowAPrefixAreAllowed(path: String) {
        #expect(chatOnly.allows(path: path))
    }

    @Test(arguments: [
        "", "v1/chat", "/v1", "/v1/", "/v1/chatter", "/v1/cha", "/V1/chat", "/v1/chat/../models", "/v1/chat/..",
        "/v1/chat/.",
        "/v1//chat", "//v1/chat", "/v1/chat//", "/v1/chat/%2e%2e/models", "/v1/chat%2Fmodels", "/v1/chat/%5c",
        "/v1/chat/%00",
        "/v1/chat/%252e", "/v1/chat/%", "/v1/chat/%2", "/v1/chat/%zz", "/v1/chat\\..", "/v1/chat/a b",
        "/v1/chat/\u{7F}",
        "/v1/chat/é", "/v1/chat#x", "/v1/chat/..;/models", "/v1/chat/..?x", "http://x/v1/chat", "*", "?", "/v1/./chat",
    ])
    func pathsBesideAPrefixOrReadInTwoMannersAreRefused(path: String) {
        #expect(!chatOnly.allows(path: path))
    }

    private var chatOnly: Provider {
        Provider(
            name: "x", baseURL: BaseURL(origin: UpstreamOrigin(isTLS: true, host: "x", port: 443)),
            allowedEndpoints: ["/v1/chat"], allowedMethods: ["POST"])
    }

    @Test(arguments: [
        ("1", #"apis.openai.prices must hold "key: value" lines; indent them below it"#),
        ("{m: {output: 1}}", "apis.openai.prices.m has no input; say what a million prompt tokens cost: input: 0.15"),
        (
            "{g*t: {input: 1}}",
            "apis.openai.prices.g*t may have a * only at its end; name a model, or how its name begins: gpt-4o*"
        ),
        (
            "{m: {input: -1}}",
            "apis.openai.prices.m.input is '-1': must be US dollars for a million tokens, 0…1000000 with at most 9 decimals"
        ),
        ("{m: {input: 1, cached_input: 1.1}}", "apis.openai.prices.m.cached_input must not be more than input"),
        (
            "{m: {input: 1, max_output_tokens: 0}}",
            "apis.openai.prices.m.max_output_tokens must be a whole number of tokens from 1 to 1000000000"
        ),
    ])
    func aFaultyPriceIsNamed(prices: String, rule: String) {
        let found = faults("apis:\n  openai:\n    base_url: https://x\n    prices: \(prices)\n")
        #expect(found.count == 1 && found[0].contains(rule.replacing("is '-1': ", with: "")), "\(found)")
    }

    private static func provider(_ keys: String) -> String {
        "apis:\n  openai:\n    base_url: https://x\n    \(keys)\n"
    }

    @Test func classesOfStatusesAreWhatTheyHold() throws {
        let provider = try read(Self.provider("retry: {on: [5xx, reset]}\n    fallback: {on: [4xx]}"))["openai"]
        #expect(provider?.retry.on == Set([.reset] + (500...599).map { .status($0) }))
        #expect(provider?.retry.fallbackOn == Set((400...499).map { .status($0) }))
    }

    @Test func retriesTimeoutsAndConnectionsAreRead() throws {
        let yaml = Self.provider(
            """
            retry: {attempts: 4, on: [connect, 503], backoff: 1s, max_backoff: 30s, budget_percent: 5}
                fallback: {on: [timeout]}
                breaker: {failures: 7, open_for: 1m}
                timeouts: {request: 2m, response_header: 10s, idle_connection: 90s}
                connection: {max_idle_conns: 100, max_idle_conns_per_host: 20}
            """)
        let provider = try read(yaml)["openai"]
        #expect(
            provider?.retry
                == RetryRules(
                    attempts: 4, on: [.connect, .status(503)], backoff: .seconds(1), longestBackoff: .seconds(30),
                    budgetPercent: 5, fallbackOn: [.timeout], breaker: BreakerRules(failures: 7, openFor: .seconds(60)))
        )
        #expect(
            provider?.timeouts
                == ProviderTimeouts(request: .seconds(120), responseHead: .seconds(10), idleConnection: .seconds(90)))
        #expect(provider?.mostIdleConnections == 20)
        #expect(try read(Self.provider("auth: bearer"))["openai"]?.retry == RetryRules())
    }
}
