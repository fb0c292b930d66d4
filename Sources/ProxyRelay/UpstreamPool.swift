import NIOCore
import ProxyWire

/// One event loop's connections to upstreams. Confined to that loop: lending one takes no lock and no hop.
final class UpstreamPool {
    private let eventLoop: any EventLoop
    private let settings: RelaySettings
    private let tls: UpstreamTLS
    private let meter: RelayMeter
    private var shelves: [UpstreamTarget: UpstreamShelf] = [:]
    /// The shelf asked for last: most often the next one too, which spares its look-up.
    private var latest: UpstreamShelf?
    private var connections = Roster<UpstreamConnection>()
    private var http2Connections = Roster<UpstreamHTTP2Connection>()

    init(eventLoop: any EventLoop, settings: RelaySettings, tls: UpstreamTLS, meter: RelayMeter) {
        self.eventLoop = eventLoop
        self.settings = settings
        self.tls = tls
        self.meter = meter
    }

    /// Lends what there is.
    /// - Parameters:
    ///   - streams: whether it may be a stream of a connection that has room.
    ///   - idle: whether it may be a connection of HTTP/1.1 that has served before and is open still.
    func take(
        _ target: UpstreamTarget, streams: Bool, idle: Bool, avoiding avoided: UpstreamHTTP2Connection?
    ) -> UpstreamConnection? {
        let shelf = shelf(for: target)
        if streams, !shelf.http2.isEmpty, let found = shelf.http2.first(where: { $0.hasRoom && $0 !== avoided }) {
            return found.lend()
        }
        while idle, let connection = shelf.idle.popLast() {
            // One that has closed in this turn of the loop is taken off only after it.
            if connection.isOpen { return connection }
        }
        return nil
    }

    private func shelf(for target: UpstreamTarget) -> UpstreamShelf {
        if let latest, latest.target == target { return latest }
        let found = shelves[target] ?? UpstreamShelf(target: target)
        shelves[target] = found
        latest = found
        return found
    }

    /// Opens a connection and lends it.
    /// - Parameters:
    ///   - isTunnel: whether it is for a tunnel, which takes a connection of HTTP/1.1.
    ///   - ready: called on this loop.
    func connect(_ target: UpstreamTarget, isTunnel: Bool, ready: @escaping UpstreamShelf.Ready) {
        let shelf = shelf(for: target)
        let offersHTTP2 = settings.offersHTTP2 && target.isTLS && !isTunnel
        if offersHTTP2, shelf.isWorthWaiting { return shelf.waiting.append(ready) }
        let dial = UpstreamDial(
            to: shelf, pool: self, settings: settings, tls: tls, eventLoop: eventLoop, offersHTTP2: offersHTTP2)
        guard offersHTTP2 else {
            return dial.begin { self.lend($0, to: ready, ConnectionLoss()) }
        }
        shelf.dials += 1
        dial.begin { outcome in
            shelf.dials -= 1
            if case .none = outcome {} else { shelf.choseHTTP2 = outcome.isHTTP2 }
            let loss = ConnectionLoss()
            let waiting = shelf.takeWaiting()
            self.lend(outcome, to: ready, loss)
            for ready in waiting { self.share(outcome, target, with: ready, loss) }
        }
    }

    private func lend(_ outcome: UpstreamDial.Outcome, to ready: UpstreamShelf.Ready, _ loss: ConnectionLoss) {
        switch outcome {
        case .none: ready(nil, loss)
        case .http1(let connection):
            meter.update { $0.upstreamConnectionsOpened += 1 }
            ready(connection.isOpen ? connection : nil, loss)
        case .http2(let connection):
            meter.update { $0.upstreamConnectionsOpened += 1 }
            connection.shelf.http2.append(connection)
            ready(connection.hasRoom ? connection.lend() : nil, loss)
        }
    }

    /// Somebody has waited for the connection of another, which may have no room for as many, or may not be there.
    private func share(
        _ outcome: UpstreamDial.Outcome, _ target: UpstreamTarget, with ready: @escaping UpstreamShelf.Ready,
        _ loss: ConnectionLoss
    ) {
        if let connection = take(target, streams: true, idle: false, avoiding: nil) { return ready(connection, loss) }
        if case .none = outcome { return ready(nil, loss) }
        connect(target, isTunnel: false, ready: ready)
    }

    func joined(_ connection: UpstreamConnection) -> Int { connections.add(connection) }

    func left(_ connection: UpstreamConnection, slot: Int) {
        connections.remove(slot)
        guard connection.isIdle else { return }
        connection.shelf.idle.removeAll { $0 === connection }
    }

    func joined(_ connection: UpstreamHTTP2Connection) -> Int { http2Connections.add(connection) }

    func left(_ connection: UpstreamHTTP2Connection, slot: Int) { http2Connections.remove(slot) }

    /// Takes back a connection whose exchange is over and that can serve another.
    func giveBack(_ connection: UpstreamConnection, at now: NIODeadline = .now()) {
        if let stream = connection.stream {
            connection.rest(at: now)
            return stream.wasServed()
        }
        if let most = connection.mostIdle, connection.shelf.idleCount >= most { return connection.close() }
        connection.rest(at: now)
        connection.shelf.idle.append(connection)
    }

    func sweep(at now: NIODeadline) {
        connections.forEach { $0.sweep(at: now) }
        http2Connections.forEach { $0.sweep(at: now) }
    }

    func closeAll() {
        connections.forEach { $0.abandon() }
        http2Connections.forEach { $0.leave() }
    }
}

/// The connections to one target that can take requests. Confined to its loop, as its pool is.
final class UpstreamShelf {
    let target: UpstreamTarget
    /// Those of HTTP/1.1 that nobody uses. The one used last is lent first, so that those nobody needs grow old.
    var idle: [UpstreamConnection] = []
    /// The first that has room is lent, for the same reason.
    var http2: [UpstreamHTTP2Connection] = []
    /// How many streams at once the upstream has said last that it takes (RFC 9113 section 6.5.2).
    var streamLimit = 100
    /// Whether that is what the upstream chose last.
    var choseHTTP2 = false
    /// Connections that are being made and may be of HTTP/2.
    var dials = 0
    /// Those who wait for one of them.
    var waiting: [Ready] = []

    /// Called once, with a connection that is lent; without one, with what is to be counted for all who needed it.
    typealias Ready = (UpstreamConnection?, ConnectionLoss) -> Void

    init(target: UpstreamTarget) { self.target = target }

    /// How many that can take requests nobody uses.
    var idleCount: Int { idle.count + http2.count { $0.isIdle } }

    /// Whether a connection that is being made will have room for one more, as far as is known.
    var isWorthWaiting: Bool { choseHTTP2 && waiting.count < dials * (streamLimit - 1) }

    /// Takes those for whom one connection has room; all, when no other is being made.
    func takeWaiting() -> [Ready] {
        let taken = Array(waiting.prefix(dials == 0 ? waiting.count : streamLimit - 1))
        waiting.removeFirst(taken.count)
        return taken
    }
}
