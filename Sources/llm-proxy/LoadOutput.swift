import ArgumentParser
import Glibc
import ProxyFleet
import ProxyLoad

/// Where the report goes.
struct LoadOutput: ParsableArguments {
    @Flag(help: "One JSON object.")
    var json = false

    @Option(help: "A file for the same JSON object.")
    var jsonFile: String?

    @Option(help: "A file for one line each second, as CSV.")
    var csv: String?

    @Option(help: "A file for one page with plots that needs nothing else.")
    var html: String?

    @Flag(inversion: .prefixedNo, help: "Show how it goes, on standard error; by default on terminals.")
    var progress: Bool?

    var showsProgress: Bool { progress ?? (isatty(STDERR_FILENO) == 1) }

    func write(_ record: RunRecord) throws(FleetError) {
        StandardOutput.write(json ? record.json : record.text)
        if let jsonFile { try TextFile.write("\(record.json)\n", to: jsonFile) }
        if let csv { try TextFile.write(record.report.csv, to: csv) }
        if let html { try TextFile.write(record.page(command: Self.command), to: html) }
    }

    /// What was typed. Secrets come in files and in the environment, and headers may hold some.
    private static var command: String {
        var words = ["llm-proxy"] + CommandLine.arguments.dropFirst()
        for index in words.indices.dropFirst() where words[index - 1] == "--header" {
            words[index] = "\(words[index].prefix { $0 != ":" }): …"
        }
        return words.joined(separator: " ")
    }
}

/// A line that tells how a run goes, once a second.
final class LoadProgress: Sendable {
    private let task: Task<Void, Never>?

    init(_ live: LiveFigures, seconds: Double, isShown: Bool) {
        guard isShown else {
            task = nil
            return
        }
        task = Task {
            let start = ContinuousClock.now
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                if Task.isCancelled { return }
                let passed = ContinuousClock.now - start
                Self.show(live.moment, share: min(1, passed / .seconds(max(seconds, 0.1))))
            }
        }
    }

    private static func show(_ moment: LiveFigures.Moment?, share: Double) {
        let filled = Int(share * 30)
        let bar = String(repeating: "█", count: filled) + String(repeating: "·", count: 30 - filled)
        let figures = moment.map {
            "\($0.succeeded)/s, p99 \($0.p99 / .milliseconds(1) * 100 / 100) ms, \($0.errors) errors"
        }
        let text = Array("\r\u{1B}[K\(bar) \(figures ?? "begins")".utf8)
        _ = Glibc.write(STDERR_FILENO, text, text.count)
    }

    func end() {
        guard let task else { return }
        task.cancel()
        let text = Array("\r\u{1B}[K".utf8)
        _ = Glibc.write(STDERR_FILENO, text, text.count)
    }
}
