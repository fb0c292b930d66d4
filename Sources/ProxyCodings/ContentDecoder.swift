import CBrotli
import CZlib

/// Unpacks a body as it passes, piece by piece, however it is cut. For one body; holds one window and one buffer.
///
/// Not to be shared between threads.
public final class ContentDecoder {
    private enum State {
        case zlib(UnsafeMutablePointer<z_stream>)
        case brotli(OpaquePointer)
        case ended
    }

    private var state: State
    private let mayRepeat: Bool
    private let buffer: UnsafeMutableRawBufferPointer
    /// Unpacked bytes that may still come.
    private var left: Int

    /// - Parameter limit: unpacked bytes after which it reads no further: what is packed small may be boundless.
    public init(_ coding: ContentCoding, limit: Int = 256 << 20) {
        buffer = .allocate(byteCount: 16 << 10, alignment: 1)
        left = limit
        mayRepeat = coding == .gzip
        switch coding {
        case .gzip: state = Self.zlib(windowBits: MAX_WBITS + 16)
        case .deflate: state = Self.zlib(windowBits: MAX_WBITS)
        case .brotli: state = BrotliDecoderCreateInstance(nil, nil, nil).map { .brotli($0) } ?? .ended
        }
    }

    deinit {
        end()
        buffer.deallocate()
    }

    /// Lends `body` what the next packed bytes unpack to. Nothing more, once they are broken, ended, or too many.
    public func decode(_ packed: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        switch state {
        case .zlib(let stream): inflate(packed, stream, body)
        case .brotli(let decoder): decompress(packed, decoder, body)
        case .ended: break
        }
    }

    /// The stream's address must not change: zlib's own state points back to it.
    private static func zlib(windowBits: Int32) -> State {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard inflateInit2_(stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            stream.deallocate()
            return .ended
        }
        return .zlib(stream)
    }

    private func inflate(
        _ packed: UnsafeRawBufferPointer, _ stream: UnsafeMutablePointer<z_stream>,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        let output = buffer.assumingMemoryBound(to: UInt8.self)
        packed.withMemoryRebound(to: UInt8.self) { input in
            // zlib's own declaration lacks a const that it keeps.
            stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.pointee.avail_in = UInt32(input.count)
            while true {
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = UInt32(output.count)
                let code = CZlib.inflate(stream, Z_NO_FLUSH)
                let hasFilled = stream.pointee.avail_out == 0
                guard code == Z_OK || code == Z_STREAM_END, give(output.count - Int(stream.pointee.avail_out), body)
                else {
                    // Z_BUF_ERROR: it asks for more input, or for nothing.
                    return code == Z_BUF_ERROR ? () : end()
                }
                if code == Z_STREAM_END {
                    // Members of gzip may follow one another (RFC 1952 section 2.2).
                    guard mayRepeat, inflateReset(stream) == Z_OK else { return end() }
                }
                if stream.pointee.avail_in == 0, !hasFilled || code == Z_STREAM_END { return }
            }
        }
    }

    private func decompress(
        _ packed: UnsafeRawBufferPointer, _ decoder: OpaquePointer, _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        let output = buffer.assumingMemoryBound(to: UInt8.self)
        packed.withMemoryRebound(to: UInt8.self) { input in
            var next = input.baseAddress
            var available = input.count
            while true {
                var nextOut = output.baseAddress
                var room = output.count
                let result = BrotliDecoderDecompressStream(decoder, &available, &next, &room, &nextOut, nil)
                guard give(output.count - room, body) else { return end() }
                switch result {
                case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: continue
                case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT: return
                default: return end()
                }
            }
        }
    }

    /// - Returns: whether more may come.
    private func give(_ count: Int, _ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
        left -= count
        guard left >= 0 else { return false }
        if count > 0 { body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
        return true
    }

    private func end() {
        switch state {
        case .zlib(let stream):
            inflateEnd(stream)
            stream.deallocate()
        case .brotli(let decoder): BrotliDecoderDestroyInstance(decoder)
        case .ended: break
        }
        state = .ended
    }
}
