/// What tests know the pages by. Words that people read are asked for only where a promise is about them.
enum Hook {
    static let sessionCookie = "llm_proxy_admin"
    static let signInCookie = "llm_proxy_signin"
    static let alert = "[role=alert]"

    /// The forms for an action of the API, such as `POST /manage/tokens`.
    static func form(_ action: String) -> String { "form[data-action=\"\(action)\"]" }

    /// The secret that is shown once.
    static let secret = "[data-figure=token]"
    static let copyButton = "button[data-copy=secret]"
    /// How a token is used in each language, which ends the element's identifier.
    static let snippet = "[id^=snippet-]"
    static let themeToggle = "[data-theme-toggle]"
    /// Says that the database is as it should be.
    static let verified = "[data-figure=verdict][role=status]"
    static let auditRow = "main tbody tr:has(a[href^=\"/admin/audit/\"])"
    /// The field of the requests' page for a request's own identifier.
    static let requestIdentifier = "id"

    /// The audit's page for events with a value in their metadata.
    static func audit(metadata name: String, _ value: String) -> String {
        "/admin/audit?metadata_name=\(name)&metadata_value=\(value)"
    }
}
