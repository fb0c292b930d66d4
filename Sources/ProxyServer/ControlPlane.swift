import Logging
import ProxyDomain
import ProxyManagement
import ProxyPages
import ProxyRelay
import ProxySettings
import ProxyStorage

/// What answers requests that are not for an upstream: the management API, and its pages.
struct ControlPlane: Sendable {
    let management: Management
    let pages: AdminPages
    let trustedProxies: [AddressRange]
    /// Whether clients speak TLS to this server itself.
    let isSecure: Bool

    init(
        _ management: Management, _ sessions: any AdminSessionStore, _ settings: ServerSettings,
        _ surroundings: Surroundings, _ logger: Logger
    ) throws {
        self.management = management
        pages = try AdminPages(
            PageDependencies(
                management: management, sessions: sessions, now: surroundings.now, random: surroundings.random,
                metricsPath: settings.metrics.path, version: productVersion, logger: logger))
        trustedProxies = settings.trustedProxies
        isSecure = settings.certificate != nil
    }

    /// Answers what the relay hands over.
    func respond(to request: LocalRequest) async -> LocalResponse {
        let client = trustedProxies.client(
            behind: request.peerAddress, forwarded: request.values(of: "x-forwarded-for"))
        let request = ManagementRequest(
            method: request.method, target: request.target, fields: request.fields, body: request.body,
            peerAddress: client, isSecure: isSecure || cameSecurely(request))
        let response =
            AdminPages.serves(request) ? await pages.respond(to: request) : await management.respond(to: request)
        return LocalResponse(
            status: response.status, fields: response.fields, body: response.body,
            contentLength: response.contentLength)
    }

    /// Has the audit tell of a client's credential that the relay refused.
    @Sendable func record(_ refused: RefusedCredential) {
        management.tokenRefused(
            RefusedCall(
                requestID: refused.requestID.text,
                clientAddress: trustedProxies.client(behind: refused.peerAddress, forwarded: refused.forwardedFor),
                correlationIDs: refused.correlationIDs, method: refused.method, path: refused.path,
                tokenID: refused.tokenID, projectID: refused.projectID, code: refused.code))
    }

    /// Whether a proxy before us, which we trust, says that its client speaks TLS.
    private func cameSecurely(_ request: LocalRequest) -> Bool {
        guard let peer = InternetAddress(request.peerAddress), trustedProxies.contains(where: { $0.contains(peer) })
        else { return false }
        return request.values(of: "x-forwarded-proto").last?.lowercased() == "https"
    }
}

extension LocalRequest {
    fileprivate func values(of name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name }.map(\.value)
    }
}
