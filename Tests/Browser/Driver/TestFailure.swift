/// What went wrong in the machinery around a test, or what a flow waited for in vain.
struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
