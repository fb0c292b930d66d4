import ProxyDomain

/// How long the times are whose requests are summed up.
enum UsageSpan: Int64, Sendable, CaseIterable {
    case minute = 60
    case hour = 3600
    case day = 86_400

    /// Milliseconds.
    var length: Int64 { rawValue * 1000 }

    /// The beginning of the span that an instant is in.
    func start(of instant: Timestamp) -> Timestamp {
        let rest = instant.milliseconds % length
        return Timestamp(milliseconds: instant.milliseconds - (rest < 0 ? rest + length : rest))
    }

    func end(of start: Timestamp) -> Timestamp { Timestamp(milliseconds: start.milliseconds + length) }

    /// The beginning of the first span that begins at an instant or later.
    func start(notBefore instant: Timestamp) -> Timestamp {
        let start = start(of: instant)
        return start == instant ? start : end(of: start)
    }
}

extension Timestamp {
    /// No request's identifier of an earlier instant is as large, and none of a later one is smaller.
    var firstRequestKey: String {
        let milliseconds = UInt64(clamping: milliseconds) & 0xFFFF_FFFF_FFFF
        return String(Identifier(high: milliseconds << 16, low: 0).text.prefix(13))
    }
}

extension RequestID {
    /// The instant that it begins with.
    var instant: Timestamp { Timestamp(milliseconds: Int64(identifier.high >> 16)) }
}
