import ProxyDomain
import ProxyStorage

/// A ledger batch as bytes: integers in eight bytes, the lowest first; texts with their length before them; what may be missing
/// with a byte before it.
struct SpoolEncoder {
    private(set) var bytes: [UInt8] = []

    init(_ batch: LedgerBatch) {
        put(batch.instance)
        put(batch.sequence)
        put(batch.now.milliseconds)
        put(Int64(batch.admissions.count))
        for admission in batch.admissions { put(admission) }
        put(Int64(batch.settlements.count))
        for settlement in batch.settlements { put(settlement) }
    }

    private mutating func put(_ number: Int64) { put(UInt64(bitPattern: number)) }

    private mutating func put(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func put(_ text: String) {
        put(Int64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func put(_ id: some TypedIdentifier) {
        put(id.identifier.high)
        put(id.identifier.low)
    }

    private mutating func put<Value>(_ value: Value?, _ write: (inout Self, Value) -> Void) {
        bytes.append(value == nil ? 0 : 1)
        if let value { write(&self, value) }
    }

    private mutating func put(_ reservation: Reservation) {
        put(reservation.promptTokens)
        put(reservation.completionTokens)
        put(reservation.cost.amount)
    }

    private mutating func put(_ admission: Admission) {
        put(admission.requestID)
        put(admission.tokenID)
        put(admission.projectID)
        put(admission.admittedAt.milliseconds)
        put(admission.method)
        put(admission.path)
        put(admission.reservation)
        put(admission.settlement) { $0.put($1) }
    }

    private mutating func put(_ end: RequestSettlement) {
        put(end.requestID)
        put(end.tokenID)
        put(end.projectID)
        put(end.admittedAt.milliseconds)
        put(end.reservation)
        put(end.settlement)
    }

    private mutating func put(_ settlement: Settlement) {
        put(settlement.outcome.rawValue)
        put(Int64(settlement.status))
        put(settlement.settledAt.milliseconds)
        put(settlement.durationMicroseconds)
        put(settlement.firstByteMicroseconds) { $0.put($1) }
        put(settlement.usage) { encoder, usage in
            encoder.put(usage.promptTokens)
            encoder.put(usage.completionTokens)
            encoder.put(usage.source.rawValue)
        }
        put(settlement.cost.amount)
        if let attempts = settlement.attempts.text {
            bytes.append(SpoolDecoder.hasAttempts)
            put(attempts)
        }
        if let sent = settlement.sentMicroseconds {
            bytes.append(SpoolDecoder.hasSent)
            put(sent)
        }
        if settlement.requestBytes != nil || settlement.responseBytes != nil {
            bytes.append(SpoolDecoder.hasTraffic)
            put(settlement.requestBytes) { $0.put($1) }
            put(settlement.responseBytes) { $0.put($1) }
        }
        put(settlement.model) { $0.put($1) }
    }
}

/// Reads what ``SpoolEncoder`` wrote. Its admissions were all served.
struct SpoolDecoder {
    /// The bytes are not a batch, or not all of one.
    struct Broken: Error {}

    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func batch() throws(Broken) -> LedgerBatch {
        let instance = try id(InstanceID.self)
        let sequence = try integer()
        let now = try instant()
        var admissions: [Admission] = []
        for _ in 0..<(try count()) { admissions.append(try admission()) }
        var settlements: [RequestSettlement] = []
        for _ in 0..<(try count()) { settlements.append(try requestSettlement()) }
        guard position == bytes.count else { throw Broken() }
        return LedgerBatch(
            instance: instance, sequence: sequence, isRetry: true, now: now, admissions: admissions,
            settlements: settlements)
    }

    private mutating func take(_ count: Int) throws(Broken) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.count - position else { throw Broken() }
        defer { position += count }
        return bytes[position..<position + count]
    }

    private mutating func word() throws(Broken) -> UInt64 {
        try take(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func integer() throws(Broken) -> Int64 { Int64(bitPattern: try word()) }

    /// No item takes less than a byte.
    private mutating func count() throws(Broken) -> Int {
        guard let count = Int(exactly: try integer()), (0...bytes.count).contains(count) else { throw Broken() }
        return count
    }

    private mutating func text() throws(Broken) -> String { String(decoding: try take(count()), as: UTF8.self) }

    private mutating func instant() throws(Broken) -> Timestamp { Timestamp(milliseconds: try integer()) }

    private mutating func id<ID: TypedIdentifier>(_: ID.Type) throws(Broken) -> ID {
        let high = try word()
        return ID(Identifier(high: high, low: try word()))
    }

    private mutating func optional<Value>(
        _ read: (inout Self) throws(Broken) -> Value
    ) throws(Broken) -> Value? {
        switch try take(1).first {
        case 0: nil
        case 1: try read(&self)
        default: throw Broken()
        }
    }

    private mutating func choice<Choice: RawRepresentable<String>>() throws(Broken) -> Choice {
        guard let choice = Choice(rawValue: try text()) else { throw Broken() }
        return choice
    }

    private mutating func reservation() throws(Broken) -> Reservation {
        let prompt = try integer()
        let completion = try integer()
        return Reservation(promptTokens: prompt, completionTokens: completion, cost: NanoDollars(try integer()))
    }

    private mutating func admission() throws(Broken) -> Admission {
        let request = try id(RequestID.self)
        let token = try id(TokenID.self)
        let project = try id(ProjectID.self)
        let admittedAt = try instant()
        let method = try text()
        let path = try text()
        let reservation = try reservation()
        let settlement = try optional { (decoder) throws(Broken) in try decoder.settlement() }
        return Admission(
            requestID: request, tokenID: token, projectID: project, admittedAt: admittedAt, method: method, path: path,
            reservation: reservation, settlement: settlement, basis: .served)
    }

    private mutating func requestSettlement() throws(Broken) -> RequestSettlement {
        let request = try id(RequestID.self)
        let token = try id(TokenID.self)
        let project = try id(ProjectID.self)
        let admittedAt = try instant()
        let reservation = try reservation()
        return RequestSettlement(
            requestID: request, tokenID: token, projectID: project, admittedAt: admittedAt, reservation: reservation,
            settlement: try settlement())
    }

    private mutating func settlement() throws(Broken) -> Settlement {
        let outcome: RequestOutcome = try choice()
        let status = try integer()
        let settledAt = try instant()
        let duration = try integer()
        let firstByte = try optional { (decoder) throws(Broken) in try decoder.integer() }
        let usage = try optional { (decoder) throws(Broken) in
            let prompt = try decoder.integer()
            let completion = try decoder.integer()
            return TokenUsage(promptTokens: prompt, completionTokens: completion, source: try decoder.choice())
        }
        let cost = NanoDollars(try integer())
        let attempts = try attempts()
        let sent = try sent()
        let (requestBytes, responseBytes) = try traffic()
        return Settlement(
            outcome: outcome, status: Int(status), settledAt: settledAt, durationMicroseconds: duration,
            sentMicroseconds: sent, firstByteMicroseconds: firstByte, usage: usage, cost: cost,
            model: try optional { (decoder) throws(Broken) in try decoder.text() }, requestBytes: requestBytes,
            responseBytes: responseBytes, attempts: attempts)
    }

    /// In the place of the byte before the model, which is 0 or 1: records without it are from before there were attempts.
    fileprivate static let hasAttempts: UInt8 = 2

    /// The same after the attempts: records without it are of requests that were not sent, or from before that was told.
    fileprivate static let hasSent: UInt8 = 3

    /// The same after that: records without it are from before it was told what passed.
    fileprivate static let hasTraffic: UInt8 = 4

    private mutating func attempts() throws(Broken) -> [UpstreamAttempt] {
        guard position < bytes.count, bytes[position] == Self.hasAttempts else { return [] }
        position += 1
        guard let attempts = [UpstreamAttempt](text: try text()) else { throw Broken() }
        return attempts
    }

    private mutating func sent() throws(Broken) -> Int64? {
        guard position < bytes.count, bytes[position] == Self.hasSent else { return nil }
        position += 1
        return try integer()
    }

    private mutating func traffic() throws(Broken) -> (request: Int64?, response: Int64?) {
        guard position < bytes.count, bytes[position] == Self.hasTraffic else { return (nil, nil) }
        position += 1
        let request = try optional { (decoder) throws(Broken) in try decoder.integer() }
        return (request, try optional { (decoder) throws(Broken) in try decoder.integer() })
    }
}
