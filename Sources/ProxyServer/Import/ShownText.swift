extension String {
    /// Fit for a line of a message: without control characters, and short.
    var shown: String {
        let cut = unicodeScalars.prefix(80).map { $0.value < 0x20 || $0.value == 0x7F ? "?" : Character($0) }
        return String(cut) + (unicodeScalars.count > 80 ? "…" : "")
    }
}
