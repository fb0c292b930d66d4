import Crypto
import NIOCore
import ProxyDomain
import ProxyStorage

/// What a client calls a request that makes something, so that it may send it again (`Idempotency-Key`).
struct IdempotencyKey: Sendable {
    /// Of the key, who sent it and what it was sent to: two may choose the same, and see nothing of each other's.
    let digest: String
    /// Of what is asked.
    let fingerprint: String

    /// `nil` when there is none.
    init?(_ call: Call) throws(ManagementFailure) {
        let values = call.request.values(of: "idempotency-key")
        guard let text = values.first else { return nil }
        let isVisible = text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
        guard values.count == 1, isVisible, (1...255).contains(text.utf8.count) else {
            throw .input(
                .invalid(name: "Idempotency-Key", rule: "must be one text of 1 to 255 visible ASCII characters"))
        }
        digest = Hexadecimal.text(
            SHA256.hash(
                data: Array("\(call.request.method) \(call.request.path)\n\(call.principal?.name ?? "")\n\(text)".utf8))
        )
        fingerprint = Hexadecimal.text(SHA256.hash(data: Array(call.request.body.readableBytesView)))
    }
}

extension ManagementDependencies {
    /// A handler that makes something once, however often it is asked to under one key.
    func once(_ handler: @escaping Endpoint.Handler) -> Endpoint.Handler {
        { call in
            guard let key = try IdempotencyKey(call) else { return try await handler(call) }
            if let answer = try await rememberedAnswer(key) { return answer }
            do {
                return try await handler(call)
            } catch let error as StorageError {
                // The same may have come first, at the same time: what exists already is what this one asks for.
                guard case .alreadyExists = error.kind, let answer = try await rememberedAnswer(key) else {
                    throw error
                }
                return answer
            }
        }
    }

    /// The storage in which something is made that is answered so: the answer is kept with it if the client gave a key.
    func storage(
        _ storage: any Storage, remembering answer: Answer, to call: Call, for project: ProjectID, at now: Timestamp
    ) throws -> any Storage {
        guard let key = try IdempotencyKey(call) else { return storage }
        let kept = JSONValue.object([
            ("status", .integer(answer.status)), ("body", .string(String(buffer: answer.body))),
            ("fields", .array(answer.fields.map { .names([$0.name, $0.value]) })),
        ])
        return storage.remembering(
            RememberedAnswer(
                key: key.digest, fingerprint: key.fingerprint, project: project,
                sealed: try seal(kept.text, project).ciphertext, answeredAt: now))
    }

    /// How far back answers are looked for.
    private static let memory = Duration.seconds(-86_400)

    private func rememberedAnswer(_ key: IdempotencyKey) async throws -> Answer? {
        guard let found = try await storage.rememberedAnswer(key.digest, since: now() + Self.memory) else { return nil }
        guard found.fingerprint == key.fingerprint else { throw ManagementFailure.input(.keyReused) }
        guard let text = open(found.sealed, found.project), let answer = Answer(kept: text) else {
            throw ManagementFailure.storage(.unexpected)
        }
        return answer
    }
}

extension Answer {
    /// One that was kept, marked as given again.
    fileprivate init?(kept text: String) {
        guard case .members(let members)? = try? JSONReader.read(Array(text.utf8)) else { return nil }
        let values = Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.value) })
        guard case .number(let status)? = values["status"], case .string(let body)? = values["body"],
            case .array(let fields)? = values["fields"], let status = Int(status)
        else { return nil }
        let pairs: [(name: String, value: String)] = fields.compactMap { field in
            guard case .array(let pair) = field, case .string(let name)? = pair.first,
                case .string(let value)? = pair.last
            else { return nil }
            return (name, value)
        }
        self.init(
            status: status, fields: pairs + [("Idempotency-Replayed", "true")], body: ByteBuffer(string: body))
    }
}
