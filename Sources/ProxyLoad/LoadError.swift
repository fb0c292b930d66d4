/// Why a run did not begin. Holds nothing secret: tokens and header values are never part of it.
public enum LoadError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A URL that is no `http[s]://host[:port][/path]`, with what is wrong with it.
    case malformedURL(String)
    /// Certificates to trust that can't be read.
    case unusableRoots(String)
    /// A header that would break the request's framing, or that the generator decides itself. Holds its name only.
    case refusedHeader(String)
    /// A method that is no token (RFC 9110 section 9.1).
    case malformedMethod
    /// A part of a mix that can't be read.
    case malformedMix(String)
    /// The answer that others are compared with could not be had.
    case noReference(String)
    /// What is no comparison of a figure with a number.
    case malformedThreshold(String)
    /// A figure that no run has.
    case unknownFigure(String, known: String)
    /// Nothing accepts connections there.
    case unreachable(address: String, reason: String)

    /// Whether another command line would help; if not, the other side is to blame.
    public var isUsage: Bool {
        switch self {
        case .malformedURL, .unusableRoots, .refusedHeader, .malformedMethod, .malformedMix,
            .malformedThreshold, .unknownFigure:
            true
        case .unreachable, .noReference: false
        }
    }

    public var description: String {
        switch self {
        case .malformedURL(let why): "the URL is not http[s]://host[:port][/path]: \(why)"
        case .unusableRoots(let file):
            "\(file) can't be read: name a PEM file with the certificates that sign the other side's"
        case .refusedHeader(let name):
            "the header '\(name)' can't be sent: give 'Name: value', and leave framing to the load"
        case .malformedMethod: "the method is not a word such as GET or POST"
        case .malformedMix(let part):
            "'\(part)' is no part of a mix: name \(LoadKind.allCases.map(\.rawValue).joined(separator: ", ")), with ':bytes' and "
                + "'=share' where wanted"
        case .noReference(let why): "the answer that others would be compared with could not be had: \(why)"
        case .malformedThreshold(let text):
            "the threshold '\(text)' can't be read: write a figure, one of < <= == != >= > and a number, such as 'p99(added)<5ms'"
        case .unknownFigure(let name, let known): "there is no figure '\(name)'; there are \(known)"
        case .unreachable(let address, let reason): "\(address) can't be reached: \(reason)"
        }
    }
}
