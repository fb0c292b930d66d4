/// The `X-Sim-*` fields: how a request writes its own script.
extension SimulatorScript {
    /// A field that changes the script of the request it comes with.
    public struct Directive: Sendable {
        /// The field's name.
        public let name: String
        /// What it does, and its unit.
        public let summary: String
        /// Gives whether the text could be read.
        let apply: @Sendable (String, inout SimulatorScript) -> Bool
    }

    /// Every field there is.
    public static let directives: [Directive] = pace + shape + trouble

    private static let pace: [Directive] = [
        milliseconds("X-Sim-Delay", \.headDelay, "milliseconds before the head"),
        milliseconds("X-Sim-Chunk-Delay", \.chunkDelay, "milliseconds between two pieces of the body"),
        milliseconds("X-Sim-Write-Delay", \.writeDelay, "milliseconds between two writes that X-Sim-Write-Size cut"),
        number("X-Sim-Chunks", 0...1_000_000, \.chunkCount, "words of the text, and so events of a stream"),
        number(
            "X-Sim-Number", 1...1 << 53, \.answerNumber,
            "number in the identifiers of the answer, instead of the request's own"),
        number("X-Sim-Chunk-Size", 1...1 << 30, \.chunkSize, "bytes per piece of the body"),
        number("X-Sim-Write-Size", 1...1 << 30, \.writeSize, "most bytes per write, head included"),
        Directive(name: "X-Sim-Idle-Close", summary: "milliseconds of idleness after which the connection is closed") {
            text, script in
            guard let count = plainNumber(text, 0...86_400_000) else { return false }
            script.idleClose = .milliseconds(count)
            return true
        },
    ]

    private static let shape: [Directive] = [
        number("X-Sim-Status", 200...599, \.status, "status of the answer"),
        number(
            "X-Sim-Failures", 1...1000, \.failures,
            "how many requests of this content fail, with X-Sim-Status or 503, before one is answered"),
        number("X-Sim-Retry-After", 0...86_400, \.retryAfter, "seconds for a Retry-After field"),
        number("X-Sim-Body-Size", 0...1 << 40, \.bodySize, "bytes of a generated body"),
        choice("X-Sim-Framing", \.framing, "how the answer's end is told"),
        Directive(name: "X-Sim-Head-Size", summary: "bytes of an additional field in the head") { text, script in
            guard let count = plainNumber(text, 0...1 << 30) else { return false }
            script.headSize = count
            return true
        },
        Directive(name: "X-Sim-Interim", summary: "interim answers before the head, such as 100,103") { text, script in
            let codes = text.split(separator: ",").map { plainNumber(trimmed($0), 100...199) }
            guard !codes.isEmpty, !codes.contains(nil), !codes.contains(101) else { return false }
            script.interim = codes.compactMap(\.self)
            return true
        },
        flag("X-Sim-Echo", \.echoes, "1 answers with the request's own body"),
    ]

    private static let trouble: [Directive] = [
        Directive(name: "X-Sim-Fault", summary: SimulatorFault.allCases.map(\.rawValue).joined(separator: ", ")) {
            text, script in
            script.fault = SimulatorFault(rawValue: text)
            return script.fault != nil
        },
        number("X-Sim-Fault-After", 0...1 << 40, \.faultAfter, "bytes of the body before the fault"),
        choice("X-Sim-Expect", \.expectation, "what becomes of Expect: 100-continue"),
        flag("X-Sim-Early", \.answersEarly, "1 answers before the request's body has come"),
    ]

    /// This script as `fields` change it, or the name of a field that could not be read.
    func changed(by fields: some Sequence<(name: String, value: String)>) -> Result<SimulatorScript, UnreadField> {
        var script = self
        for (name, value) in fields where Self.isDirective(name) {
            let wanted = name.lowercased()
            guard let directive = Self.directives.first(where: { $0.name.lowercased() == wanted }),
                directive.apply(trimmed(Substring(value)), &script)
            else { return .failure(UnreadField(name: name)) }
        }
        return .success(script)
    }

    /// Whether a field's name begins with `X-Sim-`.
    static func isDirective(_ name: String) -> Bool {
        let prefix = "x-sim-".utf8
        guard name.utf8.count > prefix.count else { return false }
        return zip(name.utf8, prefix).allSatisfy { $0 | 0x20 == $1 | 0x20 }
    }

    /// A directive that this version does not know, or whose value is malformed.
    struct UnreadField: Error {
        let name: String
    }
}

/// Where in a script a value goes.
private typealias Place<Value> = any WritableKeyPath<SimulatorScript, Value> & Sendable

private func milliseconds(
    _ name: String, _ place: Place<Duration>, _ summary: String
) -> SimulatorScript.Directive {
    SimulatorScript.Directive(name: name, summary: summary) { text, script in
        guard let count = plainNumber(text, 0...86_400_000) else { return false }
        script[keyPath: place] = .milliseconds(count)
        return true
    }
}

private func number(
    _ name: String, _ range: ClosedRange<Int>, _ place: Place<Int?>, _ summary: String
) -> SimulatorScript.Directive {
    SimulatorScript.Directive(name: name, summary: summary) { text, script in
        guard let count = plainNumber(text, range) else { return false }
        script[keyPath: place] = count
        return true
    }
}

private func flag(_ name: String, _ place: Place<Bool>, _ summary: String) -> SimulatorScript.Directive {
    SimulatorScript.Directive(name: name, summary: summary) { text, script in
        script[keyPath: place] = text == "1"
        return text == "1" || text == "0"
    }
}

private func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
    _ name: String, _ place: Place<Choice>, _ summary: String
) -> SimulatorScript.Directive {
    let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
    return SimulatorScript.Directive(name: name, summary: "\(summary): \(names)") { text, script in
        guard let value = Choice(rawValue: text) else { return false }
        script[keyPath: place] = value
        return true
    }
}

private func plainNumber(_ text: String, _ range: ClosedRange<Int>) -> Int? {
    guard let value = Int(text), range.contains(value) else { return nil }
    return value
}

private func trimmed(_ text: Substring) -> String {
    var text = text.drop { $0 == " " }
    while text.last == " " { text.removeLast() }
    return String(text)
}
