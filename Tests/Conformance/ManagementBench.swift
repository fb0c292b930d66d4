import Foundation
import Logging
import NIOCore
import ProxyDomain
import ProxyManagement
import ProxySettings
import ProxyStorage
import Synchronization

/// A control plane on a storage in memory, at a time that a test moves.
struct ManagementBench {
    final class World: Sendable {
        let now = Mutex(Timestamp(milliseconds: 1_795_000_000_000))
        let random = Mutex(UInt64(1))
        let changes = Mutex(0)
        let readiness = Mutex(Readiness(isDraining: false, hasMigrated: true))
    }

    static let managementToken = "the-management-token"
    static let apiKey = "sk-provider-0123456789abcdef"

    let world = World()
    let storage = ManagementMemoryStorage()
    let management: Management

    init(probeLimit: Duration = .seconds(2), metricsPath: String = "/metrics", metricsEnabled: Bool = true) throws {
        management = try Management(
            Self.dependencies(
                storage, world, probeLimit: probeLimit, metricsPath: metricsPath, metricsEnabled: metricsEnabled))
    }

    static func dependencies(
        _ storage: ManagementMemoryStorage, _ world: World, probeLimit: Duration = .seconds(2),
        metricsPath: String = "/metrics", metricsEnabled: Bool = true
    ) -> ManagementDependencies {
        ManagementDependencies(
            storage: storage, seal: { SealedKey(ciphertext: "sealed(\($0.count) for \($1))", hint: "sk-…cdef") },
            isManagementToken: { $0 == managementToken }, rootCredential: .ofCredential(managementToken),
            digest: { TokenDigest(text: "digest of \($0.revealed())") },
            now: { world.now.withLock { $0 } },
            random: {
                world.random.withLock { state in
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return state
                }
            },
            providers: { ProviderNames(all: ["openai", "local"], usual: "openai") },
            isBaseURL: { BaseURL($0) != nil }, version: "1.2.3",
            readiness: { world.readiness.withLock { $0 } }, metrics: { [] },
            grantsChanged: { world.changes.withLock { $0 += 1 } }, metricsPath: metricsPath,
            metricsEnabled: metricsEnabled, probeLimit: probeLimit,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    struct Reply {
        let response: ManagementResponse
        var status: Int { response.status }
        var text: String { String(buffer: response.body) }

        func field(_ name: String) -> String? {
            response.fields.first { $0.name.lowercased() == name.lowercased() }?.value
        }

        var object: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(response.body.readableBytesView))) as? [String: Any] ?? [:]
        }

        var list: [[String: Any]] {
            (try? JSONSerialization.jsonObject(with: Data(response.body.readableBytesView))) as? [[String: Any]] ?? []
        }

        var code: String? { object["code"] as? String }
        var explanation: String { "\(object["error"] ?? "") \(object["description"] ?? "")" }
    }

    func send(
        _ method: String, _ target: String, _ body: String = "", token: String? = managementToken,
        fields: [(name: String, value: String)]? = nil, from address: String = "192.0.2.1"
    ) async -> Reply {
        await send(method, target, bytes: Array(body.utf8), token: token, fields: fields, from: address)
    }

    func send(
        _ method: String, _ target: String, bytes: [UInt8], token: String? = managementToken,
        fields: [(name: String, value: String)]? = nil, from address: String = "192.0.2.1"
    ) async -> Reply {
        var all = fields ?? [("Content-Type", "application/json; charset=utf-8")]
        if let token { all.append(("authorization", "bearer \(token)")) }
        let request = ManagementRequest(
            method: method, target: target, fields: all, body: ByteBuffer(bytes: bytes), peerAddress: address)
        return Reply(response: await management.respond(to: request))
    }

    func newProject(_ name: String = "p") async -> String {
        let reply = await send("POST", "/manage/projects", #"{"name":"\#(name)","api_key":"\#(Self.apiKey)"}"#)
        return reply.object["id"] as? String ?? "none: \(reply.text)"
    }

    func newToken(of project: String, _ more: String = #","never_expires":true"#) async -> Reply {
        await send("POST", "/manage/tokens", #"{"project_id":"\#(project)"\#(more)}"#)
    }

    func pass(_ duration: Duration) { world.now.withLock { $0 = $0 + duration } }
    var changes: Int { world.changes.withLock { $0 } }
}
