import NIOCore
import NIOHTTP1

/// A request while it comes.
struct IncomingRequest {
    /// Most bytes of a body that are kept for the answer; what is beyond is only hashed.
    private static let kept = 64 << 20
    /// Most bytes of a body that the record of a request holds.
    private static let recorded = 64 << 10

    /// Where it is told what the simulator has done.
    static let truthPath = "/sim/truth"

    let head: HTTPRequestHead
    let path: String
    let number: Int
    let script: SimulatorScript
    /// What is answered instead, because the script could not be read.
    var complaint: Answer?
    var isComplete = false
    /// Tokens that its answer tells of.
    var usage = SimulatedUsage()
    /// Its number in the record, once it is there.
    var noted: Int?
    private let instant = ContinuousClock.now
    private var body: [UInt8] = []
    private var hash = ContentHash()

    init(_ head: HTTPRequestHead, path: String, number: Int, script: SimulatorScript) {
        self.head = head
        self.path = path
        self.number = number
        self.script = script
    }

    mutating func take(_ bytes: ByteBuffer) {
        bytes.withUnsafeReadableBytes { bytes in
            hash.update(bytes)
            if body.count + bytes.count <= Self.kept { body.append(contentsOf: bytes) }
        }
    }

    var isInquiry: Bool { path == Self.truthPath }

    var call: Call {
        Call(
            number: script.answerNumber ?? number, method: head.method.rawValue, path: path,
            contentType: head.headers.first(name: "content-type") ?? "", body: body, script: script)
    }

    func observed(connection: Int) -> ObservedRequest {
        ObservedRequest(
            number: 0, method: head.method.rawValue, target: head.uri,
            fields: head.headers.map { (name: $0.name, value: $0.value) }, bodyCount: hash.count, bodyHash: hash.value,
            body: hash.count <= Self.recorded ? body : nil, isComplete: isComplete, connection: connection,
            instant: instant)
    }
}
