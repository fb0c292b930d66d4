import NIOCore

/// What a load balancer writes before a connection's own bytes, to tell whose it is: the PROXY protocol, versions 1 and 2
/// (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
public struct ProxyProtocolHeader: Hashable, Sendable {
    /// All bytes of it.
    public let length: Int
    /// Where the client is, without its port; `nil` when the balancer speaks for itself, or doesn't know.
    public let address: String?

    /// The bytes are not such a header.
    public struct Malformed: Error {}

    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    private static let prefix = Array("PROXY ".utf8)
    /// Section 2.1: the longest line, its end included.
    private static let longestLine = 107
    private static let fixedLength = 16
    /// Longer ones than any balancer writes are refused.
    private static let mostBytes = 4096

    /// Reads it off the beginning of a connection. `nil` when it has not come whole.
    public static func read(_ bytes: UnsafeRawBufferPointer) throws(Malformed) -> Self? {
        if zip(bytes, signature).allSatisfy({ $0 == $1 }) {
            return bytes.count < signature.count ? nil : try readBinary(bytes)
        }
        guard zip(bytes, prefix).allSatisfy({ $0 == $1 }) else { throw Malformed() }
        return bytes.count < prefix.count ? nil : try readLine(bytes)
    }

    private static func readLine(_ bytes: UnsafeRawBufferPointer) throws(Malformed) -> Self? {
        guard let end = bytes.prefix(longestLine).firstIndex(of: 0x0A) else {
            guard bytes.count < longestLine else { throw Malformed() }
            return nil
        }
        guard bytes[end - 1] == 0x0D else { throw Malformed() }
        let words = String(decoding: bytes[..<(end - 1)], as: UTF8.self)
            .split(separator: " ", omittingEmptySubsequences: false)
        if words.count >= 2, words[1] == "UNKNOWN" { return Self(length: end + 1, address: nil) }
        guard words.count == 6, isPort(words[4]), isPort(words[5]) else { throw Malformed() }
        let family: NIOBSDSocket.ProtocolFamily
        switch words[1] {
        case "TCP4": family = .inet
        case "TCP6": family = .inet6
        default: throw Malformed()
        }
        guard isAddress(words[2], family), isAddress(words[3], family) else { throw Malformed() }
        return Self(length: end + 1, address: String(words[2]))
    }

    private static func readBinary(_ bytes: UnsafeRawBufferPointer) throws(Malformed) -> Self? {
        guard bytes.count >= fixedLength else { return nil }
        let (version, command) = (bytes[12] >> 4, bytes[12] & 15)
        let rest = Int(bytes[14]) << 8 | Int(bytes[15])
        guard version == 2, command <= 1, fixedLength + rest <= mostBytes else { throw Malformed() }
        let length = fixedLength + rest
        guard bytes.count >= length else { return nil }
        guard command == 1 else { return Self(length: length, address: nil) }
        switch bytes[13] {
        case 0x11 where rest >= 12:
            return Self(length: length, address: bytes[16..<20].map { "\($0)" }.joined(separator: "."))
        case 0x21 where rest >= 36:
            let groups = (0..<8).map { String(UInt16(bytes[16 + 2 * $0]) << 8 | UInt16(bytes[17 + 2 * $0]), radix: 16) }
            return Self(length: length, address: groups.joined(separator: ":"))
        case 0x11, 0x21: throw Malformed()
        default: return Self(length: length, address: nil)
        }
    }

    private static func isPort(_ text: Substring) -> Bool {
        // A number alone would take a sign, too.
        text.utf8.allSatisfy(\.isDigit) && UInt16(text) != nil
    }

    private static func isAddress(_ text: Substring, _ family: NIOBSDSocket.ProtocolFamily) -> Bool {
        // Others have a meaning to who reads addresses: a zone, an end.
        text.utf8.allSatisfy { $0.nibble != nil || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }
            && (try? SocketAddress(ipAddress: String(text), port: 0))?.protocol == family
    }
}
