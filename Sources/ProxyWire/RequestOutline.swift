/// What a request's JSON body says of what the request may use.
public struct RequestOutline: Hashable, Sendable {
    public private(set) var model: String?
    /// Most tokens one completion may have; `nil` when nothing bounds it.
    public private(set) var maxTokens: Int64?
    /// How many completions are asked for, at least 1.
    public private(set) var choices: Int64 = 1

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
            } else if isKey("n") || isKey("best_of") {
                if let count = JSONScan.count(at: value, in: body) { found.choices = max(found.choices, count) }
            }
        }
        guard isWhole else { return nil }
        self = found
    }

    private init() {}

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
