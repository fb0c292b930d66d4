/// The counts of one usage object, as far as it has them.
struct TokenCounts {
    var prompt: Int64?
    var completion: Int64?
    var cached: Int64?

    var isEmpty: Bool { prompt == nil && completion == nil }

    /// `nil` without a prompt count: output alone says too little to be called usage.
    var usage: ReportedUsage? {
        prompt.map {
            ReportedUsage(promptTokens: $0, completionTokens: completion ?? 0, cachedPromptTokens: min($0, cached ?? 0))
        }
    }

    /// Reads the object at `start`. `end` is one past its brace, or `nil` when it breaks off; what came before counts.
    static func read(at start: Int, in bytes: UnsafeRawBufferPointer) -> (counts: TokenCounts, end: Int?) {
        var prompt: Int64?
        var completion: Int64?
        var cached: Int64?
        var scan = JSONScan(bytes, from: start)
        let isWhole = scan.eachMember { key, value in
            let name = key.lowerBound + 1..<key.upperBound - 1
            if bytes.isExactly("prompt_tokens", at: name) || bytes.isExactly("input_tokens", at: name) {
                prompt = JSONScan.count(at: value, in: bytes)
            } else if bytes.isExactly("completion_tokens", at: name) || bytes.isExactly("output_tokens", at: name) {
                completion = JSONScan.count(at: value, in: bytes)
            } else if bytes.isExactly("prompt_tokens_details", at: name)
                || bytes.isExactly("input_tokens_details", at: name)
            {
                let details = UnsafeRawBufferPointer(rebasing: bytes[value])
                cached = JSONScan.value(of: "cached_tokens", in: details).flatMap {
                    JSONScan.count(at: $0, in: details)
                }
            }
        }
        return (TokenCounts(prompt: prompt, completion: completion, cached: cached), isWhole ? scan.position : nil)
    }
}
