import ProxyDomain
import ProxyManagement

/// One request of somebody who has signed in.
struct PageContext: Sendable {
    let site: Site
    let request: ManagementRequest
    let session: SignedIn
    /// What stands in the path for `{id}`.
    let identifier: String
    let query: Form
    /// Empty unless a form was sent.
    let form: Form
    let now: Timestamp

    var api: ManagementClient {
        ManagementClient(management: site.dependencies.management, principal: session.principal, source: request)
    }

    var role: ManagementRole { session.principal.role }

    /// A path of the API with the identifier in it.
    func target(_ path: String, _ rest: String = "") -> String { "\(path)/\(Percent.encoded(identifier))\(rest)" }

    /// Scheme and authority under which this server was asked.
    var origin: String {
        let host = request.values(of: "host").first ?? ""
        let isPlain =
            !host.isEmpty && host.utf8.count <= 255
            && host.unicodeScalars.allSatisfy { scalar in
                scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789.-:[]".unicodeScalars.contains(scalar))
            }
        return "\(request.isSecure ? "https" : "http")://\(isPlain ? host : "localhost:8080")"
    }

    /// A name for a form that makes something, so that it is made once however often it is sent.
    func formName() -> String { RandomText.make(site.dependencies.random) }

    /// What every template may use.
    private var common: View {
        [
            "csrf": session.formToken, "isOperator": role >= .operator, "isAdmin": role >= .admin,
            "principalName": session.principal.name, "roleName": role.rawValue,
        ]
    }

    /// A page of ours around a template.
    /// - Parameters:
    ///   - name: what tests and styles know the page by.
    ///   - section: which entry of the navigation it belongs to.
    func page(
        _ template: String, _ name: String, _ title: String, in section: Section, status: Int = 200, _ view: View
    ) -> PageAnswer {
        let content = Templates.render(template, common.merging(view) { $1 })
        var layout = common
        layout["content"] = content
        layout["pageName"] = name
        layout["pageTitle"] = title
        layout["version"] = site.dependencies.version
        layout["sections"] = Section.views(current: section, role)
        layout["isSignedIn"] = true
        layout["notice"] = Notice(rawValue: query["notice"])?.text
        return .html(Templates.render("layout", layout), status: status)
    }

    /// The page for something that went wrong as a whole.
    func failure(_ fault: Fault, in section: Section) -> PageAnswer {
        page("error", "error", fault.title, in: section, status: fault.status, fault.view)
    }

    /// Where to go after something was done.
    func done(_ path: String, _ notice: Notice) -> PageAnswer { .seeOther("\(path)?notice=\(notice.rawValue)") }
}
