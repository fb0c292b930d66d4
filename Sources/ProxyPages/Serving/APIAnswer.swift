import NIOCore
import ProxyManagement

/// What the API answered.
struct APIAnswer: Sendable {
    let status: Int
    let document: Document
    /// Names the state of what was asked for; empty without one.
    let entityTag: String
    /// Where the list goes on; empty at its end.
    let nextCursor: String
    /// Whether it had been answered before.
    let isReplayed: Bool

    init(_ response: ManagementResponse) {
        func field(_ name: String) -> String { response.fields.first { $0.name.lowercased() == name }?.value ?? "" }
        status = response.status
        document = Document(bytes: Array(response.body.readableBytesView))
        entityTag = field("etag")
        nextCursor = Self.cursor(in: field("link"))
        isReplayed = field("idempotency-replayed") == "true"
    }

    var isGood: Bool { (200..<300).contains(status) }

    /// What went wrong, for the page; nothing where all went well.
    var fault: Fault? {
        guard !isGood else { return nil }
        let error = document["error"].plain
        return Fault(
            status: status, code: document["code"].plain,
            title: error.isEmpty ? "The request was answered with \(status)." : error,
            advice: document["description"].plain)
    }

    /// The `cursor` parameter of the link to the next page.
    private static func cursor(in link: String) -> String {
        guard let start = link.firstIndex(of: "?"), let end = link[start...].firstIndex(of: ">") else { return "" }
        return Form(link[link.index(after: start)..<end])["cursor"]
    }
}
