import ProxyDomain
import ProxyStorage

/// Why a management request was not done.
enum ManagementFailure: Error, Hashable, Sendable {
    case input(InputFault)
    case credential(CredentialFault)
    case route(RouteFault)
    case storage(StorageFault)

    /// What the caller sent can't be used.
    enum InputFault: Hashable, Sendable {
        /// Method or target can't be read.
        case malformedTarget
        case invalidJSON(problem: String, offset: Int)
        /// A field of the body, a parameter of the query or a part of the path breaks a rule.
        case invalid(name: String, rule: String)
        case missing(name: String, hint: String)
        case unknown(name: String, known: [String])
        case nothingToChange(known: [String])
        /// Under this key something else was asked before.
        case keyReused
    }

    /// The caller did not show a credential that opens this.
    enum CredentialFault: Hashable, Sendable {
        case missing
        case wrong
        case insufficient(has: ManagementRole, needs: ManagementRole)
        case throttled(wait: Duration)
    }

    /// Nothing here serves such a request.
    enum RouteFault: Hashable, Sendable {
        case noSuchRoute
        case metricsOff
        case methodNotAllowed(allowed: [String], hint: String?)
        case bodyTooLarge
        case notJSON
    }

    /// The server did not do what it should.
    enum StorageFault: Hashable, Sendable {
        case notFound(Endpoint.Subject)
        case alreadyExists(Endpoint.Subject, field: String)
        case changedMeanwhile
        /// Somebody else is doing it.
        case busy
        case unavailable
        case full
        case readOnly
        case damaged
        case interrupted
        case unexpected
    }

    /// What a storage's error means to the caller of a route about `subject`.
    init(_ error: StorageError, about subject: Endpoint.Subject) {
        switch error.kind {
        case .notFound: self = .storage(.notFound(subject))
        case .alreadyExists(let field): self = .storage(.alreadyExists(subject, field: field))
        case .changedMeanwhile: self = .storage(.changedMeanwhile)
        case .missingReference: self = .storage(.notFound(.project))
        case .unavailable: self = .storage(.unavailable)
        case .full: self = .storage(.full)
        case .readOnly: self = .storage(.readOnly)
        case .corrupt: self = .storage(.damaged)
        case .interrupted: self = .storage(.interrupted)
        case .engine: self = .storage(.unexpected)
        }
    }
}
