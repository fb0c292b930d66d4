import Glibc

/// The user the server runs as when we are root, whom PostgreSQL refuses.
struct ServerAccount {
    let user: uid_t
    let group: gid_t

    /// Nil when we are not root: the server then runs as we do.
    static func needed() throws(FixtureError) -> ServerAccount? {
        guard geteuid() == 0 else { return nil }
        guard let account = ServerAccount(named: "postgres") ?? ServerAccount(named: "nobody") else {
            throw FixtureError("PostgreSQL refuses to run as root, and there is no user postgres or nobody: add one")
        }
        return account
    }

    private init?(named name: String) {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var room = [CChar](repeating: 0, count: 16 << 10)
        guard getpwnam_r(name, &entry, &room, room.count, &found) == 0, let found else { return nil }
        user = found.pointee.pw_uid
        group = found.pointee.pw_gid
    }

    /// The words before a command that make it run as this user.
    var prefix: String { "setpriv --reuid=\(user) --regid=\(group) --clear-groups" }
}
