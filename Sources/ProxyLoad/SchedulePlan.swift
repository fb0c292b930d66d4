/// A rate as people write it: `200`, `200..2000` (grows evenly over the run), or `100,200,400` (as many steps of the same length).
public struct SchedulePlan: Hashable, Sendable {
    private enum Shape: Hashable, Sendable {
        case steady(Double)
        case ramp(Double, Double)
        case steps([Double])
    }

    private let shape: Shape

    public static func steady(_ rate: Double) -> SchedulePlan { SchedulePlan(shape: .steady(rate)) }

    /// - Returns: `nil` when the text is no rate, or one is not above 0 and at most a million.
    public init?(_ text: String) {
        func rates(_ parts: [Substring]) -> [Double]? {
            let rates = parts.compactMap { Double($0) }.filter { $0 > 0 && $0 <= 1_000_000 }
            return rates.count == parts.count ? rates : nil
        }
        if let dots = text.firstRange(of: "..") {
            guard let ends = rates([text[..<dots.lowerBound], text[dots.upperBound...]]) else { return nil }
            shape = .ramp(ends[0], ends[1])
        } else {
            guard let steps = rates(text.split(separator: ",", omittingEmptySubsequences: false)) else { return nil }
            shape = steps.count == 1 ? .steady(steps[0]) : .steps(steps)
        }
    }

    private init(shape: Shape) { self.shape = shape }

    /// Requests per second and side at the beginning.
    public var firstRate: Double {
        switch shape {
        case .steady(let rate), .ramp(let rate, _): rate
        case .steps(let rates): rates.first ?? 0
        }
    }

    /// - Parameters:
    ///   - warmUp: goes before, at the rate of the beginning.
    ///   - duration: over which it grows, or which the steps divide.
    public func schedule(
        warmUp: Duration, duration: Duration, arrivals: Schedule.Arrivals, sides: Int
    ) -> Schedule {
        let before = warmUp > .zero ? [Schedule.Phase(from: firstRate, to: firstRate, length: warmUp)] : []
        switch shape {
        case .steady(let rate): return Schedule(ratePerSide: rate, arrivals: arrivals, sides: sides)
        case .ramp(let from, let to):
            return Schedule(
                phases: before + [Schedule.Phase(from: from, to: to, length: duration)], arrivals: arrivals,
                sides: sides)
        case .steps(let rates):
            let each = duration / rates.count
            return Schedule(
                phases: before + rates.map { Schedule.Phase(from: $0, to: $0, length: each) }, arrivals: arrivals,
                sides: sides)
        }
    }
}
