import ProxyDomain
import SQLDatabase

/// An event as it stands in its row.
struct AuditRow {
    static let columns = """
        id, happened_at, action, actor, outcome, method, path, request_id, correlation_id, client_ip, project_id, token_id, metadata
        """
    static let width = 13

    /// In the order of ``columns``: all of them texts, or nothing.
    let values: [SQLValue]
    /// What searches look into.
    let words: String

    init(_ event: AuditEvent) {
        values = [
            .id(event.id), .instant(event.at), .text(event.action), .text(event.actor), .text(event.outcome.rawValue),
            .text(event.method), .text(event.path), .text(event.requestID), .optional(event.correlationID),
            .text(event.clientAddress), .optional(event.projectID?.text), .optional(event.tokenID?.text),
            .text(MetadataText.write(event.metadata)),
        ]
        let metadata = event.metadata.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
        let texts =
            [event.action, event.actor, event.outcome.rawValue, event.method, event.path, event.clientAddress]
            + [event.requestID, event.correlationID, event.projectID?.text, event.tokenID?.text].compactMap { $0 }
        words = SearchWords.of((texts + metadata).joined(separator: " "))
    }
}

extension SQLRow {
    /// An event, from columns as ``AuditRow/columns`` has them.
    func auditEvent() throws(SQLError) -> AuditEvent {
        guard let outcome = AuditEvent.Outcome(rawValue: text(at: 4)) else {
            throw SQLError(.corrupt, detail: "an event's outcome is '\(text(at: 4))'")
        }
        return AuditEvent(
            id: try id(at: 0), at: try instant(at: 1), action: text(at: 2), actor: text(at: 3), outcome: outcome,
            method: text(at: 5), path: text(at: 6), requestID: text(at: 7), correlationID: optionalText(at: 8),
            clientAddress: text(at: 9), projectID: isNull(at: 10) ? nil : try id(at: 10),
            tokenID: isNull(at: 11) ? nil : try id(at: 11), metadata: try MetadataText.read(text(at: 12)))
    }
}

/// Metadata as one JSON object of texts, its names in order: both engines can look into it.
enum MetadataText {
    static func write(_ metadata: [String: String]) -> String {
        let members = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
        return "{\(members.joined(separator: ","))}"
    }

    /// Reads what ``write(_:)`` wrote.
    static func read(_ text: String) throws(SQLError) -> [String: String] {
        var metadata: [String: String] = [:]
        var rest = text.utf8.dropFirst()
        while rest.first == UInt8(ascii: "\"") {
            guard let name = takeQuoted(&rest), rest.popFirst() == UInt8(ascii: ":"), let value = takeQuoted(&rest)
            else { break }
            metadata[name] = value
            if rest.first == UInt8(ascii: ",") { rest = rest.dropFirst() }
        }
        guard Array(rest) == [UInt8(ascii: "}")] else {
            throw SQLError(.corrupt, detail: "an event's metadata is no object of texts")
        }
        return metadata
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.value < 0x20:
                quoted += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private static func takeQuoted(_ rest: inout Substring.UTF8View.SubSequence) -> String? {
        guard rest.popFirst() == UInt8(ascii: "\"") else { return nil }
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let next = rest.popFirst() else { return nil }
                guard next == UInt8(ascii: "u") else {
                    bytes.append(next)
                    continue
                }
                guard let value = UInt8(String(decoding: rest.prefix(4), as: UTF8.self), radix: 16) else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(4)
            default: bytes.append(byte)
            }
        }
        return nil
    }
}
