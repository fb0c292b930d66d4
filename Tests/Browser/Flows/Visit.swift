import Foundation
import Testing

/// Somebody at the pages, in a browser, with one look.
struct Visit: Sendable {
    let browser: Browser
    let site: AdminSite
    let look: Look

    /// Walks through the pages at the shared site, or at one of the test's own. Afterwards nothing may be left on the console.
    /// - Parameter credential: with what one has signed in already; `nil` for nobody.
    static func walk(
        _ look: Look, at other: AdminSite? = nil, as credential: String? = AdminSite.managementToken,
        _ body: (Visit) async throws -> Void
    ) async throws {
        guard let bench = LendsBrowsers.bench else { throw TestFailure("no browser was lent") }
        let site = other ?? bench.site
        let visit = Visit(browser: try await bench.browser(for: look, at: site), site: site, look: look)
        if let credential { try await visit.enter(as: credential) }
        try await body(visit)
        let faults = try await visit.consoleFaults()
        #expect(faults.isEmpty, "\(faults.joined(separator: "\n"))")
    }

    /// Signs in behind the browser's back: the form has tests of its own.
    func enter(as credential: String) async throws {
        let visitor = try await Visitor.signedIn(at: site, with: credential)
        try await browser.keep(cookie: Hook.sessionCookie, visitor.session, origin: site.origin)
    }

    /// Opens a path of the site.
    func open(_ path: String) async throws { try await browser.open(site.origin + path) }

    /// Path and query of what is open.
    var place: String {
        get async throws { String(try await browser.address.dropFirst(site.origin.count)) }
    }

    /// Which page is open, by its hook.
    var page: String {
        get async throws { try await browser.element("body").attribute("data-page") ?? "none" }
    }

    /// The text of the open page that can be seen.
    var text: String {
        get async throws { try await browser.text }
    }

    /// What the open page alerts to.
    var alert: String {
        get async throws {
            var texts: [String] = []
            for alert in try await browser.elements(Hook.alert) { texts.append(try await alert.text) }
            return texts.joined(separator: "\n")
        }
    }

    /// The first form for an action of the API, with some words in its own hidden fields or in its target where there are several.
    func form(_ action: String, for part: String = "") async throws -> Element {
        let forms = try await browser.elements(Hook.form(action))
        for form in forms where !part.isEmpty {
            let target = try await form.attribute("action") ?? ""
            if target.contains(part) { return form }
            if try await !form.elements("input[type=hidden][value=\"\(Element.quoted(part))\"]").isEmpty { return form }
        }
        guard part.isEmpty, let first = forms.first else {
            throw TestFailure("no form for \(action) \(part) at \(try await place): there are \(try await actions)")
        }
        return first
    }

    /// The actions of all forms of the open page.
    var actions: [String] {
        get async throws {
            try await browser.run(
                "return [...document.querySelectorAll('[data-action]')].map(form => form.dataset.action)"
            ).texts
        }
    }

    /// Fills the form for an action, in the order given, sends it and waits for the page that follows.
    func submit(
        _ action: String, _ values: KeyValuePairs<String, String> = [:], for part: String = ""
    ) async throws {
        let form = try await form(action, for: part)
        try await form.reveal()
        for (name, value) in values { try await fill(name, value, in: form) }
        let button = try await form.element("button:not([type=button]):not([type=reset]), input[type=submit]")
        try await browser.leaving { try await button.click() }
    }

    /// Fills one control of a form; of a group of checkboxes or radio buttons the one with that value.
    private func fill(_ name: String, _ value: String, in form: Element) async throws {
        let controls = try await form.elements("[name=\"\(Element.quoted(name))\"]:not([type=hidden])")
        guard let first = controls.first else { throw TestFailure("the form has no control \(name)") }
        var chosen = first
        for control in controls where controls.count > 1 {
            if try await control.attribute("value") == value { chosen = control }
        }
        try await chosen.reveal()
        try await chosen.fill(value)
    }

    /// Follows the first link that a selector finds.
    func follow(_ selector: String) async throws {
        let link = try await browser.element(selector)
        try await link.reveal()
        try await browser.leaving { try await link.click() }
    }

    /// What is wrong on the console since it was last asked. That a page was refused on purpose is told there too, and no fault.
    func consoleFaults() async throws -> [String] {
        var faults: [String] = []
        for entry in try await browser.console() where entry["level"].text == "SEVERE" {
            let message = entry["message"].text ?? entry.line
            let isRefusal =
                entry["source"].text == "network" && !message.contains("/assets/")
                && message.contains("the server responded with a status of 4")
            if !isRefusal { faults.append(message) }
        }
        return faults
    }
}
