/// What a template shows: names and values.
typealias View = [String: Any]

/// The pages' templates, parsed when the first page is asked for: a server whose pages nobody opens pays nothing.
package enum Templates {
    private static let parsed = parse()

    /// Templates that can't be parsed, with the reason; empty in a sound program.
    package static var faults: [String] { parsed.faults }

    static func render(_ name: String, _ view: View) -> String {
        TemplateRenderer(templates: parsed.templates).render(name, view)
    }

    /// A template that is given, for tests.
    package static func render(text: String, partials: [String: String] = [:], _ view: [String: Any]) throws -> String {
        var templates = try partials.mapValues { try Template($0) }
        templates[""] = try Template(text)
        return TemplateRenderer(templates: templates).render("", view)
    }

    private static func parse() -> (templates: [String: Template], faults: [String]) {
        var templates: [String: Template] = [:]
        var faults: [String] = []
        for (name, bytes) in PageAssets.templates() {
            do throws(Template.Fault) {
                templates[name] = try Template(String(decoding: bytes, as: UTF8.self))
            } catch {
                faults.append("\(name): \(error)")
            }
        }
        return (templates, faults)
    }
}
