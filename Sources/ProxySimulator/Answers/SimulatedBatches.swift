import FoundationEssentials
import Synchronization

/// Batches (https://platform.openai.com/docs/api-reference/batch): done as soon as they are made. The oldest goes when there are too many.
final class SimulatedBatches: Sendable {
    private static let most = 100
    /// Of which there may be batches: none of them is a batch itself.
    private static let endpoints = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings"]

    private struct Batch {
        let id: String
        let endpoint: String
        let input: String
        let output: String
        let count: Int
        let failed: Int

        var document: String {
            #"{"id":\#(id.quoted),"object":"batch","endpoint":\#(endpoint.quoted),"errors":null,"#
                + #""input_file_id":\#(input.quoted),"completion_window":"24h","status":"completed","#
                + #""output_file_id":\#(output.quoted),"error_file_id":null,"created_at":\#(created),"#
                + #""completed_at":\#(created),"request_counts":{"total":\#(count),"completed":\#(count - failed),"failed":\#(failed)},"#
                + #""metadata":null}"#
        }
    }

    private struct Order: Decodable {
        let input_file_id: String
        let endpoint: String
    }

    /// One request of a batch.
    private struct Line: Decodable {
        let custom_id: String
        let url: String
        let body: JSONValue
    }

    private let batches = Mutex<[Batch]>([])

    /// What `/v1/batches` and the paths below it answer. `rest` is what follows `batches` in the path.
    func answer(to call: Call, _ rest: [String], files: SimulatedFiles) -> Answer {
        switch (call.method, rest.count) {
        case ("POST", 0): return make(call, files)
        case ("GET", 0):
            let all = batches.withLock { $0.map(\.document) }
            return .json(#"{"object":"list","data":[\#(all.joined(separator: ","))],"has_more":false}"#)
        case ("GET", 1):
            let found = batches.withLock { batches in batches.first { $0.id == rest[0] } }
            return found.map { .json($0.document) }
                ?? .error(404, "No such Batch object: \(rest[0])", type: "invalid_request_error")
        default: return .error(404, "Invalid URL (\(call.method) \(call.path))", type: "invalid_request_error")
        }
    }

    private func make(_ call: Call, _ files: SimulatedFiles) -> Answer {
        guard let order = try? JSONDecoder().decode(Order.self, from: Data(call.body)),
            let input = files.content(of: order.input_file_id)
        else { return .error(400, "There is no input file for this batch.", type: "invalid_request_error") }
        guard Self.endpoints.contains(order.endpoint) else {
            return .error(400, "There are no batches of \(order.endpoint).", type: "invalid_request_error")
        }
        var output: [UInt8] = []
        var failed = 0
        let lines = input.split(separator: UInt8(ascii: "\n"))
        for (index, bytes) in lines.enumerated() {
            guard let line = try? JSONDecoder().decode(Line.self, from: Data(bytes)), line.url == order.endpoint,
                let (status, answer) = Self.answer(to: line, number: index + 1, files: files)
            else { return .error(400, "Line \(index + 1) is no request.", type: "invalid_request_error") }
            if status >= 400 { failed += 1 }
            output += Array(
                (#"{"id":"batch_req_\#(index + 1)","custom_id":\#(line.custom_id.quoted),"response":{"status_code":\#(status),"#
                    + #""request_id":"req_\#(index + 1)","body":\#(answer)},"error":null}"# + "\n").utf8)
        }
        let batch = Batch(
            id: "batch_\(call.number)", endpoint: order.endpoint, input: order.input_file_id,
            output: "file-batch-\(call.number)", count: lines.count, failed: failed)
        files.keep(output, id: batch.output)
        batches.withLock { batches in
            batches.append(batch)
            if batches.count > Self.most { batches.removeFirst() }
        }
        return .json(batch.document)
    }

    /// - Returns: `nil` when it can't be part of a batch.
    private static func answer(to line: Line, number: Int, files: SimulatedFiles) -> (status: Int, body: String)? {
        var members = line.body.members
        members["stream"] = nil  // Nobody is there to listen.
        guard let body = try? JSONEncoder().encode(JSONValue.object(members)) else { return nil }
        let call = Call(
            number: number, method: "POST", path: line.url, contentType: "application/json", body: Array(body),
            script: SimulatorScript())
        let answer = call.answer(files: files, batches: SimulatedBatches())
        guard case .whole(let bytes) = answer.content else { return nil }
        return (answer.status, String(decoding: bytes, as: UTF8.self))
    }
}
