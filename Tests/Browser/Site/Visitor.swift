/// Somebody at the pages without a browser: sends what a test says, and only that.
struct Visitor: Sendable {
    let site: AdminSite
    /// What the session's cookie holds; empty before a sign-in.
    var session = ""

    /// Signs in through the form.
    /// - Throws: `TestFailure` when the credential is refused.
    static func signedIn(at site: AdminSite, with credential: String = AdminSite.managementToken) async throws
        -> Visitor
    {
        let answer = try await signIn(at: site, with: credential)
        guard answer.status == 303, let session = cookie(Hook.sessionCookie, in: answer) else {
            throw TestFailure("the sign-in was answered with \(answer.status)")
        }
        return Visitor(site: site, session: session)
    }

    /// Sends the sign-in form; gives its answer.
    static func signIn(
        at site: AdminSite, with credential: String, next: String = ""
    ) async throws -> Exchange.Answer {
        let page = try await site.send("GET", "/admin/sign-in")
        let tie = cookie(Hook.signInCookie, in: page) ?? ""
        return try await site.send(
            "POST", "/admin/sign-in",
            fields: [
                ("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", "\(Hook.signInCookie)=\(tie)"),
            ],
            body: encoded([
                ("csrf", formToken(in: page.text) ?? ""), ("credential", credential), ("next", next),
            ]))
    }

    func get(_ path: String, fields: [(name: String, value: String)] = []) async throws -> Exchange.Answer {
        try await site.send("GET", path, fields: cookie + fields)
    }

    /// Sends a form's values, as a browser does.
    func post(
        _ path: String, _ values: [(String, String)], fields: [(name: String, value: String)] = []
    ) async throws -> Exchange.Answer {
        let type = (name: "Content-Type", value: "application/x-www-form-urlencoded")
        return try await site.send("POST", path, fields: cookie + [type] + fields, body: Self.encoded(values))
    }

    private var cookie: [(name: String, value: String)] {
        session.isEmpty ? [] : [("Cookie", "\(Hook.sessionCookie)=\(session)")]
    }

    /// What an answer sets a cookie to.
    static func cookie(_ name: String, in answer: Exchange.Answer) -> String? {
        for field in answer.values(of: "Set-Cookie") where field.hasPrefix(name + "=") {
            return String(field.dropFirst(name.count + 1).prefix { $0 != ";" })
        }
        return nil
    }

    /// The token that the forms of a page carry.
    static func formToken(in markup: String) -> String? {
        for tag in tags("input", in: markup) where attribute("name", of: tag) == "csrf" {
            return attribute("value", of: tag)
        }
        return nil
    }

    /// Where the forms of a page send to that change something.
    static func formTargets(in markup: String) -> [String] {
        tags("form", in: markup).filter { attribute("method", of: $0)?.lowercased() == "post" }
            .compactMap { attribute("action", of: $0) }
    }

    /// What the forms of a page do, by their hooks.
    static func actions(in markup: String) -> [String] {
        tags("form", in: markup).compactMap { attribute("data-action", of: $0) }
    }

    /// Where a page's links lead to below `/admin`, and its styles and scripts.
    static func links(in markup: String) -> [String] {
        var found: [String] = []
        for (name, target) in [("a", "href"), ("link", "href"), ("script", "src")] {
            for tag in tags(name, in: markup) {
                guard let place = attribute(target, of: tag), place.hasPrefix("/admin") else { continue }
                found.append(String(place.prefix { $0 != "#" }))
            }
        }
        return found
    }

    private static func tags(_ name: String, in markup: String) -> [Substring] {
        markup.split(separator: "<\(name)", omittingEmptySubsequences: false).dropFirst()
            .map { $0.prefix { $0 != ">" } }
    }

    private static func attribute(_ name: String, of tag: Substring) -> String? {
        guard let found = tag.firstRange(of: " \(name)=\"") else { return nil }
        return String(tag[found.upperBound...].prefix { $0 != "\"" }).replacing("&amp;", with: "&")
    }

    /// As `application/x-www-form-urlencoded`.
    static func encoded(_ values: [(String, String)]) -> String {
        values.map { "\(encoded($0.0))=\(encoded($0.1))" }.joined(separator: "&")
    }

    private static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%\(digits.count < 2 ? "0" : "")\(digits)"
            }
        }
        return result
    }
}
