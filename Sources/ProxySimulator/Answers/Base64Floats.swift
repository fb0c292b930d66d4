import FoundationEssentials

extension [Float] {
    /// As OpenAI sends vectors for `encoding_format: base64`: 32-bit floats, little-endian, in base64.
    var base64LittleEndian: String {
        var data = Data(capacity: count * 4)
        for number in self {
            Swift.withUnsafeBytes(of: number.bitPattern.littleEndian) { data.append(contentsOf: $0) }
        }
        return data.base64EncodedString()
    }
}
