import ProxySettings

/// What becomes of LiteLLM's file here: entries of a providers file, and a project for each key.
struct LiteLLMPlan {
    /// One entry of the providers file.
    struct API {
        let name: String
        let address: String
        let provider: LiteLLMProvider
        var models = ModelList()
    }

    /// A key, and what it is for: a project here.
    struct Account {
        /// The name of its entry in the providers file.
        let api: String
        let key: LiteLLMConfig.KeySource
        /// The first entry that has it.
        let place: String
        var models = ModelList()
    }

    /// Models by name, or all.
    struct ModelList: Equatable {
        private(set) var names: [String] = []
        private(set) var isAll = false

        mutating func add(_ model: String) {
            if model == "*" { isAll = true }
            if !names.contains(model) { names.append(model) }
        }
    }

    private(set) var apis: [API] = []
    private(set) var accounts: [Account] = []
    private(set) var remarks: [ImportRemark]
    private var modelNames: Set<String> = []

    init(_ config: LiteLLMConfig) {
        remarks = config.remarks
        for deployment in config.deployments { add(deployment) }
        remarks.sort { $0.line < $1.line }
    }

    private mutating func add(_ deployment: LiteLLMConfig.Deployment) {
        let (name, model) = LiteLLMProvider.split(deployment.model)
        guard !model.isEmpty else { return remark(deployment, "stays behind: it names no model") }
        guard let provider = knownProvider(name, deployment), let address = plainAddress(of: deployment, provider)
        else {
            return
        }
        var key = deployment.key
        if key == .missing, let variable = provider.keyVariable { key = .environment(variable) }
        let api = placeOfAPI(name, address, provider, deployment)
        let account = placeOfAccount(apis[api].name, key, deployment)
        apis[api].models.add(model)
        accounts[account].models.add(model)
        remarkOnNames(deployment, model)
    }

    // MARK: Where it goes

    private mutating func knownProvider(_ name: String, _ deployment: LiteLLMConfig.Deployment) -> LiteLLMProvider? {
        if let known = LiteLLMProvider.known[name] { return known }
        if deployment.address != nil, !LiteLLMProvider.unsupported.contains(name) {
            remark(deployment, "is taken for a provider that speaks OpenAI's API: '\(name.shown)' is not known here")
            return LiteLLMProvider()
        }
        let why = LiteLLMProvider.unsupported.contains(name) ? "wants signed requests" : "is not known here"
        remark(deployment, "stays behind: its provider '\(name.shown)' \(why)")
        return nil
    }

    /// As the providers file wants it: without the `/v1` that requests bring themselves.
    private mutating func plainAddress(
        of deployment: LiteLLMConfig.Deployment, _ provider: LiteLLMProvider
    ) -> String? {
        guard var text = deployment.address ?? provider.address else {
            remark(deployment, "stays behind: it has no api_base")
            return nil
        }
        if text.hasPrefix(LiteLLMConfig.unread) {
            remark(deployment, "stays behind: its api_base is in \(text.shown), which is not in the environment")
            return nil
        }
        while text.hasSuffix("/") { text.removeLast() }
        if text.hasSuffix("/v1") { text.removeLast(3) }
        if !provider.suffix.isEmpty, !text.hasSuffix(provider.suffix) { text += provider.suffix }
        guard BaseURL(text) != nil, !text.hasSuffix("/v1") else {
            remark(deployment, "stays behind: its api_base is no plain http or https address")
            return nil
        }
        return text
    }

    /// The place in ``apis`` of the one it belongs to, which is made if there is none.
    private mutating func placeOfAPI(
        _ providerName: String, _ address: String, _ provider: LiteLLMProvider, _ deployment: LiteLLMConfig.Deployment
    ) -> Int {
        let base = Self.plainName(providerName)
        let isAlike = { (api: API) in api.name == base || api.name.hasPrefix("\(base)-") }
        if let place = apis.firstIndex(where: { isAlike($0) && $0.address == address }) { return place }
        let others = apis.count(where: isAlike)
        apis.append(API(name: others == 0 ? base : "\(base)-\(others + 1)", address: address, provider: provider))
        if let remark = provider.remark { self.remark(deployment, "goes to \(address.shown): \(remark)") }
        return apis.count - 1
    }

