/// A request as the answers see it: complete, its body as far as it was kept.
struct Call: Sendable {
    /// Which request of its server, from 1.
    let number: Int
    let method: String
    /// Without query.
    let path: String
    let contentType: String
    let body: [UInt8]
    var script: SimulatorScript

    /// What OpenAI would answer.
    func answer(files: SimulatedFiles, batches: SimulatedBatches) -> Answer {
        if script.echoes { return Answer(fields: [("Content-Type", contentType)], content: .whole(body)) }
        if let size = script.bodySize {
            return Answer(
                status: script.status ?? 200, fields: [("Content-Type", "application/octet-stream")],
                content: .generated(size))
        }
        if let status = script.status, status >= 400 { return scriptedError(status) }
        var answer = route(files, batches)
        if let status = script.status { answer.status = status }
        return answer
    }

    private func scriptedError(_ status: Int) -> Answer {
        let (type, code) =
            switch status {
            case 401: ("invalid_request_error", "invalid_api_key")
            case 403: ("invalid_request_error", "unsupported_country_region_territory")
            case 404: ("invalid_request_error", "model_not_found")
            case 429: ("requests", "rate_limit_exceeded")
            case 500...: ("server_error", "server_error")
            default: ("invalid_request_error", "invalid_value")
            }
        return .error(status, "The script asked for this error.", type: type, code: code)
    }

    private func route(_ files: SimulatedFiles, _ batches: SimulatedBatches) -> Answer {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        guard segments.first == "v1" else { return unknownPath }
        switch (method, Array(segments.dropFirst())) {
        case ("POST", ["chat", "completions"]):
            return withJSON {
                let body = $0.wanting(tools: true, structure: true)
                return body.telling(body.chatAnswer(to: self), completion: body.wordCount(script))
            }
        case ("POST", ["completions"]):
            return withJSON { $0.telling($0.completionAnswer(to: self), completion: $0.wordCount(script)) }
        case ("POST", ["responses"]):
            return withJSON {
                let body = $0.wanting(tools: false, structure: true)
                return body.telling(
                    body.responsesAnswer(to: self), completion: body.wordCount(script), isAlwaysTold: true)
            }
        case ("POST", ["messages"]):
            return withJSON {
                let body = $0.wanting(tools: true, structure: false)
                return body.telling(
                    body.messagesAnswer(to: self), completion: body.wordCount(script), isAlwaysTold: true)
            }
        case ("POST", ["embeddings"]):
            return withJSON { $0.telling($0.embeddingAnswer(), completion: 0, isAlwaysTold: true) }
        case ("GET", ["models"]), ("HEAD", ["models"]): return Models.list
        case ("GET", let rest) where rest.count == 2 && rest[0] == "models": return Models.one(rest[1])
        case ("POST", ["audio", "transcriptions"]): return transcription
        case (_, let rest) where rest.first == "batches":
            return batches.answer(to: self, Array(rest.dropFirst()), files: files)
        case (_, let rest) where rest.first == "files": return files.answer(to: self, Array(rest.dropFirst()))
        default: return unknownPath
        }
    }

    private var unknownPath: Answer {
        .error(404, "Invalid URL (\(method) \(path))", type: "invalid_request_error")
    }

    private func withJSON(_ answer: (CallBody) -> Answer) -> Answer {
        guard let read = CallBody.read(body) else {
            return .error(400, "The body of this request is not a JSON object.", type: "invalid_request_error")
        }
        return answer(read)
    }

    private var transcription: Answer {
        guard let part = MultipartFile.find(in: body, contentType: contentType) else {
            return .error(400, "There is no file in this request.", type: "invalid_request_error")
        }
        return .json(#"{"text":\#(Words.text(min(part.content.count, Words.usualCount)).quoted)}"#)
    }
}

/// The models that the simulator claims to have.
enum Models {
    private static let names = ["gpt-4o-mini", "gpt-4o", "text-embedding-3-small", "whisper-1"]

    private static func document(_ name: String) -> String {
        #"{"id":\#(name.quoted),"object":"model","created":\#(created),"owned_by":"simulator"}"#
    }

    static let list = Answer.json(#"{"object":"list","data":[\#(names.map(document).joined(separator: ","))]}"#)

    static func one(_ name: String) -> Answer {
        guard names.contains(name) else {
            return .error(
                404, "The model '\(name)' does not exist", type: "invalid_request_error", code: "model_not_found")
        }
        return .json(document(name))
    }
}

/// The instant, in seconds since 1970, that every answer claims to be from: answers are the same each time.
let created = 1_700_000_000
