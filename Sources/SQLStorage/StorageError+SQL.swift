import ProxyStorage
import SQLDatabase

extension StorageError {
    /// What the engine said, in the storage's words.
    init(_ error: SQLError, during operation: String) {
        let kind: Kind =
            switch error.kind {
            // Who has moved with it asks the other one next time.
            case .busy, .conflict, .io, .connectionLost, .noConnection, .moved: .unavailable
            case .full: .full
            case .corrupt, .notADatabase: .corrupt
            // A server that became a standby: the next connection may find the primary.
            case .readOnly where error.code == "25006": .unavailable
            case .readOnly: .readOnly
            case .interrupted: .interrupted
            case .constraint(.unique(let columns)): .alreadyExists(field: columns.first ?? "")
            case .constraint(.foreignKey): .missingReference
            case .constraint(.notNull), .constraint(.check), .constraint(.other), .setting, .other: .engine
            }
        self.init(kind, during: operation, detail: error.debugDescription)
    }

    /// Any error that a call's body may throw.
    init(wrapping error: any Error, during operation: String) {
        switch error {
        case let error as StorageError: self.init(error.kind, during: operation, detail: error.detail)
        case let error as SQLError: self.init(error, during: operation)
        case let error as TransactionError<any Error>: self.init(error, during: operation)
        case is CancellationError: self.init(.interrupted, during: operation)
        default: self.init(.engine, during: operation, detail: "\(error)")
        }
    }

    private init(_ error: TransactionError<any Error>, during operation: String) {
        switch error {
        case .begin(let cause): self.init(cause, during: operation)
        case .body(let cause, let rollback):
            let first = StorageError(wrapping: cause, during: operation)
            let more = rollback.map { "; rollback failed: \($0.debugDescription)" } ?? ""
            self.init(first.kind, during: operation, detail: first.detail + more)
        case .commit(let cause, let rollback):
            let more = rollback.map { "; rollback failed: \($0.debugDescription)" } ?? ""
            self.init(cause.adding("; at commit" + more), during: operation)
        }
    }
}
