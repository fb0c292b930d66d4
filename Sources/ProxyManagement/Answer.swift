import HTTPTypes
import Hummingbird
import NIOCore

/// What a handler answers.
package struct Answer: Sendable {
    let status: Int
    var fields: [(name: String, value: String)]
    let body: ByteBuffer

    init(status: Int, fields: [(name: String, value: String)] = [], body: ByteBuffer = ByteBuffer()) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// Done, and nothing to show.
    static let noContent = Answer(status: 204, fields: [noStore])

    /// A document. Never stored by anyone on the way: it may show a secret or a state that changes (RFC 9111).
    static func json(_ document: JSONValue, status: Int = 200, fields: [(name: String, value: String)] = []) -> Answer {
        Answer(
            status: status, fields: [("Content-Type", "application/json"), noStore] + fields,
            body: ByteBuffer(string: document.text + "\n"))
    }

    static let noStore = (name: "Cache-Control", value: "no-store")

    /// The same in the router's terms.
    var response: Response {
        var headers = HTTPFields()
        for field in fields {
            guard let name = HTTPField.Name(field.name) else { continue }
            headers.append(HTTPField(name: name, value: field.value))
        }
        return Response(status: HTTPResponse.Status(code: status), headers: headers, body: .init(byteBuffer: body))
    }
}
