import CPostgres

/// Hears a server that ends a session say so between two statements: its word comes before the end of the stream does.
/// Confined to the connection's thread.
final class PostgresFarewell {
    private(set) var wasSaid = false

    /// Listens until the connection is closed, which this must outlive. Notices of lesser weight are dropped.
    func listen(on handle: OpaquePointer) {
        PQsetNoticeReceiver(
            handle,
            { context, result in
                // Severity, never translated (manual, section 55.8).
                guard let context, let result, let severity = PQresultErrorField(result, Int32(UInt8(ascii: "V")))
                else { return }
                guard ["FATAL", "PANIC"].contains(String(cString: severity)) else { return }
                Unmanaged<PostgresFarewell>.fromOpaque(context).takeUnretainedValue().wasSaid = true
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}
