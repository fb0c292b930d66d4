/// Reads the head of one request after the other, strictly and without copying (RFC 9112).
public struct RequestHeadParser: Sendable {
    private let limits: WireLimits
    private var lines = LineFinder()
    private var section = FieldSection()
    private var authority: Range<Int>?
    private var hasStartLine = false

    public init(limits: WireLimits = WireLimits()) { self.limits = limits }

    /// Reads on in `bytes`, which begin at the head's first byte and hold all that has come so far.
    ///
    /// Returns true when `head` is complete; `head.length` bytes are then done with and the parser is ready for the
    /// next head. Returns false when more bytes are needed: give the same `head` again, which is unfinished till then.
    /// A line is looked at once, when it has come whole, so that dribbled bytes cost no more than whole ones.
    /// - Throws: the first fault; the parser has forgotten the head then, and the connection can't be used further.
    public mutating func parse(
        _ bytes: UnsafeRawBufferPointer, into head: inout RequestHead
    ) throws(WireFault) -> Bool {
        do throws(WireFault) {
            guard try advance(bytes, &head) else { return false }
        } catch {
            reset()
            throw error
        }
        reset()
        return true
    }

    /// Forgets a head that was begun.
    public mutating func reset() {
        lines = LineFinder()
        section = FieldSection()
        authority = nil
        hasStartLine = false
    }
}

extension RequestHeadParser {
    private mutating func advance(
        _ bytes: UnsafeRawBufferPointer, _ head: inout RequestHead
    ) throws(WireFault) -> Bool {
        if !hasStartLine {
            guard try findStartLine(bytes, &head) else { return false }
        }
        while let line = try lines.next(in: bytes, limit: limits.maxHeadBytes) {
            if line.isEmpty {
                try finish(bytes, &head)
                return true
            }
            try section.read(line, in: bytes, into: &head.fields, maxFields: limits.maxFields)
        }
        return false
    }

    private mutating func findStartLine(
        _ bytes: UnsafeRawBufferPointer, _ head: inout RequestHead
    ) throws(WireFault) -> Bool {
        while true {
            try checkFirstByte(bytes)
            guard let line = try lines.next(in: bytes, limit: limits.maxHeadBytes) else { return false }
            // One empty line before a request is tolerated (RFC 9112 section 2.2).
            if line.isEmpty && line.lowerBound == 0 { continue }
            head.fields.removeAll(keepingCapacity: true)
            try readStartLine(line, bytes, &head)
            hasStartLine = true
            return true
        }
    }

    /// Refuses what can't become a request (a TLS greeting, say) at its first byte instead of waiting for a line.
    private func checkFirstByte(_ bytes: UnsafeRawBufferPointer) throws(WireFault) {
        guard lines.lineStart < bytes.count else { return }
        let byte = bytes.byte(lines.lineStart)
        if byte == 0 { throw .nulByte }
        guard ByteSet.token.contains(byte) || byte == .carriageReturn || byte == .lineFeed else {
            throw .malformedRequestLine
        }
    }

    private mutating func readStartLine(
        _ line: Range<Int>, _ bytes: UnsafeRawBufferPointer, _ head: inout RequestHead
    ) throws(WireFault) {
        var methodEnd = line.lowerBound
        while methodEnd < line.upperBound, ByteSet.token.contains(bytes.byte(methodEnd)) { methodEnd += 1 }
        let versionStart = line.upperBound - 8
        guard methodEnd > line.lowerBound, methodEnd + 2 < versionStart, bytes.byte(methodEnd) == .space,
            bytes.byte(versionStart - 1) == .space
        else { throw FieldSyntax.lineFault(line, bytes) ?? .malformedRequestLine }
        let target = methodEnd + 1..<versionStart - 1
        try checkTarget(target, line, bytes)
        head.minorVersion = try StartLine.minorVersion(at: versionStart, line, bytes, else: .malformedRequestLine)
        head.methodRange = line.lowerBound..<methodEnd
        head.method = RequestMethod(bytes, head.methodRange)
        head.targetRange = target
        let parts = try RequestTarget(target, of: head.method, in: bytes)
        head.pathRange = parts.path
        head.queryRange = parts.query
        authority = parts.authority
    }

    private func checkTarget(
        _ target: Range<Int>, _ line: Range<Int>, _ bytes: UnsafeRawBufferPointer
    ) throws(WireFault) {
        guard target.count <= limits.maxTargetBytes else { throw .targetTooLong }
        for position in target where !ByteSet.target.contains(bytes.byte(position)) {
            if let fault = FieldSyntax.lineFault(line, bytes) { throw fault }
            throw bytes.byte(position) == .space ? .malformedRequestLine : .malformedTarget
        }
    }

    private mutating func finish(_ bytes: UnsafeRawBufferPointer, _ head: inout RequestHead) throws(WireFault) {
        let minorVersion = head.minorVersion
        if let host = section.host {
            guard Authority.isValid(host, in: bytes) else { throw .malformedHost }
            if let authority, !bytes.isEqualIgnoringCase(authority, host) { throw .authorityMismatch }
        } else if minorVersion == 1 {
            throw .missingHost
        }
        head.framing = try section.framing(minorVersion: minorVersion)
        head.keepsAlive = section.keepsAlive(minorVersion: minorVersion)
        head.expectsContinue = minorVersion == 1 && section.expectsContinue
        head.wantsUpgrade = minorVersion == 1 && section.wantsUpgrade
        section.markNominations(in: bytes, &head.fields)
        head.present = section.present
        head.length = lines.lineStart
    }
}
