public import NIOCore
public import ProxyWire

/// Takes one side of a connection apart into frames, however its bytes come (RFC 9113 sections 3.4, 4 and 6).
///
/// Everything that it keeps is bounded: a frame by its largest size, a field section by `limits`, the packed and the unpacked one,
/// and by the number of its frames.
public struct FrameReader: Sendable {
    /// The lines of the last field section.
    public private(set) var section = FieldSectionLines()
    private var decoder: HPACKDecoder
    private let peer: HTTP2Peer
    private var awaits: Expectation
    private var unfinished: UnfinishedSection?
    private let mostBlockBytes: Int

    private enum Expectation {
        case preface
        case settings
        case frames
    }

    /// A field section whose frames have not all come. No other frame may come in between (section 6.10).
    private struct UnfinishedSection {
        let stream: UInt32
        let endsStream: Bool
        var block: ByteBuffer
        var frames = 1
    }

    /// Frames of one field section. Sound clients fill them.
    private static let mostSectionFrames = 64

    /// - Parameters:
    ///   - peer: whose side it is.
    ///   - limits: a head beyond them is refused by whoever reads it as HTTP/1.1 has it; here twice as much ends the connection.
    public init(of peer: HTTP2Peer, limits: WireLimits) {
        self.peer = peer
        awaits = peer == .client ? .preface : .settings
        mostBlockBytes = 2 * limits.maxHeadBytes
        decoder = HPACKDecoder(mostBytes: 2 * limits.maxHeadBytes, mostLines: 2 * limits.maxFields + 8)
    }

    /// Takes the next frame from `buffer`. `nil` when it isn't all there.
    /// - Throws: what ends the connection; nothing more can be read then.
    public mutating func next(from buffer: inout ByteBuffer) throws(HTTP2Fault) -> PeerFrame? {
        if awaits == .preface, try !takePreface(&buffer) { return nil }
        while let header = FrameHeader(buffer) {
            guard header.payloadLength <= FrameHeader.mostPayload else { throw HTTP2Fault(.frameSizeError) }
            guard buffer.readableBytes >= FrameHeader.length + header.payloadLength else { return nil }
            buffer.moveReaderIndex(forwardBy: FrameHeader.length)
            guard let payload = buffer.readSlice(length: header.payloadLength) else { return nil }
            if let frame = try frame(header, payload) { return frame }
        }
        return nil
    }

    private mutating func takePreface(_ buffer: inout ByteBuffer) throws(HTTP2Fault) -> Bool {
        switch HTTP2Preface(buffer, length: HTTP2Preface.length) {
        case .none: throw HTTP2Fault(.protocolError)
        case .part: return false
        case .whole: buffer.moveReaderIndex(forwardBy: HTTP2Preface.length)
        }
        awaits = .settings
        return true
    }

    /// - Returns: `nil` for a part of something.
    private mutating func frame(_ header: FrameHeader, _ payload: ByteBuffer) throws(HTTP2Fault) -> PeerFrame? {
        let kind = FrameHeader.Kind(rawValue: header.kind)
        if awaits == .settings {
            guard kind == .settings, !header.has(FrameHeader.Flag.acknowledged) else {
                throw HTTP2Fault(.protocolError)
            }
            awaits = .frames
        }
        guard unfinished == nil || kind == .continuation else { throw HTTP2Fault(.protocolError) }
        switch kind {
        case .data: return try data(header, payload)
        case .headers: return try headers(header, payload)
        case .continuation: return try continuation(header, payload)
        case .priority:
            guard header.stream > 0 else { throw HTTP2Fault(.protocolError) }
            return payload.readableBytes == 5 ? .ignored : .broken(stream: header.stream, .frameSizeError)
        case .reset:
            try Self.expect(header, payload, length: 4)
            guard header.stream > 0 else { throw HTTP2Fault(.protocolError) }
            let code = payload.getInteger(at: payload.readerIndex, as: UInt32.self)
            return .reset(stream: header.stream, wasRefused: code == HTTP2ErrorCode.refusedStream.rawValue)
        case .settings: return try settings(header, payload)
        case .pushPromise: throw HTTP2Fault(.protocolError)
        case .ping:
            try Self.expect(header, payload, length: 8)
            guard header.stream == 0 else { throw HTTP2Fault(.protocolError) }
            let told = payload.getInteger(at: payload.readerIndex, as: UInt64.self) ?? 0
            return header.has(FrameHeader.Flag.acknowledged) ? .pingAnswered : .ping(told)
        case .goAway:
            guard header.stream == 0 else { throw HTTP2Fault(.protocolError) }
            guard payload.readableBytes >= 8 else { throw HTTP2Fault(.frameSizeError) }
            let last = payload.getInteger(at: payload.readerIndex, as: UInt32.self) ?? 0
            return .goAway(lastStream: last & 0x7FFF_FFFF)
        case .windowUpdate: return try windowUpdate(header, payload)
        case nil: return .ignored
        }
    }

