import ProxyDomain

/// `Date` of our own answers, as IMF-fixdate (RFC 9110 section 5.6.7).
enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    static func text(_ instant: Timestamp) -> String {
        let iso = Array(instant.text)
        let sinceEpoch = instant.milliseconds / 86_400_000
        let month = Int(String(iso[5...6])) ?? 1
        return "\(days[Int(((sinceEpoch % 7) + 7) % 7)]), \(String(iso[8...9])) \(months[month - 1]) "
            + "\(String(iso[0...3])) \(String(iso[11...18])) GMT"
    }
}
