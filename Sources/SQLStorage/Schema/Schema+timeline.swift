import SQLDatabase

extension Schema {
    /// When requests were sent to their upstreams.
    ///
    /// A program that knows none of it goes on working; its requests' rows don't tell.
    static let timeline = Migration(15, "timeline") { terms in
        "ALTER TABLE requests ADD COLUMN sent_us \(terms.integer)"
    }

    /// What passed each way.
    ///
    /// A program that knows none of it goes on working; its requests' rows don't tell.
    static let traffic = Migration(16, "traffic") { terms in
        """
        ALTER TABLE requests ADD COLUMN request_bytes \(terms.integer);
        ALTER TABLE requests ADD COLUMN response_bytes \(terms.integer)
        """
    }
}
