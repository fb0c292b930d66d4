import Foundation
import ProxyBlackBox

/// A `chromedriver` of this test run's own, on a free port of 127.0.0.1.
///
/// It and the browsers it starts are one process group under a shell that reads from us: when `stop` closes that pipe, or this
/// process ends in any way, the shell ends the group by its own number.
final class ChromeDriver: Sendable {
    let port: Int
    /// Where the browsers keep their profiles; goes when the driver stops.
    let folder: String
    private let shell: Process
    private let lifeline: FileHandle

    private static let script = """
        set -m
        chromedriver --port=0 &
        driver=$!
        read -r _
        exec 2>/dev/null
        kill -KILL -- "-$driver"
        wait "$driver"
        rm -rf -- "$1"
        """
    private static let announcement = "was started successfully on port "

    private init(port: Int, folder: String, shell: Process, lifeline: FileHandle) {
        self.port = port
        self.folder = folder
        self.shell = shell
        self.lifeline = lifeline
    }

    /// Starts the driver and waits until it says where it listens.
    /// - Throws: when there is none, or it ends at once.
    static func start() async throws -> ChromeDriver {
        try await BlockingThreads.shared.run {
            let folder = NSTemporaryDirectory() + "browser-\(UUID().uuidString.lowercased())"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let shell = Process()
            let (input, output) = (Pipe(), Pipe())
            shell.executableURL = URL(filePath: "/bin/bash")
            shell.arguments = ["-c", script, "chromedriver", folder]
            shell.standardInput = input
            shell.standardOutput = output
            try shell.run()
            guard let port = port(announcedOn: output.fileHandleForReading) else {
                try? input.fileHandleForWriting.close()
                throw TestFailure("chromedriver does not start: ci/browser installs it")
            }
            return ChromeDriver(port: port, folder: folder, shell: shell, lifeline: input.fileHandleForWriting)
        }
    }

    /// Blocks until the driver says its port; `nil` when it ends without.
    private static func port(announcedOn output: FileHandle) -> Int? {
        var text = ""
        while true {
            let piece = output.availableData
            guard !piece.isEmpty else { return nil }
            text += String(decoding: piece, as: UTF8.self)
            guard let found = text.range(of: announcement) else { continue }
            let digits = text[found.upperBound...].prefix { $0.isNumber }
            // The number is whole once something follows it.
            if digits.endIndex < text.endIndex { return Int(digits) }
        }
    }

    /// Ends the driver and its browsers, and waits until they have ended.
    func stop() async {
        try? lifeline.close()
        let shell = shell
        try? await BlockingThreads.shared.run { shell.waitUntilExit() }
    }
}
