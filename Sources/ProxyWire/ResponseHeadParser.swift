/// Reads the head of one response after the other, as strictly as requests are read (RFC 9112).
public struct ResponseHeadParser: Sendable {
    private let limits: WireLimits
    private var lines = LineFinder()
    private var section = FieldSection()
    private var hasStartLine = false

    public init(limits: WireLimits = WireLimits()) { self.limits = limits }

    /// Reads on in `bytes`, which begin at the head's first byte and hold all that has come so far.
    ///
    /// `method` is that of the request answered: it decides whether there is a body. The contract is otherwise that of
    /// `RequestHeadParser.parse`.
    public mutating func parse(
        _ bytes: UnsafeRawBufferPointer, answering method: RequestMethod, into head: inout ResponseHead
    ) throws(WireFault) -> Bool {
        do throws(WireFault) {
            guard try advance(bytes, method, &head) else { return false }
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
        hasStartLine = false
    }
}

extension ResponseHeadParser {
    private mutating func advance(
        _ bytes: UnsafeRawBufferPointer, _ method: RequestMethod, _ head: inout ResponseHead
    ) throws(WireFault) -> Bool {
        if !hasStartLine {
            // Refuses what can't become a response at its first byte instead of waiting for a line.
            if let byte = bytes.first, byte != 0x48, byte != .lineFeed { throw .malformedStatusLine }
            guard let line = try lines.next(in: bytes, limit: limits.maxHeadBytes) else { return false }
            head.fields.removeAll(keepingCapacity: true)
            try readStartLine(line, bytes, &head)
            hasStartLine = true
        }
        while let line = try lines.next(in: bytes, limit: limits.maxHeadBytes) {
            if line.isEmpty {
                try finish(bytes, method, &head)
                return true
            }
            try section.read(line, in: bytes, into: &head.fields, maxFields: limits.maxFields)
        }
        return false
    }

    private func readStartLine(
        _ line: Range<Int>, _ bytes: UnsafeRawBufferPointer, _ head: inout ResponseHead
    ) throws(WireFault) {
        let start = line.lowerBound
        let statusEnd = start + 12
        guard line.count >= 12, bytes.byte(start + 8) == .space, bytes.byte(start + 9).isDigit,
            bytes.byte(start + 10).isDigit, bytes.byte(start + 11).isDigit,
            line.count == 12 || bytes.byte(statusEnd) == .space
        else { throw FieldSyntax.lineFault(line, bytes) ?? .malformedStatusLine }
        head.minorVersion = try StartLine.minorVersion(at: start, line, bytes, else: .malformedStatusLine)
        head.status = (9...11).reduce(0) { $0 * 10 + Int(bytes.byte(start + $1) &- 0x30) }
        head.statusLineRange = line
        // Many servers leave out the space when there is no reason; there is only one way to read that.
        head.reasonRange = min(statusEnd + 1, line.upperBound)..<line.upperBound
        guard 100...599 ~= head.status, FieldSyntax.isText(head.reasonRange, in: bytes) else {
            throw FieldSyntax.lineFault(line, bytes) ?? .malformedStatusLine
        }
    }

    private mutating func finish(
        _ bytes: UnsafeRawBufferPointer, _ method: RequestMethod, _ head: inout ResponseHead
    ) throws(WireFault) {
        let declared = try section.framing(minorVersion: head.minorVersion)
        head.framing = try Self.framing(declared, head.status, method)
        let becomesTunnel = head.status == 101 || method == .connect && head.status / 100 == 2
        head.keepsAlive =
            section.keepsAlive(minorVersion: head.minorVersion) && head.framing != .untilClose && !becomesTunnel
        head.isInterim = head.status < 200 && head.status != 101
        section.markNominations(in: bytes, &head.fields)
        head.present = section.present
        head.length = lines.lineStart
    }

    /// RFC 9112 section 6.3: what the status and the request decide before the fields do.
    private static func framing(
        _ declared: BodyFraming, _ status: Int, _ method: RequestMethod
    ) throws(WireFault) -> BodyFraming {
        if status < 200 || status == 204 {
            // Neither field may be there (RFC 9112 section 6.1, RFC 9110 section 8.6), and readers differ when one is.
            guard declared != .chunked else { throw .unsupportedTransferEncoding }
            guard declared == .none || declared == .length(0) else { throw .malformedLength }
            return .none
        }
        if status == 304 || method == .head || method == .connect && status < 300 { return .none }
        return declared == .none ? .untilClose : declared
    }
}
