package import ProxyWire

/// What a parser made of some bytes, as text that tests compare.
package enum Reading: Equatable, CustomStringConvertible {
    case complete(String, length: Int)
    case unfinished
    case refused(WireFault)

    package var description: String {
        switch self {
        case .complete(let summary, let length): "\(summary) length=\(length)"
        case .unfinished: "unfinished"
        case .refused(let fault): "refused: \(fault)"
        }
    }

    package var fault: WireFault? {
        if case .refused(let fault) = self { fault } else { nil }
    }
}

/// Reads a request head from ever longer prefixes: those that end at `cuts`, then the whole.
package func readRequest(
    _ bytes: [UInt8], cuts: [Int] = [], limits: WireLimits = WireLimits(), guarded: GuardedBytes? = nil
) -> Reading {
    let memory = guarded ?? GuardedBytes(capacity: bytes.count)
    var parser = RequestHeadParser(limits: limits)
    var head = RequestHead()
    for end in cuts + [bytes.count] {
        do throws(WireFault) {
            let done: String? = try memory.with(bytes[..<end]) { seen throws(WireFault) in
                try parser.parse(seen, into: &head) ? summary(of: head, seen) : nil
            }
            if let done { return .complete(done, length: head.length) }
        } catch {
            return .refused(error)
        }
    }
    return .unfinished
}

/// The same for a response.
package func readResponse(
    _ bytes: [UInt8], answering method: RequestMethod, cuts: [Int] = [], limits: WireLimits = WireLimits(),
    guarded: GuardedBytes? = nil
) -> Reading {
    let memory = guarded ?? GuardedBytes(capacity: bytes.count)
    var parser = ResponseHeadParser(limits: limits)
    var head = ResponseHead()
    for end in cuts + [bytes.count] {
        do throws(WireFault) {
            let done: String? = try memory.with(bytes[..<end]) { seen throws(WireFault) in
                try parser.parse(seen, answering: method, into: &head) ? summary(of: head, seen) : nil
            }
            if let done { return .complete(done, length: head.length) }
        } catch {
            return .refused(error)
        }
    }
    return .unfinished
}

/// Reads a chunked body in pieces: its payload, or `nil` for what is left, and the fault if there is one.
package func readChunks(
    _ pieces: [ArraySlice<UInt8>], limits: WireLimits = WireLimits(), guarded: GuardedBytes
) -> (payload: [UInt8], reading: Reading) {
    var scanner = ChunkScanner(limits: limits)
    var payload: [UInt8] = []
    var consumed = 0
    for piece in pieces {
        do throws(WireFault) {
            consumed += try guarded.with(piece) { bytes throws(WireFault) in
                try scanner.scan(bytes) { payload += bytes[$0] }
            }
        } catch {
            return (payload, .refused(error))
        }
        if scanner.isComplete { break }
    }
    precondition(scanner.payloadBytes == payload.count)
    return (payload, scanner.isComplete ? .complete("chunks", length: consumed) : .unfinished)
}

private func summary(of head: RequestHead, _ bytes: UnsafeRawBufferPointer) -> String {
    let query = head.queryRange.map { "?" + text(bytes[$0]) } ?? ""
    let flags = [
        head.keepsAlive ? "keeps" : "closes", head.expectsContinue ? "expects" : nil,
        head.wantsUpgrade ? "upgrades" : nil,
    ]
    return
        ([
            text(bytes[head.methodRange]), "\(head.method)", text(bytes[head.targetRange]),
            text(bytes[head.pathRange]) + query, "1.\(head.minorVersion)", "\(head.framing)",
        ] + flags.compactMap { $0 } + fieldTexts(head.fields, bytes)).joined(separator: " ")
}

private func summary(of head: ResponseHead, _ bytes: UnsafeRawBufferPointer) -> String {
    let flags = [head.keepsAlive ? "keeps" : "closes", head.isInterim ? "interim" : nil]
    return
        (["\(head.status)", "(\(text(bytes[head.reasonRange])))", "1.\(head.minorVersion)", "\(head.framing)"]
        + flags.compactMap { $0 } + fieldTexts(head.fields, bytes)).joined(separator: " ")
}

private func fieldTexts(_ fields: [FieldLine], _ bytes: UnsafeRawBufferPointer) -> [String] {
    fields.map { "\($0.kind)[\(text(bytes[$0.nameRange]))=\(text(bytes[$0.valueRange]))]" }
}
