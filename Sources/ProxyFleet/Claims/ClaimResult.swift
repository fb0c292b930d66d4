/// All claims that were measured one after the other.
public struct ClaimsReport: Codable, Hashable, Sendable {
    public let provenance: RunProvenance
    public let claims: [ClaimResult]

    public init(provenance: RunProvenance, claims: [ClaimResult]) {
        self.provenance = provenance
        self.claims = claims
    }
}

/// A claim of the database guide with what was measured of it.
public struct ClaimResult: Codable, Hashable, Sendable {
    /// One thing that was measured for it.
    public struct Measurement: Codable, Hashable, Sendable {
        public let what: String
        public let required: String
        public let measured: String
        public let holds: Bool
    }

    /// Such as `G10`.
    public let claim: String
    /// In a sentence.
    public let text: String
    public let measurements: [Measurement]
    /// How many times what is claimed was reached; `nil` where that says nothing.
    public let multiple: Double?

    public var holds: Bool { !measurements.isEmpty && measurements.allSatisfy(\.holds) }

    /// Rows of a table for people.
    public var lines: [String] {
        let times = multiple.map { ", \($0.shown) times the claim" } ?? ""
        return ["\(claim) \(text): \(holds ? "holds" : "FAILS")\(times)"]
            + measurements.map {
                "  \($0.holds ? "holds" : "FAILS"): \($0.what): \($0.measured) (required: \($0.required))"
            }
    }
}
