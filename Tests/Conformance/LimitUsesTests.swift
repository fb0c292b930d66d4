import ProxyDomain
import ProxyManagement
import Testing

@testable import ProxyPages

@Suite("What pages show of limits")
struct LimitUsesTests {
    private static let none = Document(.null)

    private static func document(_ text: String) -> Document { Document(bytes: Array(text.utf8)) }

    private static func text(_ view: View?, _ name: String) -> String? { view?[name] as? String }

    private static func flag(_ view: View?, _ name: String) -> Bool? { view?[name] as? Bool }

    @Test func limitsThatAreNotThereAreNotShown() {
        let token = Self.document(#"{"max_requests":0,"limits":{"shadow":[]},"budget":null,"consumption":{}}"#)
        #expect(LimitUses(of: token, in: Self.none).all.isEmpty)
    }

    @Test func aLimitThatHasRoomIsShownWithItsUse() {
        let token = Self.document(
            """
            {"max_requests":4000,"limits":{"shadow":["max_requests"]},
            "consumption":{"max_requests":{"used":1000,"remaining":3000,"free_at":null}}}
            """)
        let uses = LimitUses(of: token, in: Self.none)
        let texts = ["usedText", "limitText", "remainingText", "useShare"].map { Self.text(uses.cap, $0) }
        #expect(uses.all.count == 1 && texts == ["1,000", "4,000", "3,000", "25"])
        #expect(Self.flag(uses.cap, "isUsedUp") == false && Self.text(uses.cap, "useHintHTML") == nil)
        let shown = Templates.render("limit_use", uses.cap ?? [:])
        #expect(shown.contains(#"value="25""#) && !shown.contains("used up") && !shown.contains("hint"))
    }

    @Test func aLimitThatIsUsedUpTellsWhenThereIsRoom() {
        let token = Self.document(
            """
            {"limits":{"requests_per_minute":3,"shadow":["requests_per_minute"]},
            "consumption":{"requests_per_minute":{"used":5,"remaining":0,"free_at":"2026-11-23T12:01:01.000Z"}}}
            """)
        let use = LimitUses(of: token, in: Self.none).requests
        #expect(Self.flag(use, "isUsedUp") == true && Self.flag(use, "isShadow") == true)
        #expect(Self.text(use, "useShare") == "100")
        for template in ["limit_use", "limit_now"] {
            let shown = Templates.render(template, use ?? [:])
            #expect(shown.contains("used up") && shown.contains(#"class="full""#), "\(template): \(shown)")
        }
        #expect(Templates.render("limit_use", use ?? [:]).contains(#"<time datetime="2026-11-23T12:01:01.000Z">"#))
    }

    @Test func budgetsAreShownWithThoseOfTheProject() {
        let account = #"{"spent_usd":1.5,"reserved_usd":0.5,"remaining_usd":2,"resets_at":null}"#
        let owner = Self.document(#"{"limits":{"budget_usd":4,"shadow":[]},"budget":\#(account)}"#)
        let uses = LimitUses(of: owner, in: owner)
        #expect(uses.all.count == 2)
        let texts = ["usedText", "usedMore", "limitText", "remainingText", "useShare"].map { name in
            Self.text(uses.budget, name)
        }
        #expect(texts == ["$1.50", " spent and $0.50 set aside", "$4.00", "$2.00", "50"])
        #expect(Self.text(uses.projectBudget, "useHintHTML") == "Begins anew: never")
    }
}

@Suite("The dashboard's figures of now")
struct LiveFiguresTests {
    private static func figures(_ families: String) -> [String: String] {
        let document = Document(bytes: Array(#"{"metrics":[\#(families)]}"#.utf8))
        return LiveFigures([TrafficSample(document, at: Timestamp(milliseconds: 0))]).texts
    }

    @Test func whatHasNeverHappenedIsZeroAndWhatIsNotCountedIsNothing() {
        let none = #"{"name":"llm_proxy_refusals_total","type":"counter","samples":[]}"#
        let gauge = #"{"name":"llm_proxy_database_pool_idle_connections","type":"gauge","samples":[]}"#
        let figures = Self.figures("\(none),\(gauge)")
        #expect(figures["refusals"] == "0")
        #expect(figures["shadow_refusals"] == Shown.nothing && figures["pool_idle"] == Shown.nothing)
    }

    @Test func whatIsCountedByReasonsAddsUp() {
        let samples = #"{"labels":{"code":"a"},"value":1200},{"labels":{"code":"b"},"value":34}"#
        let figures = Self.figures(#"{"name":"llm_proxy_refusals_total","type":"counter","samples":[\#(samples)]}"#)
        #expect(figures["refusals"] == "1,234")
    }
}
