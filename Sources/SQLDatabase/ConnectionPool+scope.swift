extension ConnectionPool {
    /// Runs `body`, and closes the pool whatever comes of it.
    public func closing<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            let value = try await body()
            await close()
            return value
        } catch {
            await close()
            throw error
        }
    }
}
