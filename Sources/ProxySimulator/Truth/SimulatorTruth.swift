/// What the simulator has done so far: what others' counts are compared with.
public struct SimulatorTruth: Hashable, Sendable {
    /// Requests whose head came, by path without query.
    public internal(set) var requestsByPath: [String: Int] = [:]
    /// Answers written to their end.
    public internal(set) var completedAnswers = 0
    /// Tokens that those answers told of.
    public internal(set) var usage = SimulatedUsage()
    /// Requests whose other side left before the answer's end.
    public internal(set) var abandonedRequests = 0
    /// Connections whose bytes were no HTTP request.
    public internal(set) var malformedRequests = 0
    /// Bytes written, heads and framing included.
    public internal(set) var bytesSent = 0
    public internal(set) var openConnections = 0
    public internal(set) var acceptedConnections = 0

    /// Requests whose head came.
    public var requests: Int { requestsByPath.values.reduce(0, +) }

    /// As a JSON object, without the paths: what `GET /sim/truth` gives.
    public var json: String {
        #"{"requests":\#(requests),"completed":\#(completedAnswers),"abandoned":\#(abandonedRequests),"#
            + #""malformed":\#(malformedRequests),"prompt_tokens":\#(usage.promptTokens),"#
            + #""completion_tokens":\#(usage.completionTokens),"bytes_sent":\#(bytesSent),"#
            + #""open_connections":\#(openConnections),"accepted_connections":\#(acceptedConnections)}"#
    }
}
