import Foundation
import ProxyConformance
import ProxyManagement
import ProxySettings
import ProxySimulator
import Testing

/// What the documents list is what there is.
@Suite("The documents")
struct DocumentationTests {
    private static func text(_ path: String) throws -> String {
        try String(contentsOfFile: packageFolder + path, encoding: .utf8)
    }

    /// The cells of each row of a table whose first cell matches `row`.
    private static func rows(of path: String, where row: (String) -> Bool) throws -> [[String]] {
        try text(path).split(separator: "\n").map { line in
            line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
                .map { $0.trimmingCharacters(in: .whitespaces) }
        }
        .filter { $0.first.map(row) == true }
    }

    @Test func nameEverySettingWithItsDefault() throws {
        let rows = try Self.rows(of: "docs/settings.md") { $0.hasPrefix("`") }
        let documented = rows.map { "\($0[0]) \($0[1])" }
        #expect(documented == ServerSettings.keys.map { "`\($0.name)` \($0.defaultText.map { "`\($0)`" } ?? "–")" })
        for (row, key) in zip(rows, ServerSettings.keys) { #expect(row[2] == key.summary) }
    }

    @Test func nameEveryErrorWithItsStatus() throws {
        let rows = try Self.rows(of: "docs/errors.md") { Int($0) != nil }
        let documented = Set(rows.map { "\($0[0]) \($0[1])" })
        let table = try Self.text("Sources/ProxyRelay/RelayRefusal.swift")
        let built = table.matches(of: #/\((\d{3}), "(\w+)"\)/#).map { "\($0.1) `\($0.2)`" }
        #expect(built.count > 20)
        #expect(documented == Set(built))
        // And the API's file names each where its status is.
        let file = try Self.text("api/openapi.yaml")
        let named = file.matches(of: #/"(\d{3})": \{ \$ref: "#/components/responses/(Proxy\w+)" \}/#)
        let responses = Dictionary(named.map { (String($0.1), $0.2) }) { first, _ in first }
        for (status, code) in table.matches(of: #/\((\d{3}), "(\w+)"\)/#).map({ (String($0.1), $0.2) }) {
            let response = try #require(responses[status], "\(status)")
            let place = try #require(file.firstRange(of: "\n    \(response):\n"))
            let description = file[place.upperBound...].prefix { $0 != "$" }
            #expect(description.contains("`\(code)`"), "\(status) \(code)")
        }
    }

    /// Figures are filled in when they are measured.
    @Test func leaveNoFigureOpen() throws {
        for file in ["Benchmarks/RESULTS.md", "docs/claims.md", "docs/reliability.md", "CHANGELOG.md"] {
            #expect(try Self.text(file).firstMatch(of: #/@[A-Z0-9]+@/#) == nil, "\(file)")
        }
    }

    @Test func showAProvidersFileThatIsRead() throws {
        let example = try Self.text("config/api_providers.example.yaml")
        let settings = try ServerSettings.read(environment: [:]) { $0 == "./config/api_providers.yaml" ? example : nil }
        #expect(settings.providers.defaultName == "openai")
        #expect(settings.providers.all.count == 1)
    }

    @Test func nameEveryDirectiveAndFaultOfTheSimulator() throws {
        let names = try Self.rows(of: "docs/simulator.md") { $0.hasPrefix("`") }.compactMap(\.first)
        let directives = SimulatorScript.directives.map { "`\($0.name)`" }
        #expect(names.filter { $0.hasPrefix("`X-Sim-") } == directives)
        #expect(names.suffix(SimulatorFault.allCases.count) == SimulatorFault.allCases.map { "`\($0.rawValue)`" })
    }

    /// Scenarios by id, tests as `Suite.function`, scripts as `ci/name`.
    private static func isProof(_ name: String) throws -> Bool {
        if Catalogue.allIDs.contains(name) { return true }
        if name.hasPrefix("ci/") { return FileManager.default.isExecutableFile(atPath: packageFolder + name) }
        let parts = name.split(separator: ".").map(String.init)
        guard parts.count == 2 else { return false }
        return try ["Conformance", "Database", "Load"].contains { folder in
            let path = "Tests/\(folder)/\(parts[0]).swift"
            guard FileManager.default.fileExists(atPath: packageFolder + path) else { return false }
            return try text(path).contains("func \(parts[1])(")
        }
    }

    @Test func nameProofsThatThereAre() throws {
        let rows = try Self.rows(of: "docs/claims.md") { $0.hasPrefix("G") }
        #expect(
            rows.map { $0[0] } == [
                "G01", "G02", "G03", "G04", "G05", "G06", "G07", "G08", "G09", "G10", "G11", "G12", "G13", "G14", "G15",
                "G16", "G17",
                "G18", "G19", "G20", "G21",
            ])
        for row in rows {
            let named = row[2].split(separator: "`").filter { $0 != " " }.map(String.init)
            let unknown = try named.filter { try !Self.isProof($0) }
            #expect(!named.isEmpty && unknown.isEmpty, "\(row[0]): \(unknown)")
        }
    }

    /// Scenarios compare the same list with what is really said.
    @Test("shows each symptom as it is said", arguments: Symptom.Guide.allCases)
    func symptoms(_ guide: Symptom.Guide) throws {
        var isInTable = false
        var shown: [String] = []
        for line in try Self.text(guide.rawValue).split(separator: "\n", omittingEmptySubsequences: false) {
            let isHead = line == "| what is wrong | message | what to do |"
            isInTable = isHead || (isInTable && line.hasPrefix("|"))
            guard isInTable, !isHead, !line.hasPrefix("|--") else { continue }
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            try #require(cells.count == 3, "\(line)")
            shown.append("\(cells[0]): \(cells[1])")
        }
        #expect(shown == Symptom.shown(in: guide).map { "\($0.cause): `\($0.message)`" })
    }

    /// What `ci/command-reference` writes of the help of each command.
    @Test func showAnExampleOfEveryCommand() throws {
        let sections = try Self.text("docs/commands.md").components(separatedBy: "\n## `").dropFirst()
        #expect(sections.count > 40)
        for section in sections {
            let command = section.prefix { $0 != "`" }
            let lines = section.split(separator: "\n").drop { !$0.contains("Example") }
            #expect(
                lines.contains { $0.hasPrefix("  ") && $0.contains(command) }, "\(command) has no example of its own")
        }
    }

    @Test func listEveryRouteInTheOpenAPIFile() throws {
        var path = ""
        var listed: [String] = []
        for line in try Self.text("api/openapi.yaml").split(separator: "\n").drop(while: { $0 != "paths:" }).dropFirst()
        {
            guard line.hasPrefix("  ") else { break }
            let name = line.trimmingCharacters(in: .whitespaces).prefix { $0 != ":" }
            if line.hasPrefix("  /") { path = String(name) }
            let methods = ["get", "post", "put", "patch", "delete", "head", "options"]
            if line.hasPrefix("    "), !line.hasPrefix("     "), methods.contains(String(name)) {
                listed.append("\(name.uppercased()) \(path)")
            }
        }
        let served = Management.routes.map { "\($0.method) \($0.pathTemplate)" }
        #expect(listed.filter { !$0.hasSuffix(" /v1/{path}") }.sorted() == served.sorted())
        #expect(listed.count { $0.hasSuffix(" /v1/{path}") } == 7)
    }
}
