"""Speed beside named peers: `python -m benchmarks.engine --json`, `python -m benchmarks.pic --json`."""
