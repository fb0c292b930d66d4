/// What a setting is, and who said so.
public struct SettingOrigin: Sendable {
    public enum Source: Hashable, Sendable {
        case flag
        case environment
        case dotEnv
        /// The file at this path, which `NAME_FILE` names.
        case file(String)
        /// Nobody said anything: the default holds.
        case preset
    }

    public let setting: SettingDescription
    public let source: Source
    /// What was said, or the default; `nil` for a secret, and where nothing is set.
    public let text: String?
}

extension ServerSettings {
    /// Who says what each setting is, in the order of ``keys``, heard as ``read(environment:dotEnv:flags:files:)``
    /// hears them. Checks nothing.
    public static func origins(
        environment: [String: String], dotEnv: String? = nil, flags: [String: String] = [:]
    ) -> [SettingOrigin] {
        let kept = dotEnv.map { DotEnv($0).values } ?? [:]
        let heard: [(source: SettingOrigin.Source, values: [String: String])] = [
            (.flag, flags), (.environment, environment), (.dotEnv, kept),
        ]
        func said(_ name: String) -> (source: SettingOrigin.Source, text: String)? {
            for voice in heard {
                if let text = voice.values[name], !text.isEmpty { return (voice.source, text) }
            }
            return nil
        }
        return keys.map { key in
            if key.isSecret, let file = said(key.name + "_FILE") {
                return SettingOrigin(setting: key, source: .file(file.text), text: nil)
            }
            let found = said(key.name)
            return SettingOrigin(
                setting: key, source: found?.source ?? .preset,
                text: key.isSecret ? nil : found?.text ?? key.defaultText)
        }
    }
}
