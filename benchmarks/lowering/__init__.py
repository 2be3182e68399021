"""Ways to compute one operation, timed beside each other: `python -m benchmarks.lowering`."""
