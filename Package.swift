// swift-tools-version: 6.2
import PackageDescription

// One list of settings for every Swift target, so no room has house rules of its own.
let houseSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

extension Target.Dependency {
    static let nioCore = Self.product(name: "NIOCore", package: "swift-nio")
    static let nioPosix = Self.product(name: "NIOPosix", package: "swift-nio")
    static let nioTLS = Self.product(name: "NIOTLS", package: "swift-nio")
    static let nioHTTP1 = Self.product(name: "NIOHTTP1", package: "swift-nio")
    static let nioSSL = Self.product(name: "NIOSSL", package: "swift-nio-ssl")
    static let nioHTTP2 = Self.product(name: "NIOHTTP2", package: "swift-nio-http2")
    static let nioHPACK = Self.product(name: "NIOHPACK", package: "swift-nio-http2")
    static let crypto = Self.product(name: "Crypto", package: "swift-crypto")
    static let hummingbird = Self.product(name: "Hummingbird", package: "hummingbird")
    static let httpTypes = Self.product(name: "HTTPTypes", package: "swift-http-types")
    static let logging = Self.product(name: "Logging", package: "swift-log")
    static let argumentParser = Self.product(name: "ArgumentParser", package: "swift-argument-parser")
    static let histogram = Self.product(name: "Histogram", package: "hdrhistogram-swift")
}

/// A room of the house: a library target under the house settings.
func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: houseSettings)
}

