/// A provider as LiteLLM names it before the slash of a model, and what this program makes of it.
struct LiteLLMProvider {
    /// Where its requests go; `nil` where each entry says so (`api_base`).
    var address: String?
    /// What is put after an entry's `api_base`.
    var suffix = ""
    /// Of the providers file, as YAML.
    var auth = "bearer"
    /// Prefixes of the paths that it serves; `nil` for what is usual.
    var endpoints: [String]?
    /// Where LiteLLM looks for the key of an entry that has none.
    var keyVariable: String?
    /// What is different for clients; `nil` for nothing.
    var remark: String?

    /// By name. All of them have an API that clients can call as it is: this program translates none into another.
    static let known: [String: LiteLLMProvider] = [
        "openai": .init(address: "https://api.openai.com", keyVariable: "OPENAI_API_KEY"),
        "text-completion-openai": .init(address: "https://api.openai.com", keyVariable: "OPENAI_API_KEY"),
        "anthropic": .init(
            address: "https://api.anthropic.com", auth: "{ header: x-api-key }", keyVariable: "ANTHROPIC_API_KEY",
            remark: "requests pass as they are: clients call /v1/messages, in Anthropic's own form"),
        "azure": .init(
            suffix: "/openai", auth: "{ header: api-key }", keyVariable: "AZURE_API_KEY",
            remark: "requests go to Azure's /openai/v1, and their model is the deployment's name"),
        "gemini": .init(
            address: "https://generativelanguage.googleapis.com", auth: "{ header: x-goog-api-key }",
            endpoints: ["/v1beta"], keyVariable: "GEMINI_API_KEY",
            remark:
                "requests pass as they are: clients call /v1beta, in Google's own form; models are not narrowed"
        ),
        "mistral": .init(address: "https://api.mistral.ai", keyVariable: "MISTRAL_API_KEY"),
        "groq": .init(address: "https://api.groq.com/openai", keyVariable: "GROQ_API_KEY"),
        "deepseek": .init(address: "https://api.deepseek.com", keyVariable: "DEEPSEEK_API_KEY"),
        "xai": .init(address: "https://api.x.ai", keyVariable: "XAI_API_KEY"),
        "openrouter": .init(address: "https://openrouter.ai/api", keyVariable: "OPENROUTER_API_KEY"),
        "together_ai": .init(address: "https://api.together.xyz", keyVariable: "TOGETHERAI_API_KEY"),
        "fireworks_ai": .init(address: "https://api.fireworks.ai/inference", keyVariable: "FIREWORKS_AI_API_KEY"),
        "cerebras": .init(address: "https://api.cerebras.ai", keyVariable: "CEREBRAS_API_KEY"),
        "nvidia_nim": .init(address: "https://integrate.api.nvidia.com", keyVariable: "NVIDIA_NIM_API_KEY"),
        "ollama": .init(address: "http://localhost:11434", remark: "clients call Ollama's /v1, as OpenAI's"),
        "ollama_chat": .init(address: "http://localhost:11434", remark: "clients call Ollama's /v1, as OpenAI's"),
        "hosted_vllm": .init(keyVariable: "HOSTED_VLLM_API_KEY"),
        "openai_like": .init(keyVariable: "OPENAI_LIKE_API_KEY"),
        "custom_openai": .init(keyVariable: "OPENAI_API_KEY"),
        "lm_studio": .init(keyVariable: "LM_STUDIO_API_KEY"),
        "litellm_proxy": .init(keyVariable: "LITELLM_PROXY_API_KEY"),
    ]

    /// Those whose requests are signed, or whose keys last minutes: nothing here does that.
    static let unsupported: Set<String> = [
        "bedrock", "bedrock_converse", "sagemaker", "sagemaker_chat", "vertex_ai", "vertex_ai_beta", "watsonx",
    ]

    /// Whether requests name their model, so that it can be narrowed.
    var narrowsModels: Bool { endpoints == nil }

    /// Splits what `litellm_params.model` says into a provider's name and the model's own.
    static func split(_ model: String) -> (provider: String, model: String) {
        if let slash = model.firstIndex(of: "/") {
            return (String(model[..<slash]), String(model[model.index(after: slash)...]))
        }
        if model.hasPrefix("claude") { return ("anthropic", model) }
        if model.hasPrefix("gemini") { return ("gemini", model) }
        return ("openai", model)
    }
}
