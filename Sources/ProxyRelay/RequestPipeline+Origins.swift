import NIOCore
import ProxyDomain
import ProxyWire

/// Requests of web pages: browsers ask whether a page may call us, and whether it may read the answer (Fetch Standard, "HTTP
/// CORS protocol").
extension Exchange {
    /// Looks whether the request comes from a page that any provider allows. What it gets may be read by it, refusals included.
    func noteOrigin(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer, _ origins: OriginPolicy) {
        guard let range = head.value(of: .origin), head.count(of: .origin) == 1 else { return }
        let origin = UnsafeRawBufferPointer(rebasing: bytes[range])
        if origins.allows(origin) { pageOrigin.append(contentsOf: origin) }
    }

    /// Answers a browser that asks before it sends a page's request. It shows no token, hence is answered by its origin alone.
    /// - Returns: whether the request was one.
    func answerPreflight(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer, _ origins: OriginPolicy) -> Bool {
        guard head.method == .options,
            head.fields.contains(where: { $0.isNamed(Self.requestMethod, in: bytes) })
        else { return false }
        guard !pageOrigin.isEmpty, let downstream else {
            refuse(.originNotAllowed)
            return true
        }
        status = 204
        let keepsAlive = head.keepsAlive && !relay.isDraining && downstream.canSkipBody
        let headers =
            origins.headers
            ?? head.fields.first { $0.isNamed(Self.requestHeaders, in: bytes) }.map {
                String(decoding: bytes[$0.valueRange], as: UTF8.self)
            }
        var answer = ByteBuffer()
        answer.writeString("HTTP/1.1 204 No Content\r\n")
        answer.writeAccess(of: pageOrigin)
        answer.writeString("Access-Control-Allow-Methods: \(origins.methods.joined(separator: ", "))\r\n")
        if let headers { answer.writeString("Access-Control-Allow-Headers: \(headers)\r\n") }
        answer.writeString("Access-Control-Max-Age: \(origins.maxAge)\r\nX-Proxy-Request-ID: \(requestID.text)\r\n")
        if !keepsAlive { answer.writeString("Connection: close\r\n") }
        answer.writeString("\r\n")
        downstream.write(answer)
        downstream.flush()
        end(outcome: nil, code: nil)
        if keepsAlive { downstream.discardBody() } else { downstream.closeAfterAnswer() }
        return true
    }

    private static let requestMethod = Array("access-control-request-method".utf8)
    private static let requestHeaders = Array("access-control-request-headers".utf8)
}

extension EndpointRules {
    /// What is wrong with a request's fields: one that is missing, or the page it comes from.
    func refusalOfFields(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer) -> RelayRefusal? {
        for required in requiredFields {
            let isThere = head.fields.contains { field in
                // One that Connection names stays behind, and an underscore is no hyphen to a provider that requires it.
                field.kind != .namedByConnection && field.isNamed(required.lowerCase, in: bytes)
                    && !field.valueRange.isEmpty && !bytes[field.nameRange].contains(UInt8(ascii: "_"))
            }
            if !isThere { return required.isOrigin ? .originRequired : .headerRequired(name: required.name) }
        }
        guard let origins, let range = head.value(of: .origin) else { return nil }
        let isAllowed = head.count(of: .origin) == 1 && origins.allows(UnsafeRawBufferPointer(rebasing: bytes[range]))
        return isAllowed ? nil : .originNotAllowed
    }

    /// What is wrong with a parameter of its query.
    func refusalOfQuery(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer) -> RelayRefusal? {
        guard !parameters.isEmpty, let query = head.queryRange else { return nil }
        return parameters.violation(inQuery: UnsafeRawBufferPointer(rebasing: bytes[query])).map {
            .paramNotAllowed($0)
        }
    }
}

/// A field that requests must have.
struct RequiredField: Sendable {
    let name: String
    let lowerCase: [UInt8]
    var isOrigin: Bool { lowerCase == Array("origin".utf8) }

    init(_ name: String) {
        self.name = name
        lowerCase = Array(name.lowercased().utf8)
    }
}

extension ByteBuffer {
    /// Writes that a page of this origin may read the answer; nothing for none.
    mutating func writeAccess(of origin: [UInt8]) {
        writeHead(ofAtMost: origin.count + 128) { $0.writeAccess(of: origin) }
    }
}
