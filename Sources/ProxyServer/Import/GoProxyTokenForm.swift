import ProxyDomain
import ProxySecrets
import SQLStorage

/// What a stored token of the Go proxy says of the secret that its clients have.
enum GoProxyTokenForm {
    /// The secret itself, of a form that servers take.
    case taken(TokenSecret)
    /// Its SHA-256, which does not show its form.
    case hashed(TokenDigest)
    /// The secret itself, of a form that servers don't take.
    case foreign(String)

    /// Whether servers take what the Go proxy issues: `sk-` and 22 characters of URL-safe base64. Then clients keep
    /// their tokens, also those of which there are only hashes.
    static let isIssuedFormTaken = TokenSecret("sk-" + String(repeating: "A", count: 22)) != nil

    init(_ text: String) {
        if let secret = TokenSecret(text) {
            self = .taken(secret)
        } else if text.utf8.count == 64, text.utf8.allSatisfy(Self.isHexDigit) {
            self = .hashed(TokenDigest(text: text.lowercased()))
        } else {
            self = .foreign(text)
        }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }

    /// The digest under which it is known.
    var digest: TokenDigest {
        switch self {
        case .taken(let secret): .of(secret)
        case .hashed(let digest): digest
        case .foreign(let text): .of(foreign: text)
        }
    }

    /// What may be shown of it for ever.
    var hint: String {
        switch self {
        case .taken(let secret): secret.hint
        case .hashed: "(hashed)"
        case .foreign(let text): text.count < 20 ? "…" : "\(text.prefix(7))…\(text.suffix(4))"
        }
    }

    /// Why its clients are refused, or may be; `nil` when they are not.
    var refusal: RefusedToken.Reason? {
        switch self {
        case .taken: nil
        case .hashed: Self.isIssuedFormTaken ? nil : .hashed
        case .foreign: .form
        }
    }
}

/// A token whose clients a server of this program refuses as things are.
public struct RefusedToken: Hashable, Sendable {
    public enum Reason: String, Hashable, Sendable {
        /// It is not of a form that servers take.
        case form
        /// It is stored as a hash, and those that the Go proxy issues are not of a form that servers take.
        case hashed
    }

    let id: TokenID
    /// The name of its project.
    public let project: String
    /// What may be shown of it for ever.
    public let hint: String
    public let reason: Reason

    /// Its identifier here, as text.
    public var identifier: String { id.text }
}

/// A token that got another secret. Holds it: only for the one place that keeps it.
public struct ReissuedToken: Sendable, CustomStringConvertible {
    let id: TokenID
    /// The name of its project.
    public let project: String
    /// What may be shown of the secret that its clients had.
    public let formerHint: String
    private let secret: TokenSecret

    init(id: TokenID, project: String, formerHint: String, secret: TokenSecret) {
        self.id = id
        self.project = project
        self.formerHint = formerHint
        self.secret = secret
    }

    /// Its identifier here, as text.
    public var identifier: String { id.text }

    /// What its clients are to be given.
    public func revealed() -> String { secret.revealed() }

    public var description: String { "token \(id)" }
}
