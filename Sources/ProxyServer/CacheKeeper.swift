import Logging
import NIOCore
import ProxyCache
import ProxyDomain
import ProxyManagement
import ProxySecrets
import ProxyStorage
import Synchronization

/// What the servers on one database have of the response cache together: the purges of each, and the answers where
/// `HTTP_CACHE_BACKEND` is `database`.
final class CacheKeeper: SharedResponses {
    let cache: ResponseCache
    private let storage: any Storage
    private let sharesAnswers: Bool
    private let maxBytes: Int
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let changedPaths = ChangedPaths()
    private let listening = RecurringTask()
    private let trimming = RecurringTask()
    /// What is told to the database beside the answers.
    private let telling = DetachedWork()
    private let changes: AsyncStream<Void>
    private let changed: AsyncStream<Void>.Continuation
    private let writes = Atomic<Int>(0)
    private let unkept = Atomic<Int>(0)

    /// Most answers on their way to the database at once; more are not kept there.
    private static let mostWrites = 8
    /// Most uses that are noted in one transaction.
    private static let mostNoted = 500

    init(
        _ cache: ResponseCache, _ storage: any Storage, sharesAnswers: Bool, maxBytes: Int,
        now: @escaping @Sendable () -> Timestamp, logger: Logger
    ) {
        self.cache = cache
        self.storage = storage
        self.sharesAnswers = sharesAnswers
        self.maxBytes = maxBytes
        self.now = now
        self.logger = logger
        (changes, changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Where answers are kept besides this server's memory.
    var shared: (any SharedResponses)? { sharesAnswers ? self : nil }

    // MARK: Purges

    func start() async {
        if storage.isShared || sharesAnswers {
            cache.lastPurge = (try? await storage.cachePurges(after: nil))?.last?.number ?? 0
        }
        listen()
        guard sharesAnswers else { return }
        trimming.start { [self] in
            await trim()
            return .seconds(30)
        }
    }

    private func trim() async {
        do {
            // In small steps: a SQLite file has one writer, on which requests wait.
            var used = cache.takeUsed().map(\.text)[...]
            while !used.isEmpty {
                try await storage.noteCacheUses(Set(used.prefix(Self.mostNoted)), at: now())
                used = used.dropFirst(Self.mostNoted)
            }
        } catch {
            // Then they count as not used.
            logger.warning("uses of the cache can't be noted", metadata: ["detail": "\(String(reflecting: error))"])
        }
        do {
            _ = try await storage.trimCache(to: Int64(maxBytes), at: now())
        } catch {
            logger.warning("the cache can't be trimmed", metadata: ["detail": "\(String(reflecting: error))"])
        }
    }

    private func listen() {
        guard storage.isShared else { return }
        listening.start { [self] in
            for await _ in changes { await catchUp() }
            return .zero
        }
    }

    /// The storage is at another database, which others may purge too, and which doesn't know what was purged before.
    func databaseMoved() async {
        cache.begin(after: (try? await storage.cachePurges(after: nil))?.last?.number ?? 0)
        listen()
    }

    func stop() async {
        changed.finish()
        await listening.stop()
        await trimming.stop()
        await telling.finish()
    }

    /// Something has changed in the database: it may be a purge.
    func databaseChanged() { changed.yield() }

    private func catchUp() async {
        do {
            for (number, purge) in try await storage.cachePurges(after: cache.lastPurge) {
                cache.purge(purge, number: number)
            }
        } catch {
            // What was purged isn't known, so nothing is held.
            cache.purge(CachePurge())
            logger.warning("purges of the cache can't be read", metadata: ["detail": "\(String(reflecting: error))"])
        }
    }

    /// Forgets answers here and on all servers.
    /// - Parameter event: what it is recorded as.
    /// - Returns: how many were forgotten: here, or in the database where answers are kept there.
    func purge(_ purge: CachePurge, recordedAs event: AuditEvent?) async throws(StorageError) -> Int {
        guard storage.isShared || sharesAnswers else {
            if let event { try await storage.record(event) }
            return cache.purge(purge)
        }
        let recording = event.map { storage.recording($0) } ?? storage
        let (number, removed) = try await recording.purgeCache(purge, at: now())
        // Where there are other servers, theirs may have come before: all are read in their order.
        let own = cache.purge(purge, number: number, isAhead: storage.isShared)
        databaseChanged()
        return max(removed, own)
    }

    // MARK: Answers

    func response(for key: CacheKey, at now: Timestamp) async -> StoredResponse? {
        guard let found = try? await storage.cachedResponse(key.text, at: now),
            let bytes = Base64.decode(found.content), let stored = StoredResponse(bytes: ByteBuffer(bytes: bytes)),
            stored.isFresh(at: now), !changedPaths.hasChanged(since: stored)
        else { return nil }
        return stored
    }

    func keep(_ response: StoredResponse, for key: CacheKey, lastPurge: Int64) {
        if response.request.method == "GET" {
            changedPaths.noteKept(response.request.project, String(response.request.path))
        }
        guard writes.add(1, ordering: .relaxed).newValue <= Self.mostWrites else {
            writes.subtract(1, ordering: .relaxed)
            unkept.add(1, ordering: .relaxed)
            return
        }
        telling.begin { [self] in
            defer { writes.subtract(1, ordering: .relaxed) }
            let row = CachedResponse(
                key: key.text, project: response.request.project, method: response.request.method,
                url: response.request.url, keptUntil: response.freshUntil,
                content: Base64.encode(response.bytes.readableBytesView))
            // Not kept because of a purge is as it should be.
            if (try? await storage.keep(row, lastPurge: lastPurge, at: response.storedAt)) == nil {
                unkept.add(1, ordering: .relaxed)
            }
        }
    }

    func invalidate(_ project: ProjectID?, path: String, isLikely: Bool) {
        guard changedPaths.note(project, path, at: now()) || isLikely else { return }
        telling.begin { [storage] in _ = try? await storage.forgetCached(of: project, at: path) }
    }

    // MARK: Figures

    var families: [MetricFamily] {
        func family(_ name: String, _ help: String, _ kind: MetricFamily.Kind, _ value: Int) -> MetricFamily {
            MetricFamily(
                name: "llm_proxy_cache_\(name)", help: help, kind: kind,
                samples: [.init(labels: [:], value: .number(Double(value)))])
        }
        let counters = cache.counters
        return [
            family("hits_total", "Requests answered from the cache.", .counter, counters.hits.load(ordering: .relaxed)),
            family(
                "collapsed_total", "Of them, those that waited for another's answer.", .counter,
                counters.collapsed.load(ordering: .relaxed)),
            family(
                "misses_total", "Requests that the cache took part in and an upstream answered.", .counter,
                counters.misses.load(ordering: .relaxed)),
            family(
                "validated_total", "Of them, those whose upstream said that the stale answer holds.", .counter,
                counters.validated.load(ordering: .relaxed)),
            family("stored_total", "Answers put into the cache.", .counter, counters.stored.load(ordering: .relaxed)),
            family(
                "evicted_total", "Answers that had to make room.", .counter, counters.evicted.load(ordering: .relaxed)),
            family(
                "unkept_total", "Answers that could not be put into the database too, or were too many at once.",
                .counter,
                unkept.load(ordering: .relaxed)),
            family("responses", "Answers in this server's memory.", .gauge, cache.count),
            family("size_bytes", "Their bytes.", .gauge, counters.heldBytes.load(ordering: .relaxed)),
        ]
    }
}
