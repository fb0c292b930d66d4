/// What a request's JSON body says of what the request may use.
public struct RequestOutline: Hashable, Sendable {
    public private(set) var model: String?
    /// Most tokens one completion may have; `nil` when nothing bounds it.
    public private(set) var maxTokens: Int64?
    /// How many completions are asked for, at least 1.
    public private(set) var choices: Int64 = 1
    /// Whether the answer is asked for as a stream of events.
    public private(set) var isStream = false
    /// Where the values of `stream_options` are.
    private var streamOptions: [Range<Int>] = []

    /// Reads a body. `nil` when it is no JSON object.
    ///
    /// Readers differ in which of two equal keys they take: of bounds and numbers the largest counts here.
    public init?(of body: UnsafeRawBufferPointer) {
        var found = RequestOutline()
        var scan = JSONScan(body)
        let isWhole = scan.eachMember { key, value in
            func isKey(_ name: String) -> Bool { JSONScan.isKey(key, name, body) }
            if isKey("model") {
                found.model = JSONScan.string(at: value, in: body)
            } else if isKey("max_tokens") || isKey("max_completion_tokens") || isKey("max_output_tokens") {
                if let count = JSONScan.count(at: value, in: body) {
                    found.maxTokens = max(found.maxTokens ?? 0, count)
                }
            } else if isKey("stream") {
                found.isStream = body.isExactly("true", at: value)
            } else if isKey("stream_options") {
                found.streamOptions.append(value)
            } else if isKey("n") || isKey("best_of") {
                if let count = JSONScan.count(at: value, in: body) { found.choices = max(found.choices, count) }
            }
        }
        guard isWhole else { return nil }
        self = found
    }

    private init() {}

    /// The body that also asks for usage at the stream's end (`stream_options.include_usage` of OpenAI's chat API).
    ///
    /// `nil` when the answer is no stream, when usage is asked for already, and when what there is can't be added to.
    /// - Parameter body: what this outline was read from.
    public func askingForUsage(_ body: UnsafeRawBufferPointer) -> [UInt8]? {
        guard isStream, streamOptions.count <= 1 else { return nil }
        guard let options = streamOptions.first else {
            guard let start = body.firstOffset(of: 0x7B, in: 0..<body.count) else { return nil }
            return body.replacing(start + 1..<start + 1, by: #""stream_options":{"include_usage":true},"#)
        }
        if body.isExactly("null", at: options) { return body.replacing(options, by: #"{"include_usage":true}"#) }
        let object = UnsafeRawBufferPointer(rebasing: body[options])
        var values: [Range<Int>] = []
        var isEmpty = true
        var scan = JSONScan(object)
        _ = scan.eachMember { key, value in
            isEmpty = false
            if JSONScan.isKey(key, "include_usage", object) { values.append(value) }
        }
        guard object.byte(0) == 0x7B, values.count <= 1 else { return nil }
        let start = options.lowerBound
        guard let value = values.first else {
            return body.replacing(start + 1..<start + 1, by: #""include_usage":true"# + (isEmpty ? "" : ","))
        }
        guard object.isExactly("false", at: value) || object.isExactly("null", at: value) else { return nil }
        return body.replacing(start + value.lowerBound..<start + value.upperBound, by: "true")
    }

    /// Whether the body names what isn't in it and is yet read as part of the prompt: pictures, sound, files, earlier answers.
    public static func refersElsewhere(_ body: UnsafeRawBufferPointer) -> Bool {
        var scan = JSONScan(body)
        return scan.anyString { text, isKey in
            isKey && elsewhere.contains { JSONScan.isKey(text, $0, body) }
        }
    }

    /// Keys of OpenAI's chat and responses APIs.
    private static let elsewhere = [
        "image_url", "input_audio", "file", "file_id", "file_url", "file_data", "audio", "previous_response_id",
        "conversation", "prompt_id", "image", "source",
    ]
}

extension UnsafeRawBufferPointer {
    fileprivate func replacing(_ range: Range<Int>, by text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + text.utf8.count)
        bytes.append(contentsOf: self[..<range.lowerBound])
        bytes.append(contentsOf: text.utf8)
        bytes.append(contentsOf: self[range.upperBound...])
        return bytes
    }
}
