public import ProxyDomain

extension TokenDigest {
    /// The digest under which `secret` is stored: SHA-256 of its 46 characters, as 64 lower-case hexadecimal ones.
    ///
    /// No salt and no stretching: the secret carries 256 random bits, so there is nothing to guess.
    public static func of(_ secret: TokenSecret) -> TokenDigest {
        TokenDigest(text: Hexadecimal.text(sha256(Array(secret.revealed().utf8))))
    }
}
