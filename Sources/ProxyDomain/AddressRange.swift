/// An address of the internet protocol, of either version, as 128 bits: one of version 4 is `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2).
public struct InternetAddress: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64

    private init(_ groups: [UInt16]) {
        high = groups[..<4].reduce(0) { $0 << 16 | UInt64($1) }
        low = groups[4...].reduce(0) { $0 << 16 | UInt64($1) }
    }

    /// Reads the text form, without port, brackets or zone. Gives `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        guard let groups = text.contains(":") ? Self.six(text) : Self.four(text).map({ [0, 0, 0, 0, 0, 0xFFFF] + $0 })
        else { return nil }
        self.init(groups)
    }

    public var isVersion4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// What one customer of a provider is commonly given: the address itself, or of version 6 its first 64 bits.
    public var neighbourhood: String { isVersion4 ? "\(low & 0xFFFF_FFFF)" : "\(high)/64" }

    private static func four(_ text: some StringProtocol) -> [UInt16]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
                let byte = UInt8(part)
            else { return nil }
            value = value << 8 | UInt32(byte)
        }
        return [UInt16(value >> 16), UInt16(value & 0xFFFF)]
    }

    private static func six(_ text: some StringProtocol) -> [UInt16]? {
        let halves = text.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
        guard halves.count <= 2, let front = groups(halves[0]) else { return nil }
        guard halves.count == 2 else { return front.count == 8 ? front : nil }
        guard let back = groups(halves[1]), front.count + back.count < 8 else { return nil }
        return front + Array(repeating: 0, count: 8 - front.count - back.count) + back
    }

    private static func groups(_ text: some StringProtocol) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        var groups: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (place, part) in parts.enumerated() {
            if part.contains("."), place == parts.count - 1, let four = four(part) {
                groups += four
            } else {
                guard (1...4).contains(part.utf8.count), let group = UInt16(part, radix: 16), !part.hasPrefix("+")
                else {
                    return nil
                }
                groups.append(group)
            }
        }
        return groups.count <= 8 ? groups : nil
    }
}

/// Addresses that begin alike (RFC 4632): `10.0.0.0/8`, `2001:db8::/32`, or one alone.
public struct AddressRange: Hashable, Sendable {
    private let first: InternetAddress
    /// Of 128.
    private let bits: Int

    /// Reads an address, with `/` and how many of its bits count or without. Gives `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = InternetAddress(parts[0]) else { return nil }
        let width = address.isVersion4 ? 32 : 128
        guard parts.count == 2 else {
            self.init(address, bits: 128)
            return
        }
        guard parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let length = Int(parts[1]), length <= width else {
            return nil
        }
        self.init(address, bits: 128 - width + length)
    }

    private init(_ first: InternetAddress, bits: Int) {
        self.first = first
        self.bits = bits
    }

    public func contains(_ address: InternetAddress) -> Bool {
        let high = bits >= 64 ? UInt64.max : ~(UInt64.max >> UInt64(bits))
        let low = bits <= 64 ? 0 : bits == 128 ? UInt64.max : ~(UInt64.max >> UInt64(bits - 64))
        return (address.high ^ first.high) & high == 0 && (address.low ^ first.low) & low == 0
    }
}

extension [AddressRange] {
    /// Whose request it is that came from `peer`: each of these proxies is believed who it had the request from, the last one first.
    /// - Parameter forwarded: the values of `X-Forwarded-For`, in order.
    /// - Returns: the first address from the end that none of the ranges holds; `peer` where it isn't trusted itself.
    public func client(behind peer: String, forwarded: [String]) -> String {
        guard !isEmpty, let address = InternetAddress(peer), contains(where: { $0.contains(address) }) else {
            return peer
        }
        var client = peer
        for entry in forwarded.joined(separator: ",").split(separator: ",").reversed() {
            let text = entry.filter { $0 != " " && $0 != "\t" }
            // What is no address says nothing, and nothing before it can be believed.
            guard let address = InternetAddress(text) else { return client }
            client = text
            guard contains(where: { $0.contains(address) }) else { return client }
        }
        return client
    }
}
