import ProxyDomain

/// The entries of the navigation.
enum Section: String, Sendable, CaseIterable {
    case dashboard
    case projects
    case tokens
    case usage
    case requests
    case audit
    case database
    case cache
    case access
    case claims

    private var title: String {
        switch self {
        case .dashboard: "Dashboard"
        case .projects: "Projects"
        case .tokens: "Tokens"
        case .usage: "Usage"
        case .requests: "Requests"
        case .audit: "Audit"
        case .database: "Database"
        case .cache: "Cache"
        case .access: "Access"
        case .claims: "Claims"
        }
    }

    private var path: String { self == .dashboard ? "/admin/" : "/admin/\(rawValue)" }

    /// Who may open it.
    private var role: ManagementRole {
        switch self {
        case .dashboard, .projects, .tokens, .usage, .requests, .database, .claims: .viewer
        case .audit, .cache: .operator
        case .access: .admin
        }
    }

    static func views(current: Section, _ role: ManagementRole) -> [View] {
        allCases.filter { $0.role <= role }.map { section in
            ["sectionTitle": section.title, "sectionPath": section.path, "isCurrent": section == current] as View
        }
    }
}
