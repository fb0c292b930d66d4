import SQLDatabase

/// How the writer's thread shares its core with the event loops, by how many requests its batches have.
///
/// While few come, each waits for its own commit, and that for the thread at its start and after each visit to the disk: then it goes ahead of
/// threads with long turns. While many come, its batches grow as long as it is kept waiting, and a request in a large batch takes less of
/// the core: then it takes it from nobody. `Benchmarks/RESULTS.md` has what both are worth.
struct Haste {
    /// A batch of so many at most is one of few, of so many at least one of many.
    static let few = 1
    static let many = 4

    /// What was asked for last.
    private(set) var schedule: ThreadSchedule?

    /// To be told of each batch, on the writer's thread. Batches without requests say nothing of them.
    mutating func follow(_ admissions: Int) {
        let wanted: ThreadSchedule
        switch admissions {
        case 0: return
        case ...Self.few: wanted = .prompt
        case Self.many...: wanted = .patient
        default: return
        }
        guard wanted != schedule else { return }
        schedule = wanted
        wanted.apply()
    }
}
