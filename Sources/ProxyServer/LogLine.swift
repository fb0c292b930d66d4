import ProxyDomain

/// One log line in the making, as JSON or for people.
struct LogLine {
    enum Format: Sendable { case json, console }

    private(set) var bytes: [UInt8] = []
    private let format: Format

    private init(_ format: Format) { self.format = format }

    init(_ format: Format, level: String, at instant: Timestamp, message: String) {
        self.format = format
        bytes.reserveCapacity(640)
        switch format {
        case .json:
            append(#"{"time":""#)
            append(24) { instant.write(into: $0) }
            append(#"","level":""#)
            appendEscaped(level)
            append(#"","message":""#)
            appendEscaped(message)
            append("\"")
        case .console:
            append(24) { instant.write(into: $0) }
            append(" ")
            appendEscaped(level)
            append(" ")
            appendEscaped(message)
        }
    }

    mutating func add(_ key: StaticString, _ value: some BinaryInteger) {
        addKey(key)
        append(Int64(clamping: value))
    }

    mutating func add(_ key: StaticString, _ value: String?) {
        guard let value else { return }
        addKey(key)
        addText { $0.appendEscaped(value) }
    }

    mutating func add(_ key: StaticString, _ id: Identifier?) {
        guard let id else { return }
        addKey(key)
        addText { line in line.append(36) { id.write(into: $0) } }
    }

    /// Adds an identifier as 32 digits without dashes.
    mutating func add(_ key: StaticString, digitsOf id: Identifier) {
        addKey(key)
        addText { line in line.append(32) { id.writeDigits(into: $0) } }
    }

    /// Adds a fact whose name is not known before.
    mutating func add(named key: String, _ value: String) {
        append(format == .json ? ",\"" : " ")
        appendEscaped(key)
        append(format == .json ? "\":" : "=")
        addText { $0.appendEscaped(value) }
    }

    /// The line with its end.
    /// - Parameter resource: what is said of the service in each line, as ``resource(_:)`` makes it.
    consuming func finished(_ resource: [UInt8]) -> [UInt8] {
        if format == .json {
            bytes += resource
            append("}")
        }
        append("\n")
        return bytes
    }

    /// The member `resource` of a JSON line, made once; nothing when nothing is to be said.
    static func resource(_ attributes: [String: String]) -> [UInt8] {
        guard !attributes.isEmpty else { return [] }
        var line = LogLine(.json)
        line.append(#","resource":{"#)
        for (place, (name, value)) in attributes.sorted(by: { $0.key < $1.key }).enumerated() {
            line.append(place == 0 ? "\"" : ",\"")
            line.appendEscaped(name)
            line.append("\":\"")
            line.appendEscaped(value)
            line.append("\"")
        }
        line.append("}")
        return line.bytes
    }
}

/// Pieces. Every request has a line, so each piece is copied as a whole.
extension LogLine {
    private mutating func addKey(_ key: StaticString) {
        append(format == .json ? ",\"" : " ")
        append(key)
        append(format == .json ? "\":" : "=")
    }

    private mutating func addText(_ text: (inout LogLine) -> Void) {
        if format == .json { append("\"") }
        text(&self)
        if format == .json { append("\"") }
    }

    private mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func append(_ number: Int64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var first = digits.count
            var rest = number.magnitude
            repeat {
                first -= 1
                digits[first] = UInt8(truncatingIfNeeded: rest % 10) + UInt8(ascii: "0")
                rest /= 10
            } while rest > 0
            if number < 0 {
                first -= 1
                digits[first] = UInt8(ascii: "-")
            }
            bytes.append(contentsOf: UnsafeMutableBufferPointer(rebasing: digits[first...]))
        }
    }

    /// Adds `count` bytes, which `fill` writes where they belong.
    private mutating func append(_ count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: count))
        bytes.withUnsafeMutableBytes { fill(UnsafeMutableRawBufferPointer(rebasing: $0[start...])) }
    }

    /// As RFC 8259 section 7 asks; control characters are escaped for people too, so that nobody forges a line.
    private mutating func appendEscaped(_ text: String) {
        var text = text
        text.withUTF8 { text in
            var plain = 0
            for (place, byte) in text.enumerated() where Self.isEscaped(byte) {
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[plain..<place]))
                appendEscape(byte)
                plain = place + 1
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[plain...]))
        }
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func appendEscape(_ byte: UInt8) {
        guard byte < 0x20 || byte == 0x7F else {
            if format == .json { append("\\") }
            return bytes.append(byte)
        }
        append("\\u00")
        for digit in [byte >> 4, byte & 15] { bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit) }
    }
}
