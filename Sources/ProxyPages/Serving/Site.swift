/// What the pages share and keep while the server runs.
struct Site: Sendable {
    let dependencies: PageDependencies
    let gate: Gate
    let sampler: TrafficSampler

    init(_ dependencies: PageDependencies) {
        self.dependencies = dependencies
        gate = Gate(dependencies: dependencies)
        sampler = TrafficSampler()
    }
}
