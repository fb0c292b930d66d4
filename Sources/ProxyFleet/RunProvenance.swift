public import FoundationEssentials
import Glibc

/// When, with what and where figures were taken: without it they mean nothing to somebody who wasn't there.
public struct RunProvenance: Codable, Hashable, Sendable {
    /// When the run began: RFC 3339, UTC.
    public let date: String
    /// Of the program that ran it.
    public let version: String
    /// The processor's name and the kernel's version.
    public let machine: String

    /// Of a run on this machine.
    public init(version: String, date: Date = .now) {
        self.date = date.formatted(.iso8601)
        self.version = version
        machine = "\(Self.processor), \(Self.kernel)"
    }

    private static var processor: String {
        let lines = ((try? TextFile.read("/proc/cpuinfo")) ?? nil ?? "").split(separator: "\n")
        let named = lines.first { $0.hasPrefix("model name") }?.split(separator: ":", maxSplits: 1).last
        return named.map { String($0.drop { $0 == " " }) } ?? "unknown processor"
    }

    private static var kernel: String {
        var names = utsname()
        guard uname(&names) == 0 else { return "unknown kernel" }
        func text<Name>(_ name: Name) -> String {
            withUnsafeBytes(of: name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return "\(text(names.sysname)) \(text(names.release))"
    }

    var json: String {
        func quoted(_ text: String) -> String {
            let escaped = text.reduce(into: "") { $0 += $1 == "\"" || $1 == "\\" ? "\\\($1)" : "\($1)" }
            return "\"\(escaped)\""
        }
        return #"{"date":\#(quoted(date)),"version":\#(quoted(version)),"machine":\#(quoted(machine))}"#
    }
}
