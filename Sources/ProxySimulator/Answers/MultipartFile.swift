/// The file in a form (RFC 7578).
struct MultipartFile: Sendable {
    let name: String
    let content: [UInt8]

    /// The first part that has a file's name; `nil` when there is none, or the form has no end.
    static func find(in body: [UInt8], contentType: String) -> MultipartFile? {
        guard let boundary = parameter("boundary", of: contentType) else { return nil }
        let delimiter = Array("--\(boundary)".utf8)
        var rest = body[...]
        while let start = rest.firstRange(of: delimiter) {
            let part = rest[start.upperBound...]
            guard let end = part.firstRange(of: Array("\r\n".utf8) + delimiter) else { return nil }
            let inside = part[..<end.lowerBound]
            if let gap = inside.firstRange(of: Array("\r\n\r\n".utf8)),
                let name = parameter("filename", of: String(decoding: inside[..<gap.lowerBound], as: UTF8.self))
            {
                return MultipartFile(name: name, content: Array(inside[gap.upperBound...]))
            }
            rest = body[(end.lowerBound + 2)...]
        }
        return nil
    }

    /// The value of `name=value` or `name="value"`.
    private static func parameter(_ name: String, of text: String) -> String? {
        guard let found = text.firstRange(of: "\(name)=") else { return nil }
        let value = text[found.upperBound...]
        if value.first == "\"" { return value.dropFirst().prefix { $0 != "\"" }.description }
        let end = value.prefix { $0 != ";" && $0 != "\r" && $0 != "\n" && $0 != "\r\n" && $0 != " " }
        return end.isEmpty ? nil : String(end)
    }
}
