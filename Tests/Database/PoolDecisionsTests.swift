import SQLDatabase
import Testing

@Suite("The pool's decisions")
struct PoolDecisionsTests {
    private func pool(
        open: Int = 2, idle: Int = 1, lifetime: Duration? = nil, waiting: Int = 10
    ) -> PoolDecisions {
        PoolDecisions(
            limits: .init(maxOpen: open, maxIdle: idle, lifetime: lifetime, wait: .seconds(2), maxWaiting: waiting))
    }

    @Test("open places up to the limit, then make callers wait in order")
    func fairness() {
        var pool = pool()
        #expect(pool.ask(1, now: .zero) == [.grant(waiter: 1, place: 1, isNew: true)])
        #expect(pool.ask(2, now: .zero) == [.grant(waiter: 2, place: 2, isNew: true)])
        #expect(pool.ask(3, now: .zero) == [])
        #expect(pool.ask(4, now: .zero) == [])
        #expect(pool.waiting == 2)
        #expect(pool.giveBack(2, now: .zero) == [.grant(waiter: 3, place: 2, isNew: false)])
        #expect(pool.giveBack(1, now: .zero) == [.grant(waiter: 4, place: 1, isNew: false)])
    }

    @Test("keep no more idle places than allowed, and use one of them first")
    func idle() {
        var pool = pool()
        _ = pool.ask(1, now: .zero)
        _ = pool.ask(2, now: .zero)
        #expect(pool.giveBack(1, now: .zero) == [])
        #expect(pool.giveBack(2, now: .zero) == [.close(place: 2)])
        #expect(pool.idleCount == 1)
        #expect(pool.ask(3, now: .zero) == [.grant(waiter: 3, place: 1, isNew: false)])
        #expect((pool.opened, pool.closed, pool.inUse, pool.idleCount) == (2, 1, 1, 0))
    }

    @Test("replace a place that is worn or broken, for the one who waits")
    func replacement() {
        var pool = pool(open: 1, lifetime: .seconds(10))
        _ = pool.ask(1, now: .zero)
        _ = pool.ask(2, now: .seconds(9))
        #expect(
            pool.giveBack(1, now: .seconds(10)) == [.close(place: 1), .grant(waiter: 2, place: 2, isNew: true)])
        _ = pool.ask(3, now: .seconds(11))
        #expect(
            pool.giveBack(2, isBroken: true, now: .seconds(11))
                == [.close(place: 2), .grant(waiter: 3, place: 3, isNew: true)])
        #expect(pool.giveBack(3, isBroken: true, now: .seconds(11)) == [.close(place: 3)])
        #expect(pool.isEmpty)
    }

    @Test("close idle places when their life ends, and refuse waiters when their time is over")
    func ticks() {
        var pool = pool(open: 1, lifetime: .seconds(10))
        _ = pool.ask(1, now: .zero)
        _ = pool.ask(2, now: .seconds(1))
        _ = pool.ask(3, now: .seconds(2))
        #expect(pool.nextTick == .seconds(3))
        #expect(pool.tick(now: .seconds(3)) == [.refuse(waiter: 2)])
        #expect(pool.giveBack(1, now: .seconds(3)) == [.grant(waiter: 3, place: 1, isNew: false)])
        #expect(pool.giveBack(1, now: .seconds(3)) == [])
        #expect(pool.nextTick == .seconds(10))
        #expect(pool.tick(now: .seconds(9)) == [])
        #expect(pool.tick(now: .seconds(10)) == [.close(place: 1)])
        #expect(pool.nextTick == nil)
    }

    @Test("forget who left, refuse who would be one too many")
    func leaving() {
        var pool = pool(open: 1, waiting: 1)
        _ = pool.ask(1, now: .zero)
        _ = pool.ask(2, now: .zero)
        #expect(pool.ask(3, now: .zero) == [.refuse(waiter: 3)])
        pool.abandon(2)
        #expect(pool.waiting == 0)
        #expect(pool.giveBack(1, now: .zero) == [])
    }

    @Test("shut: refuse waiters, close what is idle at once and the rest when given back")
    func shutting() {
        var pool = pool(open: 2, idle: 2)
        _ = pool.ask(1, now: .zero)
        _ = pool.ask(2, now: .zero)
        _ = pool.ask(3, now: .zero)
        #expect(pool.giveBack(1, now: .zero) == [.grant(waiter: 3, place: 1, isNew: false)])
        _ = pool.giveBack(1, now: .zero)
        #expect(pool.shut() == [.close(place: 1)])
        #expect(pool.ask(4, now: .zero) == [.refuse(waiter: 4)])
        #expect(!pool.isEmpty)
        #expect(pool.giveBack(2, now: .zero) == [.close(place: 2)])
        #expect(pool.isEmpty)
    }
}
