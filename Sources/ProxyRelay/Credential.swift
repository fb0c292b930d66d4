import NIOCore
import ProxyDomain
import ProxyWire

/// What a request shows to say whose it is.
enum Credential {
    case missing
    case malformed
    case secret(TokenSecret)

    /// Reads `Authorization: Bearer …` (RFC 6750 section 2.1; the scheme in any case, RFC 9110 section 11.1), or else
    /// `x-api-key`, `api-key` or `x-goog-api-key`. Two of a kind are refused: which of them counts would be a guess.
    ///
    /// - Parameter memory: of the connection's last credential, which is not parsed again.
    static func of(_ head: RequestHead, _ bytes: ByteBuffer, _ memory: inout CredentialMemory) -> Credential {
        bytes.withUnsafeReadableBytes { bytes in
            let kind = head.value(of: .authorization) == nil ? FieldKind.apiKey : .authorization
            guard let range = head.value(of: kind) else { return .missing }
            guard head.count(of: kind) == 1 else { return .malformed }
            let value = UnsafeRawBufferPointer(rebasing: bytes[range])
            if let secret = memory.secret(of: kind, value) { return .secret(secret) }
            let credential = kind == .apiKey ? token(value) : bearer(value)
            if case .secret(let secret) = credential { memory.keep(secret, of: kind, value) }
            return credential
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

/// A connection's last credential and what it stood for: most clients send the same again and again, and then nothing is
/// parsed or looked up.
struct CredentialMemory {
    private var kind = FieldKind.authorization
    private var value: [UInt8] = []
    private var secret: TokenSecret?
    /// The grant of ``secret``, and the ``GrantEpoch`` as of which it was read.
    private var grant: (Grant, epoch: UInt64)?

    /// The secret of a field's value, if it is the value that was kept. Takes as long wherever the two differ.
    fileprivate func secret(of kind: FieldKind, _ value: UnsafeRawBufferPointer) -> TokenSecret? {
        guard kind == self.kind, value.count == self.value.count else { return nil }
        var difference: UInt8 = 0
        for index in value.indices { difference |= value[index] ^ self.value[index] }
        return difference == 0 ? secret : nil
    }

    fileprivate mutating func keep(_ secret: TokenSecret, of kind: FieldKind, _ value: UnsafeRawBufferPointer) {
        self.kind = kind
        self.value = Array(value)
        self.secret = secret
        grant = nil
    }

    /// The grant of the secret that was kept, if it is no older than that.
    func grant(asOf epoch: UInt64) -> Grant? {
        guard let grant, grant.epoch == epoch else { return nil }
        return grant.0
    }

    mutating func keep(_ grant: Grant, asOf epoch: UInt64) { self.grant = (grant, epoch) }
}
