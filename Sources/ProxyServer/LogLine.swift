import ProxyDomain

/// One log line in the making, as JSON or for people.
struct LogLine {
    enum Format: Sendable { case json, console }

    private(set) var bytes: [UInt8] = []
    private let format: Format

    private init(_ format: Format) { self.format = format }

    init(_ format: Format, level: String, at instant: Timestamp, message: String) {
        self.format = format
        bytes.reserveCapacity(512)
        switch format {
        case .json:
            bytes += #"{"time":""#.utf8
            append(instant)
            bytes += #"","level":""#.utf8
            bytes += level.utf8
            bytes += #"","message":""#.utf8
            appendEscaped(message)
            bytes.append(UInt8(ascii: "\""))
        case .console:
            append(instant)
            bytes.append(UInt8(ascii: " "))
            bytes += level.utf8
            bytes.append(UInt8(ascii: " "))
            appendEscaped(message)
        }
    }

    mutating func add(_ key: StaticString, _ value: some BinaryInteger) {
        addKey("\(key)")
        bytes += "\(value)".utf8
    }

    mutating func add(_ key: String, _ value: String?) {
        guard let value else { return }
        addKey(key)
        if format == .json { bytes.append(UInt8(ascii: "\"")) }
        appendEscaped(value)
        if format == .json { bytes.append(UInt8(ascii: "\"")) }
    }

    /// The line with its end.
    /// - Parameter resource: what is said of the service in each line, as ``resource(_:)`` makes it.
    consuming func finished(_ resource: [UInt8]) -> [UInt8] {
        if format == .json {
            bytes += resource
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// The member `resource` of a JSON line, made once; nothing when nothing is to be said.
    static func resource(_ attributes: [String: String]) -> [UInt8] {
        guard !attributes.isEmpty else { return [] }
        var line = LogLine(.json)
        line.bytes += #","resource":{"#.utf8
        for (place, (name, value)) in attributes.sorted(by: { $0.key < $1.key }).enumerated() {
            line.bytes += place == 0 ? "\"".utf8 : ",\"".utf8
            line.appendEscaped(name)
            line.bytes += "\":\"".utf8
            line.appendEscaped(value)
            line.bytes.append(UInt8(ascii: "\""))
        }
        line.bytes.append(UInt8(ascii: "}"))
        return line.bytes
    }

    private mutating func addKey(_ key: String) {
        if format == .json {
            bytes += ",\"".utf8
            appendEscaped(key)
            bytes += "\":".utf8
        } else {
            bytes.append(UInt8(ascii: " "))
            appendEscaped(key)
            bytes.append(UInt8(ascii: "="))
        }
    }

    private mutating func append(_ instant: Timestamp) {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: 24))
        bytes.withUnsafeMutableBytes { instant.write(into: UnsafeMutableRawBufferPointer(rebasing: $0[start...])) }
    }

    /// As RFC 8259 section 7 asks; control characters are escaped for people too, so that nobody forges a line.
    private mutating func appendEscaped(_ text: String) {
        let digits = Array("0123456789abcdef".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                if format == .json { bytes.append(UInt8(ascii: "\\")) }
                bytes.append(byte)
            case 0..<0x20, 0x7F:
                bytes += "\\u00".utf8
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
    }
}
