/// A request target taken apart: one of the four forms of RFC 9112 section 3.2.
struct RequestTarget {
    let path: Range<Int>
    let query: Range<Int>?
    /// The host that the target names itself: absolute-form and authority-form only.
    let authority: Range<Int>?

    init(_ range: Range<Int>, of method: RequestMethod, in bytes: UnsafeRawBufferPointer) throws(WireFault) {
        guard let first = range.first else { throw .malformedRequestLine }
        if method == .connect {
            try self.init(authority: range, bytes)
        } else if bytes.byte(first) == .slash {
            self.init(pathFrom: first, to: range.upperBound, authority: nil, bytes)
        } else if bytes.byte(first) == 0x2A {
            guard range.count == 1, method == .options else { throw .malformedTarget }
            self.init(path: range, query: nil, authority: nil)
        } else {
            try self.init(absolute: range, bytes)
        }
    }

    private init(pathFrom start: Int, to end: Int, authority: Range<Int>?, _ bytes: UnsafeRawBufferPointer) {
        let mark = bytes.firstOffset(of: 0x3F, in: start..<end)
        self.init(path: start..<(mark ?? end), query: mark.map { $0 + 1..<end }, authority: authority)
    }

    private init(path: Range<Int>, query: Range<Int>?, authority: Range<Int>?) {
        self.path = path
        self.query = query
        self.authority = authority
    }

    private init(authority range: Range<Int>, _ bytes: UnsafeRawBufferPointer) throws(WireFault) {
        guard Authority.isValid(range, in: bytes, needsPort: true) else { throw .malformedTarget }
        self.init(path: range.upperBound..<range.upperBound, query: nil, authority: range)
    }

    private init(absolute range: Range<Int>, _ bytes: UnsafeRawBufferPointer) throws(WireFault) {
        guard let colon = bytes.firstOffset(of: .colon, in: range), colon + 3 <= range.upperBound,
            bytes.isToken("http", at: range.lowerBound..<colon) || bytes.isToken("https", at: range.lowerBound..<colon),
            bytes.isExactly("//", at: colon + 1..<colon + 3)
        else { throw .malformedTarget }
        let start = colon + 3
        var end = start
        while end < range.upperBound, bytes.byte(end) != .slash, bytes.byte(end) != 0x3F { end += 1 }
        guard Authority.isValid(start..<end, in: bytes) else { throw .malformedTarget }
        if end < range.upperBound, bytes.byte(end) == .slash {
            self.init(pathFrom: end, to: range.upperBound, authority: start..<end, bytes)
        } else {
            // An empty path means "/" (RFC 9110 section 4.2.3). A slash of "://" stands in for it: nothing is copied.
            let query = end < range.upperBound ? end + 1..<range.upperBound : nil
            self.init(path: colon + 2..<colon + 3, query: query, authority: start..<end)
        }
    }
}
