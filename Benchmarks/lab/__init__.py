"""What the benchmarks share: processes and their CPU time, the peers, the load, and the tables."""
