import ProxySettings

/// LiteLLM's `config.yaml` as it stands: what can be carried over, and a remark on each thing that can't.
struct LiteLLMConfig {
    /// One entry of `model_list`.
    struct Deployment {
        /// Where it stands, for remarks: `model_list[0]`.
        let place: String
        let line: Int
        /// What clients of LiteLLM call it.
        let modelName: String
        /// What LiteLLM calls it: provider and model.
        let model: String
        let address: String?
        let key: KeySource
    }

    /// Where an entry's key is.
    enum KeySource: Hashable {
        case environment(String)
        /// In the file itself.
        case literal(Secret)
        /// Nowhere in the file.
        case missing
    }

    private(set) var deployments: [Deployment] = []
    private(set) var remarks: [ImportRemark] = []
    private let name: String
    private let environment: [String: String]

    /// - Parameter name: what errors call the file.
    /// - Throws: `.usage` for what is no YAML, or none of LiteLLM's.
    init(_ text: String, named name: String, environment: [String: String]) throws(TransferError) {
        self.name = name
        self.environment = environment
        let root: YAMLNode?
        do throws(YAMLFault) {
            root = try YAMLReader.read(text)
        } catch {
            throw .usage("--config \(name) line \(error.line) \(error.rule): correct it, or write it without that")
        }
        guard case .mapping(let entries)? = root?.content, entries.contains(where: { $0.key == "model_list" }) else {
            throw .usage("--config \(name) has no model_list: name LiteLLM's config.yaml")
        }
        for entry in entries { try readSection(entry) }
    }

    private mutating func readSection(_ section: YAMLEntry) throws(TransferError) {
        guard section.key == "model_list" else { return remarkOnParts(of: section) }
        guard case .sequence(let nodes) = section.value.content else {
            throw .usage("--config \(name) line \(section.line): model_list must be a list: write one \"- \" per model")
        }
        for (number, node) in nodes.enumerated() { readDeployment(node, "model_list[\(number)]") }
    }

    // MARK: Entries

    private mutating func readDeployment(_ node: YAMLNode, _ place: String) {
        var (modelName, parameters): (String?, [YAMLEntry]) = (nil, [])
        for entry in node.entries {
            switch entry.key {
            case "model_name": modelName = entry.value.text
            case "litellm_params": parameters = entry.value.entries
            case "model_info": for each in entry.value.entries { remark(on: each, in: "\(place).model_info") }
            default: remark(on: entry, in: place)
            }
        }
        var (model, address, key): (String?, String?, KeySource) = (nil, nil, .missing)
        for entry in parameters {
            switch entry.key {
            case "model": model = entry.value.text
            case "api_base", "base_url": address = readAddress(entry, place)
            case "api_key": key = Self.keySource(entry.value.text)
            default: remark(on: entry, in: "\(place).litellm_params")
            }
        }
        guard let model else {
            return remark("\(place) has no litellm_params.model, and stays behind", node.line)
        }
        deployments.append(
            Deployment(
                place: place, line: node.line, modelName: modelName ?? model, model: model,
                address: address, key: key))
    }

    private mutating func readAddress(_ entry: YAMLEntry, _ place: String) -> String? {
        guard let text = entry.value.text else { return nil }
        guard let variable = Self.variable(in: text) else { return text }
        // An address that nobody can read: the entry would go elsewhere.
        return environment[variable] ?? "\(Self.unread)\(variable)"
    }

    /// How an address begins that is in no environment of ours.
    static let unread = "os.environ/"

    private static func variable(in text: String) -> String? {
        text.hasPrefix(unread) ? String(text.dropFirst(unread.count)) : nil
    }

    private static func keySource(_ text: String?) -> KeySource {
        guard let text else { return .missing }
        guard let variable = variable(in: text) else { return .literal(Secret(text)) }
        return .environment(variable)
    }

    // MARK: Remarks

    mutating func remark(_ text: String, _ line: Int) { remarks.append(ImportRemark(text: text, line: line)) }

    private mutating func remarkOnParts(of section: YAMLEntry) {
        let parts = section.value.entries
        guard !parts.isEmpty else { return remark(on: section, in: nil) }
        for entry in parts { remark(on: entry, in: section.key.shown) }
    }

    /// Says what stays behind, by its name alone: values may be secrets.
    private mutating func remark(on entry: YAMLEntry, in place: String?) {
        let path = (place.map { "\($0)." } ?? "") + entry.key.shown
        let advice = LiteLLMAdvice.on[entry.key] ?? "there is no such thing here"
        remark("\(path) stays behind: \(advice)", entry.line)
    }
}

/// What a file holds that was not carried over, and what to do about it.
public struct ImportRemark: Hashable, Sendable {
    public let text: String
    /// From 1.
    public let line: Int
}

extension YAMLNode {
    /// Of a mapping; none of anything else.
    fileprivate var entries: [YAMLEntry] {
        guard case .mapping(let entries) = content else { return [] }
        return entries
    }

    /// Of a scalar that holds something.
    fileprivate var text: String? {
        guard case .scalar(let text, _) = content, !text.isEmpty else { return nil }
        return text
    }
}
