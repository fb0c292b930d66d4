package import Glibc

/// A command that shares nothing with us but one descriptor: session, signals, environment and files are its own.
package struct DetachedCommand {
    /// The name it goes by, then its arguments.
    let words: [String]
    let environment: [String]

    /// Starts `/bin/sh` with a descriptor as its input and output.
    /// - Returns: the process number; the caller waits for it.
    func start(on descriptor: Int32) throws(FixtureError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, descriptor, 0)
        posix_spawn_file_actions_adddup2(&actions, descriptor, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        Self.closeOthers(&actions)
        var attributes = Self.ownSession()
        defer { posix_spawnattr_destroy(&attributes) }
        var number: pid_t = 0
        let failure = Self.withPointers(words) { words in
            Self.withPointers(environment) { posix_spawn(&number, "/bin/sh", &actions, &attributes, words, $0) }
        }
        guard failure == 0 else { throw FixtureError("can't run /bin/sh: \(String(cString: strerror(failure)))") }
        return number
    }

    /// Lets a program that is started have none of our descriptors but the first three: a socket that it held would stay open when we
    /// close it.
    package static func closeOthers(_ actions: inout posix_spawn_file_actions_t) {
        for other in 3...(highestDescriptor() + openedMeanwhile) {
            posix_spawn_file_actions_addclose(&actions, other)  // one that is not open is no error
        }
    }

    /// How many descriptors other threads may open, and forget to mark close-on-exec, while we start the command.
    private static let openedMeanwhile: Int32 = 64

    /// Swift's Glibc lacks `posix_spawn_file_actions_addclosefrom_np`, and `sh` can't close numbers above 9.
    private static func highestDescriptor() -> Int32 {
        guard let folder = opendir("/proc/self/fd") else { return 1023 }
        defer { closedir(folder) }
        var highest: Int32 = 3
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            highest = max(highest, Int32(name) ?? 0)
        }
        return highest
    }

    /// A session of its own, no signal blocked, none ignored.
    private static func ownSession() -> posix_spawnattr_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let newSession: Int16 = 0x80  // POSIX_SPAWN_SETSID, which Swift's Glibc lacks
        posix_spawnattr_setflags(
            &attributes, newSession | Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))
        return attributes
    }

    /// Lends texts as C has them, with a null pointer behind the last.
    package static func withPointers<Result>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let pointers = texts.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers + [nil])
    }
}
