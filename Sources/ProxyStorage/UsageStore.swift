public import ProxyDomain

/// Tells what requests used, from sums that are kept of the rows; and is exact: what is not in a sum yet is counted from its rows.
public protocol UsageStore: Sendable {
    func usage(_ query: UsageQuery) async throws(StorageError) -> UsageReport

    /// Sums up rows of times that have passed, in bounded steps, each over in an instant.
    /// - Returns: whether there is more to do at once.
    func sumUsage(at now: Timestamp) async throws(StorageError) -> Bool
}
