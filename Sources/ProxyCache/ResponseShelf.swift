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
    /// Slots of what GET gave, by project and path.
    private var gets: [Resource: Set<Int>] = [:]
    private(set) var bytes = 0
    /// Keys put here or given since ``takeUsed()``; `nil` where nobody asks.
    private var used: Set<CacheKey>?
    /// Of more nobody knows that they were used.
    private static let mostUsed = 65_536

    private struct Resource: Hashable {
        let project: ProjectID
        let path: Substring

        init(project: ProjectID, path: Substring) {
            self.project = project
            self.path = path
        }
    }

    /// - Parameter notesUses: whether it keeps what ``takeUsed()`` gives.
    init(maxBytes: Int, notesUses: Bool) {
        self.maxBytes = maxBytes
        used = notesUses ? [] : nil
    }

    var count: Int { slots.count }
    /// How many places GET gave what is held.
    var resourceCount: Int { gets.count }

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
        if response.request.method == "GET" { gets[resource(response.request), default: []].insert(slot) }
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

    /// - Returns: how many were removed.
    mutating func removeGets(of project: ProjectID, at path: String) -> Int {
        guard let doomed = gets[Resource(project: project, path: path[...])] else { return 0 }
        for slot in doomed { remove(slot) }
        return doomed.count
    }

    private func resource(_ request: StoredResponse.Request) -> Resource {
        Resource(project: request.project, path: request.path)
    }

    private mutating func remove(_ slot: Int) {
        guard let place = places[slot] else { return }
        unlink(slot)
        slots[place.key] = nil
        bytes -= place.response.size
        if place.response.request.method == "GET" {
            let resource = resource(place.response.request)
            gets[resource]?.remove(slot)
            if gets[resource]?.isEmpty ?? false { gets[resource] = nil }
        }
        places[slot] = nil
        free.append(slot)
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
