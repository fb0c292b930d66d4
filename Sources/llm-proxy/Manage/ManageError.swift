/// Why a subcommand came to nothing. Its text is one line, and holds no secret.
enum ManageError: Error, CustomStringConvertible {
    /// What was typed can't be done.
    case usage(String)
    /// No answer came.
    case unreachable(String)
    /// The API said no: any 4xx.
    case refused(String)
    /// The server failed, or what it answered makes no sense.
    case failed(String)

    var description: String {
        switch self {
        case .usage(let what), .unreachable(let what), .refused(let what), .failed(let what): what.printable
        }
    }

    /// As every command has it: 1 failed, 2 usage, 3 can't reach, 4 refused.
    var exitCode: Int32 {
        switch self {
        case .failed: 1
        case .usage: 2
        case .unreachable: 3
        case .refused: 4
        }
    }
}

extension String {
    /// The same without control characters, which terminals obey and which begin lines.
    var printable: String {
        let harmless = unicodeScalars.map { scalar -> Unicode.Scalar in
            scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar
        }
        return String(String.UnicodeScalarView(harmless))
    }
}
