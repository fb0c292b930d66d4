import Synchronization

/// The files that were uploaded. The oldest goes when there are too many.
final class SimulatedFiles: Sendable {
    private static let most = 100

    private struct File {
        let id: String
        let name: String
        let content: [UInt8]

        var document: String {
            #"{"id":\#(id.quoted),"object":"file","bytes":\#(content.count),"created_at":\#(created),"#
                + #""filename":\#(name.quoted),"purpose":"user_data","status":"processed"}"#
        }
    }

    private let files = Mutex<[File]>([])

    /// What `/v1/files` and the paths below it answer. `rest` is what follows `files` in the path.
    func answer(to call: Call, _ rest: [String]) -> Answer {
        switch (call.method, rest.count) {
        case ("POST", 0): return upload(call)
        case ("GET", 0):
            let all = files.withLock { $0.map(\.document) }
            return .json(#"{"object":"list","data":[\#(all.joined(separator: ","))],"has_more":false}"#)
        case ("GET", 1): return find(rest[0]).map { .json($0.document) } ?? unknown(rest[0])
        case ("GET", 2) where rest[1] == "content":
            guard let file = find(rest[0]) else { return unknown(rest[0]) }
            return Answer(fields: [("Content-Type", "application/octet-stream")], content: .whole(file.content))
        case ("DELETE", 1):
            guard find(rest[0]) != nil else { return unknown(rest[0]) }
            files.withLock { $0.removeAll { $0.id == rest[0] } }
            return .json(#"{"id":\#(rest[0].quoted),"object":"file","deleted":true}"#)
        default: return .error(404, "Invalid URL (\(call.method) \(call.path))", type: "invalid_request_error")
        }
    }

    private func upload(_ call: Call) -> Answer {
        guard let part = MultipartFile.find(in: call.body, contentType: call.contentType) else {
            return .error(400, "There is no file in this request.", type: "invalid_request_error")
        }
        let file = File(id: "file-\(call.number)", name: part.name, content: part.content)
        keep(file)
        return .json(file.document)
    }

    private func keep(_ file: File) {
        files.withLock { files in
            files.append(file)
            if files.count > Self.most { files.removeFirst() }
        }
    }

    /// Keeps what was made here.
    func keep(_ content: [UInt8], id: String) { keep(File(id: id, name: "\(id).jsonl", content: content)) }

    /// What was uploaded; `nil` when there is no such file.
    func content(of id: String) -> [UInt8]? { find(id)?.content }

    private func find(_ id: String) -> File? { files.withLock { files in files.first { $0.id == id } } }

    private func unknown(_ id: String) -> Answer {
        .error(404, "No such File object: \(id)", type: "invalid_request_error")
    }
}
