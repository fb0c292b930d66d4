/// Answers as providers pack them, and what is in them.
enum PackedAnswer {
    /// Unpacks to a JSON answer of 5 prompt and 7 completion tokens by `gpt-4o-mini-2024`, in each coding.
    static let documents: [(coding: String, bytes: [UInt8])] = [
        (
            "gzip",
            base64(
                "H4sIAAAAAAACAz2O0QqDMAxF/+U+W1BxDPoF+4cxRqlBw9qm2AwE6b+vPsynXE5yLjnAMyz86tTHHMyADlFmCg0uWc0kJnJiM/bj1FZ+"
                    + "FfZUYJ8HOM20w/ZNoFLcQrAHNgltwpXCRV3S05Gk1JLFg0IQ1Prq8P0LeZOY9a3yodR6b+d9e4SUJV303kFFXbjAMNb6A38qRwy7AAAA"
            )
        ),
        (
            "deflate",
            base64(
                "eNo9jtEKgzAMRf/lPltQcQz6BfuHMUapQcPaptgMBOm/rz7Mp1xOci45wDMs/OrUxxzMgA5RZgoNLlnNJCZyYjP249RWfhX2VGCfBzjNtMP2"
                    + "TaBS3EKwBzYJbcKVwkVd0tORpNSSxYNCENT66vD9C3mTmPWt8qHUem/nfXuElCVd9N5BRV24wDDW+gNXVT78")
        ),
        (
            "br",
            base64(
                "odAFAGGcrpgXJax7CGzu+ncrZBR9R0dHQQhZQnZJrcPS1fcbu8b9BuNLiinHcNzjbHqyJETm+Gl6lw+ouPdSr5gE6MNZW5yeWPKd4z2p3Gey"
                    + "dq0UQwDodOQYeFepJfifm/7ly+FqUWrbFD1e5mAdKQALTk4+T+N/")
        ),
    ]
    static let document =
        #"{"id":"chatcmpl-1","model":"gpt-4o-mini-2024","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"}}],"#
        + #""usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}"#

    /// Reads base64 (RFC 4648 section 4).
    private static func base64(_ text: String) -> [UInt8] {
        var (bits, count): (UInt32, Int) = (0, 0)
        var bytes: [UInt8] = []
        for character in text.utf8 {
            guard let value = alphabet[character] else { break }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }

    private static let alphabet = Dictionary(
        uniqueKeysWithValues: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8.enumerated().map {
            ($1, $0)
        })
}