    private mutating func placeOfAccount(
        _ api: String, _ key: LiteLLMConfig.KeySource, _ deployment: LiteLLMConfig.Deployment
    ) -> Int {
        if let place = accounts.firstIndex(where: { $0.api == api && $0.key == key }) { return place }
        accounts.append(Account(api: api, key: key, place: deployment.place))
        return accounts.count - 1
    }

    // MARK: What clients notice

    private mutating func remarkOnNames(_ deployment: LiteLLMConfig.Deployment, _ model: String) {
        let name = deployment.modelName
        if name != model, name != "*" {
            remark(deployment, "has another name: clients ask for '\(model.shown)' now, not for '\(name.shown)'")
        }
        if !modelNames.insert(name).inserted {
            remark(
                deployment,
                "shares model_name '\(name.shown)' with another entry: requests are not spread over both; "
                    + "give a project further ways, with llm-proxy manage upstream create")
        }
    }

    private mutating func remark(_ deployment: LiteLLMConfig.Deployment, _ what: String) {
        remarks.append(ImportRemark(text: "\(deployment.place) \(what)", line: deployment.line))
    }

    /// What the providers file takes as a name.
    private static func plainName(_ text: String) -> String {
        let plain = text.prefix(48).map { character in
            character.isASCII && (character.isLetter || character.isNumber || "_-.".contains(character))
                ? character : "-"
        }
        return plain.isEmpty ? "provider" : String(plain)
    }
}

// MARK: - The providers file

extension LiteLLMPlan {
    /// The text of a providers file with all of ``apis``.
    func providersFile(named name: String) -> String {
        var lines = [
            "# Made of \(Self.plainName(name)) by llm-proxy import litellm. Look through it before a server reads it.",
            "default_api: \(Self.quoted(apis.first?.name ?? ""))", "", "apis:",
        ]
        for api in apis {
            lines.append("  \(Self.quoted(api.name)):")
            lines.append("    base_url: \(Self.quoted(api.address))")
            lines.append("    auth: \(api.provider.auth)")
            if let endpoints = api.provider.endpoints {
                lines.append("    allowed_endpoints: [\(endpoints.map(Self.quoted).joined(separator: ", "))]")
            }
            guard api.provider.narrowsModels, !api.models.isAll else { continue }
            lines += ["    param_whitelist:", "      model:"]
            lines += api.models.names.map { "        - \(Self.quoted($0))" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// As YAML has it in double quotes.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: quoted += "?"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

// MARK: - Projects

extension LiteLLMPlan {
    /// What the project of an account is called; those that would be called alike are numbered.
    func projectName(of account: Account) -> String {
        let name = plainName(of: account)
        let alike = accounts.filter { plainName(of: $0) == name }
        guard let place = alike.firstIndex(where: { $0.place == account.place }), place > 0 else { return name }
        return "\(name)-\(place + 1)"
    }

    /// As its provider, unless that has several keys.
    private func plainName(of account: Account) -> String {
        let alike = accounts.filter { $0.api == account.api }
        guard alike.count > 1 else { return account.api }
        switch account.key {
        case .environment(let variable): return "\(account.api)-\(variable.lowercased())"
        case .literal: return "\(account.api)-\(account.models.names.first ?? "key")"
        case .missing: return "\(account.api)-without-key"
        }
    }

    /// The models of an account, where it has not all that its provider has.
    func narrowedModels(of account: Account) -> [String] {
        guard let api = apis.first(where: { $0.name == account.api }), api.provider.narrowsModels else { return [] }
        return account.models.isAll || account.models == api.models ? [] : account.models.names
    }
}
