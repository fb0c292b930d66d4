import Glibc
import ProxyFleet

/// What becomes of a run that is interrupted.
enum Interruption {
    /// From now on SIGINT and SIGTERM clear away what a run has started, and end this process with 130.
    static func clears(_ remains: FleetRemains) async {
        let signal = await StopSignal.watch()
        Task {
            await signal.wait()
            await remains.clear()
            exit(130)
        }
    }
}
