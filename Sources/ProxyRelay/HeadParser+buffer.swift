import NIOCore
import ProxyWire

extension ResponseHeadParser {
    /// The same as for bytes that are lent: a closure that is lent them can't throw what it throws.
    mutating func parse(
        _ buffer: ByteBuffer, answering method: RequestMethod, into head: inout ResponseHead
    ) throws(WireFault) -> Bool {
        let parsed: Result<Bool, WireFault> = buffer.withUnsafeReadableBytes { bytes in
            do throws(WireFault) { return .success(try parse(bytes, answering: method, into: &head)) } catch {
                return .failure(error)
            }
        }
        return try parsed.get()
    }
}

extension RequestHeadParser {
    /// The same as for bytes that are lent.
    mutating func parse(_ buffer: ByteBuffer, into head: inout RequestHead) throws(WireFault) -> Bool {
        let parsed: Result<Bool, WireFault> = buffer.withUnsafeReadableBytes { bytes in
            do throws(WireFault) { return .success(try parse(bytes, into: &head)) } catch { return .failure(error) }
        }
        return try parsed.get()
    }
}
