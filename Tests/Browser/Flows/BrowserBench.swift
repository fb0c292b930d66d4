import Foundation
import Testing

/// What all flows share: a driver, a browser that runs the pages' scripts and one that doesn't, and a site.
final class BrowserBench: Sendable {
    let site: AdminSite
    private let driver: ChromeDriver
    private let scripted: Browser
    private let plain: Browser

    private init(_ site: AdminSite, _ driver: ChromeDriver, _ scripted: Browser, _ plain: Browser) {
        self.site = site
        self.driver = driver
        self.scripted = scripted
        self.plain = plain
    }

    /// On the engine that `BROWSER_DATABASE` names, else on SQLite. What had been started ends again when something does not start.
    static func start() async throws -> BrowserBench {
        let named = ProcessInfo.processInfo.environment["BROWSER_DATABASE"] ?? AdminSite.Engine.sqlite.rawValue
        guard let engine = AdminSite.Engine(rawValue: named) else {
            throw TestFailure("BROWSER_DATABASE must be sqlite or postgres")
        }
        let driver = try await ChromeDriver.start()
        do {
            let scripted = try await Browser.start(driver, profile: "scripted")
            let plain = try await Browser.start(driver, profile: "plain")
            return BrowserBench(try await AdminSite.start(on: engine), driver, scripted, plain)
        } catch {
            await driver.stop()
            throw error
        }
    }

    func end() async {
        await scripted.end()
        await plain.end()
        await driver.stop()
        await site.stop()
    }

    /// The browser for a look, with nothing left in it of whoever had it before.
    func browser(for look: Look, at site: AdminSite) async throws -> Browser {
        let browser = look.runsScripts ? scripted : plain
        try await browser.look(look)
        try await browser.forget(origin: site.origin)
        try await browser.open("about:blank")
        _ = try await browser.console()
        return browser
    }
}

/// Lends every test of a suite the same bench, and ends it after the last one, failed or not.
struct LendsBrowsers: SuiteTrait, TestScoping {
    @TaskLocal static var bench: BrowserBench?

    func provideScope(
        for test: Test, testCase: Test.Case?, performing body: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let bench = try await BrowserBench.start()
        do { try await Self.$bench.withValue(bench) { try await body() } } catch {
            await bench.end()
            throw error
        }
        await bench.end()
    }
}

extension Trait where Self == LendsBrowsers {
    static var browsers: Self { Self() }
}

/// The admin pages as people see them: in a browser.
///
/// They take one turn after another: there are two browsers, and one can only be in one place. `ci/browser` runs them.
@Suite(
    "Admin pages in a browser", .serialized, .browsers,
    .enabled(if: ProcessInfo.processInfo.environment["BROWSER_TESTS"] == "1", "they run by ci/browser"),
    .timeLimit(.minutes(5)))
enum AdminPageTests {}
