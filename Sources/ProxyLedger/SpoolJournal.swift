import Glibc
import ProxyStorage
import Synchronization

/// Batches in a file, each in it for good before the next: what a server has told its clients while its database was away.
///
/// A record is its length and a checksum, then the batch. The last may be cut short by a crash: then nobody was told of it. A file
/// belongs to one journal in all processes.
public final class SpoolJournal: Sendable {
    private struct Places {
        /// Where the first record that is not done with begins.
        var first = 0
        /// Where the next is written.
        var end = 0
        /// Records that are not done with.
        var count = 0
    }

    private let file: Int32
    public let path: String
    /// Most bytes the file may have.
    private let limit: Int
    private let places = Mutex(Places())

    private static let headBytes = 16

    /// Opens the journal, or makes it, with all that is in it to be read.
    ///
    /// - Parameter limit: most bytes that it may grow to.
    /// - Throws: `SpoolError`; `.inUse` when another process has it.
    public init(at path: String, limit: Int) throws(SpoolError) {
        self.path = path
        self.limit = limit
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SpoolError(.unusable, path: path, errno: errno) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let error = SpoolError(errno == EWOULDBLOCK ? .inUse : .unusable, path: path, errno: errno)
            close(file)
            throw error
        }
        var found = Places()
        while let length = try? readLength(at: found.end) {
            found.end += Self.headBytes + length
            found.count += 1
        }
        // What a crash has cut short.
        _ = ftruncate(file, off_t(found.end))
        places.withLock { [found] in $0 = found }
    }

    deinit { close(file) }

    public var isEmpty: Bool { count == 0 }
    public var count: Int { places.withLock { $0.count } }
    /// In bytes.
    public var size: Int { places.withLock { $0.end } }

    /// Adds a batch. Once this returns it survives a crash.
    /// - Throws: when there is no room, or the disk says so; then nothing is added.
    func append(_ batch: LedgerBatch) throws(SpoolError) {
        let payload = SpoolEncoder(batch).bytes
        let end = size
        guard end + Self.headBytes + payload.count <= limit else { throw SpoolError(.full, path: path, errno: 0) }
        var record: [UInt8] = []
        for word in [UInt64(payload.count), Self.checksum(payload)] {
            withUnsafeBytes(of: word.littleEndian) { record.append(contentsOf: $0) }
        }
        record += payload
        guard write(record, at: end), fdatasync(file) == 0 else {
            let error = SpoolError(errno == ENOSPC ? .full : .unusable, path: path, errno: errno)
            _ = ftruncate(file, off_t(end))
            throw error
        }
        places.withLock { [written = record.count] in
            $0.end += written
            $0.count += 1
        }
    }

    /// The first batch that is not done with; `nil` when there is none.
    func first() throws(SpoolError) -> LedgerBatch? {
        let places = places.withLock { $0 }
        guard places.count > 0 else { return nil }
        let length = try readLength(at: places.first)
        var decoder = SpoolDecoder(try read(length, at: places.first + Self.headBytes))
        guard let batch = try? decoder.batch() else { throw SpoolError(.damaged, path: path, errno: 0) }
        return batch
    }

    /// The first batch is in the database. When all are, the file is empty again.
    func removeFirst() throws(SpoolError) {
        var places = places.withLock { $0 }
        guard places.count > 0 else { return }
        places.first += Self.headBytes + (try readLength(at: places.first))
        places.count -= 1
        if places.count == 0 {
            guard ftruncate(file, 0) == 0, fdatasync(file) == 0 else {
                throw SpoolError(.unusable, path: path, errno: errno)
            }
            places = Places()
        }
        self.places.withLock { [places] in $0 = places }
    }

    /// Removes the file, if all that was in it is done with.
    func remove() { if isEmpty { unlink(path) } }

    /// The length of the payload of a record that is whole.
    private func readLength(at position: Int) throws(SpoolError) -> Int {
        let head = try read(Self.headBytes, at: position)
        let words = [head[..<8], head[8...]].map { $0.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        guard let length = Int(exactly: words[0]), length > 0, length <= limit,
            Self.checksum(try read(length, at: position + Self.headBytes)) == words[1]
        else { throw SpoolError(.damaged, path: path, errno: 0) }
        return length
    }

    private func read(_ count: Int, at position: Int) throws(SpoolError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes {
                pread(file, $0.baseAddress.map { $0 + done }, count - done, off_t(position + done))
            }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { throw SpoolError(.damaged, path: path, errno: got < 0 ? errno : 0) }
            done += got
        }
        return bytes
    }

    private func write(_ bytes: [UInt8], at position: Int) -> Bool {
        var done = 0
        while done < bytes.count {
            let put = bytes.withUnsafeBytes {
                pwrite(file, $0.baseAddress.map { $0 + done }, bytes.count - done, off_t(position + done))
            }
            if put < 0, errno == EINTR { continue }
            guard put > 0 else { return false }
            done += put
        }
        return true
    }

    /// FNV-1a, 64 bits: guards against records cut short, not against malice.
    private static func checksum(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}

/// Why a journal can't be used.
public struct SpoolError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// Another process has it.
        case inUse
        /// There is no room in it, or on its disk.
        case full
        /// It holds something else than batches.
        case damaged
        /// It holds requests of tokens that the database doesn't know.
        case foreign
        case unusable
    }

    public let kind: Kind
    public let path: String
    /// The system's code; 0 for none.
    public let errno: Int32

    init(_ kind: Kind, path: String, errno: Int32) {
        self.kind = kind
        self.path = path
        self.errno = errno
    }

    public var description: String {
        let reason =
            switch kind {
            case .inUse: "another process has it"
            case .full: "it is full"
            case .damaged: "it holds something else than batches"
            case .foreign: "it holds requests of tokens that the database doesn't know"
            case .unusable: "it can't be used"
            }
        return "the spool \(path): \(reason)" + (errno == 0 ? "" : " (\(String(cString: strerror(errno))))")
    }
}
