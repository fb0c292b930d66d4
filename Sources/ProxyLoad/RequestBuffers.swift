import NIOCore
import ProxyWire

/// The requests to one target as they go over the wire, each made once.
struct RequestBuffers {
    /// One request.
    struct Request {
        let bytes: ByteBuffer
        let method: RequestMethod
        /// What each answer must hold; `nil` for anything.
        let expected: [UInt8]?
    }

    private let mix: LoadMix
    private let target: LoadTarget
    private let expected: [[UInt8]?]
    private var made: [Request?]

    init(_ mix: LoadMix, to target: LoadTarget, expected: [[UInt8]?]) {
        self.mix = mix
        self.target = target
        self.expected = expected
        made = Array(repeating: nil, count: mix.parts.count * max(1, mix.tokens.count))
    }

    /// What request `number` is.
    mutating func request(_ number: Int) -> Request {
        let choice = mix.choice(number)
        let place = choice.part * max(1, mix.tokens.count) + (choice.token ?? 0)
        if let request = made[place] { return request }
        let request = Request(
            bytes: ByteBuffer(bytes: mix.bytes(of: choice, to: target)),
            method: mix.parts[choice.part].request.wireMethod,
            expected: expected[choice.part])
        made[place] = request
        return request
    }
}

/// Whether content that comes in pieces is what was expected.
struct ContentComparison {
    private let expected: [UInt8]?
    private var count = 0
    private var differs = false

    init(_ expected: [UInt8]?) { self.expected = expected }

    mutating func take(_ bytes: UnsafeRawBufferPointer) {
        guard let expected, !differs else { return }
        let end = count + bytes.count
        differs = end > expected.count || !bytes.elementsEqual(expected[count..<end])
        count = end
    }

    /// Of all that came, once it is all there.
    var isSame: Bool { expected.map { !differs && count == $0.count } ?? true }
}
