import Logging
import ProxyDomain

/// Carries swift-log's lines to the sink, in the same form as the lines of requests.
struct SinkLogHandler: LogHandler {
    let sink: LogSink
    let format: LogLine.Format
    let now: @Sendable () -> Timestamp
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var line = LogLine(format, level: event.level.rawValue, at: now(), message: event.message.description)
        let facts = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in facts.sorted(by: { $0.key < $1.key }) { line.add(named: key, "\(value)") }
        if let error = event.error { line.add("error", "\(error)") }
        sink.write(line.finished(sink.resource))
    }
}
