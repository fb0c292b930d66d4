import ProxyManagement

/// Reads the answer to a chat, streamed or whole, and takes its words out of it.
struct ChatReader {
    private let address: String
    private var status = 0
    private var isStream = false
    /// Of a stream what is no whole line yet; of any other answer all that came.
    private var held: [UInt8] = []
    /// All words so far.
    private(set) var words = ""

    /// - Parameter address: what messages call the server.
    init(_ address: String) { self.address = address }

    /// Takes a part.
    /// - Returns: the words that came with it.
    mutating func read(_ part: StreamingCall.Part) throws(ManageError) -> String {
        switch part {
        case .head(let status, let contentType):
            self.status = status
            isStream = status == 200 && contentType.hasPrefix("text/event-stream")
            return ""
        case .body(let bytes):
            held += bytes
            return try isStream ? readLines() : ""
        }
    }

    /// Takes the end.
    /// - Returns: the words of an answer that was no stream.
    mutating func finish() throws(ManageError) -> String {
        if isStream { return "" }
        let document = try? JSONReader.read(held)
        guard status == 200 else { throw failure(document) }
        guard let text = document?["choices"].items.first?["message"]["content"].string else {
            throw .failed("\(address) answered with something that is no chat")
        }
        words = text
        return text
    }

    private mutating func readLines() throws(ManageError) -> String {
        var new = ""
        while let end = held.firstIndex(of: UInt8(ascii: "\n")) {
            var line = held[..<end]
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            new += try Self.words(in: String(decoding: line, as: UTF8.self), from: address)
            held.removeSubrange(...end)
        }
        words += new
        return new
    }

    /// What a line of an event stream adds: nothing, unless it is `data:` (WHATWG HTML, section 9.2).
    private static func words(in line: String, from address: String) throws(ManageError) -> String {
        let name = "data:"
        guard line.hasPrefix(name) else { return "" }
        let data = line.dropFirst(name.count).drop { $0 == " " }
        guard !data.isEmpty, data != "[DONE]" else { return "" }
        guard let event = try? JSONReader.read(Array(data.utf8)) else {
            throw .failed("\(address) sent an event that is not JSON")
        }
        if let message = event["error"]["message"].string { throw .failed(message) }
        return event["choices"].items.first?["delta"]["content"].string ?? ""
    }

    /// The API's error: what happened, and its code.
    private func failure(_ document: JSONValue?) -> ManageError {
        let error = document?["error"]
        let code = error?["code"].string.map { " (\($0))" } ?? ""
        let text = error?["message"].string.map { $0 + code } ?? "\(address) answered with status \(status)"
        return (400..<500).contains(status) ? .refused(text) : .failed(text)
    }
}
