import Testing

@testable import ProxyPages

@Suite("The course of a request")
struct RequestCourseTests {
    private func steps(_ text: String) -> [View] { RequestCourse.steps(of: Document(bytes: Array(text.utf8))) }

    private func texts(_ name: String, of steps: [View]) -> [String] { steps.map { $0[name] as? String ?? "" } }

    @Test func tellsWhenItWasSentBetweenAdmissionAndFirstByte() {
        let steps = steps(
            #"{"admitted_at":"2026-01-02T03:04:05.678Z","sent_us":250,"first_byte_us":1500,"duration_us":2500000,"#
                + #""settled_at":"2026-01-02T03:04:08.178Z","attempts":[]}"#)
        #expect(texts("stepName", of: steps) == ["Admitted", "Sent to upstream", "First byte", "Done", "Settled"])
        let times = texts("stepHTML", of: steps)
        #expect(Array(times[1...3]) == ["after 250 µs", "after 1.5 ms", "after 2.5 s"])
        #expect(texts("stepText", of: steps)[1] == "The request's head went out to the upstream.")
    }

    /// An answer from the cache, one that no upstream could be reached for, and one that an older program wrote down.
    @Test func saysNothingOfSendingWhereThatIsNotKnown() {
        let end = #""duration_us":9,"settled_at":"2026-01-02T03:04:05.678Z""#
        for sent in ["", #""sent_us":null,"#] {
            let steps = steps(#"{"admitted_at":"2026-01-02T03:04:05.678Z",\#(sent)"first_byte_us":null,\#(end)}"#)
            #expect(texts("stepName", of: steps) == ["Admitted", "Done", "Settled"])
        }
        #expect(texts("stepName", of: steps("{}")) == ["Admitted", "Under way"])
    }

    @Test func saysWhatItsLimitsSetAside() {
        let reserved = #"{"prompt_tokens":12,"completion_tokens":1000,"cost_usd":0.25}"#
        let text = texts("stepText", of: steps(#"{"reserved":\#(reserved)}"#))[0]
        #expect(
            text
                == "The head had come and the request was counted. Limits let it through and set aside, until its end, 12 tokens for its "
                + "prompt, 1,000 for its answer, and $0.25.")
        #expect(!texts("stepText", of: steps(#"{"reserved":null}"#))[0].contains("set aside"))
    }

    @Test func saysThatAttemptsBeforeTheLastAreInTheTime() {
        let attempts = #"{"provider":"openai","upstream_id":null,"result":"503"}"#
        let steps = steps(#"{"sent_us":0,"attempts":[\#(attempts),\#(attempts)]}"#)
        let text = "The request's head went out to the upstream. This is the last of 2 attempts."
        #expect(texts("stepText", of: steps)[1] == text)
    }
}
