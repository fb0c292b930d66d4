import ProxyConformance
import Testing

/// Every promise of the catalogues, on every backend. Suites run side by side, the scenarios of one after another.
@Suite("Conformance", .writesReport, .timeLimit(.minutes(10)))
struct Conformance {
    @Suite("Storage in memory", .serialized)
    struct StorageInMemory {
        @Test("keeps its promise", arguments: Catalogue.chosen(StorageScenario.all))
        func keeps(_ scenario: StorageScenario) async throws { try await scenario.trial(on: .sqliteMemory) }
    }

    @Suite("Storage in a file", .serialized)
    struct StorageInFile {
        @Test("keeps its promise", arguments: Catalogue.chosen(StorageScenario.all))
        func keeps(_ scenario: StorageScenario) async throws { try await scenario.trial(on: .sqliteFile) }
    }

    @Suite("Storage on PostgreSQL", .serialized)
    struct StorageOnPostgres {
        @Test("keeps its promise", arguments: Catalogue.chosen(StorageScenario.all))
        func keeps(_ scenario: StorageScenario) async throws { try await scenario.trial(on: .postgres) }
    }

    @Suite("HTTP, storage in memory", .serialized)
    struct HTTPInMemory {
        @Test("keeps its promise", arguments: Catalogue.chosen(HTTPScenario.all))
        func keeps(_ scenario: HTTPScenario) async throws {
            try await scenario.trial(on: InProcessProxy(engine: .sqliteMemory))
        }
    }

    @Suite("HTTP, storage in a file", .serialized)
    struct HTTPInFile {
        @Test("keeps its promise", arguments: Catalogue.chosen(HTTPScenario.all))
        func keeps(_ scenario: HTTPScenario) async throws {
            try await scenario.trial(on: InProcessProxy(engine: .sqliteFile))
        }
    }

    @Suite("HTTP, storage on PostgreSQL", .serialized)
    struct HTTPOnPostgres {
        @Test("keeps its promise", arguments: Catalogue.chosen(HTTPScenario.all))
        func keeps(_ scenario: HTTPScenario) async throws {
            try await scenario.trial(on: InProcessProxy(engine: .postgres))
        }
    }

    @Suite("HTTP, spoken as HTTP/2", .serialized)
    struct HTTPAsHTTP2 {
        @Test("keeps its promise", arguments: Catalogue.chosen(HTTPScenario.all))
        func keeps(_ scenario: HTTPScenario) async throws {
            try await scenario.trial(on: InProcessProxy(engine: .sqliteMemory, speaksHTTP2: true))
        }
    }

    @Suite("HTTP, upstream as HTTP/2", .serialized)
    struct HTTPUpstreamHTTP2 {
        @Test("keeps its promise", arguments: Catalogue.chosen(HTTPScenario.all))
        func keeps(_ scenario: HTTPScenario) async throws {
            try await scenario.trial(on: InProcessProxy(engine: .sqliteMemory, upstreamSpeaksHTTP2: true))
        }
    }

    @Suite("Command", .serialized)
    struct CommandScenarios {
        @Test("keeps its promise", arguments: Catalogue.chosen(CommandScenario.all))
        func keeps(_ scenario: CommandScenario) async throws {
            let trial = Trial(
                catalogue: Catalogue.command, id: scenario.id, promise: scenario.promise, place: scenario.place,
                backend: "process")
            let bench = try ProcessBench()
            try await trial.conclude {
                let verdict = await scenario.run(at: bench)
                await bench.clear()
                return verdict
            }
        }
    }
}

extension StorageScenario {
    fileprivate func trial(on engine: Engine) async throws {
        let trial = Trial(
            catalogue: Catalogue.storage, id: id, promise: promise, place: place, backend: engine.name)
        try await trial.conclude { await run(on: engine) }
    }
}

extension HTTPScenario {
    fileprivate func trial(on backend: InProcessProxy) async throws {
        let trial = Trial(
            catalogue: Catalogue.http, id: id, promise: promise, place: place, backend: backend.name)
        try await trial.conclude { await run(on: backend) }
    }
}
