import ProxyManagement

/// `/admin/database`: what keeps everything, and whether its promises hold.
enum DatabasePage {
    static let routes = [
        PageRoute("GET", "database") { await show($0, nil) }, PageRoute("POST", "database/verify", verify),
    ]

    private static func verify(_ context: PageContext) async -> PageAnswer {
        await show(context, await context.api.send("POST", "/manage/database/verify"))
    }

    private static func show(_ context: PageContext, _ verdict: APIAnswer?) async -> PageAnswer {
        let answer = await context.api.get("/manage/database")
        if let fault = answer.fault { return context.failure(fault, in: .database) }
        var view = facts(of: answer.document)
        let live = LiveFigures(await context.site.sampler.samples(of: context))
        view["live"] = live.texts
        view["verifyFault"] = verdict?.fault?.view
        if let verdict, verdict.isGood {
            view["verdict"] =
                [
                    "holds": verdict.document["holds"].isTrue, "findings": findings(of: verdict.document),
                ] as View
        }
        let status = verdict?.fault?.status ?? 200
        return context.page("database", "database", "Database", in: .database, status: status, view)
    }

    private static func findings(of document: Document) -> [View] {
        document["findings"].items.map { finding in
            let violations = finding["violations"].whole
            return [
                "invariant": finding["invariant"].plain, "checked": Shown.grouped(finding["checked"].whole),
                "violations": Shown.grouped(violations), "isKept": violations == 0,
                "examples": finding["examples"].items.map { $0.value.shownText },
            ] as View
        }
    }

    private static func facts(of document: Document) -> View {
        let drift = document["drift"]
        let retention = document["retention_days"]
        let sizes = document["sizes"].items
        let largest = sizes.map { $0["bytes"].number ?? 0 }.max() ?? 0
        let retentionText = retention.isNull ? "kept for ever" : "\(retention.plain) days"
        let driftText = drift.isNull ? "not looked at yet" : Shown.grouped(drift.whole)
        var view: View = [
            "driver": document["driver"].plain, "engineVersion": document["version"].plain,
            "databaseStatus": document["status"].plain, "isWell": document["status"].plain == "ok",
            "retentionText": retentionText,
            "driftText": driftText,
            "driftIsGood": drift.whole == 0,
        ]
        view["pool"] = document["pool"].members.map {
            ["poolName": $0.name.split(separator: "_").joined(separator: " "), "poolValue": $0.value.plain] as View
        }
        view["hasPool"] = !document["pool"].members.isEmpty
        view["sizes"] = sizes.map { size in
            let bytes = size["bytes"].number ?? 0
            return [
                "sizeName": size["name"].plain, "sizeText": Shown.bytes(bytes),
                "sizeBar": SVGChart.bar(bytes, of: largest),
            ] as View
        }
        view["migrations"] = document["migrations"].items.map {
            ["migrationVersion": $0["version"].plain, "migrationName": $0["name"].plain] as View
        }
        view["servers"] = document["instances"].items.map {
            ["serverID": $0["id"].plain, "serverProgress": Shown.grouped($0["progress"].whole)] as View
        }
        view["copies"] = document["copies"].items.map {
            [
                "copySource": $0["source"].plain, "copyBegan": Shown.timeMarkup($0["began_at"]),
                "copyEnded": Shown.timeMarkup($0["ended_at"], otherwise: "not ended"),
            ] as View
        }
        view["hasCopies"] = !document["copies"].items.isEmpty
        return view
    }
}

extension JSONValue {
    /// A text as it is, anything else as JSON.
    fileprivate var shownText: String {
        guard case .string(let text) = self else { return text }
        return text
    }
}
