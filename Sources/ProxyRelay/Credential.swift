import NIOCore
import ProxyDomain
import ProxyWire

/// What a request shows to say whose it is.
enum Credential {
    case missing
    case malformed
    case secret(TokenSecret)

    /// Reads `Authorization: Bearer …` (RFC 6750 section 2.1; the scheme in any case, RFC 9110 section 11.1), or else
    /// `x-api-key`. Two of a kind are refused: which of them counts would be a guess.
    static func of(_ head: RequestHead, _ bytes: ByteBuffer) -> Credential {
        bytes.withUnsafeReadableBytes { bytes in
            if let range = head.value(of: .authorization) {
                guard head.count(of: .authorization) == 1 else { return .malformed }
                return bearer(UnsafeRawBufferPointer(rebasing: bytes[range]))
            }
            if let range = head.value(of: .apiKey) {
                guard head.count(of: .apiKey) == 1 else { return .malformed }
                return token(UnsafeRawBufferPointer(rebasing: bytes[range]))
            }
            return .missing
        }
    }

    private static func bearer(_ value: UnsafeRawBufferPointer) -> Credential {
        let scheme = "bearer"
        guard value.count > scheme.utf8.count, zip(value, scheme.utf8).allSatisfy({ $0 | 0x20 == $1 }) else {
            return .malformed
        }
        var start = scheme.utf8.count
        guard value[start] == UInt8(ascii: " ") else { return .malformed }
        while start < value.count, value[start] == UInt8(ascii: " ") { start += 1 }
        return token(UnsafeRawBufferPointer(rebasing: value[start...]))
    }

    private static func token(_ text: UnsafeRawBufferPointer) -> Credential {
        TokenSecret(text).map { .secret($0) } ?? .malformed
    }
}
