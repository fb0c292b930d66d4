import ArgumentParser

/// How much of a list is printed.
struct PageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Most things to print; otherwise all, on however many pages.", valueName: "count"))
    var limit: Int?

    func validate() throws {
        guard limit.map({ $0 >= 1 }) ?? true else { throw ValidationError("--limit must be at least 1.") }
    }
}
