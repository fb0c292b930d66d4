import ArgumentParser
import ProxyManagement

/// A limit as it is typed: a number, or `none`.
struct LimitValue: ExpressibleByArgument {
    /// `null` for none.
    let json: JSONValue

    init?(argument: String) {
        if argument == "none" {
            json = .null
            return
        }
        guard let value = try? JSONReader.read(Array(argument.utf8)), case .number = value else { return nil }
        json = value
    }
}
