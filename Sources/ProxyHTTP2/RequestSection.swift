public import NIOCore
public import ProxyWire

extension ByteBuffer {
    /// Packs a request's head as HTTP/1.1 has it, for an upstream behind TLS. What concerns one connection is left out, and names are
    /// in lower case (RFC 9113 section 8.2). Credentials are marked so that nobody on the way remembers them (RFC 7541 section 7.1.3).
    /// - Parameter bytes: what `head` was read from.
    public mutating func writeRequestSection(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer) {
        switch head.method {
        // Whole lines of the static table (RFC 7541 appendix A).
        case .get: writeInteger(0x82 as UInt8)
        case .post: writeInteger(0x83 as UInt8)
        default: writePseudo(":method", UnsafeRawBufferPointer(rebasing: bytes[head.methodRange]))
        }
        // https
        writeInteger(0x87 as UInt8)
        writePseudo(":path", UnsafeRawBufferPointer(rebasing: bytes[head.targetRange]))
        if let host = head.value(of: .host) {
            writePseudo(":authority", UnsafeRawBufferPointer(rebasing: bytes[host]))
        }
        for field in head.fields where field.kind != .host && !FieldKinds.hopByHop.contains(field.kind) {
            writeField(field, of: bytes, isSecret: field.isCredential(in: bytes))
        }
    }

    private mutating func writePseudo(_ name: StaticString, _ value: UnsafeRawBufferPointer) {
        writeUnindexed(
            name: UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount), value: value)
    }
}

extension FieldLine {
    /// Whether it is, by its name, what somebody is known by: `Authorization`, `Cookie`, and keys as providers call them, such as
    /// `Api-Key` or `X-Goog-Api-Key`.
    fileprivate func isCredential(in bytes: UnsafeRawBufferPointer) -> Bool {
        switch kind {
        case .authorization, .apiKey: return true
        case .other:
            let name = bytes[nameRange]
            return name.hasSuffix("api-key") || name.count == 6 && name.hasSuffix("cookie")
        default: return false
        }
    }
}

extension Slice<UnsafeRawBufferPointer> {
    /// Whether it ends with `text`, of letters in lower case and hyphens, in whatever case.
    fileprivate func hasSuffix(_ text: StaticString) -> Bool {
        let suffix = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        return self.suffix(suffix.count).elementsEqual(suffix) { $0 | 0x20 == $1 }
    }
}
