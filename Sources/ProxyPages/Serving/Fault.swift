/// What went wrong, in the API's words.
struct Fault: Sendable {
    let status: Int
    let code: String
    let title: String
    let advice: String

    var view: View {
        [
            "faultTitle": title, "faultAdvice": advice, "faultCode": code, "faultStatus": "\(status)",
            "isStale": status == 412,
        ]
    }
}

/// What the pages themselves refuse.
extension Fault {
    static let unreadableForm = Fault(
        status: 400, code: "unreadable_form", title: "What was sent is no form of these pages.",
        advice: "Go back, reload the page and send its form again; a form may hold 64 KiB.")
    static let noSuchPage = Fault(
        status: 404, code: "page_not_found", title: "There is no such page.",
        advice: "Choose one of the pages in the navigation.")
    static let otherMethod = Fault(
        status: 405, code: "method_not_allowed", title: "This page can't be asked for in this way.",
        advice: "Choose one of the pages in the navigation.")
    static let foreignForm = Fault(
        status: 403, code: "form_refused", title: "The form was not sent from a page of this sign-in.",
        advice: "Nothing was changed. Reload the page and send its form again.")
}
