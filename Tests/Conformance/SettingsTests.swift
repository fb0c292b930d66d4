import ProxySecrets
import ProxySettings
import Testing

/// What `ProxySettings` promises of settings, one promise per test.
@Suite struct SettingsTests {
    private static let providers = """
        default_api: openai
        apis:
          openai:
            base_url: https://api.openai.com
          other:
            base_url: https://other.example
        """
    private static let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    private static let goodKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

    private func read(
        _ environment: [String: String] = [:], dotEnv: String? = nil, flags: [String: String] = [:],
        files: [String: String] = [:]
    ) throws(SettingsError) -> ServerSettings {
        try ServerSettings.read(environment: environment, dotEnv: dotEnv, flags: flags) { files[$0] }
    }

    private func faults(
        _ environment: [String: String] = [:], dotEnv: String? = nil, flags: [String: String] = [:],
        files: [String: String] = [:]
    ) -> [String] {
        do throws(SettingsError) {
            _ = try read(environment, dotEnv: dotEnv, flags: flags, files: files)
            return []
        } catch {
            return error.faults.map(\.description)
        }
    }

    // MARK: Defaults

    @Test func anEmptyEnvironmentGivesEveryDocumentedDefault() throws {
        let settings = try read()
        #expect(settings.managementToken == nil)
        #expect(settings.listen == ListenAddress(host: nil, port: 8080))
        #expect(settings.eventLoops == 0 && settings.shutdownGrace == .seconds(30))
        let database = settings.database
        #expect(database.engine == .sqlite && database.path == "./data/llm-proxy.db" && database.url == nil)
        #expect(database.poolSize == 10 && database.maxIdleConnections == 5)
        #expect(database.connectionLifetime == .seconds(3600) && database.wait == .seconds(2))
        #expect(database.synchronous == .full)
        #expect(settings.encryption.key == nil && !settings.encryption.isRequired)
        let relay = settings.relay
        #expect(relay.requestTimeout == .seconds(30) && relay.streamIdleTimeout == .seconds(300))
        #expect(relay.clientHeadTimeout == .seconds(10) && relay.clientBodyTimeout == .seconds(60))
        #expect(relay.clientIdleTimeout == .seconds(75) && relay.upstreamConnectTimeout == .seconds(5))
        #expect(relay.upstreamIdleTimeout == .seconds(60) && relay.upstreamCAFile == nil)
        #expect(relay.maxRequestSize == 10 << 20 && relay.maxConcurrentRequests == 10_000)
        #expect(settings.log.level == .info && settings.log.format == .json && settings.log.file == nil)
        #expect(settings.metrics.isEnabled && settings.metrics.path == "/metrics")
        #expect(settings.providers.defaultName == "openai" && settings.providers.all.count == 1)
    }

    /// Settings that need another beside them are tried where the other is there already.
    private static let neighbours = [
        "DATABASE_URL": "postgres://a@b/c", "ENCRYPTION_KEY": goodKey, "API_CONFIG_PATH": "./base.yaml",
        "TLS_CERT_FILE": "./other.pem", "TLS_KEY_FILE": "./other.key",
    ]
    /// Those that go only together.
    private static let pairs: Set = ["TLS_CERT_FILE", "TLS_KEY_FILE"]

    @Test(arguments: ServerSettings.keys.map(\.name))
    func everySettingChangesWhatIsRead(name: String) throws {
        let key = try #require(ServerSettings.keys.first { $0.name == name })
        let files = [
            "./base.yaml": Self.providers, "./providers.yaml": "apis:\n  openai:\n    base_url: http://elsewhere",
            "./ca.pem": Self.pem,
        ]
        var environment = Self.neighbours
        if !Self.pairs.contains(name) { environment[name] = nil }
        let before = try read(environment, files: files)
        let isOneOfTheNeighbours = Self.neighbours[name] != nil
        environment[name] = key.example
        let after = try read(environment, files: files)
        #expect(before != after || isOneOfTheNeighbours && key.example == Self.neighbours[name])
        #expect(try read(environment, flags: [name: key.example], files: files) == after)
    }

    @Test func theListNamesEachSettingOnceWithAGoodDefault() throws {
        let names = ServerSettings.keys.map(\.name)
        #expect(Set(names).count == names.count && names.count == 66)
        for key in ServerSettings.keys {
            #expect(!key.summary.isEmpty && key.defaultText != key.example)
            #expect(key.flag.hasPrefix("--") && !key.flag.contains("_"))
            if let preset = key.defaultText {
                #expect(faults([key.name: preset], files: ["./config/api_providers.yaml": Self.providers]) == [])
            }
        }
    }

