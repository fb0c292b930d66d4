import SQLDatabase

extension Schema {
    /// When requests were sent to their upstreams.
    ///
    /// A program that knows none of it goes on working; its requests' rows don't tell.
    static let timeline = Migration(15, "timeline") { terms in
        "ALTER TABLE requests ADD COLUMN sent_us \(terms.integer)"
    }
}
