import NIOCore

/// What a page answers, before the fields that every answer has.
struct PageAnswer: Sendable {
    let status: Int
    var fields: [(name: String, value: String)]
    let body: ByteBuffer

    init(status: Int, fields: [(name: String, value: String)] = [], body: ByteBuffer = ByteBuffer()) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// A page of HTML.
    static func html(_ text: String, status: Int = 200) -> PageAnswer {
        PageAnswer(
            status: status, fields: [("Content-Type", "text/html; charset=utf-8"), noStore],
            body: ByteBuffer(string: text))
    }

    /// Something else than HTML.
    static func text(_ text: String, type: String, status: Int = 200) -> PageAnswer {
        PageAnswer(status: status, fields: [("Content-Type", type), noStore], body: ByteBuffer(string: text))
    }

    /// Shows another page after a form was sent (RFC 9110, section 15.4.4), so that a reload sends nothing again.
    static func seeOther(_ path: String) -> PageAnswer {
        PageAnswer(status: 303, fields: [("Location", path), noStore])
    }

    /// The same page under its one address.
    static func moved(to path: String) -> PageAnswer {
        PageAnswer(status: 308, fields: [("Location", path), noStore])
    }

    /// The same answer with a field more.
    func with(_ name: String, _ value: String) -> PageAnswer {
        var answer = self
        answer.fields.append((name, value))
        return answer
    }

    static let noStore = (name: "Cache-Control", value: "no-store")
}
