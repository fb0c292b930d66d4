/// Reads the fields of one head and gathers what they say of framing and of the connection.
struct FieldSection {
    private var length: UInt64?
    private var isChunked = false
    private var options = 0
    private var hasNominations = false
    private var namesClose = false
    private var namesKeepAlive = false
    private var namesUpgrade = false
    private(set) var expectsContinue = false
    private(set) var host: Range<Int>?
    private(set) var present = FieldKinds()

    /// Reads one line, which is not empty, and appends it to `fields`.
    @inline(__always)
    mutating func read(
        _ line: Range<Int>, in bytes: UnsafeRawBufferPointer, into fields: inout [FieldLine], maxFields: Int
    ) throws(WireFault) {
        guard fields.count < maxFields else { throw .tooManyFields }
        let field = try FieldSyntax.line(line, in: bytes)
        fields.append(field)
        switch field.kind {
        case .contentLength, .transferEncoding, .connection, .host, .expect:
            try note(field, in: bytes, maxFields: maxFields)
        default: break
        }
        present.insert(field.kind)
    }

    private mutating func note(
        _ field: FieldLine, in bytes: UnsafeRawBufferPointer, maxFields: Int
    ) throws(WireFault) {
        let value = field.valueRange
        switch field.kind {
        case .contentLength:
            guard !Self.hasTabs(around: field, bytes) else { throw .malformedLength }
            try noteLength(value, bytes)
        case .transferEncoding:
            guard !isChunked, !Self.hasTabs(around: field, bytes), bytes.isToken("chunked", at: value) else {
                throw .unsupportedTransferEncoding
            }
            isChunked = true
        case .connection: try noteOptions(value, bytes, limit: maxFields)
        case .host:
            guard host == nil else { throw .duplicateHost }
            host = value
        case .expect: expectsContinue = expectsContinue || bytes.isToken("100-continue", at: value)
        default: break
        }
    }
}

/// What the section says, once it is whole.
extension FieldSection {
    /// How the body ends as far as the fields tell; `none` when they tell nothing.
    func framing(minorVersion: Int) throws(WireFault) -> BodyFraming {
        if isChunked {
            guard length == nil else { throw .lengthAndTransferEncoding }
            guard minorVersion == 1 else { throw .unsupportedTransferEncoding }
            return .chunked
        }
        return length.map { .length($0) } ?? .none
    }

    /// Whether the connection outlives this message (RFC 9112 section 9.3).
    func keepsAlive(minorVersion: Int) -> Bool {
        !namesClose && (minorVersion == 1 || namesKeepAlive)
    }

    /// Whether both `Upgrade` and `Connection: upgrade` are there (RFC 9110 section 7.8).
    var wantsUpgrade: Bool { namesUpgrade && present.contains(.upgrade) }

    /// Marks the fields that `Connection` names. At most `maxFields` options times as many fields are compared.
    mutating func markNominations(in bytes: UnsafeRawBufferPointer, _ fields: inout [FieldLine]) {
        guard hasNominations else { return }
        for index in fields.indices where fields[index].kind == .other {
            let name = fields[index].nameRange
            for line in fields where line.kind == .connection {
                var rest = line.valueRange
                while let option = Self.nextOption(in: &rest, bytes) {
                    guard bytes.isEqualIgnoringCase(option, name) else { continue }
                    fields[index].kind = .namedByConnection
                    present.insert(.namedByConnection)
                }
            }
        }
    }
}

extension FieldSection {
    /// Tabs around a value are white space to the grammar, but a part of the value to some readers (llhttp is one):
    /// about framing there must be no two opinions.
    private static func hasTabs(around field: FieldLine, _ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.firstOffset(of: .tab, in: Int(field.nameEnd)..<Int(field.valueStart)) != nil
            || bytes.firstOffset(of: .tab, in: Int(field.valueEnd)..<Int(field.end)) != nil
    }

    private mutating func noteLength(_ value: Range<Int>, _ bytes: UnsafeRawBufferPointer) throws(WireFault) {
        guard length == nil, bytes.firstOffset(of: .comma, in: value) == nil else { throw .conflictingLength }
        // A leading zero is octal to some readers, so it is as ambiguous as a sign would be.
        guard let first = value.first, value.count < 20, bytes.byte(first) != 0x30 || value.count == 1 else {
            throw .malformedLength
        }
        var total: UInt64 = 0
        for position in value {
            guard bytes.byte(position).isDigit else { throw .malformedLength }
            total = total &* 10 &+ UInt64(bytes.byte(position) &- 0x30)
        }
        guard total <= UInt64(Int64.max) else { throw .malformedLength }
        length = total
    }

    private mutating func noteOptions(
        _ value: Range<Int>, _ bytes: UnsafeRawBufferPointer, limit: Int
    ) throws(WireFault) {
        var rest = value
        while let option = Self.nextOption(in: &rest, bytes) {
            options += 1
            guard options <= limit else { throw .tooManyFields }
            if bytes.isToken("close", at: option) {
                namesClose = true
            } else if bytes.isToken("keep-alive", at: option) {
                namesKeepAlive = true
            } else if bytes.isToken("upgrade", at: option) {
                namesUpgrade = true
            } else {
                hasNominations = true
            }
        }
        guard rest.isEmpty else { throw .malformedFieldValue }
    }

    /// The next token of a comma-separated list, whose empty elements are skipped (RFC 9110 section 5.6.1.2). Leaves
    /// `rest` empty at the list's end, and not empty where the list is broken.
    private static func nextOption(in rest: inout Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Range<Int>? {
        let end = rest.upperBound
        var position = rest.lowerBound
        while position < end, bytes.byte(position).isBlank || bytes.byte(position) == .comma { position += 1 }
        let start = position
        while position < end, ByteSet.token.contains(bytes.byte(position)) { position += 1 }
        let option = start..<position
        while position < end, bytes.byte(position).isBlank { position += 1 }
        let isEnded = position == end || bytes.byte(position) == .comma
        rest = isEnded ? position..<end : start..<end
        return isEnded && !option.isEmpty ? option : nil
    }
}
