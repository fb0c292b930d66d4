import ArgumentParser
import Glibc
import ProxyManagement

/// `llm-proxy openai`: what clients of a proxy do, from the command line.
struct OpenAICommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "openai", abstract: "Use an OpenAI-style API through a proxy.",
        discussion: "Example:\n  OPENAI_API_KEY=sk-… llm-proxy openai chat 'Why is the sky blue?'",
        subcommands: [Chat.self])

    /// `llm-proxy openai chat`: a line and its answer.
    struct Chat: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Chat with a model, line by line, and see its answers as they come.",
            discussion: """
                With a prompt one answer is given. Without one each line of standard input is a turn of a conversation,
                until it ends.

                Example:
                  OPENAI_API_KEY=sk-… llm-proxy openai chat 'Why is the sky blue?'
                  llm-proxy openai chat --url https://proxy.example --token sk-… --model gpt-4o --system 'Be brief.'

                Exit codes: 0 answered, 1 failed, 2 usage, 3 can't reach, 4 refused.
                """)

        private static let path = "/v1/chat/completions"

        @Argument(help: "What to say; without it, lines of standard input.")
        var prompt: String?

        @Option(
            help: ArgumentHelp(
                "The proxy: http(s)://host[:port]; otherwise http://localhost:8080. (LLM_PROXY_URL)", valueName: "url"))
        var url: String?

        @Option(help: ArgumentHelp("A token of the proxy. (OPENAI_API_KEY)", valueName: "token"))
        var token: String?

        @Option(help: "The model.")
        var model = "gpt-4o-mini"

        @Option(help: ArgumentHelp("What the model is told before everything else.", valueName: "text"))
        var system: String?

        @Option(help: ArgumentHelp("Seconds without a sign of life after which it is given up.", valueName: "seconds"))
        var timeout = 60.0

        func validate() throws {
            guard (0.1...3600).contains(timeout) else { throw ValidationError("--timeout must be 0.1…3600.") }
        }

        func run() async throws {
            do throws(ManageError) {
                let call = try makeCall()
                var messages = system.map { [Self.message("system", $0)] } ?? []
                if let prompt { return try await ask(prompt, &messages, call) }
                let isTyped = isatty(STDIN_FILENO) == 1
                while let line = Self.nextLine(asking: isTyped) {
                    if !line.isEmpty { try await ask(line, &messages, call) }
                }
            } catch {
                StandardError.write("llm-proxy openai: \(error)")
                throw ExitCode(error.exitCode)
            }
        }
    }
}

extension OpenAICommand.Chat {
    private func makeCall() throws(ManageError) -> StreamingCall {
        let variables = ProcessEnvironment.variables
        func set(_ name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }
        guard let address = ManagementAddress(url ?? set("LLM_PROXY_URL") ?? "http://localhost:8080") else {
            // The text stays out of it: a password may stand in a wrong one.
            throw .usage("the proxy's address, in --url or LLM_PROXY_URL, must be http(s)://host[:port]")
        }
        guard let given = token ?? set("OPENAI_API_KEY") else {
            throw .usage("no token: set OPENAI_API_KEY, or give --token")
        }
        let secret = try SecretText.checked(given, from: token == nil ? "OPENAI_API_KEY" : "--token")
        return StreamingCall(address: address, token: secret, patience: .seconds(timeout))
    }

    /// Says something, shows what is answered, and adds both to the conversation.
    private func ask(
        _ prompt: String, _ messages: inout [JSONValue], _ call: StreamingCall
    ) async throws(ManageError) {
        let turn = messages + [Self.message("user", prompt)]
        let body = JSONValue.object([
            ("model", .string(model)), ("stream", .bool(true)), ("messages", .array(turn)),
        ])
        var reader = ChatReader(call.address.authority)
        do throws(ManageError) {
            try await call.send(body, to: Self.path) { (part) throws(ManageError) in
                Self.show(try reader.read(part))
            }
            Self.show(try reader.finish())
        } catch {
            if !reader.words.isEmpty { Self.show("\n") }
            throw error.hiding(call.token)
        }
        Self.show("\n")
        messages = turn + [Self.message("assistant", reader.words)]
    }

    private static func message(_ role: String, _ content: String) -> JSONValue {
        .object([("role", .string(role)), ("content", .string(content))])
    }

    private static func nextLine(asking: Bool) -> String? {
        if asking { Self.write("> ", to: STDERR_FILENO) }
        return readLine()
    }

    /// Shows words at once, without control characters, which terminals obey, but for those that lay out text.
    private static func show(_ words: String) {
        let harmless = words.unicodeScalars.map { scalar -> Unicode.Scalar in
            let isLayout = scalar == "\n" || scalar == "\t"
            return scalar.properties.generalCategory == .control && !isLayout ? "\u{FFFD}" : scalar
        }
        write(String(String.UnicodeScalarView(harmless)), to: STDOUT_FILENO)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        if !bytes.isEmpty { _ = Glibc.write(descriptor, bytes, bytes.count) }
    }
}

extension ManageError {
    /// The same without a secret that a server may have repeated.
    fileprivate func hiding(_ secret: String) -> ManageError {
        switch self {
        case .usage(let what): .usage(what.replacing(secret, with: "…"))
        case .unreachable(let what): .unreachable(what.replacing(secret, with: "…"))
        case .refused(let what): .refused(what.replacing(secret, with: "…"))
        case .failed(let what): .failed(what.replacing(secret, with: "…"))
        }
    }
}
