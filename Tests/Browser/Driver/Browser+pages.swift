import Foundation

extension Browser {
    /// Opens an address and waits until the page has loaded.
    func open(_ address: String) async throws { try await tell("POST", "/url", ["url": .string(address)]) }

    /// Loads the page again.
    func reload() async throws { try await tell("POST", "/refresh") }

    /// The address of what is open.
    var address: String {
        get async throws { try await tell("GET", "/url").text ?? "" }
    }

    /// The page as it is now, as markup.
    var source: String {
        get async throws { try await tell("GET", "/source").text ?? "" }
    }

    /// The text of the page that can be seen.
    var text: String {
        get async throws { try await element("body").text }
    }

    /// The first element that a CSS selector finds.
    /// - Throws: `BrowserError` when there is none.
    func element(_ selector: String) async throws -> Element {
        Element(browser: self, reference: try await tell("POST", "/element", Element.query(selector)))
    }

    /// All elements that a CSS selector finds.
    func elements(_ selector: String) async throws -> [Element] {
        var found: [Element] = []
        for reference in try await tell("POST", "/elements", Element.query(selector)).list {
            found.append(Element(browser: self, reference: reference))
        }
        return found
    }

    func has(_ selector: String) async throws -> Bool { try await !elements(selector).isEmpty }

    /// Runs a function's body in the page and gives what it returns. Works also in pages whose own scripts are switched off.
    @discardableResult
    func run(_ script: String, _ arguments: [JSON] = []) async throws -> JSON {
        try await tell("POST", "/execute/sync", ["script": .string(script), "args": .array(arguments)])
    }

    /// Presses a key some times, as a keyboard does.
    func press(_ key: Key, times: Int = 1) async throws {
        var strokes: [JSON] = []
        for _ in 0..<times {
            for type in ["keyDown", "keyUp"] {
                strokes.append(["type": .string(type), "value": .string(key.rawValue)])
            }
        }
        try await tell(
            "POST", "/actions", ["actions": [["type": "key", "id": "keyboard", "actions": .array(strokes)]]])
    }

    /// Keys that write nothing (WebDriver, 17.4.2 "Keyboard actions").
    enum Key: String, Sendable {
        case tab = "\u{E004}"
        case enter = "\u{E007}"
    }

    /// Asks again and again until something holds, at most for `patience`.
    /// - Throws: `TestFailure` that names what was waited for.
    func wait(
        for what: String, patience: Duration = .seconds(10), until holds: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + patience
        repeat {
            // A page that is about to be replaced may refuse to be asked.
            do { if try await holds() { return } } catch let error as BrowserError where error.isPassing {}
            try await Task.sleep(for: .milliseconds(20))
        } while ContinuousClock.now < deadline
        throw TestFailure("waited in vain for \(what) at \((try? await address) ?? "no page")")
    }

    /// Does something that opens another page, and waits until that has loaded.
    func leaving(_ act: () async throws -> Void) async throws {
        let before = try await element("html").reference
        try await act()
        try await wait(for: "another page") { try await element("html").reference != before }
        try await wait(for: "the whole page") {
            try await run("return document.readyState").text == "complete"
        }
    }
}

extension BrowserError {
    /// Whether it may be gone once the next page has loaded.
    var isPassing: Bool {
        [
            "stale element reference", "no such element", "no such window", "javascript error", "unknown error",
            "no such execution context", "detached shadow root",
        ].contains(kind)
    }
}
