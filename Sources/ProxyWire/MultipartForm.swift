/// A form in parts (RFC 7578, RFC 2046 section 5.1), looked at without taking it apart. Strict: a part whose head isn't plain is no
/// part, and then the form is not read.
enum MultipartForm {
    struct Part {
        /// The field's name; `nil` when the part doesn't say it plainly.
        let name: String?
        /// Whether the content is text as it stands: no file, and in no encoding of its own.
        let isPlain: Bool
        let content: UnsafeRawBufferPointer
    }

    /// The boundary that a content type names; `nil` when it is no form in parts, or names none that can be.
    static func boundary(in contentType: UnsafeRawBufferPointer) -> [UInt8]? {
        let text = String(decoding: contentType, as: UTF8.self)
        let pieces = text.split(separator: ";", omittingEmptySubsequences: false).map(trimmed)
        guard pieces.first?.lowercased() == "multipart/form-data" else { return nil }
        let named = pieces.dropFirst().filter { $0.lowercased().hasPrefix("boundary") }
        guard named.count == 1, let only = named.first, only.lowercased().hasPrefix("boundary=") else { return nil }
        let value = only.dropFirst("boundary=".count)
        let plain = unquoted(value)
        // RFC 2046 section 5.1.1: 1 to 70 characters.
        guard let plain, (1...70).contains(plain.utf8.count) else { return nil }
        return Array(plain.utf8)
    }

    /// - Parameter visit: gives whether to go on.
    /// - Returns: whether the form was read to its end.
    static func forEachPart(
        of body: UnsafeRawBufferPointer, boundary: [UInt8], _ visit: (Part) -> Bool
    ) -> Bool {
        let dashes = Array("--".utf8) + boundary
        guard body.starts(with: dashes) else { return false }
        var position = dashes.count
        while true {
            let rest = UnsafeRawBufferPointer(rebasing: body[position...])
            if rest.starts(with: "--".utf8) {
                return rest.count == 2 || rest.elementsEqual("--\r\n".utf8)
            }
            guard rest.starts(with: "\r\n".utf8),
                let headEnd = offset(of: Array("\r\n\r\n".utf8), in: body, from: position),
                let dashesAt = offset(of: dashes, in: body, from: headEnd + 4)
            else { return false }
            // Some readers take the boundary wherever it stands, or after a line feed alone.
            let end = dashesAt - 2
            guard body[max(0, end)..<dashesAt].elementsEqual("\r\n".utf8) else { return false }
            let head = UnsafeRawBufferPointer(rebasing: body[position + 2..<max(position + 2, headEnd)])
            guard end >= headEnd + 4 else { return false }
            guard visit(part(head, UnsafeRawBufferPointer(rebasing: body[headEnd + 4..<end]))) else { return false }
            position = end + 2 + dashes.count
        }
    }

    private static func part(_ head: UnsafeRawBufferPointer, _ content: UnsafeRawBufferPointer) -> Part {
        var name: String?
        var isPlain = true
        var dispositions = 0
        for line in String(decoding: head, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false) {
            guard let colon = line.firstIndex(of: ":"), isPlainName(line[..<colon]), !line.contains("\n"),
                !line.contains("\r")
            else {
                return Part(name: nil, isPlain: false, content: content)
            }
            switch line[..<colon].lowercased() {
            case "content-disposition":
                dispositions += 1
                (name, isPlain) = disposition(line[line.index(after: colon)...], isPlain)
            case "content-transfer-encoding": isPlain = false
            case "content-type": if line.lowercased().contains("charset") { isPlain = false }
            default: break
            }
        }
        return Part(name: dispositions == 1 ? name : nil, isPlain: isPlain, content: content)
    }

