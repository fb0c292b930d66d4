import NIOCore
import ProxyConformance
import ProxyDomain
import ProxyManagement
import Testing

@Suite struct ManagementRouteTests {
    @Test func everyManagementRouteRefusesCallersWithoutTheToken() async throws {
        let bench = try ManagementBench()
        let id = "019ab000-0000-7000-8000-000000000000"
        #expect(Management.routes.count == 33)
        for route in Management.routes {
            let path = route.pathTemplate.replacing("{id}", with: id)
            #expect((route.authorisation != .open) == path.hasPrefix("/manage/"), "\(route)")
            let bare = await bench.send(route.method, path, token: nil)
            switch route.authorisation {
            case .role:
                #expect(bare.status == 401, "\(route)")
                #expect(bare.code == "unauthorized" && bare.field("WWW-Authenticate") == "Bearer")
                #expect(await bench.send(route.method, path, token: "wrong", from: path).status == 401, "\(route)")
            case .open: #expect(bare.status == 200, "\(route)")
            }
            #expect(![401, 404, 405].contains(await bench.send(route.method, path).status) || path.contains(id))
        }
    }

    @Test func everyRouteHasTheRoleThatIsPromised() {
        let served = Management.routes.compactMap { route -> String? in
            guard case .role(let role) = route.authorisation else { return nil }
            return "\(route.method) \(route.pathTemplate) \(role)"
        }
        #expect(served.sorted() == RouteRole.all.map { "\($0.method) \($0.path) \($0.role)" }.sorted())
    }

    @Test func aRouteWithoutAuthorisationCannotBeServed() {
        let endpoint = Endpoint("GET", "/manage/secrets", .server) { _ in throw CancellationError() }
        #expect(throws: RouteTableError.withoutAuthorisation(route: "GET /manage/secrets")) {
            try RouteTable(routes: [], endpoints: [endpoint])
        }
        let route = ManagementRoute("GET", "/manage/secrets", .role(.admin))
        #expect(throws: RouteTableError.withoutHandler(route: "GET /manage/secrets")) {
            try RouteTable(routes: [route], endpoints: [])
        }
        #expect(throws: RouteTableError.declaredTwice(route: "GET /manage/secrets")) {
            try RouteTable(routes: [route, route], endpoints: [endpoint])
        }
        #expect(throws: Never.self) { try RouteTable(routes: [route], endpoints: [endpoint]) }
    }

    @Test func anUnforeseenErrorOfAHandlerIsADullAnswer() async throws {
        let bench = try ManagementBench()
        let route = ManagementRoute("GET", "/boom", .open)
        let table = try RouteTable(
            routes: [route], endpoints: [Endpoint("GET", "/boom", .server) { _ in throw CancellationError() }])
        let management = Management(ManagementBench.dependencies(bench.storage, bench.world), table)
        let reply = ManagementBench.Reply(
            response: await management.respond(
                to: ManagementRequest(method: "GET", target: "/boom", fields: [], body: .init(), peerAddress: "a")))
        #expect(reply.status == 500 && reply.code == "internal_error")
    }

    @Test(arguments: ["", "metrics", "/", "/m//n", "/m/", "/{id}", "/a b", "/**", "/é", "/health"])
    func anUnusableMetricsPathIsRefusedAtStart(_ path: String) {
        #expect(throws: RouteTableError.self) { try ManagementBench(metricsPath: path) }
    }

    @Test func theMetricsCanBeMovedAndSwitchedOff() async throws {
        let moved = try ManagementBench(metricsPath: "/internal/figures")
        #expect(await moved.send("GET", "/internal/figures").status == 200)
        #expect(await moved.send("GET", "/metrics").status == 404)
        #expect(await moved.send("GET", "/metrics/prometheus").status == 200)
        let off = await (try ManagementBench(metricsEnabled: false)).send("GET", "/metrics", token: nil)
        #expect(off.status == 404 && off.code == "metrics_disabled")
    }

    @Test func aMethodThatIsNotServedIsAnsweredWithThoseThatAre() async throws {
        let bench = try ManagementBench()
        let id = await bench.newProject()
        let deleted = await bench.send("DELETE", "/manage/projects/\(id)")
        #expect(deleted.status == 405 && deleted.field("Allow") == "GET, HEAD, PATCH")
        #expect(deleted.explanation.contains("is_active"))
        #expect(await bench.send("GET", "/manage/projects/\(id)").status == 200)
        #expect(await bench.send("DELETE", "/manage/projects/\(id)", token: nil).status == 401)
        #expect(await bench.send("PUT", "/manage/tokens").field("Allow") == "GET, HEAD, POST")
        #expect(await bench.send("POST", "/health", token: nil).field("Allow") == "GET, HEAD")
        #expect(await bench.send("BREW", "/health", token: nil).status == 405)
    }

    @Test func anUnknownPathIsNotFoundAndBelowManageOnlyForThoseWhoMayKnow() async throws {
        let bench = try ManagementBench()
        #expect(await bench.send("GET", "/nothing", token: nil).code == "route_not_found")
        #expect(await bench.send("GET", "/manage/nothing", token: nil).status == 401)
        #expect(await bench.send("GET", "//manage/nothing", token: nil).status == 401)
        #expect(await bench.send("GET", "/manage/nothing").status == 404)
    }

    @Test(arguments: [
        ("GET", "manage/projects"), ("GET", "*"), ("GET", ""), ("G T", "/"), ("GET", "/a\u{0}b"), ("", "/"),
    ])
    func aTargetThatCannotBeReadIsRefused(_ method: String, _ target: String) async throws {
        let reply = await (try ManagementBench()).send(method, target)
        #expect(reply.status == 400 && reply.code == "malformed_request")
    }

    @Test func headIsGetWithoutTheBody() async throws {
        let bench = try ManagementBench()
        _ = await bench.newProject()
        for path in ["/manage/projects", "/live", "/metrics"] {
            let get = await bench.send("GET", path)
            let head = await bench.send("HEAD", path)
            #expect(head.status == 200 && head.response.body.readableBytes == 0)
            #expect(get.response.body.readableBytes > 0)
            #expect(head.response.contentLength == get.response.contentLength)
            #expect(head.field("Content-Type") == get.field("Content-Type"))
        }
    }

    @Test func theRequestIDIsTheClientsWhereItIsHarmless() async throws {
        let bench = try ManagementBench()
        func echoed(_ values: String...) async -> String {
            await bench.send("GET", "/live", fields: values.map { ("x-request-id", $0) }).field("X-Request-ID") ?? ""
        }
        #expect(await echoed("abc-1.2_3") == "abc-1.2_3")
        for odd in ["", "a b", "a\r\nb", String(repeating: "a", count: 129), "é"] {
            #expect(await echoed(odd).count == 36, "\(odd)")
        }
        #expect(await echoed("a", "b").count == 36)
    }

    @Test func aCredentialIsReadInOneWayOnly() async throws {
        let bench = try ManagementBench()
        let token = ManagementBench.managementToken
        func status(_ values: String...) async -> Int {
            await bench.send("GET", "/manage/projects", token: nil, fields: values.map { ("Authorization", $0) }).status
        }
        #expect(await status("Bearer \(token)") == 200)
        #expect(await status("BEARER  \(token) ") == 200)
        for wrong in [
            "Basic \(token)", token, "Bearer", "Bearer ", "Bearer\(token)", "Bearer \(token)x",
            "Bearer the-management -token",
        ] {
            #expect(await status(wrong) == 401, "\(wrong)")
        }
        #expect(await status("Bearer \(token)", "Bearer \(token)") == 401)
    }
}
