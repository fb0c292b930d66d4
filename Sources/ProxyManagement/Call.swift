import Logging

/// One request on its way through the control plane.
package struct Call: Sendable {
    let request: ManagementRequest
    /// Ties the answer to the log lines about it.
    let requestID: String
    let logger: Logger
    /// Who calls; `nil` until that is known, and where anybody may.
    var principal: Principal?
    /// Address of the client, as far as it can be trusted.
    var clientAddress: String { request.peerAddress }
    /// What stood at `{id}` in the path; empty on routes without it.
    var pathIdentifier = ""

    /// Takes the client's own request id where it is harmless in a log and in a header, else `generated`.
    init(_ request: ManagementRequest, generated: @autoclosure () -> String, logger: Logger) {
        self.request = request
        requestID = Self.accepted(request.values(of: "x-request-id")) ?? generated()
        var logger = logger
        logger[metadataKey: "request_id"] = "\(requestID)"
        self.logger = logger
    }

    /// One value of 1…128 letters, digits, `.`, `_` and `-`.
    static func accepted(_ values: [String]) -> String? {
        guard values.count == 1, let value = values.first, (1...128).contains(value.utf8.count) else { return nil }
        let isHarmless = value.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isHarmless ? value : nil
    }
}
