import ProxyDomain
import ProxyStorage

extension StorageScenario {
    /// What a project store promises, in the order of the protocol's calls.
    static let projects: [StorageScenario] = [
        StorageScenario("project.create.reads-back", "A project reads back exactly as it was created.") { site, check in
            let storage = try await site.open()
            let plain = Project.sample(1)
            let full = Project.sample(2, baseURL: "https://example.org/a/b", deactivatedAt: .noon(plus: 5))
            for project in [plain, full] { try await storage.create(project) }
            check.equal(try await storage.project(plain.id), plain, "project without options")
            check.equal(try await storage.project(full.id), full, "project with all options")
        },
        StorageScenario(
            "project.create.refuses-taken-name", "A taken name is refused, and nothing of the second project is kept."
        ) { site, check in
            let storage = try await site.open()
            try await storage.create(.sample(1, name: "team"))
            await check.fails(.alreadyExists(field: "name"), "second team") {
                try await storage.create(.sample(2, name: "team"))
            }
            check.equal(try await storage.projects(after: nil, limit: 10), [.sample(1, name: "team")], "projects")
        },
        StorageScenario(
            "project.create.refuses-taken-id", "A taken identifier is refused; the stored project is left alone."
        ) { site, check in
            let storage = try await site.open()
            try await storage.create(.sample(1, name: "first"))
            await check.fails(.alreadyExists(field: "id"), "same id") {
                try await storage.create(.sample(1, name: "second"))
            }
            check.equal(try await storage.project(.sample(1)).name, "first", "name after refusal")
        },
        StorageScenario(
            "project.name.compared-byte-for-byte",
            "Names that differ only in case, in blanks or in Unicode composition are different names."
        ) { site, check in
            let storage = try await site.open()
            let names = ["Team", "team", "team ", " team", "caf\u{e9}", "cafe\u{301}"]
            for (index, name) in names.enumerated() { try await storage.create(.sample(index + 1, name: name)) }
            let kept = try await storage.projects(after: nil, limit: 10).map { Array($0.name.utf8) }
            check.equal(kept, names.map { Array($0.utf8) }, "names, in bytes")
        },
        StorageScenario("project.read.refuses-unknown", "An identifier nobody has is not found.") { site, check in
            let storage = try await site.open()
            try await storage.create(.sample(1))
            check.equal(try await storage.project(.sample(1)).id, .sample(1), "the known one")
            await check.fails(.notFound, "the unknown one") { try await storage.project(.sample(2)) }
        },
        StorageScenario(
            "project.update.changes-only-what-was-asked", "A change touches the parts it names, and the update instant."
        ) { site, check in
            let storage = try await site.open()
            try await storage.create(.sample(1, baseURL: "https://example.org"))
            try await storage.create(.sample(2))
            var wanted = Project.sample(1, name: "renamed", baseURL: "https://example.org")
            wanted.updatedAt = .noon(plus: 60)
            let given = try await storage.update(.sample(1), ProjectChange(name: "renamed"), at: .noon(plus: 60))
            check.equal(given, wanted, "project given back")
            check.equal(try await storage.project(.sample(1)), wanted, "project read back")
            check.equal(try await storage.project(.sample(2)), .sample(2), "the other project")
        },
        StorageScenario(
            "project.access.reads-back-and-changes",
            "What a project may use, and where its requests go, reads back as it was written, and changes by what is said."
        ) { site, check in
            let storage = try await site.open()
            var wanted = Project.sample(1)
            wanted.access = AccessScope(models: ["gpt-4o*", "o1"], paths: ["/v1/chat"])
            try await storage.create(wanted)
            check.equal(try await storage.project(.sample(1)), wanted, "project")
            wanted.access.models = ["claude-*"]
            (wanted.provider, wanted.baseURL, wanted.updatedAt) = ("other", "https://example.org", .noon(plus: 1))
            let change = ProjectChange(provider: "other", baseURL: "https://example.org", allowedModels: ["claude-*"])
            check.equal(
                try await storage.update(.sample(1), change, at: .noon(plus: 1)), wanted, "after the first change")
            (wanted.access, wanted.baseURL) = (AccessScope(), nil)
            let lifted = ProjectChange(baseURL: "", allowedModels: [], allowedPaths: [])
            check.equal(try await storage.update(.sample(1), lifted, at: .noon(plus: 1)), wanted, "after the second")
        },
        StorageScenario("project.update.replaces-key", "A new key replaces the sealed key and its hint.") {
            site, check in
            let storage = try await site.open()
            try await storage.create(.sample(1))
            let change = ProjectChange(key: SealedKey(ciphertext: "sealed anew", hint: "sk-…anew"))
            let changed = try await storage.update(.sample(1), change, at: .noon(plus: 1))
            check.equal([changed.sealedKey, changed.keyHint], ["sealed anew", "sk-…anew"], "key and hint")
            check.equal(changed.name, "project 1", "name")
        },
        StorageScenario(
            "project.update.refuses-taken-name", "Renaming to a taken name is refused and changes nothing."
        ) { site, check in
            let storage = try await site.open()
            for number in 1...2 { try await storage.create(.sample(number)) }
            await check.fails(.alreadyExists(field: "name"), "rename to a taken name") {
                try await storage.update(.sample(2), ProjectChange(name: "project 1"), at: .noon(plus: 1))
            }
            check.equal(try await storage.project(.sample(2)), .sample(2), "project after refusal")
        },
        StorageScenario(
            "project.update.accepts-own-name", "Renaming a project to the name it has is no conflict."
        ) { site, check in
            let storage = try await site.open()
            try await storage.create(.sample(1))
            let changed = try await storage.update(.sample(1), ProjectChange(name: "project 1"), at: .noon(plus: 1))
            check.equal(changed.name, "project 1", "name")
        },
        StorageScenario("project.update.refuses-unknown", "A project nobody has can't be changed.") { site, check in
            let storage = try await site.open()
            try await storage.create(.sample(1))
            await check.fails(.notFound, "change of nothing") {
                try await storage.update(.sample(2), ProjectChange(name: "x"), at: .noon)
            }
            check.equal(try await storage.projects(after: nil, limit: 10), [.sample(1)], "projects")
        },
        StorageScenario(
            "project.deactivate.keeps-first-instant",
            "Deactivating twice keeps the first instant; activating clears it."
        ) { site, check in
            let storage = try await site.open()
            try await storage.create(.sample(1))
            let off = ProjectChange(isActive: false)
            let first = try await storage.update(.sample(1), off, at: .noon(plus: 1)).deactivatedAt
            check.equal(first, .noon(plus: 1), "after the first")
            let second = try await storage.update(.sample(1), off, at: .noon(plus: 2)).deactivatedAt
            check.equal(second, .noon(plus: 1), "after the second")
            let on = try await storage.update(.sample(1), ProjectChange(isActive: true), at: .noon(plus: 3))
            check.equal(on.deactivatedAt, nil, "after activation")
        },
        StorageScenario(
            "project.update.revokes-its-tokens", "A change can revoke all of the project's tokens, and no others."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            try await tenancy.storage.create(.sample(2))
            let mine = try await tenancy.issue(1)
            let other = try await tenancy.issue(2, of: .sample(2))
            let change = ProjectChange(revokesTokens: true)
            _ = try await tenancy.storage.update(.sample(1), change, at: .noon(plus: 3))
            check.equal(try await tenancy.storage.token(mine.id).revokedAt, .noon(plus: 3), "its token")
            check.equal(try await tenancy.storage.token(other.id).revokedAt, nil, "another project's token")
        },
        StorageScenario(
            "project.update.is-all-or-nothing", "A refused rename revokes no token and deactivates nothing."
        ) { site, check in
            let tenancy = try await Tenancy(site)
            try await tenancy.storage.create(.sample(2))
            let token = try await tenancy.issue(1)
            await check.fails(.alreadyExists(field: "name"), "rename with revocation") {
                try await tenancy.storage.update(
                    .sample(1), ProjectChange(name: "project 2", isActive: false, revokesTokens: true), at: .noon)
            }
            check.equal(try await tenancy.storage.token(token.id).revokedAt, nil, "token after refusal")
            check.equal(try await tenancy.storage.project(.sample(1)).deactivatedAt, nil, "project after refusal")
        },
    ]
}
