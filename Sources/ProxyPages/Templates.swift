import Mustache

/// What a template shows: names and values.
typealias View = [String: Any]

/// The pages' templates, parsed when the first page is asked for: a server whose pages nobody opens pays nothing.
package enum Templates {
    private struct Parsed: Sendable {
        let library: MustacheLibrary
        let faults: [String]
    }

    private static let parsed = parse()

    /// Templates that can't be parsed, with the reason; empty in a sound program.
    package static var faults: [String] { parsed.faults }

    static func render(_ name: String, _ view: View) -> String {
        parsed.library.render(view, withTemplate: name) ?? ""
    }

    private static func parse() -> Parsed {
        MustacheContentTypes.register(ExactMarkup(), named: ExactMarkup.name)
        var templates: [String: MustacheTemplate] = [:]
        var faults: [String] = []
        for (name, bytes) in PageAssets.templates() {
            // Each says how text is escaped: the engine would begin each partial with its own way.
            let text = "{{% CONTENT_TYPE: \(ExactMarkup.name)}}\n" + String(decoding: bytes, as: UTF8.self)
            do {
                templates[name] = try MustacheTemplate(string: text)
            } catch {
                faults.append("\(name): \(error)")
            }
        }
        return Parsed(library: MustacheLibrary(templates: templates), faults: faults)
    }
}
