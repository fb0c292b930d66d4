/// What holds of every page, whatever it shows: it can be read, heard, and used by keyboard.
struct PageChecks {
    let browser: Browser

    init(_ browser: Browser) { self.browser = browser }

    /// Checks the open page.
    /// - Returns: its faults, each as a text; none when all is well.
    func faults() async throws -> [String] {
        // From here on the browser takes what is focused for focused by keyboard. Not from the last stop: it would leave the page.
        try await browser.run("document.querySelector('a[href], button, input')?.focus()")
        try await browser.press(.tab)
        var faults = try await browser.run(PageScript.faults).texts
        faults += try await browser.run(PageScript.intruders).texts
        return faults
    }

    /// Walks through the open page with the Tab key.
    /// - Returns: what is reached out of the document's order, or not at all.
    func faultsOfTabbing() async throws -> [String] {
        let stops = try await browser.run(PageScript.beginTabbing).list
        // A control for instants has a stop for each part of one.
        let parts = stops.filter { $0.list.last?.flag == true }.count * 8
        try await browser.press(.tab, times: stops.count + parts + 2)
        var faults: [String] = []
        var reached: [Int] = []
        var furthest = -1
        for entry in try await browser.run("return window.reached").list {
            guard let number = entry.list.first?.number.map({ Int($0) }), number >= 0 else { continue }
            // After the last one it begins anew.
            if reached.last == number { continue }
            if reached.contains(number) { break }
            reached.append(number)
            // It may begin anywhere: where the focus was last.
            let steps = (number - reached[0] + stops.count) % stops.count
            if steps < furthest { faults.append("\(entry.list[1].text ?? "") is reached too late (2.4.3)") }
            furthest = max(furthest, steps)
        }
        for (number, stop) in stops.enumerated() where !reached.contains(number) {
            // Of a group of radio buttons the key reaches one.
            if stop.list[1].flag != true {
                faults.append("\(stop.list[0].text ?? "") is not reached by Tab (2.1.1)")
            }
        }
        return faults
    }
}
