import ArgumentParser
import ProxyManagement

/// What may be asked for, under a token or within a project.
struct AccessOptions: ParsableArguments {
    @Option(
        name: .customLong("allowed-model"),
        help: ArgumentHelp(
            "A model that may be asked for, with * for any text; may be given again.", valueName: "model"))
    var allowedModels: [String] = []

    @Flag(help: "Every model may be asked for.")
    var anyModel = false

    @Option(
        name: .customLong("allowed-path"),
        help: ArgumentHelp(
            "How paths begin that may be called, such as /v1/chat; may be given again.", valueName: "path"))
    var allowedPaths: [String] = []

    @Flag(help: "Every path may be called.")
    var anyPath = false

    func validate() throws {
        guard allowedModels.isEmpty || !anyModel else {
            throw ValidationError("--allowed-model and --any-model exclude each other.")
        }
        guard allowedPaths.isEmpty || !anyPath else {
            throw ValidationError("--allowed-path and --any-path exclude each other.")
        }
    }

    var members: [(String, JSONValue?)] {
        [
            ("allowed_models", anyModel || !allowedModels.isEmpty ? JSONValue.names(allowedModels) : nil),
            ("allowed_paths", anyPath || !allowedPaths.isEmpty ? JSONValue.names(allowedPaths) : nil),
        ]
    }
}
