public import NIOCore

/// Takes out of an event stream what a provider adds when it is asked for usage (`stream_options.include_usage`): the event
/// that holds nothing else, and `"usage":null` in all others. What remains is what a client that didn't ask would have got.
///
/// An event is held until its end has come, up to ``largest`` bytes; a larger one passes as it is.
public struct UsageRemover: Sendable {
    /// Most bytes of one event that are held.
    public static let largest = 1 << 20

    private var scanner = EventScanner()
    private var held: [UInt8] = []
    /// Whether the present event has outgrown what is held.
    private var isLarge = false
    private var hasDropped = false
    /// Whether the event before ended with CR, whose LF may be yet to come.
    private var mayOweLineFeed = false

    public init() {}

    /// Reads on, and writes what may pass.
    public mutating func pass(_ bytes: UnsafeRawBufferPointer, into out: inout ByteBuffer) {
        var position = 0
        while let end = scanner.nextEnd(in: bytes, from: position) {
            hold(bytes[position..<end], &out)
            position = end
            eventEnded(&out)
        }
        hold(bytes[position...], &out)
        guard held.count > Self.largest || isLarge else { return }
        isLarge = true
        flush(&out)
    }

    /// The stream has ended: what is left of an event passes.
    public mutating func finish(into out: inout ByteBuffer) { flush(&out) }

    /// Adds to the present event. The rest of the line end of the one before goes where that went, at once: readers wait for it.
    private mutating func hold(_ bytes: Slice<UnsafeRawBufferPointer>, _ out: inout ByteBuffer) {
        var bytes = bytes
        if mayOweLineFeed, let first = bytes.first {
            mayOweLineFeed = false
            if first == .lineFeed {
                if !hasDropped { out.writeInteger(UInt8.lineFeed) }
                bytes = bytes.dropFirst()
            }
        }
        held.append(contentsOf: bytes)
    }

    private mutating func flush(_ out: inout ByteBuffer) {
        out.writeBytes(held)
        held.removeAll(keepingCapacity: true)
    }

    private mutating func eventEnded(_ out: inout ByteBuffer) {
        defer { isLarge = false }
        mayOweLineFeed = held.last == .carriageReturn
        guard !isLarge else {
            hasDropped = false
            return flush(&out)
        }
        hasDropped = held.withUnsafeBytes { event in
            switch Verdict(of: event) {
            case .pass: out.writeBytes(event)
            case .cut(let range):
                out.writeBytes(event[..<range.lowerBound])
                out.writeBytes(event[range.upperBound...])
            case .drop: return true
            }
            return false
        }
        held.removeAll(keepingCapacity: true)
    }
}

/// What becomes of an event.
private enum Verdict {
    case pass
    case cut(Range<Int>)
    case drop

    init(of event: UnsafeRawBufferPointer) {
        self = .pass
        guard let start = Self.dataStart(in: event) else { return }
        let data = UnsafeRawBufferPointer(rebasing: event[start...])
        var usage: (member: Range<Int>, value: Range<Int>)?
        var hasChoices = true
        var scan = JSONScan(data)
        let isWhole = scan.eachMember { key, value in
            if JSONScan.isKey(key, "usage", data) {
                usage = (key.lowerBound..<value.upperBound, value)
            } else if JSONScan.isKey(key, "choices", data) {
                hasChoices = value.contains { data.byte($0) == 0x7B }
            }
        }
        guard isWhole, let usage else { return }
        let isNull = data.isExactly("null", at: usage.value)
        if !isNull {
            // Beside a choice it is what some providers send unasked.
            self = hasChoices ? .pass : .drop
        } else {
            let member = Self.withComma(usage.member, in: data)
            self = .cut(start + member.lowerBound..<start + member.upperBound)
        }
    }

    /// Where the value of the first `data` field begins. JSON that goes on in a second one isn't whole on its line, and so passes.
    private static func dataStart(in event: UnsafeRawBufferPointer) -> Int? {
        var line = 0
        while line < event.count {
            if line + 5 <= event.count, event.isExactly("data:", at: line..<line + 5) { return line + 5 }
            guard let end = event[line...].firstIndex(where: { $0 == .lineFeed || $0 == .carriageReturn }) else {
                return nil
            }
            line = end + 1
        }
        return nil
    }

    /// A member with the comma that parts it from the one before, or else from the one after.
    private static func withComma(_ member: Range<Int>, in data: UnsafeRawBufferPointer) -> Range<Int> {
        let isSpace = { (byte: UInt8) in byte == .space || byte == .tab }
        var start = member.lowerBound
        while start > 0, isSpace(data.byte(start - 1)) { start -= 1 }
        if start > 0, data.byte(start - 1) == .comma { return start - 1..<member.upperBound }
        var end = member.upperBound
        while end < data.count, isSpace(data.byte(end)) { end += 1 }
        guard end < data.count, data.byte(end) == .comma else { return member }
        end += 1
        while end < data.count, isSpace(data.byte(end)) { end += 1 }
        return member.lowerBound..<end
    }
}
