"""The same training in fjax, its peers and bare JAX, timed in turns: `python -m benchmarks`."""
