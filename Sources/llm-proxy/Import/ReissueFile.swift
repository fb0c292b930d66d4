import Glibc
import ProxyServer

/// Where tokens are kept that took the place of others: the only place that ever shows them, for its owner alone.
struct ReissueFile: Sendable {
    let path: String

    /// Writes one line for each, with tabs: what may be shown of the old token, the new one, identifier, project.
    func keep(_ tokens: [ReissuedToken]) throws(TransferError) {
        var lines = ["# old token\tnew token\tidentifier\tproject"]
        for token in tokens {
            lines.append(
                "\(token.formerHint)\t\(token.revealed())\t\(token.identifier)\t\(token.project.printable)")
        }
        do throws(ManageError) {
            try PrivateFile.write(lines.joined(separator: "\n") + "\n", to: path, replaces: false)
        } catch {
            throw .refused("--reissue \(error.description): name a file that can be made; nothing was imported")
        }
    }

    /// Removes it: nothing was imported.
    func forget() { unlink(path) }
}
