import ProxyConformance
import Testing

/// Every promise of the catalogues, on every backend. Suites run side by side, the scenarios of one after another.
@Suite("Conformance", .writesReport, .timeLimit(.minutes(10)))
struct Conformance {
    @Suite("Storage", .serialized)
    struct StorageScenarios {
        @Test("keeps its promise", arguments: Engine.allCases, Catalogue.chosen(StorageScenario.all))
        func keeps(_ engine: Engine, _ scenario: StorageScenario) async throws {
            let trial = Trial(
                catalogue: Catalogue.storage, id: scenario.id, promise: scenario.promise, place: scenario.place,
                backend: engine.name)
            try await trial.conclude { await scenario.run(on: engine) }
        }
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

    @Suite("Command", .serialized)
    struct CommandScenarios {
        @Test("keeps its promise", arguments: Catalogue.chosen(CommandScenario.all))
        func keeps(_ scenario: CommandScenario) async throws {
            let trial = Trial(
                catalogue: Catalogue.command, id: scenario.id, promise: scenario.promise, place: scenario.place,
                backend: "process")
            try await trial.conclude {
                let bench = ProcessBench()
                let verdict = await scenario.run(at: bench)
                await bench.clear()
                return verdict
            }
        }
    }
}

extension HTTPScenario {
    fileprivate func trial(on backend: InProcessProxy) async throws {
        let trial = Trial(
            catalogue: Catalogue.http, id: id, promise: promise, place: place, backend: backend.name)
        try await trial.conclude { await run(on: backend) }
    }
}
