/// The product's version, as `--version`, `/health` and the changelog say it.
public let productVersion = "0.1.0"
