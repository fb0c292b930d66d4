import ArgumentParser

/// From which end a list is printed.
struct OrderOptions: ParsableArguments {
    private enum Direction: String, CaseIterable {
        case ascending = "asc"
        case descending = "desc"
    }

    @Option(
        help: ArgumentHelp("asc, or desc for the last ones first; otherwise asc.", valueName: "direction"),
        completion: .words(of: Direction.self))
    var order: String?

    func validate() throws { try ArgumentCheck.choice(order, "--order", of: Direction.self) }
}
