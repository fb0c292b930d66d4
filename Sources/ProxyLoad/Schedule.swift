import Glibc

/// When each request of an open-loop run is due: a pure function of what was planned. Nothing that happens during the run, least
/// of all a slow answer, moves a later request.
public struct Schedule: Hashable, Sendable {
    /// A stretch of the run in which the rate changes evenly.
    public struct Phase: Hashable, Sendable {
        /// Requests per second at its beginning, above 0.
        public let from: Double
        /// Requests per second at its end, above 0.
        public let to: Double
        public let length: Duration

        public init(from: Double, to: Double, length: Duration) {
            self.from = from
            self.to = to
            self.length = length
        }

        /// How many requests fall into it.
        var count: Double { (from + to) / 2 * length.seconds }

        /// Seconds after its beginning at which `count` requests have fallen into it: solves
        /// from · t + (to - from) / (2 · length) · t² = count, in the form that needs no division by what may be zero.
        func instant(of count: Double) -> Double {
            let bend = (to - from) / (2 * length.seconds)
            return 2 * count / (from + (from * from + 4 * bend * count).squareRoot())
        }
    }

    /// How requests spread around the rate.
    public enum Arrivals: Hashable, Sendable {
        /// As evenly as it goes.
        case even
        /// As from many clients that know nothing of each other: gaps are exponentially distributed. The same seed gives the
        /// same instants.
        case poisson(seed: UInt64)
    }

    /// Of all sides together. After the last the rate stays what it is at its end.
    public let phases: [Phase]
    public let arrivals: Arrivals
    /// How many targets take turns: 1, or 2 when one is compared with another.
    public let sides: Int

    /// - Parameters:
    ///   - phases: requests per second to each target; at least one.
    public init(phases: [Phase], arrivals: Arrivals = .even, sides: Int = 1) {
        self.phases = phases.map {
            Phase(from: $0.from * Double(sides), to: $0.to * Double(sides), length: $0.length)
        }
        self.arrivals = arrivals
        self.sides = sides
    }

    /// - Parameter ratePerSide: requests per second to each target, above 0, for as long as the run lasts.
    public init(ratePerSide: Double, arrivals: Arrivals = .even, sides: Int = 1) {
        self.init(
            phases: [Phase(from: ratePerSide, to: ratePerSide, length: .seconds(1))], arrivals: arrivals, sides: sides)
    }

    /// How long after the start request `number` is due. Request 0 of even arrivals is due at the start.
    public func due(_ number: Int) -> Duration {
        var arrival = Arrival(self)
        switch arrivals {
        case .even: return due(position: Double(number))
        case .poisson:
            for _ in 0..<number { arrival.advance() }
            return arrival.due
        }
    }

    /// How long after the start the rate has added up to `position` requests.
    fileprivate func due(position: Double) -> Duration {
        var left = position
        var seconds = 0.0
        for phase in phases.dropLast() {
            guard left >= phase.count else { return .wholeNanoseconds(seconds + phase.instant(of: left)) }
            left -= phase.count
            seconds += phase.length.seconds
        }
        guard let last = phases.last else { return .zero }
        if left < last.count { return .wholeNanoseconds(seconds + last.instant(of: left)) }
        return .wholeNanoseconds(seconds + last.length.seconds + (left - last.count) / last.to)
    }

    /// How many requests are due before `span` of the run is over.
    public func count(in span: Duration) -> Int {
        var arrival = Arrival(self)
        while arrival.due < span { arrival.advance() }
        return arrival.number
    }

    /// Which target request `number` goes to. Two take turns as A B B A, so that neither always goes first and has the
    /// caches and the wake-ups of the other to its advantage.
    public func side(of number: Int) -> Int { sides == 1 ? 0 : (number ^ number >> 1) & 1 }

    /// One request of a schedule after the other.
    struct Arrival {
        private let schedule: Schedule
        private(set) var number = 0
        private(set) var due: Duration
        private var position = 0.0
        private var random: SplitMix64

        init(_ schedule: Schedule) {
            self.schedule = schedule
            if case .poisson(let seed) = schedule.arrivals {
                random = SplitMix64(seed)
                position = random.exponential()
            } else {
                random = SplitMix64(0)
            }
            due = schedule.due(position: position)
        }

        mutating func advance() {
            number += 1
            switch schedule.arrivals {
            case .even: position = Double(number)
            case .poisson: position += random.exponential()
            }
            due = schedule.due(position: position)
        }
    }
}

/// Numbers that look random and only the seed decides (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// From 0 up to but not including 1.
    mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Exponentially distributed with mean 1.
    mutating func exponential() -> Double { -log(1 - uniform()) }
}

extension Duration {
    fileprivate static func wholeNanoseconds(_ seconds: Double) -> Duration {
        .nanoseconds(Int64((seconds * 1e9).rounded()))
    }

    /// Whole nanoseconds, rounded towards zero.
    var wholeNanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }

    package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }

    package var milliseconds: Double { seconds * 1e3 }
}
