import ProxyDomain
import SQLDatabase

extension SQLParameters {
    /// Adds the 36 characters of an identifier, written in place.
    mutating func append(_ id: some TypedIdentifier) {
        appendText(count: 36) { id.identifier.write(into: $0) }
    }

    /// Adds the 24 characters of an instant, written in place.
    mutating func append(_ instant: Timestamp) {
        appendText(count: 24) { instant.write(into: $0) }
    }

    /// Adds an instant: when it is the `last` one, that text once more. The requests of a batch are few milliseconds apart.
    mutating func append(_ instant: Timestamp, sharing last: inout WrittenInstant?) {
        if let last, last.instant == instant { return append(sharing: last.index) }
        last = WrittenInstant(instant: instant, index: count)
        append(instant)
    }

    mutating func append(_ instant: Timestamp?) {
        if let instant { append(instant) } else { appendNull() }
    }
}

/// An instant, and which of the parameters it is.
struct WrittenInstant {
    let instant: Timestamp
    let index: Int
}

extension SQLValue {
    static func id(_ id: some TypedIdentifier) -> Self { .text(id.text) }
    static func instant(_ instant: Timestamp) -> Self { .text(instant.text) }
    /// One name a line; names hold no line breaks.
    static func lines(_ names: [String]?) -> Self { names.map { .text($0.joined(separator: "\n")) } ?? .null }
    static func optional(_ instant: Timestamp?) -> Self { instant.map { .text($0.text) } ?? .null }
}
