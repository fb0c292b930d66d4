import ProxyDomain
import ProxyStorage

extension RememberedAnswer {
    /// An answer nobody cares about except for what is said here.
    fileprivate static func sample(_ key: String, answeredAt: Timestamp = .noon) -> RememberedAnswer {
        RememberedAnswer(
            key: key, fingerprint: "asked", project: .sample(1), sealed: "sealed '\u{E9}'", answeredAt: answeredAt)
    }
}

extension StorageScenario {
    /// What is promised of answers that are given again.
    static let rememberedAnswers: [StorageScenario] = [
        StorageScenario(
            "answers.change.has-its-answer",
            "A change and its answer are there together; under a key that is taken neither is."
        ) { site, check in
            let storage = try await site.open()
            let answer = RememberedAnswer.sample("a")
            try await storage.remembering(answer).create(Project.sample(1))
            check.equal(try await storage.rememberedAnswer("a", since: .noon), answer, "answer")
            check.equal(try await storage.rememberedAnswer("b", since: .noon), nil, "under another key")
            check.equal(try await storage.rememberedAnswer("a", since: .noon(plus: 1)), nil, "of a later time")
            await check.fails(.alreadyExists(field: "idempotency_key"), "the same key") {
                try await storage.remembering(answer).create(Project.sample(2))
            }
            await check.fails(.alreadyExists(field: "name"), "the same name") {
                try await storage.remembering(.sample("c")).create(Project.sample(3, name: "project 1"))
            }
            check.equal(try await storage.rememberedAnswer("c", since: .noon), nil, "of what was not made")
            check.equal(try await storage.projects(after: nil, limit: 9).map(\.id), [.sample(1)], "projects")
        },
        StorageScenario(
            "answers.day.is-over", "After a day a key is free again, whether its answer was removed meanwhile or not."
        ) { site, check in
            let storage = try await site.open()
            for key in ["a", "b"] {
                try await storage.remembering(.sample(key)).create(Project.sample(key == "a" ? 1 : 2))
            }
            try await storage.remembering(.sample("a", answeredAt: .noon(plus: 86_401))).create(Project.sample(3))
            check.equal(
                try await storage.rememberedAnswer("a", since: .noon)?.answeredAt, .noon(plus: 86_401), "the new one")
            try await storage.forgetAnswers(before: .noon(plus: 1))
            check.equal(try await storage.rememberedAnswer("b", since: .noon), nil, "one that was removed")
            check.that(try await storage.rememberedAnswer("a", since: .noon) != nil, "the new one was removed too")
        },
    ]
}
