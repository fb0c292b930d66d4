import Foundation

/// What went wrong in the test's own machinery.
struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A folder of its own, removed with the last reference to it.
final class TestFolder: Sendable {
    let path = NSTemporaryDirectory() + "conformance-\(UUID().uuidString.lowercased())"

    init() { try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { remove() }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}

/// Where the package lies.
let packageFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path()
