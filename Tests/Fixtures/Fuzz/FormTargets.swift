import Glibc
import ProxyWire
import WireFixtures

extension FuzzTarget {
    /// What a load balancer writes: read alike however it is cut, and an address is one.
    static let proxyHeader = FuzzTarget(
        binary: "proxy-header",
        words: [
            "0d0a0d0a000d0a515549540a", "50524f585920", "5443503420", "5443503620", "554e4b4e4f574e", "0d0a", "20",
            "21", "20",
            "11", "0000", "000c", "0024", "0fff", "312e322e332e34", "2b31", "3a3a31", "3a3a", "363535333620",
            "7f000001", "2566", "00",
        ]
    ) { input, _ in
        let whole = Outcome(input[...])
        for end in 0...input.count {
            let part = Outcome(input[..<end])
            switch (part, whole) {
            case (.header, _), (.malformed, _):
                guard part == whole else { return "cut at \(end) it is \(part), else \(whole)" }
            case (.incomplete, .header(let header)):
                guard end < header.length else { return "cut at \(end) it is incomplete, else \(whole)" }
            case (.incomplete, _): break
            }
        }
        guard case .header(let header) = whole else { return nil }
        guard header.length <= input.count else { return "longer than what came: \(header.length)" }
        guard let address = header.address else { return nil }
        var room = in6_addr()
        guard [AF_INET, AF_INET6].contains(where: { inet_pton($0, address, &room) == 1 }), !address.utf8.contains(0)
        else {
            return "\(address.debugDescription) is no address"
        }
        return nil
    }

    private enum Outcome: Equatable {
        case incomplete
        case malformed
        case header(ProxyProtocolHeader)

        init(_ bytes: ArraySlice<UInt8>) {
            do {
                let found = try bytes.withUnsafeBytes { try ProxyProtocolHeader.read($0) }
                self = found.map { .header($0) } ?? .incomplete
            } catch {
                self = .malformed
            }
        }
    }

    /// Forms in parts: no reader, however lenient, finds a model in one that passes but those that may.
    static let multipart = FuzzTarget(
        "multipart",
        words: [
            "--B", "--B--", "\r\n--B\r\n", "\r\n--B--\r\n", "\r\n\r\n", "\n\n", "\r\n", "\n", "\r", " ", "\t", ";",
            "\"", "=", "\0",
            "Content-Disposition: form-data; name=\"model\"\r\n\r\ngpt-4o", "content-disposition:form-data;name=model",
            "name=\"model\"",
            "name=model", "NAME=model", "; filename=\"a\"", "filename*=", "name*=UTF-8''model", "model", "gpt-4o",
            "other", "[a]",
            "Content-Transfer-Encoding: base64\r\n", "Content-Type: text/plain; charset=utf-16\r\n",
        ]
    ) { input, _ in
        let rules = ParameterRules(["model": ["gpt-*"]])
        let type = Array("multipart/form-data; boundary=B".utf8)
        let violation = type.withUnsafeBytes { type in
            input.withUnsafeBytes { rules.violation(in: $0, contentType: type) }
        }
        guard violation == nil else { return nil }
        return LenientForm.models(in: input).first { !$0.starts(with: octets("gpt-")) }.map {
            "the model \(text($0).debugDescription) passes for gpt-*"
        }
    }
}

/// A reader of forms that takes a boundary wherever it stands, lines that end as they like, and fields that are named in any way.
private enum LenientForm {
    static func models(in form: [UInt8]) -> [[UInt8]] {
        split(form, at: octets("--B")).dropFirst().compactMap { part in
            let ends = [octets("\r\n\r\n"), octets("\n\n")].compactMap { mark in
                first(of: mark, in: part).map { (head: $0, content: $0 + mark.count) }
            }
            guard let end = ends.min(by: { $0.head < $1.head }) else { return nil }
            let isNamed = lines(of: part[..<end.head]).contains { line in
                text(line.prefix(19)).lowercased() == "content-disposition"
                    && line.split(separator: UInt8(ascii: ";")).contains { field in
                        let sides = field.split(separator: UInt8(ascii: "="), maxSplits: 1).map { trimmed($0) }
                        return sides.count == 2 && text(sides[0]).lowercased() == "name"
                            && sides[1].elementsEqual(octets("model"))
                    }
            }
            return isNamed ? Array(part[end.content...]) : nil
        }
    }

    /// With those that go on, by white space at their beginning, in one.
    private static func lines(of head: ArraySlice<UInt8>) -> [[UInt8]] {
        head.split { octets("\r\n").contains($0) }.reduce(into: []) { lines, line in
            if let first = line.first, octets(" \t").contains(first), !lines.isEmpty {
                lines[lines.count - 1] += line
            } else {
                lines.append(Array(line))
            }
        }
    }

    /// Without white space and quotes at either end.
    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isBlank = { (byte: UInt8) in octets(" \t\"").contains(byte) }
        var rest = bytes.drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        return rest
    }

    private static func split(_ bytes: [UInt8], at mark: [UInt8]) -> [[UInt8]] {
        var (parts, rest) = ([[UInt8]](), bytes)
        while let place = first(of: mark, in: rest) {
            parts.append(Array(rest[..<place]))
            rest = Array(rest[(place + mark.count)...])
        }
        return parts + [rest]
    }

    private static func first(of mark: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= mark.count else { return nil }
        return (0...(bytes.count - mark.count)).first { bytes[$0..<$0 + mark.count].elementsEqual(mark) }
    }
}