let package = Package(
    name: "llm-proxy",
    products: [
        .executable(name: "llm-proxy", targets: ["llm-proxy"]),
        .library(name: "ProxyConformance", targets: ["ProxyConformance"]),
        .library(name: "ProxySimulator", targets: ["ProxySimulator"]),
        .library(name: "ProxyFixtures", targets: ["ProxyFixtures"]),
    ],
    dependencies: [
        // Sockets, event loops and TLS under the data plane.
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        // Framing and header compression of HTTP/2 towards clients.
        .package(url: "https://github.com/apple/swift-nio-http2", exact: "1.46.0"),
        // SHA-256 for tokens, AES-GCM for upstream keys.
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        // Routes of the management API. Without traits: no full Foundation, which would cost resident memory.
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        // Percentiles of load runs.
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
    ],
    targets: [
        // Floor 0: values and the named C libraries.
        room("ProxyDomain"),
        room("SystemFacts"),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CPostgres", providers: [.apt(["libpq-dev"])]),
        .target(name: "CPostgresLoader", linkerSettings: [.linkedLibrary("dl")]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CBrotli", pkgConfig: "libbrotlidec", providers: [.apt(["libbrotli-dev"])]),

        // Floor 1: promises, bytes, secrets and settings.
        room("ProxyStorage", ["ProxyDomain"]),
        room("SQLDatabase", ["CLinux"]),
        room("ProxyWire", [.nioCore]),
        room("ProxyCodings", ["CZlib", "CBrotli"]),
        room("ProxySecrets", ["ProxyDomain", .crypto]),
        room("ProxySettings", ["ProxyDomain", "CYAML"]),

        // Floor 2: one engine each, the storage in SQL, the ledger, the cache, HTTP/2's frames.
        room("SQLiteDriver", ["SQLDatabase", "SystemFacts", "CSQLite"]),
        room("PostgresDriver", ["SQLDatabase", "CPostgres", "CPostgresLoader"]),
        room("SQLStorage", ["ProxyDomain", "ProxyStorage", "SQLDatabase", .crypto]),
        room("ProxyLedger", ["ProxyDomain", "SystemFacts", "ProxyStorage"]),
        room("ProxyHTTP2", ["ProxyWire", .nioCore]),
        room("ProxyCache", ["ProxyDomain", "ProxyWire", .nioCore, .crypto]),

        // Floor 3: the data plane, the control plane, and what proves them.
        room(
            "ProxyRelay",
            [
                "ProxyDomain", "ProxyStorage", "ProxyWire", "ProxyHTTP2", "ProxyCodings", "ProxyLedger", "ProxyCache",
                .nioCore, .nioPosix, .nioSSL, .nioTLS,
            ]),
        room(
            "ProxyManagement",
            ["ProxyDomain", "ProxyStorage", .hummingbird, .httpTypes, .logging, .nioCore, .crypto]),
        room("ProxySimulator", [.nioCore, .nioPosix, .nioHTTP1]),
        room("ProxyConformance", ["ProxyDomain", "ProxyStorage"]),
        room("ProxyLoad", ["ProxyWire", .nioCore, .nioPosix, .nioSSL, .nioTLS, .histogram]),

        // Floor 4: what stands on the control plane, and whole servers beside each other.
        .target(
            name: "ProxyPages",
            dependencies: [
                "ProxyDomain", "ProxyStorage", "ProxyManagement", .nioCore, .crypto, .logging,
            ],
            resources: [.embedInCode("Resources/templates"), .embedInCode("Resources/assets")],
            swiftSettings: houseSettings),
        room("ProxyBlackBox", ["ProxyConformance"]),
        room("ProxyFleet", ["ProxyLoad", "ProxyFixtures"]),

        // Floor 5: the server, composed.
        room(
            "ProxyServer",
            [
                "ProxyDomain", "SystemFacts", "ProxyStorage", "SQLDatabase", "ProxySecrets", "ProxySettings",
                "SQLiteDriver",
                "PostgresDriver", "SQLStorage", "ProxyLedger", "ProxyCache", "ProxyWire", "ProxyRelay",
                "ProxyManagement", "ProxyPages", .nioCore, .nioPosix, .nioSSL, .logging,
            ]),

        // Floor 6: the command.
        .executableTarget(
            name: "llm-proxy",
            dependencies: [
                "ProxyDomain", "SystemFacts", "ProxyStorage", "SQLStorage", "ProxySettings", "ProxyManagement",
                "ProxyServer",
                "ProxySimulator",
                "ProxyLoad", "ProxyFleet",
                "ProxyConformance", "ProxyBlackBox", .argumentParser, .nioCore, .nioPosix, .nioHTTP1, .nioSSL,
            ],
            swiftSettings: houseSettings),

        // How fast the ledger is, without a proxy around it.
        .executableTarget(
            name: "ledger-throughput",
            dependencies: [
                "ProxyDomain", "ProxyStorage", "SQLDatabase", "SQLiteDriver", "PostgresDriver", "SQLStorage",
                "ProxyLedger", "ProxyFixtures",
            ],
            path: "Benchmarks/LedgerThroughput", swiftSettings: houseSettings),

        // The long fuzz of the codec.
        .executableTarget(
            name: "wire-fuzz", dependencies: ["ProxyWire", "WireFixtures", .nioHTTP1], path: "Benchmarks/WireFuzz",
            swiftSettings: houseSettings),

        // The long fuzz of every parser.
        .executableTarget(
            name: "parser-fuzz", dependencies: ["FuzzFixtures"], path: "Benchmarks/ParserFuzz",
            swiftSettings: houseSettings),

        // What tests stand on: a PostgreSQL of their own.
        .target(
            name: "ProxyFixtures", dependencies: ["CPostgres", "CPostgresLoader"], path: "Tests/Fixtures/Postgres",
            swiftSettings: houseSettings),
        // What breaks things for tests. Apart, because it needs all of Foundation, which the program does without.
        .target(
            name: "FaultFixtures", dependencies: ["ProxyFixtures"], path: "Tests/Fixtures/Faults", exclude: ["shim.c"],
            swiftSettings: houseSettings),
        // What our parser is compared with, and what both are given.
        .target(
            name: "WireFixtures",
            dependencies: [
                "ProxyWire", "ProxyHTTP2", .nioCore, .nioHTTP1, .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            path: "Tests/Fixtures/Wire", swiftSettings: houseSettings),
        // What must hold of our parsers, whatever they are fed.
        .target(
            name: "FuzzFixtures",
            dependencies: [
                "ProxyDomain", "ProxyWire", "ProxyHTTP2", "ProxySettings", "ProxyCache", "PostgresDriver",
                "WireFixtures",
                .nioCore, .nioHPACK,
            ],
            path: "Tests/Fixtures/Fuzz", exclude: ["Corpus"], swiftSettings: houseSettings),
        .testTarget(
            name: "WireTests",
            dependencies: [
                "ProxyWire", "ProxyHTTP2", "ProxyCodings", "WireFixtures", .nioCore, .nioHTTP1, .nioHTTP2, .nioHPACK,
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            path: "Tests/Wire", swiftSettings: houseSettings),
        .testTarget(
            name: "DatabaseTests",
            dependencies: [
                "CSQLite", "SQLDatabase", "SQLiteDriver", "PostgresDriver", "SQLStorage", "ProxyStorage", "ProxyDomain",
                "ProxyFixtures",
            ],
            path: "Tests/Database", swiftSettings: houseSettings),
        .testTarget(
            name: "ConformanceTests",
            dependencies: [
                "ProxyDomain", "ProxyStorage", "SQLDatabase", "SQLiteDriver", "PostgresDriver", "SQLStorage",
                "ProxyLedger", "ProxyCache", "ProxyWire", "ProxySecrets", "ProxySettings", "ProxyServer",
                "ProxySimulator", "ProxyConformance",
                "ProxyBlackBox", "ProxyLoad", "ProxyFleet",
                "ProxyFixtures", "FaultFixtures", "FuzzFixtures", "ProxyManagement", "ProxyPages", "ProxyRelay",
                "llm-proxy",
                .nioCore, .nioPosix,
                .nioSSL,
                .nioTLS, .nioHTTP1, .nioHTTP2, .logging,
            ],
            path: "Tests/Conformance", swiftSettings: houseSettings),
        // The admin pages as people see them.
        .testTarget(
            name: "BrowserTests",
            dependencies: [
                "ProxyBlackBox", "ProxyDomain", "ProxyFixtures", "ProxyManagement", "ProxyServer", "ProxySettings",
                "ProxySimulator", "ProxyLoad", "ProxyFleet",
            ],
            path: "Tests/Browser", swiftSettings: houseSettings),
        .testTarget(
            name: "LoadTests",
            dependencies: ["ProxyLoad", "ProxyFleet", "ProxySimulator", "llm-proxy", .nioCore, .nioPosix],
            path: "Tests/Load", swiftSettings: houseSettings),
    ]
)
