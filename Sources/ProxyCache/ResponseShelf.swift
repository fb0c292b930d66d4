import ProxyDomain

/// Answers by key, bounded in bytes: when there are too many, those go that nobody was given for longest.
struct ResponseShelf {
    private struct Place {
        var key: CacheKey
        var response: StoredResponse
        /// Given after it; -1 for none.
        var newer: Int
        /// Given before it; -1 for none.
        var older: Int
    }

    private let maxBytes: Int
    private var slots: [CacheKey: Int] = [:]
    private var places: [Place?] = []
    private var free: [Int] = []
    private var newest = -1
    private var oldest = -1
    /// Slots of what GET gave, by path and project.
    private var gets: [Substring: [ProjectID: Set<Int>]] = [:]
    private(set) var bytes = 0
    /// Keys put here or given since ``takeUsed()``; `nil` where nobody asks.
    private var used: Set<CacheKey>?
    /// Of more nobody knows that they were used.
    private static let mostUsed = 65_536

    /// - Parameter notesUses: whether it keeps what ``takeUsed()`` gives.
    init(maxBytes: Int, notesUses: Bool) {
        self.maxBytes = maxBytes
        used = notesUses ? [] : nil
    }

    var count: Int { slots.count }
    /// At how many paths GET gave what is held.
    var pathCount: Int { gets.count }

    func contains(_ key: CacheKey) -> Bool { slots[key] != nil }

    /// Gives an answer, which is then the one given last.
    mutating func take(_ key: CacheKey) -> StoredResponse? {
        guard let slot = slots[key] else { return nil }
        if slot != newest {
            unlink(slot)
            link(slot)
        }
        noteUse(of: key)
        return places[slot]?.response
    }

    /// The keys of answers that were put here or given since it was asked last.
    mutating func takeUsed() -> Set<CacheKey> {
        guard let keys = used else { return [] }
        used = []
        return keys
    }

    private mutating func noteUse(of key: CacheKey) {
        if let count = used?.count, count < Self.mostUsed { used?.insert(key) }
    }

    /// - Returns: how many others had to go.
    mutating func put(_ response: StoredResponse, for key: CacheKey) -> Int {
        if let slot = slots[key] { remove(slot) }
        guard response.size <= maxBytes else { return 0 }
        let slot = free.popLast() ?? places.count
        let place = Place(key: key, response: response, newer: -1, older: -1)
        if slot == places.count { places.append(place) } else { places[slot] = place }
        slots[key] = slot
        noteUse(of: key)
        bytes += response.size
        if response.request.method == "GET" {
            gets[response.request.path, default: [:]][response.request.project, default: []].insert(slot)
        }
        link(slot)
        var evicted = 0
        while bytes > maxBytes, oldest >= 0 {
            remove(oldest)
            evicted += 1
        }
        return evicted
    }

    /// - Returns: how many were removed.
    mutating func remove(where isWanted: (StoredResponse.Request) -> Bool) -> Int {
        let doomed = places.indices.filter { places[$0].map { isWanted($0.response.request) } ?? false }
        for slot in doomed { remove(slot) }
        return doomed.count
    }

    /// - Parameter project: `nil` for all.
    /// - Returns: how many were removed.
    mutating func removeGets(of project: ProjectID?, at path: String) -> Int {
        guard let projects = gets[path[...]] else { return 0 }
        let doomed = project.map { Array(projects[$0] ?? []) } ?? projects.values.flatMap { $0 }
        for slot in doomed { remove(slot) }
        return doomed.count
    }

    private mutating func remove(_ slot: Int) {
        guard let place = places[slot] else { return }
        unlink(slot)
        slots[place.key] = nil
        bytes -= place.response.size
        if place.response.request.method == "GET" { forgetGet(place.response.request, in: slot) }
        places[slot] = nil
        free.append(slot)
    }

    private mutating func forgetGet(_ request: StoredResponse.Request, in slot: Int) {
        let (path, project) = (request.path, request.project)
        gets[path]?[project]?.remove(slot)
        if gets[path]?[project]?.isEmpty ?? false { gets[path]?[project] = nil }
        if gets[path]?.isEmpty ?? false { gets[path] = nil }
    }

    private mutating func link(_ slot: Int) {
        places[slot]?.older = newest
        places[slot]?.newer = -1
        if newest >= 0 { places[newest]?.newer = slot }
        newest = slot
        if oldest < 0 { oldest = slot }
    }

    private mutating func unlink(_ slot: Int) {
        guard let place = places[slot] else { return }
        if place.newer >= 0 { places[place.newer]?.older = place.older } else { newest = place.older }
        if place.older >= 0 { places[place.older]?.newer = place.newer } else { oldest = place.newer }
    }
}
