import ProxyDomain
import ProxyRelay

/// One line for each request. Bodies and secrets never get here.
struct RequestLogWriter: RequestLog {
    let sink: LogSink
    let format: LogLine.Format

    func record(_ summary: RequestSummary) {
        var line = LogLine(format, level: "info", at: summary.arrivedAt, message: "request")
        line.add("request_id", summary.requestID.identifier)
        if let trace = summary.traceID {
            line.add("trace_id", trace)
        } else {
            line.add("trace_id", digitsOf: summary.requestID.identifier)
        }
        line.add("project_id", summary.projectID?.identifier)
        line.add("token_id", summary.tokenID?.identifier)
        line.add("token", summary.tokenHint)
        line.add("method", summary.method)
        line.add("path", summary.path)
        line.add("model", summary.model)
        line.add("provider", summary.provider)
        line.add("attempts", summary.attempts)
        line.add("cache", summary.cacheStatus)
        line.add("status", summary.status)
        line.add("code", summary.code)
        line.add("shadow_refusal", summary.shadowRefusal?.rawValue)
        line.add("outcome", summary.outcome?.rawValue)
        line.add("duration_us", summary.durationMicroseconds)
        if let firstByte = summary.firstByteMicroseconds { line.add("first_byte_us", firstByte) }
        line.add("overhead_us", summary.overheadMicroseconds)
        if let usage = summary.usage {
            line.add("prompt_tokens", usage.promptTokens)
            line.add("completion_tokens", usage.completionTokens)
        }
        line.add("request_bytes", summary.requestBytes)
        line.add("response_bytes", summary.responseBytes)
        sink.write(line.finished(sink.resource))
    }
}
