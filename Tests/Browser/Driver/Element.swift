/// An element of the page that was open when it was found.
struct Element: Sendable {
    let browser: Browser
    /// As the protocol writes it, also as an argument of scripts.
    let reference: JSON

    /// WebDriver, 12.1: the member that holds an element's reference.
    private static let member = "element-6066-11e4-a52e-4f735466cecf"
    private var path: String { "/element/\(reference[Self.member].text ?? "none")" }

    static func query(_ selector: String) -> JSON { ["using": "css selector", "value": .string(selector)] }

    /// The first element below this one that a selector finds.
    func element(_ selector: String) async throws -> Element {
        Element(browser: browser, reference: try await browser.tell("POST", path + "/element", Self.query(selector)))
    }

    /// All elements below this one that a selector finds.
    func elements(_ selector: String) async throws -> [Element] {
        var found: [Element] = []
        for reference in try await browser.tell("POST", path + "/elements", Self.query(selector)).list {
            found.append(Element(browser: browser, reference: reference))
        }
        return found
    }

    /// The text that can be seen.
    var text: String {
        get async throws { try await browser.tell("GET", path + "/text").text ?? "" }
    }

    /// In lower case, as `select`.
    var name: String {
        get async throws { try await browser.tell("GET", path + "/name").text?.lowercased() ?? "" }
    }

    /// The attribute as it stands in the markup; `nil` without one.
    func attribute(_ name: String) async throws -> String? {
        try await browser.tell("GET", path + "/attribute/\(name)").text
    }

    /// The property as it is now, such as what is written in a field.
    func property(_ name: String) async throws -> JSON { try await browser.tell("GET", path + "/property/\(name)") }

    var isChosen: Bool {
        get async throws { try await browser.tell("GET", path + "/selected").flag ?? false }
    }

    var isShown: Bool {
        get async throws { try await browser.tell("GET", path + "/displayed").flag ?? false }
    }

    func click() async throws { try await browser.tell("POST", path + "/click") }
    func clear() async throws { try await browser.tell("POST", path + "/clear") }

    /// Types into the element, after what stands there.
    func type(_ text: String) async throws {
        try await browser.tell("POST", path + "/value", ["text": .string(text)])
    }

    /// Opens the `<details>` that hide the element, the outermost first, as somebody would who looks for it.
    func reveal() async throws {
        let find = """
            const closed = []
            for (let at = arguments[0].parentElement; at; at = at.parentElement)
                if (at.tagName === 'DETAILS' && !at.open) closed.unshift(at.querySelector(':scope > summary'))
            return closed
            """
        for summary in try await browser.run(find, [reference]).list {
            try await Element(browser: browser, reference: summary).click()
        }
    }

    /// Puts a value into a control, whatever its kind: text is typed, an option is chosen by its value, and a checkbox is ticked for
    /// `true` or one of its own value.
    func fill(_ value: String) async throws {
        let kind = try await attribute("type") ?? ""
        switch (try await name, kind) {
        case ("select", _):
            let find = "return [...arguments[0].options].find(option => option.value === arguments[1]) ?? null"
            let option = try await browser.run(find, [reference, .string(value)])
            guard option != .null else { throw TestFailure("the list has no choice \(value)") }
            try await Element(browser: browser, reference: option).click()
        case (_, "checkbox"), (_, "radio"):
            let own = try await attribute("value")
            let wanted = value == "true" || value == own
            if try await isChosen != wanted { try await click() }
        case (_, "datetime-local"), (_, "date"):
            // What is typed there depends on the machine's own way of writing dates.
            try await browser.run("arguments[0].value = arguments[1]", [reference, .string(value)])
        default:
            try await clear()
            if !value.isEmpty { try await type(value) }
        }
    }

    /// For a selector's string in double quotes.
    static func quoted(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    }
}
