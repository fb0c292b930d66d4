import ProxyHTTP2
import WireFixtures

/// The lines as they are, whatever the case of their names: each spelled out and not remembered (RFC 7541 section 6.2.2).
func section(_ lines: [(name: String, value: String)]) throws -> FieldSectionLines {
    var decoder = OurHPACKDecoder()
    _ = try decoder.read(lines.flatMap { [0] + string($0.name) + string($0.value) })
    return decoder.section
}

private func string(_ text: String) -> [UInt8] {
    let bytes = octets(text)
    precondition(bytes.count < 127)
    return [UInt8(bytes.count)] + bytes
}
