import Glibc

/// What standard output goes to.
struct Terminal {
    let isTerminal: Bool
    /// In columns; 80 where nothing tells.
    let width: Int
    let showsColor: Bool

    static var output: Terminal {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        var size = winsize()
        let failure = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size)
        let variables = ProcessEnvironment.variables
        // A variable that is set and empty counts as unset (no-color.org).
        let isPlain = variables["NO_COLOR"]?.isEmpty == false || variables["TERM"] == "dumb"
        return Terminal(
            isTerminal: isTerminal, width: isTerminal && failure == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80,
            showsColor: isTerminal && !isPlain)
    }
}
