/// When each request of an open-loop run is due: a pure function of the request's number. Nothing that happens during
/// the run, least of all a slow answer, moves a later request.
public struct Schedule: Hashable, Sendable {
    /// Requests per second of all sides together, above 0.
    public let rate: Double
    /// How many targets take turns: 1, or 2 when one is compared with another.
    public let sides: Int

    /// - Parameter ratePerSide: requests per second to each target, above 0.
    public init(ratePerSide: Double, sides: Int = 1) {
        self.rate = ratePerSide * Double(sides)
        self.sides = sides
    }

    /// How long after the start request `number` is due. Request 0 is due at the start.
    public func due(_ number: Int) -> Duration { .nanoseconds(Int64((Double(number) / rate * 1e9).rounded())) }

    /// How many requests are due before `span` of the run is over.
    public func count(in span: Duration) -> Int {
        var count = max(0, Int((span.seconds * rate).rounded()))
        while count > 0, due(count - 1) >= span { count -= 1 }
        while due(count) < span { count += 1 }
        return count
    }

    /// Which target request `number` goes to. Two take turns as A B B A, so that neither always goes first and has the
    /// caches and the wake-ups of the other to its advantage.
    public func side(of number: Int) -> Int { sides == 1 ? 0 : (number ^ number >> 1) & 1 }
}

extension Duration {
    /// Whole nanoseconds, rounded towards zero.
    var wholeNanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }

    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }

    var milliseconds: Double { seconds * 1e3 }
}
