import Foundation

extension Browser {
    /// The height of the window, in CSS pixels, unless a picture needs another.
    static let height = 900

    /// Sees the pages so from now on, what is open included.
    func look(_ look: Look) async throws {
        try await resize(width: look.width, height: Self.height)
        let features: JSON = [
            ["name": "prefers-color-scheme", "value": .string(look.theme.rawValue)],
            // Nothing moves while colours and places are measured.
            ["name": "prefers-reduced-motion", "value": "reduce"],
        ]
        try await develop("Emulation.setEmulatedMedia", ["features": features])
        // Each of several browsers believes that it is the one in front.
        try await develop("Emulation.setFocusEmulationEnabled", ["enabled": true])
        try await develop("Emulation.setScriptExecutionDisabled", ["value": .bool(!look.runsScripts)])
    }

    /// Narrower also than any window may be.
    func resize(width: Int, height: Int) async throws {
        try await develop(
            "Emulation.setDeviceMetricsOverride",
            [
                "width": .number(Double(width)), "height": .number(Double(height)), "deviceScaleFactor": 1,
                "mobile": false,
            ])
    }

    /// A picture of the whole page, as PNG, in a window as high as the page.
    func picture(width: Int) async throws -> Data {
        let height = try await run("return document.documentElement.scrollHeight").number ?? 0
        try await resize(width: width, height: min(max(Int(height), Self.height), 6000))
        let text = try await tell("GET", "/screenshot").text ?? ""
        try await resize(width: width, height: Self.height)
        guard let data = Data(base64Encoded: text) else { throw TestFailure("the picture is no Base64") }
        return data
    }

    /// What pages wrote to the console since it was last asked, as JSON objects with `level`, `source` and `message`.
    func console() async throws -> [JSON] { try await tell("POST", "/se/log", ["type": "browser"]).list }

    /// The cookies that the open page is sent with.
    func cookies() async throws -> [JSON] { try await tell("GET", "/cookie").list }

    /// Forgets all cookies, of all sites, and what a site keeps here.
    func forget(origin: String) async throws {
        try await develop("Network.clearBrowserCookies")
        try await develop("Storage.clearDataForOrigin", ["origin": .string(origin), "storageTypes": "all"])
    }

    /// Keeps a cookie as if the site had set it.
    func keep(cookie name: String, _ value: String, origin: String) async throws {
        try await develop(
            "Network.setCookie",
            [
                "url": .string(origin + "/"), "name": .string(name), "value": .string(value), "path": "/admin",
                "httpOnly": true, "sameSite": "Strict",
            ])
    }
}
