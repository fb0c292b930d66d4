import ProxyDomain

extension ProvidersFile {
    /// What models cost: by name, or by how names begin, in US dollars for a million tokens.
    mutating func readPrices(_ node: YAMLNode, _ place: String) -> PriceList {
        var prices: [String: ModelPrice] = [:]
        for model in mapping(node, place) ?? [] {
            let key = "\(place).\(SettingFault.printable(model.key))"
            if let star = model.key.firstIndex(of: "*"), model.key.index(after: star) != model.key.endIndex {
                fault(
                    model.line, "\(key) may have a * only at its end", "name a model, or how its name begins: gpt-4o*")
            }
            if let price = readPrice(model.value, key) { prices[model.key] = price }
        }
        return PriceList(prices)
    }

    private mutating func readPrice(_ node: YAMLNode, _ place: String) -> ModelPrice? {
        var (input, cachedInput, output): (NanoDollars?, NanoDollars?, NanoDollars?) = (nil, nil, nil)
        var mostTokens: Int64?
        for entry in mapping(node, place) ?? [] {
            let key = "\(place).\(entry.key)"
            switch entry.key {
            case "input": input = readDollars(entry.value, key)
            case "cached_input": cachedInput = readDollars(entry.value, key)
            case "output": output = readDollars(entry.value, key)
            case "max_output_tokens": mostTokens = readTokens(entry.value, key)
            default: refuse(entry, in: place)
            }
        }
        guard let input else {
            fault(node.line, "\(place) has no input", "say what a million prompt tokens cost: input: 0.15")
            return nil
        }
        if let cachedInput, cachedInput > input {
            fault(
                node.line, "\(place).cached_input must not be more than input",
                "say what a million prompt tokens cost that the provider has in its cache")
        }
        // What is only read, such as text to be embedded, has no completion to be paid.
        return ModelPrice(
            input: input.amount, cachedInput: cachedInput?.amount, output: output?.amount ?? 0,
            maxOutputTokens: mostTokens)
    }

    private mutating func readDollars(_ node: YAMLNode, _ place: String) -> NanoDollars? {
        guard let text = text(node, place) else { return nil }
        // The most that a nano-dollar price of a million tokens may be, and far more than any.
        guard let dollars = NanoDollars(dollars: text), dollars.amount <= 1_000_000 * 1_000_000_000 else {
            fault(
                node.line, "\(place) must be US dollars for a million tokens, 0…1000000 with at most 9 decimals",
                "write for instance 0.15", found: text)
            return NanoDollars.zero
        }
        return dollars
    }

    private mutating func readTokens(_ node: YAMLNode, _ place: String) -> Int64? {
        guard let text = text(node, place) else { return nil }
        guard let count = Int64(text), (1...1_000_000_000).contains(count) else {
            fault(
                node.line, "\(place) must be a whole number of tokens from 1 to 1000000000",
                "write for instance 16384", found: text)
            return nil
        }
        return count
    }
}
