import Mustache

/// Escapes text for HTML scalar by scalar.
///
/// The template engine's own way goes by `Character`, and takes a quote with a combining mark after it for another
/// character than a quote: it would stand unescaped, and end an attribute.
struct ExactMarkup: MustacheContentType {
    /// As templates name it.
    static let name = "EXACT"

    func escapeText(_ text: String) -> String { Self.escaped(text) }

    static func escaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "<"): bytes += "&lt;".utf8
            case UInt8(ascii: ">"): bytes += "&gt;".utf8
            case UInt8(ascii: "&"): bytes += "&amp;".utf8
            case UInt8(ascii: "\""): bytes += "&quot;".utf8
            case UInt8(ascii: "'"): bytes += "&#39;".utf8
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
