import Foundation
import ProxyDomain
import ProxyStorage
import Testing

@testable import ProxyLedger

@Suite("The spool's journal")
struct SpoolTests {
    private let folder = TestFolder()
    private var path: String { folder.path + "/a.spool" }

    private func journal(limit: Int = 1 << 20) throws -> SpoolJournal { try SpoolJournal(at: path, limit: limit) }

    private static func id<ID: TypedIdentifier>(_ number: UInt64) -> ID { ID(Identifier(high: number, low: ~number)) }

    private static func batch(_ sequence: Int64) -> LedgerBatch {
        let end = Settlement(
            outcome: .completed, status: 200, settledAt: Timestamp(milliseconds: 5), durationMicroseconds: 7,
            sentMicroseconds: sequence % 3 == 0 ? nil : 2, firstByteMicroseconds: sequence % 2 == 0 ? nil : 3,
            usage: TokenUsage(promptTokens: 1, completionTokens: 2, source: .estimate), cost: NanoDollars(9),
            model: "gpt-ä")
        let admission = Admission(
            requestID: id(1), tokenID: id(2), projectID: id(3), admittedAt: Timestamp(milliseconds: -4), method: "POST",
            path: "/v1/x", reservation: Reservation(promptTokens: 1, completionTokens: 2, cost: NanoDollars(3)),
            settlement: sequence % 2 == 0 ? end : nil, basis: .unlimited)
        return LedgerBatch(
            instance: id(9), sequence: sequence, now: Timestamp(milliseconds: 11), admissions: [admission],
            settlements: [RequestSettlement(of: admission, end)])
    }

    private static func expect(_ found: LedgerBatch?, is wanted: LedgerBatch) throws {
        let found = try #require(found)
        #expect(found.instance == wanted.instance && found.sequence == wanted.sequence && found.now == wanted.now)
        #expect(found.isRetry && found.admissions.map(\.basis) == [.served])
        #expect(found.admissions.map(\.requestID) == wanted.admissions.map(\.requestID))
        #expect(found.admissions.map(\.reservation) == wanted.admissions.map(\.reservation))
        #expect(found.admissions.map(\.settlement) == wanted.admissions.map(\.settlement))
        #expect(found.admissions.map(\.path) == wanted.admissions.map(\.path))
        #expect(found.settlements == wanted.settlements)
    }

