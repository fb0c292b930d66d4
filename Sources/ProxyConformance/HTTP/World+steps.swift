import ProxyDomain
import ProxyStorage

/// A client of the proxy: one token and what belongs to it.
struct Tenant: Sendable {
    /// What the client presents.
    let secret: String
    let tokenID: TokenID
    let projectID: ProjectID

    /// A usual request of this client.
    func request(
        _ target: String = "/v1/chat/completions", method: String = "POST", body: [UInt8]? = HTTPRequest.usualBody,
        fields: [HTTPField] = []
    ) -> HTTPRequest {
        let content = body == nil ? [] : [HTTPField("Content-Type", "application/json")]
        return HTTPRequest(
            method: method, target: target,
            fields: [HTTPField("Authorization", "Bearer \(secret)")] + content + fields, body: body)
    }
}

/// The upstream key that every project of a scenario has.
let upstreamKey = "sk-upstream-key-that-no-client-may-ever-see"

/// A step that had to work before the promise could be looked at did not.
struct StepFailed: Error, CustomStringConvertible {
    let description: String
}

extension ProxyAccess {
    /// A new connection to the proxy.
    func talk() async throws -> HTTPConversation { HTTPConversation(try await connect()) }

    /// Sends a request on a connection of its own and reads the answer.
    func exchange(_ request: HTTPRequest) async throws -> HTTPResponse {
        var conversation = try await talk()
        try await conversation.send(request)
        let response = try await conversation.response(to: request.method)
        await conversation.connection.close()
        return response
    }

    /// Sends a request many times at once, and opens a gate of the upstream when so many answers have come.
    func exchange(
        _ count: Int, of request: HTTPRequest, releasing gate: String, after answered: Int
    ) async throws -> [HTTPResponse] {
        try await withThrowingTaskGroup { group in
            for _ in 0..<count { group.addTask { try await exchange(request) } }
            var answers: [HTTPResponse] = []
            while let answer = try await group.next() {
                answers.append(answer)
                if answers.count == answered { upstream.release(gate) }
            }
            return answers
        }
    }

    /// Sends bytes on a connection of its own and reads the answer to `method`.
    func exchange(raw text: String, method: String = "POST") async throws -> HTTPResponse {
        var conversation = try await talk()
        try await conversation.send(text)
        let response = try await conversation.response(to: method)
        await conversation.connection.close()
        return response
    }

    /// Calls the management API. `credential` is the whole value of `Authorization`.
    func manage(
        _ method: String, _ path: String, _ body: String? = nil, credential: String? = nil
    ) async throws -> HTTPResponse {
        guard hasManagement else { throw NotOffered("our management API") }
        var fields = [HTTPField("Authorization", credential ?? "Bearer \(managementToken)")]
        if body != nil { fields.append(HTTPField("Content-Type", "application/json")) }
        return try await exchange(
            HTTPRequest(method: method, target: path, fields: fields, body: body.map { Array($0.utf8) }))
    }

