import NIOCore
public import ProxyDomain
public import ProxyWire

/// Which answers may be kept, and for how long (RFC 9111 section 3).
public enum Storability {
    /// No answer is given for longer than a day: then whoever remembers the purges of a day has forgotten none that matters.
    static let longestMilliseconds: Int64 = 86_400_000

    /// What is known of an answer besides its head.
    public struct Circumstances: Sendable {
        /// What the request says.
        public let asked: CacheDirectives
        public let method: RequestMethod
        public let isEventStream: Bool
        /// Whether several projects may be given it.
        public let isShared: Bool
        /// In seconds, for answers that may be kept and don't say how long.
        public let usualLifetime: Int64
        /// Whether streams of events may be kept at all.
        public let keepsStreams: Bool
        public let arrival: Arrival
        /// The field that the upstream has its credential in, in lower case; empty for none.
        public let credentialField: String

        public init(
            asked: CacheDirectives, method: RequestMethod, isEventStream: Bool, isShared: Bool, usualLifetime: Int64,
            keepsStreams: Bool, arrival: Arrival, credentialField: String
        ) {
            self.credentialField = credentialField
            self.asked = asked
            self.method = method
            self.isEventStream = isEventStream
            self.isShared = isShared
            self.usualLifetime = usualLifetime
            self.keepsStreams = keepsStreams
            self.arrival = arrival
        }

        /// What the client itself wants kept: of POST alone, for what GET gives its upstream knows better.
        fileprivate var wish: CacheDirectives? { method == .post && asked.isPublic ? asked : nil }
    }

    /// When an answer has come, or its head.
    public struct Arrival: Sendable {
        public let instant: Timestamp
        /// How long after its request was sent, in seconds.
        public let delay: Int64

        public init(at instant: Timestamp, delay: Int64) {
            self.instant = instant
            self.delay = delay
        }
    }

    /// How long an answer is fresh, in seconds from its making on; 0 for one that must be validated each time. `nil` when it may not
    /// be kept.
    ///
    /// All our requests carry a credential, so an answer must say that others may be given it (section 3.5). Of a POST the client may
    /// say so, by `Cache-Control: public` in its request.
    public static func lifetime(
        of head: ResponseHead, _ bytes: UnsafeRawBufferPointer, _ circumstances: Circumstances
    ) -> Int64? {
        let said = CacheDirectives(of: head, bytes)
        guard 200..<300 ~= head.status, head.status != 206, head.framing != .untilClose else { return nil }
        guard !said.noStore, !said.isPrivate, !circumstances.asked.noStore else { return nil }
        if circumstances.isEventStream {
            // Nearly all servers say no-cache of streams, so that nobody holds them up: here the operator decides.
            guard circumstances.keepsStreams else { return nil }
        } else if said.noCache {
            return nil
        }
        guard head.text(of: "set-cookie", in: bytes) == nil, canVary(head, bytes, circumstances) else { return nil }
        let allowsSharing =
            said.isPublic || said.sharedMaxAge != nil || said.mustRevalidate || circumstances.wish != nil
        guard allowsSharing else { return nil }
        let age = initialAge(head, bytes, circumstances.arrival)
        // What others say of it they say of the time from now on.
        let longest = longestMilliseconds / 1000
        let left =
            explicit(said, head, bytes).map { min($0, longest) }
            ?? age + min(circumstances.wish?.maxAge ?? circumstances.usualLifetime, longest)
        let canBeValidated =
            circumstances.method == .get
            && (head.text(of: "etag", in: bytes) != nil || head.text(of: "last-modified", in: bytes) != nil)
        return left > age ? left : canBeValidated ? 0 : nil
    }

    private static func explicit(
        _ said: CacheDirectives, _ head: ResponseHead, _ bytes: UnsafeRawBufferPointer
    ) -> Int64? {
        if let seconds = said.sharedMaxAge ?? said.maxAge { return seconds }
        guard let expires = head.text(of: "expires", in: bytes) else { return nil }
        guard let end = HTTPInstant.parse(expires), let date = head.text(of: "date", in: bytes),
            let start = HTTPInstant.parse(date)
        else { return 0 }
        return max(0, (end.milliseconds - start.milliseconds) / 1000)
    }

    /// How old an answer was when it came, in seconds (section 4.2.3): by its `Age` since it was asked for, or by its `Date`.
    public static func initialAge(
        _ head: ResponseHead, _ bytes: UnsafeRawBufferPointer, _ arrival: Arrival
    ) -> Int64 {
        let told = head.text(of: "age", in: bytes).flatMap { Int64($0) }.map { min(max(0, $0), 1 << 31) } ?? 0
        let made = head.text(of: "date", in: bytes).flatMap { HTTPInstant.parse($0) }
        let apparent = made.map { (arrival.instant.milliseconds - $0.milliseconds) / 1000 } ?? 0
        return max(told + max(0, arrival.delay), min(apparent, 1 << 31))
    }

    /// The fields that `Vary` names, in lower case. `nil` when anything may vary it (RFC 9110 section 12.5.5).
    public static func selecting(_ head: ResponseHead, _ bytes: UnsafeRawBufferPointer) -> [String]? {
        let name = Array("vary".utf8)
        var names: [String] = []
        for field in head.fields where field.isNamed(name, in: bytes) {
            let list = String(decoding: bytes[field.valueRange], as: UTF8.self)
            names += list.lowercased().split { $0 == "," || $0 == " " || $0 == "\t" }.map(String.init)
        }
        return names.contains("*") ? nil : names
    }

    /// Upstreams see the project's credential, never the client's: it tells projects apart, not requests.
    private static func canVary(
        _ head: ResponseHead, _ bytes: UnsafeRawBufferPointer, _ circumstances: Circumstances
    ) -> Bool {
        guard let names = selecting(head, bytes) else { return false }
        return !circumstances.isShared
            || !names.contains { credentials.contains($0) || $0 == circumstances.credentialField }
    }

    /// Fields whose values the client's own never are.
    static let credentials: Set<String> = ["authorization", "api-key", "x-api-key", "x-goog-api-key"]

    /// The values of a request's fields that an answer's `Vary` names.
    public static func selected(
        by names: [String], _ head: RequestHead, _ bytes: UnsafeRawBufferPointer
    ) -> [String: String?] {
        var values: [String: String?] = [:]
        for name in names where !credentials.contains(name) {
            let wanted = Array(name.utf8)
            let found = head.fields.filter { $0.kind != .namedByConnection && $0.isNamed(wanted, in: bytes) }
            values[name] = .some(
                found.isEmpty
                    ? nil : found.map { String(decoding: bytes[$0.valueRange], as: UTF8.self) }.joined(separator: ","))
        }
        return values
    }
}
