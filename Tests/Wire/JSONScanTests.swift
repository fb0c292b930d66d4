import WireFixtures
import Foundation
import ProxyWire
import Testing

@Suite struct JSONScanTests {
    private func value(_ path: [String], in json: String) -> String? {
        let bytes = Array(json.utf8)
        return bytes.withUnsafeBytes { raw in
            let range =
                switch path.count {
                case 1: JSONScan.value(of: path[0], in: raw)
                default: JSONScan.value(of: path[0], path[1], in: raw)
                }
            return range.map { String(decoding: raw[$0], as: UTF8.self) }
        }
    }

    @Test func aMembersValueIsFoundAtItsLevelOnly() {
        let json = #" { "a" : {"b":[1,{"c":2}],"d":"}\"{"} , "c":true, "e":-1.5e+3 , "f":"x" } "#
        #expect(value(["a"], in: json) == #"{"b":[1,{"c":2}],"d":"}\"{"}"#)
        #expect(value(["a", "d"], in: json) == #""}\"{""#)
        #expect(value(["a", "b"], in: json) == #"[1,{"c":2}]"#)
        #expect(value(["c"], in: json) == "true")
        #expect(value(["e"], in: json) == "-1.5e+3")
        #expect(value(["f"], in: json) == "\"x\"")
        #expect(
            value(["b"], in: json) == nil && value(["a", "c"], in: json) == nil && value(["c", "x"], in: json) == nil)
    }

    @Test func aKeyIsFoundThroughItsEscapes() {
        #expect(value(["model"], in: #"{"mod\u0065l":1}"#) == "1")
        #expect(value(["a\"b"], in: #"{"a\"b":1}"#) == "1")
    }

    @Test func aKeyThatIsThereTwiceIsNotChosenFrom() {
        #expect(value(["a"], in: #"{"a":1,"a":2}"#) == nil)
        #expect(value(["a"], in: #"{"a":1,"\u0061":2}"#) == nil)
        #expect(value(["a"], in: #"{"a":1,"a":2,"a":3}"#) == nil)
    }

    @Test(arguments: [
        "", "{", "{}", "[]", "null", #"{"a""#, #"{"a":"#, #"{"a":1"#, #"{"a":1,"#, #"{"a":1,}"#, #"{a:1}"#, #"{"a" 1}"#,
        #"{"a":]}"#,
        #"{"a":[}]}"#, #"{"a":"x}"#, #"{"a":1;"b":2}"#, #"{"a":nul}"#, #"{"b":{"a":1}}"#, "{\"a\":\"\n\"}",
        #"{"a":1 "b":2}"#,
        "{\"a\":" + String(repeating: "[", count: 65) + String(repeating: "]", count: 65) + "}",
    ])
    func brokenTextGivesNothing(_ json: String) {
        #expect(value(["a"], in: json) == nil)
    }

    @Test func sixtyFourLevelsAreRead() {
        let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(value(["a"], in: "{\"a\":\(deep)}") == deep)
    }

    @Test func stringsAreUnescapedAsFoundationDoes() throws {
        let samples = [
            #""""#, #""plain ä😀""#, #""\"\\\/\b\f\n\r\t""#, #""\u0041\u00e4\u20AC\uD83D\uDE00""#, #""x\u0000y""#,
        ]
        for sample in samples {
            let bytes = Array(sample.utf8)
            let ours = bytes.withUnsafeBytes { JSONScan.string(at: 0..<bytes.count, in: $0) }
            let theirs = try JSONDecoder().decode([String].self, from: Data("[\(sample)]".utf8))
            #expect(ours == theirs[0])
        }
        for broken in [#""\x""#, #""\u12""#, #""\u12g4""#, #""\u""#, "x", #"""#] {
            let bytes = Array(broken.utf8)
            #expect(bytes.withUnsafeBytes { JSONScan.string(at: 0..<bytes.count, in: $0) } == nil, "\(broken)")
        }
        for (lone, text) in [
            (#""\ud83d""#, "\u{FFFD}"), (#""\ude00x""#, "\u{FFFD}x"), (#""\ud83d\u0041""#, "\u{FFFD}A"),
        ] {
            let bytes = Array(lone.utf8)
            #expect(bytes.withUnsafeBytes { JSONScan.string(at: 0..<bytes.count, in: $0) } == text)
        }
    }

    @Test func countsAreWholeNumbers() {
        let samples: [(String, Int64?)] = [
            ("0", 0), ("7", 7), ("9223372036854775807", .max), ("9223372036854775808", nil), ("01", nil), ("-1", nil),
            ("1.0", nil),
            ("1e3", nil), ("", nil), ("\"1\"", nil), ("99999999999999999999", nil),
        ]
        for (sample, expected) in samples {
            let bytes = Array(sample.utf8)
            #expect(bytes.withUnsafeBytes { JSONScan.count(at: 0..<bytes.count, in: $0) } == expected)
        }
    }
}
