import Dispatch

/// Calls that block, away from the threads that tasks share: there are only as many of those as cores.
enum BlockingCall {
    static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "llm-proxy.blocking").async { continuation.resume(returning: body()) }
        }
    }
}
