extension Symptom {
    private static let plain = "import go-proxy --from plain.db"
    private static let sealed = "import go-proxy --from sealed.db"

    /// Of `llm-proxy import go-proxy`, in a folder as ``CommandBench/makeImportTroubles()`` leaves it.
    static let goProxyImports: [TypedSymptom] = [
        TypedSymptom(
            "its keys are encrypted, and no key was given",
            "--source-encryption-key-file must be given: the keys of 1 projects are encrypted (acme); "
                + "name a file with the Go proxy's ENCRYPTION_KEY", sealed, code: 4),
        TypedSymptom(
            "another key was given",
            "--source-encryption-key-file (secret) is not what the keys of 1 projects are encrypted under (acme): "
                + "give the Go proxy's ENCRYPTION_KEY", "\(sealed) --source-encryption-key-file other-key", code: 4),
        TypedSymptom(
            "the file holds no key",
            "--source-encryption-key-file (secret) must hold base64 of 32 bytes: give the Go proxy's ENCRYPTION_KEY",
            "\(sealed) --source-encryption-key-file no-key", code: 2),
        TypedSymptom(
            "there is no such file", "there is no file old-key", "\(sealed) --source-encryption-key-file old-key",
            code: 2),
        TypedSymptom(
            "the variable is not set", "--from names OLD_DATABASE_URL, which is not in the environment: set it",
            "import go-proxy --from env:OLD_DATABASE_URL", code: 2),
        TypedSymptom(
            "there is no such database", "nothing.db: database error: io (14): unable to open database file",
            "import go-proxy --from nothing.db", code: 3),
        TypedSymptom(
            "the file is no database", "text.db: database error: notADatabase (26): file is not a database",
            "import go-proxy --from text.db", code: 3),
        TypedSymptom(
            "its PostgreSQL isn't there",
            "Connection refused; Is the server running on that host and accepting TCP/IP connections?",
            "import go-proxy --from postgres://127.0.0.1:1/old", ["DATABASE_WAIT": "100ms"], code: 3),
        TypedSymptom(
            "it is another program's database",
            "other.db holds no projects and tokens of the Go proxy: name its database",
            "import go-proxy --from other.db", code: 4),
        TypedSymptom(
            "it is a database of this program", "ours.db is a database of this program: use llm-proxy db copy",
            "import go-proxy --from ours.db", code: 4),
        TypedSymptom(
            "the provider has no such name",
            "--provider is 'nobody', which the providers file does not name: write one of …",
            "\(plain) --provider nobody", code: 2),
        TypedSymptom(
            "the database's keys are under another key",
            "ENCRYPTION_KEY is not the key that the database's projects are sealed under: "
                + "set the one they were made with",
            plain, ["ENCRYPTION_KEY": GoProxyFixture.otherKey], code: 4),
        TypedSymptom(
            "a name is taken here",
            "DATABASE_PATH ./data/llm-proxy.db has others of the same name or secret, and nothing was written: project "
                + "'acme' (there it is …): rename those projects, or delete what is there twice, then import again",
            plain, code: 4),
        TypedSymptom(
            "the file for new tokens is there", "--reissue new-tokens.txt is there already: name another file",
            "\(plain) --reissue new-tokens.txt", code: 4),
        TypedSymptom(
            "tokens are of a form that servers don't take",
            "clients of these 1 tokens are refused: make new ones with --reissue FILE",
            "import go-proxy --from early.db --database-path fresh.db", code: 0),
    ]

    private static let config = "import litellm --config config.yaml"

