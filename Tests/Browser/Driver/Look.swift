import Foundation
import Testing

/// How somebody sees the pages.
struct Look: Hashable, Sendable, CustomTestStringConvertible {
    enum Theme: String, Hashable, Sendable, CaseIterable { case light, dark }

    /// CSS pixels.
    let width: Int
    let theme: Theme
    var runsScripts = true

    var testDescription: String { name + (runsScripts ? "" : ", without scripts") }
    var name: String { "\(width)-\(theme.rawValue)" }

    static let widths = [360, 800, 1280]

    /// Every width in every theme.
    static let all = widths.flatMap { width in Theme.allCases.map { Look(width: width, theme: $0) } }

    /// What each flow is walked in: every width, and every theme with and without scripts. `BROWSER_LOOKS=all` walks in all twelve.
    static let flows =
        ProcessInfo.processInfo.environment["BROWSER_LOOKS"] == "all"
        ? all + all.map { Look(width: $0.width, theme: $0.theme, runsScripts: false) }
        : [
            Look(width: 1280, theme: .light), Look(width: 1280, theme: .dark, runsScripts: false),
            Look(width: 800, theme: .dark), Look(width: 360, theme: .light, runsScripts: false),
        ]

    /// For what does not depend on the looks.
    static let usual = Look(width: 1280, theme: .light)
    static let plain = Look(width: 360, theme: .dark, runsScripts: false)
}
