/// What happened to a request, one after the other.
enum RequestCourse {
    /// The steps that are known, each with its time after the request's head.
    static func steps(of request: Document) -> [View] {
        var steps: [View] = [
            step("Admitted", admission(of: request), Shown.timeMarkup(request["admitted_at"]))
        ]
        if !request["sent_us"].isNull {
            steps.append(step("Sent to upstream", sending(of: request), after(request["sent_us"])))
        }
        if !request["first_byte_us"].isNull {
            steps.append(step("First byte", "The answer began to reach the client.", after(request["first_byte_us"])))
        }
        if !request["duration_us"].isNull {
            steps.append(step("Done", "The last byte went out, or the end came.", after(request["duration_us"])))
        }
        if request["settled_at"].isNull {
            steps.append(step("Under way", "Its end has not been written down yet.", ""))
        } else {
            steps.append(
                step("Settled", "Usage and outcome were written down.", Shown.timeMarkup(request["settled_at"])))
        }
        return steps
    }

    /// What limits decided: they let it through, and what they set aside for it meanwhile.
    private static func admission(of request: Document) -> String {
        let text = "The head had come and the request was counted."
        let reserved = request["reserved"]
        guard !reserved.isNull else { return text }
        return
            "\(text) Limits let it through and set aside, until its end, \(count(reserved["prompt_tokens"])) tokens for its "
            + "prompt, \(count(reserved["completion_tokens"])) for its answer, and \(Shown.money(reserved["cost_usd"].number))."
    }

    private static func count(_ document: Document) -> String { Shown.grouped(Int64(document.number ?? 0)) }

    /// What is meant by sent: where several attempts were made, those before the last are in its time.
    private static func sending(of request: Document) -> String {
        let attempts = request["attempts"].items.count
        let text = "The request's head went out to the upstream."
        return attempts > 1 ? "\(text) This is the last of \(attempts) attempts." : text
    }

    private static func after(_ time: Document) -> String { "after \(Shown.microseconds(time))" }

    private static func step(_ name: String, _ text: String, _ timeMarkup: String) -> View {
        ["stepName": name, "stepText": text, "stepHTML": timeMarkup]
    }

    /// A bar of the wait for the first byte and of the answer after it; nothing while the request is under way.
    static func markup(of request: Document) -> String? {
        guard let total = request["duration_us"].number, total > 0 else { return nil }
        let waited = Shown.share(min(request["first_byte_us"].number ?? total, total), of: total)
        return "<svg class=\"course\" role=\"img\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\">"
            + "<title>Waiting and answering</title>"
            + "<desc>\(waited) percent of the time passed before the first byte.</desc>"
            + "<rect class=\"bar s1\" width=\"\(waited)\" height=\"10\"/>"
            + "<rect class=\"bar s0\" x=\"\(waited)\" width=\"\(100 - waited)\" height=\"10\"/></svg>"
    }
}
