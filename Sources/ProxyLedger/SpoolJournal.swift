import Glibc
import ProxyStorage
import Synchronization
import SystemFacts

/// Batches in a file, each in it for good before the next: what a server has told its clients while its database was away.
///
/// A record is its length and a checksum, then the batch. The last may be cut short by a crash: then nobody was told of it. A file
/// belongs to one journal in all processes.
public final class SpoolJournal: Sendable {
    private struct Places {
        /// Where the first record that is not done with begins.
        var first = fileHeadBytes
        /// Where the next is written.
        var end = fileHeadBytes
        /// Records that are not done with.
        var count = 0
    }

    private let file: Int32
    public let path: String
    /// Most bytes of what is not done with.
    private let limit: Int
    private let places = Mutex(Places())

    /// Of a record: its length and its checksum.
    private static let headBytes = 16
    /// Of the file: what it is, and where the first record is that is not done with.
    private static let fileHeadBytes = 16
    private static let magic: UInt64 = 0x3130_4C4F_4F50_534C

    /// Opens the journal at `path`, or makes it, with all that is in it and not done with to be read.
    ///
    /// - Parameter limit: most bytes of what is not done with.
    /// - Throws: `SpoolError`; `.inUse` when another process has it, `.damaged` when it holds something else.
    public init(at path: String, limit: Int) throws(SpoolError) {
        self.path = path
        self.limit = limit
        file = try Self.openLocked(path)
        var found = Places()
        // When it throws, the file is closed by `deinit`: all that we hold is there by then.
        try find(&found)
        places.withLock { [found] in $0 = found }
    }

    /// Others find a new journal only once it is locked.
    private static func openLocked(_ path: String) throws(SpoolError) -> Int32 {
        let isNew = access(path, F_OK) != 0
        let name = isNew ? "\(path).new" : path
        let file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SpoolError(.unusable, path: path, errno: errno) }
        guard FileLock.take(file), !isNew || rename(name, path) == 0 else {
            let error = SpoolError(errno == EWOULDBLOCK ? .inUse : .unusable, path: path, errno: errno)
            close(file)
            throw error
        }
        return file
    }

    /// Finds the records, and cuts off a last one that a crash has cut short.
    private func find(_ found: inout Places) throws(SpoolError) {
        let size = Int(lseek(file, 0, SEEK_END))
        // One without records may have been emptied by a server that was killed before it wrote so into its head.
        var holdsNothing = size < Self.fileHeadBytes
        if size == Self.fileHeadBytes { holdsNothing = try words(at: 0).0 == Self.magic }
        guard !holdsNothing else {
            guard ftruncate(file, 0) == 0, writeHead(first: Self.fileHeadBytes) else {
                throw SpoolError(.unusable, path: path, errno: errno)
            }
            return
        }
        let head = try words(at: 0)
        guard head.0 == Self.magic, let first = Int(exactly: head.1), (Self.fileHeadBytes...size).contains(first) else {
            throw SpoolError(.damaged, path: path, errno: 0)
        }
        (found.first, found.end) = (first, first)
        while found.end < size {
            guard size - found.end >= Self.headBytes else { break }
            let (length, checksum) = try words(at: found.end)
            guard length > 0, length <= UInt64(size - found.end - Self.headBytes) else { break }
            let next = found.end + Self.headBytes + Int(length)
            guard Self.checksum(try read(Int(length), at: found.end + Self.headBytes)) == checksum else {
                // The last one may have been cut short; what has others behind it was whole once.
                if next == size { break }
                throw SpoolError(.damaged, path: path, errno: 0)
            }
            found.end = next
            found.count += 1
        }
        _ = ftruncate(file, off_t(found.end))
    }

    private func writeHead(first: Int) -> Bool { write(Self.bytes(of: Self.magic, UInt64(first)), at: 0) }

    deinit { close(file) }

    public var isEmpty: Bool { count == 0 }
    public var count: Int { places.withLock { $0.count } }
    /// Bytes of what is not done with.
    public var size: Int { places.withLock { $0.end - $0.first } }
    /// Whether there is room for batches of any usual size.
    public var hasRoom: Bool { size < limit - limit / 8 }

    /// Adds a batch. Once this returns it survives a crash.
    /// - Throws: when there is no room, or the disk says so; then nothing is added.
    func append(_ batch: LedgerBatch) throws(SpoolError) {
        let payload = SpoolEncoder(batch).bytes
        guard size + Self.headBytes + payload.count <= limit else { throw SpoolError(.full, path: path, errno: 0) }
        let end = places.withLock { $0.end }
        let record = Self.bytes(of: UInt64(payload.count), Self.checksum(payload)) + payload
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
        let length = try words(at: places.first).0
        var decoder = SpoolDecoder(try read(Int(length), at: places.first + Self.headBytes))
        guard let batch = try? decoder.batch() else { throw SpoolError(.damaged, path: path, errno: 0) }
        return batch
    }

    /// The first batch is in the database. When all are, the file is empty again.
    func removeFirst() throws(SpoolError) {
        var places = places.withLock { $0 }
        guard places.count > 0 else { return }
        places.first += Self.headBytes + Int(try words(at: places.first).0)
        places.count -= 1
        if places.count == 0 {
            places = Places()
            guard ftruncate(file, off_t(places.end)) == 0 else {
                throw SpoolError(.unusable, path: path, errno: errno)
            }
        }
        // Not synced: a crash of the process keeps it, and after any other the database knows what it has by the batches' numbers.
        guard writeHead(first: places.first) else { throw SpoolError(.unusable, path: path, errno: errno) }
        self.places.withLock { [places] in $0 = places }
    }

    /// Removes the file, if all that was in it is done with.
    func remove() { if isEmpty { unlink(path) } }

    private func words(at position: Int) throws(SpoolError) -> (UInt64, UInt64) {
        let bytes = try read(16, at: position)
        let words = [bytes[..<8], bytes[8...]].map { $0.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        return (words[0], words[1])
    }

    private static func bytes(of words: UInt64...) -> [UInt8] {
        words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
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