    private static func expect(_ header: FrameHeader, _ payload: ByteBuffer, length: Int) throws(HTTP2Fault) {
        guard payload.readableBytes == length else { throw HTTP2Fault(.frameSizeError) }
    }

    private func settings(_ header: FrameHeader, _ payload: ByteBuffer) throws(HTTP2Fault) -> PeerFrame {
        guard header.stream == 0 else { throw HTTP2Fault(.protocolError) }
        guard header.has(FrameHeader.Flag.acknowledged) else {
            return .settings(try PeerSettings(payload.readableBytesView, of: peer))
        }
        try Self.expect(header, payload, length: 0)
        return .settingsAcknowledged
    }

    private func windowUpdate(_ header: FrameHeader, _ payload: ByteBuffer) throws(HTTP2Fault) -> PeerFrame {
        try Self.expect(header, payload, length: 4)
        let increment = (payload.getInteger(at: payload.readerIndex, as: UInt32.self) ?? 0) & 0x7FFF_FFFF
        guard increment == 0 else { return .windowUpdate(stream: header.stream, increment: Int(increment)) }
        guard header.stream > 0 else { throw HTTP2Fault(.protocolError) }
        return .broken(stream: header.stream, .protocolError)
    }

    private func data(_ header: FrameHeader, _ payload: ByteBuffer) throws(HTTP2Fault) -> PeerFrame {
        guard header.stream > 0 else { throw HTTP2Fault(.protocolError) }
        return .data(
            stream: header.stream, try Self.withoutPadding(header, payload), length: header.payloadLength,
            endsStream: header.has(FrameHeader.Flag.endStream))
    }

    private static func withoutPadding(_ header: FrameHeader, _ payload: ByteBuffer) throws(HTTP2Fault) -> ByteBuffer {
        guard header.has(FrameHeader.Flag.padded) else { return payload }
        var content = payload
        // Too short for what it must hold (section 4.2).
        guard let padding = content.readInteger(as: UInt8.self) else { throw HTTP2Fault(.frameSizeError) }
        guard Int(padding) <= content.readableBytes else { throw HTTP2Fault(.protocolError) }
        content.moveWriterIndex(to: content.writerIndex - Int(padding))
        return content
    }

    // MARK: Field sections

    private mutating func headers(_ header: FrameHeader, _ payload: ByteBuffer) throws(HTTP2Fault) -> PeerFrame? {
        guard header.stream > 0 else { throw HTTP2Fault(.protocolError) }
        var block = try Self.withoutPadding(header, payload)
        if header.has(FrameHeader.Flag.priority) {
            // Whose priority it is, and which: both of no use here (section 5.3.2).
            guard block.readableBytes >= 5 else { throw HTTP2Fault(.frameSizeError) }
            block.moveReaderIndex(forwardBy: 5)
        }
        let endsStream = header.has(FrameHeader.Flag.endStream)
        guard header.has(FrameHeader.Flag.endHeaders) else {
            unfinished = UnfinishedSection(stream: header.stream, endsStream: endsStream, block: block)
            return nil
        }
        return try unpack(block, of: header.stream, endsStream)
    }

    private mutating func continuation(_ header: FrameHeader, _ payload: ByteBuffer) throws(HTTP2Fault) -> PeerFrame? {
        guard var whole = unfinished, whole.stream == header.stream else { throw HTTP2Fault(.protocolError) }
        unfinished = nil
        whole.frames += 1
        whole.block.writeImmutableBuffer(payload)
        guard whole.frames <= Self.mostSectionFrames, whole.block.readableBytes <= mostBlockBytes else {
            throw HTTP2Fault(.enhanceYourCalm)
        }
        guard header.has(FrameHeader.Flag.endHeaders) else {
            unfinished = whole
            return nil
        }
        return try unpack(whole.block, of: whole.stream, whole.endsStream)
    }

    private mutating func unpack(
        _ block: ByteBuffer, of stream: UInt32, _ endsStream: Bool
    ) throws(HTTP2Fault) -> PeerFrame {
        let fault: HPACKFault? = block.withUnsafeReadableBytes { bytes in
            do throws(HPACKFault) {
                try decoder.decode(bytes, into: &section)
                return nil
            } catch {
                return error
            }
        }
        switch fault {
        case .malformed: throw HTTP2Fault(.compressionError)
        case .tooLarge: throw HTTP2Fault(.enhanceYourCalm)
        case nil: return .headers(stream: stream, endsStream: endsStream)
        }
    }
}