    /// Creates a project through the management API.
    func createProject(_ name: String = "acme") async throws -> ProjectID {
        let answer = try await manage(
            "POST", "/manage/projects", #"{"name":"\#(name)\#(nameSuffix)","api_key":"\#(upstreamKey)"}"#)
        guard answer.status == 201, let id = answer.json["id"].string.flatMap({ ProjectID($0) }) else {
            throw StepFailed(description: "no project was created: \(answer.status) \(answer.text)")
        }
        return id
    }

    /// Creates a token, and a project for it unless one is given.
    /// - Parameter limits: members of the JSON object `limits`.
    func tenant(
        cap: Int = 0, perMinute: Int? = nil, limits: String? = nil, of project: ProjectID? = nil, name: String = "acme"
    ) async throws -> Tenant {
        let order = TokenOrder(
            cap: cap, limits: limits ?? perMinute.map { #""requests_per_minute":\#($0)"# },
            project: project.map { "\($0)" }, name: name)
        let issued = try await issue(order)
        // Identifiers that nobody has: where there are none, nobody may be asked about them either.
        return Tenant(
            secret: issued.secret, tokenID: issued.tokenID.flatMap { TokenID($0) } ?? TokenID(.nobodys),
            projectID: issued.projectID.flatMap { ProjectID($0) } ?? ProjectID(.nobodys))
    }
}

extension Identifier {
    fileprivate static let nobodys = Identifier(high: 0, low: 0)
}

extension ProxyAccess {
    public var hasManagement: Bool { true }
    public var nameSuffix: String { "" }

    /// Sends JSON to a path of the proxy.
    package func post(_ path: String, body: String, bearer: String) async throws -> HTTPResponse {
        let fields = [HTTPField("Authorization", "Bearer \(bearer)"), HTTPField("Content-Type", "application/json")]
        return try await exchange(HTTPRequest(method: "POST", target: path, fields: fields, body: Array(body.utf8)))
    }

    public func issue(_ order: TokenOrder) async throws -> IssuedToken { try await issueByManagement(order) }

    /// Through our own management API.
    package func issueByManagement(_ order: TokenOrder) async throws -> IssuedToken {
        let project: String
        if let given = order.project { project = given } else { project = "\(try await createProject(order.name))" }
        let limits = order.limits.map { #","limits":{\#($0)}"# } ?? ""
        let answer = try await manage(
            "POST", "/manage/tokens",
            #"{"project_id":"\#(project)","duration_minutes":60,"max_requests":\#(order.cap)\#(limits)}"#)
        guard answer.status == 201, let secret = answer.json["token"].string, let id = answer.json["id"].string
        else { throw StepFailed(description: "no token was created: \(answer.status) \(answer.text)") }
        return IssuedToken(secret: secret, tokenID: id, projectID: project)
    }
}

extension ProxyWorld {
    /// How many requests the tenant's token counts, and how many rows it has, once `rows` have ended or time is up.
    func settledTally(_ tenant: Tenant, rows wanted: Int) async throws -> Tally {
        _ = try await eventually {
            let rows = try await storage.requests(of: tenant.tokenID, after: nil, limit: 1000)
            return rows.count >= wanted && rows.allSatisfy { $0.admission.settlement != nil }
        }
        let rows = try await storage.requests(of: tenant.tokenID, after: nil, limit: 1000)
        return Tally(counted: try await storage.token(tenant.tokenID).requestCount, rows: rows.count)
    }

    /// The end of the tenant's only request, once it has one or time is up.
    func settlement(of tenant: Tenant) async throws -> Settlement? {
        _ = try await settledTally(tenant, rows: 1)
        return try await storage.requests(of: tenant.tokenID, after: nil, limit: 1).first?.admission.settlement
    }
}

/// Looks again and again until `condition` holds, for at most ten seconds. Gives whether it came to hold.
package func eventually(
    within time: Duration = .seconds(10), _ condition: () async throws -> Bool
) async throws -> Bool {
    let watch = StallWatch.shared
    let start = ContinuousClock.now
    // By count too: others may have kept this one's thread busy for all that time.
    var looks = 0
    while watch.runningTime(since: start) < time || looks < 20 {
        looks += 1
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return try await condition()
}

extension Check {
    /// Expects an error of ours on `/v1`: its status, its code, and the shape that SDKs understand.
    func refusal(
        _ response: HTTPResponse, _ status: Int, _ code: String, _ what: String = "answer", file: String = #fileID,
        line: Int = #line
    ) {
        let error = response.json["error"]
        that(
            response.status == status && (error["code"].string == code || !wantsOurCodes),
            "\(what): found \(response.status) \(response.text), wanted \(status) \(code)", file: file, line: line)
        guard wantsOurCodes else {
            return that(
                error["message"].string?.isEmpty == false, "\(what): no error that a client can show: \(response.text)",
                file: file, line: line)
        }
        that(
            error["message"].string?.isEmpty == false && error["type"].string?.isEmpty == false && error.has("param"),
            "\(what): not the shape of an error: \(response.text)", file: file, line: line)
        equal(
            response.fields.first("content-type"), "application/json", "\(what): content type", file: file, line: line)
    }

    /// Expects an error of the management API.
    func managementRefusal(
        _ response: HTTPResponse, _ status: Int, _ what: String = "answer", file: String = #fileID, line: Int = #line
    ) {
        that(
            response.status == status, "\(what): found \(response.status) \(response.text), wanted \(status)",
            file: file,
            line: line)
        let hasShape = ["error", "code", "description"].allSatisfy { response.json[$0].string?.isEmpty == false }
        that(hasShape, "\(what): not the shape of a management error: \(response.text)", file: file, line: line)
    }

    /// Expects an answer with the usual body, whole.
    func usual(_ response: HTTPResponse, _ what: String = "answer", file: String = #fileID, line: Int = #line) {
        that(
            response.status == 200 && response.text == HTTPAnswer.usualBody && response.end == .complete,
            "\(what): found \(response.status) \(response.text) (\(response.end))", file: file, line: line)
    }
}
