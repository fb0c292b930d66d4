import NIOCore
import ProxyCache
import ProxyDomain
import ProxyWire
import Testing

@Suite("Paths at which something was changed")
struct ChangedPathsTests {
    private let project = ProjectID(Identifier(high: 0, low: 1))
    private let other = ProjectID(Identifier(high: 0, low: 2))

    private func answer(
        at milliseconds: Int64, of project: ProjectID, method: String = "GET", url: String = "/v1/files?a=b"
    ) throws -> StoredResponse {
        let bytes = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        let time = Timestamp(milliseconds: milliseconds)
        return StoredResponse(
            request: .init(project: project, method: method, url: url, selecting: [:]),
            head: try #require(ResponseHead(bytes)), headBytes: bytes, body: ByteBuffer(), contentLength: 0,
            isRechunked: false, model: nil, storedAt: time, initialAge: 0, freshUntil: time)
    }

    @Test func whatWasGivenBeforeIsOutOfDate() throws {
        let paths = ChangedPaths()
        #expect(paths.note(project, "/v1/files", at: Timestamp(milliseconds: 10)))
        #expect(!paths.note(project, "/v1/files", at: Timestamp(milliseconds: 20)), "it was known")
        #expect(paths.hasChanged(since: try answer(at: 20, of: project)))
        #expect(!paths.hasChanged(since: try answer(at: 21, of: project)))
        #expect(!paths.hasChanged(since: try answer(at: 5, of: other)))
        #expect(!paths.hasChanged(since: try answer(at: 5, of: project, method: "POST")))
        #expect(!paths.hasChanged(since: try answer(at: 5, of: project, url: "/v1/file")))
    }

    @Test func whatIsKeptAfterwardsIsLookedForOnce() {
        let paths = ChangedPaths()
        let now = Timestamp(milliseconds: 10)
        for each in [project, nil] { _ = paths.note(each, "/v1/files", at: now) }
        paths.noteKept(project, "/v1/files")
        for each in [project, nil] {
            #expect(paths.note(each, "/v1/files", at: now))
            #expect(!paths.note(each, "/v1/files", at: now))
        }
        paths.noteKept(other, "/v1/files")
        #expect(!paths.note(project, "/v1/files", at: now) && paths.note(nil, "/v1/files", at: now))
    }

    @Test func oneForAllProjectsIsOneForEach() throws {
        let paths = ChangedPaths()
        _ = paths.note(nil, "/v1/files", at: Timestamp(milliseconds: 10))
        for each in [project, other] {
            #expect(paths.hasChanged(since: try answer(at: 9, of: each)))
            #expect(!paths.hasChanged(since: try answer(at: 11, of: each)))
        }
    }

    @Test func ofMoreThanAreKnownAllThatWasBeforeCountsAsChanged() throws {
        let paths = ChangedPaths(most: 3)
        for number in 1...4 {
            #expect(paths.note(project, "/v1/\(number)", at: Timestamp(milliseconds: Int64(10 * number))))
        }
        #expect(paths.hasChanged(since: try answer(at: 39, of: other, url: "/v1/never-changed")))
        #expect(!paths.hasChanged(since: try answer(at: 41, of: project, url: "/v1/1")))
        #expect(paths.note(project, "/v1/1", at: Timestamp(milliseconds: 50)), "it was forgotten")
    }
}
