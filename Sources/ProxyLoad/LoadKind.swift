/// The requests that a mix names.
public enum LoadKind: String, CaseIterable, Sendable {
    case chat
    case stream
    case embeddings

    /// The request of this kind, with about so many bytes of text sent.
    func request(size: Int, headers: [String]) throws(LoadError) -> LoadRequest {
        let words = String(repeating: "proxy ", count: max(1, size / 6)).dropLast()
        let body: String
        switch self {
        case .chat: body = #"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"\#(words)"}]}"#
        case .stream:
            body =
                #"{"model":"gpt-4o-mini","stream":true,"stream_options":{"include_usage":true},"#
                + #""messages":[{"role":"user","content":"\#(words)"}]}"#
        case .embeddings: body = #"{"model":"text-embedding-3-small","input":"\#(words)"}"#
        }
        let path = self == .embeddings ? "/v1/embeddings" : "/v1/chat/completions"
        return try LoadRequest(method: "POST", path: path, body: Array(body.utf8), headers: headers)
    }
}

extension LoadMix {
    /// Reads parts such as `chat=8,stream=1,embeddings:4096=1`: a kind, the bytes of its text where 64 is not meant, a share.
    /// - Throws: ``LoadError/malformedMix(_:)`` with what can't be read.
    public static func parts(_ text: String, headers: [String] = []) throws(LoadError) -> [Part] {
        var parts: [Part] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            let (name, share) = word.cut(at: "=")
            let (kind, size) = name.cut(at: ":")
            guard let kind = LoadKind(rawValue: String(kind)), let share = Double(share ?? "1"), share > 0, share < 1e9,
                let size = Int(size ?? "64"), (1...8 << 20).contains(size)
            else { throw .malformedMix(String(word)) }
            parts.append(Part(try kind.request(size: size, headers: headers), share: share))
        }
        return parts
    }
}

extension Substring {
    /// What is before a character and what is after it, if it is there.
    fileprivate func cut(at mark: Character) -> (Substring, Substring?) {
        guard let place = firstIndex(of: mark) else { return (self, nil) }
        return (self[..<place], self[index(after: place)...])
    }
}
