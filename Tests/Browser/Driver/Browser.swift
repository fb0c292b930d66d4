import Foundation

/// A headless Chromium, driven by W3C WebDriver (https://www.w3.org/TR/webdriver2/) and, where that has no word for it, by the
/// DevTools protocol through chromedriver.
final class Browser: Sendable {
    private let port: Int
    private let session: String

    private init(port: Int, session: String) {
        self.port = port
        self.session = session
    }

    /// - Parameter name: of the profile in the driver's folder; no two browsers share one.
    static func start(_ driver: ChromeDriver, profile name: String) async throws -> Browser {
        let arguments: [JSON] = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server",
            "--disable-extensions", "--disable-background-networking", "--no-first-run", "--hide-scrollbars",
            .string("--user-data-dir=\(driver.folder)/\(name)"),
        ]
        let wanted: JSON = [
            "browserName": "chrome", "pageLoadStrategy": "normal", "unhandledPromptBehavior": "ignore",
            "acceptInsecureCerts": true,
            "timeouts": ["script": 20_000, "pageLoad": 20_000, "implicit": 0],
            "goog:loggingPrefs": ["browser": "ALL"], "goog:chromeOptions": ["args": .array(arguments)],
        ]
        let made = try await tell(driver.port, "POST", "/session", ["capabilities": ["alwaysMatch": wanted]])
        guard let session = made["sessionId"].text else { throw TestFailure("no session: \(made.line)") }
        return Browser(port: driver.port, session: session)
    }

    /// Ends the browser.
    func end() async { _ = try? await tell("DELETE", "") }

    /// One command of WebDriver; gives its value.
    /// - Throws: `BrowserError` for what the browser refuses.
    @discardableResult
    func tell(_ method: String, _ path: String, _ body: JSON? = nil) async throws -> JSON {
        try await Self.tell(port, method, "/session/\(session)\(path)", body)
    }

    /// One command of the DevTools protocol; gives its result.
    @discardableResult
    func develop(_ command: String, _ parameters: JSON = [:]) async throws -> JSON {
        try await tell("POST", "/goog/cdp/execute", ["cmd": .string(command), "params": parameters])
    }

    private static func tell(_ port: Int, _ method: String, _ path: String, _ body: JSON?) async throws -> JSON {
        var request = Exchange(method: method, target: path)
        if method == "POST" {
            request.fields = [("Content-Type", "application/json; charset=utf-8")]
            request.body = (body ?? [:]).line
        }
        let answer = try await request.send(to: port)
        let value = answer.json["value"]
        guard answer.status == 200 else {
            throw BrowserError(
                kind: value["error"].text ?? "status \(answer.status)", message: value["message"].text ?? answer.text,
                command: "\(method) \(path)")
        }
        return value
    }
}

/// What a browser refused to do.
struct BrowserError: Error, CustomStringConvertible {
    /// The protocol's own word, such as `no such element` (WebDriver, 6.6 "Errors").
    let kind: String
    let message: String
    let command: String

    var description: String { "\(command): \(kind): \(message.split(separator: "\n").first ?? "")" }
}
