import Crypto
import ProxyDomain
import SQLDatabase

/// The chain that events of the audit form: each link is the SHA-256 of the one before and of the event's own row.
enum AuditChain {
    /// Adds an event at the end. Whoever does holds the end until the transaction is over, so that there is one chain.
    static func append(_ event: AuditEvent, on connection: any SQLConnection) throws(SQLError) {
        let end = try connection.first(ChainStatements.take) { (row) throws(SQLError) in
            (number: row.integer(at: 0), link: row.text(at: 1))
        }
        guard let end else { throw SQLError(.other, detail: "the audit's chain has no end") }
        let row = AuditRow(event)
        let link = link(after: end.link, number: end.number, row.values + [.text(row.words)])
        try connection.run(ChainStatements.add, [.integer(end.number)] + row.values + [.text(row.words), .text(link)])
        if let addWords = AuditStatements.of(connection.dialect).addWords {
            try connection.run(addWords, [.integer(end.number), .text(row.words)])
        }
        try connection.run(ChainStatements.put, [.text(link)])
    }

    /// What stands at the end of a chain after an event.
    static func link(after former: String, number: Int64, _ values: [SQLValue]) -> String {
        var hash = SHA256()
        func add(_ text: String) {
            var copy = "\(text.utf8.count):\(text)"
            copy.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        }
        add(former)
        add("\(number)")
        for value in values {
            switch value {
            case .null: hash.update(data: [UInt8(ascii: "-")])
            case .integer(let number): add("\(number)")
            case .text(let text): add(text)
            }
        }
        return Hexadecimal.text(hash.finalize())
    }

    /// Walks over the whole chain.
    /// - Returns: how many events there are, and those that are not where and what they were; one that is missing shows in the one
    ///   after it, or as the end.
    static func check(_ connection: any SQLConnection) throws(SQLError) -> (checked: Int64, broken: [String]) {
        let bounds = try connection.first(ChainStatements.bounds) { (row) throws(SQLError) in
            (number: row.integer(at: 0), link: row.text(at: 1), last: row.integer(at: 2), lastLink: row.text(at: 3))
        }
        guard let bounds else {
            let strays = try connection.all(ChainStatements.page, [.integer(0)]) { (row) throws(SQLError) in
                row.text(at: 1)
            }
            return (Int64(strays.count), strays)
        }
        var (number, link, checked) = (bounds.number, bounds.link, Int64(0))
        var broken: [String] = []
        while true {
            let before = number
            try connection.run(ChainStatements.page, [.integer(number)]) { (row) throws(SQLError) in
                checked += 1
                let found = row.integer(at: 0)
                let values = (1...AuditRow.width + 1).map { SQLValue.optional(row.optionalText(at: $0)) }
                let stored = row.text(at: AuditRow.width + 2)
                let isNext = found == number + 1
                if !isNext || Self.link(after: link, number: found, values) != stored { broken.append(row.text(at: 1)) }
                // The rest is judged from here on, or one change would break all that follows.
                (number, link) = (found, stored)
            }
            if number == before { break }
        }
        if number != bounds.last || link != bounds.lastLink { broken.append("end of the chain") }
        return (checked, broken)
    }
}

private enum ChainStatements {
    /// The last statement of its kind in a transaction: the row is locked from here on.
    static let take = SQLStatement(
        """
        INSERT INTO audit_chain (name, last_number, last_link, base_number, base_link) VALUES ('events', 1, '', 0, '')
        ON CONFLICT (name) DO UPDATE SET last_number = audit_chain.last_number + 1
        RETURNING last_number, last_link
        """)
    static let put = SQLStatement("UPDATE audit_chain SET last_link = $1 WHERE name = 'events'")
    static let add = SQLStatement(
        """
        INSERT INTO audit_events (number, \(AuditRow.columns), words, link)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        """)
    static let bounds = SQLStatement(
        "SELECT base_number, base_link, last_number, last_link FROM audit_chain WHERE name = 'events'")
    static let page = SQLStatement(
        "SELECT number, \(AuditRow.columns), words, link FROM audit_events WHERE number > $1 ORDER BY number LIMIT 1000"
    )
}
