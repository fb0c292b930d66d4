import NIOCore
package import ProxyHTTP2
package import ProxyWire

/// What a ``FrameReader`` makes of bytes that come in pieces, to be compared.
package struct FramesRead {
    package private(set) var frames: [PeerFrame] = []
    /// The field section of each `headers` among the frames.
    package private(set) var sections: [FieldSectionLines] = []
    package private(set) var fault: HTTP2ErrorCode?
    /// Bytes that are a part of a frame; 0 after a fault.
    package private(set) var left = 0
    /// The most bytes that ever waited for the rest of a frame.
    package private(set) var mostWaiting = 0

    package init(_ pieces: [ArraySlice<UInt8>], of peer: HTTP2Peer = .client, limits: WireLimits = WireLimits()) {
        var reader = FrameReader(of: peer, limits: limits)
        var buffer = ByteBuffer()
        do throws(HTTP2Fault) {
            for piece in pieces {
                buffer.writeBytes(piece)
                while let frame = try reader.next(from: &buffer) {
                    frames.append(frame)
                    if case .headers = frame { sections.append(reader.section) }
                }
                mostWaiting = max(mostWaiting, buffer.readableBytes)
            }
            left = buffer.readableBytes
        } catch {
            fault = error.code
        }
    }

    /// The lines of each section.
    package var lines: [[String]] { sections.map(\.texts) }
}

extension FramesRead: Equatable, CustomStringConvertible {
    /// How much waited depends on the pieces.
    package static func == (one: FramesRead, other: FramesRead) -> Bool {
        one.frames == other.frames && one.lines == other.lines && one.fault == other.fault && one.left == other.left
    }

    package var description: String {
        "\(frames) \(lines) \(fault.map { "\($0)" } ?? "no fault") left=\(left)"
    }
}

extension FieldSectionLines {
    /// Each line as `name: value`.
    package var texts: [String] { lines.map { text(bytes[$0.name]) + ": " + text(bytes[$0.value]) } }
}
