/// The connections of one event loop to one target. Confined to its event loop.
final class LoadLane {
    /// Whose target it is.
    let side: Int
    let target: LoadTarget
    private var requests: RequestBuffers
    private(set) var idle: [LoadConnection] = []
    private(set) var open: [ObjectIdentifier: LoadConnection] = [:]
    var connecting = 0
    var underWay = 0

    init(side: Int, target: LoadTarget, requests: RequestBuffers) {
        self.side = side
        self.target = target
        self.requests = requests
    }

    func request(_ number: Int) -> RequestBuffers.Request { requests.request(number) }

    /// Connections that there are, or soon will be.
    var size: Int { open.count + connecting }

    func takeIdle() -> LoadConnection? { idle.popLast() }

    func giveBack(_ connection: LoadConnection) { idle.append(connection) }

    func opened(_ connection: LoadConnection) { open[ObjectIdentifier(connection)] = connection }

    /// Its place is free.
    func release(_ connection: LoadConnection) { open[ObjectIdentifier(connection)] = nil }

    func closed(_ connection: LoadConnection) {
        release(connection)
        idle.removeAll { $0 === connection }
    }
}