    /// A line that goes on with the one before it begins with white space, and has no name.
    private static func isPlainName(_ name: Substring) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                byte.isDigit || byte | 0x20 &- 0x61 < 26 || byte == UInt8(ascii: "-")
            }
    }

    private static func disposition(_ value: Substring, _ wasPlain: Bool) -> (name: String?, isPlain: Bool) {
        var names: [String?] = []
        var isPlain = wasPlain
        let pieces = value.split(separator: ";", omittingEmptySubsequences: false).map(trimmed)
        guard pieces.first?.lowercased() == "form-data" else { return (nil, false) }
        for piece in pieces.dropFirst() {
            let key = piece.prefix { $0 != "=" }.lowercased()
            // Some readers leave out what is white space in other encodings.
            guard key.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else { return (nil, false) }
            // Encoded names (RFC 5987) are for readers to differ about.
            if key.hasPrefix("name") { names.append(key == "name" ? unquoted(piece.dropFirst(5)) : nil) }
            if key.hasPrefix("filename") { isPlain = false }
        }
        return (names.count == 1 ? names[0] : nil, isPlain)
    }

    /// A value without the quotes around it; `nil` when it has any within, or a backslash, a semicolon or a percent sign that
    /// readers take in two ways, or white space that some of them leave out.
    private static func unquoted(_ text: Substring) -> String? {
        var plain = text
        if plain.hasPrefix("\"") {
            guard plain.count >= 2, plain.hasSuffix("\"") else { return nil }
            plain = plain.dropFirst().dropLast()
        }
        let isPlain =
            trimmed(plain).utf8.count == plain.utf8.count && plain.utf8.allSatisfy { (0x20...0x7E).contains($0) }
        return !isPlain || plain.contains { "\"\\;%".contains($0) } ? nil : String(plain)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        var rest = text.drop(while: isSpace)
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        return rest
    }

    private static func offset(of wanted: [UInt8], in body: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var position = start
        while position + wanted.count <= body.count,
            let found = body.firstOffset(of: wanted[0], in: position..<body.count - wanted.count + 1)
        {
            if body[found..<found + wanted.count].elementsEqual(wanted) { return found }
            position = found + 1
        }
        return nil
    }
}

extension ParameterRules {
    /// How content says its parameters.
    private enum Form {
        case json
        case query
        case parts(boundary: [UInt8])
        case unknown
    }

    /// Looks at a request's content by its type. What names no type is read as JSON, as many servers do.
    ///
    /// - Parameter contentType: the value of `Content-Type`; `nil` when there is none.
    public func violation(in body: UnsafeRawBufferPointer, contentType: UnsafeRawBufferPointer?) -> Violation? {
        guard !body.isEmpty else { return nil }
        switch Self.form(of: contentType) {
        case .json: return violation(inJSON: body)
        case .query: return violation(inQuery: body)
        case .parts(let boundary): return violation(inParts: body, boundary: boundary)
        case .unknown: return .unreadable
        }
    }

    /// Names no encoding of characters, or one in which the bytes of ASCII are ASCII.
    private static func hasPlainCharset(_ contentType: UnsafeRawBufferPointer) -> Bool {
        let text = String(decoding: contentType, as: UTF8.self).lowercased()
        guard text.contains("charset") else { return true }
        let plain = ["charset=utf-8", "charset=\"utf-8\"", "charset=us-ascii", "charset=ascii"]
        return text.split(separator: ";").filter { $0.contains("charset") }.allSatisfy { piece in
            plain.contains(String(piece.filter { $0 != " " && $0 != "\t" }))
        }
    }

    private static func form(of contentType: UnsafeRawBufferPointer?) -> Form {
        guard let contentType else { return .json }
        guard hasPlainCharset(contentType) else { return .unknown }
        if let boundary = MultipartForm.boundary(in: contentType) { return .parts(boundary: boundary) }
        let name = String(
            decoding: contentType.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") }, as: UTF8.self
        )
        .lowercased()
        switch name {
        case "application/x-www-form-urlencoded": return .query
        case "application/json", "text/json", "text/plain": return .json
        default: return name.hasSuffix("+json") ? .json : .unknown
        }
    }
}
