import Foundation
import ProxyFixtures

/// Makes the files of a program fail and its clock step, at any moment, while it runs.
///
/// The program is started with ``environment``, which preloads `shim.c` into it. Safe to use from any thread.
public final class FaultShim: Sendable {
    /// What befalls writes to the files that are meant.
    public enum DiskFault: UInt8, Sendable {
        case none
        /// There is no room left (`ENOSPC`).
        case full
        /// The device fails (`EIO`), when it is written to and when it is synced.
        case failing
        /// What was written can't be synced (`EIO`).
        case unsynced
        /// Half of each write is done.
        case short
        /// The file system may only be read (`EROFS`).
        case readOnly
    }

    private let control: String
    private let library: String
    private let files: String

    /// Builds the shim in `folder`.
    /// - Parameter files: what the paths of files have in common whose writes may fail.
    /// - Throws: when there is no C compiler, or it fails.
    public init(in folder: String, files: String) throws {
        control = folder + "/fault-control"
        library = folder + "/fault-shim.so"
        self.files = files
        try Data(count: 16).write(to: URL(filePath: control))
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "shim.c").path()
        let compiler = Process()
        compiler.executableURL = URL(filePath: "/usr/bin/env")
        compiler.arguments = ["clang", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"]
        try compiler.run()
        compiler.waitUntilExit()
        guard compiler.terminationStatus == 0 else { throw FixtureError("the fault shim can't be built: clang failed") }
    }

    /// What the program needs in its environment.
    public var environment: [String: String] {
        ["LD_PRELOAD": library, "FAULT_CONTROL": control, "FAULT_FILES": files]
    }

    /// From now on this befalls the files.
    public func disk(_ fault: DiskFault) throws { try write([fault.rawValue], at: 0) }

    /// From now on the program's clock is so many seconds ahead of the machine's; behind it when below 0.
    public func clock(ahead seconds: Int64) throws {
        try write(withUnsafeBytes(of: seconds) { Array($0) }, at: 8)
    }

    private func write(_ bytes: [UInt8], at offset: UInt64) throws {
        let file = try FileHandle(forUpdating: URL(filePath: control))
        try file.seek(toOffset: offset)
        try file.write(contentsOf: bytes)
        try file.close()
    }
}
