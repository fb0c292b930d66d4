/// A text with tags, as Mustache has them (mustache(5)): `{{name}}`, `{{{name}}}`, `{{#name}}…{{/name}}`, `{{^name}}…{{/name}}`,
/// `{{> partial}}`, `{{! remark}}`, names with dots, and `{{.}}` for what a section is about.
///
/// Our own, because the Swift package for it brings all of Foundation, which would double the program and what it takes idle, and
/// escapes by `Character`: a quote with a combining mark after it would stand as it is, and end an attribute.
struct Template: Sendable {
    /// Why a text is no template.
    struct Fault: Error, Hashable, CustomStringConvertible {
        let description: String
    }

    fileprivate indirect enum Node: Sendable {
        case text(String)
        case value(path: [String], isMarkup: Bool)
        case section(path: [String], isInverted: Bool, [Node])
        case partial(String)
    }

    fileprivate let nodes: [Node]

    init(_ text: String) throws(Fault) {
        var parser = TemplateParser(text)
        nodes = try parser.nodes(until: nil)
    }
}

/// Reads a template's tags. A line with nothing on it but one tag that shows nothing is no line of the result.
private struct TemplateParser {
    private var rest: Substring
    /// Whether only blanks have come since the last line break.
    private var isLineStart = true

    init(_ text: String) { rest = text[...] }

    mutating func nodes(until section: String?) throws(Template.Fault) -> [Template.Node] {
        var nodes: [Template.Node] = []
        while let open = rest.firstRange(of: "{{") {
            var before = rest[..<open.lowerBound]
            rest = rest[open.upperBound...]
            let tag = try tag()
            if tag.isSilent, endsLine(before), let following = afterBlankLine() {
                before = before.droppingLastBlanks()
                rest = following
                isLineStart = true
            } else {
                isLineStart = false
            }
            if !before.isEmpty { nodes.append(.text(String(before))) }
            switch tag.kind {
            case "!": continue
            case "/":
                guard tag.name == section else { throw Template.Fault(description: "{{/\(tag.name)}} closes nothing") }
                return nodes
            case "#", "^":
                let inner = try self.nodes(until: tag.name)
                nodes.append(.section(path: tag.path, isInverted: tag.kind == "^", inner))
            case ">": nodes.append(.partial(tag.name))
            default: nodes.append(.value(path: tag.path, isMarkup: tag.kind == "{"))
            }
        }
        guard section == nil else { throw Template.Fault(description: "{{#\(section ?? "")}} is not closed") }
        if !rest.isEmpty { nodes.append(.text(String(rest))) }
        rest = ""
        return nodes
    }

    private struct Tag {
        let kind: Character
        let name: String
        var isSilent: Bool { "!/#^>".contains(kind) }
        /// Empty for `.`.
        var path: [String] { name.split(separator: ".").map(String.init) }
    }

    private mutating func tag() throws(Template.Fault) -> Tag {
        let isMarkup = rest.first == "{"
        let end = isMarkup ? "}}}" : "}}"
        guard let close = rest.firstRange(of: end) else { throw Template.Fault(description: "a tag has no end") }
        var inner = rest[..<close.lowerBound]
        rest = rest[close.upperBound...]
        var kind: Character = " "
        if let first = inner.first, "{!/#^>".contains(first) {
            kind = first
            inner = inner.dropFirst()
        }
        let name = String(inner.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        guard kind == "!" || !name.isEmpty else { throw Template.Fault(description: "a tag has no name") }
        return Tag(kind: kind, name: name)
    }

    /// Whether a text, after what came before it, ends with nothing but blanks on its line.
    private func endsLine(_ text: Substring) -> Bool {
        guard let line = text.lastIndex(where: { $0.isNewline }) else { return isLineStart && text.isBlank }
        return text[text.index(after: line)...].isBlank
    }

    /// What follows the line that the rest begins in the middle of, if only blanks are left of it.
    private func afterBlankLine() -> Substring? {
        let following = rest.drop { $0 == " " || $0 == "\t" }
        guard let first = following.first else { return following }
        return first.isNewline ? following.dropFirst() : nil
    }
}

extension Substring {
    fileprivate var isBlank: Bool { allSatisfy { $0 == " " || $0 == "\t" } }

    fileprivate func droppingLastBlanks() -> Substring {
        guard let last = lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
        return self[...last]
    }
}

/// Shows templates, with their partials.
struct TemplateRenderer {
    let templates: [String: Template]

    /// - Returns: nothing when there is no such template.
    func render(_ name: String, _ view: View) -> String {
        var output = ""
        if let template = templates[name] { render(template.nodes, [view], &output) }
        return output
    }

    private func render(_ nodes: [Template.Node], _ stack: [Any], _ output: inout String) {
        for node in nodes {
            switch node {
            case .text(let text): output += text
            case .value(let path, let isMarkup):
                guard let value = find(path, in: stack) else { continue }
                let text = value as? String ?? "\(value)"
                output += isMarkup ? text : Markup.escaped(text)
            case .section(let path, let isInverted, let inner):
                render(section: find(path, in: stack), isInverted, inner, stack, &output)
            case .partial(let name):
                if let template = templates[name] { render(template.nodes, stack, &output) }
            }
        }
    }

    private func render(
        section value: Any?, _ isInverted: Bool, _ inner: [Template.Node], _ stack: [Any], _ output: inout String
    ) {
        switch value {
        case nil:
            if isInverted { render(inner, stack, &output) }
        case let flag as Bool:
            if flag != isInverted { render(inner, stack, &output) }
        case let items as [Any]:
            if isInverted {
                if items.isEmpty { render(inner, stack, &output) }
            } else {
                for item in items { render(inner, stack + [item], &output) }
            }
        case .some(let context):
            if !isInverted { render(inner, stack + [context], &output) }
        }
    }

    /// The innermost value of the first name, and then that of each further one in it.
    private func find(_ path: [String], in stack: [Any]) -> Any? {
        guard let first = path.first else { return stack.last.flatMap(Self.unwrapped) }
        for context in stack.reversed() {
            guard var value = (context as? View)?[first].flatMap(Self.unwrapped) else { continue }
            for name in path.dropFirst() {
                guard let inner = (value as? View)?[name].flatMap(Self.unwrapped) else { return nil }
                value = inner
            }
            return value
        }
        return nil
    }

    /// What an optional that went into an `Any` holds.
    private static func unwrapped(_ value: Any) -> Any? {
        guard let optional = value as? any OptionalValue else { return value }
        return optional.held.flatMap(unwrapped)
    }
}

private protocol OptionalValue {
    var held: Any? { get }
}

extension Optional: OptionalValue {
    fileprivate var held: Any? { self }
}
