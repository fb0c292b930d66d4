package import NIOHTTP1
package import ProxyWire

/// What our parser and swift-nio's make of the same bytes, side by side.
package enum Differential {
    package enum Verdict: Equatable {
        case alike
        case known(KnownDifference)
        case differs(String)
    }

    /// What separates two readings of the same bytes, if it isn't that we are the stricter.
    package static func compare(_ ours: Exchange, _ theirs: Exchange, isToHead: Bool) -> Verdict {
        for (index, mine) in ours.messages.enumerated() {
            let other = theirs.messages.indices.contains(index) ? theirs.messages[index] : nil
            if index > 0, let known = KnownDifference.after(ours.messages[index - 1]) { return .known(known) }
            if mine == other { continue }
            if let known = KnownDifference.between(mine, other, refusal: theirs.refusal, isToHead: isToHead) {
                return .known(known)
            }
            let reading = other.map(\.description) ?? theirs.refusal ?? "unfinished"
            return .differs("ours: \(mine)\ntheirs: \(reading)")
        }
        if ours.refusal != nil || ours.isOver { return .alike }
        if theirs.messages.count > ours.messages.count {
            return .differs("we wait, they are done: \(theirs.messages[ours.messages.count])")
        }
        guard let refusal = theirs.refusal, ours.hasBegun, !theirs.hasBegun else { return .alike }
        if let known = KnownDifference.between(nil, nil, refusal: refusal, isToHead: isToHead) { return .known(known) }
        return .differs("only we accept the head, theirs: \(refusal)")
    }

    /// Whether chunked bodies that come byte by byte are read as if they came at once.
    package static func readsCutBodiesAlike(_ bytes: [UInt8], answering method: RequestMethod?) -> Bool {
        var (whole, cut) = (OurReader(bytes), OurReader(bytes, cutsBodies: true))
        guard let method else { return whole.requests() == cut.requests() }
        return whole.responses(to: method) == cut.responses(to: method)
    }

    package static func compareRequests(_ bytes: [UInt8]) -> (Verdict, accepted: Int) {
        var reader = OurReader(bytes)
        let ours = reader.requests()
        return (compare(ours, NIOReader.requests(bytes), isToHead: false), ours.messages.count)
    }

    package static func compareResponses(
        _ bytes: [UInt8], to method: RequestMethod, _ theirMethod: HTTPMethod
    ) -> (Verdict, accepted: Int) {
        var reader = OurReader(bytes)
        let ours = reader.responses(to: method)
        let theirs = NIOReader.responses(bytes, to: theirMethod)
        return (compare(ours, theirs, isToHead: method == .head), ours.messages.count)
    }
}
