import Foundation
import NIOCore
import ProxyManagement
import ProxyStorage
import Synchronization
import Testing

@Suite struct ManagementHealthTests {
    @Test func healthSaysWhatTheDatabaseSays() async throws {
        let bench = try ManagementBench()
        let well = await bench.send("GET", "/health", token: nil)
        let database = well.object["database"] as? [String: Any] ?? [:]
        #expect(well.status == 200 && well.object["status"] as? String == "ok")
        #expect(well.object["version"] as? String == "1.2.3" && well.object["timestamp"] is String)
        #expect(database["driver"] as? String == "sqlite" && database["status"] as? String == "ok")
        #expect(database["latency_ms"] is NSNumber)
        bench.storage.content.withLock { $0.failure = .unavailable }
        let ill = await bench.send("GET", "/health", token: nil)
        #expect(ill.status == 503 && ill.field("Retry-After") == "1" && !ill.text.contains("secret detail"))
        #expect(await bench.send("GET", "/ready", token: nil).status == 503)
        #expect(await bench.send("GET", "/live", token: nil).status == 200)
    }

    @Test func readyFailsWhileDrainingAndBeforeTheMigrations() async throws {
        let bench = try ManagementBench()
        #expect(await bench.send("GET", "/ready", token: nil).status == 200)
        bench.world.readiness.withLock { $0.isDraining = true }
        let draining = await bench.send("GET", "/ready", token: nil)
        #expect(draining.status == 503 && draining.object["reasons"] as? [String] == ["draining"])
        bench.world.readiness.withLock { $0 = Readiness(isDraining: false, hasMigrated: false) }
        #expect(await bench.send("GET", "/ready", token: nil).status == 503)
        #expect(await bench.send("GET", "/health", token: nil).status == 200)
    }

    @Test(.timeLimit(.minutes(1)))
    func aSilentDatabaseIsReportedInTimeAndAskedOnlyOnce() async throws {
        let bench = try ManagementBench(probeLimit: .milliseconds(50))
        bench.storage.content.withLock { $0.isSilent = true }
        for _ in 0..<3 {
            let reply = await bench.send("GET", "/health", token: nil)
            #expect(reply.status == 503 && reply.text.contains("not answering"))
        }
        #expect(bench.storage.content.withLock { $0.probes } == 1)
        bench.storage.unpark()
        while await bench.send("GET", "/health", token: nil).status != 200 { await Task.yield() }
    }

    @Test func theMetricsHoldTheDatabasesFigures() async throws {
        let bench = try ManagementBench()
        let page = await bench.send("GET", "/metrics", token: nil)
        #expect(page.status == 200 && page.field("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
        for line in [
            "# TYPE llm_proxy_database_file_size_bytes gauge", "llm_proxy_database_file_size_bytes 4096",
            #"llm_proxy_database_commit_seconds_bucket{driver="sqlite",le="0.001"} 2"#,
            #"llm_proxy_database_commit_seconds_bucket{driver="sqlite",le="+Inf"} 4"#,
            #"llm_proxy_database_commit_seconds_sum{driver="sqlite"} 0.5"#,
            #"llm_proxy_database_commit_seconds_count{driver="sqlite"} 4"#, #"llm_proxy_build_info{version="1.2.3"} 1"#,
        ] { #expect(page.text.contains(line + "\n"), "\(line)") }
        let json = await bench.send("GET", "/metrics", fields: [("Accept", "text/html, application/json;q=0.9")])
        #expect(json.field("Content-Type") == "application/json")
        let names = (json.object["metrics"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
        #expect(
            names == [
                "llm_proxy_build_info", "llm_proxy_configuration_warnings", "llm_proxy_database_file_size_bytes",
                "llm_proxy_database_commit_seconds",
            ])
        let refused = await bench.send("GET", "/metrics", fields: [("Accept", "application/json;q=0, */*")])
        #expect(refused.text.hasPrefix("# HELP"))
        let alias = await bench.send("GET", "/metrics/prometheus", fields: [("Accept", "application/json")])
        #expect(alias.text == page.text)
    }

    @Test func theTextFormEscapesAndWritesOddNumbers() {
        func sample(_ value: Double, _ labels: [String: String] = [:]) -> MetricFamily.Sample {
            MetricFamily.Sample(labels: labels, value: .number(value))
        }
        let family = MetricFamily(
            name: "x", help: "back\\slash \"quote\"\nline", kind: .counter,
            samples: [
                sample(0, ["b": "q\"\\\n", "a": "1"]), sample(.nan), sample(.infinity), sample(-.infinity),
                sample(0.25),
                sample(1e300), sample(-3),
            ])
        let expected = #"""
            # HELP x back\\slash "quote"\nline
            # TYPE x counter
            x{a="1",b="q\"\\\n"} 0
            x NaN
            x +Inf
            x -Inf
            x 0.25
            x 1e+300
            x -3

            """#
        #expect(MetricFamily.exposition(of: [family]) == expected)
    }
}
