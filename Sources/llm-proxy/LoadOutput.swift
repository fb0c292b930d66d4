import ArgumentParser
import Glibc
import ProxyFleet
import ProxyLoad

/// Where the report goes.
struct LoadOutput: ParsableArguments {
    @Flag(help: "One JSON object.")
    var json = false

    @Option(help: "A file for the same JSON object.", completion: .file())
    var jsonFile: String?

    @Option(help: "A file for one line each second, as CSV.", completion: .file())
    var csv: String?

    @Option(help: "A file for one page with plots that needs nothing else.", completion: .file())
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

    private static let mayHoldSecrets: Set<String> = ["--header", "--set", "--body", "--compare"]

    /// What was typed, but for values that may hold secrets.
    private static var command: String {
        var shown = ["llm-proxy"]
        var isSecret = false
        for word in CommandLine.arguments.dropFirst() {
            let name = word.prefix { $0 != "=" }
            if isSecret {
                shown.append("…")
            } else if mayHoldSecrets.contains(String(name)), name.count < word.count {
                shown.append("\(name)=…")
            } else if word.contains("://") {
                shown.append("\(word.prefix { $0 != "?" })")
            } else {
                shown.append(word)
            }
            isSecret = !isSecret && mayHoldSecrets.contains(word)
        }
        return shown.joined(separator: " ")
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
        let figures = moment.map {
            "\($0.answered)/s, p99 \(($0.p99 / .milliseconds(1) * 100).rounded() / 100) ms, \($0.errors) errors"
        }
        StandardError.replaceLine(with: "\(ProgressBar.bar(share)) \(figures ?? "begins")")
    }

    func end() {
        guard let task else { return }
        task.cancel()
        StandardError.replaceLine()
    }
}
