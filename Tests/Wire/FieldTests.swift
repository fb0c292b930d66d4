import WireFixtures
import NIOCore
import ProxyWire
import Foundation
import Testing

@Suite struct FieldTests {
    static let names: [(String, FieldKind)] = [
        ("authorization", .authorization), ("x-api-key", .apiKey), ("api-key", .apiKey), ("x-goog-api-key", .apiKey),
        ("host", .host), ("cache-control", .cacheControl), ("age", .age), ("content-length", .contentLength),
        ("transfer-encoding", .transferEncoding), ("connection", .connection), ("keep-alive", .keepAlive),
        ("proxy-connection", .proxyConnection), ("te", .te), ("trailer", .trailer), ("upgrade", .upgrade),
        ("proxy-authenticate", .proxyAuthenticate), ("proxy-authorization", .proxyAuthorization), ("expect", .expect),
        ("content-type", .contentType), ("content-encoding", .contentEncoding), ("origin", .origin),
        ("forwarded", .clientAddress), ("x-forwarded-for", .clientAddress), ("x-forwarded-host", .clientAddress),
        ("x-forwarded-proto", .clientAddress), ("x-forwarded-anything", .clientAddress), ("x-real-ip", .clientAddress),
        ("true-client-ip", .clientAddress), ("via", .clientAddress), ("x-client-ip", .clientAddress),
        ("traceparent", .traceParent), ("tracestate", .traceState),
        ("cf-connecting-ip", .clientAddress), ("x-request-id", .requestID),
        ("date", .date), ("server", .server), ("access-control-request-method", .accessControl),
        ("access-control-request-headers", .accessControl), ("access-control-allow-origin", .accessControl),
        ("x-ratelimit-limit-requests", .rateLimit), ("x-ratelimit-reset-tokens", .rateLimit), ("x-ratelimit-", .other),
        ("x-forwarded-", .other), ("access-control-", .other), ("user-agent", .other),
        ("accept", .other), ("accept-encoding", .acceptEncoding), ("accept-encodinh", .other),
    ]

    private func kind(of name: String) throws -> FieldKind? {
        var parser = ResponseHeadParser()
        var head = ResponseHead()
        let bytes = octets("HTTP/1.1 200 OK\r\n\(name): chunked\r\n\r\n")
        do {
            _ = try bytes.withUnsafeBytes { try parser.parse($0, answering: .get, into: &head) }
        } catch WireFault.malformedLength {
            return .contentLength
        }
        return head.fields.first?.kind
    }

    @Test func everyNameHasItsKindInAnyCase() throws {
        for (name, kind) in Self.names {
            #expect(try self.kind(of: name) == kind, "\(name)")
            #expect(try self.kind(of: name.uppercased()) == kind, "\(name)")
        }
        #expect(Set(Self.names.map(\.1)).union([.namedByConnection]) == Set(FieldKind.allCases))
    }

    @Test func aNameThatIsOneByteOffIsOther() throws {
        let families: Set<FieldKind> = [.accessControl, .rateLimit]
        for (name, kind) in Self.names
        where kind != .other && !families.contains(kind) && !name.hasPrefix("x-forwarded-") {
            for index in name.indices {
                for wrong in ["_", "~", "^", "0", "`", "|"] where String(name[index]) != wrong {
                    #expect(try self.kind(of: name.replacingCharacters(in: index...index, with: wrong)) == .other)
                }
            }
            #expect(try self.kind(of: name + "s") == .other)
            #expect(try self.kind(of: String(name.dropLast())) == .other)
        }
    }

    @Test func everyByteIsAllowedWhereTheGrammarAllowsIt() {
        let tokens = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        for byte in UInt8.min...UInt8.max {
            let line = "GET / HTTP/1.1\r\nHost: a\r\n"
            for before in 1...17 {
                let name = octets(line + String(repeating: "x", count: before)) + [byte] + octets("y: 1\r\n\r\n")
                let isName = tokens.contains(byte) || byte == 0x3A
                #expect((readRequest(name).fault == nil) == isName, "name \(byte) after \(before)")
            }
            let isText = byte == 9 || byte >= 0x20 && byte != 0x7F
            for before in 0..<18 {
                let value = octets(line + "x: " + String(repeating: "v", count: before)) + [byte] + octets("v\r\n\r\n")
                #expect((readRequest(value).fault == nil) == isText, "value \(byte)")
            }
            let target = readRequest(octets("GET /") + [byte] + octets(" HTTP/1.1\r\nHost: a\r\n\r\n")).fault == nil
            #expect(target == (0x21...0x7E ~= byte && byte != 0x23), "target \(byte)")
            let host = readRequest(octets("GET / HTTP/1.1\r\nHost: a") + [byte] + octets("b\r\n\r\n")).fault == nil
            #expect(host == hostBytes.contains(byte), "host \(byte)")
        }
    }

    private var hostBytes: Set<UInt8> {
        Set("-._~!$&'()*+;=0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    }

    @Test func hopByHopFieldsAreThoseOfTheirSection() {
        let hops: Set<FieldKind> = [
            .connection, .keepAlive, .proxyConnection, .te, .transferEncoding, .upgrade, .proxyAuthenticate,
            .proxyAuthorization, .namedByConnection,
        ]
        for kind in FieldKind.allCases { #expect(FieldKinds.hopByHop.contains(kind) == hops.contains(kind)) }
        #expect(!FieldKinds.hopByHop.subtracting(FieldKinds(.te)).contains(.te))
    }

    @Test func keptLinesAreCopiedAsTheyStand() throws {
        let lines = [
            "Host: a\r\n", "x:  1 \r\n", "Connection: y\r\n", "TE: t\r\n", "y: 2\r\n", "Authorization: k\r\n", "z:\r\n",
            "w: 3\r\n",
        ]
        let bytes = octets("\r\nGET / HTTP/1.1\r\n" + lines.joined() + "\r\nbody")
        var parser = RequestHeadParser()
        var head = RequestHead()
        #expect(try bytes.withUnsafeBytes { try parser.parse($0, into: &head) })
        func kept(_ dropping: FieldKinds) -> String {
            var buffer = ByteBuffer(string: "> ")
            bytes.withUnsafeBytes { bytes in
                buffer.writeHead(ofAtMost: bytes.count) { $0.writeKept(head.fields, of: bytes, dropping: dropping) }
            }
            return String(buffer: buffer)
        }
        #expect(kept([]) == "> " + lines.joined())
        #expect(kept(.hopByHop.union(FieldKinds(.authorization, .host))) == "> x:  1 \r\nz:\r\nw: 3\r\n")
        #expect(kept(FieldKinds(.other)) == "> Host: a\r\nConnection: y\r\nTE: t\r\ny: 2\r\nAuthorization: k\r\n")
        #expect(kept(FieldKinds(rawValue: .max)) == "> ")
        var empty = ByteBuffer()
        empty.writeHead(ofAtMost: 0) {
            $0.writeKept([], of: UnsafeRawBufferPointer(start: nil, count: 0), dropping: [])
        }
        #expect(empty.readableBytes == 0)
    }
}