    /// Of `llm-proxy import litellm`, in the same folder.
    static let liteLLMImports: [TypedSymptom] = [
        TypedSymptom(
            "there is no such file", "--config nothing.yaml is not there: correct the path",
            "import litellm --config nothing.yaml", code: 2),
        TypedSymptom(
            "it is no YAML", "--config broken.yaml line … is no YAML: …: correct it, or write it without that",
            "import litellm --config broken.yaml", code: 2),
        TypedSymptom(
            "it has anchors, aliases or tags",
            "--config anchors.yaml line … sets an anchor, which is not read here: correct it, or write it without that",
            "import litellm --config anchors.yaml", code: 2),
        TypedSymptom(
            "it is another file", "--config ours.yaml has no model_list: name LiteLLM's config.yaml",
            "import litellm --config ours.yaml", code: 2),
        TypedSymptom(
            "it has something that is unknown here",
            "config.yaml line …: surprise stays behind: there is no such thing here", config, code: 0),
        TypedSymptom(
            "it has something that is elsewhere here",
            "config.yaml line …: router_settings.fallbacks stays behind: give projects further ways, "
                + "with llm-proxy manage upstream create", config, code: 0),
        TypedSymptom(
            "a provider is not known here",
            "config.yaml line …: model_list[1] stays behind: its provider 'bedrock' wants signed requests", config,
            code: 0),
        TypedSymptom(
            "none of its models can be carried over",
            "--config bedrock.yaml names no model that can be carried over: model_list[0] stays behind: its provider "
                + "'bedrock' wants signed requests", "import litellm --config bedrock.yaml", code: 4),
        TypedSymptom(
            "a key is not in the environment",
            "not in the environment: LOCAL_KEY, which model_list[0] needs: set what is missing, "
                + "or leave --create-projects away", "\(config) --create-projects", code: 4),
        TypedSymptom(
            "a name is taken here",
            "DATABASE_PATH ./data/llm-proxy.db has other projects of the same name, and nothing was written: 'openai' "
                + "(there it is …): rename those, then import again", "\(config) --create-projects",
            ["LOCAL_KEY": "sk-key-of-nobody"], code: 4),
        TypedSymptom(
            "the providers file is there", "--providers ours.yaml is there already: name another file, or remove it",
            "\(config) --providers ours.yaml", code: 4),
    ]
}

extension CommandBench {
    /// Puts into the folder what stands in the way of imports, and what does not.
    func makeImportTroubles() async throws {
        let tables = GoProxyFixture.schema + GoProxyFixture.rows
        try await makeSQLite(tables, at: "plain.db")
        try await makeSQLite(
            tables + "UPDATE projects SET openai_api_key = '\(GoProxyFixture.encryptedKey)';", at: "sealed.db")
        try await makeSQLite("CREATE TABLE projects (id TEXT); CREATE TABLE tokens (id TEXT);", at: "other.db")
        let early = """
            INSERT INTO tokens (token, project_id, is_active, request_count, created_at)
            VALUES ('tkn_AAAAAAAAAAAAAAAAAAAAAA', '\(GoProxyFixture.project)', 1, 4, '2026-01-01 10:00:00');
            """
        try await makeSQLite(tables + early, at: "early.db")
        let texts = [
            "text.db": "no database", "other-key": GoProxyFixture.otherKey, "no-key": "hidden-word",
            "new-tokens.txt": "", "config.yaml": config, "bedrock.yaml": "model_list:\n\(bedrock)",
            "broken.yaml": "a: [", "anchors.yaml": "model_list: &models []\n", "ours.yaml": "apis: {}\n",
        ]
        for (path, text) in texts { try write(text, to: path) }
        let made = try await finish(
            ["import", "go-proxy", "--from", "plain.db", "--database-path", "ours.db"], within: .seconds(30))
        guard made.code == 0 else { throw StepFailed(description: "no database of ours: \(made.output)") }
        let server = try await serve()
        for name in ["acme", "openai"] { _ = try await server.createProject(name) }
        guard try await server.stop() == 0 else { throw StepFailed(description: "the server did not stop") }
    }

    private var bedrock: String {
        """
          - model_name: claude
            litellm_params: { model: bedrock/anthropic.claude-v2 }

        """
    }

    private var config: String {
        """
        model_list:
          - model_name: gpt-4o
            litellm_params: { model: openai/gpt-4o, api_key: os.environ/LOCAL_KEY }
        \(bedrock)
        router_settings:
          fallbacks: [{ gpt-4o: [claude] }]
        surprise: hidden-word

        """
    }
}