    // MARK: Precedence

    @Test func aFlagWinsOverTheEnvironmentAndThatOverDotEnv() throws {
        let dotEnv = "LISTEN_ADDR=:1\nDATABASE_POOL_SIZE=11\nLOG_LEVEL=debug\n"
        let settings = try read(
            ["LISTEN_ADDR": ":2", "DATABASE_POOL_SIZE": "12"], dotEnv: dotEnv, flags: ["LISTEN_ADDR": ":3"])
        #expect(settings.listen.port == 3)
        #expect(settings.database.poolSize == 12)
        #expect(settings.log.level == .debug)
    }

    @Test func anEmptyTextIsAsGoodAsNone() throws {
        #expect(try read(["LISTEN_ADDR": "", "MANAGEMENT_TOKEN": ""], dotEnv: "LISTEN_ADDR=:7\n").listen.port == 7)
    }

    @Test func retentionIsANumberOfDaysOrADurationOfWholeDays() throws {
        #expect(try read([:]).database.requestRetentionDays == 90)
        #expect(try read(["USAGE_RETENTION": "30d"]).database.requestRetentionDays == 30)
        #expect(try read(["USAGE_RETENTION": "48h"]).database.requestRetentionDays == 2)
        #expect(try read(["USAGE_RETENTION": "0"]).database.requestRetentionDays == 0)
        for text in ["36h", "90", "36501d", "1ms"] {
            let found = faults(["USAGE_RETENTION": text])
            #expect(
                found.count == 1 && found[0].hasPrefix("USAGE_RETENTION must be a duration of whole days"), "\(found)")
        }
        let both = faults(["USAGE_RETENTION": "90d", "REQUEST_RETENTION_DAYS": "90"])
        #expect(
            both == ["USAGE_RETENTION must not be set beside REQUEST_RETENTION_DAYS, not \"90d\"; unset one of the two"]
        )
    }

    @Test func pagesAreGivenAsLists() throws {
        let pages = try read([
            "CORS_ALLOWED_ORIGINS": "https://App.example:443, http://localhost:3000",
            "CORS_ALLOWED_METHODS": "GET,POST",
            "CORS_ALLOWED_HEADERS": "Authorization, X-Own", "CORS_MAX_AGE": "24h",
        ]).pages
        #expect(pages.allowedOrigins == ["https://app.example", "http://localhost:3000"])
        #expect(pages.allowedMethods == ["GET", "POST"] && pages.allowedHeaders == ["Authorization", "X-Own"])
        #expect(pages.maxAge == .seconds(86_400))
        for (name, text) in [
            ("CORS_ALLOWED_ORIGINS", "https://app.example/path"), ("CORS_ALLOWED_ORIGINS", "app.example"),
            ("CORS_ALLOWED_METHODS", "get"), ("CORS_ALLOWED_METHODS", "TRACE"), ("CORS_ALLOWED_HEADERS", "X Own"),
            ("CORS_ALLOWED_HEADERS", ","), ("CORS_MAX_AGE", "600"),
        ] {
            let found = faults([name: text])
            #expect(found.count == 1 && found[0].hasPrefix("\(name) must "), "\(found)")
        }
    }

    // MARK: Faults

    @Test func allFaultsAreReportedAtOnceOneLineEach() {
        let found = faults(
            [
                "REQUEST_TIMEOUT": "5", "DB_DRIVER": "oracle", "DATABASE_POOL_SIZE": "0", "ENABLE_METRICS": "maybe",
                "MAX_REQUEST_SIZE": "ten", "LISTEN_ADDR": "8080", "METRICS_PATH": "/v1/x", "OPENAI_API_URL": "ftp://x",
            ], dotEnv: "nonsense\n", flags: ["COLOUR": "red"])
        #expect(found.count == 10)
        #expect(found.allSatisfy { !$0.contains("\n") && $0.contains("; ") })
        for name in [
            "REQUEST_TIMEOUT", "DB_DRIVER", "DATABASE_POOL_SIZE", "ENABLE_METRICS", "MAX_REQUEST_SIZE",
            "LISTEN_ADDR", "METRICS_PATH", "OPENAI_API_URL", ".env line 1", "COLOUR",
        ] {
            #expect(found.contains { $0.hasPrefix(name + " ") }, "\(name) is not named in \(found)")
        }
    }

    @Test func aFaultNamesTheValueTheRuleAndTheRemedy() {
        #expect(
            faults(["REQUEST_TIMEOUT": "5"]) == [
                "REQUEST_TIMEOUT must be a duration from 1ms to 1d, not \"5\"; "
                    + "write a number with its unit, such as 250ms, 90s, 30m or 1h30m"
            ])
    }

    @Test(arguments: [
        ("MANAGEMENT_TOKEN", "short-secret"), ("MANAGEMENT_TOKEN", "a secret with spaces in it"),
        ("ENCRYPTION_KEY", "not-a-key-secret"), ("DATABASE_URL", "mysql://u:secret@h/d"),
        ("OPENAI_API_URL", "https://user:secret@api.openai.com"),
    ])
    func aFaultNeverRepeatsASecret(name: String, value: String) {
        let found = faults([name: value])
        #expect(found.count == 1 && found[0].hasPrefix(name) && !found[0].contains("secret"))
    }

    @Test func secretsShowInNoDescriptionOfTheSettings() throws {
        let settings = try read(["MANAGEMENT_TOKEN": "hunter2-hunter2-hunter2", "DATABASE_URL": "postgres://hunter2"])
        var shown = "\(settings)" + String(reflecting: settings)
        dump(settings, to: &shown)
        #expect(!shown.contains("hunter2"))
    }

    @Test func settingsThatNeedAnotherSayWhich() {
        #expect(faults(["DB_DRIVER": "postgres"]).first?.hasPrefix("DATABASE_URL must be set") == true)
        #expect(faults(["REQUIRE_ENCRYPTION_KEY": "true"]).first?.hasPrefix("ENCRYPTION_KEY must be set") == true)
        #expect(faults(["UPSTREAM_CA_FILE": "gone.pem"]).first?.hasPrefix("UPSTREAM_CA_FILE must name") == true)
        #expect(faults(["UPSTREAM_CA_FILE": "x"], files: ["x": "no pem"]).first?.contains("PEM") == true)
    }

    @Test func aFileThatCannotBeReadIsAFault() {
        struct Denied: Error {}
        #expect(throws: SettingsError.self) {
            try ServerSettings.read(environment: [:]) { _ throws(Denied) in throw Denied() }
        }
    }

    // MARK: Kinds

    @Test(arguments: [
        ("90s", 90_000), ("30m", 1_800_000), ("1h30m", 5_400_000), ("250ms", 250), ("1m0s1ms", 60_001), ("0", 0),
        ("0s", 0), ("24h", 86_400_000), ("1d", 86_400_000),
    ])
    func durationsAreRead(text: String, milliseconds: Int) throws {
        #expect(try read(["SHUTDOWN_GRACE": text]).shutdownGrace == .milliseconds(milliseconds))
    }

    @Test(arguments: [
        "5", "-1s", "+1s", "1.5s", "s", "1x", "1s1m", "1s1s", "1 s", " 1s", "1S", "99999999999999999999s",
        "9223372036854775807d", "25h", "٣s", "0x1s",
    ])
    func malformedDurationsAreFaults(text: String) {
        #expect(faults(["SHUTDOWN_GRACE": text]).count == 1)
    }

    @Test(arguments: [
        ("10MiB", 10 << 20), ("512KiB", 512 << 10), ("10485760", 10_485_760), ("10MB", 10_000_000), ("1GiB", 1 << 30),
        ("7b", 7), ("1kb", 1000),
    ])
    func sizesAreRead(text: String, bytes: Int) throws {
        #expect(try read(["MAX_REQUEST_SIZE": text]).relay.maxRequestSize == bytes)
    }

    @Test(arguments: ["-1", "0", "1.5MiB", "MiB", "10 MiB", "10XB", "99999999999999999999", "9223372036854775807GiB"])
    func malformedSizesAreFaults(text: String) {
        #expect(faults(["MAX_REQUEST_SIZE": text]).count == 1)
    }

    @Test(
        arguments: [
            (":8080", nil, 8080), ("localhost:80", "localhost", 80), ("[::1]:8080", "::1", 8080),
            ("127.0.0.1:0", "127.0.0.1", 0), ("my_host-1.example:65535", "my_host-1.example", 65535),
        ] as [(String, String?, Int)])
    func addressesAreReadAndWrittenAlike(text: String, host: String?, port: Int) throws {
        let address = try read(["LISTEN_ADDR": text]).listen
        #expect(address == ListenAddress(host: host, port: port) && address.description == text)
    }

    @Test(arguments: [
        "8080", ":", ":x", ":65536", "::1:8080", "[::1]", "[]:80", "a b:80", "http://x:80", ":-1", ":080800", "host:",
    ])
    func malformedAddressesAreFaults(text: String) {
        #expect(faults(["LISTEN_ADDR": text]).count == 1)
    }

    @Test(arguments: [("true", true), ("FALSE", false), ("1", true), ("0", false), ("yes", true), ("off", false)])
    func booleansAreRead(text: String, value: Bool) throws {
        #expect(try read(["ENABLE_METRICS": text]).metrics.isEnabled == value)
    }

    @Test(arguments: [
        ("localhost,.internal.example", ["localhost", ".internal.example"]),
        ("*.Internal.example", [".internal.example"]),
        ("*", ["*"]), ("10.0.0.1, [::1],fd00::2", ["10.0.0.1", "::1", "fd00::2"]),
    ])
    func hostsWithoutProxyAreNamed(text: String, names: [String]) throws {
        #expect(try read(["NO_PROXY": text]).relay.outboundProxyExceptions == names)
    }

    @Test(arguments: ["10.0.0.0/8", "host:8443", "a.*.example", "*example", "a b", "[host]", ".", "a,,b,https://c"])
    func hostsWithoutProxyThatWouldMeanNothingAreRefused(text: String) {
        let found = faults(["NO_PROXY": text])
        #expect(found.count == 1 && found.allSatisfy { "\($0)".contains("without ports and ranges") })
    }

    @Test(arguments: ["1001", "-1", "+5", "0x10", "5.0", "", " 5", "٣"])
    func malformedNumbersAreFaults(text: String) {
        #expect(faults(["DATABASE_POOL_SIZE": text]).count == (text.isEmpty ? 0 : 1))
    }

    @Test(arguments: [
        "", "short", goodKey, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", goodKey + "=",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
        "--__--__--__--__--__--__--__--__--__--__-_8", "++//++//++//++//++//++//++//++//++//++//+/8=",
        "é" + String(goodKey.dropFirst(2)),
    ])
    func aKeyIsGoodHereExactlyWhenTheVaultTakesIt(text: String) {
        guard !text.isEmpty else { return }
        #expect(faults(["ENCRYPTION_KEY": text]).isEmpty == (EncryptionKey(base64: text) != nil))
    }

    // MARK: .env

    @Test func dotEnvTakesQuotesCommentsAndExport() throws {
        let text = """
            \u{FEFF}# a comment
            export LISTEN_ADDR = :9   # the port
              LOG_FILE="./my \\"log\\" # 1.txt"
            DATABASE_PATH='./it''s not expanded $HOME'\r
            METRICS_PATH=/m#x
            """
        // A doubled quote ends the value in .env: that line is a fault, the rest is read.
        #expect(faults(dotEnv: text).count == 2)
        let good = text.replacing("it''s", with: "its").replacing("/m#x", with: "/m")
        let settings = try read(dotEnv: good)
        #expect(settings.listen.port == 9)
        #expect(settings.log.file == "./my \"log\" # 1.txt")
        #expect(settings.database.path == "./its not expanded $HOME")
    }

    @Test(arguments: [
        "no equals", "=value", "A B=c", "1A=b", "A=\"open", "A='open", "A='x' y", "LOG_LEVEL=info\nLOG_LEVEL=info",
    ])
    func aMalformedLineOfDotEnvIsNamedByNumberAndNeverByValue(text: String) {
        let found = faults(dotEnv: "# first\n" + text)
        #expect(found.count == 1)
        #expect(found[0].hasPrefix(".env line \(text.contains("\n") ? 3 : 2) "))
        #expect(!found[0].contains("open") && !found[0].contains("=value") && !found[0].contains("'x'"))
    }

    @Test func readsAnOutboundProxy() {
        let address = OutboundProxyAddress("http://us%40er:pa%20ss@[::1]:3128/")
        #expect(address?.host == "::1" && address?.port == 3128)
        #expect(address?.credential?.revealed() == "us@er:pa ss")
        #expect(OutboundProxyAddress("http://proxy.example")?.port == 80)
        for text in [
            "https://a:1", "a:1", "http://", "http://a:1/x", "http://@a:1", "http://u:%zz@a", "http://u:%0d@a",
            "socks5://a",
        ] {
            #expect(OutboundProxyAddress(text) == nil, "\(text)")
        }
    }
}
