import ProxyDomain
import Testing

@testable import ProxyServer

/// Lines of the log, byte for byte.
@Suite("Log lines")
struct LogLineTests {
    private let noon = Timestamp(milliseconds: 1_764_244_800_000)
    private let id = Identifier(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)

    private func line(_ format: LogLine.Format, resource: [String: String] = [:]) -> String {
        var line = LogLine(format, level: "info", at: noon, message: "a \"quote\"")
        line.add("id", id)
        line.add("trace", digitsOf: id)
        line.add("nobody", Identifier?.none)
        line.add("nothing", String?.none)
        line.add("path", "/v1/\u{1}\\\u{7F}é")
        line.add("zero", 0)
        line.add("least", Int64.min)
        line.add("beyond", UInt64.max)
        line.add(named: "a\"b", "c\nd")
        return String(decoding: line.finished(LogLine.resource(resource)), as: UTF8.self)
    }

    @Test("as JSON, everything is escaped that must be") func json() {
        #expect(
            line(.json, resource: ["service.name": "x\"y"]) == #"{"time":"2025-11-27T12:00:00.000Z","level":"info","#
                + #""message":"a \"quote\"","id":"01234567-89ab-cdef-fedc-ba9876543210","#
                + #""trace":"0123456789abcdeffedcba9876543210","path":"/v1/\u0001\\\u007fé","zero":0,"#
                + #""least":-9223372036854775808,"beyond":9223372036854775807,"a\"b":"c\u000ad","#
                + #""resource":{"service.name":"x\"y"}}"# + "\n")
    }

    @Test("for people, nothing can begin a line of its own") func console() {
        #expect(
            line(.console, resource: ["left": "out"]) == #"2025-11-27T12:00:00.000Z info a "quote" "#
                + #"id=01234567-89ab-cdef-fedc-ba9876543210 trace=0123456789abcdeffedcba9876543210 "#
                + #"path=/v1/\u0001\\u007fé zero=0 least=-9223372036854775808 beyond=9223372036854775807 a"b=c\u000ad"#
                + "\n")
    }
}
