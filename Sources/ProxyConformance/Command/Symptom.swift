/// Something that goes wrong, as a guide's table of troubles shows it: tests compare both with what is really said.
package struct Symptom: Sendable {
    /// A guide with such a table.
    package enum Guide: String, CaseIterable, Sendable {
        case migrating = "docs/migrating.md"
        case operations = "docs/operations.md"
        case adminPages = "docs/admin-pages.md"
    }

    /// What is wrong, in the guide's words.
    package let cause: String
    /// What is said then; `…` stands for what differs from place to place.
    package let message: String

    init(_ cause: String, _ message: String) {
        self.cause = cause
        self.message = message
    }

    /// What a guide shows, in its order.
    package static func shown(in guide: Guide) -> [Symptom] {
        switch guide {
        case .migrating: (goProxyImports + liteLLMImports).map(\.symptom)
        case .operations: calls + [clientsAlike]
        case .adminPages: signIns
        }
    }

    /// Whether the parts of the message are in what was said, in their order.
    func isShown(by said: String) -> Bool {
        var rest = said[...]
        for part in message.split(separator: "…") {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }
}

extension Check {
    /// Expects that was said what a guide shows.
    func shows(_ said: String, _ symptom: Symptom, file: String = #fileID, line: Int = #line) {
        that(
            symptom.isShown(by: said), "\(symptom.cause): the guide shows '\(symptom.message)', said was '\(said)'",
            file: file, line: line)
    }
}

/// A symptom, and the command that shows it.
struct TypedSymptom: Sendable {
    let symptom: Symptom
    /// Words with blanks between them.
    let typed: String
    let environment: [String: String]
    let code: Int

    init(
        _ cause: String, _ message: String, _ typed: String, _ environment: [String: String] = [:], code: Int
    ) {
        symptom = Symptom(cause, message)
        self.typed = typed
        self.environment = environment
        self.code = code
    }

    /// Expects the command to end, and to say, as the guide shows.
    func expect(at bench: any CommandBench, _ check: Check) async throws {
        let words: [String] = typed.split(separator: " ").map { String($0) }
        let (code, said) = try await bench.finish(words, environment: environment, within: .seconds(30))
        check.equal(code, self.code, "exit code of \(typed): \(said)")
        check.shows(said, symptom)
    }
}
