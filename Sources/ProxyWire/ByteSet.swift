import Glibc

/// A set of ASCII bytes as two words, tested without a table in memory.
struct ByteSet {
    let low: UInt64
    let high: UInt64

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let word = byte & 0x40 == 0 ? low : high
        return (word &>> UInt64(byte)) & 1 == 1 && byte < 128
    }

    /// tchar of RFC 9110 section 5.6.2: letters, digits and ``!#$%&'*+-.^_`|~``.
    static var token: ByteSet {
        @inline(__always) get { ByteSet(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE) }
    }
    /// Visible ASCII without `#`, which begins a fragment and may not be sent (RFC 9112 section 3.2).
    static var target: ByteSet {
        @inline(__always) get { ByteSet(low: 0xFFFF_FFF6_0000_0000, high: 0x7FFF_FFFF_FFFF_FFFF) }
    }
    /// unreserved and sub-delims of RFC 3986 section 3.2.2, without the comma that would make one value look like two.
    static var hostName: ByteSet {
        @inline(__always) get { ByteSet(low: 0x2BFF_6FD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFE) }
    }
    /// HEXDIG in both cases.
    static var hexadecimal: ByteSet {
        @inline(__always) get { ByteSet(low: 0x03FF_0000_0000_0000, high: 0x0000_007E_0000_007E) }
    }
    /// The ASCII part of qdtext, RFC 9110 section 5.6.4: tab, space and visible bytes without `"` and `\`.
    static var quotedText: ByteSet {
        @inline(__always) get { ByteSet(low: 0xFFFF_FFFB_0000_0200, high: 0x7FFF_FFFF_EFFF_FFFF) }
    }
}

extension UInt8 {
    static var tab: UInt8 { 0x09 }
    static var lineFeed: UInt8 { 0x0A }
    static var carriageReturn: UInt8 { 0x0D }
    static var space: UInt8 { 0x20 }
    static var quote: UInt8 { 0x22 }
    static var comma: UInt8 { 0x2C }
    static var slash: UInt8 { 0x2F }
    static var colon: UInt8 { 0x3A }
    static var semicolon: UInt8 { 0x3B }
    static var backslash: UInt8 { 0x5C }

    /// Space or tab: OWS of RFC 9110 section 5.6.3.
    @inline(__always)
    package var isBlank: Bool { self == .space || self == .tab }

    @inline(__always)
    var isDigit: Bool { self &- 0x30 < 10 }

    /// ASCII lower case; other bytes stay.
    @inline(__always)
    var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

    /// The value of a hexadecimal digit in either case.
    @inline(__always)
    package var nibble: UInt8? {
        if isDigit { return self &- 0x30 }
        let letter = self | 0x20
        return letter &- 0x61 < 6 ? letter &- 0x57 : nil
    }
}

extension UnsafeRawBufferPointer {
    /// The byte at `offset`, which must be below `count`: checked in debug builds only. The subscript promises the same,
    /// but isn't always inlined, and then costs a call for each byte of a head.
    @inlinable
    @inline(__always)
    package func byte(_ offset: Int) -> UInt8 {
        assert(offset >= 0 && offset < count, "read outside of the bytes given")
        return baseAddress.unsafelyUnwrapped.load(fromByteOffset: offset, as: UInt8.self)
    }

    /// Whether the bytes at `range` are those of `text`.
    @inline(__always)
    package func isExactly(_ text: StaticString, at range: Range<Int>) -> Bool {
        guard range.count == text.utf8CodeUnitCount, range.upperBound <= count, let baseAddress else { return false }
        return memcmp(baseAddress + range.lowerBound, text.utf8Start, range.count) == 0
    }

    /// Whether the token at `range` is `name` but for case. `name` is in lower case: letters, digits and hyphens.
    ///
    /// Setting bit 5 makes token letters lower case and leaves digits and hyphens. The other tokens it changes become
    /// bytes that no `name` has, so that there is no false match.
    @inline(__always)
    package func isToken(_ name: StaticString, at range: Range<Int>) -> Bool {
        let length = range.count
        guard length == name.utf8CodeUnitCount, range.upperBound <= count, let baseAddress else { return false }
        let mine = baseAddress + range.lowerBound
        let theirs = UnsafeRawPointer(name.utf8Start)
        if length >= 8 {
            var offset = 0
            while true {
                let word = mine.loadUnaligned(fromByteOffset: offset, as: UInt64.self) | 0x2020_2020_2020_2020
                guard word == theirs.loadUnaligned(fromByteOffset: offset, as: UInt64.self) else { return false }
                if offset == length - 8 { return true }
                offset = Swift.min(offset + 8, length - 8)
            }
        }
        for offset in 0..<length {
            let byte = mine.load(fromByteOffset: offset, as: UInt8.self) | 0x20
            guard byte == theirs.load(fromByteOffset: offset, as: UInt8.self) else { return false }
        }
        return true
    }

    /// Whether two ranges hold the same bytes but for the case of ASCII letters.
    package func isEqualIgnoringCase(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
        guard left.count == right.count else { return false }
        for offset in 0..<left.count
        where self[left.lowerBound + offset].lowercased != self[right.lowerBound + offset].lowercased {
            return false
        }
        return true
    }

    /// The offset of the first `byte` in `range`.
    @inline(__always)
    func firstOffset(of byte: UInt8, in range: Range<Int>) -> Int? {
        guard !range.isEmpty, range.upperBound <= count, let baseAddress,
            let found = memchr(baseAddress + range.lowerBound, Int32(byte), range.count)
        else { return nil }
        return baseAddress.distance(to: UnsafeRawPointer(found))
    }
}
