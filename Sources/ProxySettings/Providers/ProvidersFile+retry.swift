import ProxyDomain

extension ProvidersFile {
    /// `retry`: how often a request is sent again, for what, and after how long.
    mutating func readRetry(_ node: YAMLNode, _ place: String, into rules: inout RetryRules) {
        rules.attempts = 3
        for entry in mapping(node, place) ?? [] {
            let key = "\(place).\(SettingFault.printable(entry.key))"
            switch entry.key {
            case "attempts": rules.attempts = readCount(entry.value, key, in: 1...10) ?? rules.attempts
            case "on": rules.on = readResults(entry.value, key)
            case "backoff": rules.backoff = readPause(entry.value, key) ?? rules.backoff
            case "max_backoff": rules.longestBackoff = readPause(entry.value, key) ?? rules.longestBackoff
            case "budget_percent": rules.budgetPercent = readCount(entry.value, key, in: 0...100) ?? rules.budgetPercent
            default: refuse(entry, in: place)
            }
        }
        if rules.backoff > rules.longestBackoff {
            fault(node.line, "\(place).backoff must not be longer than max_backoff", "make max_backoff longer")
        }
    }

    /// `fallback`: what makes a request take another of its project's ways.
    mutating func readFallback(_ node: YAMLNode, _ place: String, into rules: inout RetryRules) {
        for entry in mapping(node, place) ?? [] {
            let key = "\(place).\(SettingFault.printable(entry.key))"
            switch entry.key {
            case "on": rules.fallbackOn = readResults(entry.value, key)
            default: refuse(entry, in: place)
            }
        }
    }

    /// `breaker`: after how many failures the upstream is left alone, and for how long.
    mutating func readBreaker(_ node: YAMLNode, _ place: String, into rules: inout RetryRules) {
        for entry in mapping(node, place) ?? [] {
            let key = "\(place).\(SettingFault.printable(entry.key))"
            switch entry.key {
            case "failures":
                rules.breaker.failures = readCount(entry.value, key, in: 0...1000) ?? rules.breaker.failures
            case "open_for": rules.breaker.openFor = readPause(entry.value, key) ?? rules.breaker.openFor
            default: refuse(entry, in: place)
            }
        }
    }

    /// `timeouts`: what takes the place of the server's own settings.
    mutating func readTimeouts(_ node: YAMLNode, _ place: String) -> ProviderTimeouts {
        var timeouts = ProviderTimeouts()
        for entry in mapping(node, place) ?? [] {
            let key = "\(place).\(SettingFault.printable(entry.key))"
            switch entry.key {
            case "request": timeouts.request = readPause(entry.value, key)
            case "response_header": timeouts.responseHead = readPause(entry.value, key)
            case "idle_connection": timeouts.idleConnection = readPause(entry.value, key)
            default: refuse(entry, in: place)
            }
        }
        return timeouts
    }

    /// `connection`: how many idle connections are kept.
    mutating func readConnection(_ node: YAMLNode, _ place: String) -> Int? {
        var most: Int?
        for entry in mapping(node, place) ?? [] {
            let key = "\(place).\(SettingFault.printable(entry.key))"
            switch entry.key {
            // A provider is one host, so that both bound the same.
            case "max_idle_conns", "max_idle_conns_per_host":
                if let count = readCount(entry.value, key, in: 0...100_000) { most = min(most ?? count, count) }
            default: refuse(entry, in: place)
            }
        }
        return most
    }

    private mutating func readCount(_ node: YAMLNode, _ place: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(node, place) else { return nil }
        if let count = Int(text), range.contains(count) { return count }
        fault(
            node.line, "\(place) must be a whole number from \(range.lowerBound) to \(range.upperBound)",
            "write for instance \(range.lowerBound)", found: text)
        return nil
    }

    private mutating func readPause(_ node: YAMLNode, _ place: String) -> Duration? {
        guard let text = text(node, place) else { return nil }
        if let pause = DurationText.parse(text), pause > .zero, pause <= .seconds(86_400) { return pause }
        fault(
            node.line, "\(place) must be a duration from 1ms to 1d", "write for instance 250ms, 30s or 5m", found: text)
        return nil
    }

    private mutating func readResults(_ node: YAMLNode, _ place: String) -> Set<AttemptResult> {
        let results = list(
            node, place,
            Item(
                rule: "must hold connect, reset, timeout, 4xx, 5xx or statuses from 400 to 599",
                remedy: "write for instance [connect, reset, 429, 5xx]"
            ) { text in
                if Self.classes[text] != nil { return text }
                return switch AttemptResult(text) {
                case .connect, .reset, .timeout: text
                case .status(let status) where status >= 400: text
                default: nil
                }
            })
        return Set(
            results.flatMap { text in
                Self.classes[text].map { $0.map { .status($0) } } ?? [AttemptResult(text)].compactMap { $0 }
            })
    }

    private static let classes = ["4xx": 400...499, "5xx": 500...599]
}
