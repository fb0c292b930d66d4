import ProxyManagement

/// The calls of one subcommand, and what is printed of them.
struct ManagementSession {
    /// Largest pages of lists. Each thing in one came in a body of at most 64 KiB, so that a page stays within what the
    /// client takes.
    private static let pageSize = 100

    let client: ManagementClient
    /// Whether what the API answers is printed as it is, instead of text for people.
    let printsJSON: Bool

    /// Sends a call.
    /// - Returns: the document it is answered with; `nil` when that is empty.
    func answer(to call: ManagementCall) async throws(ManageError) -> JSONValue? {
        try document(in: try await client.send(call), to: call)
    }

    /// Sends a call and prints the one thing it is answered with.
    /// - Parameter closing: a last line for people.
    func show(_ call: ManagementCall, closing: String? = nil) async throws(ManageError) {
        let document = try await answer(to: call)
        if printsJSON {
            if let document { StandardOutput.write(document.text) }
        } else {
            let lines = (document?.lines ?? []) + [closing].compactMap { $0 }
            StandardOutput.write(lines.joined(separator: "\n"))
        }
    }

    /// Changes what is at `path` and prints what it is then.
    /// - Parameters:
    ///   - members: those without a value stay as they are.
    ///   - tag: the state that is meant; `nil` for any.
    func change(
        _ path: String, _ members: [(String, JSONValue?)], from tag: String? = nil
    ) async throws(ManageError) {
        let body = JSONValue.given(members)
        guard body != .object([]) else { throw .usage("name something to change; --help lists what can be") }
        try await show(ManagementCall(.patch, path, body: body, expectedTag: tag))
    }

    /// Prints a list.
    /// - Parameter limit: most things; `nil` for all there are.
    func list(
        _ path: String, query: [(String, String?)] = [], limit: Int?, as table: Table
    ) async throws(ManageError) {
        var query = query
        query.append(("limit", "\(min(limit ?? Self.pageSize, Self.pageSize))"))
        let found = try await things(ManagementCall(.get, path, query: query), limit: limit)
        let lines = printsJSON ? [JSONValue.array(found).text] : table.lines(found, on: .output)
        StandardOutput.write(lines.joined(separator: "\n"))
    }

    /// The limits of what is at `path`, with changes: the API reads limits as a whole, but who names one of them means
    /// no other.
    /// - Returns: nothing without changes; with some, also the state that they are changes of.
    func limits(
        at path: String, changedBy changes: [(String, JSONValue)]
    ) async throws(ManageError) -> (limits: JSONValue?, tag: String?) {
        guard !changes.isEmpty else { return (nil, nil) }
        let call = ManagementCall(.get, path)
        let answer = try await client.send(call)
        return (try document(in: answer, to: call)?["limits"].changing(limits: changes), answer.tag)
    }

    private func things(_ first: ManagementCall, limit: Int?) async throws(ManageError) -> [JSONValue] {
        var things: [JSONValue] = []
        var next: ManagementCall? = first
        while let call = next {
            let answer = try await client.send(call)
            guard case .array(let page)? = try document(in: answer, to: call) else {
                throw .failed("\(client.address.authority) answered with something that is not a list")
            }
            things += page
            guard things.count < limit ?? .max else { break }
            // A page may be empty and not be the last: the API looks through a bounded part of the requests for each.
            next = try answer.nextPage().map { ManagementCall(.get, $0) }
            guard next?.target != call.target else { throw .failed("the link to the next page leads to the same one") }
        }
        return limit.map { Array(things.prefix($0)) } ?? things
    }
}

// MARK: - What answers mean

extension ManagementSession {
    private func document(
        in answer: ManagementClient.Answer, to call: ManagementCall
    ) throws(ManageError) -> JSONValue? {
        if answer.status == 204 { return nil }
        let document = try? JSONReader.read(answer.body)
        switch answer.status {
        case 200..<300:
            guard let document else {
                throw .failed("\(client.address.authority) answered with something that is not JSON")
            }
            return document
        case 400..<500: throw .refused(statement(document, answer.status, call))
        default: throw .failed(statement(document, answer.status, call))
        }
    }

    /// The API's error: what happened, its code, and what to do about it, without secrets, whoever the server is.
    private func statement(_ document: JSONValue?, _ status: Int, _ call: ManagementCall) -> String {
        let parts = ["error", "code", "description"].compactMap { document?[$0].string }
        guard parts.count == 3 else {
            return "\(client.address.authority) answered with status \(status), and not as the management API does"
        }
        let secrets = [client.token, call.body?["api_key"].string].compactMap { $0 }
        return secrets.reduce("\(parts[0]) (\(parts[1])) \(parts[2])") { text, secret in
            text.replacing(secret, with: "…")
        }
    }
}

extension ManagementClient.Answer {
    /// Path and query of the next page (RFC 8288); `nil` on the last one.
    /// - Throws: when it leads out of the management API, where the token must not go.
    fileprivate func nextPage() throws(ManageError) -> String? {
        for link in links.flatMap({ $0.split(separator: ",") }) where link.contains(#"rel="next""#) {
            let target = link.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" }
            guard target.hasPrefix("/manage/"), target.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw .failed("the link to the next page leads out of the management API")
            }
            return String(target)
        }
        return nil
    }
}
