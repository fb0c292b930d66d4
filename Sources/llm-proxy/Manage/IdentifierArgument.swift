import ArgumentParser
import ProxyDomain

/// The thing that a subcommand is about.
struct IdentifierArgument: ParsableArguments {
    @Argument(help: "Its id, 36 characters.")
    var id: String

    func validate() throws { try Self.check(id, "The id") }

    /// Refuses what is no identifier, without repeating it: it may be a secret that went to the wrong place.
    static func check(_ text: String?, _ name: String) throws {
        guard let text, Identifier(text) == nil else { return }
        throw ValidationError("\(name) must be an identifier of 36 characters, as lists have them.")
    }
}
