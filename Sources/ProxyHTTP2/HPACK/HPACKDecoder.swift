/// Unpacks the field sections of one direction of one connection, in their order (RFC 7541). Not for several threads at
/// once.
///
/// It judges the packing alone: a name may be empty, have capitals or bytes that no name may have, and pseudo-header
/// fields may be anywhere (RFC 9113 section 8.2 is for whoever reads the lines).
public struct HPACKDecoder: Sendable {
    private let tableBytes: Int
    private let mostBytes: Int
    private let mostLines: Int
    private var table: HPACKDynamicTable

    /// What a table is limited to before either side has said anything (RFC 9113 section 6.5.2).
    private static let initialTableBytes = 4096

    /// - Parameters:
    ///   - tableBytes: the table size that our SETTINGS_HEADER_TABLE_SIZE allows, 4,096 without one. A sender uses more than
    ///     4,096 only after it has said so; it may use up to 4,096 until it has read a smaller setting.
    ///   - mostBytes: the limit of an unpacked section, counted as RFC 9113 section 6.5.2 does. Below 2³².
    ///   - mostLines: the most lines of a section.
    public init(tableBytes: Int = 4096, mostBytes: Int, mostLines: Int) {
        precondition(tableBytes >= 0 && tableBytes < 1 << 30, "no size of a table: \(tableBytes)")
        precondition(mostBytes >= 0 && mostBytes < 1 << 32 && mostLines >= 0, "no limits: \(mostBytes), \(mostLines)")
        self.tableBytes = tableBytes
        self.mostBytes = mostBytes
        self.mostLines = mostLines
        table = HPACKDynamicTable(limit: min(tableBytes, Self.initialTableBytes))
    }

    /// Unpacks the next section.
    /// - Parameters:
    ///   - block: all of its fragments, joined (RFC 9113 section 4.3). Only needed during the call.
    ///   - section: is emptied first, and holds the lines afterwards. It is empty when this throws.
    /// - Throws: `HPACKFault`, after which this decoder is of no more use.
    public mutating func decode(
        _ block: UnsafeRawBufferPointer, into section: inout FieldSectionLines
    ) throws(HPACKFault) {
        section.empty(mostBytes: mostBytes, mostLines: mostLines)
        guard !block.isEmpty else { return }
        var reader = HPACKReader(block)
        do throws(HPACKFault) {
            try readSizeUpdates(&reader)
            while !reader.isAtEnd { try readLine(&reader, into: &section) }
        } catch {
            section.empty(mostBytes: mostBytes, mostLines: mostLines)
            throw error
        }
    }

    /// Changes of the table's size: at the beginning of a block only, two of them at most (RFC 7541 sections 4.2 and
    /// 6.3).
    private mutating func readSizeUpdates(_ reader: inout HPACKReader) throws(HPACKFault) {
        for _ in 0..<2 where !reader.isAtEnd && reader.next & 0xE0 == 0x20 {
            let size = try reader.integer(prefix: 5)
            guard size <= tableBytes else { throw .malformed }
            table.resize(to: size)
        }
    }

    @inline(__always)
    private mutating func readLine(
        _ reader: inout HPACKReader, into section: inout FieldSectionLines
    ) throws(HPACKFault) {
        switch reader.next {
        case 0x80...: try readIndexed(&reader, into: &section)
        case 0x40...: try readLiteral(&reader, prefix: 6, isRemembered: true, into: &section)
        // A change of the table's size, and this isn't the beginning.
        case 0x20...: throw .malformed
        // Not remembered, be it for now or never.
        default: try readLiteral(&reader, prefix: 4, isRemembered: false, into: &section)
        }
    }

    /// Both name and value from a table (RFC 7541 section 6.1).
    private mutating func readIndexed(
        _ reader: inout HPACKReader, into section: inout FieldSectionLines
    ) throws(HPACKFault) {
        let start = try section.beginLine()
        let entry = try append(try reader.integer(prefix: 7), isWhole: true, to: &section)
        section.endLine(from: start, nameEnd: start &+ entry.name.count, staticIndex: entry.staticIndex)
    }

    /// A value, and a name that is in a table or a string too (RFC 7541 section 6.2).
    private mutating func readLiteral(
        _ reader: inout HPACKReader, prefix: Int, isRemembered: Bool, into section: inout FieldSectionLines
    ) throws(HPACKFault) {
        let start = try section.beginLine()
        let index = try reader.integer(prefix: prefix)
        var staticIndex: UInt8 = 0
        if index > 0 {
            staticIndex = try append(index, isWhole: false, to: &section).staticIndex
        } else {
            try append(try reader.string(), to: &section)
        }
        let nameEnd = section.bytes.count
        try append(try reader.string(), to: &section)
        section.endLine(from: start, nameEnd: nameEnd, staticIndex: staticIndex)
        guard isRemembered else { return }
        section.bytes.withUnsafeBytes { bytes in
            let line = bytes.piece(at: start, bytes.count - start)
            table.add(line, nameCount: nameEnd - start, staticIndex: staticIndex)
        }
    }

    @inline(__always)
    private func append(_ string: HPACKReader.Piece, to section: inout FieldSectionLines) throws(HPACKFault) {
        if string.isHuffman {
            try section.append(huffman: string.bytes)
        } else {
            try section.append(string.bytes)
        }
    }

    /// Appends what both tables, one behind the other (RFC 7541 section 2.3.3), have at `index`: all of it, or its
    /// name.
    @inline(__always)
    private func append(
        _ index: Int, isWhole: Bool, to section: inout FieldSectionLines
    ) throws(HPACKFault) -> FieldSectionLines.Line {
        if index <= HPACKStaticTable.count {
            guard index > 0 else { throw .malformed }
            let known = HPACKStaticTable.shared
            let entry = known.lines[index &- 1]
            try section.append(entry, of: known.bytes, isWhole: isWhole)
            return entry
        }
        guard let entry = table.entry(index &- HPACKStaticTable.count) else { throw .malformed }
        try section.append(entry, of: table.bytes, isWhole: isWhole)
        return entry
    }
}

extension FieldSectionLines {
    /// Appends an entry of a table, or its name.
    @inline(__always)
    fileprivate mutating func append(_ entry: Line, of table: [UInt8], isWhole: Bool) throws(HPACKFault) {
        let end = isWhole ? entry.value.upperBound : entry.name.upperBound
        let start = entry.name.lowerBound
        try table.withUnsafeBufferPointer { (bytes) throws(HPACKFault) in
            try append(UnsafeRawBufferPointer(bytes).piece(at: start, end &- start))
        }
    }
}
