public import ProxyWire

/// What the `Cache-Control` fields of a message say (RFC 9111 section 5.2). Directives that nobody knows mean nothing.
public struct CacheDirectives: Hashable, Sendable {
    public private(set) var isPublic = false
    /// With field names too, it means all of the answer here, which is always right to assume.
    public private(set) var isPrivate = false
    public private(set) var noStore = false
    /// As ``isPrivate``.
    public private(set) var noCache = false
    public private(set) var mustRevalidate = false
    public private(set) var onlyIfCached = false
    /// In seconds. Of several, or of one that can't be read, the least (section 4.2.1).
    public private(set) var maxAge: Int64?
    /// As ``maxAge``.
    public private(set) var sharedMaxAge: Int64?
    public private(set) var minFresh: Int64?

    /// Reads a request's fields; `Pragma` where there is no `Cache-Control` (section 5.4).
    public init(of head: RequestHead, _ bytes: UnsafeRawBufferPointer) {
        read(head.fields, bytes)
        guard head.value(of: .cacheControl) == nil else { return }
        for field in head.fields where field.kind == .other && field.isNamed(Self.pragma, in: bytes) {
            read(UnsafeRawBufferPointer(rebasing: bytes[field.valueRange]))
        }
    }

    /// Reads an answer's fields.
    public init(of head: ResponseHead, _ bytes: UnsafeRawBufferPointer) { read(head.fields, bytes) }

    private mutating func read(_ fields: [FieldLine], _ bytes: UnsafeRawBufferPointer) {
        for field in fields where field.kind == .cacheControl {
            read(UnsafeRawBufferPointer(rebasing: bytes[field.valueRange]))
        }
    }

    private static let pragma = Array("pragma".utf8)

    /// Reads one value: a list of `name`, `name=token` and `name="text"`.
    private mutating func read(_ list: UnsafeRawBufferPointer) {
        var position = 0
        func skip(while isWanted: (UInt8) -> Bool) -> Range<Int> {
            let start = position
            while position < list.count, isWanted(list[position]) { position += 1 }
            return start..<position
        }
        while position < list.count {
            _ = skip { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: ",") }
            let name = skip { $0 > 0x20 && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=") }
            var argument: Range<Int>?
            if position < list.count, list[position] == UInt8(ascii: "=") {
                position += 1
                if position < list.count, list[position] == UInt8(ascii: "\"") {
                    position += 1
                    argument = skip { $0 != UInt8(ascii: "\"") }
                } else {
                    argument = skip { $0 > 0x20 && $0 != UInt8(ascii: ",") }
                }
            }
            note(
                UnsafeRawBufferPointer(rebasing: list[name]),
                argument.map { UnsafeRawBufferPointer(rebasing: list[$0]) })
            _ = skip { $0 != UInt8(ascii: ",") }
        }
    }

    private mutating func note(_ name: UnsafeRawBufferPointer, _ argument: UnsafeRawBufferPointer?) {
        func isNamed(_ wanted: StaticString) -> Bool {
            name.count == wanted.utf8CodeUnitCount
                && name.indices.allSatisfy {
                    name[$0] | 0x20 == wanted.utf8Start[$0] || name[$0] == wanted.utf8Start[$0]
                }
        }
        if isNamed("public") { isPublic = true }
        if isNamed("private") { isPrivate = true }
        if isNamed("no-store") { noStore = true }
        if isNamed("no-cache") { noCache = true }
        if isNamed("must-revalidate") { mustRevalidate = true }
        if isNamed("only-if-cached") { onlyIfCached = true }
        if isNamed("max-age") { maxAge = min(maxAge ?? .max, Self.seconds(argument)) }
        if isNamed("s-maxage") { sharedMaxAge = min(sharedMaxAge ?? .max, Self.seconds(argument)) }
        if isNamed("min-fresh") { minFresh = Self.seconds(argument) }
    }

    /// 0 for what is no number; more than 2³¹ is as good as that (section 1.2.2).
    private static func seconds(_ argument: UnsafeRawBufferPointer?) -> Int64 {
        guard let argument, !argument.isEmpty else { return 0 }
        var total: Int64 = 0
        for byte in argument {
            guard (0x30...0x39).contains(byte) else { return 0 }
            total = min(total * 10 + Int64(byte - 0x30), 1 << 31)
        }
        return total
    }
}
