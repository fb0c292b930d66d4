import ArgumentParser

/// Who calls the management API, for how long, and what is printed.
struct CallOptions: ParsableArguments {
    /// Where a server that had to make its token puts it, seen from the folder that it was started in.
    private static let usualFile = "./data/management-token"

    @Option(
        help: ArgumentHelp(
            "Management token; - for a line of standard input. (MANAGEMENT_TOKEN, or else ./data/management-token)",
            valueName: "token"))
    var managementToken: String?

    @Option(
        help: ArgumentHelp("A file whose first line is the management token.", valueName: "path"),
        completion: .file())
    var managementTokenFile: String?

    @Flag(help: "Print what the API answers, as JSON.")
    var json = false

    @Option(help: ArgumentHelp("Seconds that a call may take.", valueName: "seconds"))
    var timeout = 10.0

    func validate() throws {
        guard (0.1...3600).contains(timeout) else { throw ValidationError("--timeout must be 0.1…3600.") }
    }

    /// The management token: typed, or else from the environment, or else from the usual file.
    func token(_ variables: [String: String]) throws(ManageError) -> String {
        let option = "--management-token"
        if let given = try SecretText.read(managementToken, file: managementTokenFile, option: option) { return given }
        if let set = variables["MANAGEMENT_TOKEN"], !set.isEmpty {
            return try SecretText.checked(set, from: "MANAGEMENT_TOKEN")
        }
        if let kept = try SecretText.firstLine(of: Self.usualFile) {
            return try SecretText.checked(kept, from: Self.usualFile)
        }
        throw .usage(
            "no management token: set MANAGEMENT_TOKEN, give --management-token or --management-token-file, or run in "
                + "the folder of the server, where \(Self.usualFile) is")
    }
}