    @Test func givesBackWhatItWasGivenAlsoAfterACrash() throws {
        var first: SpoolJournal? = try journal()
        for sequence in 1...3 { try first?.append(Self.batch(Int64(sequence))) }
        try Self.expect(first?.first(), is: Self.batch(1))
        try first?.removeFirst()
        first = nil
        let second = try journal()
        #expect(second.count == 2)
        for sequence in 2...3 {
            try Self.expect(second.first(), is: Self.batch(Int64(sequence)))
            try second.removeFirst()
        }
        #expect(try second.first() == nil && second.size == 0)
        second.remove()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    /// It was killed when the last batch was done with, between cutting the file and saying so in its head.
    @Test func takesAnEmptiedFileForEmptyWhateverItsHeadSays() throws {
        var first: SpoolJournal? = try journal()
        for sequence in 1...3 { try first?.append(Self.batch(Int64(sequence))) }
        try first?.removeFirst()
        first = nil
        try #require(truncate(path, 16) == 0)
        first = try journal()
        #expect(first?.isEmpty == true)
        try first?.append(Self.batch(7))
        first = nil
        try Self.expect(journal().first(), is: Self.batch(7))
    }

    /// With and without the attempts and the model, between which it stands.
    @Test(arguments: [nil, 0, 2, Int64.max] as [Int64?])
    func tellsWhenARequestWasSentFromOneThatWasNot(_ sent: Int64?) throws {
        let attempt = UpstreamAttempt(provider: "openai", upstream: nil, result: .status(200))
        for attempts in [[], [attempt]] as [[UpstreamAttempt]] {
            for model in [nil, "m"] as [String?] {
                let end = Settlement(
                    outcome: .completed, status: 200, settledAt: Timestamp(milliseconds: 5), durationMicroseconds: 7,
                    sentMicroseconds: sent, firstByteMicroseconds: nil, usage: nil, cost: NanoDollars(9), model: model,
                    attempts: attempts)
                #expect(try Self.readBack(end) == end)
            }
        }
    }

    private static func readBack(_ end: Settlement) throws -> Settlement? {
        let batch = LedgerBatch(
            instance: id(9), sequence: 1, now: Timestamp(milliseconds: 11), admissions: [],
            settlements: [RequestSettlement(of: Self.batch(1).admissions[0], end)])
        var decoder = SpoolDecoder(SpoolEncoder(batch).bytes)
        return try decoder.batch().settlements.first?.settlement
    }

    @Test(arguments: [nil, 0, Int64.max] as [Int64?])
    func tellsWhatPassed(_ bytes: Int64?) throws {
        for (request, response) in [(bytes, bytes), (bytes, nil), (nil, bytes)] {
            for sent in [nil, 2] as [Int64?] {
                let end = Settlement(
                    outcome: .completed, status: 200, settledAt: Timestamp(milliseconds: 5), durationMicroseconds: 7,
                    sentMicroseconds: sent, firstByteMicroseconds: nil, usage: nil, cost: NanoDollars(9), model: "m",
                    requestBytes: request, responseBytes: response)
                #expect(try Self.readBack(end) == end)
            }
        }
    }

    /// What a program wrote that knew nothing of it, byte for byte: a batch of one settlement.
    @Test func readsARecordFromBeforeItWasToldWhenARequestWasSent() throws {
        func words(_ numbers: [UInt64]) -> [UInt8] {
            var bytes: [UInt8] = []
            for number in numbers {
                for place in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * place))) }
            }
            return bytes
        }
        func text(_ text: String) -> [UInt8] { words([UInt64(text.utf8.count)]) + Array(text.utf8) }
        var record = words([9, ~9, 1, 11, 0, 1])
        record += words([1, ~1, 2, ~2, 3, ~3, 4, 0, 0, 0])
        record += text("completed")
        record += words([200, 5, 7])
        record += [1] + words([3])
        record += [0] + words([9])
        record += [1] + text("m")
        var decoder = SpoolDecoder(record)
        let found = try decoder.batch()
        let wanted = Settlement(
            outcome: .completed, status: 200, settledAt: Timestamp(milliseconds: 5), durationMicroseconds: 7,
            firstByteMicroseconds: 3, usage: nil, cost: NanoDollars(9), model: "m")
        #expect(found.settlements.map(\.settlement) == [wanted])
    }

    @Test func aRecordThatACrashCutShortIsNone() throws {
        var journal: SpoolJournal? = try journal()
        try journal?.append(Self.batch(1))
        let whole = try #require(journal?.size) + 16
        try journal?.append(Self.batch(2))
        journal = nil
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for count in 0..<bytes.count {
            try bytes.prefix(count).write(to: URL(fileURLWithPath: path))
            let cut = try self.journal()
            #expect(cut.count == (count < whole ? 0 : 1), "\(count) bytes")
            try cut.append(Self.batch(7))
            if count < whole { try Self.expect(cut.first(), is: Self.batch(7)) }
        }
    }

    /// The last record may have been cut short in any way; one with others behind it was whole once.
    @Test func aDamagedRecordIsNotPassedOver() throws {
        var journal: SpoolJournal? = try journal()
        for sequence in 1...2 { try journal?.append(Self.batch(Int64(sequence))) }
        journal = nil
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for (place, isLast) in [(bytes.count - 5, true), (60, false), (3, false)] {
            var harmed = bytes
            harmed[place] ^= 1
            try harmed.write(to: URL(fileURLWithPath: path))
            if isLast {
                #expect(try self.journal().count == 1)
            } else {
                let error = #expect(throws: SpoolError.self) { try self.journal() }
                #expect(error?.kind == .damaged)
                #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == harmed, "it was changed")
            }
        }
    }

    @Test func isOneProcessesAlone() throws {
        let journal = try journal()
        let error = #expect(throws: SpoolError.self) { try self.journal() }
        #expect(error?.kind == .inUse && journal.isEmpty)
    }

    @Test func keepsWithinItsBound() throws {
        let journal = try journal(limit: 1000)
        let error = #expect(throws: SpoolError.self) { while true { try journal.append(Self.batch(1)) } }
        #expect(error?.kind == .full && journal.count > 0 && journal.size <= 1000)
        while try journal.first() != nil { try journal.removeFirst() }
        try journal.append(Self.batch(2))
        try Self.expect(journal.first(), is: Self.batch(2))
    }
}
