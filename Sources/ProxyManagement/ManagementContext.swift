import Hummingbird
import Logging

/// What the router hands from one step to the next: the call itself travels with it.
struct ManagementContext: RequestContext {
    /// Where a context comes from: no channel, since the connection is someone else's.
    struct Source: RequestContextSource {
        let call: Call
        var logger: Logger { call.logger }
    }

    var coreContext: CoreRequestContextStorage
    /// With who calls, once that is known.
    var call: Call

    init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
        call = source.call
    }
}
