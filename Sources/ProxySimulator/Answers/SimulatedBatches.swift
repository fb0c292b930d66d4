import FoundationEssentials
import Synchronization

/// Batches (https://platform.openai.com/docs/api-reference/batch): done as soon as they are made. The oldest goes when there are too many.
final class SimulatedBatches: Sendable {
    private static let most = 100

    private struct Batch {
        let id: String
        let endpoint: String
        let input: String
        let output: String
        let count: Int

        var document: String {
            #"{"id":\#(id.quoted),"object":"batch","endpoint":\#(endpoint.quoted),"errors":null,"#
                + #""input_file_id":\#(input.quoted),"completion_window":"24h","status":"completed","#
                + #""output_file_id":\#(output.quoted),"error_file_id":null,"created_at":\#(created),"#
                + #""completed_at":\#(created),"request_counts":{"total":\#(count),"completed":\#(count),"failed":0},"#
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
        var output: [UInt8] = []
        let lines = input.split(separator: UInt8(ascii: "\n"))
        for (index, bytes) in lines.enumerated() {
            guard let line = try? JSONDecoder().decode(Line.self, from: Data(bytes)),
                let answer = Self.answer(to: line, number: index + 1, files: files)
            else { return .error(400, "Line \(index + 1) is no request.", type: "invalid_request_error") }
            output += Array(
                (#"{"id":"batch_req_\#(index + 1)","custom_id":\#(line.custom_id.quoted),"response":{"status_code":200,"#
                    + #""request_id":"req_\#(index + 1)","body":\#(answer)},"error":null}"# + "\n").utf8)
        }
        let batch = Batch(
            id: "batch_\(call.number)", endpoint: order.endpoint, input: order.input_file_id,
            output: "file-batch-\(call.number)", count: lines.count)
        files.keep(output, id: batch.output)
        batches.withLock { batches in
            batches.append(batch)
            if batches.count > Self.most { batches.removeFirst() }
        }
        return .json(batch.document)
    }

    private static func answer(to line: Line, number: Int, files: SimulatedFiles) -> String? {
        guard let body = try? JSONEncoder().encode(line.body) else { return nil }
        let call = Call(
            number: number, method: "POST", path: line.url, contentType: "application/json", body: Array(body),
            script: SimulatorScript())
        guard case .whole(let bytes) = call.answer(files: files, batches: SimulatedBatches()).content else {
            return nil
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
