import ProxyDomain
import ProxySecrets
import Testing

/// What `ProxySecrets` promises, one promise per test.
@Suite struct SecretsTests {
    private let project = ProjectID(Identifier(high: 1, low: 2))
    private let other = ProjectID(Identifier(high: 1, low: 3))
    private let key: EncryptionKey
    private let upstreamKey = "sk-proj-0123456789abcdefghijklmn"

    init() throws {
        key = try #require(EncryptionKey(base64: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="))
    }

    @Test func aTokenIsStoredUnderTheSHA256OfItsText() throws {
        let secret = try #require(TokenSecret("sk-" + String(repeating: "A", count: 43)))
        // printf 'sk-AAA…' | sha256sum
        #expect(
            TokenDigest.of(secret).text == "d40a82f736e89291055c8dcbddec74ad06f26425073957cce3a31c553758e683")
    }

    @Test func whatIsSealedOpensForItsProjectOnly() throws {
        let vault = UpstreamKeyVault(newest: key)
        let sealed = vault.seal(upstreamKey, for: project)
        #expect(try vault.open(sealed.ciphertext, for: project) == upstreamKey)
        #expect(throws: SecretsError.damaged) { try vault.open(sealed.ciphertext, for: other) }
    }

    @Test func sealingTwiceGivesTwoTexts() {
        let vault = UpstreamKeyVault(newest: key)
        #expect(vault.seal(upstreamKey, for: project) != vault.seal(upstreamKey, for: project))
    }

    @Test func aCiphertextNamesItsKeyAndHoldsNothingOfTheSecret() {
        let sealed = UpstreamKeyVault(newest: key).seal(upstreamKey, for: project)
        #expect(sealed.ciphertext.hasPrefix("v1.\(key.id)."))
        #expect(!sealed.ciphertext.contains("0123456789"))
        #expect(sealed.hint == "sk-…klmn")
    }

    @Test(arguments: ["", "sk-short", "0123456789012345678"])
    func aShortKeyShowsNothing(short: String) {
        #expect(UpstreamKeyVault.hint(of: short) == "…")
    }

    @Test func everyChangedCharacterIsNoticed() throws {
        let vault = UpstreamKeyVault(newest: key)
        let sealed = Array(vault.seal(upstreamKey, for: project).ciphertext)
        for index in sealed.indices {
            var changed = sealed
            changed[index] = changed[index] == "A" ? "B" : "A"
            #expect(throws: SecretsError.self) { try vault.open(String(changed), for: project) }
        }
    }

    @Test(arguments: [
        "", "v1", "v1..", "v1.630dcd29.", "v2.630dcd29.AAAA", "sk-plain", "v1.630dcd29.AAAA.x", "v1.630dcd29.é",
    ])
    func whatIsNoCiphertextIsDamaged(text: String) {
        #expect(throws: SecretsError.damaged) { try UpstreamKeyVault(newest: key).open(text, for: project) }
    }

    @Test func afterRotationOldCiphertextsOpenAndNewOnesNameTheNewKey() throws {
        var random = SystemRandomNumberGenerator()
        let newer = EncryptionKey(using: &random)
        let old = UpstreamKeyVault(newest: key).seal(upstreamKey, for: project)
        let rotated = UpstreamKeyVault(newest: newer, older: [key])
        #expect(try rotated.open(old.ciphertext, for: project) == upstreamKey)
        #expect(rotated.keyID(of: rotated.seal("x", for: project).ciphertext) == newer.id)
        #expect(throws: SecretsError.unknownKey(id: key.id)) {
            try UpstreamKeyVault(newest: newer).open(old.ciphertext, for: project)
        }
    }

    @Test func aGeneratedKeyIsReadBackFromItsText() {
        var random = SystemRandomNumberGenerator()
        let made = EncryptionKey(using: &random)
        #expect(EncryptionKey(base64: made.revealedBase64())?.id == made.id)
    }

    @Test(arguments: [
        "", "short", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8==", " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ])
    func whatIsNot32BytesOfBase64IsNoKey(text: String) {
        #expect(EncryptionKey(base64: text) == nil)
    }

    @Test func base64AgreesWithItself() {
        for count in 0..<100 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ count) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Base64.decode(Base64.encode(bytes, as: .urlSafe)) == bytes)
        }
        #expect(Base64.encode([0xFB, 0xFF]) == "+/8=")
        #expect(Base64.encode([0xFB, 0xFF], as: .urlSafe) == "-_8")
    }

    @Test(arguments: ["A", "AA=", "A===", "AB==", "AAA", "AA A", "AA\n=", "é", "===="])
    func malformedBase64IsRefused(text: String) {
        // "AAA" carries 18 bits whose last two are zero: the one good text in the list.
        #expect((Base64.decode(text) == nil) == (text != "AAA"))
    }

    @Test func anExpectedCredentialMatchesItselfAlone() {
        let expected = ExpectedCredential("a-long-management-token")
        #expect(expected.matches("a-long-management-token"))
        for wrong in ["", "a-long-management-toke", "a-long-management-token ", "A-long-management-token"] {
            #expect(!expected.matches(wrong))
        }
        #expect(equalInConstantTime([], []) && !equalInConstantTime([1], [1, 0]))
    }

    @Test func noSecretShowsInADescription() {
        let shown =
            "\(key) \(String(reflecting: key)) \(ExpectedCredential("hunter2-hunter2")) \(UpstreamKeyVault(newest: key))"
        #expect(!shown.contains("AAECAwQF") && !shown.contains("hunter2"))
        var dumped = ""
        dump(key, to: &dumped)
        dump(ExpectedCredential("hunter2-hunter2"), to: &dumped)
        #expect(!dumped.contains("hunter2") && !dumped.contains("symmetric"))
    }
}
