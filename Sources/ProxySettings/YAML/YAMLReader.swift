import CYAML

/// Reads a YAML document into nodes that know their lines, over libyaml's events (https://pyyaml.org/wiki/LibYAML).
///
/// Refused, because a settings file is clearer without: anchors, aliases, tags, merge keys, keys that are no text, a key
/// given twice, and more than one document.
///
/// Over the C library because the Swift packages bring the whole of Foundation along: 50 MB of binary, 4 MB resident.
package struct YAMLReader: ~Copyable {
    /// Nesting beyond this is refused.
    static let maxDepth = 32
    /// Longer texts are refused, in bytes.
    static let maxLength = 1 << 20

    /// The parser points at itself, so it may not move.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let bytes: UnsafeMutableBufferPointer<UInt8>

    /// Gives the document's root; `nil` when nothing is in it but comments.
    package static func read(_ text: String) throws(YAMLFault) -> YAMLNode? {
        guard text.utf8.count <= maxLength else { throw YAMLFault(line: 1, rule: "begins a file of more than 1 MiB") }
        let reader = YAMLReader(text)
        return try reader.document()
    }

    private init(_ text: String) {
        bytes = .allocate(capacity: max(1, text.utf8.count))
        _ = bytes.update(fromContentsOf: text.utf8)
        parser = .allocate(capacity: 1)
        // Fails only when memory does; then the first event is an error.
        yaml_parser_initialize(parser)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, text.utf8.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        bytes.deallocate()
    }

    // MARK: Events

    /// What we need of an event after libyaml's own is gone.
    private enum Event {
        case scalar(String, isQuoted: Bool)
        case sequence
        case mapping
        /// Of a sequence, mapping or document.
        case end
        case document
        case streamEnd
        case other
    }

    private func next() throws(YAMLFault) -> (event: Event, line: Int) {
        var raw = yaml_event_t()
        guard yaml_parser_parse(parser, &raw) == 1 else {
            let problem = parser.pointee.problem.map { String(cString: $0) } ?? "can't be read"
            throw YAMLFault(line: Int(parser.pointee.problem_mark.line) + 1, rule: "is no YAML: \(problem)")
        }
        defer { yaml_event_delete(&raw) }
        let line = Int(raw.start_mark.line) + 1
        switch raw.type {
        case YAML_SCALAR_EVENT:
            let scalar = raw.data.scalar
            try refuse(anchor: scalar.anchor, tag: scalar.tag, line: line)
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            return (.scalar(text, isQuoted: scalar.style != YAML_PLAIN_SCALAR_STYLE), line)
        case YAML_SEQUENCE_START_EVENT:
            try refuse(anchor: raw.data.sequence_start.anchor, tag: raw.data.sequence_start.tag, line: line)
            return (.sequence, line)
        case YAML_MAPPING_START_EVENT:
            try refuse(anchor: raw.data.mapping_start.anchor, tag: raw.data.mapping_start.tag, line: line)
            return (.mapping, line)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT, YAML_DOCUMENT_END_EVENT: return (.end, line)
        case YAML_DOCUMENT_START_EVENT: return (.document, line)
        case YAML_STREAM_END_EVENT: return (.streamEnd, line)
        case YAML_ALIAS_EVENT: throw YAMLFault(line: line, rule: "uses an alias, which is not read here")
        default: return (.other, line)
        }
    }

    private func refuse(
        anchor: UnsafeMutablePointer<yaml_char_t>?, tag: UnsafeMutablePointer<yaml_char_t>?, line: Int
    ) throws(YAMLFault) {
        if anchor != nil { throw YAMLFault(line: line, rule: "sets an anchor, which is not read here") }
        if tag != nil { throw YAMLFault(line: line, rule: "has a tag, which is not read here") }
    }

    // MARK: Nodes

    private func document() throws(YAMLFault) -> YAMLNode? {
        var root: YAMLNode?
        while true {
            let (event, line) = try next()
            switch event {
            case .streamEnd: return root
            case .document where root != nil: throw YAMLFault(line: line, rule: "begins a second document")
            case .document: root = try node(from: try next(), depth: 0)
            default: break  // The stream's start, and the document's end.
            }
        }
    }

    private func node(from start: (event: Event, line: Int), depth: Int) throws(YAMLFault) -> YAMLNode {
        guard depth < Self.maxDepth else { throw YAMLFault(line: start.line, rule: "is nested too deeply") }
        switch start.event {
        case .scalar(let text, let isQuoted):
            return YAMLNode(content: .scalar(text, isQuoted: isQuoted), line: start.line)
        case .sequence:
            var items: [YAMLNode] = []
            while true {
                let following = try next()
                if case .end = following.event { break }
                items.append(try node(from: following, depth: depth + 1))
            }
            return YAMLNode(content: .sequence(items), line: start.line)
        case .mapping: return YAMLNode(content: .mapping(try entries(depth: depth)), line: start.line)
        case .end, .document, .streamEnd, .other: throw YAMLFault(line: start.line, rule: "lacks a value")
        }
    }

    private func entries(depth: Int) throws(YAMLFault) -> [YAMLEntry] {
        var entries: [YAMLEntry] = []
        while true {
            let (event, line) = try next()
            if case .end = event { return entries }
            guard case .scalar(let key, let isQuoted) = event else {
                throw YAMLFault(line: line, rule: "has a collection as a key, which is not read here")
            }
            if key == "<<", !isQuoted { throw YAMLFault(line: line, rule: "merges with <<, which is not read here") }
            guard !entries.contains(where: { $0.key == key }) else {
                throw YAMLFault(line: line, rule: "gives the key \"\(SettingFault.printable(key))\" again")
            }
            entries.append(YAMLEntry(key: key, line: line, value: try node(from: try next(), depth: depth + 1)))
        }
    }
}
