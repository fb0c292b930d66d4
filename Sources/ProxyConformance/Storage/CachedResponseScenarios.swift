import ProxyDomain
import ProxyStorage

extension CachedResponse {
    /// An answer nobody cares about except for what is said here.
    static func sample(
        _ number: Int, of project: ProjectID = .sample(1), method: String = "GET", url: String = "/v1/models",
        keptUntil: Timestamp = .noon(plus: 60), content: String = "content"
    ) -> CachedResponse {
        CachedResponse(
            key: "key-\(number)", project: project, method: method, url: url, keptUntil: keptUntil, content: content)
    }
}

extension StorageScenario {
    /// What a store of answers promises.
    static let responses: [StorageScenario] = [
        StorageScenario(
            "response.keep.reads-back",
            "An answer reads back until its time is over; another one under its key takes its place."
        ) { site, check in
            let storage = try await site.open()
            let first = CachedResponse.sample(1, url: "/v1/models?a='b'&c=\u{E9}", content: "a\nb")
            check.that(try await storage.keep(first, lastPurge: 0, at: .noon), "kept")
            check.equal(try await storage.cachedResponse("key-1", at: .noon), first, "answer")
            check.equal(try await storage.cachedResponse("key-2", at: .noon), nil, "another key")
            check.equal(try await storage.cachedResponse("key-1", at: .noon(plus: 60)), nil, "when its time is over")
            let second = CachedResponse.sample(1, of: .sample(2), method: "POST", url: "/", content: "other")
            check.that(try await storage.keep(second, lastPurge: 0, at: .noon), "kept in its place")
            check.equal(try await storage.cachedResponse("key-1", at: .noon), second, "the other answer")
        },
        StorageScenario(
            "response.purge.by-what-is-said",
            "A purge removes the answers to which all that it says applies, and tells others."
        ) { site, check in
            let storage = try await site.open()
            let answers = [
                CachedResponse.sample(1), .sample(2, url: "/v1/models/a"), .sample(3, method: "POST"),
                .sample(4, of: .sample(2)), .sample(5, url: "/v1/mod_ls"), .sample(6, url: "/V1/models"),
            ]
            let purges: [(purge: CachePurge, gone: [String])] = [
                (CachePurge(method: "GET", url: "/v1/models"), ["key-1", "key-4"]),
                (CachePurge(url: "/v1/models", isPrefix: true), ["key-1", "key-2", "key-3", "key-4"]),
                (CachePurge(url: "/v1/mod_ls", isPrefix: true), ["key-5"]),
                (CachePurge(project: .sample(1), url: "/v1/models"), ["key-1", "key-3"]),
                (CachePurge(project: .sample(2)), ["key-4"]), (CachePurge(method: "POST"), ["key-3"]),
                (CachePurge(), answers.map(\.key)), (CachePurge(url: "/v1"), []),
            ]
            var last: Int64 = 0
            for (purge, gone) in purges {
                for answer in answers { _ = try await storage.keep(answer, lastPurge: last, at: .noon) }
                let (number, removed) = try await storage.purgeCache(purge, at: .noon)
                check.that(number > last, "number of \(purge)")
                check.equal(removed, gone.count, "removed by \(purge)")
                let told = try await storage.cachePurges(after: last)
                check.equal(told.map(\.number), [number], "numbers told after \(last)")
                check.equal(told.map(\.purge), [purge], "purges told after \(last)")
                last = number
                for answer in answers {
                    let isThere = try await storage.cachedResponse(answer.key, at: .noon) != nil
                    check.equal(isThere, !gone.contains(answer.key), "\(answer.key) after \(purge)")
                }
            }
            check.equal(try await storage.cachePurges(after: nil).map(\.number), [last], "the last one")
            check.equal(try await storage.cachePurges(after: 0).count, purges.count, "all of them")
        },
        StorageScenario(
            "response.keep.not-after-a-purge",
            "An answer that was asked for before a purge is not kept after it, so that nothing purged comes back."
        ) { site, check in
            let storage = try await site.open()
            let (number, _) = try await storage.purgeCache(CachePurge(url: "/elsewhere"), at: .noon)
            check.that(try await !storage.keep(.sample(1), lastPurge: number - 1, at: .noon), "asked for before")
            check.equal(try await storage.cachedResponse("key-1", at: .noon), nil, "not kept")
            check.that(try await storage.keep(.sample(1), lastPurge: number, at: .noon), "asked for after")
            // What everybody has heard of for a day is forgotten, except the last number.
            let day: Int64 = 86_400
            let (later, _) = try await storage.purgeCache(CachePurge(), at: .noon(plus: day + 1))
            check.equal(try await storage.cachePurges(after: 0).map(\.number), [later], "purges after a day")
        },
        StorageScenario(
            "response.trim.bounded",
            "Answers whose time is over are removed, then those that nobody was given for longest until the rest fits."
        ) { site, check in
            let storage = try await site.open()
            let text = String(repeating: "x", count: 1000)
            for number in 1...5 {
                // The last one ends first.
                let end = Timestamp.noon(plus: 100 - Int64(number) * 10)
                _ = try await storage.keep(
                    .sample(number, keptUntil: end, content: text), lastPurge: 0, at: .noon(plus: Int64(number)))
            }
            try await storage.noteCacheUses(["key-1", "key-5", "key-9"], at: .noon(plus: 20))
            check.equal(try await storage.trimCache(to: 1 << 20, at: .noon(plus: 50)), 1, "over")
            check.equal(try await storage.trimCache(to: 2500, at: .noon(plus: 51)), 2, "too many")
            for number in 1...5 {
                let isThere = try await storage.cachedResponse("key-\(number)", at: .noon(plus: 51)) != nil
                check.equal(isThere, number == 1 || number == 4, "answer \(number)")
            }
            // What is gone is new when it comes again.
            try await storage.noteCacheUses([], at: .noon(plus: 52))
            _ = try await storage.keep(.sample(5, keptUntil: .noon(plus: 90), content: text), lastPurge: 0, at: .noon)
            check.equal(try await storage.trimCache(to: 2500, at: .noon(plus: 52)), 1, "one more")
            check.equal(
                try await storage.cachedResponse("key-5", at: .noon(plus: 52)), nil, "the one given before all others")
            check.equal(try await storage.trimCache(to: 2500, at: .noon(plus: 52)), 0, "nothing more")
        },
    ]
}
