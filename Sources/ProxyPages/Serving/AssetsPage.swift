import Crypto
import NIOCore
import ProxyDomain
import ProxyManagement

/// `/admin/assets/…`: styles and modules, which hold no secret and are the same for everybody.
enum AssetsPage {
    static func show(_ name: String, _ request: ManagementRequest) -> PageAnswer {
        guard request.method == "GET" || request.method == "HEAD" else {
            return PageAnswer(status: 405, fields: [("Allow", "GET, HEAD")])
        }
        guard let asset = PageAssets.asset(name) else { return PageAnswer(status: 404) }
        let tag = "\"\(Hexadecimal.text(SHA256.hash(data: asset.bytes).prefix(12)))\""
        let fields = [(name: "ETag", value: tag), (name: "Cache-Control", value: "no-cache")]
        let known = request.values(of: "if-none-match").joined(separator: ",").split(separator: ",").map {
            (part: Substring) in
            part.filter { $0 != " " }
        }
        if known.contains(tag) || known.contains("W/\(tag)") { return PageAnswer(status: 304, fields: fields) }
        return PageAnswer(
            status: 200, fields: [("Content-Type", asset.type)] + fields, body: ByteBuffer(bytes: asset.bytes))
    }
}
